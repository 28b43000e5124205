package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/cache"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/judge"
	"github.com/ringwall/ringwall/hook"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/route"
)

// Guardrail builds a guardrail of c, by its name and, behind an @, its version:
// that of the configuration is the draft. An empty name means the one in force.
func Guardrail(c *config.Config, name string) (*guard.Guard, error) {
	return guardrailOf(c, name, nil)
}

// guardrailOf is Guardrail, and has hears be told what outside judges do, whose
// keys must be there then.
func guardrailOf(c *config.Config, name string, hears judge.Observer) (*guard.Guard, error) {
	name, version, spec, err := FindGuardrail(c, cmp.Or(name, c.Guardrail))
	if err != nil {
		return nil, err
	}
	return guardOf(name, version, spec, hears)
}

// guardOf builds a guardrail of its document.
func guardOf(name, version string, spec *guardrail.Spec, hears judge.Observer) (*guard.Guard, error) {
	for _, j := range spec.Judges {
		if _, err := j.Key.Reveal(); hears != nil && !j.Key.IsZero() && err != nil {
			return nil, fmt.Errorf("guardrail %s: judge %s: reading its key: %w", name, j.Name, err)
		}
	}
	return builtin.Heard(name, version, spec, builtin.Curves, hears)
}

var errNoGuardrail = errors.New("there is no guardrail")

// FindGuardrail returns the guardrail of that name, "shop" or "shop@2", as a
// document.
func FindGuardrail(c *config.Config, ref string) (name, version string, spec *guardrail.Spec, err error) {
	name, version, numbered := strings.Cut(cmp.Or(ref, "default"), "@")
	if numbered && version != guardrail.Draft {
		spec, err = Versions(c).Version(name, version)
		return name, version, strictyaml.Bind(spec, c.Keeper), err
	}
	own, ok := c.Guardrails[name]
	switch {
	case ok:
	case name == "default":
		own = guardrail.Default()
	default:
		return "", "", nil, fmt.Errorf("%w %q: there are %s", errNoGuardrail, name, strings.Join(append(slices.Sorted(maps.Keys(c.Guardrails)), "default"), ", "))
	}
	return name, guardrail.Draft, &own, nil
}

// Versions is where the published versions of guardrails are kept.
func Versions(c *config.Config) guardrail.Store {
	return guardrail.Store{Dir: filepath.Join(c.Data, "guardrails")}
}

// world builds everything that requests depend on, with the guardrails that
// callers may choose from. What its routes do is told to hears.
func world(c *config.Config, rails *rails, hears route.Observer) (w *gateway.World, err error) {
	g, err := rails.Find(context.Background(), gateway.Ref{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			rails.close()
		}
	}()
	w = &gateway.World{Guard: g.Guard, Guardrails: rails, Anonymous: c.Anonymous, Models: map[string]gateway.Route{}, Translate: builtin.Translate}
	w.Policy, w.Wants = c.Policies, dialect.Wants
	providers := map[string]gateway.Provider{}
	var closers []func()
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		p := c.Providers[name]
		spec := builtin.ProviderSpec{Config: provider.Config{BaseURL: p.BaseURL, Connect: p.Connect, First: p.First, Idle: p.Idle, Retries: p.Retries}, Region: p.Region, APIs: p.APIs, Version: p.Version, Bearer: p.Bearer}
		if !p.Key.IsZero() {
			if _, err := p.Key.Reveal(); err != nil {
				return nil, fmt.Errorf("provider %s: reading its api_key: %w", name, err)
			}
			spec.Key = p.Key.Reveal
		}
		made, err := builtin.Providers[p.Type](spec)
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", name, err)
		}
		providers[name] = made
		if c, ok := made.(interface{ Close() }); ok {
			closers = append(closers, c.Close)
		}
	}
	routes := routing{c: c, providers: providers, hears: hears, targets: map[config.Target]*route.Target{}}
	for name, m := range c.Models {
		if w.Models[name], err = routes.route(name, &m); err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
	}
	if c.Default != "" {
		w.Default = &gateway.Route{Name: c.Default, Provider: providers[c.Default]}
	}
	if w.Bypasses, err = bypasses(c, providers); err != nil {
		return nil, err
	}
	if err := rules(c, w); err != nil {
		return nil, err
	}
	for _, h := range c.Hooks {
		if _, err := h.Secret.Reveal(); err != nil {
			return nil, fmt.Errorf("hook %s: reading its secret: %w", h.Name, err)
		}
		cfg := hook.Config{Name: h.Name, URL: h.URL, Secret: h.Secret.Reveal, Timeout: h.Timeout, FailOpen: h.FailOpen}
		for _, s := range h.Stages {
			cfg.Stages = append(cfg.Stages, hook.Stage(s))
		}
		made, err := hook.New(cfg)
		if err != nil {
			return nil, err
		}
		w.Hooks = append(w.Hooks, made)
		closers = append(closers, made.Close)
	}
	if k := c.Cache; k.Enabled {
		w.Cache = cache.New(cache.Config{Bytes: int64(k.Bytes), TTL: k.TTL, AnyTemperature: k.Any})
	}
	w.Close = func() {
		rails.close()
		for _, f := range closers {
			f()
		}
	}
	return w, nil
}

// bypasses are the parts of APIs that are passed on unlooked.
func bypasses(c *config.Config, providers map[string]gateway.Provider) (all []gateway.Bypass, err error) {
	for _, u := range c.Unguarded {
		known := slices.ContainsFunc(builtin.Unguarded, func(path string) bool {
			return path == u.Path || strings.HasSuffix(path, "/") && strings.HasPrefix(u.Path, path)
		})
		if !known {
			return nil, fmt.Errorf("unguarded: %s is no part of an API that is passed on: there are %s", u.Path, strings.Join(builtin.Unguarded, ", "))
		}
		p, ok := providers[u.Provider].(gateway.Passer)
		if !ok {
			return nil, fmt.Errorf("unguarded: %s cannot be passed on to the provider %q", u.Path, u.Provider)
		}
		all = append(all, gateway.Bypass{Path: u.Path, Name: u.Provider, Provider: p, Trust: u.Trust, Body: int64(u.Body)})
	}
	return all, nil
}
