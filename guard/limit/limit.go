// Package limit notices texts that are too long, that repeat themselves without
// end, or that are in a language which a policy does not allow (LLM10).
//
// [Length] counts characters, bytes and estimated tokens while a text comes, and
// knows a loop when it has gone on for long enough; what it reports is the part
// beyond the limit, so that to mask it is to cut the text there. [Languages] tells
// languages apart by script, by the words that hold sentences together and by
// triples of letters (profiles.txt), in windows of a bounded size, and reports
// windows. [Language] does so for a whole text.
//
// Limits on requests, money and time are left to package quota. Start reading at
// Length, or at Language.
package limit

import (
	"fmt"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/limit"

// Reasons of findings.
const (
	ReasonLong       = "too-long"
	ReasonRepetition = "repetition"
	ReasonLanguage   = "language"
)

// DefaultRepeats is how often the same few bytes may follow one another.
const DefaultRepeats = 2000

// Length notices texts that are too long, and loops. The zero Length looks for
// loops alone.
type Length struct {
	Chars  int // the most characters; 0: any number
	Bytes  int // the most bytes, of the text in its plainest form; 0: any number
	Tokens int // the most tokens, as far as can be told without a model's own tokenizer; 0: any number
	// Repeats is how often a unit of 1 to 32 bytes may be repeated; default
	// DefaultRepeats, and negative: without end.
	Repeats int
}

// Check reports a limit that makes no sense.
func (l Length) Check() error {
	if l.Chars < 0 || l.Bytes < 0 || l.Tokens < 0 {
		return fmt.Errorf("limit: %d characters, %d bytes, %d tokens: want none below 0", l.Chars, l.Bytes, l.Tokens)
	}
	return nil
}

// Begin implements stream.Scanner.
func (l Length) Begin(stream.Scope) (stream.Cursor, string) {
	if l.Repeats == 0 {
		l.Repeats = DefaultRepeats
	}
	if l.Repeats < 0 && l.Chars <= 0 && l.Bytes <= 0 && l.Tokens <= 0 {
		return nil, "no-limit"
	}
	return &counter{limit: l}, ""
}

// counter is the cursor of Length.
type counter struct {
	limit        Length
	pos          int
	chars, bytes int
	tokens       int  // in shares
	over         bool // the text is too long
	loop         loop
}

// shares of a token: how much of one a character is in the tokenizers of today,
// which write four letters of English at once and a character of Chinese alone.
const (
	shares      = 12
	ofLetter    = 3
	ofDigit     = 4
	ofSign      = 8
	ofLine      = 6
	ofAlphabet  = 5  // Greek, Cyrillic
	ofScript    = 7  // Hebrew, Arabic, those of India
	ofCharacter = 12 // Chinese, kana, Hangul syllables
	ofEmoji     = 24
)

var asciiShares = func() (t [utf8.RuneSelf]int) {
	for c := range t {
		switch {
		case stream.AlphaNum[c] && (c < '0' || c > '9'):
			t[c] = ofLetter
		case stream.AlphaNum[c]:
			t[c] = ofDigit
		case c == '\n':
			t[c] = ofLine
		case c > ' ':
			t[c] = ofSign
		}
	}
	return t
}()

// Scan implements stream.Cursor.
func (c *counter) Scan(w stream.Window, found func(stream.Match)) int {
	if c.over {
		if c.pos < w.End() {
			found(stream.Match{Start: c.pos, End: w.End(), Rest: true})
		}
		c.pos = w.End()
		return c.pos
	}
	from, end := c.pos-w.Base, len(w.Clean)
	to, over := end, false
	if c.limit.Chars > 0 || c.limit.Bytes > 0 || c.limit.Tokens > 0 {
		to, over = c.count(w.Clean, from)
	}
	if c.limit.Repeats > 0 {
		c.loop.look(w, from, to, c.limit.Repeats, found)
	}
	if over {
		c.over = true
		found(stream.Match{Start: w.Base + to, End: w.End(), Reason: ReasonLong, Severity: ringwall.Medium, Score: 1})
	}
	c.pos = w.End()
	return c.pos
}

// count counts t from i on and returns where it is too long, if it is.
func (c *counter) count(t []byte, i int) (to int, over bool) {
	l := c.limit
	for i < len(t) {
		chars, size, part, width := 1, 1, 0, 1
		if b := t[i]; b < utf8.RuneSelf {
			part = asciiShares[b]
		} else {
			var r rune
			r, width = utf8.DecodeRune(t[i:])
			chars, size, part = measure(r, width)
		}
		if l.Chars > 0 && c.chars+chars > l.Chars || l.Bytes > 0 && c.bytes+size > l.Bytes || l.Tokens > 0 && c.tokens+part > l.Tokens*shares {
			return i, true
		}
		c.chars, c.bytes, c.tokens = c.chars+chars, c.bytes+size, c.tokens+part
		i += width
	}
	return i, false
}

// measure says how much a character beyond ASCII counts for. The letters that
// the view takes Hangul syllables apart into count together, as one.
func measure(r rune, width int) (chars, size, part int) {
	switch {
	case 0x1160 <= r && r <= 0x11FF:
		return 0, 0, 0
	case 0x1100 <= r && r < 0x1160, 0x2E80 <= r && r < 0xE000, 0xF900 <= r && r < 0xFB00:
		return 1, width, ofCharacter
	case r < 0x370:
		return 1, width, ofLetter
	case r < 0x590:
		return 1, width, ofAlphabet
	case r < 0x1100, 0x1200 <= r && r < 0x2000, 0xFB00 <= r && r < 0x10000:
		return 1, width, ofScript
	case r >= 0x20000 && r < 0x40000:
		return 1, width, ofCharacter
	case r >= 0x10000:
		return 1, width, ofEmoji
	}
	return 1, width, ofSign
}

// Tokens estimates how many tokens a text has, from the scripts that it is written in:
// four letters of a Latin alphabet to a token, some two and a half of a Cyrillic or
// Greek one, a character of Chinese each. It is an estimate to plan and to bound with.
// Its error is not measured against any model's tokenizer: expect a third either way in
// prose, and more in code, numbers and rare languages, for models differ among
// themselves as much. What a provider counts is in the usage of its answer.
func Tokens(text string) int {
	n := 0
	for _, r := range text {
		if r < utf8.RuneSelf {
			n += asciiShares[r]
			continue
		}
		_, _, part := measure(r, utf8.RuneLen(r))
		n += part
	}
	return (n + shares - 1) / shares
}

// loop looks for a unit that is repeated. Every so often it asks whether what
// came last is periodic, and follows it from there on while it is.
type loop struct {
	period   int // of the loop that is followed, or 0
	start    int // where it was noticed
	reported bool
}

// Bounds of loops.
const (
	longestUnit = 32  // bytes; two of them are seen at once
	every       = 512 // bytes from one look to the next
)

// look looks at w from one index to another.
func (l *loop) look(w stream.Window, from, to, repeats int, found func(stream.Match)) {
	t := w.Clean
	for i := from; i < to; {
		if l.period == 0 {
			next := (w.Base+i+every-1)/every*every - w.Base
			if next >= to {
				return
			}
			if i = next; i >= 2*longestUnit {
				l.period = period(t[i-2*longestUnit : i])
				l.start, l.reported = w.Base+i, false
			}
			if l.period == 0 {
				i++
				continue
			}
		}
		end := i
		for end < to && t[end] == t[end-l.period] {
			end++
		}
		most := max(i, l.start-w.Base+l.period*(repeats-2))
		if end > most {
			if l.reported {
				found(stream.Match{Start: w.Base + i, End: w.Base + end, Rest: true})
			} else {
				l.reported = true
				found(stream.Match{Start: w.Base + most, End: w.Base + end, Reason: ReasonRepetition, Severity: ringwall.Medium, Score: 1})
			}
		}
		if i = end; end < to {
			l.period = 0
			i++ // or the same place would be looked at again
		}
	}
}

// period returns the smallest period of b, which is as long as two of the
// longest, or 0.
func period(b []byte) int {
next:
	for p := 1; p <= longestUnit; p++ {
		for i := p; i < len(b); i++ {
			if b[i] != b[i-p] {
				continue next
			}
		}
		return p
	}
	return 0
}
