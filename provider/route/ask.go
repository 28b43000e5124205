package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/provider"
)

// open asks a provider until it begins to answer. An answer that nobody wants is
// dropped.
type open[T any] func(ctx context.Context, p Provider, call ringwall.Call) (T, error)

// ask returns the beginning of the answer of the first leg that gives one. Done ends
// what it was asked in.
func ask[T any](ctx context.Context, r *Route, call ringwall.Call, open open[T], drop func(T)) (begin T, done func(), err error) {
	a := &asking[T]{r: r, ctx: ctx, call: call, open: open, legs: r.order(), results: make(chan result[T], len(r.legs)), flying: map[*Target]context.CancelCauseFunc{}}
	r.hedges.Asked()
	for a.launch() {
		res, ok := a.first()
		if ok {
			a.end(drop)
			return res.begin, res.done, nil
		}
		if !provider.ReasonOf(a.err).Elsewhere() || ctx.Err() != nil {
			break
		}
	}
	a.end(drop)
	return begin, nil, cmp.Or(a.err, a.skipped)
}

// asking is a request on its way to one of several legs. One goroutine owns it.
type asking[T any] struct {
	r       *Route
	ctx     context.Context
	call    ringwall.Call
	open    open[T]
	legs    []leg // that have not been asked
	results chan result[T]
	wait    sync.WaitGroup
	flying  map[*Target]context.CancelCauseFunc // hedged requests that have not come back
	asked   int                                 // how many are
	err     error                               // why the last that was asked did not answer
	skipped error                               // why another was not asked
	won     bool
}

// result is how a leg answered.
type result[T any] struct {
	leg   leg
	begin T
	done  func()
	err   error
	took  time.Duration
}

// launch asks the next leg, and reports whether there was one.
func (a *asking[T]) launch() bool {
	for len(a.legs) > 0 {
		l := a.legs[0]
		a.legs = a.legs[1:]
		if !l.t.breaker.Enter() {
			a.missed(l, provider.LeftAlone)
			if a.skipped == nil {
				a.skipped = leftAlone(l.t)
			}
			continue
		}
		if a.err != nil {
			a.r.cfg.Observer.Fell(a.r.cfg.Model, provider.ReasonOf(a.err))
		}
		ctx, cancel := context.WithCancelCause(a.ctx)
		call := a.call.For(l.t.cfg.Model)
		call.Asked = nil
		limit := time.Duration(0)
		if others := a.others(); others > 0 {
			limit = a.share(others)
			ctx = provider.Once(ctx)
		}
		a.asked++
		if a.r.cfg.Hedge <= 0 {
			a.results <- a.one(ctx, cancel, l, call, limit)
			return true
		}
		a.flying[l.t] = cancel
		a.wait.Go(func() { a.results <- a.one(ctx, cancel, l, call, limit) })
		return true
	}
	return false
}

// one asks one leg, within a time; 0 is none. A panic is an error.
func (a *asking[T]) one(ctx context.Context, cancel context.CancelCauseFunc, l leg, call ringwall.Call, limit time.Duration) (res result[T]) {
	start := time.Now()
	done := func() { cancel(context.Canceled) }
	defer func() {
		if p := recover(); p != nil {
			res = result[T]{err: fmt.Errorf("asking %s: panic: %v", l.t.cfg.Name, p)}
		}
		res.leg, res.done, res.took = l, done, time.Since(start)
		if res.err != nil {
			done()
		}
	}()
	if limit <= 0 {
		res.begin, res.err = a.open(ctx, l.p, call)
		return res
	}
	late := fmt.Errorf("asking %s: nothing came in %s: %w", l.t.cfg.Name, limit, context.DeadlineExceeded)
	timer := time.AfterFunc(limit, func() { cancel(late) })
	res.begin, res.err = a.open(ctx, l.p, call)
	if !timer.Stop() && res.err != nil && a.ctx.Err() == nil {
		res.err = late
	}
	return res
}

