package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
)

// Judged is a Request that asks the guard and no model.
type Judged interface {
	Request
	// Questions returns what is asked about; each is looked at for itself.
	Passages() []Passage
	// Judgement returns the answer: what came of each passage, in their order.
	Judgement(id string, results []guard.Result) []byte
}

// Passage is a set of texts that go one way.
type Passage struct {
	Way   ringwall.Direction
	Texts []ringwall.Text
}

// judgeEach answers a request that asks the guard. Nothing is kept back from who asks:
// the answer says what was noticed, whatever would be done about it. A control that
// could not look refuses, as it does everywhere.
func (x *exchange) judgeEach(ctx context.Context, ask Judged) error {
	if err := x.promise(ctx); err != nil {
		return err
	}
	x.Verdict = ringwall.Verdict{Action: ringwall.Allow}
	var results []guard.Result
	for _, q := range ask.Passages() {
		res := x.world.Guard.Check(ctx, guard.Session{Way: q.Way, Principal: x.Principal, Context: ctx}, q.Texts)
		x.Findings = append(x.Findings, res.Findings...)
		x.Looks = append(x.Looks, res.Looks...)
		x.Scores = x.Scores.Merge(res.Scores)
		x.Verdict = x.Verdict.And(res.Verdict)
		if res.Verdict.Action == ringwall.Block {
			if err := x.declined(q.Way, res.Findings); errors.Is(err, ringwall.ErrUnavailable) {
				return err
			}
		}
		results = append(results, res)
	}
	for _, kind := range x.req.Unseen() {
		x.Looks = append(x.Looks, ringwall.Look{Control: "inference/sanitize", Way: ringwall.Input, State: ringwall.Skipped, Why: kind})
	}
	x.outcome = ringwall.Answered
	x.w.Header().Set("Content-Type", x.d.ContentType(false))
	x.status(http.StatusOK)
	return x.write(ask.Judgement(x.ID, results))
}
