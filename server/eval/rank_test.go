package eval_test

import (
	"math"
	"testing"

	"github.com/ringwall/ringwall/server/eval"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-4 || math.IsNaN(a) && math.IsNaN(b) }

func TestWilson(t *testing.T) {
	tests := []struct {
		name      string
		share     eval.Share
		low, high float64
	}{
		{"in the middle", eval.Share{Hits: 8, Of: 10}, 0.4902, 0.9433},
		{"none of ten may still be a quarter", eval.Share{Hits: 0, Of: 10}, 0, 0.2775},
		{"all of ten may still miss a quarter", eval.Share{Hits: 10, Of: 10}, 0.7225, 1},
		{"many", eval.Share{Hits: 950, Of: 1000}, 0.9346, 0.9619},
		{"of nothing", eval.Share{}, math.NaN(), math.NaN()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if low, high := test.share.Wilson(); !near(low, test.low) || !near(high, test.high) {
				t.Errorf("%v: %.4f to %.4f, want %.4f to %.4f", test.share, low, high, test.low, test.high)
			}
		})
	}
}

func TestRanking(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		name               string
		positive, negative []float64
		auc, ap            float64
		half               float64 // recall where half of the negatives may be flagged
		at                 float64
	}{
		{"apart", []float64{0.9, 0.8}, []float64{0.2, 0.1}, 1, 1, 1, 0.2},
		{"the wrong way round", []float64{0.1, 0.2}, []float64{0.8, 0.9}, 0, (1.0/3 + 2.0/4) / 2, 0, 0.9},
		// 0.9 beats both negatives; each 0.5 ties with one and beats the other: (2 + 1.5 + 1.5)/6.
		// Precision is 1 at 0.9 for a third of the recall, 3/4 at 0.5 for two thirds.
		{"ties count half", []float64{0.9, 0.5, 0.5}, []float64{0.5, 0.1}, 5.0 / 6, 1.0/3 + 2.0/3*0.75, 1, 0.5},
		{"all are tied", []float64{0, 0, 0}, []float64{0}, 0.5, 0.75, 0, inf},
		{"no threshold parts a tie", []float64{0.9, 0.9}, []float64{0.9, 0.9, 0.1}, 2.0 / 3, 0.5, 0, inf},
		{"no negatives", []float64{0.9}, nil, math.NaN(), 1, 1, 0.9},
		{"no positives", nil, []float64{0.9, 0.5}, math.NaN(), math.NaN(), math.NaN(), 0.9},
		{"what is no number is lowest", []float64{0.9, math.NaN()}, []float64{0.5}, 0.5, 0.5*1 + 0.5*2/3, 0.5, 0.9},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var r eval.Ranking
			for _, s := range test.positive {
				r.Add(s, true)
			}
			for _, s := range test.negative {
				r.Add(s, false)
			}
			if got := r.AUC(); !near(got, test.auc) {
				t.Errorf("AUC %.4f, want %.4f", got, test.auc)
			}
			if got := r.AveragePrecision(); !near(got, test.ap) {
				t.Errorf("average precision %.4f, want %.4f", got, test.ap)
			}
			recall, at := r.RecallAt(0.5)
			if !near(recall.Value(), test.half) || at != test.at {
				t.Errorf("recall %.4f from %v, want %.4f from %v", recall.Value(), at, test.half, test.at)
			}
			if n, p := r.Above(at); n.Hits > (n.Of+1)/2 || p != recall {
				t.Errorf("from %v there are %v negatives and %v positives; the recall was %v", at, n, p, recall)
			}
		})
	}
}

func TestRankingIsBounded(t *testing.T) {
	var r eval.Ranking
	const n = 400_000
	for i := range n {
		r.Add(float64(i)/n, i >= n/2)
		if i == n/4 && r.Coarse() {
			t.Error("a hundred thousand scores are too many already")
		}
	}
	if !r.Coarse() {
		t.Error("any number of scores is kept")
	}
	if auc := r.AUC(); auc != 1 {
		t.Errorf("AUC %v of classes that are apart, want 1", auc)
	}
	if recall, at := r.RecallAt(0.001); !near(recall.Value(), 1) || at > 0.5 {
		t.Errorf("recall %v from %v, want all from below 0.5", recall, at)
	}
}
