package quota

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/circuit"
	"github.com/ringwall/ringwall/internal/valkey"
)

// Shared keeps counters in Valkey or Redis, for several replicas. It serves one Quota.
//
// In a cluster the counters of a claim are on one node: those of a tenant, when each
// limit is of one tenant's subjects; else all of them.
type Shared struct {
	Client *valkey.Client
	// Local is the share of what is left of each limit, as far as this replica knows,
	// that it grants by itself while the server is away: one part of as many as there
	// are replicas. 0: requests are refused.
	Local float64
	Tell  func(circuit.State) // is told when the server goes and comes; nil: nobody is

	breaker circuit.Breaker
	memory  *memory
	lease   time.Duration
	log     *slog.Logger
	epoch   atomic.Pointer[string]
	offset  atomic.Int64 // of the server's clock from ours, in milliseconds

	mu     sync.Mutex
	debts  []debt
	lost   int // debts that there was no place for
	single sync.Mutex
}

// Names of keys. What stands in braces says on which node of a cluster a key is.
const (
	tag     = "{rw-quota"
	leaseID = ":lease:"
)

const (
	failures    = 3           // in a row, after which the server is away
	pause       = time.Second // until it is tried again
	mostDebts   = 1 << 16
	debtsAtOnce = 2000 // that are handed on at a time
)

func (s *Shared) begin(m *memory, cfg Config) {
	s.memory, s.lease, s.log = m, cfg.Lease, cfg.Log
	m.lends = true
	none := ""
	s.epoch.Store(&none)
	s.breaker.Most, s.breaker.Pause = failures, pause
	s.breaker.Tell = func(to circuit.State) {
		switch to {
		case circuit.Open:
			s.log.Warn("the shared store of quotas is away", "local_share", s.Local)
		case circuit.HalfOpen:
		case circuit.Closed:
			s.log.Info("the shared store of quotas is back")
		}
		if s.Tell != nil {
			s.Tell(to)
		}
	}
}

// State returns whether the server is away.
func (s *Shared) State() circuit.State { return s.breaker.State() }

// node is the part of the keys of a claim that says where they are.
func (l *Lease) node() string {
	if !l.plan.spread || len(l.parts) == 0 {
		return tag + "}"
	}
	return tag + ":" + l.tenant + "}"
}

