package wordvec

import (
	"unicode"
	"unicode/utf8"
)

// Kind is the kind of a word.
type Kind uint8

// Kinds.
const (
	Letters = Kind(letter) // letters, digits and the marks over them
	Glyph   = Kind(glyph)  // a character of a script that puts no spaces between words
	Sign    = Kind(sign)   // one sign of punctuation, or symbol
)

// Word is a word by its offsets.
type Word struct {
	Start, End int
	Kind       Kind
}

// MostWord bounds the bytes of a word: a longer one comes in parts.
const MostWord = 64

// Cutter cuts a growing text in lower case into words, as BERT's tokenizer does
// before WordPiece. Where it cuts depends on the text alone, not on the pieces in
// which it came. The zero Cutter is ready. It is owned by one goroutine.
type Cutter struct{ pos int }

// Pending returns the offset up to which the text was cut: the window of the next
// call must reach from there on.
func (c *Cutter) Pending() int { return c.pos }

// Next returns the next word that is complete, and whether there is one. The
// window is text, whose first byte has the offset base; final says that it ends
// there.
func (c *Cutter) Next(text []byte, base int, final bool) (Word, bool) {
	i := c.pos - base
	for i < len(text) {
		k, n := class(0), 1
		if b := text[i]; b < utf8.RuneSelf {
			k = ascii[b]
		} else {
			var r rune
			r, n = utf8.DecodeRune(text[i:])
			k = kindOf(r)
		}
		switch k {
		case letter:
			return c.letters(text, i, i+n, base, final)
		case glyph, sign:
			c.pos = base + i + n
			return Word{base + i, base + i + n, Kind(k)}, true
		case space:
		}
		i += n
	}
	c.pos = base + i
	return Word{}, false
}

// letters ends the word that begins at from and goes on to i at least.
func (c *Cutter) letters(text []byte, from, i, base int, final bool) (Word, bool) {
	for i < len(text) && i-from < MostWord {
		if b := text[i]; b < utf8.RuneSelf {
			if ascii[b] != letter {
				break
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if i-from+n > MostWord || kindOf(r) != letter {
			break
		}
		i += n
	}
	if i == len(text) && i-from < MostWord && !final {
		c.pos = base + from
		return Word{}, false
	}
	c.pos = base + i
	return Word{base + from, base + i, Letters}, true
}

type class uint8

const (
	space class = iota
	letter
	glyph
	sign
)

var ascii = func() (t [utf8.RuneSelf]class) {
	for b := range t {
		switch c := byte(b); {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			t[b] = letter
		case c > ' ' && c < 0x7f:
			t[b] = sign
		}
	}
	return t
}()

// kindOf returns the class of a character outside ASCII.
func kindOf(r rune) class {
	switch {
	case r >= 0x4e00 && r <= 0x9fff, r >= 0x3400 && r <= 0x4dbf, r >= 0x20000 && r <= 0x3ffff, r >= 0xf900 && r <= 0xfaff:
		return glyph
	case r >= 0x3040 && r <= 0x30ff, r >= 0x0e00 && r <= 0x0eff, r >= 0x1000 && r <= 0x109f, r >= 0x1780 && r <= 0x17ff:
		return glyph // kana, Thai, Lao, Burmese, Khmer
	case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
		return letter
	case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return space
	}
	return sign
}
