// Package bench measures what the gateway costs on the machine at hand, beside a
// direct connection and a bare httputil.ReverseProxy.
//
// The upstream (a stub), the bare proxy and Ringwall each run in a child process
// of their own ([RunTarget]), so that the CPU time of each can be told apart from
// that of the load, which this process makes ([Run]) over plain connections with
// an HTTP/1.1 reader of its own: the targets are the bottleneck, not the client.
// Ringwall runs as it is served: the default guardrail, keys, limits and records.
//
// With [Options.Dialects] the stub speaks the APIs of other providers, too, and what
// Ringwall adds to each ([Added]) is held against what it adds to chat completions.
//
// Machines are noisy and absolute times of little worth, so each round measures
// all targets one behind the other, in rotated order, and what is reported are
// medians of the rounds: ratios, differences, and CPU time. Everything listens
// on 127.0.0.1, and is bounded in number and time. Children end when this
// process does.
//
// Start reading at [Run].
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Options say what to measure. Zero fields mean the defaults.
type Options struct {
	Duration    time.Duration // of each cell; default 3s, at most 1m
	Rounds      int           // default 3, at most 20
	Concurrency int           // connections that ask without pause; default 64, at most 1024
	Rate        int           // requests a second at fixed rate; default 1500, at most 50000
	Only        []string      // names of scenarios; default: all
	Modes       []Mode        // default: both
	Dialects    []string      // to hold against the first of [Dialects]; "all"; default: none, that one alone
	Profile     string        // file for a CPU profile of Ringwall; "": none

	// Target is the command, with its first arguments, that calls RunTarget.
	// Required.
	Target []string
	// Progress is told how many of the cells are done.
	Progress func(done, total int, what string)
}

// Mode is how load is made.
type Mode string

// Modes.
const (
	Saturation Mode = "saturation" // closed loop: each connection asks again at once
	FixedRate  Mode = "fixed-rate" // open loop: latency counts from the intended start
)

// Kind is a target.
type Kind string

// Kinds of targets, in the order of the first round.
const (
	Stub     Kind = "stub" // asked directly
	Proxy    Kind = "proxy"
	Ringwall Kind = "ringwall"
)

var kinds = []Kind{Stub, Proxy, Ringwall}

// Scenario is a kind of request.
type Scenario struct {
	Name    string
	Prompt  int // bytes of the prompt
	Stream  bool
	Dialect string // "": the first
}

// String says what is asked, in the dialect where one was named.
func (s Scenario) String() string { return strings.TrimSpace(s.Dialect + " " + s.Name) }

// Scenarios are what is measured.
var Scenarios = []Scenario{
	{Name: "unary-1k", Prompt: 1 << 10, Stream: false},
	{Name: "unary-8k", Prompt: 8 << 10, Stream: false},
	{Name: "stream-1k", Prompt: 1 << 10, Stream: true},
	{Name: "stream-8k", Prompt: 8 << 10, Stream: true},
}

// slower is by how much streams are asked for less often at fixed rate: each is
// as many frames as Chunks.
const slower = 10

// ErrOptions says that Options are wrong.
var ErrOptions = errors.New("bench: wrong options")

func (o *Options) complete() error {
	if len(o.Target) == 0 {
		return fmt.Errorf("%w: no command for the targets is given", ErrOptions)
	}
	for _, f := range []struct {
		name           string
		v              *int
		standard, most int
	}{{"rounds", &o.Rounds, 3, 20}, {"concurrency", &o.Concurrency, 64, 1024}, {"rate", &o.Rate, 1500, 50000}} {
		if *f.v == 0 {
			*f.v = f.standard
		}
		if *f.v < 1 || *f.v > f.most {
			return fmt.Errorf("%w: %s is %d: want 1 to %d", ErrOptions, f.name, *f.v, f.most)
		}
	}
	if o.Duration == 0 {
		o.Duration = 3 * time.Second
	}
	if o.Duration < 50*time.Millisecond || o.Duration > time.Minute {
		return fmt.Errorf("%w: a duration of %v: want 50ms to 1m", ErrOptions, o.Duration)
	}
	if len(o.Modes) == 0 {
		o.Modes = []Mode{Saturation, FixedRate}
	}
	for _, m := range o.Modes {
		if m != Saturation && m != FixedRate {
			return fmt.Errorf("%w: mode %q: want %s or %s", ErrOptions, m, Saturation, FixedRate)
		}
	}
	for _, name := range o.Only {
		if !slices.ContainsFunc(Scenarios, func(s Scenario) bool { return s.Name == name }) {
			return fmt.Errorf("%w: there is no scenario %q", ErrOptions, name)
		}
	}
	if err := o.dialects(); err != nil {
		return err
	}
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	return nil
}

// compared are the scenarios in which dialects are held against each other.
var compared = []string{"unary-1k", "stream-1k"}

func (o *Options) scenarios() (out []Scenario) {
	only := o.Only
	if len(only) == 0 && len(o.Dialects) > 0 {
		only = compared
	}
	for _, s := range Scenarios {
		if len(only) > 0 && !slices.Contains(only, s.Name) {
			continue
		}
		for _, s.Dialect = range o.Dialects {
			out = append(out, s)
		}
		if len(o.Dialects) == 0 {
			out = append(out, s)
		}
	}
	return out
}

