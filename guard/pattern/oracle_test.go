package pattern_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/pattern"
	"github.com/ringwall/ringwall/guard/stream"
)

// looker is what a window is shown by: the views of a text that grows.
type looker struct {
	t       testing.TB
	cursor  stream.Cursor
	buf     normalize.Buffer
	safe    int
	matches []stream.Match // with what goes on put together
}

func newLooker(t testing.TB, s *pattern.Scanner) *looker {
	c, why := s.Begin(stream.Scope{})
	if c == nil {
		t.Fatalf("nothing to look for: %s", why)
	}
	return &looker{t: t, cursor: c}
}

// write shows one more piece, and forgets what no cursor may look at any more.
func (l *looker) write(piece string, final bool) {
	l.buf.AppendString(piece, final)
	clean, folded, base := l.buf.Window()
	w := stream.Window{Clean: clean, Folded: folded, Base: base, Final: final}
	safe := l.cursor.Scan(w, func(m stream.Match) {
		switch n := len(l.matches); {
		case m.Rest && (n == 0 || l.matches[n-1].End != m.Start):
			l.t.Errorf("%+v goes on with nothing", m)
		case m.Rest:
			l.matches[n-1].End = m.End
		default:
			if m.Start < l.safe {
				l.t.Errorf("%+v begins before %d, which was safe", m, l.safe)
			}
			if n > 0 && m.Start < l.matches[n-1].Start {
				l.t.Errorf("%+v comes after %+v", m, l.matches[n-1])
			}
			l.matches = append(l.matches, m)
		}
	})
	if safe < l.safe || safe > w.End() || final && safe != w.End() {
		l.t.Errorf("safe up to %d, after %d, of %d", safe, l.safe, w.End())
	}
	l.safe = safe
	l.buf.Trim(max(safe-stream.Context, 0), l.buf.Read())
}

// look shows text in pieces whose sizes next gives.
func look(t testing.TB, s *pattern.Scanner, text string, next func() int) []stream.Match {
	l := newLooker(t, s)
	for next != nil && text != "" {
		n := min(max(next(), 1), len(text))
		l.write(text[:n], false)
		text = text[n:]
	}
	l.write(text, true)
	return l.matches
}

func scanner(t testing.TB, rs ...pattern.Recogniser) *pattern.Scanner {
	t.Helper()
	s, err := pattern.New(pattern.Config{Recognisers: rs})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func one(expr string) pattern.Recogniser {
	return pattern.Recogniser{Name: "one", Patterns: []pattern.Pattern{{Regex: expr}}}
}

// oracle is what package regexp finds: leftmost, longest, empty matches left out.
func oracle(re *regexp.Regexp, text string) (spans [][]int) {
	for _, m := range re.FindAllStringIndex(text, -1) {
		if m[0] < m[1] {
			spans = append(spans, m)
		}
	}
	return spans
}

func spansOf(ms []stream.Match) (spans [][]int) {
	for _, m := range ms {
		spans = append(spans, []int{m.Start, m.End})
	}
	return spans
}

// compare checks that expr finds in text what the oracle finds, however the text
// is cut.
func compare(t testing.TB, s *pattern.Scanner, re *regexp.Regexp, text string, rng *rand.Rand) bool {
	want := fmt.Sprint(oracle(re, text))
	for _, next := range []func() int{nil, func() int { return 1 }, func() int { return 1 + rng.IntN(5) }, func() int { return 1 + rng.IntN(40) }} {
		if got := fmt.Sprint(spansOf(look(t, s, text, next))); got != want {
			t.Errorf("%q in %q: got %s, want %s (in one piece: %v)", re, text, got, want, next == nil)
			return false
		}
	}
	return true
}

// atoms, and what may follow them, are what random patterns are made of.
var (
	atoms = []string{
		"a", "b", "c", "ab", "bc", "-", "1", ".", "[ab]", "[^a]", "[a-c1]", `\w`, `\d`, `\s`, `\b`, `\B`, "^", "$", "(?m:^)", "(?m:$)", "(?i:A)", "(?i:B)",
		"я", "[а-я]", `\p{L}`, `\pN`, "(?s:.)", `\A`, `\z`, "", "x|", "(?i:Я)", "[^\\n]", "秘", "(?i:k)",
	}
	repeats = []string{"", "", "", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"}
	letters = []string{"a", "b", "c", "a", "b", "ab", "abc", "-", "1", "12", " ", "\n", "A", "B", "я", "Я", "秘", "_", "x", "K"}
)

func randomExpr(rng *rand.Rand, depth int) string {
	switch n := rng.IntN(10); {
	case depth == 0 || n < 3:
		a := atoms[rng.IntN(len(atoms))]
		return "(?:" + a + ")" + repeats[rng.IntN(len(repeats))]
	case n < 7:
		return randomExpr(rng, depth-1) + randomExpr(rng, depth-1)
	case n < 9:
		return "(?:" + randomExpr(rng, depth-1) + "|" + randomExpr(rng, depth-1) + ")"
	default:
		return "(" + randomExpr(rng, depth-1) + ")" + repeats[rng.IntN(len(repeats))]
	}
}

func randomText(rng *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(letters[rng.IntN(len(letters))])
	}
	return b.String()
}

func TestEqualsRegexp(t *testing.T) {
	runs := 4_000
	if testing.Short() {
		runs = 400
	}
	tried := 0
	for seed := range runs {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		expr := randomExpr(rng, 1+rng.IntN(4))
		s, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{one(expr)}})
		if err != nil {
			if !strings.Contains(err.Error(), "no text but the empty one") {
				t.Fatalf("%q: %v", expr, err)
			}
			continue
		}
		re := regexp.MustCompile(expr)
		re.Longest()
		for range 6 {
			tried++
			if !compare(t, s, re, randomText(rng, rng.IntN(40)), rng) {
				t.Fatalf("seed %d", seed)
			}
		}
	}
	if tried < 5*runs {
		t.Errorf("%d texts were tried, which is too few", tried)
	}
}

