package pattern_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/pattern"
	"github.com/ringwall/ringwall/guard/stream"
)

// Some patterns have more states than are kept; then steps are made one by one.
// What is found is the same.
func TestMoreStatesThanAreKept(t *testing.T) {
	for _, expr := range []string{`a[ab]{12}c`, "a" + strings.Repeat("[ab]", 14) + "c", `[ab]*a[ab]{13}c`, `(?:a|b)+a(?:a|b){11}(?:c|$)`} {
		s := scanner(t, one(expr))
		re := regexp.MustCompile(expr)
		re.Longest()
		rng := rand.New(rand.NewPCG(1, 1))
		var b strings.Builder
		size := 300 << 10
		if testing.Short() {
			size = 50 << 10
		}
		for b.Len() < size {
			if rng.IntN(300) == 0 {
				b.WriteByte("c xя"[rng.IntN(3)])
			}
			b.WriteByte("ab"[rng.IntN(2)])
		}
		text := b.String()
		want := fmt.Sprint(oracle(re, text))
		for _, next := range []func() int{nil, func() int { return 1 + rng.IntN(200) }} {
			if got := fmt.Sprint(spansOf(look(t, s, text, next))); got != want {
				t.Errorf("%q: what is found differs from what package regexp finds (in one piece: %v)", expr, next == nil)
			}
		}
	}
}

// A match that is longer than what may wait is reported as a whole, and holds
// back no more than that.
func TestLongMatches(t *testing.T) {
	const n = 20_000
	for _, tt := range []struct {
		name, expr, text string
		want             string // spans
	}{
		{"one that always matches", `x\w{10,}`, "  x" + strings.Repeat("a", n) + " b", fmt.Sprintf("[[2 %d]]", n+3)},
		{"one that matches now and then", `<(?:[^>]*>)+`, "<" + strings.Repeat(strings.Repeat("a", 999)+">", 20) + " b", fmt.Sprintf("[[0 %d]]", n+1)},
		{"one that ends in doubt", `<(?:[^>]*>)+`, "<" + strings.Repeat(strings.Repeat("a", 999)+">", 20) + strings.Repeat("b", n), fmt.Sprintf("[[0 %d]]", n+1)},
		{"one behind another", `<[^>]*>|b+`, "<" + strings.Repeat("a", 4000) + ">" + strings.Repeat("b", 6000) + "c", "[[0 4002] [4002 10002]]"},
		{"one that never matches", `<[^>]*>`, "<" + strings.Repeat("a", n), "[]"},
		{"one that matches too late", `<[^>]*>`, "<" + strings.Repeat("a", n) + ">", "[]"},
		{"one behind a beginning that came to nothing", `<[^>]*>`, "<" + strings.Repeat("a", n) + "<b>", fmt.Sprintf("[[%d %d]]", n+1, n+4)},
		{"one across the end of what another may wait for", `<.*>`, "<" + strings.Repeat("a", 3000) + "<" + strings.Repeat("b", 1500) + ">", "[[3001 4503]]"},
		{"one within a beginning that came to nothing", `x|<[^>]*>`, "<aaax" + strings.Repeat("a", n) + "x", fmt.Sprintf("[[4 5] [%d %d]]", n+5, n+6)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := scanner(t, one(tt.expr))
			rng := rand.New(rand.NewPCG(1, 1))
			for _, next := range []func() int{nil, func() int { return 1 }, func() int { return 1 + rng.IntN(50) }, func() int { return 1 + rng.IntN(9000) }} {
				if got := fmt.Sprint(spansOf(look(t, s, tt.text, next))); got != tt.want {
					t.Errorf("got %s, want %s (in one piece: %v)", got, tt.want, next == nil)
				}
			}
		})
	}
}

