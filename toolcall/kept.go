package toolcall

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// kept remembers what was worked out of texts that come again and again: the schemas and
// the pins of tools. It is safe for concurrent use, and drops what was not asked for the
// longest time.
type kept[T any] struct {
	most  int // texts
	bytes int // of them

	mu    sync.Mutex
	by    map[[sha256.Size]byte]*list.Element
	order list.List // the last asked for first
	held  int
}

type entry[T any] struct {
	key  [sha256.Size]byte
	size int
	made T
}

// of returns what make makes of a text of that hash and size. Several may make it at once.
func (k *kept[T]) of(key [sha256.Size]byte, size int, make func() T) T {
	k.mu.Lock()
	if e, ok := k.by[key]; ok {
		k.order.MoveToFront(e)
		k.mu.Unlock()
		return e.Value.(*entry[T]).made //nolint:forcetypeassert // of no other type
	}
	k.mu.Unlock()
	made := make()
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, twice := k.by[key]; twice || size > k.bytes {
		return made
	}
	if k.by == nil {
		k.by = map[[sha256.Size]byte]*list.Element{}
	}
	k.by[key] = k.order.PushFront(&entry[T]{key, size, made})
	k.held += size
	for k.order.Len() > k.most || k.held > k.bytes {
		last := k.order.Back()
		old := last.Value.(*entry[T]) //nolint:forcetypeassert // of no other type
		k.order.Remove(last)
		delete(k.by, old.key)
		k.held -= old.size
	}
	return made
}
