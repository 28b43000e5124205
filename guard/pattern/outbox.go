package pattern

import (
	"cmp"
	"slices"

	"github.com/ringwall/ringwall/guard/stream"
)

// outbox keeps matches until they may be reported: in ascending order of start
// over all recognisers, and once the text that tells of their context is there.
type outbox struct {
	waiting []item // for what follows them
	items   []item // by start, then by recogniser
	added   []item // since, in no order
	owner   *item  // a match of more than MaxPending bytes, which others may interrupt
	told    int    // up to here the owner was reported
	fresh   bool   // something else was reported since
}

// item is a match.
type item struct {
	r          *recogniser
	start, end int
	score      float64
	long       *long // instead of end
}

func (it *item) upTo() int {
	if it.long != nil {
		return it.long.end
	}
	return it.end
}

func (it *item) match(start, end int) stream.Match {
	return stream.Match{Start: start, End: end, Reason: it.r.name, Severity: it.r.severity, Score: it.score}
}

// take judges what a tracker found. What was in doubt is not asked for more.
func (o *outbox) take(x *text, k *tracker, start, end int, rank int32, l *long, doubt bool) {
	r := k.r
	t := x.t[start-x.base : end-x.base]
	if !doubt && !r.holds(t, l != nil) {
		return
	}
	it := item{r: r, start: start, end: end, score: r.scores[rank], long: l}
	switch {
	case len(r.context) == 0:
	case r.near(x, max(0, start-contextLen), start, false):
		it.score = r.raised(it.score)
	case l != nil:
		if r.required {
			return
		}
	default:
		o.waiting = append(o.waiting, it)
		return
	}
	o.added = append(o.added, it)
}

// order is that in which items are reported.
func order(a, b item) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.r.no, b.r.no))
}

// sort puts what was added among the items.
func (o *outbox) sort() {
	if len(o.added) == 0 {
		return
	}
	slices.SortFunc(o.added, order)
	n := len(o.items)
	o.items = append(o.items, o.added...)
	for i, k, to := n-1, len(o.added)-1, len(o.items)-1; i >= 0 && k >= 0; to-- {
		if order(o.items[i], o.added[k]) > 0 {
			o.items[to] = o.items[i]
			i--
		} else {
			o.items[to] = o.added[k]
			k--
		}
		if i < 0 {
			copy(o.items, o.added[:k+1])
		}
	}
	o.added = o.added[:0]
}

// weigh looks at the context behind the matches that wait for it. It returns the
// offset before which none waits any more.
func (o *outbox) weigh(x *text) (safe int) {
	end := x.base + len(x.t)
	safe = end
	kept := o.waiting[:0]
	for _, it := range o.waiting {
		switch {
		case !x.final && end <= it.end+contextLen:
			safe = min(safe, it.start)
			kept = append(kept, it)
		case it.r.near(x, it.end, min(end, it.end+contextLen), true):
			it.score = it.r.raised(it.score)
			o.added = append(o.added, it)
		case !it.r.required:
			o.added = append(o.added, it)
		}
	}
	o.waiting = kept
	return safe
}

// send reports what begins before safe, or all, and returns the offset before
// which nothing begins that is still to be reported.
//
// A match of more than MaxPending bytes goes on by Match.Rest while nothing else
// is reported. Where something else begins within it, it begins there again; of
// two that overlap the later comes in pieces. Either way where it is cut depends
// on the text alone.
func (o *outbox) send(safe int, all bool, found func(stream.Match)) int {
	o.sort()
	sent := 0
	for sent < len(o.items) && (o.items[sent].start < safe || all) {
		it := o.items[sent]
		if it.long != nil && !it.long.open && it.start >= it.long.end { // it ended where it was cut
			sent++
			continue
		}
		o.advance(it.start, found)
		switch {
		case it.long == nil:
			found(it.match(it.start, it.end))
		case o.owner == nil:
			o.owner, o.told = &it, it.start
		default:
			end := min(it.long.end, it.start+MaxPending)
			if it.long.open && end < it.start+MaxPending {
				safe = min(safe, it.start)
				o.items = slices.Delete(o.items, 0, sent)
				o.advance(safe, found)
				return safe
			}
			found(it.match(it.start, end))
			if it.start = end; end < it.long.end || it.long.open {
				i, _ := slices.BinarySearchFunc(o.items, it, order)
				o.items = slices.Insert(o.items, i, it)
			}
		}
		o.fresh = true
		sent++
	}
	o.items = slices.Delete(o.items, 0, sent)
	o.advance(safe, found)
	return safe
}

// advance reports the owner up to the given offset.
func (o *outbox) advance(to int, found func(stream.Match)) {
	if o.owner == nil {
		return
	}
	if end := min(o.owner.upTo(), to); end > o.told {
		m := o.owner.match(o.told, end)
		m.Rest = !o.fresh
		found(m)
		o.told, o.fresh = end, false
	}
	if !o.owner.long.open && o.told >= o.owner.upTo() {
		o.owner = nil
	}
}
