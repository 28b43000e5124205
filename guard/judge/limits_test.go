package judge_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall/guard/judge"
)

func (n *notes) note(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, s)
}

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
