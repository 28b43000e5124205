package history

import (
	"encoding/hex"

	"github.com/ringwall/ringwall"
)

// Sums returns what the canonical forms of turns hash to, group by group.
func Sums(turns []ringwall.Turn) (out []string) {
	groups, _ := groupsOf(turns)
	c := newCanon()
	for i := range groups {
		var before *group
		if i > 0 {
			before = &groups[i-1]
		}
		c.group(&groups[i], before)
		out = append(out, hex.EncodeToString(groups[i].says[:]))
	}
	return out
}

// Arguments returns the canonical form of arguments, and whether they are JSON.
func Arguments(text string) (string, bool) {
	kind, form := newCanon().arguments(text)
	return string(form), kind == kindCall
}
