package judge

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
)

type key = [sha256.Size]byte

// cache keeps answers for a while, the last ones that were asked for, and has
// those who ask for the same at once wait for one call. Failures are not kept.
type cache struct {
	most int
	ttl  time.Duration

	ctx    context.Context // of all calls
	cancel context.CancelCauseFunc
	calls  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	known   map[key]*list.Element // of *entry
	order   list.List             // the last asked for first
	flights map[key]*flight
}

type entry struct {
	key   key
	fs    []ringwall.Finding
	until time.Time
}

// flight is a call that somebody waits for.
type flight struct {
	done    chan struct{}
	cancel  context.CancelCauseFunc
	waiting int
	fs      []ringwall.Finding
	err     error
}

var errClosed = errors.New("the judge is closed")

func newCache(most int, ttl time.Duration) *cache {
	c := &cache{most: most, ttl: ttl, known: map[key]*list.Element{}, flights: map[key]*flight{}}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	return c
}

// do returns what is known under k, or else what f says, which is called once
// for all who ask meanwhile. The call ends when nobody waits for it any more.
func (c *cache) do(ctx context.Context, k key, f func(context.Context) ([]ringwall.Finding, error)) (fs []ringwall.Finding, known bool, err error) {
	if ctx.Err() != nil {
		return nil, false, context.Cause(ctx)
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, false, &Error{Gone, errClosed}
	}
	if fs, ok := c.find(k); ok {
		c.mu.Unlock()
		return slices.Clone(fs), true, nil
	}
	fl, ok := c.flights[k]
	if !ok {
		fl = c.start(k, f)
	}
	fl.waiting++
	c.mu.Unlock()

	select {
	case <-fl.done:
		return slices.Clone(fl.fs), false, fl.err
	case <-ctx.Done():
		cause := context.Cause(ctx)
		c.mu.Lock()
		if fl.waiting--; fl.waiting == 0 {
			fl.cancel(cause)
			if c.flights[k] == fl {
				delete(c.flights, k) // who comes now does not join what was called off
			}
		}
		c.mu.Unlock()
		return nil, false, cause
	}
}

// start begins a call; c.mu is held.
func (c *cache) start(k key, f func(context.Context) ([]ringwall.Finding, error)) *flight {
	ctx, cancel := context.WithCancelCause(c.ctx)
	fl := &flight{done: make(chan struct{}), cancel: cancel}
	c.flights[k] = fl
	c.calls.Go(func() {
		defer cancel(nil)
		fs, err := f(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		fl.fs, fl.err = fs, err
		if c.flights[k] == fl {
			delete(c.flights, k)
		}
		if err == nil {
			c.keep(k, fs)
		}
		close(fl.done)
	})
	return fl
}

// find looks for a fresh entry; c.mu is held.
func (c *cache) find(k key) ([]ringwall.Finding, bool) {
	at, ok := c.known[k]
	if !ok {
		return nil, false
	}
	e := at.Value.(*entry)
	if !time.Now().Before(e.until) {
		c.order.Remove(at)
		delete(c.known, k)
		return nil, false
	}
	c.order.MoveToFront(at)
	return e.fs, true
}

// keep enters an answer, and drops the one that was not asked for the longest;
// c.mu is held.
func (c *cache) keep(k key, fs []ringwall.Finding) {
	if c.ttl < 0 || c.most <= 0 {
		return
	}
	if at, ok := c.known[k]; ok {
		c.order.Remove(at)
	}
	c.known[k] = c.order.PushFront(&entry{k, slices.Clone(fs), time.Now().Add(c.ttl)})
	for c.order.Len() > c.most {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.known, last.Value.(*entry).key)
	}
}

// close ends all calls and waits for them.
func (c *cache) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel(errClosed)
	c.calls.Wait()
}
