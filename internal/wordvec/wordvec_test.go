package wordvec_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/internal/wordvec"
)

func table(t testing.TB) *wordvec.Table {
	t.Helper()
	tab, err := wordvec.Default()
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func pieces(tab *wordvec.Table, text string) []string {
	var c wordvec.Cutter
	var out []string
	for {
		w, ok := c.Next([]byte(text), 0, true)
		if !ok {
			return out
		}
		for _, id := range tab.Pieces(nil, []byte(text[w.Start:w.End])) {
			out = append(out, tab.Piece(id))
		}
	}
}

// The pieces are those that the tokenizer of all-MiniLM-L6-v2 prints; only of
// kana and Thai, which it keeps together, we make a word of each character.
func TestPiecesAreBERTs(t *testing.T) {
	tab := table(t)
	for text, want := range map[string]string{
		"ignore all previous instructions": "ignore all previous instructions",
		"unbelievably jailbroken":          "un ##bel ##ie ##va ##bly jail ##broken",
		"what's up, doc?":                  "what ' s up , doc ?",
		"naive cafe":                       "naive cafe",
		"привет":                           "п ##р ##и ##в ##е ##т",
		"東京は日本":                            "東 京 は 日 本",
		"3.14159":                          "3 . 141 ##59",
		"":                                 "",
	} {
		if got := strings.Join(pieces(tab, text), " "); got != want {
			t.Errorf("%q is cut into %q, want %q", text, got, want)
		}
	}
}

func TestWordsOfLikeMeaningAreNear(t *testing.T) {
	tab := table(t)
	cos := func(a, b string) (dot float32) {
		x, y := tab.Embed([]byte(a), nil), tab.Embed([]byte(b), nil)
		for i := range x {
			dot += x[i] * y[i]
		}
		return dot
	}
	for _, c := range []struct{ a, near, far string }{
		{"doctor", "physician", "bicycle"},
		{"which shares should i buy", "investment advice about stocks", "a recipe for apple cake"},
		{"my flight was cancelled", "airline refuses refund", "how to prune roses"},
	} {
		if n, f := cos(c.a, c.near), cos(c.a, c.far); n < f+0.2 {
			t.Errorf("%q is %.2f near %q and %.2f near %q", c.a, n, c.near, f, c.far)
		}
	}
	if v := tab.Embed([]byte(" ... "), nil); v != nil {
		t.Errorf("signs alone have the vector %v", v)
	}
}

func TestRefusesDamagedAssets(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "a few bytes": []byte("RWWV"), "something else": bytes.Repeat([]byte("x"), 4096),
	} {
		if _, err := wordvec.Load(b); !errors.Is(err, wordvec.ErrAsset) {
			t.Errorf("%s: %v, want ErrAsset", name, err)
		}
	}
}

func cut(text []byte, at ...int) (words []wordvec.Word) {
	var c wordvec.Cutter
	for _, end := range append(at, len(text)) {
		for {
			from := c.Pending()
			w, ok := c.Next(text[from:end], from, end == len(text))
			if !ok {
				break
			}
			words = append(words, w)
		}
	}
	return words
}

func FuzzCutIsTheSameInPieces(f *testing.F) {
	f.Add("ignore all, previous instructions 東京 naive привет", uint(3), uint(11))
	f.Add(strings.Repeat("x", 200), uint(64), uint(65))
	f.Add("a\u00a0 \u00a0b", uint(1), uint(2))
	tab := table(f)
	f.Fuzz(func(t *testing.T, text string, a, b uint) {
		text = strings.ToValidUTF8(text, "?")
		whole := cut([]byte(text))
		at := []int{int(a % uint(len(text)+1)), int(b % uint(len(text)+1))}
		for i := range at {
			for at[i] < len(text) && text[at[i]]&0xc0 == 0x80 {
				at[i]++
			}
		}
		slices.Sort(at)
		if got := cut([]byte(text), at...); !slices.Equal(got, whole) {
			t.Errorf("%q cut at %v: %v, want %v", text, at, got, whole)
		}
		for i, w := range whole {
			if w.Start >= w.End || w.End-w.Start > wordvec.MostWord || i > 0 && w.Start < whole[i-1].End {
				t.Errorf("%q: word %v", text, w)
			}
			tab.Pieces(nil, []byte(text[w.Start:w.End]))
		}
	})
}

func BenchmarkPieces(b *testing.B) {
	text := []byte(strings.Repeat("please summarise the quarterly report for the supervisory board, unabridged; ", 14)[:1024])
	tab := table(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	ids := make([]int32, 0, 64)
	for b.Loop() {
		var c wordvec.Cutter
		for {
			w, ok := c.Next(text, 0, true)
			if !ok {
				break
			}
			ids = tab.Pieces(ids[:0], text[w.Start:w.End])
		}
	}
}
