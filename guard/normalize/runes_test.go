package normalize_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ringwall/ringwall/guard/normalize"
)

// Every character of Unicode, whether it is in the table or not, is shown as the
// package says: taken apart, without what is not seen, in lower case where that
// is as long.
func TestEveryRune(t *testing.T) {
	accent := func(r rune) bool {
		return r >= 0x300 && (r <= 0x36F || 0x483 <= r && r <= 0x489 || 0x1AB0 <= r && r <= 0x1AFF || 0x1DC0 <= r && r <= 0x1DFF || 0x20D0 <= r && r <= 0x20FF || 0xFE20 <= r && r <= 0xFE2F)
	}
	var b normalize.Buffer
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		want := []byte{}
		if !normalize.Ignorable(r) && !accent(r) {
			form := string(r)
			if r != utf8.RuneError {
				form = norm.NFKD.String(form)
			}
			for _, c := range form {
				switch {
				case normalize.Ignorable(c) || accent(c):
					continue
				case c == 0x2800 || unicode.Is(unicode.Zs, c):
					c = ' '
				case c >= utf8.RuneSelf && unicode.Is(unicode.Nd, c):
					c = '0' + digit(c)
				}
				want = utf8.AppendRune(want, c)
			}
		}
		b.Reset()
		b.Append([]byte(string(r)), true)
		clean, folded, _ := b.Window()
		if string(clean) != string(want) {
			t.Fatalf("%U %q is shown as %q, want %q", r, r, clean, want)
		}
		for off, c := range clean {
			if start, end := b.Start(off), b.End(off+1); utf8.RuneStart(c) && start != 0 || end < start || off+1 == len(clean) && end != len(string(r)) || c < utf8.RuneSelf && r >= utf8.RuneSelf && end != len(string(r)) {
				t.Fatalf("%U %q: byte %d of the view stands for [%d, %d)", r, r, off, start, end)
			}
		}
		lower := []byte{}
		for _, c := range string(want) {
			l := unicode.ToLower(c)
			if l == 'ς' {
				l = 'σ'
			}
			if utf8.RuneLen(l) != utf8.RuneLen(c) {
				l = c
			}
			lower = utf8.AppendRune(lower, l)
		}
		if string(folded) != string(lower) {
			t.Fatalf("%U %q is folded to %q, want %q", r, r, folded, lower)
		}
	}
}

// digit counts from the zero of a script: decimal digits stand in tens, each from
// a zero on.
func digit(r rune) rune {
	for _, x := range unicode.Nd.R16 {
		if lo, hi := rune(x.Lo), rune(x.Hi); lo <= r && r <= hi {
			return (r - lo) % 10
		}
	}
	for _, x := range unicode.Nd.R32 {
		if lo, hi := rune(x.Lo), rune(x.Hi); lo <= r && r <= hi {
			return (r - lo) % 10
		}
	}
	return 0
}
