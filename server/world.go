package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/leak"
	"github.com/ringwall/ringwall/guard/link"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/provider/gullible"
	"github.com/ringwall/ringwall/provider/openai"
)

// Guardrail builds the guardrail that c puts in force. An empty name means the
// one that c names.
func Guardrail(c *config.Config, name string) (*guard.Guard, error) {
	if name == "" {
		name = c.Guardrail
	}
	spec, ok := c.Guardrails[name]
	switch {
	case name == "" || name == "default" && !ok:
		name, spec = "default", config.DefaultGuardrail()
	case !ok:
		return nil, fmt.Errorf("there is no guardrail %q: there are %s", name, strings.Join(append(slices.Sorted(maps.Keys(c.Guardrails)), "default"), ", "))
	}
	off := config.Act{Off: true}
	cfg := guard.Config{Name: name, InputMessage: spec.InputMessage, OutputMessage: spec.OutputMessage}
	for _, r := range []struct {
		control       string
		input, output config.Act
		reasons       map[string]config.Act
		failOpen      bool
	}{
		{secret.Control, spec.Secret.Input, spec.Secret.Output, spec.Secret.Reasons, spec.Secret.FailOpen},
		{pii.Control, spec.PII.Input, spec.PII.Output, spec.PII.Reasons, spec.PII.FailOpen},
		{word.Control, spec.Word.Input, spec.Word.Output, nil, spec.Word.FailOpen},
		{attack.Control, spec.Attack.Input, spec.Attack.Output, spec.Attack.Reasons, spec.Attack.FailOpen},
		{leak.Control, off, spec.Leak.Output, nil, spec.Leak.FailOpen},
		{link.Control, off, spec.Link.Output, nil, spec.Link.FailOpen},
	} {
		scanner, err := builtin.Scanners[r.control](builtin.Options{Words: spec.Word.Words, Hosts: spec.Link.Hosts})
		if err != nil {
			return nil, fmt.Errorf("guardrail %s: %w", name, err)
		}
		reasons := r.reasons
		if r.control == pii.Control {
			reasons = unlessSaid(reasons, pii.Age, config.Act{Action: ringwall.Flag})
		}
		cfg.Rules = append(cfg.Rules, guard.Rule{
			Control: r.control, Scanner: scanner, FailOpen: r.failOpen,
			Input: actions(r.input, reasons), Output: actions(r.output, reasons),
		})
	}
	return guard.New(cfg)
}

// unlessSaid returns reasons with act for one that they do not name. An age alone
// tells nobody apart, so it is noted and stays where it is.
func unlessSaid(reasons map[string]config.Act, reason string, act config.Act) map[string]config.Act {
	if _, said := reasons[reason]; said {
		return reasons
	}
	out := maps.Clone(reasons)
	if out == nil {
		out = map[string]config.Act{}
	}
	out[reason] = act
	return out
}

func actions(a config.Act, reasons map[string]config.Act) *guard.Actions {
	if a.Off {
		return nil
	}
	out := &guard.Actions{Default: a.Action}
	for reason, act := range reasons {
		if out.By == nil {
			out.By = map[string]ringwall.Action{}
		}
		out.By[reason] = act.Action
	}
	return out
}

// world builds everything that requests depend on.
func world(c *config.Config) (*gateway.World, error) {
	g, err := Guardrail(c, "")
	if err != nil {
		return nil, err
	}
	w := &gateway.World{Guard: g, Anonymous: c.Anonymous, Models: map[string]gateway.Route{}}
	providers := map[string]gateway.Provider{}
	var closers []func()
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		p := c.Providers[name]
		switch p.Type {
		case "builtin":
			providers[name] = gullible.New(gullible.Config{})
		default:
			cfg := openai.Config{BaseURL: p.BaseURL, Connect: p.Connect, First: p.First, Idle: p.Idle, Retries: p.Retries}
			if !p.Key.IsZero() {
				if _, err := p.Key.Reveal(); err != nil {
					return nil, fmt.Errorf("provider %s: reading its api_key: %w", name, err)
				}
				cfg.Key = p.Key.Reveal
			}
			made, err := openai.New(cfg)
			if err != nil {
				return nil, fmt.Errorf("provider %s: %w", name, err)
			}
			providers[name] = made
			closers = append(closers, made.Close)
		}
	}
	for name, m := range c.Models {
		w.Models[name] = gateway.Route{Name: m.Provider, Provider: providers[m.Provider], Model: m.Model}
	}
	if c.Default != "" {
		w.Default = &gateway.Route{Name: c.Default, Provider: providers[c.Default]}
	}
	w.Close = func() {
		for _, f := range closers {
			f()
		}
	}
	return w, nil
}
