package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// lame is an upstream that breaks connections while it is told to.
type lame struct {
	*upstream
	broken atomic.Bool
}

func newLame(t *testing.T, text string) *lame {
	l := &lame{}
	l.upstream = newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if l.broken.Load() {
			panic(http.ErrAbortHandler) // the connection is closed, nothing is answered
		}
		says(text, 3)(w, r, body)
	})
	return l
}

func (l *lame) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.bodies)
}

// Of two upstreams one is killed under load. No client notices, the breaker opens,
// and when it is back it is asked again.
func TestAnUpstreamDies(t *testing.T) {
	a, b := newLame(t, "from a"), newLame(t, "from b")
	h := stand(t, a.upstream, func(c *config.Config) {
		two := config.Upstream(b.URL+"/v1", false)
		one := config.Upstream(a.URL+"/v1", false)
		one.Failures, one.Pause = 3, 50*time.Millisecond
		c.Default, c.Providers = "", map[string]config.Provider{"a": one, "b": two}
		c.Models = map[string]config.Model{"m": {Targets: []config.Target{{Provider: "a", Model: "a-1", Weight: 1}, {Provider: "b", Model: "b-1", Weight: 1}}}}
	})
	ask := func(stream string) (string, *http.Response) {
		resp, err := http.Post(h.url+"/v1/chat/completions", "application/json", strings.NewReader(question("hello", stream)))
		if err != nil {
			t.Error(err)
			return "", nil
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || strings.Contains(string(body), `"error"`) {
			t.Errorf("a client read %d %s, %v", resp.StatusCode, body, err)
		}
		return string(body), resp
	}
	load := func() {
		var all sync.WaitGroup
		for i := range 8 {
			stream := ""
			if i%2 == 0 {
				stream = `,"stream":true`
			}
			all.Go(func() {
				for range 20 {
					ask(stream)
				}
			})
		}
		all.Wait()
	}
	var dies sync.WaitGroup
	dies.Go(load)
	until(t, "both are asked", func() bool { return a.asked() > 5 && b.asked() > 5 })
	a.broken.Store(true)
	dies.Wait()
	load()
	metrics := func() string {
		resp, err := http.Get(h.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	if text := metrics(); strings.Contains(text, `ringwall_target_breaker{target="a/a-1"} 0`) || !strings.Contains(text, `ringwall_route_fallbacks_total{model="m",reason="unreachable"}`) {
		t.Errorf("metrics %s", text)
	}
	a.broken.Store(false)
	until(t, "the one that died is asked again", func() bool {
		body, resp := ask("")
		if !strings.Contains(body, "from a") {
			return false
		}
		ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
		if ev.Provider != "a" || ev.Target != "a-1" || ev.Outcome != ringwall.Answered {
			t.Errorf("record %+v", ev)
		}
		return true
	})
	if text := metrics(); !strings.Contains(text, `ringwall_target_breaker{target="a/a-1"} 0`) {
		t.Errorf("metrics %s", text)
	}
	if got := a.last(); !strings.Contains(got, `"model":"a-1"`) {
		t.Errorf("a was asked for %s", got)
	}
}

// Garbage from one is an answer from another, whole and streamed.
func TestGarbageIsStoodInFor(t *testing.T) {
	garbage := newUpstream(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		text := `{"id":"c","choices":[}`
		if strings.Contains(body, `"stream":true`) {
			w.Header().Set("Content-Type", "text/event-stream")
			text = "data: " + text + "\n\n"
		}
		_, _ = io.WriteString(w, text)
	})
	h := stand(t, newUpstream(t, says("fine", 4)), func(c *config.Config) {
		c.Providers["garbage"] = config.Upstream(garbage.URL+"/v1", false)
		c.Models = map[string]config.Model{"m": {Provider: "garbage", Fallback: []config.Fallback{{Provider: "u"}}}}
	})
	for _, stream := range []string{"", `,"stream":true`} {
		resp, body := h.chat(question("hello", stream))
		if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); resp.StatusCode != 200 || !strings.Contains(body, "fine") || len(ev.Tries) != 1 || ev.Tries[0].Reason != "unreadable" {
			t.Errorf("%d %s, tries %+v", resp.StatusCode, body, ev.Tries)
		}
	}
}

// What a record tells of a request that went on to a fallback, and of one that
// nobody answered.
func TestRecordsOfRoutes(t *testing.T) {
	busy := newUpstream(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	fine := newUpstream(t, says("fine", 3))
	h := stand(t, fine, func(c *config.Config) {
		c.Default = ""
		c.Providers["busy"] = config.Upstream(busy.URL+"/v1", false)
		c.Models = map[string]config.Model{
			"m":    {Provider: "busy", Model: "big", Fallback: []config.Fallback{{Provider: "u", Model: "small"}}},
			"none": {Targets: []config.Target{{Provider: "busy", Model: "big", Weight: 1}, {Provider: "busy", Model: "huge", Weight: 1}}},
		}
	})
	resp, body := h.chat(question("hello", ""))
	ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
	if want := fmt.Sprint([]ringwall.Try{{Provider: "busy", Model: "big", Reason: "rate-limit"}}); resp.StatusCode != 200 || ev.Provider != "u" || ev.Target != "small" || fmt.Sprint(ev.Tries) != want {
		t.Errorf("%d %s, record %+v", resp.StatusCode, body, ev)
	}
	resp, body = h.chat(strings.Replace(question("hello", ""), `"m"`, `"none"`, 1))
	ev = h.record(resp.Header.Get("X-Ringwall-Exchange"))
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "20" || ev.Outcome != ringwall.UpstreamFail || ev.Provider != "busy" || len(ev.Tries) != 2 {
		t.Errorf("%d %s %v, record %+v", resp.StatusCode, body, resp.Header, ev)
	}
}

func TestRoutesAreChecked(t *testing.T) {
	for _, tt := range []struct{ model, says string }{
		{"{targets: [{provider: u}, {provider: u}]}", "named already"},
		{"{targets: [{provider: u, weight: 0}]}", "want 1 or more"},
		{"{targets: [{provider: v}]}", `there is no provider "v"`},
		{"{provider: u, targets: [{provider: u}]}", "named already"},
		{"{fallback: [{provider: u}]}", "a fallback needs"},
		{"{provider: u, hedge: 1s}", "need targets"},
		{"{}", "which provider"},
	} {
		_, err := config.Parse("c.yaml", []byte("providers:\n  u: {base_url: http://127.0.0.1:1/v1}\nmodels:\n  m: "+tt.model+"\n"))
		if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "c.yaml:4") {
			t.Errorf("%s: %v", tt.model, err)
		}
	}
	c, err := config.Parse("c.yaml", []byte("providers:\n  u: {base_url: http://127.0.0.1:1/v1}\nmodels:\n  m: {provider: u, fallback: [{provider: u, model: x}], try: 5s, hedge: 1s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	standOn(t, nil, server.Options{Config: c})
}
