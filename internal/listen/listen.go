// Package listen bounds what the network can make a server hold: connections in all
// and of one address, how fast an address may open them, how many it may keep unused,
// and how much may come over one that asks for nothing.
//
// A [Listener] stands before TLS and before any goroutine of a connection: what is too
// much is closed in Accept and costs one accept and one close. Where an address has as
// many connections as it may, its oldest quiet one makes room, that is one on which no
// request is under way; so somebody who opens thousands and sends a byte now and then
// closes their own. An address is an IPv4 address, or the /64 of an IPv6 one, which is
// the least that one customer of a network has.
//
// What a connection does is told by the server: give [Listener.State] to
// http.Server.ConnState and [Listener.Context] to ConnContext. Requests, bodies and
// answers are left to others. Start reading at [New].
package listen

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Config says what is too much. A zero field bounds nothing.
type Config struct {
	Max     int            // connections in all
	Address int            // of one address
	Idle    int            // of one address on which nothing is asked
	Rate    int            // new ones a second of one address; twice as many at once
	Exempt  []netip.Prefix // from which connections are not bounded and not counted
}

// Reason is why a connection was closed.
type Reason string

// Reasons.
const (
	Total   Reason = "total"   // there are too many in all
	Address Reason = "address" // of one address
	Rate    Reason = "rate"    // an address opens them too fast
	Idle    Reason = "idle"    // an address has too many that ask for nothing
	Noise   Reason = "noise"   // much came over it, and no request
	Resets  Reason = "resets"  // its requests are given up as fast as they are sent
)

// Reasons are all reasons there are.
var Reasons = []string{string(Total), string(Address), string(Rate), string(Idle), string(Noise), string(Resets)}

const (
	// young is for how long a connection that has asked nothing yet is not closed to
	// make room.
	young = 2 * time.Second
	// manyAddresses bounds those that are remembered though they have no connection,
	// for how fast they opened some.
	manyAddresses = 1 << 16
)

// Listener bounds the connections of another one. It is safe for concurrent use.
type Listener struct {
	net.Listener
	closed func(Reason)

	mu        sync.Mutex
	cfg       Config
	open      int
	addresses map[netip.Addr]*address
	quiet     list // of all addresses, the longest so first
}

// address is who connects.
type address struct {
	addr   netip.Addr
	open   int
	idle   int // of the quiet ones, those that have asked before
	quiet  list
	tokens float64
	filled time.Time
}

// New returns a Listener before inner. Closed, which may be nil and must not wait, is
// told of each connection that is refused or closed.
func New(inner net.Listener, cfg Config, closed func(Reason)) *Listener {
	if closed == nil {
		closed = func(Reason) {}
	}
	return &Listener{Listener: inner, cfg: cfg, closed: closed, addresses: map[netip.Addr]*address{}, quiet: list{at: all}}
}

// Set makes cfg bound what comes from now on; what is open stays so.
func (l *Listener) Set(cfg Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg = cfg
}

// Open returns how many connections are counted, and of how many addresses.
func (l *Listener) Open() (connections, addresses int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.addresses {
		if a.open > 0 {
			addresses++
		}
	}
	return l.open, addresses
}

// Accept returns the next connection that is not too much.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, victim, why := l.take(raw, time.Now())
		if victim != nil {
			l.closed(why)
			victim.Conn.Close()
		}
		if c != nil {
			return c, nil
		}
		if victim == nil {
			l.closed(why)
		}
		if t, ok := raw.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // keep nothing of it, not even a port that waits
		}
		raw.Close()
	}
}

// take counts a new connection. Without one it is refused; a victim makes room.
func (l *Listener) take(raw net.Conn, now time.Time) (c, victim *Conn, why Reason) {
	c = &Conn{Conn: raw, l: l}
	from := addressOf(raw.RemoteAddr())
	l.mu.Lock()
	defer l.mu.Unlock()
	if !from.IsValid() || slices.ContainsFunc(l.cfg.Exempt, func(p netip.Prefix) bool { return p.Contains(from) }) {
		return c, nil, ""
	}
	from = group(from)
	a := l.addresses[from]
	if a == nil {
		a = l.meet(from, now)
	}
	if !a.pay(float64(l.cfg.Rate), now) {
		return nil, nil, Rate
	}
	if l.cfg.Address > 0 && a.open >= l.cfg.Address {
		if victim = a.quiet.oldest(now); victim == nil {
			return nil, nil, Address
		}
		why = Address
	} else if l.cfg.Max > 0 && l.open >= l.cfg.Max {
		if victim = a.quiet.oldest(now); victim == nil {
			victim = l.quiet.oldest(now)
		}
		if victim == nil {
			return nil, nil, Total
		}
		why = Total
	}
	if victim != nil {
		l.forget(victim)
	}
	c.from = a
	a.open++
	l.open++
	c.rest(now)
	return c, victim, why
}

// meet takes down an address that has no connection.
func (l *Listener) meet(from netip.Addr, now time.Time) *address {
	if len(l.addresses) >= manyAddresses {
		for k, a := range l.addresses {
			if a.open == 0 {
				delete(l.addresses, k)
			}
		}
	}
	a := &address{addr: from, quiet: list{at: own}, tokens: float64(2 * l.cfg.Rate), filled: now}
	l.addresses[from] = a
	return a
}

// pay reports whether an address may open one more connection now, at that rate.
func (a *address) pay(rate float64, now time.Time) bool {
	if rate <= 0 {
		return true
	}
	a.tokens = min(2*rate, a.tokens+now.Sub(a.filled).Seconds()*rate)
	a.filled = now
	if a.tokens < 1 {
		return false
	}
	a.tokens--
	return true
}

// forget takes c out of all that is counted. The caller holds mu.
func (l *Listener) forget(c *Conn) {
	if c.from == nil || c.gone {
		return
	}
	c.gone = true
	c.wake()
	l.open--
	c.from.open--
	if c.from.open == 0 && (l.cfg.Rate <= 0 || len(l.addresses) > manyAddresses/2) {
		delete(l.addresses, c.from.addr)
	}
}

// State is told what a connection does: it is for http.Server.ConnState.
func (l *Listener) State(nc net.Conn, s http.ConnState) {
	c := unwrap(nc)
	if c == nil || c.from == nil || s == http.StateNew {
		return
	}
	var victim *Conn
	now := time.Now()
	l.mu.Lock()
	switch {
	case c.gone:
	case s == http.StateActive:
		c.wake()
	case s == http.StateIdle && !c.isQuiet:
		c.asked = true
		c.rest(now)
		if l.cfg.Idle > 0 && c.from.idle > l.cfg.Idle {
			victim = c.from.quiet.oldest(now)
		}
		if victim != nil {
			l.forget(victim)
		}
	case s == http.StateClosed || s == http.StateHijacked:
		l.forget(c)
	}
	l.mu.Unlock()
	if victim != nil {
		l.closed(Idle)
		victim.Conn.Close()
	}
}

// addressOf is the address of a peer; it is not valid where there is none.
func addressOf(a net.Addr) netip.Addr {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return t.AddrPort().Addr().Unmap()
}

// group is what addresses are counted by: IPv6 ones by their /64.
func group(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}
