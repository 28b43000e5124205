package telemetry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringwall/ringwall/internal/telemetry"
)

// scrape reads the metrics as Prometheus does.
func scrape(t testing.TB, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func wantLines(t testing.TB, m *telemetry.Metrics, lines ...string) {
	t.Helper()
	got := scrape(t, m)
	for _, line := range lines {
		if !strings.Contains("\n"+got, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

var outcomes = telemetry.Label{Name: "outcome", Values: []string{"answered", "refused"}}

func TestMetrics(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{Version: "1.2.3", Revision: "abc"})
	c := m.Counter("ringwall_exchanges_total", "Exchanges.", telemetry.Label{Name: "provider", Values: []string{"openai"}}, outcomes)
	c.Inc("openai", "answered")
	c.Add(2, "openai", "refused")
	c.Add(-1, "openai", "refused")
	g := m.Gauge("ringwall_open", "Open exchanges.")
	g.Set(5)
	g.Add(-2)
	h := m.Histogram("ringwall_guard_seconds", "Time.", []float64{0.1, 1}, outcomes)
	h.Took(500*time.Millisecond, "answered")
	m.GaugeFunc("ringwall_age_seconds", "Age.", func() float64 { return 1 })
	m.GaugeFunc("ringwall_age_seconds", "Age.", func() float64 { return 2 })
	wantLines(t, m,
		`ringwall_build_info{go_version="`+runtime.Version()+`",revision="abc",version="1.2.3"} 1`,
		`ringwall_exchanges_total{outcome="answered",provider="openai"} 1`,
		`ringwall_exchanges_total{outcome="refused",provider="openai"} 2`,
		`ringwall_open 3`,
		`ringwall_guard_seconds_bucket{outcome="answered",le="0.1"} 0`,
		`ringwall_guard_seconds_bucket{outcome="answered",le="1"} 1`,
		`ringwall_guard_seconds_sum{outcome="answered"} 0.5`,
		`ringwall_age_seconds 2`,
	)
	for _, part := range []string{"go_goroutines ", "process_open_fds ", "# HELP ringwall_open Open exchanges."} {
		if !strings.Contains(scrape(t, m), part) {
			t.Errorf("no %q", part)
		}
	}
}

func TestUndeclaredLabelValuesAreOther(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	c := m.Counter("c_total", "C.", telemetry.Label{Name: "model", Values: []string{"gpt"}}, outcomes)
	for i := range 10_000 {
		c.Inc(fmt.Sprintf("model-%d", i), "answered") // what a client may send
	}
	c.Inc("gpt")
	c.Inc()
	c.Inc("gpt", "answered", "one", "more")
	c.Inc("\xff", "")
	wantLines(t, m,
		`c_total{model="other",outcome="answered"} 10000`,
		`c_total{model="gpt",outcome="other"} 1`,
		`c_total{model="other",outcome="other"} 2`,
		`c_total{model="gpt",outcome="answered"} 1`,
	)
	if n := strings.Count(scrape(t, m), "\nc_total{"); n != 4 {
		t.Errorf("%d series, want 4", n)
	}
}

func TestDeclareAddsValuesToAllMetrics(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	c := m.Counter("c_total", "C.", telemetry.Label{Name: "provider"})
	c.Inc("late")
	m.Declare("provider", "late")
	c.Inc("late")
	again := m.Counter("c_total", "C.", telemetry.Label{Name: "provider"})
	again.Inc("late")
	wantLines(t, m, `c_total{provider="other"} 1`, `c_total{provider="late"} 2`)

	for i := range 2 * telemetry.MaxValues {
		m.Declare("provider", fmt.Sprint(i))
		c.Inc(fmt.Sprint(i))
	}
	if n := strings.Count(scrape(t, m), "\nc_total{"); n != telemetry.MaxValues+1 {
		t.Errorf("%d series, want %d and other", n, telemetry.MaxValues)
	}
}

func TestMetricsAreNobodysButOurs(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	m.Counter("ringwall_ours_total", "Ours.").Inc()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "ringwall") {
			t.Errorf("%s is on the global registry", f.GetName())
		}
	}
	if strings.Contains(scrape(t, telemetry.NewMetrics(telemetry.Build{})), "ringwall_ours_total") {
		t.Error("two programs share a metric")
	}
}

func TestMetricsFromManyGoroutines(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 100 {
				m.Declare("provider", fmt.Sprint(j))
				m.Counter("c_total", "C.", telemetry.Label{Name: "provider"}).Inc(fmt.Sprint(j))
				if i == 0 && j%50 == 0 {
					scrape(t, m)
				}
			}
		})
	}
	all.Wait()
	wantLines(t, m, `c_total{provider="99"} 8`)
}

func TestBadMetricsPanicWhenMade(t *testing.T) {
	for name, make := range map[string]func(*telemetry.Metrics){
		"a bad name":      func(m *telemetry.Metrics) { m.Counter("", "X.") },
		"a bad label":     func(m *telemetry.Metrics) { m.Counter("x", "X.", telemetry.Label{Name: ""}) },
		"two of one name": func(m *telemetry.Metrics) { m.Counter("x", "X."); m.Gauge("x", "X.") },
		"too many labels": func(m *telemetry.Metrics) { m.Counter("x", "X.", make([]telemetry.Label, 9)...) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			make(telemetry.NewMetrics(telemetry.Build{}))
		})
	}
}

func BenchmarkCounter(b *testing.B) {
	m := telemetry.NewMetrics(telemetry.Build{})
	c := m.Counter("c_total", "C.", telemetry.Label{Name: "provider", Values: []string{"openai"}}, outcomes)
	b.ReportAllocs()
	for b.Loop() {
		c.Inc("openai", "answered")
	}
}

func BenchmarkHistogram(b *testing.B) {
	m := telemetry.NewMetrics(telemetry.Build{})
	h := m.Histogram("h_seconds", "H.", nil, outcomes)
	b.ReportAllocs()
	for b.Loop() {
		h.Observe(0.003, "answered")
	}
}
