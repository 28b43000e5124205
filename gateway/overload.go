package gateway

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/admit"
)

// enter gives x a slot, before anybody is asked who calls: by what was known of the
// credential when it was last seen, else by the address.
func (x *exchange) enter() error {
	class, flow := admit.Class(0), x.g.flowOf(ringwall.ClientOf(x.r.Context()).Addr)
	if shown, err := x.d.Credential(x.r); err == nil && shown != "" && shown != nobody {
		x.hint = maphash.String(x.g.hints.seed, shown)
		if c, f, ok := x.g.hints.find(x.hint); ok {
			class, flow = c, f
		}
	}
	if err := x.g.gate.Enter(&x.ticket, class, flow); err != nil {
		var s *admit.Shed
		if errors.As(err, &s) && (s.Reason == admit.Queue || s.Reason == admit.Share) {
			x.g.gate.Pen(x.r.Context())
		}
		return overloaded(err)
	}
	return nil
}

// work waits until x may use the processor, as whoever was found to call.
func (x *exchange) work(ctx context.Context) error {
	class, flow := admit.Class(x.Principal.Trust), x.ticketFlow()
	if x.hint != 0 && x.Principal.Via != "" {
		x.g.hints.keep(x.hint, class, flow)
	}
	if err := x.g.gate.Work(ctx, &x.ticket, class, flow); err != nil {
		return overloaded(err)
	}
	return nil
}

// ticketFlow is on whose behalf x is made: one tenant, else one principal, else one
// address.
func (x *exchange) ticketFlow() admit.Flow {
	switch p := &x.Principal; {
	case p.Tenant != "":
		return x.g.gate.Flow('t', p.Tenant)
	case p.ID != "":
		return x.g.gate.Flow('p', p.ID)
	}
	return x.g.flowOf(ringwall.ClientOf(x.r.Context()).Addr)
}

// flowOf is the flow of an address; IPv6 ones count by their /64.
func (g *Gateway) flowOf(a netip.Addr) admit.Flow {
	b := a.As16()
	if a.Is6() {
		return g.gate.FlowOf('6', b[:8])
	}
	return g.gate.FlowOf('4', b[:])
}

// hold counts bytes of the request that are kept.
func (x *exchange) hold(n int) error {
	if err := x.ticket.Hold(int64(n)); err != nil {
		return overloaded(err)
	}
	return nil
}

// holdAnswer counts bytes of the answer that are kept.
func (x *exchange) holdAnswer(n int64) error {
	if err := x.g.gate.Answer(&x.ticket, n); err != nil {
		return overloaded(err)
	}
	return nil
}

// overloaded is the refusal of a request that was turned away. When to come again is
// drawn, so that not all come at once.
func overloaded(err error) error {
	if !errors.Is(err, admit.ErrShed) {
		return err
	}
	return &ringwall.Refusal{
		Status: http.StatusServiceUnavailable, Code: "overloaded", Public: "Too many requests are being served. Try again soon.",
		Err: err, After: time.Second + rand.N(2*time.Second), //nolint:gosec // nobody gains by guessing it
	}
}

// hints remember as who credentials were let in last, so that under load the known
// need not stand behind those who only claim to be somebody. They give a place in the
// queue and no right; a wrong one costs a place.
type hints struct {
	seed  maphash.Seed
	slots [4096]struct{ who, flow atomic.Uint64 }
}

func newHints() *hints { return &hints{seed: maphash.MakeSeed()} }

// classBits are those of a word in which the class stands, beside a hash.
const classBits = 7

func (h *hints) find(hash uint64) (admit.Class, admit.Flow, bool) {
	s := &h.slots[hash%uint64(len(h.slots))]
	who, flow := s.who.Load(), s.flow.Load()
	if who == 0 || who&^classBits != hash&^classBits {
		return 0, 0, false
	}
	return min(admit.Class(who&classBits), admit.Classes-1), admit.Flow(flow), true
}

func (h *hints) keep(hash uint64, c admit.Class, f admit.Flow) {
	s := &h.slots[hash%uint64(len(h.slots))]
	if who := hash&^classBits | uint64(c); s.who.Load() != who || s.flow.Load() != uint64(f) {
		s.flow.Store(uint64(f))
		s.who.Store(who)
	}
}

// sheds bounds how many requests that were turned away are recorded: a flood must not
// fill the disk. All are counted.
type sheds struct {
	second  atomic.Int64
	noted   atomic.Int64 // in it
	skipped atomic.Int64 // since the last that was noted
}

// shedRecords is how many are recorded in a second.
const shedRecords = 20

// note reports whether one more is recorded, and how many before it were not.
func (s *sheds) note(now time.Time) (ok bool, skipped int64) {
	if at := now.Unix(); s.second.Swap(at) != at {
		s.noted.Store(0)
	}
	if s.noted.Add(1) > shedRecords {
		s.skipped.Add(1)
		return false, 0
	}
	return true, s.skipped.Swap(0)
}

// unrecorded reports whether x was turned away before any work, in a flood of which
// enough is in the records.
func (x *exchange) unrecorded() bool {
	if x.outcome != ringwall.Overloaded || x.promised {
		return false
	}
	ok, skipped := x.g.sheds.note(x.g.cfg.Now())
	if skipped > 0 {
		x.detail = fmt.Sprintf("%s; %d more before it are not in the records", x.detail, skipped)
	}
	return !ok
}
