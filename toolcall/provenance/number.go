package provenance

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// decimal is a number in its one form: a sign or none, digits without zeros at either
// end, e and the power of ten that they count: 1000.50 is "100050e-2" less its zero,
// "10005e-1". Nothing is rounded. Zero is "0e0".
type decimal string

// maxDigits bounds a number; none that a person means is longer.
const maxDigits = 40

// decimalOf returns the number of digits, of which the last frac are behind the point,
// times ten to the power of exp.
func decimalOf(negative bool, digits string, frac, exp int) (decimal, bool) {
	digits = strings.TrimLeft(digits, "0")
	exp -= frac
	if n := len(strings.TrimRight(digits, "0")); n < len(digits) {
		exp += len(digits) - n
		digits = digits[:n]
	}
	if len(digits) > maxDigits || exp > 400 || exp < -400 {
		return "", false
	}
	if digits == "" {
		return "0e0", true
	}
	sign := ""
	if negative {
		sign = "-"
	}
	return decimal(sign + digits + "e" + strconv.Itoa(exp)), true
}

// literal reads a number as JSON writes it (RFC 8259 §6); zeros ahead, which an
// identifier may have, are none.
func literal(s string) (decimal, bool) {
	rest, negative := strings.CutPrefix(s, "-")
	if len(rest) > 2*maxDigits || len(rest) > 1 && rest[0] == '0' && digit(rune(rest[1])) {
		return "", false
	}
	mantissa, power, scientific := strings.Cut(strings.ToLower(rest), "e")
	exp := 0
	if scientific {
		var err error
		if exp, err = strconv.Atoi(power); err != nil || exp > 400 || exp < -400 {
			return "", false
		}
	}
	whole, frac, point := strings.Cut(mantissa, ".")
	if whole == "" || point && frac == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return "", false
	}
	return decimalOf(negative, whole+frac, len(frac), exp)
}

// numbers yields every reading of the numbers in s that have the digits of d: 1.000 is a
// thousand and one, for nobody knows where it was written; 10 % is ten and a tenth.
// Numbers in dates, times, versions and identifiers are none.
func numbers(s string, d decimal, work *int, yield func(decimal, found) bool) {
	sig, _, _ := strings.Cut(strings.TrimPrefix(string(d), "-"), "e")
	for i := 0; ; {
		if i = indexByte(s, sig[0], i); i >= len(s) {
			return
		}
		if *work -= 32; *work <= 0 {
			return
		}
		start, end := unnumeral(s, i), numeral(s, i)
		i = end
		if end-start > 2*maxDigits || !startsNumber(s, start) {
			continue
		}
		negative := false
		if r, rest := (side{s[:start], true}).step(); r == '-' {
			c, _ := rest.step()
			negative = !word(c)
		}
		if significant(s[start:end], sig) {
			v, w, n := readings(s[start:end])
			u := unitOf(s[end:])
			if u.joined {
				continue
			}
			if n > 0 && !u.yield(negative, v, found{start, end}, yield) || n > 1 && !u.yield(negative, w, found{start, end}, yield) {
				return
			}
		}
		if v, to := thousands(s, start, end); to > end {
			if u := unitOf(s[to:]); !u.joined && !u.yield(negative, v, found{start, to}, yield) {
				return
			}
		}
	}
}

// unnumeral returns where the digits before i begin, with what is between them; it looks
// no further than a number is long.
func unnumeral(s string, i int) int {
	for least := max(i-2*maxDigits-1, 0); i > least; i-- {
		c := s[i-1]
		if c < '0' || c > '9' {
			if c != '.' && c != ',' && c != '\'' || i < 2 || s[i-2] < '0' || s[i-2] > '9' {
				break
			}
		}
	}
	return i
}

// significant says whether the digits of a numeral are sig, but for zeros at the ends.
func significant(numeral, sig string) bool {
	n := 0
	for i := range len(numeral) {
		c := numeral[i]
		switch {
		case c < '0':
		case n < len(sig) && c == sig[n]:
			n++
		case c != '0' || n > 0 && n < len(sig):
			return false
		}
	}
	return n == len(sig)
}

// numeral returns where the digits at i end, with the points, commas and apostrophes
// that have digits on both sides.
func numeral(s string, i int) int {
	for i < len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
		case (c == '.' || c == ',' || c == '\'') && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
		default:
			return i
		}
		i++
	}
	return i
}

// startsNumber says whether what stands ahead of a digit leaves it a number: nothing of
// a word, and nothing that joins it to one, but a sign or a currency.
func startsNumber(s string, start int) bool {
	c, rest := side{s[:start], true}.step()
	switch {
	case c < 0:
		return true
	case word(c):
		if unspaced(c) {
			return true
		}
		for _, code := range currencies {
			if n := len(code); start >= n && strings.EqualFold(s[start-n:start], code) {
				d, _ := side{s[:start-n], true}.step()
				return !word(d)
			}
		}
		return false
	case strings.ContainsRune("-_@.,:/\\#+", c):
		d, _ := rest.step()
		return !word(d) && !(c == '.' || c == '/' || c == '\\')
	}
	return true
}

