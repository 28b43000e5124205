// Package eval measures how well a guardrail judges texts whose labels are
// known, and says what it has counted and how.
//
// The data's way: [Rows] reads labelled texts; [Run] has each judged by the
// guardrail ([Config.Look]), on all processors, compares what it noticed with the
// labels, and adds the rows up in their order, so that the same data gives the same
// figures; [Report] is what came of it, as text, JSON or Markdown.
//
// [Records] measures traffic that was recorded, which has no labels: where its scores
// lie, and which thresholds keep to a budget of false positives.
//
// There are two tasks. Where labels are spans, [Match] pairs them with findings
// one to one; where they are about the whole text, a [Ranking] says how well the
// scores part the classes, at every threshold, beside what the guardrail itself
// decided. Shares come with Wilson's interval. A row that the guardrail could not
// look at is counted apart and in no figure: failing closed is not detecting.
//
// Memory is bounded: rows are read as they are judged, and of what is counted
// there are as many as there are types, groups and different scores. No text is
// kept, and none is printed unless it is asked for.
//
// How a guardrail is built and asked is the caller's business. Start reading at
// [Config], then [Run].
package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/calibrate"
)

// Seen is what a guardrail makes of a text.
type Seen struct {
	Findings []ringwall.Finding
	Scores   map[string]float64 // by the names that ringwall check prints
}

// Converter is a disguise: an attack in it is the same attack.
type Converter struct {
	Name   string
	Encode func(text string) string
}

// Config says what to measure. Zero fields mean the defaults.
type Config struct {
	Files []string  // plain or gzip; "-" is Stdin; at least one
	Stdin io.Reader // default: empty

	// Look and Decide ask the guardrail; both are required, and must be safe for
	// concurrent use. Guardrail is its name and Command the call, for the report.
	Look      func(ctx context.Context, way ringwall.Direction, text ringwall.Text) Seen
	Decide    func(way ringwall.Direction, findings []ringwall.Finding) ringwall.Action
	Guardrail string
	Command   string

	Task     Task                // default: that of the first row
	Way      ringwall.Direction  // default: to the model
	Origin   *ringwall.Origin    // of rows that have none; nil: by the row's kind, or who speaks that way
	Controls []string            // whose findings count; default: all, or those that look for the labelled types
	Map      map[string][]string // what finds a type of label: reasons, or controls
	Ignore   []string            // types that are neither asked for nor held against the guardrail
	Reasons  []string            // those that detectors say they have

	Score      string          // of task Binary: the name of the score, or Harm; default: Harm where the first row tells of categories of harm, else prompt_attack
	At         ringwall.Action // the mildest action that counts as caught; default block
	Positive   []string        // classes that ought to be caught; default: all but those that say there is nothing
	HardBenign []string        // categories of over-defence; default: hard_benign and the like
	Evade      []Converter     // each positive that is caught is asked again in each

	// Budget asks, for each class, for the threshold that keeps to it; 0: none.
	// PerDay are the texts of a day, for what that means; 0: not known.
	Budget calibrate.Budget
	PerDay float64

	By       []string // fields to break the figures down by; default: lang, source, category, or source, category
	Limit    int      // rows read of all files together; 0: all
	Sample   int      // rows judged, drawn at random; 0: all that are read
	Seed     uint64
	Errors   int  // misses, and false positives, to tell one by one
	ShowText bool // with their text
	NoCost   bool // leave out what differs from run to run
	Floors   []Floor

	Workers  int // default: one for each processor
	Progress func(done, total int, what string)
}

// ErrOptions reports a Config that cannot be run.
var ErrOptions = errors.New("eval: wrong options")

// ErrNoRows reports data without a row.
var ErrNoRows = errors.New("eval: the data has no rows")

