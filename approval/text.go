package approval

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Piece is a part of a text as it may be shown: either letters that show themselves, or
// one character that does not, by what it is.
type Piece struct {
	Text  string `json:"text,omitempty"`
	Token string `json:"token,omitempty"` // "U+202E right-to-left override"
}

// Show takes a text apart so that no character of it can hide, move others about, or pass
// for nothing: those that would are tokens. Line breaks are tokens, and stay.
func Show(text string) (out []Piece) {
	from, marks := 0, 0
	flush := func(to int) {
		if to > from {
			out = append(out, Piece{Text: text[from:to]})
		}
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if unicode.In(r, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		token := ""
		switch {
		case r == utf8.RuneError && n == 1:
			token = fmt.Sprintf("byte %02X", text[i])
		case hides(r) || marks > 2:
			token = nameOf(r)
		}
		if token != "" {
			flush(i)
			out = append(out, Piece{Token: token})
			from = i + n
		}
		i += n
	}
	flush(len(text))
	return out
}

// hides reports whether a character shows nothing, or shows others elsewhere.
func hides(r rune) bool {
	switch {
	case r == ' ':
		return false
	case r < 0x7f:
		return r < ' '
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Zs, unicode.Co, unicode.Cs, unicode.Noncharacter_Code_Point, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		return true
	case r == '\u2800', r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0': // blank, although letters or signs
		return true
	}
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S) // assigned to nothing
}

// names are those of characters that are often used to hide something.
var names = map[rune]string{
	'\t': "tab", '\n': "line break", '\r': "carriage return", 0x1b: "escape", 0: "null", 0x7f: "delete",
	'\u00a0': "no-break space", '\u00ad': "soft hyphen", '\u061c': "arabic letter mark",
	'\u200b': "zero width space", '\u200c': "zero width non-joiner", '\u200d': "zero width joiner",
	'\u200e': "left-to-right mark", '\u200f': "right-to-left mark", '\u2028': "line separator", '\u2029': "paragraph separator",
	'\u202a': "left-to-right embedding", '\u202b': "right-to-left embedding", '\u202c': "pop directional formatting",
	'\u202d': "left-to-right override", '\u202e': "right-to-left override",
	'\u2060': "word joiner", '\u2066': "left-to-right isolate", '\u2067': "right-to-left isolate",
	'\u2068': "first strong isolate", '\u2069': "pop directional isolate", '\u3000': "ideographic space",
	'\u3164': "hangul filler", '\ufeff': "zero width no-break space", '\u2800': "braille blank",
}

func nameOf(r rune) string {
	name := fmt.Sprintf("U+%04X", r)
	switch {
	case names[r] != "":
		return name + " " + names[r]
	case r >= 0xe0020 && r <= 0xe007e:
		return name + " tag " + string(r-0xe0000)
	case unicode.Is(unicode.Variation_Selector, r):
		return name + " variation selector"
	case unicode.Is(unicode.Mn, r):
		return name + " combining mark"
	case unicode.Is(unicode.Zs, r):
		return name + " space"
	}
	return name
}

// Plain joins pieces for a terminal or a record, with tokens in white brackets.
func Plain(pieces []Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Token != "" {
			b.WriteString("⟦" + p.Token + "⟧")
			continue
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// cutPieces splits pieces behind n characters; a token counts as one.
func cutPieces(pieces []Piece, n int) (head, rest []Piece) {
	for i, p := range pieces {
		count := 1
		if p.Token == "" {
			count = utf8.RuneCountInString(p.Text)
		}
		if count <= n {
			n -= count
			continue
		}
		if p.Token == "" && n > 0 {
			at := 0
			for range n {
				_, w := utf8.DecodeRuneInString(p.Text[at:])
				at += w
			}
			head = append(append(head, pieces[:i]...), Piece{Text: p.Text[:at]})
			rest = append(append(rest, Piece{Text: p.Text[at:]}), pieces[i+1:]...)
			return head, rest
		}
		return pieces[:i], pieces[i:]
	}
	return pieces, nil
}
