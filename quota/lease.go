package quota

import (
	"context"
	"sync"
	"time"
)

// Lease is what was set aside for one request. It must be settled; [Lease.Settle] may
// be called by several goroutines, the first counts. All methods of a nil Lease do
// nothing.
type Lease struct {
	plan   *Plan
	id     string // in the shared store
	output int64  // tokens that may be written
	bound  bool   // a limit counts the output
	remote bool   // it was taken from the shared store
	// unpriced is a limit of money, where nobody knows what the model costs.
	unpriced string
	tenant   string // whose counters are together in a cluster

	parts []part
	keys  []byte
	few   [6]part
	short [320]byte

	mu      sync.Mutex
	settled bool
}

// part is what a Lease has of one counter.
type part struct {
	l           *limit
	lo, hi      int32 // the key, in keys
	fixed, unit int64
	most        int64    // of the limit, or the share of it that is left while the store is away
	c           *counter // in the process
	starts      int64    // of the calendar, in seconds
	ends        int64    // of the calendar, in milliseconds

	slot, had   int64 // what was set aside in a slot
	later, more int64 // and in a later one, while a stream came
	kept        int64 // and in others, which is used by now
	used        int64 // of the limit, with what was set aside
	reset       int64 // milliseconds until all is back
	less        bool  // fewer tokens of output than were wanted
}

func (l *Lease) key(p *part) []byte { return l.keys[p.lo:p.hi] }

// total is what was set aside.
func (p *part) total() int64 { return p.had + p.more + p.kept }

// took notes that n more was set aside in a slot.
func (p *part) took(slot, n int64) {
	switch {
	case p.had == 0 && p.more == 0:
		p.slot, p.had = slot, n
	case slot == p.slot && p.more == 0:
		p.had += n
	case slot == p.later:
		p.more += n
	default:
		p.kept, p.later, p.more = p.kept+p.more, slot, n
	}
}

// owed says how use differs from what was set aside: what is given back of either
// slot, or taken beyond.
func (p *part) owed(value int64) (back, backLater, beyond int64) {
	diff := value - p.total()
	if diff >= 0 {
		return 0, 0, diff
	}
	backLater = min(p.more, -diff)
	return min(p.had, -diff-backLater), backLater, 0
}

// build makes the parts of a claim.
func (l *Lease) build(c *Claim) {
	l.parts, l.keys = l.few[:0], l.short[:0]
	if l.plan.spread && l.plan.q.cfg.Shared != nil {
		l.tenant = string(appendValue(nil, c.Principal.Tenant))
	}
	for i := range l.plan.limits {
		limit := &l.plan.limits[i]
		if limit.tools() != (c.Tool != "") || !limit.For.holds(c) {
			continue
		}
		if limit.Measure == Money && c.Model != "" && !c.Price.Known {
			l.unpriced = limit.Name
		}
		fixed, unit := limit.cost(c)
		if fixed == 0 && unit == 0 {
			continue
		}
		l.bound = l.bound || unit > 0
		roles := nobody
		for _, d := range limit.By {
			if d == Role && len(c.Principal.Roles) > 0 {
				roles = c.Principal.Roles
			}
		}
		for _, role := range roles {
			lo := len(l.keys)
			l.keys = append(l.keys, limit.prefix...)
			for _, d := range limit.By {
				l.keys = appendSubject(l.keys, d, c, role)
			}
			if limit.slot == 0 {
				l.keys = append(l.keys, periodText...)
			}
			l.parts = append(l.parts, part{l: limit, lo: int32(lo), hi: int32(len(l.keys)), fixed: fixed, unit: unit, most: limit.Most})
		}
	}
}

// nobody has one role, which has no name.
var nobody = []string{""}

// date puts the calendar's parts into the span of t.
func (l *Lease) date(t time.Time) {
	for i := range l.parts {
		p := &l.parts[i]
		if p.l.slot == 0 {
			p.starts, p.ends = p.l.current(t)
			putPeriod(l.key(p), p.starts)
		}
	}
}

// Allowance returns how many tokens the answer may have, and whether anything limits
// them.
func (l *Lease) Allowance() (tokens int64, limited bool) {
	if l == nil {
		return 0, false
	}
	return l.output, l.bound
}

// Grow sets aside up to n more tokens of output, all that is left if that is less, and
// returns how many. 0 says that nothing is left, or that nobody can tell.
func (l *Lease) Grow(ctx context.Context, n int64) int64 {
	if l == nil || !l.bound || n <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.settled {
		return 0
	}
	granted := l.plan.q.store.grow(ctx, l, n)
	l.output += granted
	return granted
}

// Settle says what the request did use. What was set aside beyond is given back, and
// what was used beyond is taken although nothing may be left. It does not wait for a
// store that is away.
func (l *Lease) Settle(ctx context.Context, u Used) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.settled {
		return
	}
	l.settled = true
	l.plan.q.store.settle(ctx, l, &u)
}

// Level is how much of a limit is used, as its subject may know.
type Level struct {
	Limit  *Limit
	Used   int64 // with what the request set aside
	Reset  time.Duration
	Warned bool // the share to warn from is used
}

// Left is how much is left.
func (v Level) Left() int64 { return max(0, v.Limit.Most-v.Used) }

// Levels yields the levels of the limits whose subjects are callers. Those of others
// would tell what others use.
func (l *Lease) Levels() []Level {
	if l == nil {
		return nil
	}
	out := make([]Level, 0, len(l.parts))
	for i := range l.parts {
		if p := &l.parts[i]; p.l.own {
			out = append(out, Level{Limit: &p.l.Limit, Used: p.used, Reset: time.Duration(p.reset) * time.Millisecond, Warned: p.used >= p.l.warn})
		}
	}
	return out
}
