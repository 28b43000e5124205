package judge

import (
	"fmt"
	"sync"
	"time"

	"github.com/ringwall/ringwall/internal/circuit"
)

// State is the state of a circuit breaker.
type State = circuit.State

// States.
const (
	Closed   = circuit.Closed   // calls are made
	HalfOpen = circuit.HalfOpen // one call tries whether the judge is back
	Open     = circuit.Open     // no calls are made
)

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