// Side by side recognisers see what each sees alone.
func TestSideBySide(t *testing.T) {
	runs := 300
	if testing.Short() {
		runs = 30
	}
	for seed := range runs {
		rng := rand.New(rand.NewPCG(uint64(seed), 5))
		var rs []pattern.Recogniser
		var res []*regexp.Regexp
		for len(rs) < 1+rng.IntN(80) {
			expr := randomExpr(rng, 1+rng.IntN(3))
			r := one(expr)
			r.Name = fmt.Sprintf("r%d", len(rs))
			if _, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{r}}); err != nil {
				continue
			}
			re := regexp.MustCompile(expr)
			re.Longest()
			rs, res = append(rs, r), append(res, re)
		}
		s := scanner(t, rs...)
		for range 3 {
			text := randomText(rng, rng.IntN(60))
			for _, next := range []func() int{nil, func() int { return 1 + rng.IntN(7) }} {
				ms := look(t, s, text, next)
				for i, re := range res {
					var own [][]int
					for _, m := range ms {
						if m.Reason == rs[i].Name {
							own = append(own, []int{m.Start, m.End})
						}
					}
					if got, want := fmt.Sprint(own), fmt.Sprint(oracle(re, text)); got != want {
						t.Fatalf("seed %d: %q in %q: got %s, want %s", seed, re, text, got, want)
					}
				}
			}
		}
	}
}

func FuzzEqualsRegexp(f *testing.F) {
	for i, expr := range []string{`(a|b)*c`, `(a*)*b`, `a{1,64}`, `\b\d{3}-\d{2}\b`, `(?i)straße|k`, `(?m)^.*$`, `a|a.*b`, `\pL+\s?`, `[^a-c]+$`, `x*`} {
		f.Add(expr, "aab 123-45 caaab\nSTRASSE straße K\n\nabc", uint64(i))
	}
	f.Fuzz(func(t *testing.T, expr, text string, seed uint64) {
		if len(expr) > 60 || len(text) > 300 || !utf8.ValidString(text) || normalizes(expr) || normalizes(text) {
			return
		}
		s, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{one(expr)}})
		if err != nil {
			return
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			t.Fatalf("%q is accepted, and by package regexp it is not: %v", expr, err)
		}
		re.Longest()
		compare(t, s, re, text, rand.New(rand.NewPCG(seed, 1)))
	})
}

// normalizes reports whether the clean view of s is not s, or might be another
// thing in a pattern: then the oracle sees something else than the engine.
func normalizes(s string) bool {
	var b normalize.Buffer
	b.AppendString(s, true)
	view, _, _ := b.Window()
	return string(view) != s || slices.ContainsFunc([]rune(s), func(r rune) bool { return 0x1100 <= r && r < 0x1200 }) ||
		strings.Contains(s, `\x`) || strings.Contains(s, `\p`) || strings.Contains(s, `\P`) || strings.ContainsFunc(s, func(r rune) bool { return r > 0x7F })
}

// However a text is cut, the same goes out.
func FuzzPieces(f *testing.F) {
	for i, text := range []string{"x<b>y</b> order x 秘", "ana aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa the ana", "4111 1111 1111 1111, the ana\u200b\xff"} {
		f.Add(text, uint64(i))
	}
	s := scanner(f, everything...)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 1<<14 {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		want := fmt.Sprint(look(t, s, text, nil))
		for _, most := range []int{1, 9} {
			if got := fmt.Sprint(look(t, s, text, func() int { return 1 + rng.IntN(most) })); got != want {
				t.Fatalf("%q in pieces of up to %d: %s, want %s", text, most, got, want)
			}
		}
	})
}
