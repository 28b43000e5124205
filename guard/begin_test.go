package guard_test

import (
	"context"
	"slices"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
)

// tied is a detector that judges by the question of its exchange.
type tied struct {
	begun *int
	begin func(guard.Session) (guard.Detector, string)
}

func (d tied) Begin(s guard.Session) (guard.Detector, string) {
	*d.begun++
	return d.begin(s)
}

func (tied) Detect(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
	panic("the exchange is not known")
}

// A detector that is tied to an exchange is asked once for it, is given what is
// known, and says in the record what it does not look at.
func TestBeginner(t *testing.T) {
	says := func(s guard.Session) guard.Detector {
		return guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
			return []ringwall.Finding{{Reason: "asked-" + s.Query, Score: 1}}, nil
		})
	}
	for _, tt := range []struct {
		name    string
		begin   func(guard.Session) (guard.Detector, string)
		reasons []string
		looks   []ringwall.Look
	}{
		{
			"it looks", func(s guard.Session) (guard.Detector, string) { return says(s), "" },
			[]string{"asked-x", "asked-x"},
			[]ringwall.Look{{State: ringwall.Ran}},
		},
		{
			"it has nothing to look for", func(guard.Session) (guard.Detector, string) { return nil, "no-query" },
			nil,
			[]ringwall.Look{{State: ringwall.Skipped, Why: "no-query"}},
		},
		{
			"it looks, but not at everything", func(s guard.Session) (guard.Detector, string) { return says(s), "no-sources" },
			[]string{"asked-x", "asked-x"},
			[]ringwall.Look{{State: ringwall.Ran}, {State: ringwall.Skipped, Why: "no-sources"}},
		},
		{
			"it panics", func(guard.Session) (guard.Detector, string) { panic("boom") },
			[]string{ringwall.ReasonUnavailable, ringwall.ReasonUnavailable},
			[]ringwall.Look{{State: ringwall.Failed, Why: "error"}},
		},
	} {
		for _, release := range []guard.Release{guard.Strict, guard.Window, guard.CutOff} {
			begun := 0
			g, err := guard.New(guard.Config{Name: "g", Rules: []guard.Rule{{Control: "c", Detector: tied{&begun, tt.begin}, Output: &guard.Actions{Default: ringwall.Flag}, Release: release}}})
			if err != nil {
				t.Fatal(err)
			}
			res := g.Check(t.Context(), guard.Session{Way: ringwall.Output, Query: "x"}, []ringwall.Text{{Value: "one"}, {Value: "two"}})
			var reasons []string
			for _, f := range res.Findings {
				reasons = append(reasons, f.Reason)
			}
			for i := range res.Looks {
				res.Looks[i].Control, res.Looks[i].Way = "", 0
			}
			if begun != 1 || !slices.Equal(reasons, tt.reasons) || !slices.Equal(res.Looks, tt.looks) {
				t.Errorf("%s (%v): begun %d times, found %v, looks %+v", tt.name, release, begun, reasons, res.Looks)
			}
		}
	}
}
