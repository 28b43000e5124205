package sentence_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringwall/ringwall/internal/sentence"
)

// cuts returns the sentences of a text that comes in pieces of the sizes that
// next gives, and how much of it was waited for at most.
func cuts(text string, most int, next func() int) (out []string, held int) {
	c := sentence.Cutter{Most: most}
	var win []byte
	base := 0
	for n := 0; ; {
		final := n == len(text)
		for {
			start, end, ok := c.Next(win, base, final)
			if !ok {
				break
			}
			out = append(out, string(win[start-base:end-base]))
		}
		if keep := c.Pending() - base; keep > 0 {
			win, base = append(win[:0], win[keep:]...), base+keep
		}
		held = max(held, len(win))
		if final {
			return out, held
		}
		k := min(max(next(), 1), len(text)-n)
		win = append(win, text[n:n+k]...)
		n += k
	}
}

func whole(text string, most int) []string {
	out, _ := cuts(text, most, func() int { return len(text) })
	return out
}

func TestSentences(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"white space alone", " \n\t\u00a0 ", nil},
		{"two of them", "It rains. Take a coat!", []string{"It rains.", "Take a coat!"}},
		{"the last has no mark", "It rains. Take a coat", []string{"It rains.", "Take a coat"}},
		{"lower case alone", "it rains. take a coat", []string{"it rains.", "take a coat"}},
		{"several marks", "What?! No... Yes", []string{"What?!", "No...", "Yes"}},
		{"quotes that close", `"It rains." He left.`, []string{`"It rains."`, "He left."}},
		{"numbers", "It costs 3.50 at 1.000.000 pieces. Then less.", []string{"It costs 3.50 at 1.000.000 pieces.", "Then less."}},
		{"titles", "Dr. Smith met Mrs. Jones. They spoke.", []string{"Dr. Smith met Mrs. Jones.", "They spoke."}},
		{"initials", "J. R. Ewing left. Nobody wept.", []string{"J. R. Ewing left.", "Nobody wept."}},
		{"abbreviations inside", "Fruit, e.g. Apples, pears etc. are sold at 5 p.m. every day.", []string{"Fruit, e.g. Apples, pears etc. are sold at 5 p.m. every day."}},
		{"an abbreviation at the end", "They sell fruit etc. We buy it.", []string{"They sell fruit etc.", "We buy it."}},
		{"hosts and files", "See docs.example.com or a.b.c for main.go. Done", []string{"See docs.example.com or a.b.c for main.go.", "Done"}},
		{"numbered items", "1. Open it. 2. Close it.", []string{"1. Open it.", "2. Close it."}},
		{"lines", "First line\nSecond line\n- third", []string{"First line", "Second line", "- third"}},
		{"a line that goes on", "The first line\ngoes on here. End", []string{"The first line\ngoes on here.", "End"}},
		{"an empty line", "the first\n\nthe second", []string{"the first", "the second"}},
		{"Chinese", "今天下雨。请带伞！好吗？好", []string{"今天下雨。", "请带伞！", "好吗？", "好"}},
		{"Chinese as the views have it", "今天下雨。请带伞!好", []string{"今天下雨。", "请带伞!", "好"}},
		{"Hindi", "आज बारिश है। छाता लो।", []string{"आज बारिश है।", "छाता लो।"}},
		{"Arabic", "هل تمطر؟ نعم", []string{"هل تمطر؟", "نعم"}},
		{"a number of something", "See No. 5 and fig. 3. No. We will not.", []string{"See No. 5 and fig. 3.", "No.", "We will not."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := whole(tt.text, 0); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			var each []string
			for start, end := range sentence.Each(tt.text, 0) {
				each = append(each, tt.text[start:end])
			}
			if !slices.Equal(each, tt.want) {
				t.Errorf("Each: got  %q\nwant %q", each, tt.want)
			}
		})
	}
}