func newID() string {
	var b [12]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// take implements store.
func (s *Shared) take(ctx context.Context, l *Lease, want, least int64) (int64, error) {
	l.id = newID()
	if s.breaker.Enter() {
		granted, err := s.ask(ctx, l, want, min(least, want), true)
		var full *Exceeded
		switch {
		case err == nil, errors.As(err, &full):
			s.breaker.Leave(circuit.Answered)
			l.remote = err == nil
			return granted, err
		case ctx.Err() != nil:
			s.breaker.Leave(circuit.Unasked)
			s.owe(s.undo(l))
			return 0, ctx.Err()
		}
		s.breaker.Leave(circuit.Failed)
		s.owe(s.undo(l)) // it may have been done
		s.log.Debug("the shared store of quotas gave no answer", "error", err)
	}
	if s.Local <= 0 {
		return 0, fmt.Errorf("%w: the shared store of quotas is away", ringwall.ErrUnavailable)
	}
	s.scale(l)
	return s.memory.take(ctx, l, want, least)
}

// scale leaves of each limit the share that is this replica's.
func (s *Shared) scale(l *Lease) {
	now := s.memory.clock.slide()
	l.date(s.memory.clock.wall())
	for i := range l.parts {
		p := &l.parts[i]
		known, _ := s.memory.known(l, p, now)
		p.most = int64(s.Local * float64(max(0, p.l.Most-known)))
	}
}

// ask runs takeScript.
func (s *Shared) ask(ctx context.Context, l *Lease, want, least int64, fixed bool) (int64, error) {
	for range 4 { // the epoch, the clock, and both again
		epoch := *s.epoch.Load()
		if fixed {
			l.date(s.memory.clock.wall().Add(time.Duration(s.offset.Load()) * time.Millisecond))
		}
		now := s.memory.clock.slide()
		keys := make([]string, 0, 2+len(l.parts))
		node := l.node()
		keys = append(keys, node+":epoch", node+leaseID+l.id)
		args := make([]string, 0, 7+8*len(l.parts))
		lent := s.memory.lentTo(l, now)
		args = append(args, epoch, newID(), number(s.lease.Milliseconds()), number(want), number(least), flag(fixed), number(Slots))
		for i := range l.parts {
			p := &l.parts[i]
			keys = append(keys, node+":"+string(l.key(p)))
			floor, of := s.memory.known(l, p, now)
			if of == epoch {
				floor = -1
			}
			args = append(args, number(p.l.slot), number(p.starts), number(p.ends), number(p.l.Most), number(p.fixed), number(p.unit), number(floor), number(lent[i]))
		}
		m, err := s.Client.Run(ctx, takeScript, keys, args)
		if err != nil {
			s.memory.owes(l, lent, now) // it may have been told: then it counts twice
			return 0, err
		}
		answer, err := m.ToArray()
		if err != nil || len(answer) < 2 {
			return 0, fmt.Errorf("%w: the answer to a claim cannot be read", valkey.ErrAway)
		}
		what, _ := answer[0].ToString()
		if what != "ok" && what != "no" {
			s.memory.owes(l, lent, now)
		}
		numbers := ints(answer[1:])
		switch {
		case what == "epoch" && len(answer) == 3:
			is, _ := answer[2].ToString()
			s.epoch.CompareAndSwap(s.epoch.Load(), &is)
		case what == "clock":
			s.offset.Store(numbers[0] - s.memory.clock.wall().UnixMilli())
		case what == "no" && len(numbers) == 4+2*len(l.parts) && numbers[1] >= 1 && numbers[1] <= int64(len(l.parts)):
			for i := range l.parts {
				p := &l.parts[i]
				p.used, p.reset = numbers[4+2*i], numbers[5+2*i]
				s.memory.learn(l, p, now, epoch)
			}
			p := &l.parts[numbers[1]-1]
			return 0, &Exceeded{Limit: &p.l.Limit, Own: p.l.own, After: time.Duration(max(0, numbers[2])) * time.Millisecond, Never: numbers[3] == 1}
		case what == "ok" && len(numbers) == 2+3*len(l.parts):
			for i := range l.parts {
				p, of := &l.parts[i], numbers[2+3*i:]
				amount := p.unit * numbers[1]
				if fixed {
					amount += p.fixed
				}
				p.took(of[0], amount)
				p.used, p.reset = of[1], of[2]
				s.memory.learn(l, p, now, epoch)
			}
			return numbers[1], nil
		default:
			return 0, fmt.Errorf("%w: the answer to a claim cannot be read", valkey.ErrAway)
		}
	}
	return 0, fmt.Errorf("%w: its clock or its data change with every question", valkey.ErrAway)
}

// grow implements store.
func (s *Shared) grow(ctx context.Context, l *Lease, n int64) int64 {
	if !l.remote {
		return s.memory.grow(ctx, l, n)
	}
	if s.breaker.Enter() {
		granted, err := s.ask(ctx, l, n, 1, false)
		var full *Exceeded
		switch {
		case err == nil, errors.As(err, &full):
			s.breaker.Leave(circuit.Answered)
			return granted
		case ctx.Err() != nil:
			s.breaker.Leave(circuit.Unasked)
			return 0
		}
		s.breaker.Leave(circuit.Failed)
	}
	if s.Local <= 0 {
		return 0
	}
	s.scale(l)
	return s.memory.lend(l, n)
}

// settle implements store.
func (s *Shared) settle(ctx context.Context, l *Lease, u *Used) {
	if !l.remote {
		s.memory.settle(ctx, l, u)
		return
	}
	if d := s.debt(l, u); !s.pay(ctx, &d) {
		s.owe(d)
	}
}

// pay runs settleScript, and reports whether it was done.
func (s *Shared) pay(ctx context.Context, d *debt) bool {
	if !s.breaker.Enter() {
		return false
	}
	_, err := s.Client.Run(ctx, settleScript, d.keys, d.args)
	switch {
	case err == nil:
		s.breaker.Leave(circuit.Answered)
	case ctx.Err() != nil:
		s.breaker.Leave(circuit.Unasked)
	default:
		s.breaker.Leave(circuit.Failed)
	}
	return err == nil
}

// debt is a settlement that is to be handed on.
type debt struct{ keys, args []string }

// debt is what l owes the server.
func (s *Shared) debt(l *Lease, u *Used) debt {
	d := s.blank(l, false)
	for i := range l.parts {
		p := &l.parts[i]
		back, backLater, beyond := p.owed(p.l.value(u))
		d.args = append(d.args, number(p.l.slot), number(p.ends), number(p.slot), number(back), number(p.later), number(backLater), number(beyond), "0", "0")
	}
	return d
}

// undo is the end of a lease of which nobody knows whether it began.
func (s *Shared) undo(l *Lease) debt {
	d := s.blank(l, true)
	for i := range l.parts {
		p := &l.parts[i]
		d.args = append(d.args, number(p.l.slot), number(p.ends), "0", "0", "0", "0", "0", number(p.fixed), number(p.unit))
	}
	return d
}

func (s *Shared) blank(l *Lease, undo bool) debt {
	node := l.node()
	d := debt{keys: make([]string, 0, 1+len(l.parts)), args: make([]string, 0, 2+9*len(l.parts))}
	d.keys = append(d.keys, node+leaseID+l.id)
	d.args = append(d.args, number(Slots), flag(undo))
	for i := range l.parts {
		d.keys = append(d.keys, node+":"+string(l.key(&l.parts[i])))
	}
	return d
}

// owe keeps a debt until the server is back.
func (s *Shared) owe(d debt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.debts) >= mostDebts {
		s.lost++
		return
	}
	s.debts = append(s.debts, d)
}

// Owed returns how many settlements and counters wait for the server to be told, and how
// many settlements were dropped because too many did.
func (s *Shared) Owed() (waiting, dropped int) {
	waiting = s.memory.lentTotal()
	s.mu.Lock()
	defer s.mu.Unlock()
	return waiting + len(s.debts), s.lost
}

// handOn pays debts until the server is away.
func (s *Shared) handOn(ctx context.Context) {
	s.single.Lock()
	defer s.single.Unlock()
	s.memory.handOn(func(d *due) bool {
		return s.pay(ctx, &debt{
			keys: []string{d.node + leaseID + "none", d.node + ":" + d.key},
			args: []string{number(Slots), "0", number(d.width), number(d.ends), "0", "0", "0", "0", number(d.n), "0", "0"},
		})
	})
	for range debtsAtOnce {
		s.mu.Lock()
		if len(s.debts) == 0 {
			s.debts = nil
			s.mu.Unlock()
			return
		}
		d := s.debts[0]
		s.mu.Unlock()
		if !s.pay(ctx, &d) {
			return
		}
		s.mu.Lock()
		s.debts = s.debts[1:]
		s.mu.Unlock()
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func ints(list []rueidis.RedisMessage) []int64 {
	out := make([]int64, len(list))
	for i := range list {
		out[i], _ = list[i].AsInt64() // 0 of what is no number, which no caller uses
	}
	return out
}
