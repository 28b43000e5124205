package pattern

import (
	"sync/atomic"
	"unicode/utf8"
)

// Bounds of what waits for more of the text.
const (
	// MaxPending is how many bytes a match may wait for its decision. One that is
	// longer is reported so far, and what it goes on to is a part of it; it
	// satisfies no check digits, and has no context but what stands before it. A
	// beginning that did not become a match by then is given up.
	MaxPending = 4 << 10
	// sure is the length up to which a match is found in any case, whatever
	// beginnings before it were given up.
	sure = MaxPending / 2
	// patience is how many bytes may be read again, for each byte that is read and
	// to begin with, because of what matches could not become. A text that asks for
	// more nearly matches everywhere: from then on all of a match is reported that
	// was in doubt, whatever its check digits and exceptions.
	patience, firstPatience = 16, 64 << 10
	// calm is how many bytes are read without a cache that did not serve.
	calm = 64 << 10
)

// tracker follows one recogniser through a text where it has threads, and knows
// where each began. Its numbers are offsets of the text.
type tracker struct {
	r     *recogniser
	pos   int // read up to here
	high  int // the furthest that was ever read
	again int // bytes that were read again

	cache  *cache
	state  uint32
	direct *node // instead of both, while the cache does not serve
	until  int   // and up to here it does not

	starts []int // of the groups
	cand   candidate
	long   *long // a match that was reported, and may go on
}

// candidate is the leftmost match so far, the longest from its start.
type candidate struct {
	start, end int
	rank       int32
	ok         bool
}

// long is a match of more than MaxPending bytes, as far as it was read.
type long struct {
	end  int
	open bool // it may go on
}

// text is what a cursor sees of a text, with places to work in.
type text struct {
	t, folded []byte
	base      int
	final     bool
	out       *outbox
	w         worker
	spare     node
}

// begin makes k ready to read on from pos.
func (k *tracker) begin(x *text, pos int) {
	k.pos = pos
	k.starts, k.cand = k.starts[:0], candidate{}
	before := kindBefore(x.t, pos-x.base, pos == 0)
	if k.direct != nil && pos < k.until {
		*k.direct = node{pcs: k.direct.pcs[:0], before: before & k.r.auto.prog.look, open: true}
		return
	}
	k.direct = nil
	k.cache, k.state = k.r.auto.fresh(before)
}

// safe returns the offset before which k reports nothing more.
func (k *tracker) safe() int {
	switch {
	case k.long != nil:
		return k.long.end
	case len(k.starts) > 0 && k.cand.ok:
		return min(k.starts[0], k.cand.start)
	case len(k.starts) > 0:
		return k.starts[0]
	}
	return k.pos
}

// run reads up to the offset until. It returns false when it is certain before
// that no thread is alive: nothing can match before another begins.
func (k *tracker) run(x *text, until int) (awake bool) {
	for k.pos < until {
		stop := min(until, k.deadline())
		if k.pos >= stop {
			k.overdue(x)
			continue
		}
		if k.direct != nil {
			k.readDirect(x, stop)
		} else {
			k.read(x, stop)
		}
		k.high = max(k.high, k.pos)
		if len(k.starts) == 0 {
			if k.cand.ok {
				k.commit(x)
			} else if k.pos >= k.high {
				return false
			}
		}
	}
	if k.pos >= k.deadline() { // where the text is cut makes no difference
		k.overdue(x)
		return k.run(x, until)
	}
	return len(k.starts) > 0 || k.cand.ok
}

// deadline returns the offset where what is undecided must be decided.
func (k *tracker) deadline() int {
	switch {
	case k.long != nil:
		return k.long.end + MaxPending
	case len(k.starts) > 0:
		return k.starts[0] + MaxPending
	}
	return k.pos + MaxPending
}

// read reads up to stop with the cache; it returns when a group ended or a match
// was seen.
func (k *tracker) read(x *text, stop int) {
	cl := k.r.auto.prog.classes
	tab := k.cache.table.Load()
	next, s := tab.next, k.state
	t := x.t
	i, end := k.pos-x.base, stop-x.base
	k.cache.read.Add(int64(end - i))
	for i < end {
		class, width := uint32(0), 1
		if b := t[i]; b < utf8.RuneSelf {
			class = uint32(cl.ascii[b])
		} else {
			class, width = cl.rune(t[i:])
		}
		e := uint32(0)
		if at := int(s | class); at < len(next) {
			e = atomic.LoadUint32(&next[at])
		}
		if int32(e) > 0 {
			s = e
			i += width
			continue
		}
		if e == 0 {
			c, state, thrash := k.r.auto.make(k.cache, s, class)
			k.cache, s = c, state
			next = c.table.Load().next
			if thrash {
				k.state, k.pos = s, x.base+i
				k.goDirect()
				return
			}
			continue
		}
		tab = k.cache.table.Load()
		tr := &tab.trans[e&^event]
		s = tr.to
		k.apply(tr, x.base+i, x.base+i+width)
		i += width
		if len(k.starts) == 0 || k.cand.ok {
			break
		}
	}
	k.state, k.pos = s, x.base+i
}

