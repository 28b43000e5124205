package decode

import (
	"unicode"
	"unicode/utf8"
)

// readable reports whether b is text that someone meant to be read: decoding
// an ordinary word by accident almost never gives that. UTF-16 that holds
// ASCII, as PowerShell encodes its commands, is narrowed first.
func readable(b []byte) (string, bool) {
	text, total, ok := printable(b)
	if ok && total < sureLength && !beyondLatin(text) && !holdsWord([]byte(text)) {
		return "", false
	}
	return text, ok
}

// printable is readable for encodings that nothing looks like by chance. It
// returns how many characters the text has.
func printable(b []byte) (text string, total int, ok bool) {
	if len(b) >= 4 && len(b)%2 == 0 && b[1] == 0 {
		narrow := make([]byte, 0, len(b)/2)
		for i := 0; i < len(b); i += 2 {
			if b[i+1] != 0 {
				return "", 0, false
			}
			narrow = append(narrow, b[i])
		}
		b = narrow
	}
	letters, odd, blocks, erased := 0, 0, 0, 0
	block := rune(-1) // of the last letter beyond Latin
	latin := false
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			if r, n = utf8.DecodeRune(b[i:]); r == utf8.RuneError && n == 1 {
				return "", 0, false
			}
		}
		switch {
		case r < utf8.RuneSelf && isAlpha(byte(r)):
			letters++
			latin = true
		case unicode.IsLetter(r), r >= utf8.RuneSelf && unicode.In(r, unicode.Cf, unicode.Mn):
			letters++ // or what may hide one
			if b := r >> 8; r >= 0x370 && b != block && !(0x2E <= b && b < 0xA0 && 0x2E <= block && block < 0xA0) {
				block = b
				blocks++
			}
		case r == ' ' || isDigit(byte(r)) && r < utf8.RuneSelf:
		case r == '\n', r == '\r', r == '\t', unicode.IsPrint(r), r == 0x3000, r == 0xA0:
			odd++
		case r == 0x1B, r == '\b':
			odd++
			erased++
		default:
			return "", 0, false
		}
		total++
		i += n
	}
	switch {
	case letters == 0 && total < 16: // more may be letters written as numbers or signs
		return "", 0, false
	case total < 16 && blocks > 0 && latin: // so few letters, and of two scripts
		return "", 0, false
	case total < 24 && (erased > 0 || 3*odd > total || blocks > 2 || blocks > 0 && latin && 2*blocks > letters/2):
		return "", 0, false // signs of many scripts: chance
	}
	return string(b), total, true
}

// sureLength is how long a text must be not to need a common word: shorter ones
// come of names and numbers by chance.
const sureLength = 9

// beyondLatin reports whether s has letters of other scripts than Latin.
func beyondLatin(s string) bool {
	for _, r := range s {
		if r >= 0x370 && (r < 0x2000 || r >= 0x2E80) {
			return true
		}
	}
	return false
}

// holdsWord reports whether there is a common word among the letters of b.
func holdsWord(b []byte) bool {
	for i := 0; i < len(b); {
		start := i
		for i < len(b) && isAlpha(b[i]) {
			i++
		}
		if i-start >= 2 && i-start <= maxWord && isCommon(b[start:i]) {
			return true
		}
		i++
	}
	return false
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }
func isDigit(b byte) bool { return '0' <= b && b <= '9' }
func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }
func isLower(b byte) bool { return 'a' <= b && b <= 'z' }
func isAlpha(b byte) bool { return isUpper(b) || isLower(b) }
func isAlnum(b byte) bool { return isAlpha(b) || isDigit(b) }

// hexValue returns the value of a hexadecimal digit, or -1.
func hexValue(b byte) int {
	switch {
	case isDigit(b):
		return int(b - '0')
	case 'a' <= b && b <= 'f':
		return int(b-'a') + 10
	case 'A' <= b && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}

// hexNumber reads up to most and at least least hexadecimal digits at text[i].
func hexNumber(text string, i, least, most int) (value, end int, ok bool) {
	end = i
	for end < len(text) && end-i < most {
		d := hexValue(text[end])
		if d < 0 {
			break
		}
		value = value<<4 | d
		end++
	}
	return value, end, end-i >= least
}
