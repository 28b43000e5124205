package jsonedit

import (
	"slices"
	"strconv"
	"strings"
)

// AppendCanonical appends v in its one canonical form: no space between tokens, members
// in the order of the bytes of their names, numbers by value, strings in one way of
// escaping. Two documents that say the same have the same form.
func (v Value) AppendCanonical(dst []byte) []byte {
	switch v.Kind() {
	case Object:
		type member struct {
			key   string
			value Value
		}
		var all []member
		for key, m := range v.Members() {
			all = append(all, member{key, m})
		}
		slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.key, b.key) })
		dst = append(dst, '{')
		for i, m := range all {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendQuote(dst, m.key), ':')
			dst = m.value.AppendCanonical(dst)
		}
		return append(dst, '}')
	case Array:
		dst = append(dst, '[')
		for i, e := range v.Elems() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendCanonical(dst)
		}
		return append(dst, ']')
	case String:
		return AppendQuote(dst, v.Text())
	case Number:
		return AppendNumber(dst, string(v.Raw()))
	case Bool, Null:
		return append(dst, v.Raw()...)
	case Missing:
	}
	return dst
}

// AppendNumber appends the exact decimal value of a JSON number as digits without
// zeros at either end and an exponent: 1, 1.0, 10e-1 are one. A number with an
// exponent of more than nine digits is left as it is.
func AppendNumber(dst []byte, raw string) []byte {
	s, negative := strings.CutPrefix(raw, "-")
	exponent := 0
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		if len(s)-at > 10 {
			return append(dst, raw...)
		}
		n, err := strconv.Atoi(s[at+1:])
		if err != nil {
			return append(dst, raw...)
		}
		s, exponent = s[:at], n
	}
	whole, fraction, _ := strings.Cut(s, ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return append(dst, '0')
	}
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	if negative {
		dst = append(dst, '-')
	}
	dst = append(dst, short...)
	if exponent != 0 {
		dst = strconv.AppendInt(append(dst, 'e'), int64(exponent), 10)
	}
	return dst
}
