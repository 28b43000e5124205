package quota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ringwall/ringwall"
)

// store keeps counters. Its methods are safe for concurrent use.
type store interface {
	// take takes from all counters of l or from none: what is fixed, and of want tokens
	// of output as many as there is room for, at least least. The error is an *Exceeded,
	// or wraps ringwall.ErrUnavailable.
	take(ctx context.Context, l *Lease, want, least int64) (granted int64, err error)
	// grow takes up to n more tokens of output.
	grow(ctx context.Context, l *Lease, n int64) int64
	settle(ctx context.Context, l *Lease, u *Used)
}

// Exceeded says which limit has no room.
type Exceeded struct {
	Limit *Limit
	Own   bool          // its subjects are callers
	After time.Duration // until there is room, if nothing is given back before; 0: nobody knows
	Never bool          // the request alone is more than the limit

	// Levels are those of the limits whose subjects are callers.
	Levels []Level
}

func (e *Exceeded) Error() string {
	if e.Never {
		return fmt.Sprintf("%v: %s: the request alone is more than %d %s", ringwall.ErrQuotaExceeded, e.Limit.Name, e.Limit.Most, e.Limit.Measure)
	}
	return fmt.Sprintf("%v: %s", ringwall.ErrQuotaExceeded, e.Limit.Name)
}

// Is reports whether target is ringwall.ErrQuotaExceeded.
func (e *Exceeded) Is(target error) bool { return target == ringwall.ErrQuotaExceeded }

// worse reports whether e holds longer than other.
func (e *Exceeded) worse(other *Exceeded) bool {
	if e.Never != other.Never {
		return e.Never
	}
	return e.After > other.After
}

// ErrUnpriced reports that a limit counts money and nobody knows what a model costs.
var ErrUnpriced = errors.New("quota: the price of the model is not known, and a limit counts money")

func errTwice(name string) error {
	return fmt.Errorf("%w: there are two of the name %s", errLimit, name)
}

// Warning says that the share of a limit is used from which is warned. It comes once a
// window.
type Warning struct {
	Limit, Subject string
	Used, Most     int64
}

// Config configures a Quota. Zero fields mean the defaults.
type Config struct {
	Shared   *Shared         // where replicas share counters; nil: they are in the process
	Ledger   *Ledger         // where what is in the process is kept over a restart; nil: nowhere
	Lease    time.Duration   // longest that a request may take; default 11m. Requests at a time end with it
	Answer   int64           // tokens that an answer is expected to have of which nothing is known; default 4096
	Counters int             // most in the process; default 262,144
	Refused  func(*Exceeded) // is told of each refusal, and must not wait; default: nobody is
	Warn     func(Warning)   // must not wait; default: nobody is told
	Log      *slog.Logger    // default: discard
	Now      func() time.Time
}

// Quota keeps limits. It is safe for concurrent use.
type Quota struct {
	cfg    Config
	store  store
	memory *memory
	habits habits
}

// New returns a Quota. With a Ledger it reads what was used before.
func New(ctx context.Context, cfg Config) (*Quota, error) {
	if cfg.Lease <= 0 {
		cfg.Lease = 11 * time.Minute
	}
	if cfg.Answer <= 0 {
		cfg.Answer = 4096
	}
	if cfg.Counters <= 0 {
		cfg.Counters = 1 << 18
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Warn == nil {
		cfg.Warn = func(Warning) {}
	}
	q := &Quota{cfg: cfg, memory: newMemory(cfg.Now, cfg.Counters, cfg.Warn)}
	q.store, q.habits.answer = q.memory, cfg.Answer
	if cfg.Shared != nil {
		cfg.Shared.begin(q.memory, cfg)
		q.store = cfg.Shared
	} else if cfg.Ledger != nil {
		if err := cfg.Ledger.load(ctx, q.memory); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// Run writes down what is used, and hands on what was used while the shared store was
// away, until ctx ends.
func (q *Quota) Run(ctx context.Context) error {
	every := time.NewTicker(saveEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			q.tidy(last)
			return nil
		case <-every.C:
			q.tidy(ctx)
		}
	}
}

// saveEvery is how often what is used is written down: what a process that is killed
// forgets of calendar windows.
const saveEvery = time.Second

func (q *Quota) tidy(ctx context.Context) {
	if s := q.cfg.Shared; s != nil {
		s.handOn(ctx)
		return
	}
	if l := q.cfg.Ledger; l != nil {
		if err := l.save(ctx, q.memory); err != nil && ctx.Err() == nil {
			q.cfg.Log.Error("what is used of budgets could not be written down: a restart would forget it", "error", err)
		}
	}
}

// Quota returns whose limits p is.
func (p *Plan) Quota() *Quota { return p.q }

// Any reports whether there is a limit.
func (p *Plan) Any() bool { return p != nil && len(p.limits) > 0 }

// Reserve sets aside what c may use. The error is an *Exceeded, ErrUnpriced, or wraps
// ringwall.ErrUnavailable. A Plan without limits, and a nil one, set nothing aside and
// return nil.
func (p *Plan) Reserve(ctx context.Context, c *Claim) (*Lease, error) {
	if p == nil || len(p.limits) == 0 {
		return nil, nil
	}
	l := &Lease{plan: p}
	l.build(c)
	if l.unpriced != "" {
		return nil, fmt.Errorf("%w: %s", ErrUnpriced, l.unpriced)
	}
	if len(l.parts) == 0 {
		return nil, nil
	}
	want := max(0, c.Output)
	if !l.bound {
		want = 0
	}
	granted, err := p.q.store.take(ctx, l, want, 1)
	if e, ok := err.(*Exceeded); ok { //nolint:errorlint // it is our own, and not wrapped
		e.Levels = l.Levels()
		if f := p.q.cfg.Refused; f != nil {
			f(e)
		}
	}
	if err != nil {
		return nil, err
	}
	l.output = granted
	return l, nil
}
