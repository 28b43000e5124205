package judge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/judge"
)

// pipes serves handler over connections in memory, which a synctest bubble knows
// to wait for, and returns how to dial it.
func pipes(t *testing.T, handler http.HandlerFunc) func(context.Context, string, string) (net.Conn, error) {
	l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour, ErrorLog: quiet()}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Shutdown(context.Background()); <-ended }) // waits for the handlers
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case l.conns <- there:
			return here, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.done:
			return nil, errors.New("nobody listens")
		}
	}
}

type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *listener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// reading has handler called once the request was read.
func reading(handler func(w http.ResponseWriter, r *http.Request, text string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req chatRequest
		_ = json.NewDecoder(r.Body).Decode(&req)
		text := ""
		if len(req.Messages) > 0 {
			text = req.Messages[len(req.Messages)-1].Content
		}
		handler(w, r, text)
	}
}

func safe(w io.Writer) { _, _ = io.WriteString(w, completion("safe", nil)) }

func llama(dial func(context.Context, string, string) (net.Conn, error)) judge.Config {
	return judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: "http://judge.test/v1", Model: "m", Dial: dial}
}

// ask asks j about text, and returns the result.
func ask(j *judge.Judge, text string) judge.Result {
	_, err := j.Judge(context.Background(), ringwall.Input, input(text))
	switch {
	case err == nil:
		return "answered"
	case judge.Of(err) == "":
		return judge.Result(err.Error())
	}
	return judge.Of(err)
}

// notes is an Observer that writes down what it hears.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) note(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, s)
}

func (n *notes) Judged(_ string, r judge.Result, _ time.Duration, _ error) {
	n.note("look " + string(r))
}

func (n *notes) Called(_ string, _ time.Duration, err error) { n.note(fmt.Sprint("call ", err == nil)) }
func (n *notes) Breaker(_ string, s judge.State)             { n.note("breaker " + s.String()) }

// A judge that hangs costs its time-out and no more, whatever it hangs at.
func TestTimeout(t *testing.T) {
	for _, tt := range []struct {
		name   string
		handle func(w http.ResponseWriter, r *http.Request)
	}{
		{"before it answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"in the middle of its answer", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"choices":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := llama(pipes(t, reading(func(w http.ResponseWriter, r *http.Request, _ string) { tt.handle(w, r) })))
				cfg.Timeout, cfg.Retries = 3*time.Second, 5
				j := made(t, cfg)
				start := time.Now()
				if r := ask(j, "x"); r != judge.Timeout {
					t.Errorf("result %s", r)
				}
				if took := time.Since(start); took != 3*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// The breaker opens after failures in a row, lets one call try after a pause,
// and closes when that is answered. While it is open nobody is asked, and what
// is known is still said.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		var well atomic.Bool
		well.Store(true)
		n := &notes{}
		cfg := llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, _ string) {
			calls.Add(1)
			if !well.Load() {
				w.WriteHeader(500)
				return
			}
			safe(w)
		})))
		cfg.Failures, cfg.Pause, cfg.Observer, cfg.CacheTTL = 3, 10*time.Second, n, time.Hour
		j := made(t, cfg)
		expect := func(text string, want judge.Result, state judge.State, made int64) {
			t.Helper()
			if r := ask(j, text); r != want || j.State() != state || calls.Load() != made {
				t.Errorf("%s: %s, breaker %s, %d calls; want %s, %s, %d", text, r, j.State(), calls.Load(), want, state, made)
			}
		}
		expect("known", "answered", judge.Closed, 1)
		well.Store(false)
		expect("a", judge.Refused, judge.Closed, 2)
		expect("b", judge.Refused, judge.Closed, 3)
		expect("c", judge.Refused, judge.Open, 4)
		expect("d", judge.CircuitOpen, judge.Open, 4)
		expect("known", "answered", judge.Open, 4)
		<-time.After(10 * time.Second)
		expect("e", judge.Refused, judge.Open, 5)
		expect("f", judge.CircuitOpen, judge.Open, 5)
		<-time.After(10 * time.Second)
		if j.State() != judge.HalfOpen {
			t.Errorf("after the pause the breaker is %s", j.State())
		}
		well.Store(true)
		expect("g", "answered", judge.Closed, 6)
		expect("h", "answered", judge.Closed, 7)
		var states []string
		for _, s := range n.all {
			if state, ok := strings.CutPrefix(s, "breaker "); ok {
				states = append(states, state)
			}
		}
		if want := []string{"open", "half-open", "open", "half-open", "closed"}; !slices.Equal(states, want) {
			t.Errorf("states %v, want %v", states, want)
		}
	})
}

