package pii

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

var (
	age  = pattern{Age, low, named, nil}
	bank = pattern{SWIFT, medium, own, nil}
)

// besides reads what the word t[s:e] is a part of and no row says: an age before
// the words that say so, and a hardware address that begins with letters.
func (c *cursor) besides(w stream.Window, s, e, first int) (start, end int, p pattern, look stream.Look) {
	t, buf, final := w.Clean, c.value[:0], w.Final
	switch {
	case e-s == 2 && s-3 >= first && t[s-1] == '-':
		at := s
		for k := 0; k < 5 && at-3 >= first && t[at-1] == '-' && isHex(t[at-2]) && isHex(t[at-3]); k++ {
			at -= 3
		}
		if at < s && (at == 0 || !joined(t, at)) {
			if end, _, _, look = match(t, at, "hh-hh-hh-hh-hh-hh", buf, final); look != stream.No {
				return at, end, hardware, look
			}
		}
	case e-s <= 3 && isDigit(t[s]) && (s == 0 || !joined(t, s)):
		return c.aged(w, s, e)
	}
	return s, e, p, stream.No
}

// aged reads the number t[s:e] as an age: before it or behind it stands what says
// so.
func (c *cursor) aged(w stream.Window, s, e int) (start, end int, p pattern, look stream.Look) {
	t := w.Folded
	n, d := digitsAt(t, s)
	if n > 125 || n == 0 || d < e && (d != e-1 || t[d] != 'y') || t[s] == '0' {
		return s, e, p, stream.No
	}
	if d < e { // 78y
		if nameBefore(w.Clean, s) {
			return s, d, pattern{reason: Age, severity: low, score: likely}, stream.Yes
		}
		return s, e, p, stream.No
	}
	if e < len(t) && (contains("%°$/:", t[e]) || contains(".,-", t[e]) && e+1 < len(t) && isDigit(t[e+1]) || t[e] == 0xC2) {
		return s, e, p, stream.No
	}
	if e+1 >= len(t) && !w.Final && e < len(t) && contains(".,-", t[e]) {
		return s, e, p, stream.More
	}
	if column := c.table.at(t, s, w.Base); column != nil && column.any(years) {
		return s, e, age, stream.Yes
	}
	if ageWord(t, s) && (e == len(t) || t[e] != '+') {
		return s, e, age, stream.Yes
	}
	if (e == len(t) || contains(".,!?\n", t[e]) || t[e] == ' ' && e+1 < len(t) && w.Clean[e+1] <= 'Z') && ofSomebody(t, s) {
		return s, e, pattern{reason: Age, severity: low, score: likely}, stream.Yes
	}
	if e+1 >= len(t) {
		return s, e, p, unless(w.Final)
	}
	rest := t[e:min(e+maxAgeTail, len(t))]
	for _, say := range ageTails[[2]byte(rest)] {
		if len(rest) < len(say.tail) {
			if !w.Final && e+len(rest) == len(t) && strings.HasPrefix(say.tail, string(rest)) {
				return s, e, p, stream.More
			}
			continue
		}
		if string(rest[:len(say.tail)]) == say.tail && (say.sure || hasBefore(t, s)) {
			return s, e, age, stream.Yes
		}
	}
	return s, e, p, stream.No
}

const maxAgeTail = 24

type ageTail struct {
	tail string
	sure bool // it follows an age and nothing else
}

// ageTails are what follows an age, by its first bytes.
var ageTails = func() map[[2]byte][]ageTail {
	tails := map[[2]byte][]ageTail{}
	for _, w := range []string{
		" years old", " year old", "-year-old", "-years-old", " yrs old", " yr old", " y/o", "yo ", " yo ", " years of age", " jahre alt", "-jahrig", " jahriger", " jahrige", " jaar oud", "-jarige", " ans revolus", " anos de edad", " anos de idade", " anni di eta", " ar gammal", " ar gammel", " ar gamal",
		" lat i", " vuotta vanha", "-vuotias", " vuotias", " let stary", " let stara", " eves", "-eves", " ani implinit", " yasinda", " yasindaki", " tuoi", " tahun usianya", " летнии", "-летнии", "-летняя", " χρονων", " ετων", "歳", "岁", "歲", normalize.Fold("세 "), normalize.Fold("살"), " साल का", " साल की", " साल के", " साल", " वर्षीय", " ปี",
	} {
		tails[[2]byte([]byte(w))] = append(tails[[2]byte([]byte(w))], ageTail{w, true})
	}
	for _, w := range []string{" ans", " anos", " anni", " jahre", " jaar", " ar", " lat", " vuotta", " let", " ani", " yasinda", " лет", " года", " років", " שנים", " سنة", " عام", " tahun", " years"} {
		tails[[2]byte([]byte(w))] = append(tails[[2]byte([]byte(w))], ageTail{w, false})
	}
	return tails
}()

