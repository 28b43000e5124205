package bench

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// Report is what was measured. Values that this system cannot tell are -1.
type Report struct {
	Go          string  `json:"go"`
	System      string  `json:"system"`
	CPUs        int     `json:"cpus"`
	Rounds      int     `json:"rounds"`
	Seconds     float64 `json:"seconds"` // of a cell
	Concurrency int     `json:"concurrency"`
	Rate        int     `json:"rate"` // requests a second at fixed rate; of streams a tenth

	Cells   []Cell   `json:"cells"`
	Starts  []Start  `json:"starts"`
	Derived []Figure `json:"derived,omitempty"`
	Added   []Added  `json:"added,omitempty"` // by dialect, where several were measured
	Goals   []Goal   `json:"goals"`
}

// Cell is one target under one load: medians of the rounds.
type Cell struct {
	Mode     Mode    `json:"mode"`
	Scenario string  `json:"scenario"`
	Dialect  string  `json:"dialect,omitempty"` // where several were measured
	Target   Kind    `json:"target"`
	Rate     float64 `json:"requests_per_second"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	AddedP50 float64 `json:"added_p50_ms"` // to asking the stub directly
	AddedP99 float64 `json:"added_p99_ms"`
	Ratio    float64 `json:"rate_of_proxy"` // requests a second over the bare proxy's
	CPU      float64 `json:"cpu_us"`        // of the target's process, per request
	Allocs   float64 `json:"allocs"`        // per request
	Bytes    float64 `json:"alloc_bytes"`   // per request
}

// Start is what a process needs.
type Start struct {
	Target Kind    `json:"target"`
	Ready  float64 `json:"ready_ms"`
	Peak   float64 `json:"peak_mb"` // after saturation
}

// Figure is computed from cells.
type Figure struct {
	Name  string  `json:"name"`
	Proxy float64 `json:"proxy"`
	Ours  float64 `json:"ringwall"`
}

// Goal is a bound that we want to keep.
type Goal struct {
	Name string  `json:"name"`
	Want float64 `json:"want"`
	Got  float64 `json:"got"`
	Unit string  `json:"unit"`
	Met  bool    `json:"met"`
	// Measured is false where this run, or this system, does not tell.
	Measured bool `json:"measured"`
	atLeast  bool
}

// Met reports whether every goal that was measured is met.
func (r *Report) Met() bool {
	return !slices.ContainsFunc(r.Goals, func(g Goal) bool { return g.Measured && !g.Met })
}

func (b *bench) report() *Report {
	o := &b.opt
	r := &Report{
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(),
		Rounds: o.Rounds, Seconds: o.Duration.Seconds(), Concurrency: o.Concurrency, Rate: o.Rate,
	}
	for _, mode := range o.Modes {
		for _, s := range o.scenarios() {
			for _, k := range kinds {
				r.Cells = append(r.Cells, b.medians(mode, s, k))
			}
		}
	}
	for _, k := range kinds {
		var ready []float64
		for _, d := range b.ready[k] {
			ready = append(ready, ms(d))
		}
		peak := -1.0
		if p, ok := b.peak[k]; ok && p >= 0 {
			peak = float64(p) / 1e6
		}
		r.Starts = append(r.Starts, Start{k, median(ready), peak})
	}
	if len(o.Dialects) > 0 {
		r.dialects(b)
		return r
	}
	for _, d := range derivations {
		r.Derived = append(r.Derived, Figure{d.name, b.derive(d, Proxy), b.derive(d, Ringwall)})
	}
	r.goals()
	return r
}

// samplesOf returns the samples of a cell in the order of the rounds.
func (b *bench) samplesOf(mode Mode, scenario, dialect string, k Kind) (out []sample) {
	for _, s := range b.samples {
		if s.Mode == mode && s.Scenario.Name == scenario && s.Scenario.Dialect == dialect && s.Kind == k {
			out = append(out, s)
		}
	}
	return out
}

// medians takes ratios and differences within a round, then their median: what
// disturbs the machine for a while disturbs both sides.
func (b *bench) medians(mode Mode, s Scenario, k Kind) Cell {
	of := func(k Kind) []sample { return b.samplesOf(mode, s.Name, s.Dialect, k) }
	direct, proxy, own := of(Stub), of(Proxy), of(k)
	over := func(f func(i int) float64) float64 {
		var vs []float64
		for i := range own {
			vs = append(vs, f(i))
		}
		return median(vs)
	}
	per := func(i int, v float64) float64 { return v / math.Max(1, float64(own[i].Requests)) }
	return Cell{
		Mode: mode, Scenario: s.Name, Dialect: s.Dialect, Target: k,
		Rate:     over(func(i int) float64 { return own[i].rate() }),
		P50:      over(func(i int) float64 { return ms(own[i].P50) }),
		P99:      over(func(i int) float64 { return ms(own[i].P99) }),
		AddedP50: over(func(i int) float64 { return ms(own[i].P50 - direct[i].P50) }),
		AddedP99: over(func(i int) float64 { return ms(own[i].P99 - direct[i].P99) }),
		Ratio:    over(func(i int) float64 { return own[i].rate() / proxy[i].rate() }),
		CPU:      over(func(i int) float64 { return own[i].cpuPerRequest() }),
		Allocs:   over(func(i int) float64 { return per(i, float64(own[i].Allocs)) }),
		Bytes:    over(func(i int) float64 { return per(i, float64(own[i].Bytes)) }),
	}
}

func (l *load) rate() float64 { return float64(l.Requests) / math.Max(1e-9, l.Took.Seconds()) }

// cpuPerRequest is in microseconds; -1: not available.
func (s *sample) cpuPerRequest() float64 {
	if s.CPU < 0 || s.Requests == 0 {
		return -1
	}
	return float64(s.CPU) / 1e3 / float64(s.Requests)
}

// derivations are differences of CPU time at saturation, by what makes the
// difference.
var derivations = []struct {
	name       string
	more, less string // scenarios
	by         float64
}{
	{"CPU per further KB, unary", "unary-8k", "unary-1k", 7},
	{"CPU per further KB, streamed", "stream-8k", "stream-1k", 7},
	{"CPU per streamed chunk", "stream-1k", "unary-1k", Chunks},
}

func (b *bench) derive(d struct {
	name       string
	more, less string
	by         float64
}, k Kind,
) float64 {
	more, less := b.samplesOf(Saturation, d.more, "", k), b.samplesOf(Saturation, d.less, "", k)
	var vs []float64
	for i := range min(len(more), len(less)) {
		if more[i].CPU < 0 || less[i].CPU < 0 {
			return -1
		}
		vs = append(vs, (more[i].cpuPerRequest()-less[i].cpuPerRequest())/d.by)
	}
	if len(vs) == 0 {
		return math.NaN()
	}
	return median(vs)
}

func median(vs []float64) float64 {
	if len(vs) == 0 {
		return math.NaN()
	}
	vs = slices.Sorted(slices.Values(vs))
	return (vs[(len(vs)-1)/2] + vs[len(vs)/2]) / 2
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

func (r *Report) cell(mode Mode, scenario string, f func(*Cell) float64) float64 {
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Mode == mode && c.Scenario == scenario && c.Target == Ringwall {
			return f(c)
		}
	}
	return math.NaN()
}

func (r *Report) goal(name string, want, got float64, unit string, atLeast bool) {
	g := Goal{Name: name, Want: want, Got: got, Unit: unit, atLeast: atLeast, Measured: !math.IsNaN(got)}
	if unit != "ms" && got == -1 {
		g.Measured = false
	}
	g.Met = g.Measured && (atLeast && got >= want || !atLeast && got <= want)
	if !g.Measured {
		g.Got = -1
	}
	r.Goals = append(r.Goals, g)
}

// goals are what the gateway may cost.
func (r *Report) goals() {
	add := r.goal
	add("CPU per request, 1 KB unary", 100, r.cell(Saturation, "unary-1k", func(c *Cell) float64 { return c.CPU }), "µs", false)
	add("CPU per further KB", 8, r.Derived[0].Ours, "µs", false)
	add("CPU per streamed chunk", 8, r.Derived[2].Ours, "µs", false)
	add("requests/s over the bare proxy's, 1 KB unary", 0.6, r.cell(Saturation, "unary-1k", func(c *Cell) float64 { return c.Ratio }), "×", true)
	add("requests/s over the bare proxy's, 1 KB streamed", 0.6, r.cell(Saturation, "stream-1k", func(c *Cell) float64 { return c.Ratio }), "×", true)
	add(fmt.Sprintf("added p50 at %d requests/s, 1 KB unary", r.Rate), 0.3, r.cell(FixedRate, "unary-1k", func(c *Cell) float64 { return c.AddedP50 }), "ms", false)
	add(fmt.Sprintf("added p99 at %d requests/s, 1 KB unary", r.Rate), 1.5, r.cell(FixedRate, "unary-1k", func(c *Cell) float64 { return c.AddedP99 }), "ms", false)
	add("peak memory at saturation", 100, r.Starts[2].Peak, "MB", false)
	add("time until ready", 100, r.Starts[2].Ready, "ms", false)
	for i := range r.Derived { // JSON has no NaN
		for _, v := range []*float64{&r.Derived[i].Proxy, &r.Derived[i].Ours} {
			if math.IsNaN(*v) {
				*v = -1
			}
		}
	}
}