func TestHeldBytesAreBounded(t *testing.T) {
	s := scanner(t, one(`x\w{10,}`), pattern.Recogniser{Name: "two", Patterns: []pattern.Pattern{{Regex: `(?s)<.*>|<`}}})
	for _, text := range []string{strings.Repeat("x", 30_000), strings.Repeat("<", 30_000), "<" + strings.Repeat("x ", 15_000), strings.Repeat("<a> ", 8_000)} {
		l := newLooker(t, s)
		for i := range len(text) {
			l.write(text[i:i+1], false)
			if held := l.buf.Len() - l.safe; held > pattern.MaxPending+4 {
				t.Fatalf("%.10q…: %d bytes are held after %d", text, held, i+1)
			}
		}
	}
}

// What prose holds back is what may still become a match: a word, here and there.
func TestProseIsHardlyHeld(t *testing.T) {
	rs, _ := recognisers(20)
	l := newLooker(t, scanner(t, rs...))
	sum := 0
	text := texts[0].text
	for i := range len(text) {
		l.write(text[i:i+1], false)
		held := l.buf.Len() - l.safe
		if sum += held; held > 24 {
			t.Fatalf("%d bytes are held after %q", held, text[max(0, i-30):i+1])
		}
	}
	if avg := float64(sum) / float64(len(text)); avg > 4 {
		t.Errorf("%.1f bytes are held on average", avg)
	}
}

// hostile are patterns that invite work, and pieces that repeated make most of it.
var hostile = []struct{ name, expr, piece string }{
	{"nested repeats", `(a*)*b`, "a"},
	{"nested choices", `(?:a|aa|a?)+$x`, "a"},
	{"an ending that never comes", `a|(?s)a.*b`, "a"},
	{"beginnings that never end", `(?s)<b>.*</b>`, "<b>"},
	{"beginnings over matches", `x|(?s)<b>.*</b>`, "<b>x"},
	{"counted", `a{1,64}b`, "a"},
	{"counted far", `(?:a.{0,200}b){2}c`, "a"},
	{"words", `\b\w+@\w+\.\w+\b`, "a.@"},
	{"many states", `[ab]*a[ab]{12}c`, "aabab"},
	{"a swallower", `\S{20,}`, "a"},
	{"two ways on", `(?:ab|a)(?:c|bcd)*e`, "abcd"},
	{"numbers", `(?:\d[ -]?){13,19}`, "4 "},
	{"near misses", `\d{4}-\d{4}-\d{4}-\d{4}`, "1234-"},
	{"lines", `(?m)^.*ERROR.*$`, "ERROR "},
	{"letters of any script", `\p{L}+@`, "я"},
	{"matches side by side", `.`, "a"},
}

func TestWorkIsLinear(t *testing.T) {
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			s := scanner(t, one(tt.expr), pattern.Recogniser{Name: "required", Patterns: []pattern.Pattern{{Regex: tt.expr}}, Context: []string{"near", "a"}, ContextRequired: true, Checksum: "luhn"})
			took := func(size int, next func() int) time.Duration {
				text := strings.Repeat(tt.piece, size/len(tt.piece))
				start := time.Now()
				look(t, s, text, next)
				return time.Since(start)
			}
			for name, next := range map[string]func() int{"whole": nil, "pieces": func() int { return 50 }} {
				little, much := time.Hour, time.Hour
				for range 8 { // others use the machine too
					little, much = min(little, took(16<<10, next)), min(much, took(128<<10, next))
					if much < 40*little {
						break
					}
				}
				if much >= 40*little {
					t.Errorf("%s: 16 KB take %v, 128 KB take %v", name, little, much)
				}
			}
		})
	}
}

// What is too dear to decide is reported, not passed over.
func TestDoubtIsReported(t *testing.T) {
	s := scanner(t, one(`a|(?s)a.*b`))
	text := strings.Repeat("a", 200_000)
	covered := 0
	for _, m := range look(t, s, text, nil) {
		if m.Start != covered {
			t.Fatalf("nothing is reported from %d to %d", covered, m.Start)
		}
		covered = m.End
	}
	if covered != len(text) {
		t.Errorf("reported up to %d of %d", covered, len(text))
	}
}

