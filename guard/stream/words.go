package stream

import (
	"encoding/binary"
	"math/bits"
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
type Words struct {
	pos   int
	block int    // offset of 64 bytes of ASCII,
	mask  uint64 // and which of them are letters or digits
	ready bool
}

// maxWord bounds words: a longer one comes in pieces.
const maxWord = 64

// Next returns the next word that is complete, and whether there is one. A word
// longer than 64 bytes comes in pieces.
func (ws *Words) Next(w Window) (Word, bool) {
	start, end := ws.Cut(w.Folded, w.Base, w.Final)
	if start == end {
		return Word{}, false
	}
	return Word{w.Folded[start-w.Base : end-w.Base], start, end}, true
}

// Cut is Next for loops that count every nanosecond: it is given the folded view
// of a window and returns the offsets of the word, equal if there is none.
func (ws *Words) Cut(folded []byte, base int, final bool) (start, end int) {
	for {
		if !ws.ready && !ws.look(folded, base) {
			return ws.read(folded, base, final)
		}
		rest := ws.mask >> (uint(ws.pos-ws.block) & 63)
		if rest == 0 {
			ws.pos, ws.ready = ws.block+blockLen, false
			continue
		}
		skip := bits.TrailingZeros64(rest)
		start = ws.pos + skip
		end = start + bits.TrailingZeros64(^(rest >> (uint(skip) & 63)))
		if end >= ws.block+blockLen { // it may go on
			ws.pos, ws.ready = start, false
			return ws.read(folded, base, final)
		}
		ws.pos = end
		return start, end
	}
}

const blockLen = 64

// look finds the letters and digits of the next block, if all of it is there and
// is ASCII: eight bytes at a time, by additions that carry into the high bit of
// a byte from the first of a range on.
func (ws *Words) look(folded []byte, base int) bool {
	const ones = 0x0101010101010101
	i := ws.pos - base
	if i+blockLen > len(folded) {
		return false
	}
	block := folded[i : i+blockLen]
	var mask, high uint64
	for k := 0; k < blockLen; k += 8 {
		x := binary.LittleEndian.Uint64(block[k:])
		l := x | ones*0x20
		letters := (l + ones*(0x80-'a')) &^ (l + ones*(0x7F-'z'))
		digits := (x + ones*(0x80-'0')) &^ (x + ones*(0x7F-'9'))
		high |= x
		mask |= (letters | digits) & (ones * 0x80) * 0x0002040810204081 >> 56 << k
	}
	if high&(ones*0x80) != 0 {
		return false
	}
	ws.block, ws.mask, ws.ready = ws.pos, mask, true
	return true
}

// read reads the next word byte by byte.
func (ws *Words) read(t []byte, base int, final bool) (start, end int) {
	i := ws.pos - base
	for i < len(t) {
		for i < len(t) && kinds[t[i]] == space {
			i++
		}
		if i == len(t) || kinds[t[i]] == letter {
			break
		}
		kind, width := wordRune(t[i:])
		if kind != space {
			break
		}
		i += width
	}
	start, end = i, min(len(t), i+maxWord)
	ws.pos = base + start
	for i < end {
		width := 1
		kind := kinds[t[i]]
		if kind == unread {
			kind, width = wordRune(t[i:])
		}
		if kind == alone && i == start {
			ws.pos = base + i + width
			return base + start, ws.pos
		}
		if kind != letter {
			ws.pos = base + i
			return base + start, ws.pos
		}
		i += width
	}
	if i-start < maxWord && !final { // it may go on
		return ws.pos, ws.pos
	}
	ws.pos = base + i
	return base + start, ws.pos
}

// Pending returns the offset where the word begins that is not complete yet, or
// the end of the window.
func (ws *Words) Pending() int { return ws.pos }

type runeKind uint8

const (
	space runeKind = iota
	letter
	alone
	unread
)

// AlphaNum are the ASCII letters and digits.
var AlphaNum = func() (t [256]bool) {
	for c := range t {
		t[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return t
}()

// kinds are the kinds of ASCII characters; what else a byte begins must be read.
var kinds = func() (t [256]runeKind) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = unread
		case AlphaNum[c]:
			t[c] = letter
		}
	}
	return t
}()

func wordRune(b []byte) (runeKind, int) {
	r, width := utf8.DecodeRune(b)
	switch {
	case r < 0x100: // the signs of Latin-1; its letters are taken apart in the views
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return letter, width
		}
		return space, width
	case 0x370 <= r && r < 0x530: // Greek and Cyrillic
		if r == 0x37E || r == 0x387 || r == 0x482 {
			return space, width
		}
		return letter, width
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
	switch {
	case r < 0x0E00 || 0x1100 <= r && r < 0x1780 || 0xAC00 <= r && r < 0xD7B0:
		return false
	case 0x4E00 <= r && r < 0xA000:
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
