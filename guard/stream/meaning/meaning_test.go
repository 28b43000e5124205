package meaning_test

import (
	"math"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/meaning"
	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// shouts is a model that knows one thing: the word fire.
func shouts(t testing.TB) *meaning.Scanner {
	t.Helper()
	words, err := wordvec.Default()
	if err != nil {
		t.Fatal(err)
	}
	var fire feature
	var r textmodel.Reader
	r.Read(words, []byte("fire"), 0, true, &fire)
	w := textmodel.Weights{
		Info:   textmodel.Info{Outputs: []textmodel.Output{{Name: "fire", Anchors: []textmodel.Anchor{{Logit: 0, Score: 0}, {Logit: 8, Score: 1}}}}},
		Pieces: words.Len(), Filters: 8, Taps: 1, Wides: 1, Table: make([]float32, 8*words.Len()), Bias: make([]float32, 8), Out: [][]float32{{}}, OBias: []float32{0},
		Grams: map[uint64][]float32{uint64(fire): {40}},
	}
	b, err := w.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := textmodel.Load(b, words)
	if err != nil {
		t.Fatal(err)
	}
	return meaning.New(meaning.Config{
		Model: m, Scores: []string{"fire"},
		Tell: func(_ stream.Scope, s []float64, report func(string, float64)) {
			if s[0] > 0.3 {
				report("fire", s[0])
			}
		},
		Skip: func(sc stream.Scope) string {
			if sc.Origin == ringwall.System {
				return "operator-text"
			}
			return ""
		},
	})
}

// feature is the first feature that a reader shows.
type feature uint64

func (f *feature) Word(_ []int32, _ int, grams *[textmodel.Grams]uint64) { *f = feature(grams[0]) }
func (f *feature) End(int, int)                                          {}

func look(t testing.TB, s *meaning.Scanner, text string, size int) ([]ringwall.Finding, float64) {
	t.Helper()
	c, _ := s.Begin(stream.Scope{Origin: ringwall.User})
	r := stream.New(stream.Config{
		Watches: []stream.Watch{{Control: "c", Cursor: c}},
		Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Allow },
	})
	for ; len(text) > size; text = text[size:] {
		r.Write([]byte(text[:size]))
	}
	r.Text(text)
	defer c.(stream.Freer).Free()
	score, _ := r.Scores().Of(ringwall.Input, "fire")
	return r.Findings(), score
}

func TestReportsTheBlockAndTheScoreOfTheWorst(t *testing.T) {
	s := shouts(t)
	calm := strings.Repeat("all is calm and quiet here and so it stays for now and ever. ", 12)
	text := calm + "fire fire fire. " + calm
	for _, size := range []int{1, 7, len(text)} {
		fs, score := look(t, s, text, size)
		if len(fs) == 0 || score <= 0.3 {
			t.Fatalf("in pieces of %d: %v, score %v", size, fs, score)
		}
		if at := strings.Index(text, "fire"); fs[0].Where.Start > at || fs[0].Where.End < at+4 || fs[0].Where.End-fs[0].Where.Start > 640 {
			t.Errorf("in pieces of %d: the finding %+v is not about the block of %d", size, fs[0], at)
		}
	}
	if fs, score := look(t, s, calm, 5); len(fs) > 0 || score > 0 {
		t.Errorf("of nothing: %v, score %v", fs, score)
	}
	if c, why := s.Begin(stream.Scope{Origin: ringwall.System}); c != nil || why != "operator-text" {
		t.Errorf("what is to be skipped is looked at: %q", why)
	}
}

func TestLaterBlocksCountALittleLess(t *testing.T) {
	if meaning.Discount(0) != 0 || meaning.Discount(10) > 0.2 {
		t.Errorf("short texts are discounted by %v", meaning.Discount(10))
	}
	for n := 1; n < 1<<20; n *= 2 {
		if meaning.Discount(2*n) <= meaning.Discount(n) || meaning.Discount(n) > math.Log(float64(n)+2) {
			t.Errorf("the discount of block %d is %v", n, meaning.Discount(n))
		}
	}
}
