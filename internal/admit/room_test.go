package admit

import (
	"os"
	"testing"
)

func TestMachine(t *testing.T) {
	const meminfo, v2, v1 = "/proc/meminfo", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"a machine":                       {map[string]string{meminfo: "MemTotal:  1000 kB\nMemFree: 1 kB\n"}, 1000 << 10},
		"a container":                     {map[string]string{meminfo: "MemTotal: 1000 kB\n", v2: "4096\n"}, 4096},
		"a container without a limit":     {map[string]string{meminfo: "MemTotal: 1000 kB\n", v2: "max\n"}, 1000 << 10},
		"a container of the older kind":   {map[string]string{meminfo: "MemTotal: 1000 kB\n", v1: "8192\n"}, 8192},
		"a limit beyond the machine":      {map[string]string{meminfo: "MemTotal: 1 kB\n", v1: "9223372036854771712\n"}, 1024},
		"another system":                  {nil, 0},
		"nonsense":                        {map[string]string{meminfo: "MemTotal:", v2: "-1"}, 0},
		"more than can be counted":        {map[string]string{meminfo: "MemTotal: 99999999999999999999 kB"}, (1<<63 - 1) >> 10 << 10},
		"less than nothing, which is nil": {map[string]string{meminfo: "MemTotal: -5 kB"}, 0},
	} {
		got := machine(func(file string) ([]byte, error) {
			if text, ok := tt.files[file]; ok {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		})
		if got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	if Bytes() <= 0 {
		t.Error("this machine has no memory")
	}
}
