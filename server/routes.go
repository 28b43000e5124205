package server

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/circuit"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/route"
)

// routing makes the routes of a world, which share their targets.
type routing struct {
	c         *config.Config
	providers map[string]gateway.Provider
	hears     route.Observer
	targets   map[config.Target]*route.Target
}

// route says where the requests for a model go.
func (r *routing) route(name string, m *config.Model) (gateway.Route, error) {
	if !m.Routed() {
		return gateway.Route{Name: m.Provider, Provider: r.providers[m.Provider], Model: m.Model}, nil
	}
	cfg := route.Config{Model: name, Try: m.Try, Hedge: m.Hedge, Sound: json.Valid, Observer: r.hears}
	all, share := m.All()
	for i, t := range all {
		if i < share {
			cfg.Targets = append(cfg.Targets, route.Weighted{Target: r.target(t), Weight: t.Weight})
		} else {
			cfg.Fallback = append(cfg.Fallback, r.target(t))
		}
	}
	p, err := route.New(cfg)
	if err != nil {
		return gateway.Route{}, err
	}
	return gateway.Route{Name: strings.Join(p.Names(), "|"), Provider: p}, nil
}

// target returns the one target that t is in this world.
func (r *routing) target(t config.Target) *route.Target {
	t.Weight = 0 // which is the route's business
	if r.targets[t] == nil {
		p := r.c.Providers[t.Provider]
		r.targets[t] = route.NewTarget(route.TargetConfig{
			Name: t.Provider, Provider: r.providers[t.Provider], Model: t.Model, Failures: p.Failures, Pause: p.Pause, Observer: r.hears,
		})
	}
	return r.targets[t]
}

// routed counts what routes do, and logs when a target is left alone. It implements
// route.Observer.
type routed struct {
	log     *slog.Logger
	tries   *telemetry.Counter
	took    *telemetry.Histogram
	falls   *telemetry.Counter
	hedges  *telemetry.Counter
	breaker *telemetry.Gauge
}

func newRouted(m *telemetry.Metrics, log *slog.Logger) *routed {
	target, model := telemetry.Label{Name: "target"}, telemetry.Label{Name: "model"}
	reason := telemetry.Label{Name: "reason"}
	for _, r := range provider.Reasons() {
		reason.Values = append(reason.Values, string(r))
	}
	result := telemetry.Label{Name: "result", Values: append([]string{"answered"}, reason.Values...)}
	return &routed{
		log:     log,
		tries:   m.Counter("ringwall_target_tries_total", "Requests to the targets of routes, by how they went.", target, result),
		took:    m.Histogram("ringwall_target_try_seconds", "Time until the targets of routes began to answer, or had answered whole.", telemetry.Seconds(), target),
		falls:   m.Counter("ringwall_route_fallbacks_total", "Requests that went on to another target, by why.", model, reason),
		hedges:  m.Counter("ringwall_route_hedges_total", "Requests that were sent to another target, too.", model),
		breaker: m.Gauge("ringwall_target_breaker", "State of the circuit breakers of targets: 0 closed, 1 half open, 2 open.", target),
	}
}

// targetName is what a target is called in metrics and logs.
func targetName(provider, model string) string { return provider + "/" + cmp.Or(model, "*") }

// declare makes the targets that c names values of the label target.
func (r *routed) declare(m *telemetry.Metrics, c *config.Config) {
	for _, name := range slices.Sorted(maps.Keys(c.Models)) {
		model := c.Models[name]
		if !model.Routed() {
			continue
		}
		all, _ := model.All()
		for _, t := range all {
			m.Declare("target", targetName(t.Provider, t.Model))
			r.breaker.Set(float64(circuit.Closed), targetName(t.Provider, t.Model))
		}
	}
}

// Tried implements route.Observer.
func (r *routed) Tried(t *route.Target, reason provider.Reason, took time.Duration) {
	name := targetName(t.Provider(), t.Model())
	r.tries.Inc(name, cmp.Or(string(reason), "answered"))
	r.took.Took(took, name)
}

// Fell implements route.Observer.
func (r *routed) Fell(model string, reason provider.Reason) { r.falls.Inc(model, string(reason)) }

// Hedged implements route.Observer.
func (r *routed) Hedged(model string) { r.hedges.Inc(model) }

// Breaker implements route.Observer.
func (r *routed) Breaker(t *route.Target, s circuit.State) {
	name := targetName(t.Provider(), t.Model())
	r.breaker.Set(float64(s), name)
	if s == circuit.Open {
		r.log.Error("a provider failed too often and is left alone for a while", "target", name)
	} else {
		r.log.Info("the circuit breaker of a provider changed its state", "target", name, "state", s.String())
	}
}
