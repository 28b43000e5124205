package stream

import (
	"slices"

	"github.com/ringwall/ringwall"
)

// Except is a Cursor whose matches excuse the findings that lie inside them.
type Except struct {
	Name   string // what Finding.Excepted says
	Cursor Cursor
	Covers func(ringwall.Finding) bool // whether it may excuse this one; nil: any
}

// excuse is a raw stretch in which an except matched.
type excuse struct{ start, end, except int }

// except asks the excepts and decides what waited for them. One that panics
// excuses nothing any more, which is the safe way to be wrong.
func (r *Redactor) except(w Window) (safe int) {
	safe = w.End()
	for i := range r.cfg.Excepts {
		func() {
			defer func() {
				if p := recover(); p != nil {
					r.cfg.Excepts[i].Cursor = none{}
				}
			}()
			r.watch = i
			safe = min(safe, r.cfg.Excepts[i].Cursor.Scan(w, r.matched))
		}()
	}
	limit := r.buf.Start(safe)
	n := 0
	for _, s := range r.open {
		if s.start < limit || w.Final {
			r.decide(s)
		} else {
			r.open[n] = s
			n++
		}
	}
	r.open = r.open[:n]
	r.excused = slices.DeleteFunc(r.excused, func(e excuse) bool { return e.end <= limit })
	return safe
}

type none struct{}

func (none) Scan(w Window, _ func(Match)) int { return w.End() }

// excuse records a match of the except that scans.
func (r *Redactor) excuse(m Match) {
	r.excused = append(r.excused, excuse{r.buf.Start(m.Start), r.buf.End(m.End), r.watch})
}

// pardon notes the first of the excepts that excuses f. What goes on beyond the
// place that was excused is not.
func (r *Redactor) pardon(s span, f *ringwall.Finding) {
	if s.rest && slices.ContainsFunc(r.cfg.Excepts, func(x Except) bool { return x.Name == f.Excepted }) {
		f.Excepted = ""
	}
	for _, e := range r.excused {
		x := r.cfg.Excepts[e.except]
		if e.start <= s.start && s.end <= e.end && !f.Unlooked() && (x.Covers == nil || x.Covers(*f)) {
			f.Excepted = x.Name
			return
		}
	}
}
