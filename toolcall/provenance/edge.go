package provenance

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A value is found where it stands for itself, not as a piece of something longer: "10"
// is not in "2010", "ann@x.com" neither in "joann@x.com" nor in "ann@x.com.evil.io".

// Joiners hold two pieces together to one thing where they stand between them, and end
// one otherwise: first.last, and a sentence.
const (
	joinWords   = "-_@."
	joinDigits  = ",:/"           // and these, where a digit stands at either side: 26/05, 10:30, 1,000
	joinSigns   = "+#~/\\:"       // and these, where a value begins or ends with one
	joinPath    = "-_@./\\~:"     // in the path or name of a file
	joinAddress = "-_@.+%!#$&*'~" // ahead of an e-mail address
	joinHost    = "-_@.+%"        // behind one
)

// bounded says whether what stands at s[f.start:f.end] stands for itself there.
func bounded(s string, f found, join string) bool {
	if f.start == f.end {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s[f.start:f.end])
	last, _ := utf8.DecodeLastRuneInString(s[f.start:f.end])
	return !joined(first, side{s[:f.start], true}, join) && !joined(last, side{s[f.end:], false}, join)
}

// side is what stands on one side of a place, read away from it.
type side struct {
	s    string
	left bool
}

// step returns the nearest rune that is seen, and what is behind it; -1: none.
func (o side) step() (rune, side) {
	for o.s != "" {
		var r rune
		var n int
		if o.left {
			r, n = utf8.DecodeLastRuneInString(o.s)
			o.s = o.s[:len(o.s)-n]
		} else {
			r, n = utf8.DecodeRuneInString(o.s)
			o.s = o.s[n:]
		}
		switch {
		case r < utf8.RuneSelf:
			return r, o
		case ignorable(r):
		default:
			return plain(r), o
		}
	}
	return -1, o
}

// plain returns the ASCII character that r is a form of, or r.
func plain(r rune) rune {
	switch {
	case r == '。' || r == '｡':
		return '.' // IDNA reads them as dots (RFC 3490 §3.1)
	case quote(r):
		return r
	}
	if unit := foldRune(r, string(r)); len(unit) == 1 {
		return rune(unit[0])
	}
	return r
}

// joined says whether what ends in the rune e is one with what stands beside it.
func joined(e rune, beside side, join string) bool {
	c, rest := beside.step()
	if join == joinAddress && !beside.left {
		join = joinHost
	}
	switch {
	case c < 0:
		return false
	case unicode.IsMark(c) && !beside.left:
		return true
	case !word(e):
		if !strings.ContainsRune(join, e) && !strings.ContainsRune(joinSigns, e) {
			return false
		}
		if word(c) || !strings.ContainsRune(join, c) {
			return word(c) && !unspaced(c)
		}
		d, _ := rest.step()
		return word(d) || join == joinPath && (c != '.' || beside.left)
	case word(c):
		if !unspaced(e) && !unspaced(c) {
			return true
		}
		return (join == joinAddress || join == joinHost) && goesOn(beside)
	case strings.ContainsRune(join, c):
		d, rest := rest.step()
		for join != joinWords && strings.ContainsRune(join, d) && d >= 0 {
			d, rest = rest.step()
		}
		return word(d)
	case join == joinWords && digit(e) && strings.ContainsRune(joinDigits, c):
		d, _ := rest.step()
		return digit(d)
	}
	return false
}

// goesOn says whether the letters that follow belong to an address: they end in a joiner
// with more behind it.
func goesOn(o side) bool {
	c, rest := o.step()
	for c >= 0 && word(c) {
		c, rest = rest.step()
	}
	d, _ := rest.step()
	return c >= 0 && strings.ContainsRune(joinAddress, c) && word(d)
}

func word(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= '0' && (r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z')
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || unicode.IsNumber(r)
}

func digit(r rune) bool { return r >= '0' && r <= '9' || r >= utf8.RuneSelf && unicode.IsDigit(r) }

// unspaced says whether r is of a script that writes no spaces between words.
func unspaced(r rune) bool {
	return r >= 0xE00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// quoted says whether what stands at s[f.start:f.end] has quotes on both sides, or is
// all there is.
func quoted(s string, f found) bool {
	c, _ := side{s[:f.start], true}.step()
	d, _ := side{s[f.end:], false}.step()
	return (c < 0 || quote(c)) && (d < 0 || quote(d))
}
