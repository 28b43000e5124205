package provider

import (
	"context"
	"sync"
	"time"
)

// longestWait is how long a request waits at most before it is sent again.
const longestWait = 5 * time.Second

// Bounds of the budget of requests that are sent again.
const (
	retryShare = 0.2 // of requests
	retryBurst = 10
)

// Budget bounds how many requests are sent again, or twice: a fifth of all, or what
// fails under load is put under more. The zero value is one that is full. It is
// safe for concurrent use.
type Budget struct {
	mu    sync.Mutex
	spent float64 // of retryBurst
}

// Asked says that a request is sent for the first time.
func (b *Budget) Asked() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-retryShare)
}

// Take reports whether a request may be sent again.
func (b *Budget) Take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+1 > retryBurst {
		return false
	}
	b.spent++
	return true
}

type onceKey struct{}

// Once has requests sent once only: whoever asks has somebody else to ask.
func Once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

func once(ctx context.Context) bool { return ctx.Value(onceKey{}) != nil }
