package ban

import (
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
)

// table are bans in memory, found by what they are about. An address is looked for
// under each length that networks in the table have. It is safe for concurrent use.
type table struct {
	mu      sync.RWMutex
	bans    map[Subject]*Ban
	nets    map[netip.Prefix]*Ban
	lengths [2][]lengthUse // of IPv4, of IPv6
	others  int            // bans that are about no address
	filled  atomic.Bool    // so that an empty one costs nothing
}

// lengthUse is how many networks of a length there are.
type lengthUse struct{ bits, n int }

func newTable() *table { return &table{bans: map[Subject]*Ban{}, nets: map[netip.Prefix]*Ban{}} }

// replace makes all what the table holds.
func (t *table) replace(all []Ban) {
	fresh := newTable()
	for i := range all {
		fresh.set(&all[i])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bans, t.nets, t.lengths, t.others = fresh.bans, fresh.nets, fresh.lengths, fresh.others
	t.filled.Store(len(t.bans) > 0)
}

// put takes b in, in the place of one of its subject.
func (t *table) put(b Ban) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(&b)
	t.filled.Store(true)
}

func (t *table) set(b *Ban) {
	_, known := t.bans[b.Subject]
	t.bans[b.Subject] = b
	if b.Subject.Scope != Address {
		if !known {
			t.others++
		}
		return
	}
	p, err := netip.ParsePrefix(b.Subject.Value)
	if err != nil {
		return // of a row that somebody else wrote
	}
	t.nets[p] = b
	if !known {
		t.count(p, 1)
	}
}

func (t *table) count(p netip.Prefix, n int) {
	ls := &t.lengths[family(p.Addr())]
	i := slices.IndexFunc(*ls, func(l lengthUse) bool { return l.bits == p.Bits() })
	if i < 0 {
		*ls = append(*ls, lengthUse{bits: p.Bits()})
		i = len(*ls) - 1
	}
	if (*ls)[i].n += n; (*ls)[i].n == 0 {
		*ls = slices.Delete(*ls, i, i+1)
	}
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// remove takes the ban of a subject out and returns it.
func (t *table) remove(s Subject) (Ban, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.bans[s]
	if !ok {
		return Ban{}, false
	}
	delete(t.bans, s)
	if p, err := netip.ParsePrefix(s.Value); s.Scope == Address && err == nil {
		delete(t.nets, p)
		t.count(p, -1)
	} else if s.Scope != Address {
		t.others--
	}
	t.filled.Store(len(t.bans) > 0)
	return *b, true
}

// client returns the ban of a client that holds: of its address, its country or its
// autonomous system.
func (t *table) client(c ringwall.Client, now time.Time) (Ban, bool) {
	if !t.filled.Load() {
		return Ban{}, false
	}
	a := c.Addr.Unmap().WithZone("")
	t.mu.RLock()
	defer t.mu.RUnlock()
	if a.IsValid() {
		for _, l := range t.lengths[family(a)] {
			p, err := a.Prefix(l.bits)
			if err != nil {
				continue
			}
			if b, ok := t.nets[p]; ok && b.active(now) {
				return *b, true
			}
		}
	}
	if t.others == 0 {
		return Ban{}, false
	}
	if b, ok := t.bans[Subject{Country, c.Country}]; ok && b.active(now) {
		return *b, true
	}
	if c.ASN != 0 {
		if b, ok := t.bans[Subject{AS, strconv.FormatUint(uint64(c.ASN), 10)}]; ok && b.active(now) {
			return *b, true
		}
	}
	return Ban{}, false
}

// get returns the ban of exactly that subject, whether it holds or not.
func (t *table) get(s Subject) (Ban, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	b, ok := t.bans[s]
	if !ok {
		return Ban{}, false
	}
	return *b, true
}

// all returns the bans, in order.
func (t *table) all() []Ban {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]Ban, 0, len(t.bans))
	for _, b := range t.bans {
		out = append(out, *b)
	}
	slices.SortFunc(out, compare)
	return out
}

func (t *table) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.bans)
}

// purge takes out what ended before a time.
func (t *table) purge(before time.Time) {
	for _, b := range t.all() {
		if !b.active(before) {
			t.remove(b.Subject)
		}
	}
}
