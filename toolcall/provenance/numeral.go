package provenance

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// numerals are the words for numbers that can be put together, in English, and alone, in
// some other languages, of those that mean nothing else.
var numerals = map[string]int{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
	"seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
	"sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

var scales = map[string]int{"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}

var foreign = map[string]int{
	"dozen": 12, "dutzend": 12, "douzaine": 12, "docena": 12,
	"eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10,
	"elf": 11, "zwölf": 12, "zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50, "hundert": 100, "tausend": 1000,
	"deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "huit": 8, "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "vingt": 20,
	"trente": 30, "cinquante": 50, "cent": 100,
	"dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10, "veinte": 20,
	"treinta": 30, "cuarenta": 40, "cincuenta": 50, "cien": 100, "ciento": 100,
	"due": 2, "quattro": 4, "cinque": 5, "sette": 7, "otto": 8, "dieci": 10, "venti": 20,
}

// spelled yields the numbers that s has in words.
func spelled(s string, work *int, yield func(decimal, found) bool) {
	var sum numeralSum
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !word(r) {
			if r != ' ' && r != '-' && sum.any {
				if !sum.yield(yield) {
					return
				}
			}
			i += n
			continue
		}
		start := i
		for i < len(s) {
			if r, n = utf8.DecodeRuneInString(s[i:]); !word(r) {
				break
			}
			i += n
		}
		if *work -= i - start; *work <= 0 {
			return
		}
		if i-start > 16 {
			if !sum.yield(yield) {
				return
			}
			continue
		}
		w := strings.ToLower(s[start:i])
		if v, ok := foreign[w]; ok {
			d, _ := decimalOf(false, strconv.Itoa(v), 0, 0)
			if !yield(d, found{start, i}) {
				return
			}
		}
		if sum.add(w, start, i) {
			continue
		}
		if !sum.yield(yield) {
			return
		}
		sum.add(w, start, i)
	}
	sum.yield(yield)
}

// numeralSum is a number that is being spelled: two thousand | three hundred and five.
type numeralSum struct {
	any           bool
	total, part   int // of what is multiplied already, and of what may be
	last          int // what the last word counted, to keep "two three" from being five
	start, end    int
	scaled, joint bool // a scale was in it; its last word was "and"
}

// add takes in a word, unless the number ends before it.
func (n *numeralSum) add(w string, start, end int) bool {
	if w == "and" && n.any && n.scaled && !n.joint {
		n.joint = true
		return true
	}
	if scale, ok := scales[w]; ok && n.any && !n.joint {
		switch {
		case scale == 100 && n.part > 0 && n.part < 100:
			n.part *= 100
		case scale > 100 && n.part > 0 && n.part < 1000 && (n.total == 0 || n.total%(scale*1000) == 0):
			n.total, n.part = n.total+n.part*scale, 0
		default:
			return false
		}
		n.end, n.last, n.scaled = end, scale, true
		return true
	}
	v, ok := numerals[w]
	if scale, is := scales[w]; is && !n.any {
		v, ok = scale, true
	}
	switch {
	case !ok:
		return false
	case !n.any:
		*n = numeralSum{any: true, part: v, last: v, start: start, end: end}
	case n.last >= 100 && v < 100 && v > 0, n.last >= 20 && n.last < 100 && v < 10 && v > 0 && !n.joint:
		n.part, n.last, n.end, n.joint = n.part+v, v, end, false
	default:
		return false
	}
	return true
}

// yield ends the number.
func (n *numeralSum) yield(yield func(decimal, found) bool) bool {
	if !n.any {
		return true
	}
	d, _ := decimalOf(false, strconv.Itoa(n.total+n.part), 0, 0)
	at := found{n.start, n.end}
	*n = numeralSum{}
	return yield(d, at)
}
