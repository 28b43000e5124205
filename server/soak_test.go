package server_test

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall/config"
)

// Two thousand clients that send a byte of their headers now and then do not slow
// down those who ask.
func TestSoakSlowClients(t *testing.T) {
	g := newTarget(t, nil)
	const slow = 2000
	request := asks(200)
	g.load("127.0.0.1", request, 200, 16, time.Second) // what is made on first use
	alone, least := g.rounds("127.0.0.1", request, 200, 16, long(1500*time.Millisecond))

	stop := make(chan struct{})
	var wg sync.WaitGroup
	open := make(chan int, 1)
	wg.Go(func() {
		conns := make([]net.Conn, slow)
		defer func() {
			for _, c := range conns {
				if c != nil {
					c.Close()
				}
			}
		}()
		for round := 0; ; round++ {
			n, pause := 0, 10*time.Millisecond
			if round > 0 {
				pause = 40 * time.Millisecond // a byte of each in four seconds
			}
			for i := range conns {
				if i%20 == 0 {
					select {
					case <-stop:
						return
					case <-time.After(pause):
					}
				}
				if conns[i] == nil {
					c, err := g.dialFrom(fmt.Sprintf("127.0.1.%d", 1+i%20))
					if err != nil {
						continue
					}
					conns[i] = c
					io.WriteString(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Slow: ")
				}
				if _, err := io.WriteString(conns[i], "a"); err != nil {
					conns[i].Close()
					conns[i] = nil // and comes again
					continue
				}
				n++
			}
			if round == 0 {
				open <- n
			}
		}
	})
	n := <-open
	beside, most := g.rounds("127.0.0.1", request, 200, 16, long(2*time.Second))
	held := g.metric("ringwall_connections")
	close(stop)
	wg.Wait()
	t.Logf("alone:                    %v", alone)
	t.Logf("beside %4d slow clients: %v (%.0f connections open)", n, beside, held)
	t.Logf("median of p99 of five parts: alone %v, beside %v, %.2f times", least, most, float64(most)/float64(least))
	if soaking() && (beside.Shed+beside.Lost > 0 || most > 2*least+20*time.Millisecond) {
		t.Error("slow clients slow down others")
	}
	if beside.Shed+beside.Lost > len(beside.Took) {
		t.Error("slow clients keep others out")
	}
	if n < slow*9/10 {
		t.Errorf("only %d slow clients came", n)
	}
}

// Ten times of what can be served is turned away; what is let in is served as before,
// and it is over as soon as the flood is.
func TestSoakOverload(t *testing.T) {
	g := newTarget(t, func(c *config.Config) { c.Overload.Wait = 300 * time.Millisecond }) // less than 512 connections wait
	request := asks(32 << 10)
	g.load("127.0.0.1", request, 0, 4, time.Second)
	most := g.load("127.0.0.1", request, 0, 4, long(time.Second)).goodput()
	before := g.load("127.0.0.1", request, most/2, 64, long(time.Second))
	during := g.flood(flood{From: "127.0.0.1", Size: 32 << 10, Conns: 512, Rate: 10 * most, During: long(2 * time.Second)})
	// Half a second to calm down, of the two that there are.
	g.load("127.0.0.1", request, most/2, 64, 500*time.Millisecond)
	after := g.load("127.0.0.1", request, most/2, 64, long(time.Second))
	t.Logf("%.0f requests a second of 32 KiB keep it busy", most)
	t.Logf("before, at half of that:  %v", before)
	t.Logf("during, at ten times it:  %v", during)
	t.Logf("after %v, at half:      %v", 500*time.Millisecond, after)
	t.Logf("goodput: during %.2f of what is possible, after %.2f of before; the flood took %v", during.goodput()/most, after.goodput()/before.goodput(), during.During.Round(time.Millisecond))
	if during.Shed == 0 {
		t.Error("nobody was turned away")
	}
	if len(during.Took) == 0 {
		t.Error("nobody was served")
	}
	if soaking() && during.goodput() < most/4 {
		t.Errorf("of %.0f requests a second that are possible, %.0f were served", most, during.goodput())
	}
	if soaking() && (after.Shed+after.Lost > len(after.Took)/20 || after.at(0.5) > 2*before.at(0.5)+20*time.Millisecond) {
		t.Error("it has not recovered")
	}
	until(t, "one who asks is answered", func() bool { return len(g.load("127.0.0.1", request, 0, 1, 100*time.Millisecond).Took) > 0 })
}

// The flood of one address does not move others.
func TestSoakFloodOfOneAddress(t *testing.T) {
	g := newTarget(t, nil)
	small, large := asks(200), asks(16<<10)
	g.load("127.0.0.1", large, 0, 4, 500*time.Millisecond)
	most := g.load("127.0.0.1", large, 0, 4, long(500*time.Millisecond)).goodput()
	alone := g.load("127.0.0.1", small, 50, 8, long(1500*time.Millisecond))
	var flooded *result
	var wg sync.WaitGroup
	wg.Go(func() {
		flooded = g.flood(flood{From: "127.0.0.2", Size: 16 << 10, Conns: 256, Rate: 5 * most, During: long(3 * time.Second)})
	})
	<-time.After(300 * time.Millisecond)
	beside := g.load("127.0.0.1", small, 50, 8, long(2*time.Second))
	wg.Wait()
	t.Logf("127.0.0.1 alone:            %v", alone)
	t.Logf("127.0.0.1 beside the flood: %v", beside)
	t.Logf("the flood of 127.0.0.2:     %v", flooded)
	t.Logf("p50 is %.2f times, p99 %.2f times what they are alone", float64(beside.at(0.5))/float64(alone.at(0.5)), float64(beside.at(0.99))/float64(alone.at(0.99)))
	if len(beside.Took) == 0 || beside.Shed+beside.Lost > len(beside.Took) {
		t.Error("others were kept out")
	}
	if soaking() && beside.Shed+beside.Lost > len(beside.Took)/50 {
		t.Error("others were turned away")
	}
	if soaking() && flooded.Shed == 0 && flooded.at(0.5) < 3*beside.at(0.5) {
		t.Error("the flood did not wait for itself, and was not turned away")
	}
	if soaking() && beside.at(0.99) > 2*alone.at(0.99)+80*time.Millisecond {
		t.Error("the flood moved others")
	}
}

// Slow bodies and slow readers leave nothing behind.
func TestSoakNothingIsLeft(t *testing.T) {
	g := newTarget(t, func(c *config.Config) {
		c.Overload.Grace = 4 * time.Second
		c.Limits.Write, c.Limits.Idle = 2*time.Second, 2*time.Second
	})
	g.load("127.0.0.1", asks(200), 0, 4, 300*time.Millisecond)
	now := func() (goroutines, heap float64) {
		return g.metric("go_goroutines"), g.metric("go_memstats_heap_inuse_bytes") / (1 << 20)
	}
	until(t, "the first load is over", func() bool { return g.metric("ringwall_connections") <= 2 })
	goroutines, heap := now()
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for i := range 400 {
		c, err := g.dialFrom(fmt.Sprintf("127.0.2.%d", 1+i%10))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		if i%2 == 0 { // claims much and sends little
			io.WriteString(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n{\"model\":")
			continue
		}
		// Asks much and reads nothing.
		c.(*net.TCPConn).SetReadBuffer(1024)
		for range 50 {
			c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
			if _, err := c.Write([]byte("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
				break
			}
		}
	}
	until(t, "the slow bodies are seen", func() bool { return g.metric("ringwall_in_flight") >= 150 })
	worst, most := now()
	until(t, "the slow ones are gone", func() bool {
		n, _ := now()
		return n <= goroutines+16 // connections of this test's own
	})
	left, mb := now()
	t.Logf("goroutines: %.0f before, %.0f with 400 slow clients, %.0f when they were cut off", goroutines, worst, left)
	t.Logf("heap in use: %.0f MiB before, %.0f with them, %.0f after", heap, most, mb)
	if n := g.metric("ringwall_held_bytes"); n != 0 {
		t.Errorf("%v bytes are held", n)
	}
	if most > heap+200 {
		t.Errorf("the heap grew from %.0f to %.0f MiB", heap, most)
	}
	var in float64
	if in = g.metric("ringwall_in_flight"); in != 0 {
		t.Errorf("%v requests are under way", in)
	}
}
