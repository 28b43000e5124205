package toolcall

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// maxNumbers bounds how many numbers are tried.
const maxNumbers = 256

// derived reports whether a number is worked out of one that the person says and one
// that is a field of an output: their sum, difference, product, quotient or percentage.
func (q *question) derived(v string) bool {
	want, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return false
	}
	var theirs, fields []float64
	for _, text := range q.r.Asked() {
		theirs = numbersOf(theirs, text)
	}
	if len(theirs) == 0 {
		return false
	}
	for i := range q.r.Results() {
		o := q.r.outline(i)
		for j := range o.leaves {
			if l := &o.leaves[j]; !o.plain && !l.member && number(l.text) && len(fields) < maxNumbers {
				if n, err := strconv.ParseFloat(l.text, 64); err == nil {
					fields = append(fields, math.Abs(n))
				}
			}
		}
	}
	for _, a := range theirs {
		for _, b := range fields {
			for _, n := range [...]float64{a + b, a - b, b - a, a * b, a * b / 100, b + a*b/100, b - a*b/100, b / a} {
				if math.Abs(n-want) < 0.005 {
					return true
				}
			}
		}
	}
	return false
}

// numbersOf appends the numbers of a text.
func numbersOf(dst []float64, text string) []float64 {
	for f := range strings.FieldsSeq(text) {
		f = strings.TrimFunc(f, func(r rune) bool { return !unicode.IsDigit(r) })
		if n, err := strconv.ParseFloat(strings.ReplaceAll(f, ",", "."), 64); err == nil && n != 0 && len(dst) < 32 {
			dst = append(dst, n)
		}
	}
	return dst
}
