package server

import (
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/judge"
	"github.com/ringwall/ringwall/internal/telemetry"
)

// judged counts what outside judges do, and logs when one is left alone. It
// implements judge.Observer.
type judged struct {
	log     *slog.Logger
	looks   *telemetry.Counter
	calls   *telemetry.Counter
	waited  *telemetry.Histogram
	took    *telemetry.Histogram
	breaker *telemetry.Gauge
}

func newJudged(m *telemetry.Metrics, log *slog.Logger) *judged {
	name := telemetry.Label{Name: "judge"}
	var results []string
	for _, r := range judge.Results() {
		results = append(results, string(r))
	}
	return &judged{
		log:     log,
		looks:   m.Counter("ringwall_judge_looks_total", "How outside judges looked at texts.", name, telemetry.Label{Name: "result", Values: results}),
		calls:   m.Counter("ringwall_judge_calls_total", "Calls of outside judges, by how they went.", name, telemetry.Label{Name: "outcome", Values: []string{"answered", "failed"}}),
		waited:  m.Histogram("ringwall_judge_wait_seconds", "How long texts waited for outside judges.", telemetry.Seconds(), name),
		took:    m.Histogram("ringwall_judge_call_seconds", "Duration of calls of outside judges.", telemetry.Seconds(), name),
		breaker: m.Gauge("ringwall_judge_breaker", "State of the circuit breakers of outside judges: 0 closed, 1 half open, 2 open.", name),
	}
}

// declare makes the judges of a guardrail values of the label judge.
func (j *judged) declare(m *telemetry.Metrics, spec *guardrail.Spec) {
	for _, d := range spec.Judges {
		m.Declare("judge", d.Name)
		j.breaker.Set(float64(judge.Closed), d.Name)
	}
}

// inTheClear names the judges of the guardrail that c puts in force that are on
// other machines and asked without TLS.
func inTheClear(c *config.Config) (names []string) {
	_, _, spec, err := FindGuardrail(c, c.Guardrail)
	if err != nil {
		return nil
	}
	for _, d := range spec.Judges {
		u, err := url.Parse(d.URL)
		if err != nil || u.Scheme != "http" {
			continue
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			names = append(names, d.Name)
		}
	}
	return names
}

// Judged implements judge.Observer.
func (j *judged) Judged(name string, r judge.Result, took time.Duration, _ error) {
	j.looks.Inc(name, string(r))
	if r != judge.Skipped {
		j.waited.Took(took, name)
	}
}

// Called implements judge.Observer.
func (j *judged) Called(name string, took time.Duration, err error) {
	outcome := "answered"
	if err != nil {
		outcome = "failed"
		j.log.Warn("an outside judge could not be asked", "judge", name, "error", err.Error())
	}
	j.calls.Inc(name, outcome)
	j.took.Took(took, name)
}

// Breaker implements judge.Observer.
func (j *judged) Breaker(name string, s judge.State) {
	j.breaker.Set(float64(s), name)
	if s == judge.Open {
		j.log.Error("an outside judge failed too often and is left alone for a while", "judge", name)
	} else {
		j.log.Info("the circuit breaker of an outside judge changed its state", "judge", name, "state", s.String())
	}
}
