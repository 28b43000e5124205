package pii

import (
	"net/netip"

	"github.com/ringwall/ringwall/guard/stream"
)

// ends reports whether a value may end before t[i]: no letter or digit goes on.
func ends(t []byte, i int, final bool) stream.Look {
	switch {
	case i < len(t):
		if stream.AlphaNum[t[i]] {
			return stream.No
		}
	case !final:
		return stream.More
	}
	return stream.Yes
}

// Bounds of an e-mail address (RFC 5321 §4.5.3.1).
const (
	maxLocal  = 64
	maxDomain = 120 // longer ones are not seen
)

var localPart = table("._%+-'")
var domainPart = table(".-")

func table(more string) (t [256]bool) {
	t = stream.AlphaNum
	for _, c := range []byte(more) {
		t[c] = true
	}
	return t
}

// readEmail reads an address with a dot in its domain. When there is none, end
// is the index before which none begins.
func readEmail(t []byte, i int, final bool) (end int, look stream.Look) {
	if t[i] == '+' || t[i] == '(' || t[i] == ':' {
		return i, stream.No
	}
	j := i
	for j < len(t) && localPart[t[j]] && j-i <= maxLocal {
		j++
	}
	switch {
	case j-i > maxLocal:
		return i, stream.No // a later start may still be near enough to its @
	case j == len(t) && !final:
		return i, stream.More
	case j == len(t) || t[j] != '@' || t[j-1] == '.':
		return j, stream.No
	}
	k := j + 1
	for k < len(t) && domainPart[t[k]] && k-j <= maxDomain {
		k++
	}
	if k == len(t) && !final && k-j <= maxDomain {
		return i, stream.More
	}
	if k-j > maxDomain {
		return j, stream.No
	}
	for k > j+1 && (t[k-1] == '.' || t[k-1] == '-') { // the end of a sentence
		k--
	}
	dot := k
	for dot > j && t[dot-1] != '.' {
		dot--
	}
	if dot-2 <= j || k-dot < 2 || t[j+1] == '.' || t[j+1] == '-' {
		return j, stream.No
	}
	for _, c := range t[dot:k] { // the last label is letters, or punycode
		if isDigit(c) && !(k-dot > 4 && string(t[dot:dot+2]) == "xn") {
			return j, stream.No
		}
	}
	return k, stream.Yes
}

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
	case h2 == 50, in(h2, 56, 58), h2 == 63, h2 == 67: // Maestro
		return n >= 13
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
			if final {
				return i, stream.No
			}
			return i, stream.More
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
	s := string(t[i : i+len(layout)])
	if s[0] == '9' || s[:3] == "000" || s[:3] == "666" || s[4:6] == "00" || s[7:] == "0000" {
		return i, stream.No
	}
	end := i + len(layout)
	if end < len(t) && t[end] == '-' || end == len(t) && !final {
		if end == len(t) {
			return i, stream.More
		}
		return i, stream.No
	}
	return end, ends(t, end, final)
}

// readInternational reads a phone number with its country code (ITU-T E.164): a
// plus and 8 to 15 digits, parted by single spaces, dots, hyphens, slashes and
// one pair of parentheses.
func readInternational(t []byte, i int, final bool) (int, stream.Look) {
	j, digits, last, open := i+1, 0, i, false
	for ; ; j++ {
		if j == len(t) {
			if !final {
				return i, stream.More
			}
			break
		}
		c := t[j]
		switch {
		case isDigit(c):
			if digits++; digits == 1 && c == '0' || digits > 15 {
				return i, stream.No
			}
			last = j + 1
			continue
		case c == '(' && !open && digits > 0 && digits < 6:
			open = true
			continue
		case contains(" .-/)", c) && digits > 0 && (isDigit(t[j-1]) || t[j-1] == ')'):
			continue
		}
		break
	}
	if digits < 8 {
		return i, stream.No
	}
	return last, ends(t, last, final)
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

// readIPv4 reads an address of four numbers (RFC 1123 §2.1). Addresses that name
// no host elsewhere are nobody's: loopback, unspecified, broadcast.
func readIPv4(t []byte, i int, final bool) (int, stream.Look) {
	if i > 0 && (t[i-1] == '.' || t[i-1] == '-' && i > 1 && stream.AlphaNum[t[i-2]]) {
		return i, stream.No
	}
	j := i
	for part := range 4 {
		if part > 0 {
			if j == len(t) {
				break
			}
			if t[j] != '.' {
				return i, stream.No
			}
			j++
		}
		from, v := j, 0
		for j < len(t) && isDigit(t[j]) && j-from < 3 {
			v = v*10 + int(t[j]-'0')
			j++
		}
		switch {
		case j == len(t) && !final:
			return i, stream.More
		case j == from || v > 255 || j-from > 1 && t[from] == '0':
			return i, stream.No
		case part == 3:
			if j+1 < len(t) && t[j] == '.' && isDigit(t[j+1]) {
				return i, stream.No // a version, a section
			}
			if !final && j+1 >= len(t) {
				return i, stream.More
			}
			addr, err := netip.ParseAddr(string(t[i:j]))
			if err != nil || addr.IsLoopback() || addr.IsUnspecified() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
				return i, stream.No
			}
			return j, ends(t, j, final)
		}
	}
	return i, stream.No
}

// readIPv6 reads an address in groups of hexadecimal digits (RFC 4291 §2.2).
func readIPv6(t []byte, i int, final bool) (int, stream.Look) {
	const longest = 45
	j, colons, digits := i, 0, 0
	for j < len(t) && j-i <= longest && (isHex(t[j]) || t[j] == ':' || t[j] == '.' && colons > 1) {
		switch {
		case t[j] == ':':
			colons++
		case isDigit(t[j]):
			digits++
		}
		if j-i == 4 && colons == 0 {
			return i, stream.No
		}
		j++
	}
	switch {
	case j-i > longest:
		return i, stream.No
	case j == len(t) && !final:
		return i, stream.More
	case colons < 2 || digits == 0 || i > 0 && t[i-1] == ':':
		return i, stream.No
	}
	for j > i && (t[j-1] == '.' || t[j-1] == ':' && j > i+1 && t[j-2] != ':') { // a sentence goes on
		j--
	}
	addr, err := netip.ParseAddr(string(t[i:j]))
	if err != nil || addr.IsLoopback() || addr.IsUnspecified() {
		return i, stream.No
	}
	return j, ends(t, j, final)
}

func isHex(b byte) bool { return isDigit(b) || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F' }
