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
	// Tokenize has masked texts replaced by what Session.Token makes, which can be
	// undone, rather than by a mask; TokenizeBy by reason, for those of By.
	Tokenize   bool
	TokenizeBy map[string]bool
	// Ignore drops the findings whose reason By does not name: they are not even
	// recorded.
	Ignore bool
	// Least is how sure a finding must be to be one, 0 to 1; LeastBy where it
	// differs by reason. Findings that are less sure are dropped.
	Least   float64
	LeastBy map[string]float64
	// Shadow has findings recorded with what would have been done about them,
	// and lets the text pass.
	Shadow bool
	Token  map[string]string // by reason: what stands for a masked text, where it is not stream.Token
}

// watches reports whether a does nothing about any finding: no text has to wait
// for it.
func (a *Actions) watches() bool {
	if a.Shadow {
		return true
	}
	for _, act := range a.By {
		if act < ringwall.Flag {
			return false
		}
	}
	return a.Default >= ringwall.Flag
}

// with returns a with what a failure to look means. That is never dropped nor
// only watched.
func (a *Actions) with(failOpen bool) Actions {
	out := *a
	out.By = maps.Clone(a.By)
	if out.By == nil {
		out.By = map[string]ringwall.Action{}
	}
	out.By[ringwall.ReasonUnavailable] = ringwall.Block
	if failOpen {
		out.By[ringwall.ReasonUnavailable] = ringwall.Flag
	}
	return out
}

// least is how sure a finding for a reason must be.
func (a *Actions) least(reason string) float64 {
	if by, ok := a.LeastBy[reason]; ok {
		return by
	}
	return a.Least
}

// Policy says what to do about findings, by control. Findings of a control that
// it does not name block: somebody noticed what nobody thought of.
type Policy map[string]Actions

// Action returns what to do about f.
func (p Policy) Action(f ringwall.Finding) ringwall.Action {
	switch {
	case f.Excepted != "":
		return ringwall.Allow
	case f.Shadow != "":
		return ringwall.Flag
	}
	return p.wants(f)
}

// tokenizes reports whether a mask of f is to be one that can be undone.
func (p Policy) tokenizes(f ringwall.Finding) bool {
	a := p[f.Control]
	if _, own := a.By[f.Reason]; own {
		return a.TokenizeBy[f.Reason]
	}
	return a.Tokenize
}

func (p Policy) wants(f ringwall.Finding) ringwall.Action {
	a := p[f.Control]
	if act, ok := a.By[f.Reason]; ok {
		return act
	}
	return a.Default
}

// note reports whether f counts as a finding at all, and writes into it what a
// rule in shadow mode would have done.
func (p Policy) note(f *ringwall.Finding) bool {
	a, known := p[f.Control]
	if !known || f.Reason == ringwall.ReasonUnavailable {
		return true
	}
	if f.Score < a.least(f.Reason) {
		return false
	}
	if _, named := a.By[f.Reason]; a.Ignore && !named {
		return false
	}
	if want := p.wants(*f); a.Shadow && want < ringwall.Flag {
		f.Shadow = want.String()
	}
	return true
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
