package listen

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

const (
	// most is how many bytes may come over a connection while nothing is asked:
	// frames of HTTP/2 that are no request (PING, SETTINGS …) cost more to answer than
	// to send.
	most = 256 << 10
	// earned is how many of them a request makes good, whose own headers are counted.
	earned = 80 << 10
	// spare is by how many the requests that a client gives up may outnumber those
	// that it lets end.
	spare = 256
)

// Conn is a connection of a Listener.
type Conn struct {
	net.Conn
	l    *Listener
	from *address // nil: it is not counted

	// Held by the Listener.
	gone    bool
	asked   bool // a request came over it
	isQuiet bool
	since   time.Time
	links   [2]link

	quiet  atomic.Bool
	noise  atomic.Int64
	resets atomic.Int64
}

var errNoise = errors.New("listen: much came and nothing was asked")

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.quiet.Load() && c.noise.Add(int64(n)) > most {
		c.l.closed(Noise)
		_ = c.Close() // it is over either way
		return 0, errNoise
	}
	return n, err
}

// CloseWrite ends what is sent, where the connection below can: net/http does so before
// it closes a connection over which more still comes, lest its answer is lost.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	if c.from != nil {
		c.l.mu.Lock()
		c.l.forget(c)
		c.l.mu.Unlock()
	}
	return c.Conn.Close()
}

// NetConn returns what is below.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Ended is told that a request over c ended, and whether the client gave it up before
// there was an answer. Who only gives up is cut off: starting and resetting requests
// is cheaper than to serve them (CVE-2023-44487).
func (c *Conn) Ended(givenUp bool) {
	switch {
	case c.from == nil:
	case !givenUp:
		if c.resets.Load() > 0 {
			c.resets.Add(-1)
		}
	case c.resets.Add(1) == spare+1:
		c.l.closed(Resets)
		_ = c.Close() // it is over either way
	}
}

// rest takes down that nothing is asked. The Listener's mu is held.
func (c *Conn) rest(now time.Time) {
	if c.isQuiet {
		return
	}
	c.isQuiet, c.since = true, now
	c.quiet.Store(true)
	if c.asked {
		c.from.idle++
	}
	c.from.quiet.push(c)
	c.l.quiet.push(c)
}

// wake takes down that something is asked, or that c is gone. The Listener's mu is held.
func (c *Conn) wake() {
	if !c.isQuiet {
		return
	}
	c.isQuiet = false
	c.quiet.Store(false)
	c.noise.Store(max(0, c.noise.Load()-earned))
	if c.asked {
		c.from.idle--
	}
	c.from.quiet.remove(c)
	c.l.quiet.remove(c)
}

type connKey struct{}

// Context is for http.Server.ConnContext: [Of] finds the connection in it.
func (l *Listener) Context(ctx context.Context, nc net.Conn) context.Context {
	if c := unwrap(nc); c != nil {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// Of returns the connection of a request, nil where it is none of a Listener.
func Of(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// unwrap finds the Conn below TLS.
func unwrap(nc net.Conn) *Conn {
	for {
		if c, ok := nc.(*Conn); ok {
			return c
		}
		below, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		nc = below.NetConn()
	}
}

// Lists that a quiet connection is in.
const (
	own = iota // of its address
	all        // of the Listener
)

type link struct{ prev, next *Conn }

// list is of quiet connections, the longest so first.
type list struct {
	at          int // own or all
	first, last *Conn
}

func (l *list) push(c *Conn) {
	c.links[l.at] = link{prev: l.last}
	if l.last != nil {
		l.last.links[l.at].next = c
	} else {
		l.first = c
	}
	l.last = c
}

func (l *list) remove(c *Conn) {
	at := &c.links[l.at]
	if at.prev != nil {
		at.prev.links[l.at].next = at.next
	} else {
		l.first = at.next
	}
	if at.next != nil {
		at.next.links[l.at].prev = at.prev
	} else {
		l.last = at.prev
	}
	*at = link{}
}

// oldest returns the connection that may be closed to make room, nil when there is
// none: one that has only just come may still ask.
func (l *list) oldest(now time.Time) *Conn {
	const enough = 16 // to look at
	c := l.first
	for i := 0; c != nil && i < enough; i++ {
		if c.asked || now.Sub(c.since) >= young {
			return c
		}
		c = c.links[l.at].next
	}
	return nil
}
