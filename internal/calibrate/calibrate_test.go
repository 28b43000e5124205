package calibrate_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/internal/calibrate"
)

func curve(t testing.TB, benign, positive []float64) calibrate.Curve {
	t.Helper()
	c, err := calibrate.New(slices.Clone(benign), slices.Clone(positive))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

// steps are n scores spread evenly below most.
func steps(n int, most float64) (out []float64) {
	for i := range n {
		out = append(out, most*float64(i)/float64(n))
	}
	return out
}

func TestCurve(t *testing.T) {
	c := curve(t, []float64{0.1, 0.3, 0.3, math.NaN()}, []float64{0.3, 0.9})
	want := calibrate.Curve{Benign: 4, Positive: 2, Points: []calibrate.Point{{0.1, 0.75, 1}, {0.3, 0.5, 1}, {0.9, 0, 0.5}}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
	for score, want := range map[float64]calibrate.Point{0: {0, 0.75, 1}, 0.2: {0.2, 0.5, 1}, 0.3: {0.3, 0.5, 1}, 0.5: {0.5, 0, 0.5}, 1: {1, 0, 0}} {
		if got := c.At(score); got != want {
			t.Errorf("at %v: %+v, want %+v", score, got, want)
		}
	}
	if _, err := calibrate.New(nil, []float64{1}); !errors.Is(err, calibrate.ErrNoScores) {
		t.Errorf("without benign texts: %v", err)
	}
}

func TestThreshold(t *testing.T) {
	for _, tt := range []struct {
		name             string
		benign, positive []float64
		budget           string
		want             calibrate.Point
		fault            string
	}{
		{"a thousand, one in a hundred", steps(999, 0.999), []float64{0.5, 0.995}, "1%", calibrate.Point{Score: 0.99, FPR: 9. / 999, Recall: 0.5}, ""},
		{"the least that a thousand promise", steps(999, 0.5), []float64{0.25, 0.75}, "0.1%", calibrate.Point{Score: 0.75, FPR: 0, Recall: 0.5}, ""},
		{"less than a hundred can promise", steps(99, 0.5), []float64{0.9}, "0.5%", calibrate.Point{}, "0.5% cannot be promised after 99 benign texts: the least is 1%"},
		{"benign texts alone reach no further than themselves", steps(999, 0.999), nil, "0.1%", calibrate.Point{}, "the least that one does is 0.2%"},
		{"many benign texts at the top", append(steps(90, 0.5), slices.Repeat([]float64{0.8}, 10)...), []float64{0.8}, "1%", calibrate.Point{}, "the least that one does is 10.9%"},
		{"all at the top", []float64{1, 1, 1}, []float64{1}, "50%", calibrate.Point{}, "too many benign texts have the highest score"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := calibrate.ParseBudget(tt.budget)
			if err != nil {
				t.Fatal(err)
			}
			got, err := curve(t, tt.benign, tt.positive).Threshold(b)
			if tt.fault != "" {
				var refused *calibrate.BudgetError
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.fault) {
					t.Fatalf("got %v, %v, want %s", got, err, tt.fault)
				}
				return
			}
			if err != nil || math.Abs(got.Score-tt.want.Score) > 1e-9 || math.Abs(got.FPR-tt.want.FPR) > 1e-9 || got.Recall != tt.want.Recall {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// What a threshold flags of new texts, drawn as the first were, is on average
// within the budget, for small samples too.
func TestBudgetsHoldForNewTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) (out []float64) {
		for range n {
			out = append(out, math.Round(rng.ExpFloat64()*50)/50) // with ties
		}
		return out
	}
	for _, n := range []int{40, 200, 1000} {
		for _, b := range []calibrate.Budget{0.03, 0.1, 0.3} {
			flagged, total := 0, 0
			for range 400 {
				c := curve(t, draw(n), []float64{100})
				p, err := c.Threshold(b)
				if err != nil {
					t.Fatalf("%d texts, %s: %v", n, b, err)
				}
				for _, s := range draw(200) {
					total++
					if s >= p.Score {
						flagged++
					}
				}
			}
			if rate := float64(flagged) / float64(total); rate > float64(b)*1.05 {
				t.Errorf("%d texts: %.4f of new ones were flagged, the budget was %s", n, rate, b)
			}
		}
	}
}

func TestReducedSaysTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var benign, positive []float64
	for range 20000 {
		benign = append(benign, rng.Float64()*rng.Float64())
		positive = append(positive, 1-rng.Float64()*rng.Float64())
	}
	c := curve(t, benign, positive)
	r := c.Reduced()
	if err := r.Check(); err != nil || len(r.Points) > 500 || r.Benign != c.Benign || r.Positive != c.Positive {
		t.Fatalf("%d points, %v", len(r.Points), err)
	}
	for _, p := range r.Points {
		if c.At(p.Score) != p {
			t.Errorf("%+v was %+v", p, c.At(p.Score))
		}
	}
	for _, b := range []calibrate.Budget{0.001, 0.01, 0.1} {
		p, _ := c.Threshold(b)
		q, err := r.Threshold(b)
		if err != nil || q.Score < p.Score || p.Recall-q.Recall > 0.02 {
			t.Errorf("%s: %+v, %v; was %+v", b, q, err, p)
		}
	}
	text, err := json.Marshal(r)
	var back calibrate.Curve
	if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("as JSON it is another: %v", err)
	}
}

func TestCurvesThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    calibrate.Curve
	}{
		{"no texts", calibrate.Curve{Points: []calibrate.Point{{0.5, 0.5, 0.5}}}},
		{"scores that fall", calibrate.Curve{Benign: 9, Points: []calibrate.Point{{0.5, 0.5, 0.5}, {0.4, 0.4, 0.4}}}},
		{"shares that rise", calibrate.Curve{Benign: 9, Points: []calibrate.Point{{0.4, 0.4, 0.5}, {0.5, 0.5, 0.5}}}},
		{"a share above one", calibrate.Curve{Benign: 9, Points: []calibrate.Point{{0.4, 1.5, 0.5}}}},
		{"a score that is no number", calibrate.Curve{Benign: 9, Points: []calibrate.Point{{0.4, 0.5, 0.5}, {math.NaN(), 0.4, 0.4}}}},
	} {
		if tt.c.Check() == nil {
			t.Errorf("%s: nothing is wrong with %+v", tt.name, tt.c)
		}
	}
}

