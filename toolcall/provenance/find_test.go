package provenance

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// The quick search finds what the slow one does, in texts of few letters, in which it
// changes its way, and of many.
func TestCursorFindsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	draw := func(n int, alphabet string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	for i := range 3000 {
		alphabet := []string{"ab", "abC", "aZ@.", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ 0123456789.,@\xc3\xa9"}[r.IntN(4)]
		run := strings.ToLower(strings.Map(func(r rune) rune {
			if r == ' ' || r >= 0x80 {
				return 'x'
			}
			return r
		}, draw(1+r.IntN(6), alphabet)))
		s := draw(r.IntN(3000), alphabet)
		var want, got []int
		lowered := []byte(s)
		for j, c := range lowered {
			if c >= 'A' && c <= 'Z' {
				lowered[j] = c + 'a' - 'A'
			}
		}
		for j := range s {
			if strings.HasPrefix(string(lowered[j:min(j+len(run), len(s))]), run) {
				want = append(want, j)
			}
		}
		a := anchorAt(run, 0)
		c := cursor{a: &a, s: s, work: math.MaxInt}
		for at := c.next(); at >= 0; at = c.next() {
			got = append(got, at)
		}
		if len(got) != len(want) {
			t.Fatalf("case %d: %q in %q: %v, want %v", i, run, s, got, want)
		}
		for j := range got {
			if got[j] != want[j] {
				t.Fatalf("case %d: %q in %q: %v, want %v", i, run, s, got, want)
			}
		}
	}
}

// What is found with an anchor is what is found in folded copies.
func TestSpellingsAreFoundAsInFoldedCopies(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 5))
	pieces := []string{"a", "B", "ab", " ", "\n\t", "-", "–", "'", "“", "é", "e\u0301", "ﬁ", "Ａ", "\u00ad", "田", "ς", "K", ".", "1", "İ"}
	draw := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	for i := range 20000 {
		s, v := draw(r.IntN(40)), draw(1+r.IntN(4))
		p := spellOf(v)
		if p.needle == "" {
			continue
		}
		quick := false
		p.each(s, func(found) bool { quick = true; return false })
		slow := strings.Contains(fold(s), p.needle)
		if quick && !slow || slow && !quick && p.anchor.run != "" && !hides(s) {
			t.Fatalf("case %d: %q in %q: quick %v, slow %v", i, v, s, quick, slow)
		}
	}
}