// Run measures and returns what came of it. The error says what could not be
// measured; a target that answers anything but what the stub said is one. It
// wraps ErrOptions when nothing was tried.
func Run(ctx context.Context, opt Options) (*Report, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ringwall-bench-")
	if err != nil {
		return nil, fmt.Errorf("bench: making the data directory: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{opt: opt, dir: dir, children: map[Kind]*child{}}
	defer b.end()
	if err := b.start(ctx); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := b.measure(ctx); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return b.report(), nil
}

// bench is a run.
type bench struct {
	opt      Options
	dir      string
	key      string // API key of the load
	children map[Kind]*child
	ready    map[Kind][]time.Duration
	peak     map[Kind]int64 // bytes; after saturation
	samples  []sample
}

// sample is what one round has of one cell.
type sample struct {
	Scenario Scenario
	Mode     Mode
	Kind     Kind
	Round    int
	load
	CPU    time.Duration // of the target; -1: not available
	Allocs uint64
	Bytes  uint64
}

// start starts the targets, several times, to measure how long that takes.
func (b *bench) start(ctx context.Context) error {
	b.ready, b.peak = map[Kind][]time.Duration{}, map[Kind]int64{}
	var err error
	if b.key, err = prepare(ctx, b.dir); err != nil {
		return err
	}
	if b.children[Stub], err = b.spawn(ctx, Stub); err != nil {
		return err
	}
	for range max(3, b.opt.Rounds) {
		for _, k := range kinds[1:] {
			if c := b.children[k]; c != nil {
				_ = c.end() // it has been measured
			}
			if b.children[k], err = b.spawn(ctx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) spawn(ctx context.Context, k Kind) (*child, error) {
	args := []string{"--kind", string(k)}
	if k != Stub {
		args = append(args, "--upstream", b.children[Stub].url)
	}
	if k == Ringwall {
		args = append(args, "--data", b.dir)
		if len(b.opt.Dialects) > 0 {
			args = append(args, "--dialect", strings.Join(b.opt.Dialects, ","))
		}
		if b.opt.Profile != "" {
			args = append(args, "--cpuprofile", b.opt.Profile)
		}
	}
	c, took, err := spawn(ctx, b.opt.Target, args)
	if err != nil {
		return nil, fmt.Errorf("starting the target %s: %w", k, err)
	}
	b.ready[k] = append(b.ready[k], took)
	return c, nil
}

func (b *bench) end() {
	for _, k := range slices.Backward(kinds) {
		if c := b.children[k]; c != nil {
			_ = c.end() // it has been measured
		}
	}
}

func (b *bench) measure(ctx context.Context) error {
	total := b.opt.Rounds * len(b.opt.Modes) * len(b.opt.scenarios()) * len(kinds)
	for round := range b.opt.Rounds {
		for _, mode := range b.opt.Modes {
			for _, s := range b.opt.turned(round) {
				for i := range kinds {
					k := kinds[(i+round)%len(kinds)]
					b.opt.Progress(len(b.samples), total, fmt.Sprintf("%s %s %s", mode, s, k))
					one, err := b.cell(ctx, s, mode, k)
					if err != nil {
						return fmt.Errorf("asking %s for %s: %w", k, s, err)
					}
					one.Scenario, one.Mode, one.Kind, one.Round = s, mode, k, round
					b.samples = append(b.samples, one)
				}
			}
			if mode == Saturation {
				for k, c := range b.children {
					b.peak[k] = c.peak()
				}
			}
		}
	}
	b.opt.Progress(total, total, "")
	return nil
}

// turned returns the scenarios in the order of a round: where dialects are held
// against each other, each has its turn at being the first.
func (o *Options) turned(round int) []Scenario {
	all := o.scenarios()
	if len(o.Dialects) == 0 {
		return all
	}
	n := round % len(all)
	return slices.Concat(all[n:], all[:n])
}

// cell measures one target in one way.
func (b *bench) cell(ctx context.Context, s Scenario, mode Mode, k Kind) (sample, error) {
	c := b.children[k]
	l := loader{addr: c.addr(), requests: requests(s, c.addr(), b.key), dialect: dialectOf(s.Dialect), stream: s.Stream, duration: b.opt.Duration}
	if err := l.verify(ctx); err != nil {
		return sample{}, err
	}
	var before, after usage
	var err, err2 error
	l.begin = func() { before, err = c.usage() }
	l.finish = func() { after, err2 = c.usage() }
	runtime.GC() // the load's own garbage is not the target's business
	var got load
	var failed error
	if mode == Saturation {
		got, failed = l.saturate(ctx, b.opt.Concurrency)
	} else {
		rate := b.opt.Rate
		if s.Stream {
			rate = max(1, rate/slower)
		}
		got, failed = l.atRate(ctx, rate)
	}
	if err := errors.Join(failed, err, err2); err != nil {
		return sample{}, err
	}
	out := sample{load: got, CPU: -1, Allocs: after.Mallocs - before.Mallocs, Bytes: after.Bytes - before.Bytes}
	if before.cpu >= 0 && after.cpu >= 0 {
		out.CPU = after.cpu - before.cpu
	}
	return out, nil
}
