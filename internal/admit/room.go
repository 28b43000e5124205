package admit

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

// Bytes returns how many bytes of requests and answers suit this machine: an eighth of
// what the process may use, for a text that is looked at is there several times. That
// is GOMEMLIMIT, else the limit of its control group, else the memory of the machine;
// where nobody knows, 512 MiB are held.
func Bytes() int64 {
	const unknown = 512 << 20
	most := debug.SetMemoryLimit(-1)
	if most == math.MaxInt64 {
		most = machine(os.ReadFile)
	}
	if most <= 0 {
		return unknown
	}
	return most / 8
}

// machine returns the memory that Linux says there is, 0 where nobody says.
func machine(read func(string) ([]byte, error)) int64 {
	var most int64
	if b, err := read("/proc/meminfo"); err == nil {
		// MemTotal:       16384000 kB
		if _, rest, ok := bytes.Cut(b, []byte("MemTotal:")); ok {
			if f := bytes.Fields(rest); len(f) > 0 {
				kb, _ := strconv.ParseInt(string(f[0]), 10, 64)
				most = max(0, min(kb, math.MaxInt64>>10)) << 10
			}
		}
	}
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		b, err := read(name)
		if err != nil {
			continue
		}
		// "max" is none.
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64); err == nil && n > 0 && (most == 0 || n < most) {
			most = n
		}
	}
	return most
}
