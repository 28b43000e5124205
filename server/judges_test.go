package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// guardModel is a Llama Guard that calls bombs unsafe, counts the connections
// that are open, and waits where a text says so.
type guardModel struct {
	*httptest.Server
	open    atomic.Int64
	began   chan struct{}
	proceed chan struct{}
}

func newGuardModel(t *testing.T) *guardModel {
	m := &guardModel{began: make(chan struct{}, 1), proceed: make(chan struct{})}
	m.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Messages []struct{ Content string } }
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil || len(req.Messages) == 0 {
			w.WriteHeader(400)
			return
		}
		text := req.Messages[len(req.Messages)-1].Content
		if strings.Contains(text, "wait") {
			m.began <- struct{}{}
			<-m.proceed
		}
		answer := "safe"
		if strings.Contains(text, "bomb") {
			answer = `unsafe\nS9`
		}
		fmt.Fprintf(w, `{"choices":[{"finish_reason":"stop","message":{"content":"%s"}}]}`, answer)
	}))
	m.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if by, ok := map[http.ConnState]int64{http.StateNew: 1, http.StateClosed: -1}[s]; ok {
			m.open.Add(by)
		}
	}
	m.Start()
	t.Cleanup(m.Close)
	return m
}

// judged stands a server up whose guardrail asks the guard model at url, and
// returns how to change what stands in the file.
func judged(t *testing.T, u *upstream, url string) (*house, func(url, more string)) {
	file, data := filepath.Join(t.TempDir(), "ringwall.yaml"), t.TempDir()
	write := func(url, more string) {
		text := fmt.Sprintf(`listen: 127.0.0.1:0
data: %s
anonymous: true
providers:
  u: {base_url: %s/v1}
default_provider: u
guardrail: judged
guardrails:
  judged:
    content: {input: block, output: off}
    judges:
      - {name: llama, kind: llama-guard, url: %s/v1, model: m, controls: [content]%s}
`, data, u.URL, url, more)
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write(url, "")
	load := func() (*config.Config, error) { return config.Load(file) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return standOn(t, u, server.Options{Config: c, Reload: load, File: file}), write
}

// What an outside judge says goes into the verdict, the record and the metrics;
// where it is away, nobody is asked anything.
func TestOutsideJudges(t *testing.T) {
	u := newUpstream(t, says("a house needs a plan", 1))
	m := newGuardModel(t)
	h, write := judged(t, u, m.URL)
	for _, tt := range []struct {
		text   string
		status int
		state  ringwall.LookState
	}{
		{"how do I build a house?", 200, ringwall.Ran},
		{"how do I build a bomb?", 400, ringwall.Ran},
	} {
		resp, body := h.chat(question(tt.text, ""))
		if resp.StatusCode != tt.status {
			t.Errorf("%q: %d %s", tt.text, resp.StatusCode, body)
		}
		e := h.record(resp.Header.Get("X-Ringwall-Exchange"))
		if !slices.Contains(e.Looks, ringwall.Look{Control: "inference/content", By: "llama", Way: ringwall.Input, State: tt.state}) {
			t.Errorf("%q: looks %v", tt.text, e.Looks)
		}
	}
	m.Close()
	resp, body := h.chat(question("how do I build a garden?", ""))
	if resp.StatusCode != 503 || !strings.Contains(body, "guard_unavailable") {
		t.Errorf("the judge is away: %d %s", resp.StatusCode, body)
	}
	e := h.record(resp.Header.Get("X-Ringwall-Exchange"))
	if !slices.Contains(e.Looks, ringwall.Look{Control: "inference/content", By: "llama", Way: ringwall.Input, State: ringwall.Failed, Why: "unreachable"}) {
		t.Errorf("looks %v", e.Looks)
	}
	for i := range 4 {
		h.chat(question(fmt.Sprint("and a shed of ", i), ""))
	}
	_, metrics := h.get("/metrics")
	for _, line := range []string{
		`ringwall_judge_looks_total{judge="llama",result="ran"} 2`,
		`ringwall_judge_looks_total{judge="llama",result="unreachable"} 5`,
		`ringwall_judge_calls_total{judge="llama",outcome="answered"} 2`,
		`ringwall_judge_breaker{judge="llama"} 2`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	write(m.URL, ", fail_open: true")
	until(t, "the judge may fail open", func() bool {
		resp, _ := h.chat(question("how do I build a garden?", ""))
		return resp.StatusCode == 200
	})
}

// A reload puts new judges in the place of the old ones, which end their looks
// and leave nothing behind.
func TestReloadReplacesJudges(t *testing.T) {
	u := newUpstream(t, says("fine", 1))
	old, now := newGuardModel(t), newGuardModel(t)
	h, write := judged(t, u, old.URL)
	status := make(chan int, 1)
	go func() {
		resp, _ := h.chat(question("wait for the old judge", ""))
		status <- resp.StatusCode
	}()
	<-old.began
	write(now.URL, "")
	until(t, "the new judge is asked", func() bool {
		h.chat(question(fmt.Sprint("who looks? ", now.open.Load()), ""))
		return now.open.Load() > 0
	})
	close(old.proceed)
	if s := <-status; s != 200 {
		t.Errorf("a request on the old world: %d", s)
	}
	until(t, "the old judge has no connections", func() bool { return old.open.Load() == 0 })
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if strings.Contains(string(stacks), "guard/judge.") {
		t.Errorf("a judge left a goroutine behind:\n%s", stacks)
	}
}

// A judge on another machine that is asked without TLS is named when the server
// starts, and so is one that may fail open.
func TestWeakJudgesAreSaidAloud(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ringwall.yaml")
	text := `listen: 127.0.0.1:0
data: ` + t.TempDir() + `
providers:
  u: {base_url: "http://127.0.0.1:1/v1"}
default_provider: u
guardrail: judged
guardrails:
  judged:
    judges:
      - {name: far, kind: presidio, url: "http://judge.example", controls: [pii]}
      - {name: near, kind: presidio, url: "http://127.0.0.1:1", controls: [pii]}
      - {name: safe, kind: presidio, url: "https://judge.example", controls: [pii], fail_open: true}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	s, err := server.New(t.Context(), server.Options{Config: c, Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	lines := said.String()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	for what, want := range map[string]bool{"in the clear\" judge=far": true, "judge=near": false, "judge=safe": false, "control=inference/pii reason=judge-fail-open": true} {
		if strings.Contains(lines, what) != want {
			t.Errorf("%q: %v in\n%s", what, !want, lines)
		}
	}
}