// What has no end is cut behind a word, and before the bound.
func TestLongSentence(t *testing.T) {
	for name, unit := range map[string]string{"words": "and so on ", "one word": "a", "Han": "\u79d8", "stops": ".", "stops apart": "a.b", "spaces": " ", "lines": "a\nb", "broken bytes": "\xe2\x80"} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(unit, 4000/len(unit))
			kept := 0
			for _, s := range whole(text, 200) {
				kept += len(strings.Join(strings.Fields(s), ""))
				if len(s) > 200+utf8.UTFMax+24 {
					t.Errorf("a sentence has %d bytes", len(s))
				}
				if name == "words" && !strings.HasSuffix(s, "on") && !strings.HasSuffix(s, "so") && !strings.HasSuffix(s, "and") {
					t.Errorf("a word is cut: %q", s)
				}
				if utf8.ValidString(text) && !utf8.ValidString(s) {
					t.Errorf("a character is cut: %q", s)
				}
			}
			if all := len(strings.Join(strings.Fields(text), "")); kept != all {
				t.Errorf("%d of %d bytes are in sentences", kept, all)
			}
		})
	}
}

var pieces = []string{
	"It rains. ", "Take 3.5 of it", "Dr. ", "Smith", "e.g. ", "\n", "\n\n", "wrapped\nline ", "?! ", "\" ", "今天。", "好!", "…", " ", "1. ", "No. 5", "U.S. ", "\u2019", "\xe2\x80", ".", "a.", "!", ")", strings.Repeat("x", 70), strings.Repeat("word ", 30),
}

func TestCutsAreThoseOfTheWhole(t *testing.T) {
	for seed := range 4000 {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		var b strings.Builder
		for range 1 + rng.IntN(14) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		agree(t, b.String(), rng)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func agree(t *testing.T, text string, rng *rand.Rand) {
	t.Helper()
	for _, most := range []int{0, 32, 90} {
		want := whole(text, most)
		for _, size := range []int{1, 3, 20} {
			got, held := cuts(text, most, func() int { return 1 + rng.IntN(size) })
			if !slices.Equal(got, want) {
				t.Errorf("bound %d, pieces of %d\nof   %q\ngot  %q\nwant %q", most, size, text, got, want)
				return
			}
			if bound := max(most, 32); most > 0 && held > bound+80 {
				t.Errorf("%d bytes wait, the bound is %d", held, bound)
			}
		}
	}
}

func FuzzCutter(f *testing.F) {
	for i, p := range pieces {
		f.Add(p+pieces[(i+7)%len(pieces)]+" end", uint64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 1<<12 {
			return
		}
		agree(t, text, rand.New(rand.NewPCG(seed, 2)))
		var all strings.Builder
		for _, s := range whole(text, 40) {
			all.WriteString(s + "\n") // lest halves of characters come together
		}
		if a, b := strings.Join(strings.Fields(all.String()), ""), strings.Join(strings.Fields(text), ""); a != b {
			t.Errorf("of   %q\nkept %q", b, a)
		}
	})
}

// No text makes the work grow faster than it does.
func TestWorkIsLinear(t *testing.T) {
	for _, unit := range []string{"a", ".", "a.", " ", "\n", "mr. ", "?)", "\u2026", "a\n", "\xe2"} {
		took := func(size int) time.Duration {
			text := strings.Repeat(unit, size/len(unit))
			best := time.Hour
			for range 5 {
				start := time.Now()
				cuts(text, 0, func() int { return 64 })
				best = min(best, time.Since(start))
			}
			return best
		}
		if little, much := took(16<<10), took(128<<10); much > 40*little {
			t.Errorf("%q: 16 KB take %v, 128 KB take %v", unit, little, much)
		}
	}
}

func BenchmarkCutter(b *testing.B) {
	text := []byte(strings.Repeat("The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. ", 80)[:8<<10])
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var c sentence.Cutter
		for {
			if _, _, ok := c.Next(text, 0, true); !ok {
				break
			}
		}
	}
}
