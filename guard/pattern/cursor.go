package pattern

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/stream"
)

// sentinel looks for many recognisers at once, and says only whether and where a
// match may have ended. Most of a text is read by it alone.
type sentinel struct {
	auto  *automaton
	first int // of its recognisers
	n     int
}

// watch is a sentinel in one text.
type watch struct {
	pos   int
	cache *cache
	state uint32
	until int    // up to here it does not serve: its trackers read everything
	awake uint64 // the trackers that have threads
}

// cursor looks through one text.
type cursor struct {
	s        *Scanner
	watches  []watch
	trackers []tracker
	out      outbox
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	clear(c.watches)
	for i := range c.trackers {
		k := &c.trackers[i]
		*k = tracker{r: k.r, starts: k.starts[:0]}
	}
	c.out = outbox{waiting: c.out.waiting[:0], items: c.out.items[:0], added: c.out.added[:0]}
	c.s.idle.Put(c)
}

// blockLen is how far sentinels are ahead of trackers.
const blockLen = 2 << 10

// scratch is what a Scan needs besides, and nobody needs between two of them.
type scratch struct {
	x     text
	hist  [blockLen + utf8.UTFMax]uint32 // the sentinel's state behind each byte of the block
	seen  []sighting
	table *table // of those states
	shift uint
}

// sighting is a place where recognisers may have matched.
type sighting struct {
	pos int // of the character that told
	who uint64
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	sc := scratches.Get().(*scratch)
	x := &sc.x
	x.t, x.folded, x.base, x.final, x.out = w.Clean, w.Folded, w.Base, w.Final, &c.out
	first := w.End()
	for _, wa := range c.watches {
		first = min(first, wa.pos)
	}
	safe := first
	for done := false; !done; { // all sentinels side by side, so that little waits to be put in order
		until := min(w.End(), first+blockLen)
		done = until == w.End()
		safe = until
		for i := range c.watches {
			wa := &c.watches[i]
			for wa.pos < until {
				c.block(i, sc, until)
			}
			first = max(first, wa.pos)
			for awake := wa.awake; awake != 0; awake &= awake - 1 {
				k := &c.trackers[c.s.sentinels[i].first+bits.TrailingZeros64(awake)]
				if done && w.Final {
					k.end(x)
				} else {
					safe = min(safe, k.safe())
				}
			}
		}
		safe = min(safe, c.out.weigh(x))
		safe = c.out.send(safe, done && w.Final, found)
	}
	x.t, x.folded, x.out = nil, nil, nil
	scratches.Put(sc)
	return safe
}

// block has a sentinel read up to the offset end or a little further, and its
// trackers what they need to see of that.
func (c *cursor) block(i int, sc *scratch, end int) {
	x, wa, s := &sc.x, &c.watches[i], &c.s.sentinels[i]
	first := wa.pos
	for end < x.base+len(x.t) && !utf8.RuneStart(x.t[end-x.base]) {
		end++
	}
	if wa.until > first {
		wa.pos = end
		c.runAll(wa, s, x, first, end)
		return
	}
	need, alive := wa.read(s, sc, end)
	need |= wa.awake
	end = wa.pos
	if x.final && end == x.base+len(x.t) && alive != 0 {
		alive = x.w.endAll(s.auto.prog, s.auto.node(wa.cache, wa.state))
	}
	for need |= alive; need != 0; need &= need - 1 {
		bit := need & -need
		k := &c.trackers[s.first+bits.TrailingZeros64(need)]
		awake := wa.awake&bit != 0
		seen := sc.seen
		for awake || wa.rouse(k, sc, &seen, bit, first, alive&bit != 0) {
			if awake = k.run(x, end); awake {
				break
			}
		}
		wa.awake &^= bit
		if awake {
			wa.awake |= bit
		}
	}
}

// runAll has all trackers of a sentinel read a block.
func (c *cursor) runAll(wa *watch, s *sentinel, x *text, first, end int) {
	for i := range s.n {
		k := &c.trackers[s.first+i]
		if wa.awake&(1<<i) == 0 {
			k.begin(x, max(k.pos, first))
		}
		wa.awake |= 1 << i
		for !k.run(x, end) {
			if k.pos >= end {
				wa.awake &^= 1 << i
				break
			}
		}
	}
}

// rouse has a tracker that sleeps begin where its next match may have begun, or
// where its threads at the end of the block may have, if alive. It returns false
// when there is no such place. From seen it takes the sightings that are done with.
func (wa *watch) rouse(k *tracker, sc *scratch, seen *[]sighting, bit uint64, first int, alive bool) bool {
	from := max(k.pos, first)
	for ; len(*seen) > 0; *seen = (*seen)[1:] {
		if s := (*seen)[0]; s.who&bit != 0 && s.pos >= from {
			k.begin(&sc.x, wa.back(sc, s.pos, bit, first, from))
			return true
		}
	}
	if alive && wa.pos > from {
		k.begin(&sc.x, wa.back(sc, wa.pos, bit, first, from))
		return true
	}
	return false
}

// back returns the last place up to pos, and not before from, at which the
// recogniser had no threads.
func (wa *watch) back(sc *scratch, pos int, bit uint64, first, from int) int {
	for pos > from && sc.table.alive[sc.hist[pos-1-first]>>sc.shift]&bit != 0 {
		pos--
	}
	return pos
}

// read reads up to end, or to where its cache is full. It returns who matched,
// and who has threads there; the sightings and the table that hist speaks of are
// in sc.
func (wa *watch) read(s *sentinel, sc *scratch, end int) (seen, alive uint64) {
	x := &sc.x
	if wa.cache == nil {
		wa.cache, wa.state = s.auto.fresh(kindBefore(x.t, wa.pos-x.base, wa.pos == 0))
	}
	cl := s.auto.prog.classes
	old, next, state := wa.cache, wa.cache.table.Load().next, wa.state
	t := x.t[wa.pos-x.base : end-x.base]
	hist := sc.hist[:len(t)]
	sc.seen = sc.seen[:0]
	i := 0
	for i < len(t) {
		class, width := uint32(0), 1
		if b := t[i]; b < utf8.RuneSelf {
			class = uint32(cl.ascii[b])
			if at := int(state | class); at < len(next) {
				if e := atomic.LoadUint32(&next[at]); int32(e) > 0 {
					state, hist[i] = e, e
					i++
					continue
				}
			}
		} else {
			class, width = cl.rune(t[i:])
		}
		e := uint32(0)
		if at := int(state | class); at < len(next) {
			e = atomic.LoadUint32(&next[at])
		}
		if int32(e) <= 0 {
			if e == 0 {
				cache, st, thrash := s.auto.make(wa.cache, state, class)
				if cache != wa.cache {
					wa.cache, state = cache, st
					if thrash {
						wa.cache, wa.until = nil, wa.pos+i+calm
					}
					break
				}
				next = cache.table.Load().next
				continue
			}
			tr := &wa.cache.table.Load().trans[e&^event]
			sc.seen = append(sc.seen, sighting{wa.pos + i, tr.seen})
			seen |= tr.seen
			e = tr.to
		}
		state = e
		for k := range width {
			hist[i+k] = e
		}
		i += width
	}
	old.read.Add(int64(i))
	sc.table = old.table.Load()
	sc.shift = cl.shift
	wa.pos += i
	wa.state = state
	if i > 0 {
		alive = sc.table.alive[hist[i-1]>>sc.shift]
	}
	return seen, alive
}
