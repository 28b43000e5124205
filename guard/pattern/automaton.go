package pattern

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// automaton keeps the steps of a program that texts have made, as the states and
// ways of a deterministic automaton: a step that was made once costs a look into
// a table from then on. It is shared by all texts.
type automaton struct {
	prog *prog
	all  bool // of a sentinel
	most int  // states that are kept

	mu    sync.Mutex // for what follows, and for writing to caches
	w     worker
	spare node
	key   []byte
	cache atomic.Pointer[cache]
}

// cache holds states until there are too many; then another one begins. Cursors
// may go on with an old one.
type cache struct {
	table atomic.Pointer[table]
	read  atomic.Int64      // bytes that were read with it
	nodes []*node           // by number
	known map[string]uint32 // key to number, shifted
	fresh [16]atomic.Uint32 // by what stands before: states without threads
	pcs   int
	full  bool
}

// table is what reading needs. Entries of next are written once: 0 is not known
// yet, what is below event is the next state, and the rest numbers a trans.
type table struct {
	next  []uint32 // by number of a state, shifted, and class
	trans []trans
	alive []uint64 // by number: of a sentinel, the recognisers that have threads
}

const event = 1 << 31

// Bounds of a cache beside the number of its states: the places in all of them
// together, and the entries of its table.
const (
	mostPlaces  = 1 << 20
	mostEntries = 1 << 20
)

func newAutomaton(p *prog, all bool, most int) *automaton {
	a := &automaton{prog: p, all: all, most: max(64, min(most, mostEntries>>p.classes.shift))}
	a.cache.Store(newCache())
	return a
}

func newCache() *cache {
	c := &cache{nodes: make([]*node, 1), known: map[string]uint32{}}
	c.table.Store(&table{alive: make([]uint64, 1)})
	return c
}

// fresh returns the state without threads behind a character of kind before, in
// the newest cache.
func (a *automaton) fresh(before kind) (*cache, uint32) {
	before &= a.prog.look
	c := a.cache.Load()
	s := c.fresh[before].Load()
	if s == 0 {
		c, s = a.enter(&node{before: before, open: true})
		c.fresh[before].Store(s)
	}
	return c, s
}

// enter returns the state of a node in the newest cache.
func (a *automaton) enter(n *node) (*cache, uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.cache.Load()
	if c.full {
		c = newCache()
		a.cache.Store(c)
	}
	return c, a.intern(c, n)
}

// node returns the node of a state.
func (a *automaton) node(c *cache, s uint32) *node {
	a.mu.Lock()
	defer a.mu.Unlock()
	return c.nodes[s>>a.prog.classes.shift]
}

// hasty is the number of bytes a cache must serve for each of its states to be
// worth having.
const hasty = 24

// make makes the step from s that is not known. It returns the state and its
// cache, which are others when the cache is full; and whether texts make states
// faster than they use them.
func (a *automaton) make(c *cache, s, class uint32) (_ *cache, _ uint32, thrash bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if atomic.LoadUint32(&c.table.Load().next[s|class]) != 0 {
		return c, s, false
	}
	if c.full || len(c.nodes) >= a.most || len(c.table.Load().trans) >= 8*a.most || c.pcs > mostPlaces {
		thrash = !c.full && c.read.Load() < int64(hasty*len(c.nodes))
		c.full = true
		src := c.nodes[s>>a.prog.classes.shift]
		if c = a.cache.Load(); c.full {
			c = newCache()
			a.cache.Store(c)
		}
		s = a.intern(c, src)
		if atomic.LoadUint32(&c.table.Load().next[s|class]) != 0 {
			return c, s, thrash
		}
	}
	src := c.nodes[s>>a.prog.classes.shift]
	var t trans
	if a.all {
		t = a.w.stepAll(a.prog, src, class, &a.spare)
	} else {
		t = a.w.step(a.prog, src, class, &a.spare)
	}
	a.spare.before &= a.prog.look
	t.to = a.intern(c, &a.spare)
	entry := t.to
	if !t.plain(src) {
		old := c.table.Load()
		entry = event | uint32(len(old.trans))
		c.table.Store(&table{next: old.next, trans: append(old.trans, t), alive: old.alive})
	}
	atomic.StoreUint32(&c.table.Load().next[s|class], entry)
	return c, s, thrash
}

// plain reports whether nothing happens but that the state changes: all groups
// go on, and no other begins.
func (t *trans) plain(src *node) bool {
	if t.late != none || t.now != none || t.seen != 0 || len(t.from) != src.n {
		return false
	}
	for i, g := range t.from {
		if int(g) != i {
			return false
		}
	}
	return true
}

// intern returns the state of n in c, a new one if need be.
func (a *automaton) intern(c *cache, n *node) uint32 {
	key := append(a.key[:0], byte(n.before))
	if n.open {
		key[0] |= 0x80
	}
	for _, pc := range n.pcs {
		key = binary.AppendVarint(key, int64(pc))
	}
	a.key = key
	if s, ok := c.known[string(key)]; ok {
		return s
	}
	shift := a.prog.classes.shift
	no := len(c.nodes)
	s := uint32(no) << shift
	kept := &node{pcs: append([]int32(nil), n.pcs...), n: n.n, before: n.before, open: n.open}
	c.nodes = append(c.nodes, kept)
	c.known[string(key)] = s
	c.pcs += len(n.pcs)
	old := c.table.Load()
	t := &table{next: old.next, trans: old.trans, alive: append(old.alive, kept.alive(a.prog))}
	if need := (no + 1) << shift; len(t.next) < need {
		t.next = make([]uint32, max(2*len(t.next), need, 16<<shift))
		for i := range old.next {
			t.next[i] = atomic.LoadUint32(&old.next[i])
		}
	}
	c.table.Store(t)
	return s
}
