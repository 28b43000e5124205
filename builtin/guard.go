package builtin

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/content"
	"github.com/ringwall/ringwall/guard/grounding"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/judge"
	"github.com/ringwall/ringwall/guard/link"
	"github.com/ringwall/ringwall/guard/pattern"
	"github.com/ringwall/ringwall/guard/person"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
)

// Guard puts together the guard that s describes. The errors name what in s
// cannot be meant. A guard with outside judges is to be closed.
func Guard(name, version string, s *guardrail.Spec) (*guard.Guard, error) {
	return Heard(name, version, s, Curves, nil)
}

// Calibrated is [Guard] with other curves than those of the program to tell what
// budgets mean.
func Calibrated(name, version string, s *guardrail.Spec, curves CurveTable) (*guard.Guard, error) {
	return Heard(name, version, s, curves, nil)
}

// Heard is [Calibrated], and has hears be told what the outside judges do.
func Heard(name, version string, s *guardrail.Spec, curves CurveTable, hears judge.Observer) (*guard.Guard, error) {
	if err := dangling(s); err != nil {
		return nil, fmt.Errorf("guardrail %s: %w", name, err)
	}
	budgets, err := Budgets(s, curves)
	if err != nil {
		return nil, fmt.Errorf("guardrail %s: %w", name, err)
	}
	cfg := guard.Config{Name: name, Version: version, InputMessage: s.InputMessage, OutputMessage: s.OutputMessage, Turns: turns(s)}
	embedded := map[string][]stream.Scanner{}
	for _, n := range s.Rules() {
		r := guard.Rule{
			Control: n.Control, FailOpen: n.Rule.FailOpen, Release: releases[n.Rule.Stream],
			Input: actions(s, n, ringwall.Input, nil, budgets), Output: actions(s, n, ringwall.Output, nil, budgets),
		}
		for o, act := range n.Rule.Origins {
			var origin ringwall.Origin
			if err := origin.UnmarshalText([]byte(o)); err != nil {
				return nil, fmt.Errorf("guardrail %s: %s: %w", name, n.Key, err)
			}
			if r.Origins == nil {
				r.Origins = map[ringwall.Origin]*guard.Actions{}
			}
			r.Origins[origin] = actions(s, n, ringwall.Input, &act, budgets)
		}
		if err = looker(s, n, &r); err != nil {
			return nil, fmt.Errorf("guardrail %s: %s: %w", name, n.Key, err)
		}
		if len(r.Scanners) > 0 || r.Detector != nil || r.Missing != "" || r.Control == guard.Sanitize {
			embedded[r.Control] = r.Scanners
			cfg.Rules = append(cfg.Rules, r)
		}
	}
	for _, e := range s.Exceptions {
		x, err := exception(s, e)
		if err != nil {
			return nil, fmt.Errorf("guardrail %s: exception %s: %w", name, e.Name, err)
		}
		cfg.Exceptions = append(cfg.Exceptions, x)
	}
	if cfg.Seconds, err = judges(version, s, embedded, hears); err != nil {
		return nil, fmt.Errorf("guardrail %s: %w", name, err)
	}
	g, err := guard.New(cfg)
	if err != nil {
		for _, j := range cfg.Seconds {
			j.Close()
		}
	}
	return g, err
}

// turns are those of s, in which 0 is none.
func turns(s *guardrail.Spec) guard.Turns {
	t := guard.Turns{HalfLife: s.Attack.Turns.HalfLife, Join: s.Attack.Turns.Join}
	if t.HalfLife == 0 {
		t.HalfLife = -1
	}
	if t.Join == 0 {
		t.Join = -1
	}
	return t
}

var releases = map[string]guard.Release{"strict": guard.Strict, "window": guard.Window, "buffer": guard.Buffer, "cut-off": guard.CutOff}

// looker writes into r who looks for the control n, or that outside judges alone
// do; neither if s does not ask for it.
func looker(s *guardrail.Spec, n guardrail.Named, r *guard.Rule) (err error) {
	if make, ok := Scanners[n.Control]; ok {
		r.Scanners, err = make(s)
	} else if make, ok := Detectors[n.Control]; ok {
		r.Detector, err = make(s)
	}
	if len(r.Scanners) == 0 && r.Detector == nil && served(s, n.Key) {
		r.Missing = "outside-judges"
	}
	return err
}

// Controls returns the ids of the controls that there are detectors for, sorted.
func Controls() []string {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(Scanners)), maps.Keys(Detectors))
	slices.Sort(ids)
	return ids
}