func (c *Config) check() error {
	switch {
	case c.Look == nil || c.Decide == nil:
		return fmt.Errorf("%w: a guardrail to ask is required", ErrOptions)
	case len(c.Files) == 0:
		return fmt.Errorf("%w: a file is required", ErrOptions)
	case c.Task != Detect && c.Task != Spans && c.Task != Binary:
		return fmt.Errorf("%w: there is no task %q: want span or binary", ErrOptions, c.Task)
	case c.Budget < 0 || c.Budget >= 1 || !(c.PerDay >= 0):
		return fmt.Errorf("%w: a budget is a share from 0 to 1, and so many texts a day are not below 0", ErrOptions)
	case c.Budget > 0 && c.Task == Spans:
		return errBudget
	case c.Limit < 0 || c.Sample < 0 || c.Errors < 0:
		return fmt.Errorf("%w: numbers of rows are not below 0", ErrOptions)
	case len(c.Evade) > 0 && c.Task == Spans:
		return errEvade
	}
	stdin := 0
	for _, name := range c.Files {
		if name == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return fmt.Errorf("%w: standard input can be read once only", ErrOptions)
	}
	return checkFloors(c.Floors)
}

var errEvade = fmt.Errorf("%w: disguises are for texts that are labelled as a whole: a span is elsewhere in a disguise", ErrOptions)

var errBudget = fmt.Errorf("%w: budgets are for texts that are labelled as a whole", ErrOptions)

// run is one measurement.
type run struct {
	cfg    Config
	task   Task   // known once the first row is read
	score  string // so is this, of task Binary
	vocab  *vocabulary
	fields []string // what is read of rows to break figures down by

	inputs []*input
	spans  *spanTally
	binary *binaryTally
	misses []Mistake
	alarms []Mistake
	failed int64
	cost   Cost
}

// job is a row on its way through.
type job struct {
	*read
	done chan struct{}
	out  outcome
}

// outcome is what is counted of a row, without its text.
type outcome struct {
	failed bool // the guardrail could not look
	took   time.Duration
	span   *spanOutcome
	binary *binaryOutcome
}

// Run measures. An error that wraps [ErrOptions], or is an [*InputError], is the
// caller's; any other means that it could not look.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{cfg: cfg, score: cfg.Score, vocab: newVocabulary(&cfg), fields: cfg.By}
	if len(r.fields) == 0 {
		r.fields = []string{"lang", "source", "category"}
	}
	begun := time.Now()
	if err := r.pass(ctx); err != nil {
		return nil, err
	}
	r.cost.Wall = time.Since(begun)
	if r.task == Detect {
		return nil, ErrNoRows
	}
	return r.report()
}

// pass reads, judges and counts all rows. Rows are judged side by side and counted
// in their order.
func (r *run) pass(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	jobs, order := make(chan *job), make(chan *job, 4*r.cfg.Workers)
	var workers sync.WaitGroup
	for range r.cfg.Workers {
		workers.Go(func() {
			for j := range jobs {
				j.out = r.judge(ctx, j.read)
				close(j.done)
			}
		})
	}
	var readErr error
	workers.Go(func() {
		defer close(order)
		defer close(jobs)
		readErr = r.read(ctx, func(row *read) error {
			j := &job{read: row, done: make(chan struct{})}
			for _, to := range []chan *job{order, jobs} {
				select {
				case to <- j:
				case <-ctx.Done():
					if to == jobs {
						close(j.done) // it is in order already, and nobody will judge it
					}
					return ctx.Err()
				}
			}
			return nil
		})
	})
	for j := range order {
		<-j.done
		if ctx.Err() == nil {
			r.count(j)
		}
	}
	workers.Wait()
	return readErr
}

func (r *run) judge(ctx context.Context, row *read) outcome {
	text := ringwall.Text{Origin: row.origin, Value: row.Text}
	begun := time.Now()
	seen := r.cfg.Look(ctx, r.cfg.Way, text)
	out := outcome{took: time.Since(begun)}
	if out.failed = unavailable(seen); out.failed {
		return out
	}
	if row.Task == Spans {
		out.span = r.compare(row, seen)
	} else {
		out.binary = r.classify(ctx, row, seen)
	}
	return out
}

func unavailable(s Seen) bool {
	return slices.ContainsFunc(s.Findings, func(f ringwall.Finding) bool { return f.Unlooked() })
}

func (r *run) count(j *job) {
	r.cost.Rows++
	r.cost.Bytes += int64(len(j.Text))
	r.cost.Judging += j.out.took
	j.in.judged++
	switch {
	case j.out.failed:
		r.failed++
	case j.out.span != nil:
		r.countSpans(j.read, j.out.span)
	case j.out.binary != nil:
		r.countBinary(j.read, j.out.binary)
	}
}
