// Package judge asks outside judges about texts, by the standards that these
// speak: guard models behind any OpenAI-compatible chat API (Llama Guard,
// Qwen3Guard, gpt-oss-safeguard, yes-or-no models, any chat model with a
// policy), OpenAI's moderation API, Amazon Bedrock's ApplyGuardrail, Presidio's
// analyzer, and a webhook of one's own.
//
// The data's way through a [Judge]:
//
//	text ─▶ grey zone? ─▶ windows ─▶ cache ─▶ joined? ─▶ breaker ─▶ budget ─▶ ask ─▶ findings
//
// Long texts are cut into windows that overlap, and all of them are judged. What
// a judge said is kept for a while under a hash; who asks the same at the same
// time shares one call. A judge that fails again and again is left alone for a
// while. Whatever stands in the way of an answer, a time-out, the budget, a
// breaker that is open, an answer that cannot be read, is an error that says so
// ([Error]): package guard makes of it that nobody could look. There is no
// default answer.
//
// Texts are data to a judge: what could pass for the marks of a conversation is
// taken out of them first (function inert), and answers are read strictly. No
// error holds a word of a text, of an answer or of a key.
//
// How each judge asks and is read stands in a file of its own; which names of
// theirs are which reasons of ours, in the tables of labels.go. Start reading at
// [Judge.Judge].
package judge

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/circuit"
)

// Judge asks one outside judge. It is safe for concurrent use, and implements
// guard.Judge.
type Judge struct {
	cfg     Config
	asks    asker
	labels  labels
	digest  [sha256.Size]byte // of what the answers depend on beside the text
	cache   *cache
	breaker circuit.Breaker
	budget  *budget
	slots   chan struct{} // one for each call at once
}

// question is one text to ask about.
type question struct {
	way    ringwall.Direction
	origin ringwall.Origin
	text   string
}

// asker asks once, and reads the answer. Findings are of the question's text;
// those without a place are about all of it.
type asker interface {
	ask(ctx context.Context, q question) ([]ringwall.Finding, error)
	close()
}

// New returns a Judge. It connects to nobody.
func New(cfg Config) (*Judge, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("judge %s: %w", cfg.Name, err)
	}
	cfg.defaults()
	j := &Judge{
		cfg: cfg, digest: cfg.digest(), budget: newBudget(cfg.PerMinute),
		cache: newCache(cfg.CacheEntries, cfg.CacheTTL), slots: make(chan struct{}, cfg.AtOnce),
		breaker: circuit.Breaker{Most: cfg.Failures, Pause: cfg.Pause, Tell: func(s State) { cfg.Observer.Breaker(cfg.Name, s) }},
	}
	j.labels = newLabels(&cfg)
	var err error
	if j.asks, err = kinds[cfg.Kind].make(&j.cfg, &j.labels); err != nil {
		return nil, fmt.Errorf("judge %s: %w", cfg.Name, err)
	}
	return j, nil
}

// State returns the state of the circuit breaker.
func (j *Judge) State() State { return j.breaker.State() }

// Close ends the calls that are on their way, waits for them and closes the
// connections. Looks that come later fail.
func (j *Judge) Close() {
	j.cache.close()
	j.asks.close()
}

// Judge implements guard.Judge. The error is a guard.Skip where the embedded
// scores leave nothing to ask, and else an *[Error].
func (j *Judge) Judge(ctx context.Context, way ringwall.Direction, text ringwall.Text) (fs []ringwall.Finding, err error) {
	start := time.Now()
	how := Ran
	defer func() { j.cfg.Observer.Judged(j.cfg.Name, how, time.Since(start), err) }()
	if strings.TrimSpace(text.Value) == "" {
		how = Skipped
		return nil, guard.Skip("no-text")
	}
	if !j.grey(way, text) {
		how = Skipped
		return nil, guard.Skip(NotInGreyZone)
	}
	if len(text.Value) > j.cfg.Longest {
		how = TooLong
		return nil, &Error{TooLong, fmt.Errorf("the text has %d bytes, at most %d are sent", len(text.Value), j.cfg.Longest)}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, j.cfg.Timeout, context.DeadlineExceeded)
	defer cancel()
	fs, cached, err := j.windows(ctx, question{way, text.Origin, text.Value})
	switch {
	case err != nil:
		err = timely(ctx, err)
		how = result(err)
		return nil, err
	case cached:
		how = Cached
	}
	return fs, nil
}

// grey reports whether any of the controls that the judge serves is in doubt.
func (j *Judge) grey(way ringwall.Direction, text ringwall.Text) bool {
	if len(j.cfg.Zones) == 0 {
		return true
	}
	for _, control := range j.cfg.Controls {
		z, ok := j.cfg.Zones[control]
		if !ok {
			return true
		}
		if s := z.Score(way, text); s >= z.From && s <= z.To {
			return true
		}
	}
	return false
}

