package judge

import (
	"fmt"
	"sync"
	"time"
)

// State is the state of a circuit breaker.
type State uint8

// States.
const (
	Closed   State = iota // calls are made
	HalfOpen              // one call tries whether the judge is back
	Open                  // no calls are made
)

func (s State) String() string {
	return [...]string{"closed", "half-open", "open"}[min(s, Open)]
}

// breaker keeps calls from a judge that fails: after most failures in a row it
// opens, for pause; then one call may try, and closes it or opens it anew.
type breaker struct {
	most  int
	pause time.Duration
	tell  func(State)

	mu       sync.Mutex
	state    State
	failures int // in a row
	until    time.Time
	trying   bool
}

// outcome is how a call ended that the breaker let through.
type outcome uint8

const (
	answered outcome = iota
	failed
	unasked // no fault of the judge, and no sign of its health
)

// State returns the state of the breaker. One that is open until a moment that
// has passed is half open.
func (b *breaker) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open && !time.Now().Before(b.until) {
		return HalfOpen
	}
	return b.state
}

// enter reports that no call may be made, or lets one through, for which leave
// must be called.
func (b *breaker) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open && !time.Now().Before(b.until) {
		b.set(HalfOpen)
	}
	switch {
	case b.state == Open, b.state == HalfOpen && b.trying:
		return &Error{CircuitOpen, fmt.Errorf("it failed %d times in a row", b.failures)}
	case b.state == HalfOpen:
		b.trying = true
	}
	return nil
}

func (b *breaker) leave(o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	tried := b.state == HalfOpen
	b.trying = false
	switch {
	case o == answered && b.state != Open: // calls that began before it opened say nothing
		b.failures = 0
		b.set(Closed)
	case o == failed:
		b.failures++
		if tried || b.failures >= b.most {
			b.until = time.Now().Add(b.pause)
			b.set(Open)
		}
	}
}

func (b *breaker) set(s State) {
	if b.state != s {
		b.state = s
		b.tell(s)
	}
}

// budget lets through at most so many calls in any minute.
type budget struct {
	mu   sync.Mutex
	made []time.Time // the last calls, in a ring
	next int
}

func newBudget(perMinute int) *budget { return &budget{made: make([]time.Time, max(perMinute, 1))} }

func (b *budget) take() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if oldest := b.made[b.next]; !oldest.IsZero() && now.Sub(oldest) < time.Minute {
		return &Error{Budget, fmt.Errorf("%d calls were made in the last minute", len(b.made))}
	}
	b.made[b.next] = now
	b.next = (b.next + 1) % len(b.made)
	return nil
}