var currencies = []string{"EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "AUD", "CAD", "Rs"}

// unit is what is behind the digits of a number.
type unit struct {
	joined  bool // they are part of something else
	power   int  // of ten: 5k, 2 million
	percent bool
}

// units are what may be written right behind a number, or a space behind it.
var units = map[string]int{
	"k": 3, "thousand": 3, "tsd": 3, "tausend": 3, "mille": 3, "mil": 3,
	"mio": 6, "mn": 6, "million": 6, "millions": 6, "millionen": 6, "millones": 6,
	"bn": 9, "billion": 9, "mrd": 9, "milliarden": 9, "milliards": 9, "hundred": 2,
}

// measures change nothing of a number that they stand right behind.
var measures = map[string]bool{
	"eur": true, "usd": true, "gbp": true, "chf": true, "jpy": true, "cny": true, "inr": true, "sek": true, "nok": true, "dkk": true, "pln": true,
	"x": true, "km": true, "m": true, "cm": true, "mm": true, "kg": true, "g": true, "mg": true, "l": true, "ml": true, "h": true, "min": true, "s": true, "ms": true,
	"gb": true, "mb": true, "kb": true, "tb": true, "pcs": true, "px": true, "d": true, "days": true, "hours": true, "w": true,
}

func unitOf(rest string) (u unit) {
	c, behind := side{rest, false}.step()
	switch {
	case c < 0:
		return u
	case c == '%':
		return unit{percent: true}
	case strings.ContainsRune("-_@.,:/\\", c):
		d, _ := behind.step()
		return unit{joined: word(d)}
	case unspaced(c):
		return u
	case word(c):
		name := letters(rest)
		power, ok := units[strings.ToLower(name)]
		d, _ := side{rest[len(name):], false}.step()
		return unit{joined: !ok && !measures[strings.ToLower(name)] || word(d), power: power}
	case c == ' ' || c == '\u00A0' || c == '\u202F':
		n := len(rest) - len(behind.s)
		name := strings.ToLower(letters(rest[n:]))
		switch name {
		case "percent", "prozent", "pct", "procent":
			u.percent = true
		case "per", "por", "pour":
			after := strings.TrimPrefix(rest[n+len(name):], " ")
			u.percent = strings.HasPrefix(strings.ToLower(letters(after)), "cent") || strings.EqualFold(letters(after), "ciento")
		default:
			u.power = units[name]
		}
		if strings.HasPrefix(behind.s, "%") {
			u.percent = true
		}
	}
	return u
}

// letters returns the letters that s begins with, no more than a unit has.
func letters(s string) string {
	for i, r := range s {
		if !unicode.IsLetter(r) || i > 12 {
			return s[:i]
		}
	}
	return s
}

func (u unit) yield(negative bool, v reading, at found, yield func(decimal, found) bool) bool {
	d, ok := decimalOf(negative, v.digits, v.frac, u.power)
	if ok && !yield(d, at) {
		return false
	}
	if u.percent {
		if d, ok = decimalOf(negative, v.digits, v.frac, -2); ok && !yield(d, at) {
			return false
		}
	}
	return true
}

// reading is digits, of which frac are behind the point.
type reading struct {
	digits string
	frac   int
}

// readings returns the n ways in which a numeral can be read; several points, as of a
// version, leave none.
func readings(s string) (v, w reading, n int) {
	last := strings.LastIndexAny(s, ".,'")
	if last < 0 {
		return reading{s, 0}, w, 1
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] >= '0' {
			b.WriteByte(s[i])
		}
	}
	first := strings.IndexAny(s, ".,'")
	grouping := s[first]
	if grouped(s, grouping) {
		v, n = reading{b.String(), 0}, 1
	}
	if s[last] != '\'' && (first == last || s[last] != grouping && grouped(s[:last], grouping)) {
		r := reading{b.String(), len(s) - last - 1}
		if n == 0 {
			return r, w, 1
		}
		return v, r, 2
	}
	return v, w, n
}

// grouped says whether sep stands before each three digits of a whole number, or as in
// India before the last three and each two before.
func grouped(s string, sep byte) bool {
	groups := strings.Split(s, string(rune(sep)))
	for i, g := range groups {
		switch {
		case strings.Trim(g, "0123456789") != "" || g == "":
			return false
		case i == 0 && (len(g) > 3 || g[0] == '0'):
			return false
		case i == len(groups)-1 && len(g) != 3:
			return false
		case i > 0 && i < len(groups)-1 && len(g) != 3 && !(len(g) == 2 && sep == ',' && len(groups[0]) < 3):
			return false
		}
	}
	return len(groups) > 1
}

// thousands reads 1 000 000,5, whose groups have spaces between them, from the digits on
// that stand at s[start:end]. Where it ends at end, there is none.
func thousands(s string, start, end int) (v reading, to int) {
	if end-start > 3 || s[start] == '0' {
		return v, end
	}
	v.digits = s[start:end]
	for to = end; v.frac == 0; {
		r, n := utf8.DecodeRuneInString(s[to:])
		if n == 0 || !strings.ContainsRune(" \u00A0\u202F\u2009", r) {
			break
		}
		from, until := to+n, numeral(s, to+n)
		group, frac, point := s[from:until], "", false
		if i := strings.IndexAny(group, ".,"); i >= 0 {
			group, frac, point = group[:i], group[i+1:], true
		}
		if len(group) != 3 || strings.Trim(group+frac, "0123456789") != "" || point && frac == "" {
			break
		}
		v.digits, v.frac, to = v.digits+group+frac, len(frac), until
	}
	if strings.Trim(v.digits, "0123456789") != "" {
		return v, end
	}
	return v, to
}
