package pii

import "github.com/ringwall/ringwall/guard/stream"

// maxDigits bounds the digits of a number in groups: a card has 19 at most.
const maxDigits = 19

// groups reads digits in groups, joined by single separators of seps. It returns
// the digits, the index behind each group with the number of digits up to it,
// and whether more of the text could change that.
type group struct{ end, digits int }

func groups(t []byte, i int, final bool, seps string) (digits [maxDigits]byte, gs [maxDigits]group, n int, more bool) {
	count := 0
	for {
		for i < len(t) && isDigit(t[i]) {
			if count == maxDigits {
				return digits, gs, n, false // too long: what ended before stands
			}
			digits[count] = t[i] - '0'
			count++
			i++
		}
		if i == len(t) && !final {
			return digits, gs, n, true
		}
		gs[n] = group{i, count}
		n++
		if count == maxDigits || i+1 > len(t) || i == len(t) || !contains(seps, t[i]) {
			return digits, gs, n, false
		}
		if i+1 == len(t) {
			return digits, gs, n, !final
		}
		if !isDigit(t[i+1]) {
			return digits, gs, n, false
		}
		i++
	}
}

func contains(s string, b byte) bool {
	for i := range len(s) {
		if s[i] == b {
			return true
		}
	}
	return false
}

// readCard reads a payment card number: 13 to 19 digits of a known issuer whose
// last is the check digit of Luhn (ISO/IEC 7812-1).
func readCard(t []byte, i int, final bool) (int, stream.Look) {
	if i > 1 && t[i-1] == '.' && isDigit(t[i-2]) {
		return i, stream.No // the decimals of a number
	}
	if i > 4 && contains(" -", t[i-1]) && isDigit(t[i-2]) && isDigit(t[i-3]) && isDigit(t[i-4]) && isDigit(t[i-5]) {
		return i, stream.No // it began before
	}
	if c := t[i]; c < '2' || c == '7' || c == '9' {
		return i, stream.No // no issuer
	}
	digits, gs, n, more := groups(t, i, final, " -")
	if more {
		return i, stream.More
	}
	for n--; n >= 0; n-- {
		g := gs[n]
		if g.digits < 13 {
			break
		}
		if !issuer(digits[:g.digits]) || !luhn(digits[:g.digits]) {
			continue
		}
		if look := ends(t, g.end, final); look != stream.No {
			return g.end, look
		}
	}
	return i, stream.No
}

// issuer reports whether a card network gives out numbers of this beginning and
// length.
func issuer(d []byte) bool {
	n := len(d)
	head := func(k int) (v int) {
		for _, c := range d[:k] {
			v = v*10 + int(c)
		}
		return v
	}
	in := func(v, lo, hi int) bool { return lo <= v && v <= hi }
	switch h2, h3, h4 := head(2), head(3), head(4); {
	case d[0] == 4: // Visa
		return n == 13 || n == 16 || n == 19
	case in(h2, 51, 55), in(h4, 2221, 2720): // Mastercard
		return n == 16
	case h2 == 34, h2 == 37: // American Express
		return n == 15
	case h4 == 6011, h2 == 65, in(h3, 644, 649): // Discover
		return n == 16 || n == 19
	case in(h4, 3528, 3589): // JCB
		return n >= 16
	case in(h3, 300, 305), h2 == 36, h2 == 38, h2 == 39: // Diners Club
		return n == 14 || n == 16 || n == 19
	case h2 == 62: // UnionPay
		return n >= 16
	case h2 == 50, in(h2, 56, 58), h2 == 63, h2 == 67: // Maestro; with 15 digits it is the number of a device
		return n == 13 || n >= 16
	case in(h4, 2200, 2204): // Mir
		return n >= 16
	case h2 == 60, h2 == 81, h2 == 82: // RuPay
		return n == 16
	}
	return false
}

func luhn(d []byte) bool {
	sum, zero := 0, true
	for i, c := range d {
		v := int(c)
		zero = zero && v == 0
		if (len(d)-i)%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0 && !zero
}

// readSSN reads a US social security number as it is written, 3-2-4. Areas 000,
// 666 and 900 to 999, group 00 and serial 0000 are never given out (SSA POMS RM
// 10201.030).
func readSSN(t []byte, i int, final bool) (int, stream.Look) {
	const layout = "ddd-dd-dddd"
	sep := byte(0)
	for k := range len(layout) {
		if i+k == len(t) {
			return i, unless(final)
		}
		c := t[i+k]
		switch {
		case layout[k] == 'd' && !isDigit(c),
			layout[k] == '-' && (c != '-' && c != ' ' || sep != 0 && c != sep):
			return i, stream.No
		case layout[k] == '-':
			sep = c
		}
	}
	end := i + len(layout)
	if !given(t[i:i+3], t[i+4:i+6], t[i+7:end]) {
		return i, stream.No
	}
	if end < len(t) && t[end] == '-' || end == len(t) && !final {
		if end == len(t) {
			return i, stream.More
		}
		return i, stream.No
	}
	return end, ends(t, end, final)
}

// given reports whether numbers of this area, group and serial are given out.
func given(area, group, serial []byte) bool {
	return area[0] != '9' && string(area) != "000" && string(area) != "666" && string(group) != "00" && string(serial) != "0000"
}
