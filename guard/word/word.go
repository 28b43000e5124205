// Package word notices listed words and phrases in the folded view, whatever
// their case, width, accents or invisible characters.
//
// The list is a tree of what phrases have in common, walked from each place where
// a word begins; of several phrases the longest counts, and it must end where a
// word ends. Scripts
// without spaces between words have no such places, so there every character
// counts. The cost is linear in the text times the length of the longest phrase
// that the text comes near to, whatever the number of phrases.
package word

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/word"

// Reason is the reason of all findings.
const Reason = "listed-word"

// Bounds of a list.
const (
	MaxWords  = 100_000
	MaxLength = 200 // bytes of a phrase
)

// Scanner notices the phrases of its list. Make it with New.
type Scanner struct {
	nodes  []node    // the first is the root
	begins [256]bool // bytes that a phrase begins with
}

// node is a place in the tree, reached by label. Its children stand side by
// side, sorted by the first byte of their labels.
type node struct {
	label    string
	from, to int32 // its children
	end      bool  // a phrase ends here
}

// New returns a Scanner for the given phrases. An empty phrase, one that is too
// long or one that nothing of shows is an error.
func New(phrases []string) (*Scanner, error) {
	if len(phrases) > MaxWords {
		return nil, fmt.Errorf("word: %d phrases: at most %d are allowed", len(phrases), MaxWords)
	}
	folded := make([]string, len(phrases))
	for i, p := range phrases {
		f := strings.Join(strings.Fields(normalize.Fold(p)), " ")
		if f == "" || len(p) > MaxLength {
			return nil, fmt.Errorf("word: phrase %d: want 1 to %d bytes that show something", i, MaxLength)
		}
		folded[i] = f
	}
	slices.Sort(folded)
	s := &Scanner{nodes: make([]node, 1)}
	s.grow(0, slices.Compact(folded))
	for _, n := range s.nodes[s.nodes[0].from:s.nodes[0].to] {
		s.begins[n.label[0]] = true
	}
	return s, nil
}

// grow hangs the rests of phrases, which are sorted, below the node at.
func (s *Scanner) grow(at int, rests []string) {
	if len(rests) > 0 && rests[0] == "" {
		s.nodes[at].end = true
		rests = rests[1:]
	}
	var groups [][]string // by first byte
	for len(rests) > 0 {
		n := 1
		for n < len(rests) && rests[n][0] == rests[0][0] {
			n++
		}
		groups = append(groups, rests[:n])
		rests = rests[n:]
	}
	from := len(s.nodes)
	s.nodes = append(s.nodes, make([]node, len(groups))...)
	s.nodes[at].from, s.nodes[at].to = int32(from), int32(len(s.nodes))
	for i, g := range groups {
		first, last := g[0], g[len(g)-1]
		n := 1 // what these two have in common, all between them have
		for n < len(first) && n < len(last) && first[n] == last[n] {
			n++
		}
		s.nodes[from+i].label = first[:n]
		for k := range g {
			g[k] = g[k][n:]
		}
		s.grow(from+i, g)
	}
}

// child returns the child of n whose label begins with b, or nil.
func (s *Scanner) child(n *node, b byte) *node {
	lo, hi := n.from, n.to
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := s.nodes[mid].label[0]; {
		case c == b:
			return &s.nodes[mid]
		case c < b:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return nil
}

// Begin implements stream.Scanner.
func (s *Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	if len(s.nodes) < 2 {
		return nil, "empty-list"
	}
	return &stream.Starts{Try: s.try}, ""
}

func (s *Scanner) try(w stream.Window, i int, found func(stream.Match)) int {
	t := w.Folded
	for i < len(t) && (!s.begins[t[i]] || i > 0 && stream.AlphaNum[t[i]] && stream.AlphaNum[t[i-1]]) {
		i++ // most characters begin nothing
	}
	if i == len(t) {
		return i
	}
	width := 1
	if t[i] >= utf8.RuneSelf {
		_, width = utf8.DecodeRune(t[i:])
	}
	if i > 0 && joined(t[:i], t[i:]) {
		return i + width
	}
	end, look := s.longest(t, i, w.Final)
	switch look {
	case stream.More:
		return i
	case stream.No:
		return i + width
	}
	found(stream.Match{Start: w.Base + i, End: w.Base + end, Reason: Reason, Severity: ringwall.Medium, Score: 1})
	return end
}

// longest reads the longest phrase that begins at t[i] and ends where a word
// ends.
func (s *Scanner) longest(t []byte, i int, final bool) (end int, look stream.Look) {
	n := s.child(&s.nodes[0], t[i])
	for j := i; n != nil; {
		for k := range len(n.label) {
			switch {
			case j == len(t) && !final:
				return i, stream.More
			case j == len(t) || t[j] != n.label[k]:
				return end, look
			}
			for t[j] == ' ' && j+1 < len(t) && t[j+1] == ' ' { // spaces count as one
				j++
			}
			j++
		}
		if j == len(t) {
			switch {
			case !final:
				return i, stream.More
			case n.end:
				return j, stream.Yes
			}
			break
		}
		if n.end && !joined(t[:j], t[j:]) {
			end, look = j, stream.Yes
		}
		n = s.child(n, t[j])
	}
	return end, look
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
		return stream.AlphaNum[byte(r)]
	}
	return !stream.Unspaced(r) && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r))
}