// While one call tries whether a judge is back, no other is made.
func TestHalfOpenLetsOneThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		cfg := llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, _ string) {
			if calls.Add(1) == 1 {
				w.WriteHeader(500)
				return
			}
			<-time.After(time.Second)
			safe(w)
		})))
		cfg.Failures, cfg.Pause = 1, time.Minute
		j := made(t, cfg)
		ask(j, "first")
		<-time.After(time.Minute)
		results := make(chan judge.Result)
		for i := range 5 {
			go func() { results <- ask(j, fmt.Sprint(i)) }()
		}
		counts := map[judge.Result]int{}
		for range 5 {
			counts[<-results]++
		}
		if counts["answered"] != 1 || counts[judge.CircuitOpen] != 4 || calls.Load() != 2 {
			t.Errorf("results %v, %d calls", counts, calls.Load())
		}
	})
}

// What goes beyond the budget of calls, and beyond the calls at once, could not
// be looked at; neither is a failure of the judge.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, _ string) { safe(w) })))
		cfg.PerMinute, cfg.Failures = 3, 1
		j := made(t, cfg)
		for i, want := range []judge.Result{"answered", "answered", "answered", judge.Budget, judge.Budget} {
			if r := ask(j, fmt.Sprint(i)); r != want {
				t.Errorf("call %d: %s, want %s", i, r, want)
			}
			<-time.After(10 * time.Second)
		}
		<-time.After(10 * time.Second) // the first is a minute ago
		for i, want := range []judge.Result{"answered", judge.Budget} {
			if r := ask(j, fmt.Sprint("later ", i)); r != want {
				t.Errorf("call %d after a minute: %s, want %s", i, r, want)
			}
		}
		if j.State() != judge.Closed {
			t.Errorf("the breaker is %s", j.State())
		}
	})
}

func TestCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		cfg := llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, _ string) {
			most.Store(max(most.Load(), now.Add(1)))
			<-time.After(2 * time.Second)
			now.Add(-1)
			safe(w)
		})))
		cfg.AtOnce, cfg.Timeout, cfg.Failures = 2, 5*time.Second, 1
		j := made(t, cfg)
		results := make(chan judge.Result)
		for i := range 6 {
			go func() { results <- ask(j, fmt.Sprint(i)) }()
		}
		counts := map[judge.Result]int{}
		for range 6 {
			counts[<-results]++
		}
		// Two are answered after 2 s and two after 4; the last two run out of time.
		if most.Load() != 2 || counts["answered"] != 4 || counts[judge.Timeout]+counts[judge.Busy] != 2 {
			t.Errorf("at most %d at once, results %v", most.Load(), counts)
		}
	})
}

