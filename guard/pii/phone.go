package pii

import (
	"bytes"

	"github.com/ringwall/ringwall/guard/stream"
)

// readInternational reads a phone number with its country code (ITU-T E.164): a
// plus and 8 to 15 digits, parted by single spaces, dots, hyphens, slashes and
// one pair of parentheses. Groups of digits that make it too long are not its.
func readInternational(t []byte, i int, final bool) (int, stream.Look) {
	var opened, closed bool
	groups, dots := 0, 0
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
		if isDigit(t[j-1]) {
			groups++
			if digits >= 8 {
				end = j
			}
			if digits == 8 && groups == 2 && j-i == 10 && t[i+5] == ' ' || groups == 2 && dots == 1 && !opened && c != '.' && c != ' ' && c != '-' {
				end = 0 // a time zone and a year, a number with decimals
			}
		}
		if c == '.' {
			dots++
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
// digits, 3-3-4 and parted there, with or without the leading 1: area and
// exchange begin with 2 to 9.
func readNorthAmerican(t []byte, i int, final bool) (int, stream.Look) {
	j, n := i, 0
	var one, paren, closed bool
	for n < 10 {
		if j == len(t) {
			return i, unless(final)
		}
		c := t[j]
		switch {
		case isDigit(c):
			switch {
			case c == '1' && j == i: // the country code
				one = true
			case (n == 0 || n == 3) && c < '2' || one && j == i+1 || (n == 3 || n == 6) && isDigit(t[j-1]):
				return i, stream.No
			default:
				n++
			}
		case c == '(' && n == 0 && !paren && (j == i || one && j == i+2):
			paren = true
		case c == ')' && n == 3 && paren && !closed:
			closed = true
		case contains(" -.", c) && (n == 3 || n == 6 || one && j == i+1) && (isDigit(t[j-1]) || t[j-1] == ')'):
		default:
			return i, stream.No
		}
		j++
	}
	if paren != closed || j < len(t) && t[j] == '-' {
		return i, stream.No
	}
	return j, ends(t, j, final)
}

// readTrunk reads a phone number as it is written at home or from abroad where
// both begin with zeros: 020 7976 5868, 06 09 42 55 14, 0033 742107317. It has
// 9 to 15 digits in groups.
func readTrunk(t []byte, i int, final bool) (int, stream.Look) {
	if t[i] != '0' || i > 0 && contains(".:/", t[i-1]) || i > 1 && contains(" -", t[i-1]) && isDigit(t[i-2]) {
		return i, stream.No // a part of a longer number
	}
	digits, gs, n, more := groups(t, i, final, " -./")
	switch {
	case more:
		return i, stream.More
	case n < 2 || gs[0].digits < 2 || gs[0].digits > 5 || digits[1] == 0 && digits[2] == 0:
		return i, stream.No
	case n > 2 && (gs[0].digits == 2 && gs[1].digits == 4 && gs[2].digits == 8 || // 05-06-2023
		gs[0].digits == 4 && gs[1].digits == 8 && gs[2].digits == 12), // a number in fours
		gs[0].digits == 3 && gs[1].digits == 5,                                  // in the form of a social security number
		n == 2 && gs[0].digits == 5 && gs[1].digits == 9 && t[gs[0].end] == '-': // of a postal code
		return i, stream.No
	}
	for n--; n > 0 && gs[n].digits >= 9; n-- {
		if gs[n].digits <= 15 && gs[n].digits-gs[n-1].digits > 1 {
			return gs[n].end, ends(t, gs[n].end, final)
		}
	}
	return i, stream.No
}

// readNamed reads a number of 7 to 12 digits that the words before it, or its
// column, call a phone number.
func (c *cursor) readNamed(w stream.Window, i int) (int, stream.Look) {
	t := w.Clean
	if t[i] > '9' || i > 0 && joined(t, i) {
		return i, stream.No
	}
	_, gs, n, more := groups(t, i, w.Final, " -./")
	last := gs[max(n-1, 0)]
	switch {
	case more:
		return i, stream.More
	case last.digits < 7 || last.digits > 12 || n == 1 && last.digits < 8:
		return i, stream.No
	case n == 3 && (gs[0].digits == 4 && last.digits == 8 || gs[1].digits == 4 && last.digits == 8 && gs[0].digits == 2), // a date
		n == 3 && last.digits-gs[1].digits == 4 && contains("/.-", t[gs[0].end]) && gs[0].digits <= 2 && gs[1].digits-gs[0].digits <= 2,
		n == 2 && gs[0].digits == 5 && t[gs[0].end] == '-' && last.digits < 10: // a postal code
		return i, stream.No
	}
	_, near := c.before(w, i)
	if column := c.table.at(w.Folded, i, w.Base); !near.any(phoned) && (column == nil || !column.any(phoned)) {
		after, more := topicsAfter(w.Folded, last.end, w.Final)
		if more {
			return i, stream.More
		}
		if !after.any(phoned) {
			return i, stream.No
		}
	}
	return last.end, ends(t, last.end, w.Final)
}

// readArea reads a phone number whose area stands in parentheses, as in Brazil:
// two to four digits, and six to nine in two groups.
func readArea(t []byte, i int, final bool) (int, stream.Look) {
	a, j := digitsAt(t, i+1)
	if n := j - i - 1; a == 0 || n < 2 || n > 5 || j == len(t) || t[j] != ')' {
		if j == len(t) && n <= 5 {
			return i, unless(final)
		}
		return i, stream.No
	}
	if j++; j < len(t) && t[j] == ' ' {
		j++
	}
	if j == len(t) {
		return i, unless(final)
	}
	if !isDigit(t[j]) {
		return i, stream.No
	}
	_, gs, n, more := groups(t, j, final, " -.")
	switch {
	case more:
		return i, stream.More
	case n < 2 || gs[n-1].digits < 6 || gs[n-1].digits > 9 || gs[0].digits < 2:
		return i, stream.No
	}
	return gs[n-1].end, ends(t, gs[n-1].end, final)
}

// extended returns the index behind the extension that follows a phone number
// which ends at t[end], or end.
func extended(t []byte, end int, final bool) (int, stream.Look) {
	j := end
	for j < len(t) && j-end < 2 && contains(", ", t[j]) {
		j++
	}
	if j == len(t) {
		if final {
			return end, stream.Yes
		}
		return end, stream.More
	}
	for _, say := range [...]string{"ext. ", "ext.", "ext ", "ext", "extension ", "x", "x ", "poste ", "durchwahl ", "ramal ", "anexo ", "wew. ", "toestel "} {
		rest := t[j:min(len(t), j+len(say))]
		if !bytes.EqualFold(rest, []byte(say)[:len(rest)]) {
			continue
		}
		if len(rest) < len(say) {
			if !final {
				return end, stream.More
			}
			continue
		}
		k := j + len(say)
		_, e := digitsAt(t, k)
		if e == len(t) && !final && e-k < 7 {
			return end, stream.More
		}
		if e > k && e-k < 7 && ends(t, e, final) == stream.Yes {
			return e, stream.Yes
		}
	}
	return end, stream.Yes
}
