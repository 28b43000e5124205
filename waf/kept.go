package waf

import (
	"sync"
	"time"
)

// kept keeps what was judged. It holds two generations: when the young one is full
// the old one is forgotten. What is asked for again stays.
type kept struct {
	most int // in a generation
	now  func() time.Time

	mu         sync.Mutex
	end        time.Time // when an exception ends, and all is forgotten; zero: never
	young, old map[[32]byte]*Judgement
}

func newKept(most int, end time.Time, now func() time.Time) *kept {
	if most < 0 {
		return nil
	}
	return &kept{most: max(1, most/2), end: end, now: now, young: map[[32]byte]*Judgement{}}
}

// get returns what was judged, nil when nothing was or it is not known any more.
func (k *kept) get(key [32]byte) *Judgement {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.end.IsZero() && !k.now().Before(k.end) {
		clear(k.young)
		k.old, k.end = nil, time.Time{} // put says when the next ends
		return nil
	}
	if j := k.young[key]; j != nil {
		return j
	}
	j := k.old[key]
	if j != nil {
		k.add(key, j)
	}
	return j
}

// put keeps j, which holds until end: the zero time means for good.
func (k *kept) put(key [32]byte, j *Judgement, end time.Time) {
	if k == nil || !end.IsZero() && !k.now().Before(end) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.end.IsZero() || !end.IsZero() && end.Before(k.end) {
		k.end = end
	}
	k.add(key, j)
}

func (k *kept) add(key [32]byte, j *Judgement) {
	if len(k.young) >= k.most {
		k.young, k.old = make(map[[32]byte]*Judgement, k.most), k.young
	}
	k.young[key] = j
}