// Those who ask the same share one call, at the same time and later, until the
// answer is too old; failures are not kept.
func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		n := &notes{}
		cfg := llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, text string) {
			calls.Add(1)
			<-time.After(time.Second)
			if text == "broken" {
				w.WriteHeader(500)
				return
			}
			_, _ = io.WriteString(w, completion("unsafe\nS1", nil))
		})))
		cfg.CacheTTL, cfg.CacheEntries, cfg.Observer = time.Minute, 2, n
		j := made(t, cfg)
		same := func(text string) {
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					fs, err := j.Judge(context.Background(), ringwall.Input, input(text))
					if err != nil || len(fs) != 1 {
						t.Errorf("%v, %v", fs, err)
					} else {
						fs[0].Reason = "changed" // belongs to who asked
					}
				})
			}
			all.Wait()
		}
		for _, step := range []struct {
			do   func()
			want int64
		}{
			{func() { same("a") }, 1},
			{func() { same("a") }, 1},
			{func() { same("b") }, 2},
			{func() { same("a") }, 2},
			{func() { same("c") }, 3}, // b makes room
			{func() { same("a") }, 3},
			{func() { same("b") }, 4},
			{func() { <-time.After(time.Minute); same("b") }, 5},
			{func() { ask(j, "broken"); ask(j, "broken") }, 7},
			{func() { _, _ = j.Judge(context.Background(), ringwall.Output, input("b")) }, 8},
		} {
			if step.do(); calls.Load() != step.want {
				t.Fatalf("%d calls, want %d", calls.Load(), step.want)
			}
		}
		if !slices.Contains(n.all, "look cached") || !slices.Contains(n.all, "look ran") {
			t.Errorf("heard %v", n.all)
		}
	})
}

// A call goes on while somebody waits for it.
func TestOneOfTwoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := made(t, llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, _ string) {
			<-time.After(2 * time.Second)
			safe(w)
		}))))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, context.Canceled)
		defer cancel()
		left, stayed := make(chan error), make(chan error)
		go func() { _, err := j.Judge(ctx, ringwall.Input, input("x")); left <- err }()
		synctest.Wait()
		go func() { _, err := j.Judge(context.Background(), ringwall.Input, input("x")); stayed <- err }()
		if err := <-left; judge.Of(err) != judge.Gone {
			t.Errorf("who left: %v", err)
		}
		if err := <-stayed; err != nil {
			t.Errorf("who stayed: %v", err)
		}
	})
}

// Only what may help is tried again: not what takes too long, nor what was
// understood and refused.
func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   string
		fail   func(w http.ResponseWriter)
		calls  int64
		result judge.Result
	}{
		{"too many requests", judge.LlamaGuard, func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); w.WriteHeader(429) }, 2, "answered"},
		{"too many requests, for long", judge.LlamaGuard, func(w http.ResponseWriter) { w.Header().Set("Retry-After", "60"); w.WriteHeader(429) }, 1, judge.Refused},
		{"not there for a moment", judge.LlamaGuard, func(w http.ResponseWriter) { w.WriteHeader(503) }, 2, "answered"},
		{"a connection that breaks", judge.LlamaGuard, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, 2, "answered"},
		{"an error of the server", judge.LlamaGuard, func(w http.ResponseWriter) { w.WriteHeader(500) }, 1, judge.Refused},
		{"garbage", judge.LlamaGuard, func(w http.ResponseWriter) { _, _ = io.WriteString(w, "{") }, 1, judge.Unreadable},
		{"a webhook that was asked", judge.Webhook, func(w http.ResponseWriter) { w.WriteHeader(503) }, 1, judge.Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				cfg := llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, _ string) {
					if calls.Add(1) == 1 {
						tt.fail(w)
						return
					}
					safe(w)
				})))
				cfg.Kind, cfg.Retries, cfg.Key = tt.kind, 1, func() (string, error) { return "k", nil }
				if r := ask(made(t, cfg), "x"); r != tt.result || calls.Load() != tt.calls {
					t.Errorf("%s after %d calls, want %s after %d", r, calls.Load(), tt.result, tt.calls)
				}
			})
		})
	}
}

