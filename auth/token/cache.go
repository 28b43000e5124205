package token

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
)

// shards let callers on other cores not wait for each other.
const shards = 16

// cache remembers what verified tokens proved, by their SHA-256.
type cache struct {
	size   int // of a generation of a shard
	shards [shards]shard
}

// shard has two generations: when the young one is full it becomes the old one, which
// is forgotten. A token that is still used is young again.
type shard struct {
	mu         sync.RWMutex
	young, old map[[sha256.Size]byte]*entry
}

// entry does not change.
type entry struct {
	principal ringwall.Principal
	issued    time.Time
	until     int64 // Unix milliseconds
	issuer    *issuer
	of        *keys // by which it was verified
}

func (c *cache) get(sum [sha256.Size]byte) (*entry, bool) {
	s := &c.shards[sum[0]%shards]
	s.mu.RLock()
	e, ok := s.young[sum]
	var again bool
	if !ok {
		e, again = s.old[sum]
	}
	s.mu.RUnlock()
	if again {
		c.put(sum, e)
	}
	return e, ok || again
}

func (c *cache) put(sum [sha256.Size]byte, e *entry) {
	s := &c.shards[sum[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.young == nil || len(s.young) >= max(1, c.size/2) {
		s.young, s.old = map[[sha256.Size]byte]*entry{}, s.young
	}
	s.young[sum] = e
}

func (c *cache) clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.young, s.old = nil, nil
		s.mu.Unlock()
	}
}
