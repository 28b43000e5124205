package needle

import (
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

// canon is the character that stands for a byte of the folded view, 0 for what
// is left out: separators and signs. Digits and signs that are written for
// letters are those letters (leet), and l is i, which both are a 1.
var canon = func() (t [256]byte) {
	for c := range t {
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf:
			t[c] = byte(c)
		case 'A' <= c && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	for i, from := range []byte("0134578@!$lL") {
		t[from] = "oieastbaisii"[i]
	}
	return t
}()

// kept is 1 for bytes that canon keeps.
var kept = func() (t [256]uint8) {
	for c := range t {
		if canon[c] != 0 {
			t[c] = 1
		}
	}
	return t
}()

// squeeze appends the bytes of t that are no separators.
func squeeze(dst, t []byte) []byte {
	for i := 0; i < len(t); i++ {
		if t[i] >= utf8.RuneSelf {
			if n := separator(t[i:]); n > 0 {
				i += n - 1
				continue
			}
		}
		if kept[t[i]] != 0 {
			dst = append(dst, t[i])
		}
	}
	return dst
}

// separator returns the length of the sign beyond ASCII that t begins with: of
// Latin-1, of the block of general punctuation, or a full stop, comma or space of
// Chinese; 0 for what is no sign.
func separator(t []byte) int {
	switch {
	case len(t) >= 2 && t[0] == 0xC2 && t[1] < 0xC0:
		return 2
	case len(t) >= 3 && t[0] == 0xE2 && (t[1] == 0x80 || t[1] == 0x81), len(t) >= 3 && t[0] == 0xE3 && t[1] == 0x80 && t[2] <= 0x82:
		return 3
	}
	return 0
}

func lowerASCII(b []byte) []byte {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cleaned returns the clean view of s.
func cleaned(s string) []byte {
	var b normalize.Buffer
	b.AppendString(s, true)
	clean, _, _ := b.Window()
	return clean
}
