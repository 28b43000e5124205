package bench

import (
	"fmt"
	"io"
	"math"
)

// Added is what the gateway adds to requests of a dialect, above a bare proxy that
// passes on the same bytes in the same round: medians of the rounds. The ratios are
// to what it adds to those of the first dialect.
type Added struct {
	Dialect string  `json:"dialect"`
	Whole   float64 `json:"cpu_us_whole"`  // at saturation, per request
	Stream  float64 `json:"cpu_us_stream"` // at saturation, per request
	Chunk   float64 `json:"cpu_us_chunk"`  // at saturation, per piece of a stream
	P50     float64 `json:"p50_ms"`        // of streams at fixed rate

	WholeRatio  float64 `json:"cpu_ratio_whole"`
	StreamRatio float64 `json:"cpu_ratio_stream"`
	ChunkRatio  float64 `json:"cpu_ratio_chunk"`
	P50Ratio    float64 `json:"p50_ratio"`
}

// mostAdded is how much more than the first dialect another may add.
const mostAdded = 1.3

// dialects fills in what each dialect adds, and what it may.
func (r *Report) dialects(b *bench) {
	streams, wholes := scenarioOf(b.opt.scenarios(), true), scenarioOf(b.opt.scenarios(), false)
	cpu := func(scenario string) func(string) []float64 {
		return func(dialect string) []float64 {
			return b.added(Saturation, scenario, dialect, (*sample).cpuPerRequest)
		}
	}
	p50 := func(dialect string) []float64 {
		return b.added(FixedRate, streams, dialect, func(s *sample) float64 { return ms(s.P50) })
	}
	chunk := func(dialect string) []float64 {
		more, less := cpu(streams)(dialect), cpu(wholes)(dialect)
		for i := range min(len(more), len(less)) {
			more[i] = (more[i] - less[i]) / Chunks
		}
		return more[:min(len(more), len(less))]
	}
	for _, name := range b.opt.Dialects {
		a := Added{Dialect: name}
		a.Whole, a.WholeRatio = held(name, cpu(wholes))
		a.Stream, a.StreamRatio = held(name, cpu(streams))
		a.Chunk, a.ChunkRatio = held(name, chunk)
		a.P50, a.P50Ratio = held(name, p50)
		r.Added = append(r.Added, a)
	}
	first := b.opt.Dialects[0]
	for _, a := range r.Added[1:] {
		r.goal(fmt.Sprintf("CPU that a stream of %s adds, over one of %s", a.Dialect, first), mostAdded, a.StreamRatio, "×", false)
	}
}

// scenarioOf returns the name of the first scenario that streams, or does not.
func scenarioOf(all []Scenario, stream bool) string {
	for _, s := range all {
		if s.Stream == stream {
			return s.Name
		}
	}
	return ""
}

// held returns the median of what is measured of a dialect, and how many times the
// first dialect's that is; -1 where it cannot be told. Not the ratio of each round: a
// small difference of large figures is near nothing in a round of bad luck.
func held(dialect string, of func(dialect string) []float64) (v, ratio float64) {
	v, ratio = median(of(dialect)), -1
	if first := median(of(dialects[0].name)); first > 0 && !math.IsNaN(v) {
		ratio = v / first
	}
	if math.IsNaN(v) { // JSON has none
		v = -1
	}
	return v, ratio
}

// added returns how much more of something Ringwall takes than the bare proxy, by
// round; nothing where this system does not tell.
func (b *bench) added(mode Mode, scenario, dialect string, of func(*sample) float64) (out []float64) {
	proxy, own := b.samplesOf(mode, scenario, dialect, Proxy), b.samplesOf(mode, scenario, dialect, Ringwall)
	for i := range min(len(proxy), len(own)) {
		if p, o := of(&proxy[i]), of(&own[i]); p >= 0 && o >= 0 {
			out = append(out, o-p)
		}
	}
	return out
}

// writeAdded prints what each dialect adds.
func (r *Report) writeAdded(w io.Writer) {
	fmt.Fprint(w, "added to the proxy\twhole CPU µs\t×\tstream CPU µs\t×\tchunk CPU µs\t×\tstream p50 ms\t×\t\n")
	for _, a := range r.Added {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", a.Dialect,
			told("%.0f", a.Whole), told("%.2f", a.WholeRatio), told("%.0f", a.Stream), told("%.2f", a.StreamRatio),
			told("%.2f", a.Chunk), told("%.2f", a.ChunkRatio), told("%.3f", a.P50), told("%.2f", a.P50Ratio))
	}
}

// told is a figure in a column, a dash where there is none.
func told(format string, v float64) string {
	if v == -1 {
		return "–"
	}
	return fmt.Sprintf(format, v)
}
