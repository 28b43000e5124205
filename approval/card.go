package approval

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
)

// Card is an approval as a person is to see it: all of its arguments, in pieces that
// hide nothing, those first that say who or what is acted on.
type Card struct {
	Fields  []Field      `json:"fields,omitempty"`
	Raw     []Piece      `json:"-"`                 // all of the arguments, as they stand
	Bytes   int          `json:"bytes"`             // of the arguments
	Notices []string     `json:"notices,omitempty"` // what deserves a second look, in words
	Confirm Confirmation `json:"-"`
}

// Field is a value of the arguments.
type Field struct {
	Path      []Piece         `json:"path"`
	Head      []Piece         `json:"value"` // the beginning of it
	Rest      []Piece         `json:"rest,omitempty"`
	Length    int             `json:"length"` // characters in all
	Kind      string          `json:"kind"`   // string, number, bool, null, object, array: the latter two are empty
	Sensitive bool            `json:"sensitive,omitempty"`
	First     bool            `json:"first,omitempty"` // nobody approved it before
	Source    ringwall.Source `json:"source"`
	From      []Piece         `json:"from,omitempty"`
	How       string          `json:"how,omitempty"`
	Traced    bool            `json:"traced"` // somebody looked where it comes from
	Hosts     []Host          `json:"hosts,omitempty"`
}

// headLength is how many characters of a value are shown at once.
const headLength = 300

// CardOf makes a card of what was seen.
func CardOf(v *Seen) Card {
	c := Card{Raw: Show(v.Arguments), Bytes: len(v.Arguments), Confirm: Confirm(&v.Approval)}
	hidden, n := false, 0
	for path, leaf := range leaves(v.Arguments) {
		n++
		text := valueOf(leaf)
		f := Field{Path: Show(path), Length: utf8.RuneCountInString(text), Kind: leaf.Kind().String(), First: slices.Contains(v.First, path), Hosts: Hosts(text)}
		pieces := Show(text)
		hidden = hidden || slices.ContainsFunc(pieces, func(p Piece) bool { return p.Token != "" && !strings.HasPrefix(p.Token, "U+000A") })
		f.Head, f.Rest = cutPieces(pieces, headLength)
		if use := useOf(v.Provenance, path); use != nil {
			f.Traced, f.Sensitive, f.Source, f.From, f.How = true, use.Sensitive, use.Source, Show(use.From), use.How
		}
		c.Fields = append(c.Fields, f)
	}
	slices.SortStableFunc(c.Fields, func(a, b Field) int { return rank(&a) - rank(&b) })
	c.notice(v, hidden, n)
	return c
}

// rank puts first what is sensitive, and of that what is trusted least.
func rank(f *Field) int {
	switch {
	case f.Sensitive:
		return int(f.Source)
	case f.Traced:
		return 10 + int(f.Source)
	}
	return 20
}

func (c *Card) notice(v *Seen, hidden bool, n int) {
	say := func(text string) { c.Notices = append(c.Notices, text) }
	if v.Arguments != "" && n == 0 {
		say("The arguments are no JSON that can be taken apart: read them as they stand.")
	}
	if n >= maxLeaves {
		say("There are more than " + strconv.Itoa(maxLeaves) + " values: the rest stands in the arguments as they are.")
	}
	if hidden {
		say("There are characters that do not show: they stand here by their names.")
	}
	untrusted, first, hosts, folded := 0, 0, 0, 0
	for i := range c.Fields {
		f := &c.Fields[i]
		if f.Sensitive && !f.Source.Trusted() {
			untrusted++
		}
		if f.First {
			first++
		}
		hosts += len(f.Hosts)
		if len(f.Rest) > 0 {
			folded++
		}
	}
	if untrusted > 0 {
		say(count(untrusted, "value that says who or what is acted on comes", "values that say who or what is acted on come") + " from a text that anybody may have written, or from nowhere.")
	}
	if first > 0 {
		say(count(first, "value was", "values were") + " never approved before for this tool.")
	}
	if hosts > 0 {
		say(count(hosts, "address", "addresses") + " may not be what it looks like: see how it is written in the network.")
	}
	if folded > 0 {
		say(count(folded, "value is", "values are") + " long: open the rest before you decide.")
	}
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

// useOf finds what is known of where a value comes from: of itself, or of what it stands
// in.
func useOf(all []ringwall.ArgumentUse, path string) (best *ringwall.ArgumentUse) {
	for i := range all {
		u := &all[i]
		if u.Path == path || strings.HasPrefix(path, u.Path+"/") {
			if best == nil || len(u.Path) > len(best.Path) {
				best = u
			}
		}
	}
	return best
}

// SourceWords say where a value comes from, to people.
func SourceWords(s ringwall.Source) string {
	switch s {
	case ringwall.SourceUser:
		return "the user's words"
	case ringwall.SourceSystem:
		return "the operator's instructions"
	case ringwall.SourceMinted:
		return "our own systems"
	case ringwall.SourceUntrusted:
		return "untrusted text"
	case ringwall.SourceUnknown:
	}
	return "nowhere: the model made it up, or hides where it has it from"
}
