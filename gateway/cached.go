package gateway

import (
	"context"
	"crypto/sha256"
	"iter"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/sse"
)

// CacheHeader is the response header that says whether an answer was kept of an
// equal request, hit, or was not, miss. It is not there when none would have been.
const CacheHeader = "X-Ringwall-Cache"

// Key is what an answer is kept under.
type Key [sha256.Size]byte

// Kept is an answer of a provider as it came: whole, or the data of its events.
type Kept struct {
	Body   []byte
	Events [][]byte
}

// Cache keeps answers of providers. Its methods are safe for concurrent use and do
// not wait. What it is given and gives does not change.
type Cache interface {
	// Key returns what the answer to a call is kept under, and whether it is to be.
	Key(p ringwall.Principal, guardrail, provider string, call ringwall.Call) (Key, bool)
	Get(Key) (Kept, bool)
	Put(Key, Kept)
	// Most is how many bytes an answer may have.
	Most() int64
}

// cached returns who is asked: p, or what was kept of its answer to an equal call of
// the same caller. The guard looks at either.
//
// Nothing is kept of a request in which placeholders stand for values: its answer is
// for the conversation alone.
func (x *exchange) cached(p Provider, call ringwall.Call) Provider {
	c := x.world.Cache
	if c == nil || x.restores() {
		return p
	}
	key, ok := c.Key(x.Principal, x.Guardrail, x.Provider, call)
	if !ok {
		return p
	}
	if kept, ok := c.Get(key); ok {
		x.Cached = true
		x.w.Header().Set(CacheHeader, "hit")
		return replay{kept}
	}
	x.w.Header().Set(CacheHeader, "miss")
	x.keeps = &keeping{Provider: p, key: key, most: c.Most()}
	return x.keeps
}

// keep keeps the answer, if nothing was done about it or the request, and if it is
// that of a provider.
func (x *exchange) keep() {
	if k := x.keeps; k != nil && k.whole && x.outcome == ringwall.Answered && x.Verdict.Action > ringwall.Mask && !x.Estimated {
		x.world.Cache.Put(k.key, k.kept)
	}
}

// replay is a Provider of an answer that was kept.
type replay struct{ kept Kept }

// APIs implements Provider.
func (replay) APIs() []string { return nil }

// Models implements Provider.
func (replay) Models(context.Context) ([]string, error) { return nil, nil }

// Complete implements Provider.
func (k replay) Complete(context.Context, ringwall.Call) ([]byte, error) {
	return slices.Clone(k.kept.Body), nil
}

// Events implements Provider.
func (k replay) Events(ctx context.Context, _ ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		for i, data := range k.kept.Events {
			if ctx.Err() != nil {
				yield(sse.Event{}, ctx.Err())
				return
			}
			if !yield(sse.Event{Data: slices.Clone(data), More: i+1 < len(k.kept.Events)}, nil) {
				return
			}
		}
	}
}

// keeping is a Provider that remembers what it answers.
type keeping struct {
	Provider
	key   Key
	most  int64
	kept  Kept
	whole bool // all of it was remembered
}

// Complete implements Provider.
func (k *keeping) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	body, err := k.Provider.Complete(ctx, call)
	if err == nil && int64(len(body)) <= k.most {
		k.kept.Body, k.whole = slices.Clone(body), true
	}
	return body, err
}

// Events implements Provider.
func (k *keeping) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		var bytes int64
		for ev, err := range k.Provider.Events(ctx, call) {
			if bytes += int64(len(ev.Data)); bytes <= k.most {
				k.kept.Events = append(k.kept.Events, slices.Clone(ev.Data))
			}
			if !yield(ev, err) || err != nil {
				k.kept.Events = nil
				return
			}
		}
		k.whole = bytes <= k.most
	}
}
