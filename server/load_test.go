package server_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// target is a gateway in a process of its own, so that load and gateway do not share
// a scheduler.
type target struct {
	t    *testing.T
	url  string
	addr string
}

// spec is what a target is told.
type spec struct {
	Upstream, Data string
	Overload       config.Overload
	Limits         config.Limits

	Flood *flood // the process is no target but makes this
}

// flood is load that a process of its own makes.
type flood struct {
	Addr, From  string
	Size, Conns int
	Rate        float64
	During      time.Duration
}

// loadTarget is the variable of the environment that makes a test a target.
const loadTarget = "RINGWALL_TEST_LOAD_TARGET"

// TestLoadTarget is no test but the process of a target: it serves until its input
// ends.
func TestLoadTarget(t *testing.T) {
	text := os.Getenv(loadTarget)
	if text == "" {
		return
	}
	var s spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if f := s.Flood; f != nil {
		g := &target{t: t, addr: f.Addr}
		out, err := json.Marshal(g.load(f.From, asks(f.Size), f.Rate, f.Conns, f.During))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(os.Stdout, "ready %s\n", out)
		return
	}
	c := config.Default()
	c.Listen, c.Data, c.Anonymous, c.Default = "127.0.0.1:0", s.Data, true, "u"
	c.Providers = map[string]config.Provider{"u": config.Upstream(s.Upstream+"/v1", false)}
	c.Overload, c.Limits = s.Overload, s.Limits
	srv, err := server.New(t.Context(), server.Options{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	fmt.Fprintf(os.Stdout, "ready %s\n", srv.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// newTarget starts a target before a stub of a model that answers at once.
func newTarget(t *testing.T, change func(*config.Config)) *target {
	t.Helper()
	u := newUpstream(t, nil)
	u.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		says("fine", 4)(w, r, "")
	})
	c := config.Default()
	counted(c)
	c.Overload.Connections.Rate = 1 << 20 // the load is made from one machine
	c.Limits.Drain = time.Second
	if change != nil {
		change(c)
	}
	url := child(t, spec{Upstream: u.URL, Data: t.TempDir(), Overload: c.Overload, Limits: c.Limits})
	return &target{t, url, strings.TrimPrefix(url, "http://")}
}

// flood makes load in a process of its own, for a client that is busy with one load
// delays another.
func (g *target) flood(f flood) *result {
	f.Addr = g.addr
	out := &result{}
	if err := json.Unmarshal([]byte(child(g.t, spec{Flood: &f})), out); err != nil {
		g.t.Error(err)
	}
	return out
}

// child starts a process of this test and returns what it says when it is ready.
func child(t *testing.T, s spec) string {
	text, err := json.Marshal(s)
	if err != nil {
		t.Error(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestLoadTarget$", "-test.v")
	cmd.Env = append(os.Environ(), loadTarget+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if said, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			go func() {
				for lines.Scan() { // what it says at its end
				}
			}()
			return said
		}
	}
	t.Error("the process did not start")
	return ""
}

// metric returns the value of a metric, all its labels together.
func (g *target) metric(name string) (sum float64) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.url+"/metrics", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		g.t.Fatalf("the metrics say %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name); ok && (rest[0] == ' ' || rest[0] == '{') {
			v, _ := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
			sum += v
		}
	}
	return sum
}

// dialFrom connects from an address of this machine.
func (g *target) dialFrom(from string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return d.Dial("tcp", g.addr)
}

// line is a connection that asks one request at a time.
type line struct {
	g    *target
	from string
	c    net.Conn
	r    *bufio.Reader
}

// do sends a request and returns the status of its answer.
func (l *line) do(request []byte) (status int, err error) {
	defer func() {
		if err != nil && l.c != nil {
			l.c.Close()
			l.c = nil
		}
	}()
	if l.c == nil {
		if l.c, err = l.g.dialFrom(l.from); err != nil {
			return 0, err
		}
		l.r = bufio.NewReaderSize(l.c, 4096)
	}
	l.c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := l.c.Write(request); err != nil {
		return 0, err
	}
	head, err := l.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(head) < 12 {
		return 0, fmt.Errorf("the answer begins %q", head)
	}
	if status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return 0, err
	}
	length, last := 0, false
	for {
		h, err := l.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(h) <= 2 {
			break
		}
		name, value, _ := bytes.Cut(h, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("Connection")):
			last = bytes.HasPrefix(value, []byte("close"))
		}
	}
	_, err = l.r.Discard(length)
	if last && err == nil {
		l.c.Close()
		l.c = nil
	}
	return status, err
}

