package listen

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// peer is a connection from an address; what it sends comes of data.
type peer struct {
	net.Conn
	from   string
	data   io.Reader
	closed bool
}

func (p *peer) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(p.from), 1))
}
func (p *peer) Close() error               { p.closed = true; return nil }
func (p *peer) Read(b []byte) (int, error) { return p.data.Read(b) }

// network hands out connections.
type network struct {
	net.Listener
	come chan net.Conn
}

func (n network) Accept() (net.Conn, error) {
	c, ok := <-n.come
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// world is a Listener and what it said.
type world struct {
	*Listener
	n    network
	said []Reason
}

func newWorld(cfg Config) *world {
	w := &world{n: network{come: make(chan net.Conn, 1)}}
	w.Listener = New(w.n, cfg, func(r Reason) { w.said = append(w.said, r) })
	return w
}

// dial returns the connection that Accept gave, nil when it refused it.
func (w *world) dial(from string) (*peer, *Conn) {
	p := &peer{from: from, data: endless{}}
	got := make(chan *Conn, 1)
	go func() {
		c, err := w.Accept()
		if err != nil {
			got <- nil
			return
		}
		got <- c.(*Conn)
	}()
	w.n.come <- p
	synctest.Wait()
	select {
	case c := <-got:
		return p, c
	default: // it waits for another one
		close(w.n.come)
		<-got
		w.n.come = make(chan net.Conn, 1)
		w.Listener.Listener = w.n
		return p, nil
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestAddressesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(Config{Address: 2, Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		for i, tt := range []struct {
			from string
			want bool
		}{
			{"192.0.2.1", true},
			{"192.0.2.1", true},
			{"192.0.2.1", false}, // the two are young, they may still ask
			{"::ffff:192.0.2.1", false},
			{"192.0.2.2", true},
			{"2001:db8::1", true},
			{"2001:db8::2", true},
			{"2001:db8:0:0:ffff::", false}, // of the same /64
			{"2001:db8:0:1::", true},
			{"10.0.0.1", true},
			{"10.0.0.1", true},
			{"10.0.0.1", true},
		} {
			if p, c := w.dial(tt.from); (c != nil) != tt.want || p.closed == tt.want {
				t.Errorf("%d: %s: let in %v", i, tt.from, c != nil)
			}
		}
		if conns, addresses := w.Open(); conns != 6 || addresses != 4 {
			t.Errorf("%d connections of %d addresses", conns, addresses)
		}
		if want := slices.Repeat([]Reason{Address}, 3); !slices.Equal(w.said, want) {
			t.Errorf("it said %v", w.said)
		}
	})
}

// Who opens more than they may closes their own: the one that has been quiet longest.
func TestTheOldestQuietOneMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(Config{Address: 3, Max: 4})
		busy, bc := w.dial("192.0.2.1")
		slow, _ := w.dial("192.0.2.1") // sends no whole request
		idle, ic := w.dial("192.0.2.1")
		other, _ := w.dial("192.0.2.9")
		w.State(bc, http.StateActive)
		w.State(ic, http.StateActive)
		<-time.After(young)
		w.State(ic, http.StateIdle)
		fourth, c4 := w.dial("192.0.2.1")
		if !slow.closed || busy.closed || idle.closed || other.closed || fourth.closed {
			t.Error("the slow one was not closed, or another one was")
		}
		w.State(c4, http.StateActive)
		if _, c := w.dial("192.0.2.1"); c == nil || !idle.closed {
			t.Error("the idle one was not closed")
		} else {
			w.State(c, http.StateActive)
		}
		if _, c := w.dial("192.0.2.1"); c != nil || busy.closed {
			t.Error("where all are busy another one is let in")
		}
		// There are as many as there may be in all: the quiet one of another address.
		if _, c := w.dial("192.0.2.2"); c == nil || !other.closed {
			t.Error("the longest quiet of all was not closed")
		}
		if conns, _ := w.Open(); conns != 4 {
			t.Errorf("%d connections", conns)
		}
		bc.Close()
		bc.Close()
		w.State(bc, http.StateClosed)
		if conns, _ := w.Open(); conns != 3 {
			t.Errorf("%d connections", conns)
		}
	})
}

func TestIdleOnesOfAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(Config{Idle: 2})
		var ps []*peer
		for range 4 {
			p, c := w.dial("192.0.2.1")
			ps = append(ps, p)
			for range 3 {
				w.State(c, http.StateActive)
				w.State(c, http.StateIdle)
			}
		}
		var closed []bool
		for _, p := range ps {
			closed = append(closed, p.closed)
		}
		if !slices.Equal(closed, []bool{true, true, false, false}) || !slices.Equal(w.said, []Reason{Idle, Idle}) {
			t.Errorf("closed %v, because of %v", closed, w.said)
		}
	})
}

func TestHowFastAnAddressConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(Config{Rate: 10})
		n := 0
		try := func() {
			n = 0
			for range 100 {
				if _, c := w.dial("192.0.2.1"); c != nil {
					n++
					c.Close() // does not help
				}
			}
		}
		if try(); n != 20 {
			t.Errorf("%d at once, want 20", n)
		}
		if _, c := w.dial("192.0.2.2"); c == nil {
			t.Error("another address may not connect")
		}
		<-time.After(time.Second)
		if try(); n != 10 {
			t.Errorf("%d after a second, want 10", n)
		}
	})
}

func TestAddressesAreForgotten(t *testing.T) {
	l := New(nil, Config{Rate: 1}, nil)
	now := time.Now()
	for i := range 3 * manyAddresses {
		from := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		c, _, _ := l.take(&peer{from: from.String()}, now)
		c.Close()
	}
	if n := len(l.addresses); n > manyAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestNoiseIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(Config{Address: 1 << 20})
		read := func(c *Conn, n int) (err error) {
			for ; n > 0 && err == nil; n -= 4096 {
				_, err = c.Read(make([]byte, 4096))
			}
			return err
		}
		p, c := w.dial("192.0.2.1")
		if err := read(c, 1<<20); !errors.Is(err, errNoise) || !p.closed {
			t.Errorf("a megabyte of nothing: %v", err)
		}
		p, c = w.dial("192.0.2.1")
		for range 100 { // requests, each with headers and a large body
			if err := read(c, 64<<10); err != nil {
				t.Fatal(err)
			}
			w.State(c, http.StateActive)
			if err := read(c, 1<<20); err != nil {
				t.Fatal(err)
			}
			w.State(c, http.StateIdle)
		}
		if p.closed || !slices.Equal(w.said, []Reason{Noise}) {
			t.Errorf("it said %v", w.said)
		}
	})
}

func TestResetsAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(Config{Address: 1 << 20})
		p, c := w.dial("192.0.2.1")
		for i := range 10000 {
			c.Ended(i%2 == 0)
		}
		if p.closed {
			t.Error("who gives up every other request is cut off")
		}
		for range spare + 2 {
			c.Ended(true)
		}
		if !p.closed || !slices.Equal(w.said, []Reason{Resets}) {
			t.Errorf("who gives all up is not cut off: it said %v", w.said)
		}
	})
}

func BenchmarkState(b *testing.B) {
	l := New(nil, Config{Max: 1 << 20, Address: 1 << 20, Idle: 100, Rate: 1 << 20}, nil)
	c, _, _ := l.take(&peer{from: "192.0.2.1"}, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		l.State(c, http.StateActive)
		l.State(c, http.StateIdle)
	}
}
