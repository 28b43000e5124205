package quota

import "time"

// Slots are the parts of a sliding window that leave as a whole.
const Slots = 30

// counter counts one measure of one subject. Its shard's lock guards it.
type counter struct {
	slots  []int64 // a ring of Slots+1, or one of the calendar
	newest int64   // number of the newest slot, since 1970; of the calendar: its start in seconds
	sum    int64
	leases int   // that may still settle
	less   int   // of them, those that got less than they want
	ends   int64 // milliseconds: when all of it is over
	warned int64 // until when no more is warned, in milliseconds
	width  int64 // milliseconds of a slot

	unsaved int64 // of the calendar: what the ledger has not yet
	saving  int64 // what is on its way there

	shared knowledge
	lent   int64  // granted while the shared store was away, which does not know it
	node   string // of the shared store, where lent is due
}

// at brings c to the slot of now and returns the slot. Time never goes back.
func (c *counter) at(now, width int64) int64 {
	if width == 0 {
		return c.newest
	}
	c.width = width
	slot := now / width
	switch {
	case slot <= c.newest:
		return c.newest
	case slot-c.newest > Slots:
		clear(c.slots)
		c.sum = 0
	default:
		for i := c.newest + 1; i <= slot; i++ {
			s := &c.slots[i%(Slots+1)]
			c.sum -= *s
			*s = 0
		}
	}
	c.newest = slot
	return slot
}

// add adds n to a slot, or takes it away where n is less than nothing. A slot that has
// left is nobody's any more: what is added then counts now.
func (c *counter) add(slot, n int64) {
	if c.width != 0 && slot <= c.newest-(Slots+1) {
		if n <= 0 {
			return
		}
		slot = c.newest
	}
	s := &c.slots[0]
	if c.width != 0 {
		s = &c.slots[slot%(Slots+1)]
	}
	n = max(n, -*s)
	*s += n
	c.sum += n
	if c.width == 0 {
		c.unsaved += n
	}
	if c.width != 0 {
		c.ends = max(c.ends, (c.newest+Slots+1)*c.width)
	}
}

// room returns when at least need will have left; ok is false where it never does.
func (c *counter) room(now, need int64) (after time.Duration, ok bool) {
	if c.width == 0 {
		return time.Duration(c.ends-now) * time.Millisecond, true
	}
	for i := c.newest - Slots; i <= c.newest; i++ {
		if i < 0 {
			continue
		}
		if need -= c.slots[i%(Slots+1)]; need <= 0 {
			return time.Duration((i+Slots+1)*c.width-now) * time.Millisecond, true
		}
	}
	return 0, false
}
