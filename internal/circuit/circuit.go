// Package circuit keeps callers from something that fails: a [Breaker] counts
// failures in a row, opens for a while when they are too many, and then lets one
// call at a time try whether the other side is back.
//
// Whoever calls asks [Breaker.Enter] first and tells [Breaker.Leave] how it went.
// What is called, and what is a failure, is the caller's business.
package circuit

import (
	"sync"
	"time"
)

// State is the state of a Breaker.
type State uint8

// States.
const (
	Closed   State = iota // calls are made
	HalfOpen              // one call tries whether the other side is back
	Open                  // no calls are made
)

func (s State) String() string {
	return [...]string{"closed", "half-open", "open"}[min(s, Open)]
}

// Outcome is how a call ended that the breaker let through.
type Outcome uint8

// Outcomes.
const (
	Answered Outcome = iota
	Failed
	Unasked // no fault of the other side, and no sign of its health
)

// Breaker keeps calls from what fails: after Most failures in a row it opens, for
// Pause; then one call may try, and closes it or opens it anew. It is safe for
// concurrent use. The fields do not change after its first use.
type Breaker struct {
	Most  int
	Pause time.Duration
	Tell  func(State) // is told of each change, and must not wait; nil: nobody is

	mu       sync.Mutex
	state    State
	failures int // in a row
	until    time.Time
	trying   bool
}

// State returns the state of the breaker. One that is open until a moment that
// has passed is half open.
func (b *Breaker) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open && !time.Now().Before(b.until) {
		return HalfOpen
	}
	return b.state
}

// Failures returns how many calls failed in a row.
func (b *Breaker) Failures() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures
}

// Wait returns for how long no call is let through; 0 when one may be.
func (b *Breaker) Wait() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != Open {
		return 0
	}
	return max(0, time.Until(b.until))
}

// Enter reports whether a call may be made. For one that may, Leave must be
// called.
func (b *Breaker) Enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open && !time.Now().Before(b.until) {
		b.set(HalfOpen)
	}
	switch {
	case b.state == Open, b.state == HalfOpen && b.trying:
		return false
	case b.state == HalfOpen:
		b.trying = true
	}
	return true
}

// Leave says how a call ended that Enter let through.
func (b *Breaker) Leave(o Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	tried := b.state == HalfOpen
	b.trying = false
	switch {
	case o == Answered && b.state != Open: // calls that began before it opened say nothing
		b.failures = 0
		b.set(Closed)
	case o == Failed:
		b.failures++
		if tried || b.failures >= b.Most {
			b.open(b.Pause)
		}
	}
}

// Rest opens the breaker for a time that the other side asked for.
func (b *Breaker) Rest(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	b.failures++
	b.open(d)
}

// open opens the breaker, for no less than it is open already.
func (b *Breaker) open(d time.Duration) {
	if until := time.Now().Add(d); b.state != Open || until.After(b.until) {
		b.until = until
	}
	b.set(Open)
}

func (b *Breaker) set(s State) {
	if b.state != s {
		b.state = s
		if b.Tell != nil {
			b.Tell(s)
		}
	}
}
