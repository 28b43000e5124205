package address

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// prefaceTime is how long a proxy may take to send its header.
const prefaceTime = 5 * time.Second

// Listener is a listener behind proxies, or before addresses that get no answer.
type Listener struct {
	net.Listener
	// Preface has each connection begin with a header of the PROXY protocol, version 1
	// or 2, from a trusted proxy. Connections of others are closed.
	Preface bool
	// Trusted reports whether an address is that of a trusted proxy.
	Trusted func(netip.Addr) bool
	// Drop reports whether connections from an address are closed at once; nil: none
	// are. Trusted proxies are not asked about.
	Drop func(netip.Addr) bool
	Log  *slog.Logger  // default: silent
	Time time.Duration // for the header; default 5s
}

var errUntrusted = errors.New("it comes from no trusted proxy")

// Accept waits for a connection that may be served. Headers are read by who reads
// the connection, so that a slow proxy holds up nobody else.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := addrOf(c.RemoteAddr())
		trusted := l.Trusted(peer)
		switch {
		case l.Preface && !trusted:
			l.say(peer, errUntrusted)
			abort(c)
		case l.Drop != nil && !trusted && l.Drop(peer):
			abort(c)
		case l.Preface:
			return &conn{Conn: c, l: l}, nil
		default:
			return c, nil
		}
	}
}

func (l *Listener) say(peer netip.Addr, err error) {
	if l.Log != nil {
		l.Log.Debug("a connection is closed: PROXY protocol", "address", peer.String(), "reason", err.Error())
	}
}

// abort closes c without a farewell, so that no state of it is kept.
func abort(c net.Conn) {
	within := c
	for {
		w, ok := within.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		within = w.NetConn()
	}
	if t, ok := within.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return plain(t.AddrPort().Addr())
	}
	at, _ := netip.ParseAddrPort(a.String())
	return plain(at.Addr())
}

// conn is a connection of a trusted proxy. Its header is read when somebody wants
// to know the address, or to read.
type conn struct {
	net.Conn
	l    *Listener
	once sync.Once
	read *bufio.Reader // what came behind the header
	from net.Addr      // nil: the proxy's own
	err  error
}

func (c *conn) preface() {
	c.once.Do(func() {
		limit := c.l.Time
		if limit <= 0 {
			limit = prefaceTime
		}
		_ = c.SetReadDeadline(time.Now().Add(limit))
		c.read = bufio.NewReaderSize(c.Conn, maxV2)
		at, err := readPreface(c.read)
		if err == nil && at.IsValid() {
			c.from = net.TCPAddrFromAddrPort(at)
			if a := plain(at.Addr()); c.l.Drop != nil && !c.l.Trusted(a) && c.l.Drop(a) {
				err = errDropped
			}
		}
		if err != nil {
			peer := addrOf(c.Conn.RemoteAddr())
			c.err = fmt.Errorf("reading the header of the PROXY protocol from %s: %w", peer, err)
			c.l.say(peer, err)
			abort(c.Conn)
			return
		}
		_ = c.SetReadDeadline(time.Time{})
	})
}

var errDropped = errors.New("its address gets no answer")

// readPreface reads the header that r begins with, and nothing behind it.
func readPreface(r *bufio.Reader) (netip.AddrPort, error) {
	for want := 1; ; {
		if _, err := r.Peek(want); err != nil {
			return netip.AddrPort{}, err
		}
		b, err := r.Peek(r.Buffered())
		if err != nil {
			return netip.AddrPort{}, err
		}
		at, n, err := parsePreface(b)
		switch {
		case errors.Is(err, errMore):
			want = len(b) + 1
		case err != nil:
			return netip.AddrPort{}, err
		default:
			_, err = r.Discard(n)
			return at, err
		}
	}
}

// NetConn returns the connection of the proxy.
func (c *conn) NetConn() net.Conn { return c.Conn }

// RemoteAddr is the address that the proxy stands for. It waits for the header.
func (c *conn) RemoteAddr() net.Addr {
	c.preface()
	if c.from != nil {
		return c.from
	}
	return c.Conn.RemoteAddr()
}

// Read reads what is behind the header.
func (c *conn) Read(b []byte) (int, error) {
	c.preface()
	if c.err != nil {
		return 0, c.err
	}
	if c.read.Buffered() > 0 {
		return c.read.Read(b)
	}
	return c.Conn.Read(b)
}

// Write writes, unless the header was none.
func (c *conn) Write(b []byte) (int, error) {
	c.preface()
	if c.err != nil {
		return 0, c.err
	}
	return c.Conn.Write(b)
}

// CloseWrite ends what is written, where the connection can.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