// windows asks about all windows of a text, several at once. Cached says that
// no call had to be made.
func (j *Judge) windows(ctx context.Context, q question) (fs []ringwall.Finding, cached bool, err error) {
	cuts := cut(q.text, j.cfg.Window, j.cfg.Overlap)
	type heard struct {
		fs     []ringwall.Finding
		cached bool
		err    error
	}
	answers := make([]heard, len(cuts))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next := make(chan int)
	var all sync.WaitGroup
	for range min(len(cuts), j.cfg.AtOnce) {
		all.Go(func() {
			for i := range next {
				a := &answers[i]
				part := question{q.way, q.origin, q.text[cuts[i].Start:cuts[i].End]}
				a.fs, a.cached, a.err = j.cache.do(ctx, j.key(part), func(ctx context.Context) ([]ringwall.Finding, error) { return j.call(ctx, part) })
				if a.err != nil {
					cancel() // one window that nobody could look at is enough
				}
			}
		})
	}
	for i := range cuts {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
			answers[i].err = context.Cause(ctx)
		}
	}
	close(next)
	all.Wait()
	cached = true
	for i, a := range answers {
		if r := Of(err); a.err != nil && (r == "" || r == Gone) {
			err = a.err // rather the failure than that the rest was called off
		}
		cached = cached && a.cached
		for _, f := range a.fs {
			if f.Where.Empty() && len(cuts) > 1 {
				f.Where = cuts[i]
			} else if !f.Where.Empty() {
				f.Where.Start, f.Where.End = f.Where.Start+cuts[i].Start, f.Where.End+cuts[i].Start
			}
			fs = append(fs, f)
		}
	}
	if err != nil {
		return nil, false, err
	}
	return dedupe(fs), cached, nil
}

// dedupe puts findings in order and drops those that two windows made of the
// same words.
func dedupe(fs []ringwall.Finding) []ringwall.Finding {
	slices.SortStableFunc(fs, func(a, b ringwall.Finding) int {
		if d := a.Where.Start - b.Where.Start; d != 0 {
			return d
		}
		return a.Where.End - b.Where.End
	})
	return slices.CompactFunc(fs, func(a, b ringwall.Finding) bool {
		return a.Where == b.Where && a.Control == b.Control && a.Reason == b.Reason
	})
}

// call asks once, or again where that is safe, within the breaker and the
// budget.
func (j *Judge) call(ctx context.Context, q question) ([]ringwall.Finding, error) {
	if !j.breaker.Enter() {
		return nil, &Error{CircuitOpen, fmt.Errorf("it failed %d times in a row", j.breaker.Failures())}
	}
	select {
	case j.slots <- struct{}{}:
		defer func() { <-j.slots }()
	default:
		select {
		case j.slots <- struct{}{}:
			defer func() { <-j.slots }()
		case <-ctx.Done():
			j.breaker.Leave(circuit.Unasked)
			return nil, &Error{Busy, fmt.Errorf("%d texts are asked about already", cap(j.slots))}
		}
	}
	for try := 0; ; try++ {
		if err := j.budget.take(); err != nil {
			j.breaker.Leave(circuit.Unasked)
			return nil, err
		}
		fs, err := j.once(ctx, q)
		if err == nil {
			j.breaker.Leave(circuit.Answered)
			return j.labels.served(fs), nil
		}
		if cause := context.Cause(ctx); cause != nil && Of(timely(ctx, cause)) != Timeout {
			j.breaker.Leave(circuit.Unasked) // nobody waits for the answer any more: no fault of the judge
			return nil, err
		}
		wait, again := again(err, try, j.cfg.Retries)
		if again {
			select {
			case <-time.After(wait):
				continue
			case <-ctx.Done():
				err = timely(ctx, context.Cause(ctx))
			}
		}
		j.breaker.Leave(circuit.Failed)
		return nil, err
	}
}

// once asks, and turns a panic of a client into an error.
func (j *Judge) once(ctx context.Context, q question) (fs []ringwall.Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Error{Unreadable, fmt.Errorf("the client panicked: %T", p)}
		}
	}()
	start := time.Now()
	fs, err = j.asks.ask(ctx, q)
	err = timely(ctx, err)
	j.cfg.Observer.Called(j.cfg.Name, time.Since(start), err)
	return fs, err
}

// key is what an answer is kept under.
func (j *Judge) key(q question) (k [sha256.Size]byte) {
	h := sha256.New()
	h.Write(j.digest[:])
	h.Write([]byte{byte(q.way), byte(q.origin)})
	h.Write([]byte(q.text))
	h.Sum(k[:0])
	return k
}

// digest is a hash of all of a configuration that an answer depends on, the
// version of the guardrail included.
func (c *Config) digest() (d [sha256.Size]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %q %q %q %q %q %v %q %d %d", c.Version, c.Kind, c.URL, c.Model, c.Policy, c.Risk, c.Region, c.Guardrail, c.GuardrailVersion,
		c.Language, c.NoLogprobs, c.Controls, c.Window, c.Overlap)
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		fmt.Fprintf(h, "\n%q %q", name, c.Labels[name])
	}
	for _, t := range c.Topics {
		fmt.Fprintf(h, "\n%q %q", t.Name, t.Definition)
	}
	h.Sum(d[:0])
	return d
}
