package guard

import (
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

// List returns the record, a line for each rule and then one for each control of
// each judge.
func (l *Looks) List() []ringwall.Look { return l.state }
