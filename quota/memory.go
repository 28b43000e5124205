package quota

import (
	"context"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// shards is how many locks guard the counters: as many as a word has bits.
const shards = 64

// memory keeps counters in the process.
type memory struct {
	clock clock
	seed  maphash.Seed
	most  int // counters of a shard
	tell  func(Warning)
	// ledger says that what is used is written down.
	ledger bool
	lends  bool // for a shared store that is away
	all    [shards]shard
}

type shard struct {
	mu       sync.Mutex
	counters map[string]*counter
	_        [40]byte // shards do not share a cache line
}

// clock tells the time: Slide never goes back, whatever is done to the clock of the
// machine; Wall is what the clock says.
type clock struct {
	base  time.Time
	start time.Time
	now   func() time.Time
}

func newClock(now func() time.Time) clock {
	if now != nil {
		return clock{now: now}
	}
	t := time.Now()
	return clock{base: t.Round(0), start: t}
}

// slide is in milliseconds.
func (c *clock) slide() int64 {
	if c.now != nil {
		return c.now().UnixMilli()
	}
	return c.base.Add(time.Since(c.start)).UnixMilli()
}

func (c *clock) wall() time.Time {
	if c.now != nil {
		return c.now()
	}
	return time.Now()
}

func newMemory(now func() time.Time, counters int, tell func(Warning)) *memory {
	m := &memory{clock: newClock(now), seed: maphash.MakeSeed(), most: max(4, counters/shards), tell: tell}
	for i := range m.all {
		m.all[i].counters = map[string]*counter{}
	}
	return m
}

func (m *memory) shardOf(key []byte) int { return int(maphash.Bytes(m.seed, key) % shards) }

// lock locks the shards of a set, in order.
func (m *memory) lock(set uint64) {
	for s := set; s != 0; s &= s - 1 {
		m.all[bits.TrailingZeros64(s)].mu.Lock()
	}
}

func (m *memory) unlock(set uint64) {
	for s := set; s != 0; s &= s - 1 {
		m.all[bits.TrailingZeros64(s)].mu.Unlock()
	}
}

// take takes from all counters of l, or from none.
func (m *memory) take(_ context.Context, l *Lease, want, least int64) (int64, error) {
	now, wall := m.clock.slide(), m.clock.wall()
	l.date(wall)
	var set uint64
	var at [len(l.few)]int
	where := at[:0]
	for i := range l.parts {
		p := &l.parts[i]
		s := m.shardOf(l.key(p))
		where, set = append(where, s), set|1<<s
	}
	m.lock(set)
	defer m.unlock(set)
	for i := range l.parts {
		p := &l.parts[i]
		p.c = m.find(&m.all[where[i]], l.key(p), p, now, wall.UnixMilli())
	}
	sum := m.sum(now)
	granted, err := l.fit(want, least, true, func(p *part) int64 {
		p.used = sum(p)
		p.resets(now, wall.UnixMilli())
		return p.used
	}, func(p *part, need int64) (time.Duration, bool) {
		if p.l.slot == 0 {
			return p.c.room(wall.UnixMilli(), need)
		}
		return p.c.room(now, need)
	})
	if err != nil {
		return 0, err
	}
	for i := range l.parts {
		p := &l.parts[i]
		p.c.leases++
		if p.less {
			p.c.less++
		}
		m.charge(l, p, p.fixed+granted*p.unit, now, wall.UnixMilli())
	}
	return granted, nil
}

// sum returns what is used of the counter of a part.
func (m *memory) sum(now int64) func(*part) int64 {
	return func(p *part) int64 {
		p.c.at(now, p.l.slot)
		return p.c.sum
	}
}

// charge adds n to the counter of p.
func (m *memory) charge(l *Lease, p *part, n, now, wall int64) {
	slot := p.c.at(now, p.l.slot)
	p.c.add(slot, n)
	p.took(slot, n)
	if m.lends {
		p.c.lent, p.c.node = p.c.lent+n, l.node()
	}
	p.used = p.c.sum
	p.resets(now, wall)
	if p.used >= p.l.warn && p.c.warned <= now && p.l.Measure != Concurrent {
		p.c.warned = now + max(p.reset, 1000)
		m.tell(Warning{Limit: p.l.Name, Subject: string(l.key(p)[len(p.l.prefix):]), Used: p.used, Most: p.l.Most})
	}
}

// resets notes when all of a counter is back.
func (p *part) resets(now, wall int64) {
	p.reset = (p.c.newest+Slots+1)*p.l.slot - now
	if p.l.slot == 0 {
		p.reset = p.ends - wall
	}
}

// fit finds how many tokens of output, want at most, all parts have room for. At least
// least must be. With fixed, what does not depend on the output is counted too, and only
// one at a time may get less than it wants of a counter: an answer that nobody cuts may
// be longer.
func (l *Lease) fit(want, least int64, fixed bool, sum func(*part) int64, room func(*part, int64) (time.Duration, bool)) (int64, error) {
	least = min(least, want)
	granted := want
	var worst *Exceeded
	for i := range l.parts {
		p := &l.parts[i]
		cost := p.fixed
		if !fixed {
			if cost = 0; p.unit == 0 {
				continue
			}
		}
		left := p.most - sum(p)
		need := cost + least*p.unit
		if left < need {
			e := &Exceeded{Limit: &p.l.Limit, Own: p.l.own}
			if after, ok := room(p, need-left); ok && need <= p.most {
				e.After = after
			} else {
				e.Never = need > p.most
			}
			if worst == nil || e.worse(worst) {
				worst = e
			}
			continue
		}
		if p.unit == 0 {
			continue
		}
		some := (left - cost) / p.unit
		if fixed {
			p.less = some < want
		}
		if fixed && p.less && p.c.less > 0 {
			worst = &Exceeded{Limit: &p.l.Limit, Own: p.l.own, After: time.Second}
		}
		granted = min(granted, some)
	}
	if worst != nil {
		return 0, worst
	}
	return granted, nil
}

// grow implements store.
func (m *memory) grow(_ context.Context, l *Lease, n int64) int64 {
	now, wall := m.clock.slide(), m.clock.wall().UnixMilli()
	set := m.shardsOf(l)
	m.lock(set)
	defer m.unlock(set)
	granted, err := l.fit(n, 1, false, m.sum(now), func(*part, int64) (time.Duration, bool) { return 0, false })
	if err != nil {
		return 0
	}
	for i := range l.parts {
		if p := &l.parts[i]; p.unit > 0 {
			m.charge(l, p, granted*p.unit, now, wall)
		}
	}
	return granted
}

func (m *memory) shardsOf(l *Lease) (set uint64) {
	for i := range l.parts {
		set |= 1 << m.shardOf(l.key(&l.parts[i]))
	}
	return set
}

// settle implements store.
func (m *memory) settle(_ context.Context, l *Lease, u *Used) {
	now := m.clock.slide()
	set := m.shardsOf(l)
	m.lock(set)
	defer m.unlock(set)
	for i := range l.parts {
		p := &l.parts[i]
		p.c.leases--
		if p.less {
			p.c.less--
		}
		slot := p.c.at(now, p.l.slot)
		back, backLater, beyond := p.owed(p.l.value(u))
		if backLater > 0 {
			p.c.add(p.later, -backLater)
		}
		if back > 0 {
			p.c.add(p.slot, -back)
		}
		if beyond > 0 {
			p.c.add(slot, beyond)
		}
		if m.lends {
			// What the store was told already is not given back: it may have granted it.
			p.c.lent = max(0, p.c.lent-back-backLater+beyond)
		}
		p.used = p.c.sum
	}
}

// find returns the counter under a key, which it makes where there is none. Where there
// is no place for another one, those that come too late share one.
func (m *memory) find(s *shard, key []byte, p *part, now, wall int64) *counter {
	if c := s.counters[string(key)]; c != nil {
		return c
	}
	look := 2
	if len(s.counters) >= m.most {
		look = 16
	}
	for k, c := range s.counters {
		if c.over(now, wall, m.ledger) {
			delete(s.counters, k)
		}
		if look--; look == 0 {
			break
		}
	}
	name := string(key)
	if len(s.counters) >= m.most {
		name = p.l.prefix + "|%others"
		if p.l.slot == 0 {
			name += "|" + string(key[len(key)-len(periodText):])
		}
		if c := s.counters[name]; c != nil {
			return c
		}
	}
	c := &counter{}
	if p.l.slot == 0 {
		c.slots, c.newest, c.ends = make([]int64, 1), p.starts, p.ends
	} else {
		c.slots, c.newest = make([]int64, Slots+1), now/p.l.slot
		c.ends = (c.newest + Slots + 1) * p.l.slot
	}
	s.counters[name] = c
	return c
}

// over reports whether nothing of c counts any more, and a ledger has all of it.
func (c *counter) over(now, wall int64, ledger bool) bool {
	const day = 24 * 60 * 60 * 1000 // of the calendar: clocks are put back
	if c.leases > 0 || c.lent > 0 || ledger && (c.unsaved != 0 || c.saving != 0) {
		return false
	}
	if len(c.slots) == 1 {
		return c.ends+day < wall
	}
	return c.ends <= now
}
