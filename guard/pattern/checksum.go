package pattern

import (
	"maps"
	"slices"

	"github.com/ringwall/ringwall/internal/checkdigit"
)

// checksums are the check digits that a recogniser may ask for, by name. Each is
// given a match as it stands; spaces and signs in it count for nothing, and the
// last digits check the others.
var checksums = map[string]func([]byte) bool{
	"aba":               over(digits, 9, 9, aba),
	"damm":              over(digits, 2, 64, damm),
	"ean13":             over(digits, 13, 13, ean),
	"ean8":              over(digits, 8, 8, ean),
	"iban-mod97":        over(alphanumerics, 15, 34, iban),
	"imei":              over(digits, 15, 15, checkdigit.Luhn),
	"isbn10":            over(alphanumerics, 10, 10, isbn10),
	"iso7064-mod11-10":  over(digits, 2, 64, checkdigit.Mod11And10),
	"iso7064-mod11-2":   over(alphanumerics, 2, 64, mod11and2),
	"iso7064-mod97-10":  over(alphanumerics, 3, 64, mod97),
	"luhn":              over(digits, 2, 64, checkdigit.Luhn),
	"luhn-alphanumeric": over(alphanumerics, 2, 64, luhnLetters),
	"mod11":             over(alphanumerics, 2, 64, mod11),
	"mod97":             over(digits, 3, 64, mod97complement),
	"verhoeff":          over(digits, 2, 64, checkdigit.Verhoeff),
}

// Checksums returns the names of the check digits that are known, sorted.
//
//	aba                US routing numbers: weights 3, 7, 1
//	damm               Damm's quasigroup
//	ean13, ean8        GS1 article numbers: weights 1 and 3
//	iban-mod97         IBAN, ISO 13616: the first four characters behind the rest
//	imei, luhn         Luhn, ISO/IEC 7812-1 annex B
//	isbn10             weights 10 to 1, modulo 11, X for ten
//	iso7064-mod11-10   hybrid system of ISO/IEC 7064: German tax ids
//	iso7064-mod11-2    pure system of ISO/IEC 7064, X for ten: ORCID
//	iso7064-mod97-10   pure system of ISO/IEC 7064, letters count 10 to 35: LEI
//	luhn-alphanumeric  Luhn where letters count 10 to 35: ISIN
//	mod11              weights 2, 3, 4 … 7, 2 … from the right, modulo 11, X for ten
//	mod97              the last two digits are 97 minus the rest modulo 97: Belgium
//	verhoeff           Verhoeff's dihedral group: Aadhaar
func Checksums() []string { return slices.Sorted(maps.Keys(checksums)) }

// over returns a check that gives check the characters of a match that count, in
// capitals, if there are from least to most of them. A number of one digit over
// and over satisfies many of them, and is none.
func over(counts func(byte) bool, least, most int, check func([]byte) bool) func([]byte) bool {
	return func(match []byte) bool {
		var buf [64]byte
		v := buf[:0]
		same := true
		for _, c := range match {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			if !counts(c) {
				continue
			}
			if len(v) == len(buf) {
				return false
			}
			v = append(v, c)
			same = same && c == v[0]
		}
		return least <= len(v) && len(v) <= most && !same && check(v)
	}
}

func digits(c byte) bool { return '0' <= c && c <= '9' }

func alphanumerics(c byte) bool { return digits(c) || 'A' <= c && c <= 'Z' }

// num is the number that a digit or letter counts: A is ten.
func num(c byte) int {
	if c >= 'A' {
		return int(c-'A') + 10
	}
	return int(c - '0')
}

func luhnLetters(v []byte) bool {
	var buf [128]byte
	w := buf[:0]
	for _, c := range v {
		if n := num(c); n > 9 {
			w = append(w, byte('0'+n/10), byte('0'+n%10))
		} else {
			w = append(w, c)
		}
	}
	return checkdigit.Luhn(w)
}

func aba(v []byte) bool {
	sum := 0
	for i, c := range v {
		sum += num(c) * [3]int{3, 7, 1}[i%3]
	}
	return sum%10 == 0
}

func ean(v []byte) bool {
	sum := 0
	for i, c := range v {
		sum += num(c) * (1 + 2*((len(v)-1-i)%2))
	}
	return sum%10 == 0
}

// mod is the number that v writes, modulo m; a letter writes two digits.
func mod(v []byte, m int) (n int) {
	for _, c := range v {
		if x := num(c); x > 9 {
			n = (n*100 + x) % m
		} else {
			n = (n*10 + x) % m
		}
	}
	return n
}

func mod97(v []byte) bool { return mod(v, 97) == 1 }

func iban(v []byte) bool {
	var buf [64]byte
	if digits(v[0]) || digits(v[1]) || !digits(v[2]) || !digits(v[3]) {
		return false
	}
	return mod97(append(append(buf[:0], v[4:]...), v[:4]...))
}

func mod97complement(v []byte) bool {
	n := len(v) - 2
	return mod(v[n:], 100) == 97-mod(v[:n], 97)
}

// ten returns the digits of v, where X may stand for ten in the last place only.
func ten(v []byte) ([]int, bool) {
	out := make([]int, len(v))
	for i, c := range v {
		switch {
		case digits(c):
			out[i] = num(c)
		case c == 'X' && i == len(v)-1:
			out[i] = 10
		default:
			return nil, false
		}
	}
	return out, true
}

func mod11and2(v []byte) bool {
	n, ok := ten(v)
	p := 0
	for i := range n {
		if i < len(n)-1 {
			p = (p + n[i]) * 2 % 11
		} else {
			p = (p + n[i]) % 11
		}
	}
	return ok && p == 1
}

func isbn10(v []byte) bool {
	n, ok := ten(v)
	sum := 0
	for i, x := range n {
		sum += x * (10 - i)
	}
	return ok && sum%11 == 0
}

func mod11(v []byte) bool {
	n, ok := ten(v)
	sum := 0
	for i := range n {
		if k := len(n) - 1 - i; k == 0 {
			sum += n[i]
		} else {
			sum += n[i] * (2 + (k-1)%6)
		}
	}
	return ok && sum%11 == 0
}

// quasigroup is Damm's (Totally anti-symmetrische Quasigruppen, 2004).
var quasigroup = [10]string{
	"0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
	"3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
}

func damm(v []byte) bool {
	c := byte('0')
	for _, x := range v {
		c = quasigroup[c-'0'][x-'0']
	}
	return c == '0'
}
