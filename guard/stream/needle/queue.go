package needle

import (
	"cmp"
	"slices"

	"github.com/ringwall/ringwall/guard/stream"
)

// Queue puts the matches of several searches through one text into the order in
// which a stream.Cursor reports them. What overlaps another match of its reason,
// or goes on where that ended, becomes a part of it; what lies within another that
// is as sure is left out.
type Queue struct {
	list []stream.Match
	last stream.Match
}

// Add keeps a match for later.
func (q *Queue) Add(m stream.Match) { q.list = append(q.list, m) }

// Flush reports the matches that begin before safe: all that will ever do so are
// there.
func (q *Queue) Flush(safe int, final bool, found func(stream.Match)) {
	if len(q.list) == 0 {
		return
	}
	slices.SortStableFunc(q.list, func(a, b stream.Match) int {
		return cmp.Or(a.Start-b.Start, cmp.Compare(b.Score, a.Score), b.End-a.End, cmp.Compare(a.Reason, b.Reason))
	})
	n := 0
	for ; n < len(q.list) && (final || q.list[n].Start < safe); n++ {
		switch m := q.list[n]; {
		case m.End <= q.last.End && m.Score <= q.last.Score:
		case m.Reason != q.last.Reason || m.Start > q.last.End:
			found(m)
			q.last = m
		case m.End > q.last.End:
			found(stream.Match{Start: q.last.End, End: m.End, Rest: true})
			q.last.End = m.End
		}
	}
	q.list = append(q.list[:0], q.list[n:]...)
}

// Reset makes q ready for another text.
func (q *Queue) Reset() { *q = Queue{list: q.list[:0]} }