// actions returns what s does about the findings of n in texts that go one way,
// nil if it does not look there. A rest that is not nil stands for the rule's own
// action for what has none of its own.
func actions(s *guardrail.Spec, n guardrail.Named, way ringwall.Direction, rest *guardrail.Act, budgets []Threshold) *guard.Actions {
	own, by := n.Rule.On(way)
	if rest != nil {
		if rest.Off {
			return nil
		}
		own = *rest
	}
	by = maps.Clone(by)
	if by == nil {
		by = map[string]guardrail.Act{}
	}
	for reason, act := range ofParts(s, n, way) {
		if _, said := by[reason]; !said {
			by[reason] = act
		}
	}
	named := slices.ContainsFunc(slices.Collect(maps.Values(by)), func(a guardrail.Act) bool { return !a.Off })
	if own.Off && !named {
		return nil
	}
	for reason, action := range mild[n.Control] {
		if _, said := by[reason]; !said && !own.Off {
			by[reason] = guardrail.Act{Action: action}
		}
	}
	a := &guard.Actions{
		Default: own.Action, Ignore: own.Off, Tokenize: own.Tokenize,
		Least: n.Rule.Least, LeastBy: maps.Clone(n.Rule.LeastBy),
		Shadow: s.Mode == guardrail.Shadow || n.Rule.Mode == guardrail.Shadow,
		By:     map[string]ringwall.Action{}, TokenizeBy: map[string]bool{}, Token: tokens(s, n),
	}
	if _, said := by[guard.ReasonBounds]; n.Control == guard.Sanitize && !said {
		a.By[guard.ReasonBounds] = ringwall.Block // nobody has seen all of the text
	}
	switch {
	case n.Control == attack.Control && n.Rule.Least == usualLeast:
		a.Least = s.Attack.Strength.Least()
	case n.Control == grounding.Control:
		a.Least = 0 // its thresholds are those of the answer, and were applied
	}
	if n.Control == content.Control && n.Rule.Least == usualLeast {
		strengths(&s.Content, way, a)
	}
	for _, t := range budgets {
		t.set(n.Control, a)
	}
	for reason, act := range by {
		if act.Off {
			if a.LeastBy == nil {
				a.LeastBy = map[string]float64{}
			}
			a.LeastBy[reason] = never
			continue
		}
		a.By[reason], a.TokenizeBy[reason] = act.Action, act.Tokenize
	}
	return a
}

// strengths sets the thresholds that strengths mean for texts that go one way.
func strengths(c *guardrail.Content, way ringwall.Direction, a *guard.Actions) {
	by := c.InStrength
	if way == ringwall.Output {
		by = c.OutStrength
	}
	for category, s := range by {
		if _, said := a.LeastBy[category]; said {
			continue
		}
		if a.LeastBy == nil {
			a.LeastBy = map[string]float64{}
		}
		a.LeastBy[category] = s.Least()
	}
}

// mild is what is done about reasons that a guardrail does not name: people ask
// about people by name, an age alone tells nobody apart, an abbreviated link may
// lead anywhere, and crude words are no abuse.
var mild = map[string]map[string]ringwall.Action{
	pii.Control:  {person.Name: ringwall.Allow, pii.Age: ringwall.Flag},
	link.Control: {link.ReasonShortener: ringwall.Flag},
	word.Control: {word.ReasonMildProfanity: ringwall.Flag},
}

// usualLeast is the threshold of a rule that says none.
const usualLeast = 0.5

// never is a threshold that no finding passes.
const never = 2

// ofParts returns the actions that lists, recognizers and topics bring.
func ofParts(s *guardrail.Spec, n guardrail.Named, way ringwall.Direction) map[string]guardrail.Act {
	out := map[string]guardrail.Act{}
	add := func(reason string, input, output *guardrail.Act) {
		act := input
		if way == ringwall.Output {
			act = output
		}
		if act != nil {
			out[reason] = *act
		}
	}
	switch n.Rule {
	case &s.PII.Rule:
		for _, r := range s.PII.Recognizers {
			add(r.Name, r.Input, r.Output)
		}
	case &s.Word.Rule:
		for _, l := range s.Word.Lists {
			add(l.Name, l.Input, l.Output)
		}
	case &s.Topic.Rule:
		for _, t := range s.Topic.Topics {
			add(t.Name, t.Input, t.Output)
		}
	}
	return out
}

// tokens returns the masks that recognizers bring.
func tokens(s *guardrail.Spec, n guardrail.Named) map[string]string {
	if n.Rule != &s.PII.Rule {
		return nil
	}
	out := map[string]string{}
	for _, r := range s.PII.Recognizers {
		if r.Mask != "" {
			out[r.Name] = r.Mask
		}
	}
	return out
}

// exception makes of e what the guard reads.
func exception(s *guardrail.Spec, e guardrail.Exception) (guard.Exception, error) {
	x := guard.Exception{Name: e.Name, Principals: e.Principals, Tenants: e.Tenants, Reasons: e.Reasons, Until: e.Until.Time}
	for _, key := range e.Controls {
		for _, n := range s.Rules() {
			if n.Key == key {
				x.Controls = append(x.Controls, n.Control)
			}
		}
	}
	if len(e.Texts) > 0 {
		w, err := word.New(word.List{Words: e.Texts})
		if err != nil {
			return x, err
		}
		x.Scanners = append(x.Scanners, w)
	}
	if len(e.Patterns) > 0 {
		one := pattern.Recogniser{Name: "excused"}
		for _, p := range e.Patterns {
			one.Patterns = append(one.Patterns, pattern.Pattern{Regex: p})
		}
		p, err := pattern.New(pattern.Config{Recognisers: []pattern.Recogniser{one}})
		if err != nil {
			return x, err
		}
		x.Scanners = append(x.Scanners, p)
	}
	return x, nil
}
