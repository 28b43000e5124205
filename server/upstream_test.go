package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
)

// Whatever a provider does, the client reads an error of ours within a time, and the
// record says what it was. Nothing of the provider's words is passed on.
func TestProvidersThatMisbehave(t *testing.T) {
	send := func(status int, kind, body string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	silent := func(kind, body string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, r *http.Request, _ string) {
			if kind != "" {
				send(200, kind, body)(w, r, "")
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		}
	}
	chunk := `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hello "},"finish_reason":null}]}` + "\n\n"
	for _, tt := range []struct {
		name   string
		stream bool
		answer func(http.ResponseWriter, *http.Request, string)
		status int // 0: 200 or 502, as what came was sent on by then or not
		code   string
	}{
		{"garbage", false, send(200, "application/json", "}{ secret"), 502, "upstream_error"},
		{"JSON that is no answer", false, send(200, "application/json", `{"secret":"x"`+"}}"), 502, "upstream_error"},
		{"a page", false, send(200, "text/html", "<html>secret</html>"), 502, "upstream_error"},
		{"an error with status 200", false, send(200, "application/json", `{"error":{"message":"secret"}}`), 502, "upstream_error"},
		{"its own error", false, send(500, "application/json", `{"error":{"message":"secret"}}`), 502, "upstream_error"},
		{"asked too often", false, send(429, "application/json", `{"error":{"message":"secret"}}`), 429, "upstream_rate_limit"},
		{"a refusal of the request", false, send(400, "application/json", `{"error":{"message":"secret"}}`), 400, "upstream_invalid_request"},
		{"silence", false, silent("", ""), 504, "upstream_timeout"},
		{"silence inside an answer", false, silent("application/json", `{"id":`), 504, "upstream_timeout"},
		{"no stream", true, send(200, "application/json", `{"id":"secret"}`), 502, "upstream_error"},
		{"an error that is no stream", true, send(200, "application/json", `{"error":{"message":"secret"}}`), 502, "upstream_error"},
		{"an error in a stream", true, send(200, "text/event-stream", `data: {"error":{"message":"secret"}}`+"\n\n"), 502, "upstream_error"},
		{"garbage in a stream", true, send(200, "text/event-stream", "data: }{ secret\n\n"), 502, "upstream_error"},
		{"a stream of nothing", true, send(200, "text/event-stream", ""), 502, "upstream_error"},
		{"silence of a stream", true, silent("text/event-stream", ": hello\n\n"), 504, "upstream_timeout"},
		{"half a frame", true, send(200, "text/event-stream", chunk+`data: {"secret`), 0, "upstream_error"},
		{"garbage behind an event", true, send(200, "text/event-stream", chunk+"data: }{ secret\n\n"), 0, "upstream_error"},
		{"silence behind an event", true, silent("text/event-stream", chunk), 200, "upstream_timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, tt.answer)
			h := stand(t, u, func(c *config.Config) {
				p := c.Providers["u"]
				p.First, p.Idle, p.Retries = 300*time.Millisecond, 300*time.Millisecond, -1
				c.Providers["u"] = p
			})
			more := ""
			if tt.stream {
				more = `,"stream":true`
			}
			start := time.Now()
			resp, body := h.chat(question("hello", more))
			if tt.status == 0 && resp.StatusCode == 502 {
				tt.status = 502
			} else if tt.status == 0 {
				tt.status = 200
			}
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.code) || strings.Contains(body, "secret") {
				t.Errorf("the client read %d %s", resp.StatusCode, body)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.UpstreamFail || ev.Detail == "" || ev.Status != tt.status || strings.Contains(ev.Detail, "secret") {
				t.Errorf("record %s %q %d", ev.Outcome, ev.Detail, ev.Status)
			}
		})
	}
}
