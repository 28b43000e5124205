package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ringwall/ringwall"
)

// answer is what a detector said of a text.
type answer struct {
	who  int // a rule, or behind the rules a judge
	fs   []ringwall.Finding
	rate ringwall.Scores
	why  string // it could not look: why; ""
	skip string // it need not look: why; ""
}

// asked is a rule, or behind the rules a judge, and its detector for the exchange.
type asked struct {
	who int
	d   Detector
}

// detect asks rules and judges about text, side by side, each for at most its
// timeout.
func (g *Guard) detect(ctx context.Context, list []asked, text ringwall.Text) []answer {
	out := make([]answer, len(list))
	var all sync.WaitGroup
	for at, a := range list {
		all.Go(func() { out[at] = g.ask(ctx, a, text) })
	}
	all.Wait()
	return out
}

// ask asks one of them. It returns when the timeout is over, whether or not
// the one that was asked does.
func (g *Guard) ask(ctx context.Context, of asked, text ringwall.Text) answer {
	timeout := g.cfg.Timeout
	if k := of.who - len(g.cfg.Rules); k >= 0 {
		timeout = g.second[k].Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	said := make(chan answer, 1) // buffered: a late detector never leaks
	go func() {
		a := answer{who: of.who}
		fs, scores, err := look(ctx, of.d, text)
		var skip Skip
		switch {
		case err == nil:
			a.fs, a.rate = g.bounded(fs, of.who, len(text.Value)), scores
		case errors.As(err, &skip):
			a.skip = string(skip)
		default:
			a.why = whyNot(err)
		}
		said <- a
	}()
	select {
	case a := <-said:
		return a
	case <-ctx.Done():
		return answer{who: of.who, why: "timeout"}
	}
}

// bounded puts findings of other people's code right: under their rule's
// control, or one that the judge serves, and inside the text.
func (g *Guard) bounded(fs []ringwall.Finding, who, n int) []ringwall.Finding {
	for i := range fs {
		if k := who - len(g.cfg.Rules); k < 0 {
			fs[i].Control = g.cfg.Rules[who].Control
		} else if fs[i].Unlooked() {
			fs[i].Reason = "judged"
		}
		if w := fs[i].Where; w.Start < 0 || w.End > n || w.Start > w.End {
			fs[i].Where = ringwall.Span{}
		}
	}
	return fs
}

func unavailable(control string) ringwall.Finding {
	return ringwall.Finding{Control: control, Reason: ringwall.ReasonUnavailable, Severity: ringwall.Critical, Score: 1}
}

// look calls d and turns a panic into an error.
func look(ctx context.Context, d Detector, text ringwall.Text) (fs []ringwall.Finding, scores ringwall.Scores, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the detector panicked: %v", p)
		}
	}()
	if r, ok := d.(Rater); ok {
		return r.Rate(ctx, text)
	}
	fs, err = d.Detect(ctx, text)
	return fs, nil, err
}

// hear notes what detectors said of the stretch w. Findings with a place are
// known to the cursor before the text is; one about all of it that blocks, or
// that nothing can be done about any more, cuts.
func (c *Channel) hear(answers []answer, w window) {
	var fs []ringwall.Finding
	for _, a := range answers {
		if k := a.who - len(c.g.cfg.Rules); k >= 0 {
			fs = append(fs, w.place(c.judged(k, a))...)
			continue
		}
		control := c.g.cfg.Rules[a.who].Control
		if a.skip != "" {
			c.looks.skip(a.who, a.skip)
			continue
		}
		if a.why != "" {
			c.looks.fail(control, a.why)
			fs = append(fs, unavailable(control))
			continue
		}
		c.looks.ran(a.who)
		c.rate(a.rate)
		fs = append(fs, w.place(a.fs)...)
	}
	slices.SortStableFunc(fs, func(a, b ringwall.Finding) int { return a.Where.Start - b.Where.Start })
	before := len(c.extra)
	for _, f := range fs {
		switch {
		case !f.Where.Empty() && f.Where.Start >= c.red.Released():
			c.red.Know(f)
		case c.note(&f):
			c.extra = append(c.extra, f)
		}
	}
	now := c.extra[before:]
	if len(now) > 0 {
		c.pardon(now, w.text)
	}
	for _, f := range now {
		c.cut = c.cut || c.policy.Action(f) < ringwall.Flag
	}
}
