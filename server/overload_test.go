package server_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// from connects to h from an address of this machine.
func (h *house) from(addr string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	return d.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
}

// An address has so many connections; who has more closes their own, and no one
// else's.
func TestConnectionsOfAnAddress(t *testing.T) {
	h := stand(t, newUpstream(t, says("fine", 3)), func(c *config.Config) {
		counted(c)
		c.Overload.Connections.Address = 5
	})
	refused := 0
	for range 20 {
		c, err := h.from("127.0.0.2")
		if err != nil {
			refused++
			continue
		}
		defer c.Close()
		c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				refused++
			}
		}
	}
	if refused < 10 || refused > 15 {
		t.Errorf("of 20 connections %d were refused, want 15, or less when some are old", refused)
	}
	if resp, body := h.chat(question("hi", "")); resp.StatusCode != 200 {
		t.Errorf("from another address: %d %s", resp.StatusCode, body)
	}
	if _, m := h.get("/metrics"); !strings.Contains(m, `ringwall_connections_closed_total{reason="address"}`) {
		t.Error("no metric tells of it")
	}
}

// A client that sends a little now and then is cut off long before all the time for a
// body is over, where we look and where we only pass on.
func TestABodyMustComeAtARate(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	u.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})
	h := stand(t, u, func(c *config.Config) {
		c.Overload.Grace = time.Second
		c.Overload.Rate = 500
		c.Unguarded = []config.Bypass{{Path: "/v1/audio/", Provider: "u", Body: 1 << 20}}
		_ = c.Unguarded[0].Trust.UnmarshalText([]byte("anonymous"))
	})
	for path, rate := range map[string]int{"/v1/chat/completions": 20, "/v1/audio/speech": 20} {
		t.Run(path, func(t *testing.T) {
			c, err := h.from("127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", path)
			began := time.Now()
			done := make(chan string, 1)
			go func() {
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				b := make([]byte, 4096)
				n, _ := io.ReadAtLeast(c, b, 12)
				done <- string(b[:n])
			}()
			for {
				select {
				case got := <-done:
					// Nothing is read where the connection was reset before that.
					if took := time.Since(began); got != "" && !strings.HasPrefix(got, "HTTP/1.1 408") || took < 900*time.Millisecond || took > 8*time.Second {
						t.Errorf("after %v the client read %.100q", took, got)
					}
					return
				case <-time.After(100 * time.Millisecond):
					_, _ = c.Write(make([]byte, rate/10)) // it may be cut off
				}
			}
		})
	}
}

// Those who are trusted more find a place where others do not, and health is told
// always.
func TestTrustGoesFirst(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		<-release
		says("fine", 3)(w, r, body)
	})
	end := sync.OnceFunc(func() { close(release) })
	h := stand(t, u, func(c *config.Config) { c.Limits.Concurrent = 10 })
	t.Cleanup(end)
	var wg sync.WaitGroup
	served := make(chan int, 100)
	ask := func(header ...string) {
		wg.Go(func() {
			h := *h
			resp, _ := h.chat(question("hi", ""), header...)
			served <- resp.StatusCode
		})
	}
	asked := func(n int) {
		until(t, fmt.Sprint(n, " requests are under way"), func() bool {
			u.mu.Lock()
			defer u.mu.Unlock()
			return len(u.bodies) == n
		})
	}
	for i := range 6 { // of ten slots those that anybody may take
		ask()
		asked(i + 1)
	}
	if resp, body := h.chat(question("hi", "")); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "overloaded") {
		t.Errorf("one more without a key: %d %s", resp.StatusCode, body)
	}
	operator, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "op", Trust: ringwall.Operator})
	if err != nil {
		t.Fatal(err)
	}
	// Nobody has seen the key so far, and there are places for those who show none.
	release <- struct{}{}
	<-served
	ask("Authorization", "Bearer "+operator)
	asked(7)
	// Now it is known, and finds what is kept for it.
	for i := range 4 {
		ask("Authorization", "Bearer "+operator)
		asked(8 + i)
	}
	if resp, _ := h.chat(question("hi", "")); resp.StatusCode != 503 {
		t.Errorf("without a key: %d", resp.StatusCode)
	}
	if code, _ := h.get("/healthz"); code != 200 {
		t.Errorf("/healthz says %d", code)
	}
	_, m := h.get("/metrics")
	for _, want := range []string{`ringwall_in_flight{class="operator"} 5`, `ringwall_in_flight{class="anonymous"} 5`, `ringwall_shed_total{class="anonymous",reason="slots"} 2`} {
		if !strings.Contains(m, want) {
			t.Errorf("the metrics do not say %s", want)
		}
	}
	end()
	wg.Wait()
}

