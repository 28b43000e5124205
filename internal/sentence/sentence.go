// Package sentence cuts text into sentences, also while it still comes.
//
// A [Cutter] is shown a window that grows at its end and may be forgotten before
// [Cutter.Pending]. Where it cuts depends on the text alone, never on the pieces
// in which it came: it decides about a place once everything that it looks at is
// there, or the text is at its end. A sentence that is longer than the bound is
// cut behind a word, so that no more than the bound, and the few bytes behind it
// that decide, is ever waited for.
//
// What a sentence is: it ends behind a full stop, a question or exclamation mark
// of any script, with the quotes and brackets that close there, and at the end of
// a line that does not go on in lower case. Full stops in numbers, names of
// hosts, abbreviations and behind initials end nothing. White space around it is
// no part of it.
//
// What sentences mean is their reader's business. [Each] cuts a whole text.
package sentence

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// DefaultMost is the bound of a Cutter that sets none.
const DefaultMost = 512

// least is the least bound: an abbreviation and what closes a sentence fit in it.
const least = 32

// Cutter cuts one text. The zero Cutter is ready. It is owned by one goroutine.
type Cutter struct {
	Most int // bytes of a sentence at most; 0: DefaultMost; less than 32 is 32

	begun bool
	start int // offset where the sentence begins
	at    int // offset up to which it was looked at
	word  int // offset behind its last space in the second half of the bound; 0: none
}

// Next returns the offsets of the next sentence that is complete, and whether
// there is one. The window is text, whose first byte has the offset base; final
// says that it ends there. The window must reach from [Cutter.Pending] on.
func (c *Cutter) Next(text []byte, base int, final bool) (start, end int, ok bool) {
	most := c.most()
	for {
		if !c.begun && !c.begin(text, base, final) {
			return c.start, c.start, false
		}
		for i := c.at - base; i < len(text); {
			if i = c.pass(text, base, i); i == len(text) {
				break
			}
			if n := base + i - c.start; n >= most {
				return c.cut(text, base, base+i)
			}
			w, size, known := c.ends(text, i, base, final)
			if !known {
				c.at = base + i
				return c.start, c.start, false
			}
			if w > 0 {
				return c.end(text, base, base+i+w)
			}
			i += size
			c.at = base + i
		}
		if !final {
			return c.start, c.start, false
		}
		if start, end, ok := c.end(text, base, base+len(text)); ok {
			return start, end, true
		}
		if !c.begin(text, base, final) {
			return c.start, c.start, false
		}
	}
}

// pass goes from i over characters that end nothing, to the bound at most.
func (c *Cutter) pass(text []byte, base, i int) int {
	limit := min(len(text), c.start-base+c.most())
	half := c.start - base + c.most()/2
	for i < limit && i < half && !marks[text[i]] {
		i++
	}
	for i < limit && !marks[text[i]] {
		i++
		if space(text[i-1]) {
			c.word = base + i
		}
	}
	c.at = base + i
	return i
}

// marks are the bytes that may end a sentence, or begin a character that does.
var marks = func() (t [256]bool) {
	for b := range t {
		t[b] = b >= utf8.RuneSelf || b == '.' || b == '!' || b == '?' || b == '\n'
	}
	return t
}()

// Pending returns the offset where the sentence begins that is not complete yet.
func (c *Cutter) Pending() int { return c.start }

// Reset makes c ready for another text.
func (c *Cutter) Reset() { *c = Cutter{Most: c.Most} }

func (c *Cutter) most() int {
	if c.Most == 0 {
		return DefaultMost
	}
	return max(c.Most, least)
}

// begin goes to where the next sentence begins, and reports whether one does.
func (c *Cutter) begin(text []byte, base int, final bool) bool {
	i := c.start - base
	for i < len(text) {
		if text[i] < utf8.RuneSelf {
			if !space(text[i]) {
				break
			}
			i++
			continue
		}
		if !final && !utf8.FullRune(text[i:]) {
			c.start = base + i
			return false
		}
		r, n := utf8.DecodeRune(text[i:])
		if !unicode.IsSpace(r) {
			break
		}
		i += n
	}
	c.start = base + i
	c.at, c.word = c.start, 0
	c.begun = i < len(text)
	return c.begun
}

// end ends the sentence at off.
func (c *Cutter) end(text []byte, base, off int) (int, int, bool) {
	start := c.start
	c.start, c.at, c.begun = off, off, false
	sentence := bytes.TrimRightFunc(text[start-base:off-base], unicode.IsSpace)
	return start, start + len(sentence), len(sentence) > 0
}

// cut ends a sentence that reached the bound at off: behind a word if one ended
// in its second half.
func (c *Cutter) cut(text []byte, base, off int) (int, int, bool) {
	if c.word > 0 {
		off = c.word
	}
	return c.end(text, base, off)
}

// Each calls yield with the offsets of every sentence of a text in order, until
// it says false. Sentences have most bytes at most; 0: DefaultMost.
func Each(text string, most int) func(yield func(start, end int) bool) {
	return func(yield func(start, end int) bool) {
		b := []byte(text)
		c := Cutter{Most: most}
		for {
			start, end, ok := c.Next(b, 0, true)
			if !ok || !yield(start, end) {
				return
			}
		}
	}
}
