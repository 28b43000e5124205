package strictyaml

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes, written as a whole number with a unit: "512B",
// "10MB" (powers of 1000), "64KiB" (powers of 1024). Without a unit it counts
// bytes.
type Size int64

// units are the units of sizes, largest first: the first that divides a size
// writes it.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"KB", 1e3},
	{"B", 1},
}

const sizePattern = `^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB)?$`

// String writes s with the largest unit that divides it.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText writes s as String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a size. Sizes are not negative.
func (s *Size) UnmarshalText(b []byte) error {
	digits := strings.TrimRight(string(b), "BiKMGT")
	unit := string(b)[len(digits):]
	scale := int64(1)
	if unit != "" {
		scale = 0
		for _, u := range units {
			if u.name == unit {
				scale = u.bytes
			}
		}
	}
	if scale == 0 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return fmt.Errorf("want a size such as 512B, 10MB or 64KiB, found %q", clip(string(b)))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > math.MaxInt64/scale {
		return fmt.Errorf("size %s is out of range: at most %d bytes", clip(string(b)), int64(math.MaxInt64))
	}
	*s = Size(n * scale)
	return nil
}
