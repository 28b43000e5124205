package toolcall

import (
	"context"

	"github.com/ringwall/ringwall"
)

const publicTwo = "Text from elsewhere and confidential data were read, so this needs a person's consent. Ask the user to confirm it."

// Labels are what a session was in touch with. With all three of them, what an attacker
// writes can carry out what they must not have: an agent may have two without asking.
type Labels struct {
	Untrusted bool // it read text that anybody may have written
	Sensitive bool // it read confidential data
	Acts      bool // the call would change something or reach somebody
}

// Three reports whether all are set.
func (l Labels) Three() bool { return l.Untrusted && l.Sensitive && l.Acts }

// labels returns what the session was in touch with, and what the call would do.
func (s *Session) labels(r *reading, m semantics) Labels {
	l := Labels{Untrusted: r.tainted, Sensitive: len(s.Data) > 0, Acts: m.effect != Read}
	for _, res := range r.Results() {
		l.Sensitive = l.Sensitive || s.j.cfg.Rules.confidential(res.Call.Name)
	}
	return l
}

// labelled holds calls with which a session would have all labels. By default that
// counts for calls that reach others than those whom the person named themselves.
func labelled(_ context.Context, s *Session, c *Call, d *Decision) {
	rules := &s.j.cfg.Rules
	if rules.Two == TwoOff {
		return
	}
	r := s.read()
	m := s.semantics(r, c.Tool)
	if !s.labels(r, m).Three() || rules.Two == TwoReaching && (m.effect != External || d.named()) {
		return
	}
	d.against(ringwall.ToolHold, RuleTwo, publicTwo)
}

// named reports whether the person, or the operator, named all that the call acts on,
// and it acts on something.
func (d *Decision) named() bool {
	one := false
	for _, a := range d.Arguments {
		if a.Sensitive && a.Source < ringwall.SourceSystem {
			return false
		}
		one = one || a.Sensitive
	}
	return one
}
