package decode

import (
	"unicode"
	"unicode/utf8"
)

// readable reports whether b is text that someone meant to be read: decoding
// an ordinary word by accident almost never gives that. UTF-16 that holds
// ASCII, as PowerShell encodes its commands, is narrowed first.
func readable(b []byte) (string, bool) {
	if len(b) >= 4 && len(b)%2 == 0 && b[1] == 0 {
		narrow := make([]byte, 0, len(b)/2)
		for i := 0; i < len(b); i += 2 {
			if b[i+1] != 0 {
				return "", false
			}
			narrow = append(narrow, b[i])
		}
		b = narrow
	}
	letters, total := 0, 0
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			if r, n = utf8.DecodeRune(b[i:]); r == utf8.RuneError && n == 1 {
				return "", false
			}
		}
		switch {
		case unicode.IsLetter(r), r >= utf8.RuneSelf && unicode.In(r, unicode.Cf, unicode.Mn):
			letters++ // or what may hide one
		case r == '\n', r == '\r', r == '\t', unicode.IsPrint(r), r == 0x3000, r == 0xA0:
		default:
			return "", false
		}
		total++
		i += n
	}
	if letters == 0 || total < 9 && 2*letters < total {
		return "", false
	}
	return string(b), true
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
