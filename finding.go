package ringwall

import (
	"encoding"
	"fmt"
	"slices"
)

// Severity orders findings. The zero value is Info.
type Severity uint8

// Severities, mildest first.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = names{"info", "low", "medium", "high", "critical"}

func (s Severity) String() string { return severityNames.of(int(s)) }

// MarshalText encodes s as its lower-case name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts the names of the severities.
func (s *Severity) UnmarshalText(b []byte) error {
	i, err := severityNames.index("severity", string(b))
	*s = Severity(i)
	return err
}

// Span is a half-open range of bytes. The zero Span means the whole of
// whatever it is about.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Empty reports whether s covers no byte.
func (s Span) Empty() bool { return s.End <= s.Start }

// Finding is one thing that a control noticed. All five layers speak in
// findings: a public bucket, a pickled model, a card number and a jailbreak are
// all one. A finding never holds the text that it is about.
type Finding struct {
	Control  string   `json:"control"`  // id in package control, "inference/secret"
	Reason   string   `json:"reason"`   // stable, kebab-case, safe to log: "aws-access-key"
	Severity Severity `json:"severity"` // how bad it would be
	Score    float64  `json:"score"`    // how sure the control is, 0 to 1
	Where    Span     `json:"where"`    // UTF-8 byte offsets into the text at Path; zero: all of it
	Path     string   `json:"path,omitempty"`
	Via      string   `json:"via,omitempty"`      // the disguises that hid it, outermost first: "base64+rot13"
	Shadow   string   `json:"shadow,omitempty"`   // what a rule that only watches would have done: "block"
	Excepted string   `json:"excepted,omitempty"` // the exception that excuses it
	// Guardrail is the one that noticed it, where that is another than the exchange's.
	Guardrail string `json:"guardrail,omitempty"`
}

// Reasons that are not a detector's own.
const (
	// ReasonUnavailable says that a detector could not look: it failed, panicked
	// or ran out of time.
	ReasonUnavailable = "detector-unavailable"
	// ReasonJudgeUnavailable says the same of an outside judge: besides, it was
	// away, over its budget, or what it said could not be read.
	ReasonJudgeUnavailable = "judge-unavailable"
)

// Unlooked reports whether f says that somebody could not look.
func (f Finding) Unlooked() bool {
	return f.Reason == ReasonUnavailable || f.Reason == ReasonJudgeUnavailable
}

// Action is what to do about findings. The zero value blocks: a Verdict that
// nobody filled in must not let anything pass.
type Action uint8

// Actions, strictest first.
const (
	Block Action = iota
	Hold         // wait for a person's approval
	Mask         // replace the spans and go on
	Flag         // let pass, and say so in the record
	Allow
)

var actionNames = names{"block", "hold", "mask", "flag", "allow"}

func (a Action) String() string { return actionNames.of(int(a)) }

// MarshalText encodes a as its lower-case name.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText accepts the names of the actions.
func (a *Action) UnmarshalText(b []byte) error {
	i, err := actionNames.index("action", string(b))
	*a = Action(i)
	return err
}

// ActionNames lists the actions, strictest first.
func ActionNames() []string { return slices.Clone(actionNames) }

// Verdict is the one decision about a text or an Exchange, with its reasons:
// sorted, each once. The zero Verdict blocks.
type Verdict struct {
	Action  Action   `json:"action"`
	Reasons []string `json:"reasons,omitempty"`
}

// And returns the stricter of two verdicts, with the reasons of both.
func (v Verdict) And(w Verdict) Verdict {
	out := Verdict{Action: min(v.Action, w.Action)}
	if len(v.Reasons)+len(w.Reasons) > 0 {
		out.Reasons = slices.Concat(v.Reasons, w.Reasons)
		slices.Sort(out.Reasons)
		out.Reasons = slices.Compact(out.Reasons)
	}
	return out
}

// names are the words of a small enumeration, by value.
type names []string

func (n names) of(i int) string {
	if i < 0 || i >= len(n) {
		return fmt.Sprintf("unknown(%d)", i)
	}
	return n[i]
}

func (n names) index(what, name string) (int, error) {
	if i := slices.Index(n, name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("unknown %s %q: want one of %v", what, name, []string(n))
}

var (
	_ encoding.TextUnmarshaler = (*Severity)(nil)
	_ encoding.TextUnmarshaler = (*Action)(nil)
	_ encoding.TextUnmarshaler = (*Trust)(nil)
	_ encoding.TextUnmarshaler = (*Origin)(nil)
)
