// Package recall keeps for a while what was said in conversations that a later
// request goes on from by the id of an answer.
//
// It is bounded in entries, in bytes and in time, and forgets the oldest first.
// [Memory] is in this process and never written to disk: a gateway that starts anew
// has forgotten it, and clients send the conversation itself. [Store] is in the
// database, sealed, for all gateways that share it.
package recall

import (
	"bytes"
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/ringwall/ringwall/gateway"
)

// Config bounds a Memory. Zero fields mean the defaults.
type Config struct {
	Entries int              // default 10,000
	Bytes   int              // of all that is kept; default 64 MiB
	TTL     time.Duration    // since it was kept; default 24h
	Now     func() time.Time // default time.Now
}

// Memory implements gateway.Memory.
type Memory struct {
	cfg     Config
	mu      sync.Mutex
	entries map[string]*list.Element // by id
	order   list.List                // of *entry, the oldest first
	bytes   int
}

type entry struct {
	owner, id string
	said      gateway.Said
	until     time.Time
}

// overhead is what an entry takes beside its strings, about.
const overhead = 256

func (e *entry) size() int {
	return len(e.owner) + len(e.id) + len(e.said.Asked) + len(e.said.Answer) + overhead
}

// New returns a Memory.
func New(cfg Config) *Memory {
	if cfg.Entries <= 0 {
		cfg.Entries = 10_000
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 64 << 20
	}
	if cfg.TTL <= 0 {
		cfg.TTL = 24 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Memory{cfg: cfg, entries: map[string]*list.Element{}}
}

// Keep implements gateway.Memory. What is another owner's stays theirs, and what is
// longer than all that may be kept is not.
func (m *Memory) Keep(_ context.Context, owner, id string, said gateway.Said) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.cfg.Now()
	m.expire(now)
	e := &entry{owner, id, clone(said), now.Add(m.cfg.TTL)}
	if e.size() > m.cfg.Bytes {
		return
	}
	if old := m.entries[id]; old != nil {
		if o, _ := old.Value.(*entry); o.owner != owner {
			return
		}
		m.drop(old)
	}
	m.entries[id] = m.order.PushBack(e)
	m.bytes += e.size()
	for len(m.entries) > m.cfg.Entries || m.bytes > m.cfg.Bytes {
		m.drop(m.order.Front())
	}
}

// Recall implements gateway.Memory.
func (m *Memory) Recall(_ context.Context, owner, id string) (gateway.Said, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, err := m.find(owner, id)
	if err != nil {
		return gateway.Said{}, err
	}
	e, _ := el.Value.(*entry)
	return clone(e.said), nil
}

// Forget implements gateway.Memory.
func (m *Memory) Forget(_ context.Context, owner, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, err := m.find(owner, id)
	if err == nil {
		m.drop(el)
	}
	return err
}

func (m *Memory) find(owner, id string) (*list.Element, error) {
	m.expire(m.cfg.Now())
	el := m.entries[id]
	if el == nil {
		return nil, gateway.ErrForgotten
	}
	if e, _ := el.Value.(*entry); e.owner != owner {
		return nil, gateway.ErrForeign
	}
	return el, nil
}

func clone(s gateway.Said) gateway.Said {
	return gateway.Said{Asked: bytes.Clone(s.Asked), Answer: bytes.Clone(s.Answer)}
}

func (m *Memory) expire(now time.Time) {
	for el := m.order.Front(); el != nil; el = m.order.Front() {
		if e, _ := el.Value.(*entry); now.Before(e.until) {
			return
		}
		m.drop(el)
	}
}

func (m *Memory) drop(el *list.Element) {
	e, _ := m.order.Remove(el).(*entry)
	delete(m.entries, e.id)
	m.bytes -= e.size()
}

var _ gateway.Memory = (*Memory)(nil)
