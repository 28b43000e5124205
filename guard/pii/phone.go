package pii

import "github.com/ringwall/ringwall/guard/stream"

// readInternational reads a phone number with its country code (ITU-T E.164): a
// plus and 8 to 15 digits, parted by single spaces, dots, hyphens, slashes and
// one pair of parentheses. Groups of digits that make it too long are not its.
func readInternational(t []byte, i int, final bool) (int, stream.Look) {
	var opened, closed bool
	digits, end := 0, 0 // end of the last group with which it is long enough
	j := i + 1
	for ; ; j++ {
		if j == len(t) && !final {
			return i, stream.More
		}
		c := byte(0)
		if j < len(t) {
			c = t[j]
		}
		if isDigit(c) {
			if digits++; digits == 1 && c == '0' || digits > 15 {
				break
			}
			continue
		}
		if isDigit(t[j-1]) && digits >= 8 {
			end = j
		}
		switch {
		case c == '(' && !opened && 0 < digits && digits < 6:
			opened = true
		case c == ')' && opened && !closed && isDigit(t[j-1]):
			closed = true
		case contains(" .-/", c) && (isDigit(t[j-1]) || t[j-1] == ')'):
		default:
			digits = 16
		}
		if digits > 15 {
			break
		}
	}
	if end == 0 {
		return i, stream.No
	}
	return end, ends(t, end, final)
}

// readNorthAmerican reads a phone number of the North American plan in ten
// digits, 3-3-4, with or without the leading 1: area and exchange begin with 2
// to 9.
func readNorthAmerican(t []byte, i int, final bool) (int, stream.Look) {
	j, n := i, 0
	one, paren, sep := false, false, false
	for n < 10 {
		if j == len(t) {
			if final {
				return i, stream.No
			}
			return i, stream.More
		}
		c := t[j]
		switch {
		case isDigit(c):
			if c == '1' && j == i { // the country code
				one = true
				break
			}
			if (n == 0 || n == 3) && c < '2' || one && j == i+1 {
				return i, stream.No
			}
			n++
		case one && j == i+1 && contains(" -.", c):
		case c == '(' && n == 0 && !paren && (j == i || one && j == i+2):
			paren = true
		case c == ')' && n == 3 && paren:
			sep = true
		case contains(" -.", c) && (n == 3 || n == 6) && (isDigit(t[j-1]) || t[j-1] == ')'):
			sep = true
		default:
			return i, stream.No
		}
		j++
	}
	if !sep {
		return i, stream.No // ten digits in a row may be anything
	}
	if j < len(t) && t[j] == '-' {
		return i, stream.No
	}
	return j, ends(t, j, final)
}
