package stream

import (
	"unicode"
	"unicode/utf8"
)

// Word is one word of the folded view.
type Word struct {
	Text       []byte // valid while Words is asked
	Start, End int    // offsets of the view
}

// Words cuts a growing text into words: stretches of letters, digits and signs
// that belong to letters; a character of a script that puts no spaces between
// words is a word by itself.
type Words struct{ pos int }

// Next returns the next word that is complete, and whether there is one. A word
// longer than 64 bytes comes in pieces.
func (ws *Words) Next(w Window) (Word, bool) {
	t, i := w.Folded, ws.pos-w.Base
	for i < len(t) {
		if t[i] < utf8.RuneSelf {
			if AlphaNum[t[i]] {
				break
			}
			i++
			continue
		}
		kind, width := wordRune(t[i:])
		if kind != space {
			break
		}
		i += width
	}
	ws.pos = w.Base + i
	start := i
	for i < len(t) && i-start < 64 {
		if AlphaNum[t[i]] {
			i++
			continue
		}
		kind, width := wordRune(t[i:])
		if kind == space {
			break
		}
		if kind == alone {
			if i == start {
				i += width
			}
			return ws.word(w, start, i), true
		}
		i += width
	}
	if i == start || i == len(t) && i-start < 64 && !w.Final {
		return Word{}, false
	}
	return ws.word(w, start, i), true
}

// Pending returns the offset where the word begins that is not complete yet, or
// the end of the window.
func (ws *Words) Pending() int { return ws.pos }

func (ws *Words) word(w Window, start, end int) Word {
	ws.pos = w.Base + end
	return Word{w.Folded[start:end], w.Base + start, w.Base + end}
}

type runeKind uint8

const (
	space runeKind = iota
	letter
	alone
)

// AlphaNum are the ASCII letters and digits.
var AlphaNum = func() (t [256]bool) {
	for c := range t {
		t[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return t
}()

func wordRune(b []byte) (runeKind, int) {
	if c := b[0]; c < utf8.RuneSelf { // letters and digits are dealt with before
		return space, 1
	}
	r, width := utf8.DecodeRune(b)
	switch {
	case Unspaced(r):
		return alone, width
	case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r):
		return letter, width
	}
	return space, width
}

// Unspaced reports whether r belongs to a script that puts no spaces between
// words: Han, kana, Thai, Lao, Khmer, Burmese.
func Unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