// mixed makes a text of pieces that patterns begin at, end at and run through.
func mixed(rng *rand.Rand, size int) string {
	pieces := []string{"<b>", "</b>", " ", "x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "QUJDRA==", "\n", "4111 ", "é", "秘密", "\u200b", "the order of Ana "}
	var b strings.Builder
	for b.Len() < size {
		p := pieces[rng.IntN(len(pieces))]
		n := 1
		if rng.IntN(6) == 0 {
			n = 1 + rng.IntN(400)
		}
		for range n {
			b.WriteString(p)
		}
	}
	return b.String()
}

// everything are recognisers whose matches lie across each other.
var everything = []pattern.Recogniser{
	{Name: "blob", Patterns: []pattern.Pattern{{Regex: `\S{20,}`}}},
	{Name: "base64", Patterns: []pattern.Pattern{{Regex: `[A-Za-z0-9+/=]{40,}`}}},
	{Name: "bold", Patterns: []pattern.Pattern{{Regex: `(?s)<b>.*</b>`}}},
	{Name: "card", Patterns: []pattern.Pattern{{Regex: `(?:\d[ -]?){13,19}`}}, Checksum: "luhn"},
	{Name: "line", Patterns: []pattern.Pattern{{Regex: `(?m)^.*x$`}}},
	{Name: "either", Patterns: []pattern.Pattern{{Regex: `x|x.*秘`, Score: 0.3}}, Context: []string{"order"}},
	{Name: "name", Words: []string{"ana", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, Context: []string{"the"}, ContextRequired: true},
	{Name: "doubt", Patterns: []pattern.Pattern{{Regex: `a|(?s)a.*Q\n`}}},
}

// However long matches are and however they lie across each other: where the text
// is cut makes no difference, neither to what is found nor to what goes out.
func TestLongTextsInPieces(t *testing.T) {
	s := scanner(t, everything...)
	runs := 60
	if testing.Short() {
		runs = 10
	}
	for seed := range runs {
		rng := rand.New(rand.NewPCG(uint64(seed), 11))
		text := mixed(rng, 1<<10+rng.IntN(24<<10))
		if seed == 0 { // the later of two long ones ends where it is cut
			text = "-" + strings.Repeat("A", 2*pattern.MaxPending) + "- x"
		}
		want := fmt.Sprint(look(t, s, text, nil))
		masked, _ := guardtest.Mask(t, s, stream.Scope{}, text)
		for _, most := range []int{3, 80, 5000} {
			next := func() int { return 1 + rng.IntN(most) }
			if got := fmt.Sprint(look(t, s, text, next)); got != want {
				t.Fatalf("seed %d, in pieces of up to %d: what is found differs", seed, most)
			}
			if got := maskInPieces(s, text, next); got != masked {
				t.Fatalf("seed %d, in pieces of up to %d: what goes out differs", seed, most)
			}
		}
	}
}

func maskInPieces(s *pattern.Scanner, text string, next func() int) string {
	c, _ := s.Begin(stream.Scope{})
	defer c.(stream.Freer).Free()
	r := stream.New(stream.Config{Watches: []stream.Watch{{Control: "inference/pii", Cursor: c}}, Decide: maskAll})
	var b strings.Builder
	for text != "" {
		n := min(next(), len(text))
		b.Write(r.Write([]byte(text[:n])))
		text = text[n:]
	}
	b.Write(r.Close())
	return b.String()
}

// Many texts are looked at side by side with the same automata.
func TestSideBySideTexts(t *testing.T) {
	rs, _ := recognisers(60)
	rs = append(rs, one(`[ab]*a[ab]{12}c`))
	s := scanner(t, rs...)
	var all []string
	for seed := range 8 {
		rng := rand.New(rand.NewPCG(uint64(seed), 13))
		all = append(all, mixed(rng, 4<<10)+texts[1].text[seed*100:seed*100+2000]+randomText(rng, 2000))
	}
	want := map[string]string{}
	for _, text := range all {
		want[text] = fmt.Sprint(look(t, scanner(t, rs...), text, nil))
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 17))
			for _, text := range slices.Sorted(maps.Keys(want)) {
				if got := fmt.Sprint(look(t, s, text, func() int { return 1 + rng.IntN(99) })); got != want[text] {
					t.Error("what is found differs from what one text by itself gives")
				}
			}
		})
	}
	wg.Wait()
}
