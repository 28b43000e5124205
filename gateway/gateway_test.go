package gateway_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/sse"
)

// model is a Provider that does what a test wants.
type model struct {
	answer string
	do     func()
}

func (m model) APIs() []string { return []string{"openai"} }

func (m model) Complete(context.Context, ringwall.Call) ([]byte, error) {
	m.do()
	return []byte(m.answer), nil
}

func (m model) Events(context.Context, ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) { m.do(); yield(sse.Event{Data: []byte(m.answer)}, nil) }
}

func (m model) Models(context.Context) ([]string, error) { return nil, errors.New("none") }

type nobody struct{}

func (nobody) Authenticate(context.Context, ringwall.Credential) (ringwall.Principal, error) {
	return ringwall.Principal{}, ringwall.ErrUnauthenticated
}

func guardrail(t *testing.T, rules ...guard.Rule) *guard.Guard {
	if rules == nil {
		mask := &guard.Actions{Default: ringwall.Mask}
		rules = []guard.Rule{{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: mask, Output: mask}}
	}
	g, err := guard.New(guard.Config{Name: "test", Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func records(t *testing.T) *audit.Log {
	l, err := audit.Open(t.Context(), audit.Config{Dir: t.TempDir(), Fsync: audit.FsyncNever})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func serve(t *testing.T, cfg gateway.Config) (*gateway.Gateway, *httptest.Server) {
	cfg.Auth = nobody{}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	g.Handle(mux, "POST /v1/chat/completions", openai.Chat{})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return g, s
}

func post(t *testing.T, url, body string) (*http.Response, string) {
	resp, err := http.Post(url+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

const (
	hello       = `{"model":"m","messages":[{"role":"user","content":"hello"}]}`
	helloStream = `{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}`
	fine        = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}`
)

func world(g *guard.Guard, m model) *gateway.World {
	return &gateway.World{Guard: g, Anonymous: true, Default: &gateway.Route{Name: "p", Provider: m}}
}

// A panic anywhere ends in a record and an answer.
func TestAPanicIsRecorded(t *testing.T) {
	log := records(t)
	_, s := serve(t, gateway.Config{Records: log, World: world(guardrail(t), model{do: func() { panic("boom") }})})
	for _, body := range []string{hello, helloStream} {
		resp, text := post(t, s.URL, body)
		if resp.StatusCode != 500 || strings.Contains(text, "boom") || !strings.Contains(text, "internal_error") {
			t.Errorf("the client read %d %s", resp.StatusCode, text)
		}
		list, err := log.Query(t.Context(), audit.Filter{ID: resp.Header.Get(gateway.Header), Oldest: true})
		if err != nil || len(list) != 2 || list[0].Event.Kind != ringwall.ExchangeBegin || list[1].Event.Outcome != ringwall.Broken {
			t.Errorf("records %+v, %v", list, err)
		}
	}
}

// deaf is a recorder whose disk is full.
type deaf struct{ *audit.Log }

func (deaf) Begin(context.Context, ringwall.Event) (uint64, error) {
	return 0, errors.New("no space left")
}

func TestNoRecordNoCall(t *testing.T) {
	called := false
	_, s := serve(t, gateway.Config{Records: deaf{records(t)}, World: world(guardrail(t), model{fine, func() { called = true }})})
	if resp, text := post(t, s.URL, hello); resp.StatusCode != 503 || !strings.Contains(text, "record_unavailable") || called {
		t.Errorf("%d %s, called %v", resp.StatusCode, text, called)
	}
}

// A detector that cannot look blocks, both ways, unless it was told otherwise;
// the record says so.
func TestADetectorThatFails(t *testing.T) {
	broken := guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) { return nil, errors.New("away") })
	act := &guard.Actions{Default: ringwall.Block}
	for _, tt := range []struct {
		name   string
		rule   guard.Rule
		body   string
		status int
		says   string
	}{
		{"blocks a prompt", guard.Rule{Input: act}, hello, 503, "guard_unavailable"},
		{"blocks an answer", guard.Rule{Output: act}, hello, 503, "guard_unavailable"},
		{"cuts a stream", guard.Rule{Output: act}, helloStream, 200, "content_filter"},
		{"may be told to fail open", guard.Rule{Input: act, Output: act, FailOpen: true}, hello, 200, "fine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := records(t)
			tt.rule.Control, tt.rule.Detector = "inference/topic", broken
			answer := fine
			if tt.body == helloStream {
				answer = `{"choices":[{"index":0,"delta":{"content":"fine"},"finish_reason":"stop"}]}`
			}
			_, s := serve(t, gateway.Config{Records: log, World: world(guardrail(t, tt.rule), model{answer, func() {}})})
			resp, text := post(t, s.URL, tt.body)
			if resp.StatusCode != tt.status || !strings.Contains(text, tt.says) {
				t.Fatalf("the client read %d %s", resp.StatusCode, text)
			}
			list, err := log.Query(t.Context(), audit.Filter{ID: resp.Header.Get(gateway.Header), Kind: ringwall.ExchangeEnd})
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			failed := false
			for _, l := range list[0].Event.Looks {
				failed = failed || l.State == ringwall.Failed && l.Why == "error"
			}
			if !failed {
				t.Errorf("looks %+v", list[0].Event.Looks)
			}
		})
	}
}

// Swapping worlds under load loses no request, and closes each world behind its
// last one.
func TestSwapLosesNothing(t *testing.T) {
	const swaps, clients, each = 50, 4, 50
	g0 := guardrail(t)
	var mu sync.Mutex
	closed, using := map[int]bool{}, map[int]int{}
	make := func(i int) *gateway.World {
		w := world(g0, model{fine, func() {
			mu.Lock()
			defer mu.Unlock()
			using[i]++
			if closed[i] {
				t.Errorf("world %d is used behind its end", i)
			}
		}})
		w.Close = func() { mu.Lock(); closed[i] = true; mu.Unlock() }
		return w
	}
	g, s := serve(t, gateway.Config{Records: records(t), World: make(0)})
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				if resp, text := post(t, s.URL, hello); resp.StatusCode != 200 {
					t.Errorf("%d %s", resp.StatusCode, text)
				}
			}
		})
	}
	for i := 1; i <= swaps; i++ {
		g.Swap(make(i))
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(closed) != swaps || closed[swaps] {
		t.Errorf("%d worlds of %d are closed", len(closed), swaps)
	}
}
