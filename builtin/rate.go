package builtin

import (
	"context"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/content"
	"github.com/ringwall/ringwall/guard/guardrail"
)

// rater is a guardrail of which nothing but scores is asked.
var rater = sync.OnceValues(func() (*guard.Guard, error) {
	s := guardrail.Default()
	for _, n := range s.Rules() {
		act := guardrail.Act{Off: true}
		if n.Control == attack.Control || n.Control == content.Control {
			act = guardrail.Act{Action: ringwall.Flag}
		}
		n.Rule.Input, n.Rule.Output = act, act
	}
	return Guard("scores", guardrail.Draft, &s)
})

// Rate returns the scores of a text by the classifiers in the binary, whether or
// not a guardrail looks for what they know.
func Rate(ctx context.Context, way ringwall.Direction, text ringwall.Text) (ringwall.Scores, error) {
	g, err := rater()
	if err != nil {
		return nil, err
	}
	return g.Check(ctx, guard.Session{Way: way}, []ringwall.Text{text}).Scores, nil
}