// Bodies that are under way take a bounded amount of memory, and what a client only
// says that it will send takes none.
func TestMemoryOfBodies(t *testing.T) {
	h := stand(t, newUpstream(t, says("fine", 3)), func(c *config.Config) { c.Overload.Memory = 16 << 20 })
	begin := func(addr string, n int) {
		c, err := h.from(addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n")
		_, _ = c.Write(make([]byte, n)) // the rest does not come
	}
	held := func() (n float64) {
		_, m := h.get("/metrics")
		_, rest, _ := strings.Cut(m, "\nringwall_held_bytes ")
		fmt.Sscan(rest, &n)
		return n
	}
	for range 20 {
		begin("127.0.0.2", 1)
	}
	until(t, "twenty bodies have begun", func() bool { return held() >= 20*64<<10 })
	if n := held(); n > 20*64<<10+1000 {
		t.Errorf("bodies that have not come hold %v bytes", n)
	}
	for range 8 {
		begin("127.0.0.2", 3<<20)
	}
	until(t, "others were turned away", func() bool {
		_, m := h.get("/metrics")
		return strings.Contains(m, `ringwall_shed_total{class="anonymous",reason="memory"}`)
	})
	if n := held(); n > 8<<20 { // of 16 MiB what the lowest trust may
		t.Errorf("%v bytes are held", n)
	}
	if resp, body := h.chat(question(strings.Repeat("The ferry leaves at seven. ", 2000), "")); resp.StatusCode != 200 {
		t.Errorf("another address: %d %.200s", resp.StatusCode, body)
	}
}

// A flood is counted, and not written down request by request.
func TestAFloodDoesNotFillTheRecords(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		<-release
		says("fine", 3)(w, r, body)
	})
	end := sync.OnceFunc(func() { close(release) })
	h := stand(t, u, func(c *config.Config) { c.Limits.Concurrent = 1 })
	t.Cleanup(end)
	first := make(chan int)
	go func() {
		h := *h
		resp, _ := h.chat(question("hi", ""))
		first <- resp.StatusCode
	}()
	until(t, "the only slot is taken", func() bool { return u.last() != "" })
	const n = 300
	began := time.Now()
	for range n {
		if resp, _ := h.chat(question("hi", "")); resp.StatusCode != 503 {
			t.Fatalf("status %d", resp.StatusCode)
		}
	}
	seconds := int(time.Since(began)/time.Second) + 2
	end()
	<-first
	list, err := h.Records().Query(t.Context(), audit.Filter{Kind: ringwall.ExchangeEnd, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	shed := 0
	for _, e := range list {
		if e.Event.Outcome == ringwall.Overloaded {
			shed++
		}
	}
	if shed == 0 || shed > 20*seconds {
		t.Errorf("%d of %d have a record, in %d seconds", shed, n, seconds)
	}
	if _, m := h.get("/metrics"); !strings.Contains(m, fmt.Sprintf(`ringwall_exchanges_total{action="block",model="other",outcome="overloaded"} %d`, n)) {
		t.Error("not all are counted")
	}
}

// What the section says can change while requests are served.
func TestOverloadIsReloaded(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	file := filepath.Join(t.TempDir(), "ringwall.yaml")
	data := t.TempDir()
	write := func(more string) {
		text := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\nanonymous: true\nproviders:\n  u:\n    base_url: %s/v1\ndefault_provider: u\n%s", data, u.URL, more)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	load := func() (*config.Config, error) { return config.Load(file) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load, File: file})
	for range 3 {
		c, err := h.from("127.0.0.2")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	write("overload: {connections: {per_address: 1, exempt: []}}\n")
	until(t, "a second connection is refused", func() bool {
		a, err := h.from("127.0.0.2")
		if err != nil {
			return false
		}
		defer a.Close()
		b, err := h.from("127.0.0.2")
		if err != nil {
			return true
		}
		defer b.Close()
		b.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err = b.Read(make([]byte, 1))
		return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
	})
}
