package guard

import (
	"maps"
	"slices"

	"github.com/ringwall/ringwall"
)

// Actions say what to do about the findings of one control.
type Actions struct {
	Default ringwall.Action            // the zero value blocks
	By      map[string]ringwall.Action // by reason, where it differs
}

// with returns a with what a failure to look means.
func (a *Actions) with(failOpen bool) Actions {
	out := Actions{Default: a.Default, By: maps.Clone(a.By)}
	if out.By == nil {
		out.By = map[string]ringwall.Action{}
	}
	out.By[ringwall.ReasonUnavailable] = ringwall.Block
	if failOpen {
		out.By[ringwall.ReasonUnavailable] = ringwall.Flag
	}
	return out
}

// Policy says what to do about findings, by control. Findings of a control that
// it does not name block: somebody noticed what nobody thought of.
type Policy map[string]Actions

// Action returns what to do about f.
func (p Policy) Action(f ringwall.Finding) ringwall.Action {
	a := p[f.Control]
	if act, ok := a.By[f.Reason]; ok {
		return act
	}
	return a.Default
}

// Decide turns findings into a verdict under p. It is pure, and it looks at all
// findings even once one of them blocks, so that the record has every reason.
func Decide(p Policy, fs []ringwall.Finding) ringwall.Verdict {
	v := ringwall.Verdict{Action: ringwall.Allow}
	for _, f := range fs {
		v.Action = min(v.Action, p.Action(f))
		v.Reasons = append(v.Reasons, f.Reason)
	}
	slices.Sort(v.Reasons)
	v.Reasons = slices.Compact(v.Reasons)
	return v
}
