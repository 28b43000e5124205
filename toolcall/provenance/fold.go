package provenance

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What is folded is what no tool and no reader tells apart: case, runs of white space,
// the forms of quotes and dashes, and in texts, not in values, compatibility forms
// (NFKD, UAX #15) and characters that are not seen. Look-alikes of other scripts are
// other letters and stay so.

// lower is ASCII as it is compared: in lower case, control characters and white space as
// a space, quotes as one.
const lower = "                                " + // control characters, white space
	" !'#$%&'()*+,-./0123456789:;<=>?@abcdefghijklmnopqrstuvwxyz[\\]^_'abcdefghijklmnopqrstuvwxyz{|}~ "

// foldRune returns how a rune that is not ASCII, which is written as it, is compared; ""
// is not seen.
func foldRune(r rune, as string) string {
	switch {
	case r >= 0x3400 && r <= 0x9FFF || r >= 0xAC00 && r <= 0xD7A3: // ideographs, Hangul
		return as
	case unicode.IsSpace(r):
		return " "
	case quote(r):
		return "'"
	case dash(r):
		return "-"
	case ignorable(r):
		return ""
	case r == utf8.RuneError:
		return "\uFFFD"
	case r >= 0xFF01 && r <= 0xFF5E:
		return lower[r-0xFEE0 : r-0xFEE0+1]
	}
	d := norm.NFKD.PropertiesString(as).Decomposition()
	if d == nil {
		if l := smaller(r); l != r {
			return string(l)
		}
		return as
	}
	var b strings.Builder
	for len(d) > 0 {
		r, n := utf8.DecodeRune(d)
		d = d[n:]
		if r < utf8.RuneSelf {
			b.WriteByte(lower[r])
		} else {
			b.WriteRune(smaller(r))
		}
	}
	return b.String()
}

// smaller returns r in lower case.
func smaller(r rune) rune {
	if r == 'ς' {
		return 'σ'
	}
	return unicode.ToLower(r)
}

func quote(r rune) bool {
	switch r {
	case '\'', '"', '`', '´', '‘', '’', '‚', '‛', '“', '”', '„', '‟', '«', '»', '‹', '›', '′', '″', '＇', '＂', '「', '」', '『', '』':
		return true
	}
	return false
}

// dash says whether r is a hyphen or dash. U+2212 is the minus sign.
func dash(r rune) bool { return r >= 0x2010 && r <= 0x2015 || r == 0x2212 }

// ignorable says whether nothing is seen of r (UTS #39, Default_Ignorable_Code_Point).
func ignorable(r rune) bool {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r == 0x3164, r == 0xFEFF, r == 0xFFA0:
		return true
	}
	return r >= 0x180B && r <= 0x180F || r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E ||
		r >= 0x2060 && r <= 0x206F || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0000 && r <= 0xE0FFF
}

// next returns how what stands at s[i:] is compared, and where it ends: a rune, or a run
// of white space. i must be within s.
func next(s string, i int) (unit string, end int) {
	if c := s[i]; c < utf8.RuneSelf {
		if unit = lower[c : c+1]; unit != " " {
			return unit, i + 1
		}
		return unit, skipSpace(s, i+1)
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if unit = foldRune(r, s[i:i+n]); unit == " " {
		return unit, skipSpace(s, i+n)
	}
	return unit, i + n
}

// before is next, of what ends at s[:i]. i must be above 0.
func before(s string, i int) (unit string, start int) {
	if c := s[i-1]; c < utf8.RuneSelf {
		if unit = lower[c : c+1]; unit != " " {
			return unit, i - 1
		}
		return unit, unskipSpace(s, i-1)
	}
	r, n := utf8.DecodeLastRuneInString(s[:i])
	if unit = foldRune(r, s[i-n:i]); unit == " " {
		return unit, unskipSpace(s, i-n)
	}
	return unit, i - n
}

func skipSpace(s string, i int) int {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !blank(r) {
			break
		}
		i += n
	}
	return i
}

func unskipSpace(s string, i int) int {
	for i > 0 {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if !blank(r) {
			break
		}
		i -= n
	}
	return i
}

func blank(r rune) bool {
	return r < utf8.RuneSelf && lower[r] == ' ' || r >= utf8.RuneSelf && unicode.IsSpace(r)
}

// fold returns a text as it is compared.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf && lower[c] != ' ' {
			b.WriteByte(lower[c])
			i++
			continue
		}
		unit, end := next(s, i)
		b.WriteString(unit)
		i = end
	}
	return strings.Trim(b.String(), " ")
}

// foldable says whether folding a value loses nothing that could name something else:
// it has no compatibility form and nothing that is not seen.
func foldable(s string) bool {
	if ascii(s) {
		return true
	}
	for _, r := range s {
		if r < utf8.RuneSelf || unicode.IsSpace(r) || quote(r) || dash(r) {
			continue
		}
		if ignorable(r) || r == utf8.RuneError {
			return false
		}
		one := string(r)
		if !bytes.Equal(norm.NFKD.PropertiesString(one).Decomposition(), norm.NFD.PropertiesString(one).Decomposition()) {
			return false
		}
	}
	return true
}

// ascii says whether s is ASCII.
func ascii(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if load(s)&0x8080808080808080 != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// load returns the first eight bytes of s, the first lowest.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// hides says whether a text has what folds to ASCII or to nothing, within a word: then a
// word of ASCII can stand in it without its bytes.
func hides(s string) bool {
	table := hiding()
	for i := 0; i < len(s); {
		if len(s)-i >= 8 && load(s[i:])&0x8080808080808080 == 0 {
			i += 8
			continue
		}
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		if c := s[i]; c < 0xE0 && i+1 < len(s) {
			if table.has(rune(c&0x1F)<<6 | rune(s[i+1]&0x3F)) {
				return true
			}
			i += 2
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if i += n; table.has(r) {
			return true
		}
	}
	return false
}

// runes is a set of runes of the basic plane. Of those above it has all but CJK
// ideographs and the usual emoji.
type runes [1 << 16 / 64]uint64

func (t *runes) has(r rune) bool {
	if r < 1<<16 {
		return t[r>>6]>>(r&63)&1 == 1
	}
	return (r < 0x20000 || r > 0x3FFFF) && (r < 0x1F300 || r > 0x1FAFF)
}

var hiding = sync.OnceValue(func() *runes {
	t := new(runes)
	for r := rune(utf8.RuneSelf); r < 1<<16; r++ {
		switch {
		case r == 0x3400:
			r = 0xF8FF // neither ideographs nor Hangul, surrogates or private characters
		case unicode.IsSpace(r), quote(r), dash(r):
		case ascii(foldRune(r, string(r))):
			t[r>>6] |= 1 << (r & 63)
		}
	}
	return t
})
