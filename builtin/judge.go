package builtin

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/judge"
	"github.com/ringwall/ringwall/guard/stream"
)

// judges makes the outside judges of s. Embedded are the detectors of the
// program, by control, whose scores say where a judge is asked.
func judges(version string, s *guardrail.Spec, embedded map[string][]stream.Scanner, hears judge.Observer) (out []guard.Second, err error) {
	defer func() {
		if err != nil {
			for _, made := range out {
				made.Close()
			}
			out = nil
		}
	}()
	controls := map[string]string{} // ids by key
	for _, n := range s.Rules() {
		controls[n.Key] = n.Control
	}
	for i := range s.Judges {
		d := &s.Judges[i]
		cfg := judge.Config{
			Name: d.Name, Kind: d.Kind, URL: d.URL, Model: d.Model, CAFile: d.CAFile,
			Policy: d.Policy, Risk: d.Risk, NoLogprobs: d.NoLogprobs,
			Region: d.Region, Guardrail: d.Guardrail, GuardrailVersion: d.Version, Language: d.Language,
			Timeout: d.Timeout, PerMinute: d.PerMinute, AtOnce: d.Concurrency, Window: d.Window, Longest: d.Longest, CacheTTL: d.CacheTTL,
			Version: version, Labels: map[string]judge.Target{}, Observer: hears,
		}
		if d.CacheTTL == 0 {
			cfg.CacheTTL = -1 // none, and not the usual
		}
		if !d.Key.IsZero() {
			cfg.Key = d.Key.Reveal
		}
		for _, key := range d.Controls {
			cfg.Controls = append(cfg.Controls, controls[key])
		}
		for name, text := range d.Labels {
			key, reason, _ := guardrail.Label(text) // as Check made sure
			cfg.Labels[name] = judge.Target{Control: controls[key], Reason: reason}
		}
		for _, t := range s.Topic.Topics {
			cfg.Topics = append(cfg.Topics, judge.Topic{Name: t.Name, Definition: t.Definition})
		}
		if cfg.Zones, err = zones(d, cfg.Controls, embedded); err != nil {
			return out, err
		}
		j, err := judge.New(cfg)
		if err != nil {
			return out, err
		}
		second := guard.Second{
			Name: d.Name, Controls: cfg.Controls, Judge: j, FailOpen: d.FailOpen, Close: j.Close,
			Timeout: d.Timeout + time.Second, // the judge keeps its own time, and says what was wrong
			Origins: []ringwall.Origin{ringwall.User, ringwall.Assistant, ringwall.Tool, ringwall.Retrieved, ringwall.Unverified},
		}
		out = append(out, second)
		if err := only(&out[len(out)-1], d); err != nil {
			return out, err
		}
	}
	return out, nil
}

// only narrows s to the ways and origins of d.
func only(s *guard.Second, d *guardrail.Judge) error {
	for _, name := range d.Ways {
		var way ringwall.Direction
		if err := way.UnmarshalText([]byte(name)); err != nil {
			return fmt.Errorf("judge %s: %w", d.Name, err)
		}
		s.Ways = append(s.Ways, way)
	}
	if len(d.Origins) > 0 {
		s.Origins = nil
	}
	for _, name := range d.Origins {
		var o ringwall.Origin
		if err := o.UnmarshalText([]byte(name)); err != nil {
			return fmt.Errorf("judge %s: %w", d.Name, err)
		}
		s.Origins = append(s.Origins, o)
	}
	return nil
}

// zones says by control where d is asked; nothing where that is everywhere.
func zones(d *guardrail.Judge, controls []string, embedded map[string][]stream.Scanner) (map[string]judge.Zone, error) {
	if d.Grey.Everywhere() {
		return nil, nil
	}
	out := map[string]judge.Zone{}
	for i, control := range controls {
		scanners := embedded[control]
		if len(scanners) == 0 {
			return nil, fmt.Errorf("judge %s: grey: no detector of the program gives %s a score to go by", d.Name, d.Controls[i])
		}
		out[control] = judge.Zone{From: d.Grey.From, To: d.Grey.To, Score: func(way ringwall.Direction, text ringwall.Text) float64 {
			return surest(scanners, way, text)
		}}
	}
	return out, nil
}

// scorer is a Cursor that says how sure it is of the text as a whole.
type scorer interface {
	Scores(yield func(name string, score float64))
}

// surest returns the highest score that scanners give text or a part of it, 0 to
// 1; 0 where they find nothing.
func surest(scanners []stream.Scanner, way ringwall.Direction, text ringwall.Text) (most float64) {
	scope := stream.Scope{Way: way, Origin: text.Origin}
	var watches []stream.Watch
	for _, s := range scanners {
		if cursor, _ := s.Begin(scope); cursor != nil {
			watches = append(watches, stream.Watch{Cursor: cursor})
		}
	}
	r := stream.New(stream.Config{Watches: watches, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Allow }})
	r.Text(text.Value)
	for _, f := range r.Findings() {
		most = max(most, f.Score)
	}
	for _, w := range watches {
		if s, ok := w.Cursor.(scorer); ok {
			s.Scores(func(_ string, score float64) { most = max(most, score) })
		}
		if f, ok := w.Cursor.(stream.Freer); ok {
			f.Free()
		}
	}
	return most
}

// served reports whether an outside judge of s looks for the control of that
// key.
func served(s *guardrail.Spec, key string) bool {
	return slices.ContainsFunc(s.Judges, func(j guardrail.Judge) bool { return slices.Contains(j.Controls, key) })
}

// judgedReasons lists what the judges of s may find, by the key of the control.
func judgedReasons(s *guardrail.Spec) (out []Reason) {
	keys := map[string]string{}
	for _, n := range s.Rules() {
		keys[n.Control] = n.Key
	}
	add := func(control, reason string) {
		if r := (Reason{Control: control, Reason: reason}); control != "" && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	for _, j := range s.Judges {
		for _, key := range j.Controls {
			add(key, judge.Judged)
		}
		for _, t := range judge.Reasons(j.Kind) {
			if slices.Contains(j.Controls, keys[t.Control]) {
				add(keys[t.Control], t.Reason)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(j.Labels)) {
			key, reason, _ := guardrail.Label(j.Labels[name])
			add(key, reason)
		}
	}
	return out
}
