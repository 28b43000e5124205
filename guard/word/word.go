// Package word notices listed words and phrases in the folded view, whatever
// their case, width, accents or invisible characters, and profanity.
//
// Each [List] is a tree of what its phrases have in common, walked from each
// place where a word begins; of several phrases the longest counts, and it must
// end where a word ends. Scripts without spaces between words have no such
// places, so there every character counts. The cost is linear in the text times
// the length of the longest phrase that the text comes near to, whatever the
// number of phrases.
//
// What a list may ask for beyond that: the usual endings of its words
// (endings.go), disguises such as digits for letters, letters apart and stars
// (disguise.go), and words inside other words. [Profanity] is a list that comes
// with the program. What a word means where it stands is left to the content
// filter. Start reading at New.
package word

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/word"

// Reasons of findings, where a list has no name of its own.
const (
	Reason              = "listed-word"
	ReasonProfanity     = "profanity"
	ReasonMildProfanity = "mild-profanity"
)

// Bounds of the lists of one Scanner.
const (
	MaxLists     = 32
	MaxWords     = 100_000 // in all lists
	MaxDisguised = 10_000  // in lists that look under disguises
	MaxLength    = 200     // bytes of a phrase
)

// List is a list of phrases and how they are looked for.
type List struct {
	Name     string            // the reason of its findings, in kebab-case; default Reason
	Words    []string          // words and phrases, in any case
	Severity ringwall.Severity // default Medium
	Inflect  bool              // also with the usual endings: plurals, cases, forms of verbs
	Disguise bool              // also with digits for letters, letters repeated or apart, and stars
	Within   bool              // also inside other words
}

// Scanner notices the phrases of its lists. Make it with New. It is safe for
// concurrent use.
type Scanner struct {
	lists  []list
	begins [256]uint8      // what phrases begin with the byte: begin bits
	heads  [1 << 10]uint64 // which three bytes phrases begin with, hashed: bits
	under  *disguises      // nil: no list asks for it
}

// Bits of Scanner.begins.
const (
	beginsWord uint8 = 1 << iota
	beginsWithin
	beginsShort // with fewer than three bytes
)

// list is a List that can look.
type list struct {
	tree
	name            string
	severity        ringwall.Severity
	inflect, within bool
}

