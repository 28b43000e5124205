package builtin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/content"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/calibrate"
)

// CurveTable has, by control, the curve of a score: what thresholds do, as it was
// measured when the classifier was trained, on texts that it was not trained with.
// A curve is one of the scores that guard.Result tells, in which rules have their
// part.
type CurveTable map[string]func(score string) (calibrate.Curve, bool)

// Curves is the table of the classifiers that come with the program.
var Curves = CurveTable{
	attack.Control:  curves(attack.Model),
	content.Control: curves(content.Model),
}

// curves returns those that a model brings.
func curves(model func() (*textmodel.Model, error)) func(string) (calibrate.Curve, bool) {
	return func(score string) (c calibrate.Curve, ok bool) {
		m, err := model()
		if err != nil {
			return c, false // whoever asks the model itself says so
		}
		for _, o := range m.Info.Outputs {
			if o.Name == score && o.Curve.Benign > 0 {
				return o.Curve, true
			}
		}
		return c, false
	}
}

// ErrNoCalibration reports a budget for a score of which nobody has measured how
// often it is wrong.
var ErrNoCalibration = errors.New("no calibration")

// Threshold is what a budget means for one score.
type Threshold struct {
	Key     string           `json:"key"` // in the guardrail: "prompt_attack.fpr"
	Control string           `json:"control"`
	Reason  string           `json:"reason,omitempty"` // of the findings that it is for; "": all of the control
	Score   string           `json:"score"`            // its name
	Budget  calibrate.Budget `json:"budget"`
	calibrate.Point
	Benign   int `json:"benign"`   // texts that it was measured on
	Positive int `json:"positive"` // 0: the recall is not known
}

// Budgets returns the thresholds that the budgets of s mean, in the order of the
// document. The error names the budget that nothing is known about, or that is
// smaller than what was measured can promise.
func Budgets(s *guardrail.Spec, curves CurveTable) (out []Threshold, err error) {
	if b := s.Attack.FPR; b != 0 {
		out = append(out, Threshold{Key: "prompt_attack.fpr", Control: attack.Control, Score: ringwall.ScoreAttack, Budget: b})
	}
	for _, category := range guardrail.Categories {
		t := Threshold{Key: "content.fpr", Control: content.Control, Reason: category, Score: strings.ReplaceAll(category, "-", "_"), Budget: s.Content.FPR}
		if b, own := s.Content.FPRs[category]; own {
			t.Key, t.Budget = "content.fprs."+category, b
		}
		if t.Budget != 0 {
			out = append(out, t)
		}
	}
	for i := range out {
		t := &out[i]
		var c calibrate.Curve
		measured := false
		if of := curves[t.Control]; of != nil {
			c, measured = of(t.Score)
		}
		if !measured {
			return nil, fmt.Errorf("%s: %w: nobody has measured how often the score %s is wrong; write a threshold, which ringwall eval --budget finds from your own records", t.Key, ErrNoCalibration, t.Score)
		}
		if t.Point, err = c.Threshold(t.Budget); err != nil {
			return nil, fmt.Errorf("%s: the score %s: %w", t.Key, t.Score, err)
		}
		t.Benign, t.Positive = c.Benign, c.Positive
	}
	return out, nil
}

// set makes t the threshold of a, which is for a control.
func (t *Threshold) set(control string, a *guard.Actions) {
	switch {
	case control != t.Control:
	case t.Reason == "":
		a.Least = t.Point.Score
	default:
		if a.LeastBy == nil {
			a.LeastBy = map[string]float64{}
		}
		a.LeastBy[t.Reason] = t.Point.Score
	}
}
