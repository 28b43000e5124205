package history

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// MemoryConfig bounds a Memory. Zero fields mean the defaults.
type MemoryConfig struct {
	Entries int              // names under which something is kept; default 100,000
	Bytes   int              // of all that is kept; default 64 MiB
	Now     func() time.Time // default time.Now
}

// Memory is a Store in this process, which forgets the oldest first.
type Memory struct {
	cfg     MemoryConfig
	mu      sync.Mutex
	entries map[Key]*list.Element
	order   list.List // of *kept, the oldest first
	bytes   int
}

type kept struct {
	key    Key
	record []byte
	until  time.Time
}

// overhead is what an entry takes beside its record, about.
const overhead = 192

func (k *kept) size() int { return len(k.record) + overhead }

// NewMemory returns a Memory.
func NewMemory(cfg MemoryConfig) *Memory {
	if cfg.Entries <= 0 {
		cfg.Entries = 100_000
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 64 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Memory{cfg: cfg, entries: map[Key]*list.Element{}}
}

// Find implements Store. It does not fail.
func (m *Memory) Find(_ context.Context, keys []Key) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.cfg.Now()
	for _, k := range keys {
		el := m.entries[k]
		if el == nil {
			continue
		}
		if e, _ := el.Value.(*kept); now.Before(e.until) {
			return e.record, nil
		}
		m.drop(el)
	}
	return nil, nil
}

// Keep implements Store. It does not fail.
func (m *Memory) Keep(_ context.Context, keys []Key, record []byte, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.cfg.Now()
	for _, k := range keys {
		if old := m.entries[k]; old != nil {
			m.drop(old)
		}
		e := &kept{k, record, until}
		m.entries[k] = m.order.PushBack(e)
		m.bytes += e.size()
	}
	for el := m.order.Front(); el != nil; el = m.order.Front() {
		e, _ := el.Value.(*kept)
		if now.Before(e.until) && len(m.entries) <= m.cfg.Entries && m.bytes <= m.cfg.Bytes {
			break
		}
		m.drop(el)
	}
	return nil
}

func (m *Memory) drop(el *list.Element) {
	e, _ := m.order.Remove(el).(*kept)
	delete(m.entries, e.key)
	m.bytes -= e.size()
}

var _ Store = (*Memory)(nil)
