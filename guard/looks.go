package guard

import (
	"context"
	"fmt"
	"slices"

	"github.com/ringwall/ringwall"
)

// Looks gathers how the rules of a guardrail looked at the texts of an exchange
// in one direction. It is owned by one goroutine.
type Looks struct {
	rules  []Rule
	judges []seat
	way    ringwall.Direction
	state  []ringwall.Look // of the rules, then of the judges by control

	begun []begun         // by rule: what its Beginner said of the exchange
	parts []ringwall.Look // what of looking that ran was left out
}

// begun is the detector of a rule for one exchange.
type begun struct {
	asked bool
	d     Detector // nil: it does not look,
	why   string   // because of this
}

// Looks returns an empty record of looking the given way. A rule that is never
// asked stays skipped for want of text.
func (g *Guard) Looks(way ringwall.Direction) *Looks {
	rules := g.cfg.Rules
	l := &Looks{rules: rules, judges: g.second, way: way, state: make([]ringwall.Look, len(rules))}
	for i, r := range rules {
		l.state[i] = ringwall.Look{Control: r.Control, Way: way, State: ringwall.Skipped, Why: "no-text"}
		switch {
		case l.off(i):
			l.state[i].Why = "not-configured"
		case r.Missing != "":
			l.state[i].Why = r.Missing
		}
	}
	for _, s := range g.second {
		for _, control := range s.Controls {
			look := ringwall.Look{Control: control, By: s.Name, Way: way, State: ringwall.Skipped, Why: "not-configured"}
			if slices.ContainsFunc(s.serves[way][:], func(on []string) bool { return slices.Contains(on, control) }) {
				look.Why = "no-text"
			}
			l.state = append(l.state, look)
		}
	}
	return l
}

// Skip returns the record of looking at nothing, because of why. What would not have
// looked in any case says so.
func (l *Looks) Skip(why string) []ringwall.Look {
	all := slices.Clone(l.state)
	for i := range all {
		if all[i].Why == "no-text" {
			all[i].Why = why
		}
	}
	return all
}

// off reports whether the rule looks at no text that goes this way.
func (l *Looks) off(i int) bool {
	r := &l.rules[i]
	if l.way == ringwall.Output {
		return r.Output == nil
	}
	for _, a := range r.Origins {
		if a != nil {
			return false
		}
	}
	return r.Input == nil
}

// A rule that ran on one text and was skipped on another ran; one that failed on
// any failed.
func (l *Looks) ran(i int) {
	if l.state[i].State == ringwall.Skipped {
		l.state[i].State, l.state[i].Why = ringwall.Ran, ""
	}
}

func (l *Looks) skip(i int, why string) {
	if l.state[i].State == ringwall.Skipped {
		l.state[i].Why = why
	}
}

func (l *Looks) fail(control, why string) {
	for i, r := range l.rules {
		if r.Control == control && !l.off(i) {
			l.state[i].State, l.state[i].Why = ringwall.Failed, why
		}
	}
}

// begin returns the detector of the i-th rule for the exchange, nil and why if it
// has nothing to look for. A rule is asked once.
func (l *Looks) begin(i int, s Session) (Detector, string) {
	d := l.rules[i].Detector
	b, ok := d.(Beginner)
	if !ok {
		return d, ""
	}
	if l.begun == nil {
		l.begun = make([]begun, len(l.rules))
	}
	if e := &l.begun[i]; !e.asked {
		e.asked = true
		e.d, e.why = begin(b, s)
		if e.d != nil && e.why != "" {
			l.parts = append(l.parts, ringwall.Look{Control: l.rules[i].Control, Way: l.way, State: ringwall.Skipped, Why: e.why})
		}
	}
	return l.begun[i].d, l.begun[i].why
}

// begin asks b; one that panics cannot look.
func begin(b Beginner, s Session) (d Detector, why string) {
	defer func() {
		if p := recover(); p != nil {
			d, why = Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
				return nil, fmt.Errorf("the detector panicked: %v", p)
			}), ""
		}
	}()
	return b.Begin(s)
}

// List returns the record: a line for each rule, one for each control of each
// judge, and one for each part of a rule's looking that was left out.
func (l *Looks) List() []ringwall.Look { return slices.Concat(l.state, l.parts) }
