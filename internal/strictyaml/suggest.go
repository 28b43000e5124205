package strictyaml

import (
	"fmt"
	"strings"
)

// unknown says what is wrong with a name that is not among known, and what was
// probably meant. kind is "field" or "value".
func unknown(kind, name string, known []string) string {
	var b strings.Builder
	b.WriteString("unknown " + kind)
	if near := nearest(name, known); near != "" {
		fmt.Fprintf(&b, ", did you mean %q?", near)
	}
	const few, short = 12, 120
	if list := strings.Join(known, ", "); len(known) > 0 && len(known) <= few && len(list) <= short {
		b.WriteString(" (known: " + list + ")")
	}
	return b.String()
}

// nearest returns the name that is fewest edits away from name, "" when none is
// near enough to be meant.
func nearest(name string, known []string) string {
	const longest = 64 // bytes; nobody means a longer one
	if len(name) > longest {
		return ""
	}
	best, near := "", 1+max(1, len(name)/3)
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < near {
			best, near = k, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete, replace or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
