package decode

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// undoForms writes Arabic presentation forms as letters, as texts taken from
// documents have them. Ligatures of whole phrases stay.
func undoForms(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		if text[i] != 0xEF {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if 0xFB50 <= r && r <= 0xFDFF || 0xFE70 <= r && r < 0xFEFF {
			if form := plainForms()[r]; form != "" {
				s.put(i, i+n, form)
			}
		}
		i += n
	}
}

// plainForms are the letters that presentation forms stand for, where these are
// few.
var plainForms = sync.OnceValue(func() map[rune]string {
	m := map[rune]string{}
	for r := rune(0xFB50); r < 0xFEFF; r++ {
		if form := norm.NFKC.String(string(r)); form != string(r) && len(form) <= 4*utf8.RuneLen(r) && (r < 0xFE00 || r >= 0xFE70) {
			m[r] = form
		}
	}
	return m
})

// arabicForms are Arabic letters and their isolated forms.
var arabicForms = sync.OnceValue(func() map[rune]rune {
	m := map[rune]rune{}
	for r := rune(0xFE80); r < 0xFEF5; r++ {
		form, n := utf8.DecodeRuneInString(norm.NFKC.String(string(r)))
		if n > 0 && m[form] == 0 {
			m[form] = r
		}
	}
	return m
})

func encodeForms(text string) string {
	forms := arabicForms()
	return strings.Map(func(r rune) rune {
		if f := forms[r]; f != 0 {
			return f
		}
		return r
	}, text)
}

// overlay reports whether the mark r goes through a letter.
func overlay(r rune) bool {
	return 0x334 <= r && r <= 0x338 || 0x20D2 <= r && r <= 0x20D3 || 0x20D8 <= r && r <= 0x20DA || r == 0x20E5 || r == 0x332 || r == 0x333 || r == 0x33F || r == 0x305
}

func combining(r rune) bool {
	return 0x300 <= r && r <= 0x36F && r != 0x34F || 0x483 <= r && r <= 0x489 || 0x1AB0 <= r && r <= 0x1AFF || 0x1DC0 <= r && r <= 0x1DFF || 0x20D0 <= r && r <= 0x20FF
}

// undoMarks takes the combining marks off a text in which they are heaped on
// letters or put through them. What they make with a letter in some language
// (NFC) goes too, because it cannot be told from the heap.
func undoMarks(s *splice) {
	text := s.text
	heap, over, row := false, 0, 0
	for _, r := range text {
		if r < 0x300 || !combining(r) {
			row = 0
			continue
		}
		row++
		heap = heap || row >= 3
		if overlay(r) {
			over++
		}
	}
	if !heap && over < 3 {
		return
	}
	for i, r := range text {
		if r >= 0x300 && combining(r) {
			s.put(i, i+utf8.RuneLen(r), "")
		}
	}
}

// encodeMarks heaps marks on each letter.
func encodeMarks(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteRune(r)
		if unicode.IsLetter(r) {
			b.WriteString("\u0334\u0310\u0329\u031b")
		}
	}
	return b.String()
}