// hasBefore reports whether the words before t[i] tell that somebody is of an age:
// a ans, tiene, hat, of a patient.
func hasBefore(t []byte, i int) bool {
	end := i
	for end > 0 && i-end < 3 && contains(" ,", t[end-1]) {
		end--
	}
	start := end
	for start > 0 && end-start < 24 && inWord(t[start-1]) {
		start--
	}
	switch string(t[start:end]) {
	case "tiene", "tengo", "tem", "tenho", "ha", "ho", "ai", "a", "have", "ma", "mam", "jest", "mne", "mi", "mu", "ji", "am", "are", "мне", "ему", "ей", "мені", "йому", "їй", "בת", "בן", "عمره", "عمرها", "عمري", "aged", "berusia", "umur", "usia", "cumplio", "fyller", "fylder", "age", "agee", "wieku":
		if w := string(t[start:end]); w == "a" || w == "have" || w == "ha" || w == "ho" || w == "am" || w == "are" || w == "ma" || w == "mi" {
			return w == "a" && end-start == 1 && start > 1 && (bytes.HasSuffix(t[:start], []byte("il ")) || bytes.HasSuffix(t[:start], []byte("elle "))) || w == "ai" || w == "ho" || w == "mam"
		}
		return true
	case "de", "di":
		// El paciente Josué Heredia, de 18 años.
		return start > 2 && bytes.HasSuffix(t[:start], []byte(", "))
	}
	return false
}

// ofSomebody reports whether the words before t[i] are those of my daughter is.
func ofSomebody(t []byte, i int) bool {
	for _, is := range [...]string{" is ", " ist ", " est ", " jest ", " turned ", " is now ", " just turned ", " wird ", " er ", " ar "} {
		if bytes.HasSuffix(t[:i], []byte(is)) {
			far, _ := topicsBefore(t, i, 0)
			return far.any(kinship)
		}
	}
	return false
}

// nameBefore reports whether a name stands before t[i], with a comma.
func nameBefore(t []byte, i int) bool {
	if i < 4 || t[i-1] != ' ' || t[i-2] != ',' {
		return false
	}
	j := i - 2
	for j > 0 && i-j < 30 && inWord(t[j-1]) {
		j--
	}
	return i-2-j > 1
}

// ageWord reports whether the word before t[i] says that an age follows.
func ageWord(t []byte, i int) bool {
	end := i
	for end > 0 && i-end < 6 && contains(" :=\"'*(|\t>", t[end-1]) {
		end--
	}
	start := end
	for start > 0 && end-start < 24 && inWord(t[start-1]) {
		start--
	}
	if start > 0 && (inWord(t[start-1]) || contains("-_", t[start-1])) {
		return false
	}
	switch word := string(t[start:end]); word {
	case "turns", "turned", "turning":
		return i-end == 1
	case "alter", "kor", "ika", "vek", "eta", "yas": // they mean more than that
		return i-end > 1 && (word != "eta" || i < len(t) && unitless(t, i))
	default:
		own := vocab.whole[word]
		if own == nil && start < end && t[start] >= 0xE0 {
			own = new(topics)
			vocab.unspacedIn(t, start, end, own)
		}
		return own != nil && own.any(years)
	}
}

// unitless reports whether nothing follows the number at t[i] in its clause: no unit.
func unitless(t []byte, i int) bool {
	e := wordEnd(t, i)
	return e == len(t) || contains("\",;\n}<|)", t[e])
}

// bankAt reads the code of a bank that begins at t[start].
func bankAt(t []byte, start int, final bool) (from, end int, look stream.Look) {
	end = start
	for end < len(t) && end-start < 12 && stream.AlphaNum[t[end]] {
		end++
	}
	switch n := end - start; {
	case end == len(t) && !final && n < 12:
		return start - 1, start - 1, stream.More
	case (n == 8 || n == 11) && bic(t[start:end]):
		return start, end, stream.Yes
	}
	return start, start, stream.No
}

// besideAccount reads the code of a bank that follows an account number which
// ends at account. t[i] is its first digit.
func besideAccount(t []byte, i, first, account int) (start, end int, ok bool) {
	start, end = i, wordEnd(t, i)
	for start > first && i-start < 12 && stream.AlphaNum[t[start-1]] {
		start--
	}
	n := end - start
	return start, end, account > 0 && start-account < 12 && start >= account && (n == 8 || n == 11) && bic(t[start:end])
}

// bankOf reports whether the letters v are capitals with a country among them.
func bankOf(v []byte) bool {
	for _, c := range v {
		if 'a' <= c && c <= 'z' {
			return false
		}
	}
	if ibanLength[string(v[4:6])] > 0 {
		return true
	}
	switch string(v[4:6]) {
	case "US", "CA", "AU", "NZ", "JP", "CN", "IN", "SG", "HK", "KR", "ZA", "TH", "MY", "PH", "ID", "TW", "VN", "MX", "AR", "CL", "CO", "PE", "NG", "KE", "MA":
		return true
	}
	return false
}