// New returns a Scanner for the given lists. A name that is not in kebab-case, an
// empty phrase, one that is too long or one that nothing of shows is an error,
// which names the list and the number of the phrase in it, counted from 0. Of
// equally long phrases at one place that of the earlier list counts.
func New(lists ...List) (*Scanner, error) {
	if len(lists) > MaxLists {
		return nil, fmt.Errorf("word: %d lists: at most %d are allowed", len(lists), MaxLists)
	}
	s := &Scanner{}
	words, disguised := 0, 0
	for _, in := range lists {
		if in.Name == "" {
			in.Name = Reason
		}
		if strings.Trim(in.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Trim(in.Name, "-") != in.Name || strings.Contains(in.Name, "--") {
			return nil, fmt.Errorf("word: list %q: want a name in kebab-case", in.Name)
		}
		if in.Severity == ringwall.Info {
			in.Severity = ringwall.Medium
		}
		words += len(in.Words)
		if words > MaxWords {
			return nil, fmt.Errorf("word: list %s: %d phrases with it: at most %d are allowed", in.Name, words, MaxWords)
		}
		l := list{name: in.Name, severity: in.Severity, inflect: in.Inflect, within: in.Within}
		folded, err := fold(in.Words)
		if err != nil {
			return nil, fmt.Errorf("word: list %s: %w", in.Name, err)
		}
		if in.Disguise {
			if disguised += len(folded.all); disguised > MaxDisguised {
				return nil, fmt.Errorf("word: list %s: %d phrases with it are looked for under disguises: at most %d are allowed", in.Name, disguised, MaxDisguised)
			}
			if s.under == nil {
				s.under = newDisguises()
			}
			for i := range folded.all {
				s.under.add(string(folded.phrase(i)), len(s.lists), in.Inflect)
			}
		}
		if in.Inflect {
			folded.stems()
		}
		l.tree = grow(folded)
		s.lists = append(s.lists, l)
		bit := beginsWord
		if l.within {
			bit = beginsWithin
		}
		for i := range folded.all {
			p := folded.phrase(i)
			s.begins[p[0]] |= bit
			if len(p) < 3 {
				s.begins[p[0]] |= beginsShort
			} else {
				h := hash(p)
				s.heads[h>>6] |= 1 << (h & 63)
			}
		}
	}
	return s, nil
}

// Begin implements stream.Scanner.
func (s *Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	for i := range s.lists {
		if len(s.lists[i].nodes) > 1 {
			return &cursor{s: s}, ""
		}
	}
	return nil, "empty-list"
}

// cursor looks for phrases as they are written and for disguised ones, each from
// where it stopped, and reports them in the order in which they begin.
type cursor struct {
	s       *Scanner
	pos     int // where phrases as written are looked for
	chunk   int // where disguised ones are
	next    stream.Match
	waiting bool // next is yet to be reported
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	for {
		to := w.End()
		if c.s.under != nil {
			if !c.waiting {
				c.disguised(w)
			}
			to = c.chunk
			if c.waiting {
				to = c.next.Start
			}
		}
		done := c.plain(w, to, found)
		if !done || !c.waiting {
			if c.s.under != nil {
				return min(c.pos, to)
			}
			return c.pos
		}
		c.waiting = false
		if c.pos <= c.next.Start {
			found(c.next)
			c.pos = c.next.End
		}
	}
}

// plain reports phrases as they are written that begin before to. It reports
// whether it came so far.
func (c *cursor) plain(w stream.Window, to int, found func(stream.Match)) bool {
	t, i := w.Folded, c.pos-w.Base
	begins := &c.s.begins
	for {
		for ; i < to-w.Base; i++ { // most characters begin nothing
			b := begins[t[i]]
			if b == 0 || b&beginsWithin == 0 && i > 0 && stream.AlphaNum[t[i-1]] && stream.AlphaNum[t[i]] {
				continue
			}
			if b&beginsShort != 0 || i+2 >= len(t) {
				break
			}
			if h := hash(t[i:]); c.s.heads[h>>6]>>(h&63)&1 != 0 {
				break
			}
		}
		if i >= to-w.Base {
			c.pos = w.Base + i
			return true
		}
		end, which, more := c.s.at(t, i, w.Final)
		if more {
			c.pos = w.Base + i
			return false
		}
		if end > i {
			l := &c.s.lists[which]
			found(stream.Match{Start: w.Base + i, End: w.Base + end, Reason: l.name, Severity: l.severity, Score: 1})
			i = end
		} else {
			_, width := utf8.DecodeRune(t[i:])
			i += width
		}
		c.pos = w.Base + i
	}
}

// hash returns a number below 1<<16 for the first three bytes of p.
func hash(p []byte) uint32 {
	return (uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16) * 0x9E3779B1 >> 16
}

// at returns the end of the longest phrase that begins at t[i], and its list.
func (s *Scanner) at(t []byte, i int, final bool) (end, which int, more bool) {
	inside := i > 0 && joined(t[:i], t[i:])
	for n := range s.lists {
		l := &s.lists[n]
		if inside && !l.within {
			continue
		}
		to, look := l.longest(t, i, final)
		if look == stream.More {
			return i, 0, true
		}
		if look == stream.Yes && to > end {
			end, which = to, n
		}
	}
	return end, which, false
}

// longest reads the longest phrase of l that begins at t[i] and ends where a
// word ends, or with a usual ending of it.
func (l *list) longest(t []byte, i int, final bool) (end int, look stream.Look) {
	j := i
	for n := l.child(0, t[i]); n > 0; {
		at := &l.nodes[n]
		for _, b := range l.text[at.label : at.label+uint32(at.size)] {
			switch {
			case j == len(t) && !final:
				return i, stream.More
			case j == len(t) || t[j] != b:
				return end, look
			}
			for t[j] == ' ' && j+1 < len(t) && t[j+1] == ' ' { // spaces count as one
				j++
			}
			j++
		}
		if at.end != 0 {
			to, ok := l.ends(t, i, j, at.end, final)
			if ok == stream.More {
				return i, stream.More
			}
			if ok == stream.Yes {
				end, look = to, stream.Yes
			}
		}
		if j == len(t) {
			if !final {
				return i, stream.More
			}
			break
		}
		n = l.child(n, t[j])
	}
	return end, look
}

// ends reports whether the phrase t[i:j] may end at t[j], and where its ending
// does.
func (l *list) ends(t []byte, i, j int, kind uint8, final bool) (to int, look stream.Look) {
	switch {
	case l.within && kind&endsPhrase != 0:
		return j, stream.Yes
	case j == len(t) && !final:
		return i, stream.More
	case j == len(t) || !joined(t[:j], t[j:]):
		if kind&endsPhrase == 0 {
			return i, stream.No
		}
		return j, stream.Yes
	case !l.inflect:
		return i, stream.No
	}
	return ending(t, i, j, kind, final)
}

// joined reports whether the end of a and the beginning of b belong to one word.
func joined(a, b []byte) bool {
	if x, y := a[len(a)-1], b[0]; x < utf8.RuneSelf && y < utf8.RuneSelf {
		return stream.AlphaNum[x] && stream.AlphaNum[y]
	}
	ra, _ := utf8.DecodeLastRune(a)
	rb, _ := utf8.DecodeRune(b)
	return inWord(ra) && inWord(rb)
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 0 && stream.AlphaNum[byte(r)]
	}
	return !stream.Unspaced(r) && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r))
}
