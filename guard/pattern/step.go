package pattern

import (
	"math"
	"regexp/syntax"
	"slices"
)

// node is a state: the places of a program where its threads are, in groups. The
// threads of a group began at the same place, an earlier group before a later
// one, and of two threads at one place the earlier counts. A sentinel, which does
// not ask where threads began, keeps all of them in one group.
type node struct {
	pcs    []int32 // the groups, each closed by -1
	n      int     // how many there are
	before kind    // what was read last, as far as conditions ask
	open   bool    // threads still begin: there is no match yet
}

// trans is what happens when a class is read.
type trans struct {
	to   uint32   // the next state
	from []uint16 // of each of its groups: which one it was; their number: it began here
	// A match that ends before what was read, and one that ends behind it: the
	// group (as in from), and the rank of the pattern. Without one, none.
	late, now         uint16
	lateRank, nowRank int32
	seen              uint64 // of a sentinel: the recognisers that matched
}

const (
	none    = math.MaxUint16
	worst   = math.MaxInt32 // behind every rank
	divider = -1
)

// worker makes steps. It is owned by one goroutine.
type worker struct {
	now, then marks // places reached before and behind the character
	stack     []int32
	leaves    []int32
	rank      int32  // of the best match that was reached
	seen      uint64 // owners of all that were
}

// marks is a set of places that is emptied at no cost.
type marks struct {
	at   []uint32
	turn uint32
}

func (m *marks) reset(n int) {
	if len(m.at) < n {
		m.at, m.turn = make([]uint32, n), 0
	}
	if m.turn++; m.turn == 0 {
		clear(m.at)
		m.turn = 1
	}
}

// conditions returns those that hold between two characters.
func conditions(before, next kind) (c syntax.EmptyOp) {
	if before&edge != 0 {
		c |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	}
	if before&newline != 0 {
		c |= syntax.EmptyBeginLine
	}
	if next&edge != 0 {
		c |= syntax.EmptyEndText | syntax.EmptyEndLine
	}
	if next&newline != 0 {
		c |= syntax.EmptyEndLine
	}
	if before&wordy != next&wordy {
		c |= syntax.EmptyWordBoundary
	} else {
		c |= syntax.EmptyNoWordBoundary
	}
	if before&lettery == 0 {
		c |= notAfterLetter
	}
	if next&lettery == 0 {
		c |= notBeforeLetter
	}
	return c
}

// follow appends to list the places that are reached from pc without reading:
// those that read, and conditions that are not settled yet. Matches that are
// reached are noted in w.
func (w *worker) follow(p *prog, pc int32, holds, settled syntax.EmptyOp, m *marks, list []int32) []int32 {
	w.stack = append(w.stack[:0], pc)
	for len(w.stack) > 0 {
		pc := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if m.at[pc] == m.turn {
			continue
		}
		m.at[pc] = m.turn
		switch in := &p.insts[pc]; in.op {
		case opRune:
			list = append(list, pc)
		case opAlt:
			w.stack = append(w.stack, in.alt, in.out)
		case opJump:
			w.stack = append(w.stack, in.out)
		case opCond:
			switch {
			case in.cond&settled&^holds != 0:
			case in.cond&^settled != 0:
				list = append(list, pc)
			default:
				w.stack = append(w.stack, in.out)
			}
		case opMatch:
			w.rank = min(w.rank, in.arg)
			w.seen |= 1 << in.owner
		case opNever:
		}
	}
	return list
}

// read appends to list the places behind a character of the class, from the
// places in w.leaves.
func (w *worker) read(p *prog, class uint32, holds syntax.EmptyOp, list []int32) []int32 {
	at := len(list)
	for _, pc := range w.leaves {
		if in := &p.insts[pc]; in.op == opRune && p.in[in.arg][class] {
			list = w.follow(p, in.out, holds, condsBehind, &w.then, list)
		}
	}
	slices.Sort(list[at:])
	return list
}

// step reads a class from src to dst, whose lists it uses again.
func (w *worker) step(p *prog, src *node, class uint32, dst *node) trans {
	next := p.classes.kinds[class]
	now, then := conditions(src.before, next), conditions(next, 0)
	w.now.reset(len(p.insts))
	w.then.reset(len(p.insts))
	*dst = node{pcs: dst.pcs[:0], before: next, open: src.open}
	t := trans{late: none, now: none}
	rest := src.pcs
	for g := 0; g < src.n || g == src.n && src.open; g++ {
		w.leaves, w.rank = w.leaves[:0], worst
		if g < src.n {
			n := slices.Index(rest, divider)
			for _, pc := range rest[:n] {
				w.leaves = w.follow(p, pc, now, condsAll, &w.now, w.leaves)
			}
			rest = rest[n+1:]
			if w.rank != worst {
				t.late, t.lateRank = uint16(g), w.rank
				dst.open = false
			}
		} else {
			for _, pc := range p.starts {
				w.leaves = w.follow(p, pc, now, condsAll, &w.now, w.leaves)
			}
		}
		w.rank = worst // an empty match counts for nothing
		before := len(dst.pcs)
		dst.pcs = w.read(p, class, then, dst.pcs)
		if len(dst.pcs) > before {
			dst.pcs = append(dst.pcs, divider)
			dst.n++
			t.from = append(t.from, uint16(g))
		}
		if w.rank != worst {
			t.now, t.nowRank = uint16(g), w.rank
			dst.open = false
		}
		if !dst.open && (t.now != none || t.late != none) { // what began later cannot be the leftmost
			break
		}
	}
	return t
}

// end returns the first group that matches where the text ends, and the rank.
func (w *worker) end(p *prog, src *node) (group int, rank int32) {
	holds := conditions(src.before, edge)
	w.now.reset(len(p.insts))
	w.rank = worst
	for _, pc := range src.pcs {
		if pc == divider {
			if w.rank != worst {
				return group, w.rank
			}
			group++
			continue
		}
		w.leaves = w.follow(p, pc, holds, condsAll, &w.now, w.leaves[:0])
	}
	return none, worst
}

// stepAll reads a class from src to dst for a sentinel: all places are one
// group, and threads always begin.
func (w *worker) stepAll(p *prog, src *node, class uint32, dst *node) trans {
	next := p.classes.kinds[class]
	now, then := conditions(src.before, next), conditions(next, 0)
	w.now.reset(len(p.insts))
	w.then.reset(len(p.insts))
	*dst = node{pcs: dst.pcs[:0], before: next, open: true}
	w.leaves, w.seen = w.leaves[:0], 0
	for _, pc := range src.pcs {
		w.leaves = w.follow(p, pc, now, condsAll, &w.now, w.leaves)
	}
	seen := w.seen
	for _, pc := range p.starts {
		w.leaves = w.follow(p, pc, now, condsAll, &w.now, w.leaves)
	}
	w.seen = seen
	dst.pcs = w.read(p, class, then, dst.pcs)
	return trans{late: none, now: none, seen: w.seen}
}

// endAll returns the recognisers that match where the text ends.
func (w *worker) endAll(p *prog, src *node) uint64 {
	holds := conditions(src.before, edge)
	w.now.reset(len(p.insts))
	w.seen = 0
	for _, pc := range src.pcs {
		w.leaves = w.follow(p, pc, holds, condsAll, &w.now, w.leaves[:0])
	}
	return w.seen
}

// alive returns the recognisers that have a thread.
func (n *node) alive(p *prog) (owners uint64) {
	for _, pc := range n.pcs {
		if pc != divider {
			owners |= 1 << p.insts[pc].owner
		}
	}
	return owners
}
