package sentence

import (
	"unicode"
	"unicode/utf8"
)

// ends looks at the character at i. It returns how many bytes from i on belong
// to the sentence if that ends here, 0 if it does not, and the size of the
// character. Not known: more of the text must be seen.
func (c *Cutter) ends(text []byte, i, base int, final bool) (end, size int, known bool) {
	b := text[i]
	if b < utf8.RuneSelf {
		switch b {
		case '\n':
			end, known = line(text, i, c.start-base, final)
			return end, 1, known
		case '.', '!', '?':
			end, known = c.stop(text, i, base, final)
			return end, 1, known
		}
		return 0, 1, true
	}
	if !final && !utf8.FullRune(text[i:]) {
		return 0, 1, false
	}
	r, n := utf8.DecodeRune(text[i:])
	switch r {
	case 0x3002, 0xFF0E, 0xFF01, 0xFF1F, 0xFF61, 0x0964, 0x0965, 0x061F, 0x06D4, 0x2026, 0x104A, 0x104B, 0x17D4:
		j, known := closers(text, i+n, final)
		return j - i, n, known
	case 0x2028, 0x2029, 0x85:
		return n, n, true
	}
	return 0, n, true
}

// ahead bounds how far behind a mark is looked for what decides.
const ahead = 24

// line says whether the sentence ends with the line at i: it does unless a line
// of prose goes on in lower case.
func line(text []byte, i, start int, final bool) (end int, known bool) {
	j := i + 1
	for j < len(text) && j-i < ahead && (text[j] == ' ' || text[j] == '\t' || text[j] == '\r') {
		j++
	}
	switch {
	case j-i == ahead || final && j == len(text):
		return 1, true
	case j == len(text):
		return 0, false
	case text[j] < 'a' || text[j] > 'z':
		return 1, true
	}
	k := i
	for k > start && (text[k-1] == ' ' || text[k-1] == '\r') && i-k < ahead {
		k--
	}
	if k == start || !('a' <= text[k-1] && text[k-1] <= 'z' || text[k-1] == ',') {
		return 1, true
	}
	return 0, true
}

// stop says whether the sentence ends with the mark at i.
func (c *Cutter) stop(text []byte, i, base int, final bool) (end int, known bool) {
	j := i + 1
	for j < len(text) && j-i < ahead && (text[j] == '.' || text[j] == '!' || text[j] == '?') {
		j++
	}
	if j == len(text) && !final {
		return 0, false
	}
	j, known = closers(text, j, final)
	if !known {
		return 0, false
	}
	if j == len(text) {
		return j - i, true
	}
	if !space(text[j]) {
		if !final && !utf8.FullRune(text[j:]) {
			return 0, false
		}
		r, _ := utf8.DecodeRune(text[j:])
		// Scripts without spaces, whose marks the views write as ASCII.
		if r >= 0x2E80 && text[i] != '.' && unicode.IsLetter(r) {
			return j - i, true
		}
		return 0, true
	}
	if text[i] != '.' || j-i > 1 {
		return j - i, true
	}
	k := j
	for k < len(text) && k-j < ahead && (text[k] == ' ' || text[k] == '\t') {
		k++
	}
	if k == len(text) && !final {
		return 0, false
	}
	var next byte
	if k < len(text) {
		next = text[k]
	}
	if shortened(text[max(c.start-base, 0):i], next) {
		return 0, true
	}
	return j - i, true
}

// closers returns the index behind the quotes and brackets that close at j.
func closers(text []byte, j int, final bool) (int, bool) {
	for from := j; j < len(text) && j-from < ahead; {
		switch text[j] {
		case '"', '\'', ')', ']', '}', '*', '_', '`':
			j++
			continue
		}
		if text[j] < utf8.RuneSelf {
			return j, true
		}
		if !final && !utf8.FullRune(text[j:]) {
			return j, false
		}
		r, n := utf8.DecodeRune(text[j:])
		switch r {
		case 0x2019, 0x201D, 0xBB, 0x300D, 0x300F, 0x3011, 0xFF09, 0x203A:
			j += n
			continue
		}
		return j, true
	}
	return j, final || j < len(text)
}

// shortened says whether the full stop behind the sentence so far shortens a
// word, or numbers an item. Next is what follows the space behind it.
func shortened(sofar []byte, next byte) bool {
	i := len(sofar)
	for i > 0 && len(sofar)-i < 8 && (letter(sofar[i-1]) || sofar[i-1] == '.') {
		i--
	}
	word := sofar[i:]
	if len(word) == 0 {
		digits := 0
		for digits < len(sofar) && digits < 4 && '0' <= sofar[digits] && sofar[digits] <= '9' {
			digits++
		}
		return digits == len(sofar) && digits < 4 && next != '\n' && next != 0 // "3. Then"
	}
	if i > 0 && sofar[i-1] >= utf8.RuneSelf {
		return false
	}
	if len(word) == 1 {
		return word[0] >= 'A' && word[0] <= 'Z' && word[0] != 'I' || len(sofar) == 1 // "J. Smith", "a. Then"
	}
	var low [8]byte
	for k, b := range word {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		low[k] = b
	}
	kind, ok := shorts[string(low[:len(word)])]
	switch {
	case !ok:
		return false
	case kind == always:
		return true
	case kind == numbered:
		return '0' <= next && next <= '9'
	}
	return 'a' <= next && next <= 'z' || '0' <= next && next <= '9'
}

func letter(b byte) bool { return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' }

func space(b byte) bool { return b == ' ' || '\t' <= b && b <= '\r' }

type short uint8

const (
	always   short = iota + 1 // a name or a word follows
	numbered                  // if a number follows
	inside                    // unless a sentence begins
)

// shorts are words that a full stop shortens.
var shorts = map[string]short{
	"mr": always, "mrs": always, "ms": always, "dr": always, "prof": always, "sr": inside, "jr": inside, "st": always, "mt": always, "hr": always, "fr": always, "sra": always,
	"gen": always, "col": always, "sgt": always, "lt": always, "capt": always, "rev": always, "gov": always, "sen": always, "hon": always, "messrs": always, "mme": always, "mlle": always,
	"e.g": always, "i.e": always, "eg": always, "ie": always, "vs": always, "cf": always, "viz": always, "z.b": always, "d.h": always, "u.a": inside, "p.ej": always, "c.f": always, "bzw": always, "ggf": always, "inkl": always, "zzgl": always, "ca": always, "approx": always, "evtl": always, "resp": inside,
	"no": numbered, "nr": numbered, "fig": numbered, "sec": numbered, "vol": numbered, "pp": numbered, "art": numbered, "ch": numbered, "abs": numbered, "ver": numbered, "eq": numbered, "ref": numbered,
	"etc": inside, "inc": inside, "ltd": inside, "co": inside, "corp": inside, "dept": inside, "est": inside, "min": inside, "max": inside, "tel": inside, "al": inside, "usw": inside,
	"a.m": inside, "p.m": inside, "u.s": inside, "u.k": inside, "e.u": inside, "u.n": inside, "b.c": inside, "a.d": inside, "d.c": inside, "ph.d": inside, "m.d": inside,
	"jan": numbered, "feb": numbered, "mar": numbered, "apr": numbered, "jun": numbered, "jul": numbered, "aug": numbered, "sep": numbered, "sept": numbered, "oct": numbered, "nov": numbered, "dec": numbered,
}
