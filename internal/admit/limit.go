package admit

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// look thinks the limit over, when it is time.
func (g *Gate) look(now time.Time) {
	took := now.Sub(g.began)
	if took < window {
		return
	}
	wait, memory := g.cfg.Pressure()
	if g.strain++; wait <= g.cfg.Target {
		g.strain = 0
	}
	if g.strain != 1 { // once is chance: a collection of garbage, a busy neighbour
		g.limit = next(g.limit, wait, g.cfg.Target, max(g.peak, g.working), g.queued > 0, g.cfg.Slots)
	}
	rate := float64(g.passed) / took.Seconds()
	// The last window says how it is now; before it, half as much.
	g.rate = max(rate, g.rate/2)
	g.began, g.passed, g.peak = now, 0, g.working
	g.least = leastFor(memory)
	g.dispatch()
}

// next is the limit that follows from how long goroutines waited for a processor.
func next(limit float64, wait, target time.Duration, peak int, queued bool, most int) float64 {
	least := float64(2 * runtime.GOMAXPROCS(0))
	if wait > target {
		// From what was used, for a limit that nobody reached says nothing.
		by := 0.8
		if wait > 4*target {
			by = 0.6
		}
		limit = max(least, min(limit, max(float64(peak), least))*by)
	} else if queued {
		limit += max(1, limit/4)
	} else if float64(peak) >= limit/2 {
		limit += max(1, limit/10)
	}
	return min(limit, float64(max(1, most)))
}

// leastFor is the class that may still be let in when that part of the memory limit
// is in use.
func leastFor(memory float64) Class {
	switch {
	case memory > 0.95:
		return Classes - 1
	case memory > 0.9:
		return Classes - 2
	case memory > 0.8:
		return 2
	}
	return 0
}

// meter reads what the runtime measures.
type meter struct {
	samples []metrics.Sample
	before  []uint64 // counts of latencies
}

func newMeter() *meter {
	m := &meter{samples: []metrics.Sample{{Name: "/sched/latencies:seconds"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}}
	m.read()
	return m
}

// enough is how many latencies say something: the runtime takes down one in eight.
const enough = 8

// read returns what nine of ten goroutines waited at most for a processor since the
// last time, and how much of GOMEMLIMIT is in use by what is alive.
func (m *meter) read() (wait time.Duration, memory float64) {
	metrics.Read(m.samples)
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		memory = float64(m.samples[1].Value.Uint64()+m.samples[2].Value.Uint64()) / float64(limit)
	}
	h := m.samples[0].Value.Float64Histogram()
	if len(m.before) != len(h.Counts) {
		m.before = make([]uint64, len(h.Counts))
		copy(m.before, h.Counts)
		return 0, memory
	}
	var total uint64
	for i, n := range h.Counts {
		total += n - m.before[i]
	}
	rest := total / 10
	var longest float64
	for i := len(h.Counts) - 1; i >= 0; i-- {
		n := h.Counts[i] - m.before[i]
		if n > rest {
			longest = h.Buckets[i]
			break
		}
		rest -= n
	}
	copy(m.before, h.Counts)
	if total < enough || longest <= 0 || math.IsInf(longest, 0) {
		return 0, memory
	}
	return time.Duration(longest * float64(time.Second)), memory
}
