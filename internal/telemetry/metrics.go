package telemetry

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// Other is counted for each label value that nobody declared.
	Other = "other"

	// MaxValues is how many values of one label are told apart, those declared
	// first. A label that clients could fill would else fill the memory.
	MaxValues = 256

	maxLabels = 8
)

// Build is what the metric ringwall_build_info says.
type Build struct {
	Version  string
	Revision string // of the source
}

// Metrics are the metrics of one program, on a registry of their own. All
// methods are safe for concurrent use.
//
// A metric is made once: asking again, with the same name and labels, gives the
// same one, so that a world built anew goes on counting where the old one was.
// Names that Prometheus refuses, and one name for two different metrics, are
// bugs of the program: they panic when the metric is made, never when it is
// used.
type Metrics struct {
	registry *prometheus.Registry

	mu     sync.Mutex
	labels map[string]*values
	gauges map[string]*atomic.Pointer[func() float64]
}

// NewMetrics returns metrics that tell about the build, the Go runtime and the
// process, and nothing else yet.
func NewMetrics(b Build) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		labels:   map[string]*values{},
		gauges:   map[string]*atomic.Pointer[func() float64]{},
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "ringwall_build_info",
		Help:        "What is running; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "go_version": runtime.Version()},
	})
	info.Set(1)
	register(m.registry, prometheus.Collector(info))
	register(m.registry, collectors.NewGoCollector())
	register(m.registry, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in the formats of Prometheus and OpenMetrics. It
// asks nobody who they are: whom it answers is the server's to decide.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry:            m.registry,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
		EnableOpenMetrics:   true,
	})
}

// Label is a label with the values that it may have.
type Label struct {
	Name   string
	Values []string
}

// Declare adds values that labels of this name may have, in all metrics: a new
// configuration names new providers. Values are never taken back; what exceeds
// [MaxValues] stays [Other].
func (m *Metrics) Declare(label string, more ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.declare(label, more)
}

func (m *Metrics) declare(label string, more []string) *values {
	v, ok := m.labels[label]
	if !ok {
		v = &values{}
		v.known.Store(&map[string]bool{Other: true})
		m.labels[label] = v
	}
	v.add(more)
	return v
}

// Counter returns the counter of this name, which by custom ends in _total.
func (m *Metrics) Counter(name, help string, labels ...Label) *Counter {
	names, series := m.series(labels)
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, names)
	return &Counter{series, register(m.registry, vec)}
}

// Gauge returns the gauge of this name.
func (m *Metrics) Gauge(name, help string, labels ...Label) *Gauge {
	names, series := m.series(labels)
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, names)
	return &Gauge{series, register(m.registry, vec)}
}

// Histogram returns the histogram of this name, which by custom ends in its
// unit. Buckets are upper bounds, rising; nil means [Seconds].
func (m *Metrics) Histogram(name, help string, buckets []float64, labels ...Label) *Histogram {
	if buckets == nil {
		buckets = Seconds()
	}
	names, series := m.series(labels)
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, names)
	return &Histogram{series, register(m.registry, vec)}
}

// GaugeFunc makes a gauge that calls f whenever somebody looks; f must be quick
// and safe for concurrent use. A second call for one name replaces f.
func (m *Metrics) GaugeFunc(name, help string, f func() float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok := m.gauges[name]; ok {
		p.Store(&f)
		return
	}
	p := &atomic.Pointer[func() float64]{}
	p.Store(&f)
	register(m.registry, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return (*p.Load())() }))
	m.gauges[name] = p
}

// Seconds are buckets for durations, from what a guard adds to what a model
// takes: half a millisecond to two minutes.
func Seconds() []float64 {
	return []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120}
}

// Counter counts. Label values are given in the order of the labels; those that
// are missing or were not declared are [Other], those too many are ignored.
type Counter struct {
	series
	vec *prometheus.CounterVec
}

// Inc adds one.
func (c *Counter) Inc(values ...string) { c.Add(1, values...) }

// Add adds n; less than 0 adds nothing.
func (c *Counter) Add(n float64, values ...string) {
	if n >= 0 {
		var buf [maxLabels]string
		c.vec.WithLabelValues(c.bounded(&buf, values)...).Add(n)
	}
}

// Gauge is a value that rises and falls. Label values are as for [Counter].
type Gauge struct {
	series
	vec *prometheus.GaugeVec
}

// Set sets the value.
func (g *Gauge) Set(v float64, values ...string) {
	var buf [maxLabels]string
	g.vec.WithLabelValues(g.bounded(&buf, values)...).Set(v)
}

// Add adds n, which may be less than 0.
func (g *Gauge) Add(n float64, values ...string) {
	var buf [maxLabels]string
	g.vec.WithLabelValues(g.bounded(&buf, values)...).Add(n)
}

// Histogram counts how often values fall into each bucket. Label values are as
// for [Counter].
type Histogram struct {
	series
	vec *prometheus.HistogramVec
}

// Observe counts v.
func (h *Histogram) Observe(v float64, values ...string) {
	var buf [maxLabels]string
	h.vec.WithLabelValues(h.bounded(&buf, values)...).Observe(v)
}

// Took counts d in seconds.
func (h *Histogram) Took(d time.Duration, values ...string) { h.Observe(d.Seconds(), values...) }

// series are the labels of one metric.
type series struct {
	labels []*values
}

func (m *Metrics) series(labels []Label) (names []string, s series) {
	if len(labels) > maxLabels {
		// bug: labels are literals in our own code
		panic(fmt.Sprintf("telemetry: %d labels: want at most %d", len(labels), maxLabels))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range labels {
		names = append(names, l.Name)
		s.labels = append(s.labels, m.declare(l.Name, l.Values))
	}
	return names, s
}

// bounded puts into buf, for each label, its value if that was declared.
func (s *series) bounded(buf *[maxLabels]string, given []string) []string {
	out := buf[:len(s.labels)]
	for i, l := range s.labels {
		out[i] = Other
		if i < len(given) && (*l.known.Load())[given[i]] {
			out[i] = given[i]
		}
	}
	return out
}

// values are what a label may be; the map is replaced, never changed.
type values struct {
	known atomic.Pointer[map[string]bool]
}

// add is called with Metrics.mu held.
func (v *values) add(more []string) {
	old := *v.known.Load()
	if !slices.ContainsFunc(more, func(s string) bool { return !old[s] }) {
		return
	}
	known := make(map[string]bool, len(old)+len(more))
	for s := range old {
		known[s] = true
	}
	for _, s := range more {
		if len(known) > MaxValues { // Other is one more
			break
		}
		known[s] = true
	}
	v.known.Store(&known)
}

// register adds c to the registry, or returns the collector that is there
// already and is the same.
func register[C prometheus.Collector](r *prometheus.Registry, c C) C {
	err := r.Register(c)
	var again prometheus.AlreadyRegisteredError
	if errors.As(err, &again) {
		if old, ok := again.ExistingCollector.(C); ok {
			return old
		}
	}
	if err != nil {
		// bug: names, help and labels are literals in our own code
		panic(fmt.Sprintf("telemetry: registering a metric: %v", err))
	}
	return c
}
