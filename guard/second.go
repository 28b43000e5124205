package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
)

// Judge looks at a whole text for several controls at once: a Detector that
// stands outside, such as a model behind an API. It says of each finding which
// control it is of. Implementations must be safe for concurrent use and must not
// keep text. An error that is a [Skip] means that it need not look, any other
// that it could not, never "looked and found nothing".
type Judge interface {
	Judge(ctx context.Context, way ringwall.Direction, text ringwall.Text) ([]ringwall.Finding, error)
}

// Skip is the error of a Judge or a Detector that need not look at a text: why, in
// kebab-case.
type Skip string

func (s Skip) Error() string { return "not looked at: " + string(s) }

// Second has a Judge look beside the rules of the controls that it serves, at
// the texts that these look at. It is asked once for a text, whatever number of
// controls it serves. How streamed answers wait for it is the strictest Release
// of their rules.
type Second struct {
	Name     string   // in the record
	Controls []string // those that it serves; findings of others are not heard
	Judge    Judge
	Ways     []ringwall.Direction // it looks at texts that go these ways only; none: both
	Origins  []ringwall.Origin    // and at those of these origins only; none: all
	Timeout  time.Duration        // for a text; default: that of the guard
	FailOpen bool                 // flag, and do not block, what it could not look at
	Close    func()               // ends what it holds; may be nil
}

// serves returns the controls that s looks for in texts of origin o that go that
// way under the policy p.
func (s *Second) serves(way ringwall.Direction, o ringwall.Origin, p Policy) (controls []string) {
	if len(s.Ways) > 0 && !slices.Contains(s.Ways, way) || len(s.Origins) > 0 && !slices.Contains(s.Origins, o) {
		return nil
	}
	for _, c := range s.Controls {
		if _, looks := p[c]; looks {
			controls = append(controls, c)
		}
	}
	return controls
}

// seat is a Second with what New found out about it.
type seat struct {
	Second
	serves  [2][origins][]string // controls, by direction and origin
	looks   [2]Detector          // the judge, by direction
	release Release
}

// on returns the controls that the judge looks for in a text.
func (s *seat) on(way ringwall.Direction, o ringwall.Origin) []string {
	if int(o) >= origins {
		o = ringwall.Unverified
	}
	return s.serves[way][o]
}

// seats takes in the Seconds of cfg.
func (g *Guard) seats() error {
	for i, s := range g.cfg.Seconds {
		if s.Name == "" || s.Judge == nil || len(s.Controls) == 0 {
			return fmt.Errorf("guard %s: second %d: a name, a judge and controls are required", g.cfg.Name, i)
		}
		if slices.ContainsFunc(g.cfg.Seconds[:i], func(o Second) bool { return o.Name == s.Name }) {
			return fmt.Errorf("guard %s: second %d: there is a judge %s already", g.cfg.Name, i, s.Name)
		}
		if s.Timeout <= 0 {
			s.Timeout = g.cfg.Timeout
		}
		seat := seat{Second: s, release: CutOff}
		for _, c := range s.Controls {
			at := slices.IndexFunc(g.cfg.Rules, func(r Rule) bool { return r.Control == c })
			if at < 0 {
				return fmt.Errorf("guard %s: judge %s: %s has no rule", g.cfg.Name, s.Name, c)
			}
			if r := &g.cfg.Rules[at]; r.Output != nil {
				seat.release = min(seat.release, r.Release)
			}
		}
		for way := range g.policy {
			seat.looks[way] = Func(func(ctx context.Context, text ringwall.Text) ([]ringwall.Finding, error) {
				return s.Judge.Judge(ctx, ringwall.Direction(way), text)
			})
			for o := range origins {
				seat.serves[way][o] = s.serves(ringwall.Direction(way), ringwall.Origin(o), g.policy[way][o])
			}
		}
		g.second = append(g.second, seat)
	}
	return nil
}

// Close ends what the judges hold. Nothing may be looked at afterwards.
func (g *Guard) Close() {
	for _, s := range g.second {
		if s.Close != nil {
			s.Close()
		}
	}
}

// judges notes how the text waits for the judges.
func (c *Channel) judges() {
	for k := range c.g.second {
		s := &c.g.second[k]
		if len(s.on(c.s.Way, c.keep.Origin)) > 0 {
			c.detector(asked{len(c.g.cfg.Rules) + k, s.looks[c.s.Way]}, s.release)
		}
	}
}

// judged returns what to make of the answer of the k-th judge.
func (c *Channel) judged(k int, a answer) []ringwall.Finding {
	s := &c.g.second[k]
	controls := s.on(c.s.Way, c.keep.Origin)
	for _, control := range controls {
		c.looks.second(k, control, a)
	}
	if a.why == "" {
		return slices.DeleteFunc(a.fs, func(f ringwall.Finding) bool { return !slices.Contains(controls, f.Control) })
	}
	var fs []ringwall.Finding
	for _, control := range controls {
		f := unavailable(control)
		f.Reason = ringwall.ReasonJudgeUnavailable
		if s.FailOpen {
			f.Shadow = ringwall.Block.String()
		}
		fs = append(fs, f)
	}
	return fs
}

// second notes how the k-th judge looked for a control: ran over skipped, and
// failed over both.
func (l *Looks) second(k int, control string, a answer) {
	for i := len(l.rules); i < len(l.state); i++ {
		at := &l.state[i]
		if at.By != l.judges[k].Name || at.Control != control {
			continue
		}
		switch {
		case a.why != "":
			at.State, at.Why = ringwall.Failed, a.why
		case at.State == ringwall.Failed:
		case a.skip == "":
			at.State, at.Why = ringwall.Ran, ""
		case at.State == ringwall.Skipped:
			at.Why = a.skip
		}
	}
}

// reasoned is an error that says in kebab-case why.
type reasoned interface{ Why() string }

// whyNot returns why a detector could not look, for the record.
func whyNot(err error) string {
	var r reasoned
	switch {
	case errors.As(err, &r):
		return r.Why()
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "error"
}