// first waits for the first answer, or until everybody who was asked has failed.
func (a *asking[T]) first() (result[T], bool) {
	var hedge <-chan time.Time
	if a.r.cfg.Hedge > 0 {
		timer := time.NewTicker(a.r.cfg.Hedge)
		defer timer.Stop()
		hedge = timer.C
	}
	for {
		select {
		case res := <-a.results:
			a.asked--
			a.left(res)
			if res.err == nil {
				a.won = true
				if n := a.call.Asked; n != nil {
					n.Provider, n.Model = res.leg.t.cfg.Name, res.leg.t.cfg.Model
				}
				return res, true
			}
			if a.asked == 0 || !provider.ReasonOf(a.err).Elsewhere() {
				return res, false
			}
		case <-hedge:
			if len(a.legs) > 0 && a.r.hedges.Take() && a.launch() {
				a.r.cfg.Observer.Hedged(a.r.cfg.Model)
			}
		}
	}
}

// left takes down how a leg answered.
func (a *asking[T]) left(res result[T]) {
	t, err := res.leg.t, res.err
	delete(a.flying, t)
	if err != nil && (a.won || errors.Is(a.ctx.Err(), context.Canceled)) {
		err = &called{err} // off, by us or by the client
	}
	t.left(err)
	reason := provider.Reason("")
	if err != nil {
		reason = provider.ReasonOf(err)
	}
	a.r.cfg.Observer.Tried(t, reason, res.took)
	if err == nil || a.won {
		return
	}
	a.missed(res.leg, reason)
	if reason == provider.Uncarried {
		a.skipped = cmp.Or(a.skipped, err)
	}
	if reason != provider.Uncarried || a.err == nil {
		a.err = err
	}
}

// called is the error of a call that was called off.
type called struct{ err error }

func (e *called) Error() string        { return e.err.Error() }
func (e *called) Is(target error) bool { return target == context.Canceled }

// missed takes down that a leg did not answer.
func (a *asking[T]) missed(l leg, reason provider.Reason) {
	if n := a.call.Asked; n != nil {
		n.Tries = append(n.Tries, ringwall.Try{Provider: l.t.cfg.Name, Model: l.t.cfg.Model, Reason: string(reason)})
	}
}

// end calls off what is still asked, and waits for it.
func (a *asking[T]) end(drop func(T)) {
	for _, cancel := range a.flying {
		cancel(context.Canceled)
	}
	a.wait.Wait()
	for ; a.asked > 0; a.asked-- {
		res := <-a.results
		a.left(res)
		if res.err == nil {
			drop(res.begin)
			res.done()
		}
	}
}

// others counts the legs that may be asked behind the one that is asked now.
func (a *asking[T]) others() (n int) {
	for _, l := range a.legs {
		if l.t.breaker.Wait() == 0 {
			n++
		}
	}
	return n
}

// share is how long a leg may take when others wait behind it: the time of the
// configuration, and no more than its part of what is left.
func (a *asking[T]) share(others int) time.Duration {
	limit := a.r.cfg.Try
	if end, ok := a.ctx.Deadline(); ok {
		part := max(time.Until(end)/time.Duration(others+1), time.Millisecond)
		if limit <= 0 || part < limit {
			limit = part
		}
	}
	return limit
}

// leftAlone says that a target is not asked for a while.
func leftAlone(t *Target) error {
	return &ringwall.Refusal{
		Status: http.StatusServiceUnavailable, Code: "upstream_unavailable", Public: "The model is not to be had for a moment. Try again soon.",
		After: t.breaker.Wait(), Err: fmt.Errorf("asking %s: it failed too often and is left alone", t.cfg.Name),
	}
}

// order returns the legs in the order in which they are asked: the targets, drawn by
// weight, then the fallbacks.
func (r *Route) order() []leg {
	legs := slices.Clone(r.legs)
	n := 0
	for n < len(legs) && legs[n].weight > 0 {
		n++
	}
	for i := range n - 1 {
		total := 0
		for _, l := range legs[i:n] {
			total += l.weight
		}
		pick := rand.N(total) //nolint:gosec // only spreads the requests
		for j := i; j < n; j++ {
			if pick -= legs[j].weight; pick < 0 {
				legs[i], legs[j] = legs[j], legs[i]
				break
			}
		}
	}
	return legs
}
