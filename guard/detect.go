package guard

import (
	"context"
	"fmt"
	"slices"

	"github.com/ringwall/ringwall"
)

// answer is what a detector said of a text.
type answer struct {
	rule int
	fs   []ringwall.Finding
	rate ringwall.Scores
	why  string // it could not look: why; ""
}

// asked is a rule and its detector for the exchange.
type asked struct {
	rule int
	d    Detector
}

// detect asks the rules about text, side by side, each for at most the timeout.
func (g *Guard) detect(ctx context.Context, rules []asked, text ringwall.Text) []answer {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Timeout)
	defer cancel()
	type heard struct {
		at int
		answer
	}
	answers := make(chan heard, len(rules)) // buffered: a late detector never leaks
	for at, a := range rules {
		i, d, control := a.rule, a.d, g.cfg.Rules[a.rule].Control
		go func() {
			fs, scores, err := look(ctx, d, text)
			a := answer{rule: i, fs: bounded(fs, control, len(text.Value)), rate: scores}
			if err != nil {
				a = answer{rule: i, why: "error"}
			}
			answers <- heard{at, a}
		}()
	}
	out := make([]answer, len(rules))
	for at, a := range rules {
		out[at] = answer{rule: a.rule, why: "timeout"}
	}
	for range rules {
		select {
		case a := <-answers:
			out[a.at] = a.answer
		case <-ctx.Done():
			return out
		}
	}
	return out
}

// bounded puts findings of other people's code right: under their rule's
// control, and inside the text.
func bounded(fs []ringwall.Finding, control string, n int) []ringwall.Finding {
	for i := range fs {
		fs[i].Control = control
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
		control := c.g.cfg.Rules[a.rule].Control
		if a.why != "" {
			c.looks.fail(control, a.why)
			fs = append(fs, unavailable(control))
			continue
		}
		c.looks.ran(a.rule)
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
