// Package word notices listed words and phrases in the folded view, whatever
// their case, width, accents or invisible characters.
//
// The list is a trie that is walked from each place where a word begins; of
// several phrases the longest counts, and it must end where a word ends. Scripts
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
	nodes  []node
	begins [256]bool // bytes that a phrase begins with
}

// node is a place in the trie. Its edges are sorted by byte.
type node struct {
	keys []byte
	next []int32
	end  bool // a phrase ends here
}

// New returns a Scanner for the given phrases. An empty phrase, one that is too
// long or one that nothing of shows is an error.
func New(phrases []string) (*Scanner, error) {
	if len(phrases) > MaxWords {
		return nil, fmt.Errorf("word: %d phrases: at most %d are allowed", len(phrases), MaxWords)
	}
	s := &Scanner{nodes: make([]node, 1)}
	for i, p := range phrases {
		f := strings.Join(strings.Fields(normalize.Fold(p)), " ")
		if f == "" || len(p) > MaxLength {
			return nil, fmt.Errorf("word: phrase %d: want 1 to %d bytes that show something", i, MaxLength)
		}
		s.add(f)
	}
	return s, nil
}

func (s *Scanner) add(phrase string) {
	at := int32(0)
	for _, b := range []byte(phrase) {
		n := &s.nodes[at]
		i, ok := slices.BinarySearch(n.keys, b)
		if !ok {
			n.keys = slices.Insert(n.keys, i, b)
			n.next = slices.Insert(n.next, i, int32(len(s.nodes)))
			s.nodes = append(s.nodes, node{})
		}
		at = s.nodes[at].next[i]
	}
	s.nodes[at].end = true
	s.begins[phrase[0]] = true
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
	for i < len(t) && !s.begins[t[i]] { // most characters begin nothing
		i++
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
	at, last := int32(0), -1
	for j := i; ; j++ {
		if n := &s.nodes[at]; n.end {
			switch {
			case j == len(t) && !w.Final:
				return i
			case j == len(t) || !joined(t[:j], t[j:]):
				last = j
			}
		}
		if j == len(t) {
			if !w.Final && len(s.nodes[at].keys) > 0 {
				return i
			}
			break
		}
		n := &s.nodes[at]
		k, ok := slices.BinarySearch(n.keys, t[j])
		if !ok {
			break
		}
		at = n.next[k]
		for t[j] == ' ' && j+1 < len(t) && t[j+1] == ' ' { // spaces count as one
			j++
		}
	}
	if last < 0 {
		return i + width
	}
	found(stream.Match{Start: w.Base + i, End: w.Base + last, Reason: Reason, Severity: ringwall.Medium, Score: 1})
	return last
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
