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
	g.busy = wait > g.cfg.Target/10
	if g.strain++; wait <= g.cfg.Target {
		g.strain = 0
	}
	if g.strain != 1 { // once is chance: a collection of garbage, a busy neighbour
		g.limit = next(g.limit, wait, g.cfg.Target, max(g.peak, g.working), g.queued > 0, g.cfg.Slots)
	}
	// The last tenth of a second says how it is now.
	g.rate += (float64(g.passed)/took.Seconds() - g.rate) * min(1, took.Seconds()/0.1)
	g.began, g.passed, g.peak = now, 0, g.working
	g.least = leastFor(memory)
	g.dispatch()
}

// next is the limit that follows from how long goroutines waited for a processor.
func next(limit float64, wait, target time.Duration, peak int, queued bool, most int) float64 {
	least := max(1, float64(runtime.GOMAXPROCS(0))/2) // the others are for what waits for none
	if wait > target {
		// From what was used, for a limit that nobody reached says nothing.
		by := 0.8
		if wait > 4*target {
			by = 0.6
		}
		limit = max(least, min(limit, max(float64(peak), least))*by)
	} else if queued && wait <= target/2 || float64(peak) >= limit/2 {
		limit += max(0.25, limit/16)
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
	at      time.Time
	counted uint64  // latencies, of all time
	rate    float64 // of goroutines that begin to run, a second
}

func newMeter() *meter {
	m := &meter{at: time.Now(), samples: []metrics.Sample{
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/latencies:seconds"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
	}}
	m.read()
	return m
}

// sampled is how many goroutines begin to run for one whose latency is taken down.
const sampled = 8

// read returns how long a goroutine that can run now will wait for a processor, and
// how much of GOMEMLIMIT is in use by what is alive. The wait is that of a queue: how
// many stand in it, by how many leave it in a second. The latencies themselves come
// too late: they are known when the wait is over.
func (m *meter) read() (wait time.Duration, memory float64) {
	metrics.Read(m.samples)
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		memory = float64(m.samples[2].Value.Uint64()+m.samples[3].Value.Uint64()) / float64(limit)
	}
	var counted uint64
	for _, n := range m.samples[1].Value.Float64Histogram().Counts {
		counted += n
	}
	now := time.Now()
	if took := now.Sub(m.at).Seconds(); took > 0 {
		rate := sampled * float64(counted-m.counted) / took
		m.rate += (rate - m.rate) / 4
		m.at, m.counted = now, counted
	}
	waiting := float64(m.samples[0].Value.Uint64())
	if waiting == 0 {
		return 0, memory
	}
	// Where hardly any is taken down, each has its whole time slice.
	const slice = 10 * time.Millisecond
	least := float64(runtime.GOMAXPROCS(0)) / slice.Seconds()
	return time.Duration(waiting / max(m.rate, least) * float64(time.Second)), memory
}