// asks is a request of so many bytes of honest text.
func asks(n int) []byte {
	body := question(strings.Repeat("The ferry to the island leaves at seven in the morning, and who misses it may wait for the next one. ", n/100+1)[:n], "")
	return fmt.Appendf(nil, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// result is what came of a load.
type result struct {
	Took   []time.Duration // of what was served, sorted
	Shed   int
	Lost   int // neither served nor turned away in order
	During time.Duration
}

func (r *result) at(q float64) time.Duration {
	if len(r.Took) == 0 {
		return 0
	}
	return r.Took[min(len(r.Took)-1, int(q*float64(len(r.Took))))].Round(10 * time.Microsecond)
}

func (r *result) goodput() float64 { return float64(len(r.Took)) / r.During.Seconds() }

func (r *result) String() string {
	return fmt.Sprintf("served %d (%.0f/s), p50 %v, p99 %v, turned away %d, lost %d", len(r.Took), r.goodput(), r.at(0.5), r.at(0.99), r.Shed, r.Lost)
}

// load asks at a rate, over at most so many connections from an address. Latency
// counts from when a request was meant to be sent, where there are few connections; a
// flood is more than its client can make in time, and counts from when it was sent.
// With a rate of 0 each connection asks again at once.
func (g *target) load(from string, request []byte, rate float64, conns int, d time.Duration) *result {
	var mu sync.Mutex
	out := &result{}
	begin := time.Now()
	end := begin.Add(d)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			l := &line{g: g, from: from}
			var took []time.Duration
			shed, lost := 0, 0
			for {
				meant := time.Now()
				if rate > 0 {
					meant = begin.Add(time.Duration(float64(next.Add(1)-1) / rate * float64(time.Second)))
					if wait := time.Until(meant); wait > 0 {
						<-time.After(wait)
					}
				}
				if !meant.Before(end) || time.Now().After(end) {
					break
				}
				if conns >= manyConns {
					meant = time.Now()
				}
				status, err := l.do(request)
				switch {
				case err != nil:
					lost++
				case status == http.StatusOK:
					took = append(took, time.Since(meant))
				case status == http.StatusServiceUnavailable:
					shed++
				default:
					lost++
				}
			}
			if l.c != nil {
				l.c.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			out.Took = append(out.Took, took...)
			out.Shed += shed
			out.Lost += lost
		})
	}
	wg.Wait()
	out.During = max(d, time.Since(begin))
	slices.SortFunc(out.Took, cmp.Compare)
	return out
}

// rounds makes a load in five parts. What it returns beside all of it is the median of
// their 99th percentiles: one stall of the machine spoils one part.
func (g *target) rounds(from string, request []byte, rate float64, conns int, d time.Duration) (*result, time.Duration) {
	const n = 5
	all := &result{}
	var high []time.Duration
	for range n {
		r := g.load(from, request, rate, conns, d/n)
		high = append(high, r.at(0.99))
		all.Took = append(all.Took, r.Took...)
		all.Shed += r.Shed
		all.Lost += r.Lost
		all.During += r.During
	}
	slices.SortFunc(all.Took, cmp.Compare)
	slices.SortFunc(high, cmp.Compare)
	return all, high[n/2]
}

// manyConns are those of a flood.
const manyConns = 256

// long makes loads last longer: make soak sets it.
func long(d time.Duration) time.Duration {
	if n, err := strconv.Atoi(os.Getenv("RINGWALL_SOAK")); err == nil && n > 0 && n <= 10 {
		return d * time.Duration(n)
	}
	return d
}

// soaking reports whether a soak runs, which has a machine to itself: only then do
// times say something. Beside other tests it counts who is served, and that is all.
func soaking() bool { return os.Getenv("RINGWALL_SOAK") != "" }
