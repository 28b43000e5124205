package toolcall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ringwall/ringwall/guard/normalize"
)

// Visible returns s with a token in the place of each character that shows nothing, turns
// what is shown, or is no plain space: ⟨U+200B⟩; and with one behind each letter that
// looks like a Latin one and is none.
func Visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteRune(r)
		case r < ' ', r >= 0x7f && r < 0xA0, normalize.Ignorable(r), r != ' ' && unicode.Is(unicode.Z, r), r == unicode.ReplacementChar:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		case r > 0x7f && twins[r] != 0:
			fmt.Fprintf(&b, "%c⟨U+%04X⟩", r, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Differences says, for people, how now differs from was: lines of what is gone, behind a
// minus, and of what came, behind a plus, under the name of what they are in. What shows
// nothing is visible.
func Differences(was, now Definition) []string {
	var out []string
	for _, f := range []struct {
		name     string
		was, now string
	}{
		{"server", was.Server, now.Server},
		{"name", was.Name, now.Name},
		{"title", was.Title, now.Title},
		{"description", was.Description, now.Description},
		{"input schema", pretty(was.Input), pretty(now.Input)},
		{"output schema", pretty(was.Output), pretty(now.Output)},
		{"annotations", pretty(was.Hints), pretty(now.Hints)},
	} {
		if f.was == f.now {
			continue
		}
		out = append(out, f.name+":")
		out = append(out, lineDiff(parts(f.was), parts(f.now))...)
	}
	return out
}

// pretty returns a document in canonical form, a member a line.
func pretty(doc []byte) string {
	if len(doc) == 0 {
		return ""
	}
	var b bytes.Buffer
	if json.Indent(&b, canonical(doc), "", "  ") != nil {
		return string(doc)
	}
	return b.String()
}

// parts cuts a text into lines, and long lines into sentences.
func parts(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		for len(line) > 100 {
			i := strings.Index(line[80:], " ")
			if i < 0 {
				break
			}
			out, line = append(out, line[:80+i]), line[80+i+1:]
		}
		out = append(out, line)
	}
	return out
}

// maxDiff bounds lines that are compared with each other.
const maxDiff = 1500

// lineDiff returns the lines that differ.
func lineDiff(was, now []string) (out []string) {
	for len(was) > 0 && len(now) > 0 && was[0] == now[0] {
		was, now = was[1:], now[1:]
	}
	for len(was) > 0 && len(now) > 0 && was[len(was)-1] == now[len(now)-1] {
		was, now = was[:len(was)-1], now[:len(now)-1]
	}
	gone := func(s string) { out = append(out, "  - "+Visible(s)) }
	came := func(s string) { out = append(out, "  + "+Visible(s)) }
	if len(was) > maxDiff || len(now) > maxDiff {
		was, now = was[:min(len(was), maxDiff)], now[:min(len(now), maxDiff)]
	}
	// common[i][j] is how many lines was[i:] and now[j:] have in common, in order.
	common := make([][]int, len(was)+1)
	for i := range common {
		common[i] = make([]int, len(now)+1)
	}
	for i, a := range slices.Backward(was) {
		for j, b := range slices.Backward(now) {
			if a == b {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(was) && j < len(now) {
		switch {
		case was[i] == now[j]:
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			gone(was[i])
			i++
		default:
			came(now[j])
			j++
		}
	}
	for ; i < len(was); i++ {
		gone(was[i])
	}
	for ; j < len(now); j++ {
		came(now[j])
	}
	return out
}
