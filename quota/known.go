package quota

import "time"

// What a replica knows of counters of the shared store is kept beside its own: it is
// what it goes by while the store is away, and what it tells a server that forgot.

// knowledge is of a counter of the shared store.
type knowledge struct {
	used  int64
	until int64  // milliseconds: all of it has left then
	epoch string // of the server that said so
}

// with calls f with the counter of a part.
func (m *memory) with(l *Lease, p *part, now int64, f func(*counter)) {
	key := l.key(p)
	s := &m.all[m.shardOf(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	f(m.find(s, key, p, now, m.clock.wall().UnixMilli()))
}

// known returns what is known to be used, -1 where nothing is, and what server said so.
func (m *memory) known(l *Lease, p *part, now int64) (used int64, epoch string) {
	used = -1
	m.with(l, p, now, func(c *counter) {
		if c.shared.until > now {
			used, epoch = c.shared.used, c.shared.epoch
		}
	})
	return used, epoch
}

// learn takes down what the server said is used.
func (m *memory) learn(l *Lease, p *part, now int64, epoch string) {
	var w *Warning
	m.with(l, p, now, func(c *counter) {
		c.shared = knowledge{used: p.used, until: now + max(0, p.reset), epoch: epoch}
		if p.l.slot != 0 {
			c.ends = max(c.ends, c.shared.until)
		}
		if p.used >= p.l.warn && c.warned <= now && p.l.Measure != Concurrent {
			c.warned = now + max(p.reset, time.Second.Milliseconds())
			w = &Warning{Limit: p.l.Name, Subject: string(l.key(p)[len(p.l.prefix):]), Used: p.used, Most: p.l.Most}
		}
	})
	if w != nil {
		m.tell(*w)
	}
}

// lend takes up to n tokens of output from this process's share, for a lease of the
// shared store. It is not given back: the settlement takes it from the store.
func (m *memory) lend(l *Lease, n int64) int64 {
	now := m.clock.slide()
	set := m.shardsOf(l)
	m.lock(set)
	defer m.unlock(set)
	for i := range l.parts {
		p := &l.parts[i]
		key := l.key(p)
		p.c = m.find(&m.all[m.shardOf(key)], key, p, now, m.clock.wall().UnixMilli())
	}
	granted, err := l.fit(n, 1, false, m.sum(now), func(*part, int64) (time.Duration, bool) { return 0, false })
	if err != nil {
		return 0
	}
	for i := range l.parts {
		if p := &l.parts[i]; p.unit > 0 {
			p.c.add(p.c.at(now, p.l.slot), granted*p.unit)
		}
	}
	return granted
}

// lentTo takes what was granted of the counters of l while the store was away, which is
// to be told of it.
func (m *memory) lentTo(l *Lease, now int64) []int64 {
	lent := make([]int64, len(l.parts))
	for i := range l.parts {
		m.with(l, &l.parts[i], now, func(c *counter) { lent[i], c.lent = c.lent, 0 })
	}
	return lent
}

// owes takes back lentTo: the store was not told.
func (m *memory) owes(l *Lease, lent []int64, now int64) {
	for i, n := range lent {
		if n > 0 {
			m.with(l, &l.parts[i], now, func(c *counter) { c.lent, c.node = c.lent+n, l.node() })
		}
	}
}

// due is what the store is to be told of a counter.
type due struct {
	key, node   string
	c           *counter
	n           int64
	width, ends int64
}

// handOn calls tell with each counter of which the store is to be told, until it is
// false.
func (m *memory) handOn(tell func(d *due) bool) {
	for i := range m.all {
		s := &m.all[i]
		var list []due
		s.mu.Lock()
		for key, c := range s.counters {
			if c.lent > 0 {
				d := due{key: key, node: c.node, c: c, n: c.lent}
				if d.width = c.width; len(c.slots) == 1 {
					d.width, d.ends = 0, c.ends
				}
				list = append(list, d)
				c.lent = 0
			}
		}
		s.mu.Unlock()
		for j := range list {
			if tell(&list[j]) {
				continue
			}
			s.mu.Lock()
			for _, d := range list[j:] {
				d.c.lent += d.n
			}
			s.mu.Unlock()
			return
		}
	}
}

// lentTotal is of how many counters the store is to be told.
func (m *memory) lentTotal() (n int) {
	for i := range m.all {
		s := &m.all[i]
		s.mu.Lock()
		for _, c := range s.counters {
			if c.lent > 0 {
				n++
			}
		}
		s.mu.Unlock()
	}
	return n
}