func TestBudgets(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want calibrate.Budget
		out  string
	}{
		{"0.5%", 0.005, "0.5%"},
		{" 0.5 % ", 0.005, "0.5%"},
		{"0.005", 0.005, "0.5%"},
		{"1/200", 0.005, "0.5%"},
		{"1 / 1000", 0.001, "0.1%"},
		{"0.1%", 0.001, "0.1%"},
		{"0.07%", 0.0007, "0.07%"},
		{"12%", 0.12, "12%"},
		{"1e-4", 0.0001, "0.01%"},
		{"1/3", 1. / 3, "0.3333333333333333"},
	} {
		got, err := calibrate.ParseBudget(tt.in)
		if err != nil || got != tt.want || got.String() != tt.out {
			t.Errorf("%q: %v (%s), %v, want %v (%s)", tt.in, float64(got), got, err, float64(tt.want), tt.out)
		}
	}
	for _, bad := range []string{"", "0", "0%", "-1%", "100%", "1", "200/1", "1/0", "0/0", "a", "1%%", "NaN", "Inf", "0x1p-3", "none", "1/2/3", "0,5%"} {
		if got, err := calibrate.ParseBudget(bad); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
	var b calibrate.Budget = 1
	if err := b.UnmarshalText([]byte("none")); err != nil || b != 0 || b.String() != "none" {
		t.Errorf("none was read as %v, %v", b, err)
	}
}

func FuzzBudgetsAreReadAsTheyAreWritten(f *testing.F) {
	for _, s := range []string{"0.5%", "1/200", "0.005", "1/3", "99.99999999%", "1e-300"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := calibrate.ParseBudget(s)
		if err != nil {
			return
		}
		if back, err := calibrate.ParseBudget(b.String()); err != nil || back != b {
			t.Errorf("%q is %v, written %s, read as %v, %v", s, float64(b), b, float64(back), err)
		}
	})
}

// The values are those of the tables of Clopper and Pearson's interval.
func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		hits, of  int64
		low, high float64
	}{
		{0, 10, 0, 0.3085},
		{1, 10, 0.0025, 0.4450},
		{5, 10, 0.1871, 0.8129},
		{10, 10, 0.6915, 1},
		{0, 1000, 0, 0.00368},
		{10, 1000, 0.00480, 0.01831},
		{0, 0, 0, 1},
		{50000, 100000, 0.49690, 0.50310},
	} {
		low, high := calibrate.Bounds(tt.hits, tt.of, 0.95)
		if math.Abs(low-tt.low) > 1e-4 || math.Abs(high-tt.high) > 1e-4 {
			t.Errorf("%d of %d: %.5f to %.5f, want %.5f to %.5f", tt.hits, tt.of, low, high, tt.low, tt.high)
		}
	}
}
