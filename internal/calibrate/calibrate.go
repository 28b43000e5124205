// Package calibrate chooses thresholds by how often they may be wrong.
//
// A [Curve] says of each threshold on a score what share of benign texts it flags
// and what share of the others: [New] makes one of the scores of labelled texts, or
// of benign ones alone, and a classifier brings one along that was made when it was
// trained. [Curve.Threshold] is the way back: from a [Budget] of false positives to
// the lowest threshold that keeps to it.
//
// Of n benign texts nothing can be learnt about what happens less often than once in
// n, so a budget below 1/(n+1) is refused, and within that the threshold is chosen
// on the safe side: as if the next text were to be flagged (split conformal
// prediction: of texts drawn as these were, at most the budget is flagged on
// average). [Bounds] says how far chance alone may have carried what was counted.
//
// Everything here is pure. What scores mean, and whose they are, is for others.
package calibrate

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Point is a threshold: texts that score at least Score are flagged.
type Point struct {
	Score  float64 `json:"score"`
	FPR    float64 `json:"fpr"`    // share of benign texts that it flags
	Recall float64 `json:"recall"` // share of the others; 0 where there were none
}

// Curve is what thresholds do, as it was measured. It does not change.
type Curve struct {
	Benign   int     `json:"benign"`   // texts that FPR was measured on
	Positive int     `json:"positive"` // and Recall; 0: it is not known
	Points   []Point `json:"points"`   // by ascending score; shares do not rise
}

// ErrNoScores reports a curve without benign texts: nothing can be said about false
// positives.
var ErrNoScores = errors.New("no benign texts to calibrate on")

// New makes a curve of the scores of benign texts and of others, which may be none.
// A score that is no number counts as the lowest. It sorts both.
func New(benign, positive []float64) (Curve, error) {
	if len(benign) == 0 {
		return Curve{}, ErrNoScores
	}
	c := Curve{Benign: len(benign), Positive: len(positive)}
	for _, list := range [][]float64{benign, positive} {
		for i, s := range list {
			if math.IsNaN(s) {
				list[i] = math.Inf(-1)
			}
		}
		slices.Sort(list)
	}
	for i, k := 0, 0; i < len(benign) || k < len(positive); {
		p := Point{
			FPR: share(len(benign)-i, len(benign)), Recall: share(len(positive)-k, len(positive)),
		}
		switch {
		case i == len(benign):
			p.Score = positive[k]
		case k == len(positive):
			p.Score = benign[i]
		default:
			p.Score = min(benign[i], positive[k])
		}
		for i < len(benign) && benign[i] <= p.Score {
			i++
		}
		for k < len(positive) && positive[k] <= p.Score {
			k++
		}
		if !math.IsInf(p.Score, 0) {
			c.Points = append(c.Points, p)
		}
	}
	return c, nil
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Check says what is wrong with a curve that came from elsewhere.
func (c Curve) Check() error {
	if c.Benign <= 0 {
		return ErrNoScores
	}
	for i, p := range c.Points {
		for _, v := range []float64{p.FPR, p.Recall} {
			if !(v >= 0 && v <= 1) {
				return fmt.Errorf("point %d of the curve: %v is no share", i, v)
			}
		}
		if i == 0 {
			continue
		}
		if q := c.Points[i-1]; !(q.Score < p.Score) || q.FPR < p.FPR || q.Recall < p.Recall {
			return fmt.Errorf("point %d of the curve: scores do not rise, or shares do", i)
		}
	}
	return nil
}

// BudgetError reports that a curve has no threshold for a budget, and why.
type BudgetError struct {
	Budget Budget
	Least  Budget // the least that there is a threshold for; 0: there is none
	Benign int
}

func (e *BudgetError) Error() string {
	switch {
	case e.Least == 0:
		return fmt.Sprintf("no threshold keeps to a budget of %s: too many benign texts have the highest score of all", e.Budget)
	case float64(e.Budget) < 1/float64(e.Benign+1):
		return fmt.Sprintf("a budget of %s cannot be promised after %d benign texts: the least is %s", e.Budget, e.Benign, e.Least)
	}
	return fmt.Sprintf("no threshold keeps to a budget of %s: the least that one does is %s", e.Budget, e.Least)
}

// Threshold returns the lowest threshold that keeps to a budget, or a
// [*BudgetError].
func (c Curve) Threshold(b Budget) (Point, error) {
	for _, p := range c.Points {
		if c.promise(p) <= float64(b) {
			return p, nil
		}
	}
	return Point{}, &BudgetError{b, c.Least(), c.Benign}
}

// promise is the share that p is taken to flag: as if the next benign text were.
func (c Curve) promise(p Point) float64 {
	return (math.Round(p.FPR*float64(c.Benign)) + 1) / float64(c.Benign+1)
}

// Least returns the least budget that a threshold of the curve keeps to, 0 if
// none does to any.
func (c Curve) Least() Budget {
	if len(c.Points) == 0 {
		return 0
	}
	least := c.promise(c.Points[len(c.Points)-1])
	if least >= 1 {
		return 0
	}
	// Rounded up, so that it is one that can be written.
	unit := math.Pow10(int(math.Floor(math.Log10(least))) - 2)
	if b := Budget(math.Ceil(least/unit) * unit); b < 1 && float64(b) >= least {
		return Budget(tidy(float64(b)))
	}
	return Budget(least)
}

// At returns what a threshold of that score does.
func (c Curve) At(score float64) Point {
	for _, p := range c.Points {
		if p.Score >= score {
			return Point{score, p.FPR, p.Recall}
		}
	}
	return Point{Score: score}
}

// Reduced returns the curve with fewer points, for keeping: of neighbours that
// differ by less than a hundredth of recall and a twentieth of the false positives
// the first stays. What it says of the points that stay is the same.
func (c Curve) Reduced() Curve {
	out := Curve{Benign: c.Benign, Positive: c.Positive}
	for i, p := range c.Points {
		if i > 0 && i < len(c.Points)-1 {
			last := out.Points[len(out.Points)-1]
			if last.Recall-p.Recall < 0.01 && last.FPR-p.FPR <= last.FPR/20 {
				continue
			}
		}
		out.Points = append(out.Points, p)
	}
	return out
}
