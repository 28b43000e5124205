package admit

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"
)

// waiter is a ticket that waits for its turn.
type waiter struct {
	t     *Ticket
	turn  chan *Shed // nil: it is its turn
	timer *time.Timer
	since time.Time
	lane  *lane
	older *waiter
	newer *waiter
}

// lane are the waiters of one flow and one class, the newest first.
type lane struct {
	class       Class
	n           int
	newest      *waiter
	oldest      *waiter
	left, right *lane // in the line; nil: nobody waits
}

// line are the lanes of a class, in a ring: whose turn it is next, first.
type line struct {
	class Class
	n     int // waiters
	next  *lane
}

func newWaiter() any {
	w := &waiter{turn: make(chan *Shed, 1), timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

// Work returns once t may use the processor, as a request of that class and flow. It
// returns a *Shed when the turn does not come in time, or what ended ctx.
//
// When the processors are busy it lets others run first: the work that follows is long,
// and theirs is short: to take in a request, to pass on an answer, to say no.
func (g *Gate) Work(ctx context.Context, t *Ticket, c Class, of Flow) error {
	now := time.Now()
	g.mu.Lock()
	g.look(now)
	if shed := g.become(t, c, of); shed != nil {
		return g.turnedAway(shed, c)
	}
	if t.working || !t.front {
		g.mu.Unlock()
		return nil
	}
	if g.working < int(g.limit) {
		g.start(t)
		busy := g.busy
		g.mu.Unlock()
		if busy {
			runtime.Gosched()
		}
		return nil
	}
	if g.cfg.Wait <= 0 {
		return g.turnedAway(shedQueue, c)
	}
	if g.queued >= g.room() && !g.makeRoom(t) {
		return g.turnedAway(shedQueue, c)
	}
	w := g.waiters.Get().(*waiter)
	w.t, w.since = t, now
	w.timer.Reset(g.cfg.Wait)
	waited := g.cfg.Waited
	g.push(w)
	g.mu.Unlock()

	var shed *Shed
	var gone error
	select {
	case shed = <-w.turn:
	case <-w.timer.C:
		shed = shedWait
	case <-ctx.Done():
		gone = ctx.Err()
	}
	g.mu.Lock()
	if w.lane != nil {
		g.pull(w)
	} else if gone != nil || shed == shedWait {
		// The turn, or the eviction, came at the same time.
		if now := <-w.turn; shed != nil && now == nil {
			shed = nil
		}
	}
	w.t = nil
	w.timer.Stop()
	g.waiters.Put(w)
	switch {
	case gone != nil:
		g.mu.Unlock()
		return gone // Leave gives back what it may have got
	case shed != nil:
		return g.turnedAway(shed, c)
	}
	g.mu.Unlock()
	waited(c, time.Since(now))
	runtime.Gosched()
	return nil
}

// Pen keeps a request for a while that Enter turned away because of its flow: it learns
// that no sooner than one that waited in vain, for else a client that asks again at once
// would have us say no and do nothing else. It costs no slot and no processor, and ends
// with ctx; where too many are kept, it ends at once.
func (g *Gate) Pen(ctx context.Context) {
	g.mu.Lock()
	wait, most := g.cfg.Wait, g.cfg.Slots
	g.mu.Unlock()
	if n := g.penned.Add(1); wait > 0 && int(n) <= most {
		t := time.NewTimer(wait + rand.N(2*wait)) //nolint:gosec // nobody gains by guessing it
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	g.penned.Add(-1)
}

// turnedAway ends the hold on mu and tells of one that is turned away.
func (g *Gate) turnedAway(s *Shed, c Class) error {
	tell := g.cfg.Shed
	g.mu.Unlock()
	tell(s.Reason, c)
	return s
}

// start lets t work.
func (g *Gate) start(t *Ticket) {
	t.working = true
	g.working++
	g.passed++
	g.peak = max(g.peak, g.working)
}

// dispatch gives turns as long as there are any.
func (g *Gate) dispatch() {
	if g.queued == 0 {
		return
	}
	now := time.Now()
	for c := Classes - 1; c >= 0 && g.queued > 0; c-- {
		for l := &g.lines[c]; l.next != nil; {
			if g.working >= int(g.limit) {
				return
			}
			lane := l.next
			l.next = lane.right // another flow's turn next
			w := lane.first(now, g.cfg.Wait)
			g.pull(w)
			g.start(w.t)
			w.turn <- nil
		}
	}
}

// first is whose turn it is: who came first, as long as nobody waits for long. Once the
// oldest has waited for half of what it may, more comes than can be served: then it is
// the newest's, whose client is the least likely to have given up, and those behind it
// leave when their time is over.
func (l *lane) first(now time.Time, wait time.Duration) *waiter {
	if now.Sub(l.oldest.since) > wait/2 {
		return l.newest
	}
	return l.oldest
}

// push makes w the newest of its lane.
func (g *Gate) push(w *waiter) {
	c := w.t.class
	l, line := &w.t.flow.lanes[c], &g.lines[c]
	w.lane, w.older, w.newer = l, l.newest, nil
	if l.newest != nil {
		l.newest.newer = w
	} else {
		l.oldest = w
	}
	l.newest = w
	l.class = c
	if l.n++; l.n == 1 {
		if at := line.next; at == nil {
			l.left, l.right, line.next = l, l, l
		} else { // behind all others
			l.left, l.right = at.left, at
			at.left.right, at.left = l, l
		}
	}
	line.n++
	g.queued++
}

// pull takes w out of its lane.
func (g *Gate) pull(w *waiter) {
	l := w.lane
	line := &g.lines[l.class]
	if w.newer != nil {
		w.newer.older = w.older
	} else {
		l.newest = w.older
	}
	if w.older != nil {
		w.older.newer = w.newer
	} else {
		l.oldest = w.newer
	}
	w.lane, w.newer, w.older = nil, nil, nil
	if l.n--; l.n == 0 {
		if l.right == l {
			line.next = nil
		} else {
			l.left.right, l.right.left = l.right, l.left
			if line.next == l {
				line.next = l.right
			}
		}
		l.left, l.right = nil, nil
	}
	line.n--
	g.queued--
}

// makeRoom turns away the one that has waited longest, of the longest lane, of the
// lowest class that is not above that of t; it reports whether there is one. A lane
// that is no longer than that of t is left alone, but for t's own.
func (g *Gate) makeRoom(t *Ticket) bool {
	for c := range t.class + 1 {
		line := &g.lines[c]
		longest := line.next
		if longest == nil {
			continue
		}
		for l := longest.right; l != line.next; l = l.right {
			if l.n > longest.n {
				longest = l
			}
		}
		if own := &t.flow.lanes[c]; c == t.class && longest.n <= own.n+1 {
			if own.n == 0 {
				return false
			}
			longest = own
		}
		w := longest.oldest
		g.pull(w)
		w.turn <- shedQueue
		return true
	}
	return false
}
