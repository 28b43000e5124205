package decode

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// decodeWidth brings compatibility forms to the plain character: full-width,
// enclosed, superscript and mathematical letters, ligatures (Unicode NFKC).
// Some characters unfold to many more; past four times its length the rest of
// a text stays as it is.
func decodeWidth(text string) (string, bool) {
	if isASCII(text) || norm.NFKC.IsNormalString(text) {
		return text, false
	}
	size, end := 0, 0 // of the result's folded part, of the text that it comes from
	var it norm.Iter
	for it.InitString(norm.NFKC, text); !it.Done(); end = it.Pos() {
		n := len(it.Next())
		if size+n+len(text)-it.Pos() > 4*len(text) {
			break
		}
		size += n
	}
	var b strings.Builder
	b.Grow(size + len(text) - end)
	it.InitString(norm.NFKC, text)
	for it.Pos() < end {
		b.Write(it.Next())
	}
	b.WriteString(text[end:])
	return b.String(), b.String() != text
}

func encodeWidth(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return 0x3000
		case '!' <= r && r <= '~':
			return r - '!' + 0xFF01
		}
		return r
	}, text)
}

// lookAlikes are pairs: a letter of another script and the Latin letter that
// it looks like. The first of a Latin letter is the one that encoding uses.
const lookAlikes = "аaеeоoрpсcуyхxіiјjѕsԁdһhӏlԛqԝwкkѵvтtмmьb" + // Cyrillic
	"АAВBЕEКKМMНHОOРPСCТTХXІIЈJЅSԚQԜWҮYԌG" +
	"αaοoρpνvιiυuκkτtχxγyϲcϳj" + // Greek
	"ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹCͿJ" +
	"օoսuոnհhɑaɡgոnցg" // Armenian, IPA

var toLatin, fromLatin = func() (to, from map[rune]rune) {
	to, from = map[rune]rune{}, map[rune]rune{}
	pairs := []rune(lookAlikes)
	for i := 0; i < len(pairs); i += 2 {
		to[pairs[i]] = pairs[i+1]
		if from[pairs[i+1]] == 0 {
			from[pairs[i+1]] = pairs[i]
		}
	}
	return to, from
}()

// decodeHomoglyph writes words in Latin letters that mix them with look-alikes
// of other scripts, and words of look-alikes alone unless the text really is
// in their script: it is when a word of it holds a letter that looks like
// none of ours.
func decodeHomoglyph(text string) (string, bool) {
	if isASCII(text) {
		return text, false
	}
	foreign := false
	words(text, func(_, _ int, latin, alike, other bool) { foreign = foreign || other && !latin })
	s := splice{text: text}
	words(text, func(start, end int, latin, alike, other bool) {
		if alike && !other && (latin || !foreign) {
			s.put(start, end, strings.Map(func(r rune) rune {
				if l, ok := toLatin[r]; ok {
					return l
				}
				return r
			}, text[start:end]))
		}
	})
	return s.result()
}

// words calls f for each run of letters, saying which kinds of letters it
// holds: Latin ones, look-alikes, and others of the scripts of look-alikes.
func words(text string, f func(start, end int, latin, alike, other bool)) {
	start := -1
	var latin, alike, other bool
	for i, r := range text {
		if r >= utf8.RuneSelf && unicode.IsLetter(r) || r < utf8.RuneSelf && isAlpha(byte(r)) {
			if start < 0 {
				start, latin, alike, other = i, false, false, false
			}
			_, like := toLatin[r]
			switch {
			case like:
				alike = true
			case r < utf8.RuneSelf || unicode.Is(unicode.Latin, r):
				latin = true
			default:
				other = true
			}
			continue
		}
		if start >= 0 {
			f(start, i, latin, alike, other)
			start = -1
		}
	}
	if start >= 0 {
		f(start, len(text), latin, alike, other)
	}
}

func encodeHomoglyph(text string) string {
	return strings.Map(func(r rune) rune {
		if l, ok := fromLatin[r]; ok {
			return l
		}
		return r
	}, text)
}
