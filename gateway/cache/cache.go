// Package cache keeps answers of models in memory, for requests that are asked again
// word for word by the same caller.
//
// A [Cache] has a bound on its bytes and forgets what is old. Its keys hold everything
// that an answer depends on, the caller and the guardrail included, so that nobody
// reads what another asked. Whether an answer may be kept, and that the guard looks at
// it again, is the gateway's business; what of a request makes its answer worth keeping
// is here: see [Cache.Key].
package cache

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Config configures a Cache. Zero fields mean the defaults.
type Config struct {
	Bytes int64         // of all answers together; default 64 MiB
	TTL   time.Duration // default 10m
	// AnyTemperature keeps answers that were drawn by chance, too. Otherwise a request
	// must say that its temperature is 0.
	AnyTemperature bool
}

// Cache is a gateway.Cache. It is safe for concurrent use.
type Cache struct {
	cfg Config

	mu    sync.Mutex
	kept  map[gateway.Key]*list.Element
	order *list.List // of *entry, the last used first
	bytes int64
}

type entry struct {
	key    gateway.Key
	answer gateway.Kept
	until  time.Time
	bytes  int64
}

// New returns an empty Cache.
func New(cfg Config) *Cache {
	if cfg.Bytes <= 0 {
		cfg.Bytes = 64 << 20
	}
	if cfg.TTL <= 0 {
		cfg.TTL = 10 * time.Minute
	}
	return &Cache{cfg: cfg, kept: map[gateway.Key]*list.Element{}, order: list.New()}
}

// share of the cache that one answer may take.
const share = 16

// Most implements gateway.Cache.
func (c *Cache) Most() int64 { return c.cfg.Bytes / share }

// Key implements gateway.Cache: the hash of the caller's tenant and id, the name and
// version of the guardrail, the provider, and all of the call. Ok is false for a
// request whose answer is drawn by chance, unless those are kept.
func (c *Cache) Key(p ringwall.Principal, guardrail, provider string, call ringwall.Call) (key gateway.Key, ok bool) {
	if !c.cfg.AnyTemperature && !certain(call.Body) {
		return key, false
	}
	h := sha256.New()
	for _, s := range []string{p.Tenant, p.ID, p.Via, p.Trust.String(), guardrail, provider, call.API, call.Model, strconv.FormatBool(call.Stream)} {
		write(h, s)
	}
	for _, name := range slices.Sorted(maps.Keys(call.Header)) {
		write(h, name)
		write(h, call.Header[name])
	}
	write(h, string(call.Body))
	h.Sum(key[:0])
	return key, true
}

// write writes s so that two lists of texts have one hash only if they are equal.
func write(h hash.Hash, s string) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	h.Write([]byte(s))
}

// certain reports whether a request says that its temperature is 0, in the way of any
// API.
func certain(body []byte) bool {
	var doc jsonedit.Doc
	if doc.Parse(body, jsonedit.Limits{Bytes: len(body)}) != nil {
		return false
	}
	root := doc.Root()
	for _, in := range []jsonedit.Value{root, root.Get("inferenceConfig"), root.Get("generationConfig")} {
		if in.Kind() != jsonedit.Object {
			continue
		}
		if t := in.Get("temperature"); t.Kind() == jsonedit.Number {
			n, err := strconv.ParseFloat(string(t.Raw()), 64)
			return err == nil && n == 0
		}
	}
	return false
}

// Get implements gateway.Cache.
func (c *Cache) Get(key gateway.Key) (gateway.Kept, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.kept[key]
	if !ok {
		return gateway.Kept{}, false
	}
	e := at.Value.(*entry)
	if time.Now().After(e.until) {
		c.drop(at)
		return gateway.Kept{}, false
	}
	c.order.MoveToFront(at)
	return e.answer, true
}

// overhead is what an entry takes beside the bytes of its answer, and an event of it.
const overhead, perEvent = 256, 24

// Put implements gateway.Cache.
func (c *Cache) Put(key gateway.Key, answer gateway.Kept) {
	e := &entry{key: key, answer: answer, until: time.Now().Add(c.cfg.TTL), bytes: overhead + int64(len(answer.Body))}
	for _, ev := range answer.Events {
		e.bytes += perEvent + int64(len(ev))
	}
	if e.bytes > c.Most() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.kept[key]; ok {
		c.drop(at)
	}
	c.kept[key] = c.order.PushFront(e)
	c.bytes += e.bytes
	for c.bytes > c.cfg.Bytes {
		c.drop(c.order.Back())
	}
}

// Bytes returns how much is kept.
func (c *Cache) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

func (c *Cache) drop(at *list.Element) {
	e := c.order.Remove(at).(*entry)
	delete(c.kept, e.key)
	c.bytes -= e.bytes
}
