package server

import (
	"maps"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/telemetry"
)

// metrics are what Prometheus reads. Every label has a list of values; what is
// not on it is counted as other.
type metrics struct {
	*telemetry.Metrics
	exchanges *telemetry.Counter
	findings  *telemetry.Counter
	looks     *telemetry.Counter
	tokens    *telemetry.Counter
	took      *telemetry.Histogram
	added     *telemetry.Histogram
	cached    *telemetry.Counter
	reloads   *telemetry.Counter
	inForce   *telemetry.Gauge
	stale     *telemetry.Gauge
}

func newMetrics(version string, keys *auth.Keys) *metrics {
	m := &metrics{Metrics: telemetry.NewMetrics(telemetry.Build{Version: version})}
	model := telemetry.Label{Name: "model"}
	controls := telemetry.Label{Name: "control", Values: []string{gateway.HistoryControl}}
	spec := guardrail.Default()
	for _, n := range spec.Rules() {
		controls.Values = append(controls.Values, n.Control)
	}
	controls.Values = append(controls.Values, gateway.ToolControl)
	m.exchanges = m.Counter("ringwall_exchanges_total", "Exchanges that ended, by how and by verdict.", model,
		telemetry.Label{Name: "outcome", Values: []string{"answered", "refused", "cut", "bad-request", "denied", "client-gone", "upstream-fail", "overloaded", "broken"}},
		telemetry.Label{Name: "action", Values: ringwall.ActionNames()})
	m.findings = m.Counter("ringwall_findings_total", "What controls noticed.", controls,
		telemetry.Label{Name: "severity", Values: []string{"info", "low", "medium", "high", "critical"}})
	m.looks = m.Counter("ringwall_looks_total", "How controls looked at exchanges.", controls,
		telemetry.Label{Name: "state", Values: []string{"ran", "skipped", "failed"}})
	m.tokens = m.Counter("ringwall_tokens_total", "Tokens, as providers count them, estimated where they do not.", model, telemetry.Label{Name: "direction", Values: []string{"input", "output"}})
	m.took = m.Histogram("ringwall_exchange_seconds", "Duration of exchanges.", telemetry.Seconds(), model)
	m.added = m.Histogram("ringwall_added_seconds", "Duration of exchanges without the time that the provider took.", telemetry.Seconds())
	m.cached = m.Counter("ringwall_cache_hits_total", "Exchanges whose answer was kept of an equal request.", model)
	m.reloads = m.Counter("ringwall_config_reloads_total", "Configurations that were read while serving.", telemetry.Label{Name: "result", Values: []string{"taken", "refused"}})
	m.inForce = m.Gauge("ringwall_config_current", "1 when the configuration in force is the one that was read last, 0 when that one was refused.")
	m.inForce.Set(1)
	m.stale = m.Gauge("ringwall_secrets_stale", "Secrets whose service did not give them when it was asked last: their last values are in force.")
	m.GaugeFunc("ringwall_keys_age_seconds", "Time since the API keys were last read from the database.", func() float64 { return keys.Age().Seconds() })
	return m
}

// declare makes the models that c names values of the label model.
func (m *metrics) declare(c *config.Config) {
	m.Declare("model", slices.Sorted(maps.Keys(c.Models))...)
}

// Ended implements gateway.Observer.
func (m *metrics) Ended(x *ringwall.Exchange, outcome ringwall.Outcome, took, upstream time.Duration) {
	m.exchanges.Inc(x.Model, string(outcome), x.Verdict.Action.String())
	for _, f := range x.Findings {
		m.findings.Inc(f.Control, f.Severity.String())
	}
	for _, l := range x.Looks {
		if l.By != "" {
			continue // those of outside judges are counted by judge
		}
		m.looks.Inc(l.Control, string(l.State))
	}
	if x.Usage.InputTokens > 0 {
		m.tokens.Add(float64(x.Usage.InputTokens), x.Model, "input")
		m.tokens.Add(float64(x.Usage.OutputTokens), x.Model, "output")
	}
	if x.Cached {
		m.cached.Inc(x.Model)
	}
	m.took.Took(took, x.Model)
	m.added.Took(took - upstream)
}

func (m *metrics) reloaded(err error) {
	if err != nil {
		m.reloads.Inc("refused")
		m.inForce.Set(0)
		return
	}
	m.reloads.Inc("taken")
	m.inForce.Set(1)
}