// goDirect goes on without the cache for a while.
func (k *tracker) goDirect() {
	n := k.r.auto.node(k.cache, k.state)
	k.direct = &node{pcs: append([]int32(nil), n.pcs...), n: n.n, before: n.before, open: n.open}
	k.cache, k.until = nil, k.pos+calm
}

// readDirect is read without the cache.
func (k *tracker) readDirect(x *text, stop int) {
	p := k.r.auto.prog
	for k.pos < stop {
		if k.pos >= k.until {
			k.cache, k.state = k.r.auto.enter(k.direct)
			k.direct = nil
			return
		}
		i := k.pos - x.base
		class, width := uint32(0), 1
		if b := x.t[i]; b < utf8.RuneSelf {
			class = uint32(p.classes.ascii[b])
		} else {
			class, width = p.classes.rune(x.t[i:])
		}
		dst := &x.spare
		tr := x.w.step(p, k.direct, class, dst)
		dst.before &= p.look
		*dst, *k.direct = *k.direct, *dst
		k.apply(&tr, k.pos, k.pos+width)
		k.pos += width
		if len(k.starts) == 0 || k.cand.ok {
			return
		}
	}
}

// apply does to starts and candidate what a step says that reads the character
// from at to behind.
func (k *tracker) apply(t *trans, at, behind int) {
	began := func(g uint16) int {
		if int(g) < len(k.starts) {
			return k.starts[g]
		}
		return at
	}
	if t.late != none {
		k.match(began(t.late), at, t.lateRank)
	}
	if t.now != none {
		k.match(began(t.now), behind, t.nowRank)
	}
	n := len(k.starts)
	for i, g := range t.from { // a group never comes from an earlier one
		if int(g) == n {
			if i == len(k.starts) {
				k.starts = append(k.starts, at)
			} else {
				k.starts[i] = at
			}
		} else {
			k.starts[i] = k.starts[g]
		}
	}
	k.starts = k.starts[:len(t.from)]
}

// match notes a match: it is the leftmost so far, and the longest from there.
func (k *tracker) match(start, end int, rank int32) {
	if k.cand.ok && k.cand.start == start && k.cand.end == end {
		rank = min(rank, k.cand.rank)
	}
	k.cand = candidate{start, end, rank, true}
	if k.long != nil {
		k.long.end = end
	}
}

// commit reports the candidate, which nothing can make longer, and begins behind
// it.
func (k *tracker) commit(x *text) {
	c := k.cand
	back := k.pos - c.end
	if k.again+back > firstPatience+patience*k.high { // fail closed: what was in doubt is in the match
		k.settle(x, c.start, k.pos, c.rank, true)
		k.begin(x, k.pos)
		return
	}
	k.again += back
	k.settle(x, c.start, c.end, c.rank, false)
	k.begin(x, c.end)
}

// settle reports a match, or ends the one that goes on.
func (k *tracker) settle(x *text, start, end int, rank int32, doubt bool) {
	if k.long != nil {
		k.long.end, k.long.open, k.long = end, false, nil
		return
	}
	x.out.take(x, k, start, end, rank, nil, doubt)
}

// overdue decides what waited too long.
func (k *tracker) overdue(x *text) {
	switch {
	case k.long != nil: // it did not go on
		k.commit(x)
	case k.cand.ok && k.cand.start == k.starts[0]: // a long match
		k.long = &long{end: k.cand.end, open: true}
		x.out.take(x, k, k.cand.start, k.cand.end, k.cand.rank, k.long, false)
	case k.cand.ok: // an earlier beginning that came to nothing hides a match
		back := k.pos - k.cand.start
		if k.again+back > firstPatience+patience*k.high {
			k.settle(x, k.starts[0], k.pos, k.cand.rank, true)
			k.begin(x, k.pos)
			return
		}
		k.again += back
		k.begin(x, k.cand.start)
	default: // a beginning that came to nothing
		pos := max(k.pos-sure, k.starts[0]+1)
		for pos < k.pos && !utf8.RuneStart(x.t[pos-x.base]) {
			pos++
		}
		k.begin(x, pos)
	}
}

// end reads the end of the text.
func (k *tracker) end(x *text) {
	for {
		n := k.direct
		if n == nil {
			n = k.r.auto.node(k.cache, k.state)
		}
		if g, rank := x.w.end(k.r.auto.prog, n); g != none {
			k.match(k.starts[g], k.pos, rank)
		}
		if !k.cand.ok {
			k.starts = k.starts[:0]
			return
		}
		until := k.pos
		k.commit(x)
		k.run(x, until)
	}
}
