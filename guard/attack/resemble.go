package attack

import (
	"encoding/binary"
	"unicode/utf8"
)

// maxPlain bounds the words that are read for what they resemble.
const maxPlain = 24

// latin reports whether the first eight bytes of a word and the last eight are
// letters of ASCII: of its letters and digits those have the bit 0x40, and not
// the bit 0x80.
func latin(w []byte) bool {
	if len(w) >= 8 {
		return latin8(binary.LittleEndian.Uint64(w)) && latin8(binary.LittleEndian.Uint64(w[len(w)-8:]))
	}
	for _, c := range w {
		if c&0xC0 != 0x40 {
			return false
		}
	}
	return true
}

func latin8(x uint64) bool {
	const ones = 0x0101010101010101
	return x&(ones*0xC0) == ones*0x40
}

// digitLetters are the letters that digits stand for in a word.
var digitLetters = [10]byte{'o', 'i', 'z', 'e', 'a', 's', 'g', 't', 'b', 'g'}

// letterLetters are the Latin letters that Greek and Cyrillic ones look like
// (UTS #39, confusables).
var letterLetters = map[rune]byte{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'һ': 'h', 'ԁ': 'd', 'ո': 'n', 'ԛ': 'q', 'ԝ': 'w',
	'к': 'k', 'м': 'm', 'т': 't', 'в': 'b', 'н': 'h', 'ν': 'v', 'ο': 'o', 'α': 'a', 'ρ': 'p', 'ι': 'i', 'κ': 'k', 'τ': 't', 'υ': 'u', 'ε': 'e', 'γ': 'y',
}

// unmask appends w with Latin letters for the characters that resemble them; nil
// when it has none such, or others, or is too long.
func unmask(dst, w []byte) []byte {
	masked := false
	for i := 0; i < len(w); {
		if len(dst) == maxPlain {
			return nil
		}
		c := w[i]
		switch {
		case '0' <= c && c <= '9':
			dst = append(dst, digitLetters[c-'0'])
			masked = true
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, width := utf8.DecodeRune(w[i:])
			l, ok := letterLetters[r]
			if !ok {
				return nil
			}
			dst = append(dst, l)
			masked = true
			i += width
		}
	}
	if !masked {
		return nil
	}
	return dst
}