// A webhook to which no connection could be made has seen nothing: it is tried
// again.
func TestDialingIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := pipes(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"findings":[]}`) })
		tries := 0
		cfg := llama(func(ctx context.Context, network, addr string) (net.Conn, error) {
			if tries++; tries == 1 {
				return nil, &net.OpError{Op: "dial", Err: errTest}
			}
			return up(ctx, network, addr)
		})
		cfg.Kind, cfg.Retries, cfg.Key = judge.Webhook, 1, func() (string, error) { return "k", nil }
		if r := ask(made(t, cfg), "x"); r != "answered" || tries != 2 {
			t.Errorf("%s after %d tries", r, tries)
		}
	})
}

// A long text is judged to its end, in windows that overlap; one that fails
// fails all of it. What is too long is not sent.
func TestWindows(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	url, _ := asked(t, func(r chatRequest) string {
		text := r.Messages[0].Content
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, text)
		switch {
		case strings.Contains(text, "BOMB"):
			return "unsafe\nS1"
		case strings.Contains(text, "GARBAGE"):
			return "??"
		}
		return "safe"
	})
	prose := strings.Repeat("It is a fine day, and nobody means any harm. ", 100)
	for _, tt := range []struct {
		name, text string
		want       judge.Result
		found      bool
	}{
		{"clean", prose, "answered", false},
		{"in the middle", prose + "BOMB " + prose, "answered", true},
		{"at the end", prose + prose + "BOMB", "answered", true},
		{"on every border", strings.Repeat("BOMB", 1500), "answered", true},
		{"a window that cannot be judged", prose + "GARBAGE" + prose, judge.Unreadable, false},
		{"too long", strings.Repeat("x", 20001), judge.TooLong, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			sent = nil
			mu.Unlock()
			j := made(t, judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: url, Model: "m", Window: 1000, Overlap: 100, Longest: 20000, AtOnce: 4})
			fs, err := j.Judge(t.Context(), ringwall.Input, input(tt.text))
			if r := judge.Of(err); r != tt.want && (err != nil || tt.want != "answered") {
				t.Fatalf("error %v", err)
			}
			if (len(fs) > 0) != tt.found {
				t.Errorf("findings %v", fs)
			}
			for _, f := range fs {
				if !strings.Contains(tt.text[f.Where.Start:f.Where.End], "BOMB") {
					t.Errorf("a finding at %v, where nothing is", f.Where)
				}
			}
			mu.Lock()
			defer mu.Unlock() // a call that was called off may still be answered
			for _, s := range sent {
				if len(s) > 1000 {
					t.Errorf("a window of %d bytes", len(s))
				}
			}
			if tt.want == judge.TooLong && len(sent) > 0 {
				t.Errorf("%d windows were sent", len(sent))
			}
		})
	}
}

// A judge is asked where the embedded score of any control that it serves lies
// in the grey zone, its borders included.
func TestGreyZone(t *testing.T) {
	url, _ := asked(t, func(chatRequest) string { return "unsafe\nS1" })
	zone := func(score float64) judge.Zone {
		return judge.Zone{From: 0.3, To: 0.8, Score: func(ringwall.Direction, ringwall.Text) float64 { return score }}
	}
	for _, tt := range []struct {
		name  string
		zones map[string]judge.Zone
		asked bool
	}{
		{"surely none", map[string]judge.Zone{content: zone(0.29)}, false},
		{"the lower border", map[string]judge.Zone{content: zone(0.3)}, true},
		{"in doubt", map[string]judge.Zone{content: zone(0.5)}, true},
		{"the upper border", map[string]judge.Zone{content: zone(0.8)}, true},
		{"surely one", map[string]judge.Zone{content: zone(0.81)}, false},
		{"one of two controls", map[string]judge.Zone{content: zone(0), attack: zone(0.4)}, true},
		{"neither of two controls", map[string]judge.Zone{content: zone(0), attack: zone(1)}, false},
		{"no zones", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			controls := []string{content}
			if len(tt.zones) > 1 {
				controls = append(controls, attack)
			}
			j := made(t, judge.Config{Kind: judge.LlamaGuard, Controls: controls, URL: url, Model: "m", Zones: tt.zones})
			fs, err := j.Judge(t.Context(), ringwall.Input, input("x"))
			var skip guard.Skip
			if tt.asked != (err == nil && len(fs) == 1) || !tt.asked != (errors.As(err, &skip) && string(skip) == judge.NotInGreyZone) {
				t.Errorf("%v, %v", fs, err)
			}
		})
	}
}
