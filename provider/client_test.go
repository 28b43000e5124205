package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

func client(t *testing.T, url string, change func(*provider.Config)) *provider.Client {
	t.Helper()
	cfg := provider.Config{BaseURL: url, First: 2 * time.Second, Idle: 200 * time.Millisecond, Retries: -1, Answer: 1 << 20}
	cfg.Code = func(body jsonedit.Value) string {
		if c := body.Get("error").Get("code").Text(); c == "context_length_exceeded" {
			return c
		}
		return ""
	}
	if change != nil {
		change(&cfg)
	}
	c, err := provider.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// raw serves connections with bytes that need not be HTTP.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			_, _ = c.Read(buf)
			_, _ = io.WriteString(c, answer)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

const (
	head   = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
	stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
)

// Whatever a provider sends, what comes of it is an answer or an error that says
// whose fault it is.
func TestAnswersThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		reason       provider.Reason
		code         string // for the client, "" for the usual
	}{
		{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", provider.Unreachable, ""},
		{"nothing", "", provider.Unreachable, ""},
		{"half of its headers", "HTTP/1.1 200 OK\r\nContent-Ty", provider.Unreachable, ""},
		{"an empty body", head + "Content-Length: 0\r\n\r\n", provider.Unreadable, ""},
		{"garbage", head + "\r\n\x00\x01\x02garbage", provider.Unreadable, ""},
		{"a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>Log in</html>", provider.Unreadable, ""},
		{"half of its body", head + "Content-Length: 100\r\n\r\n{\"id\":\"c\",", provider.Unreachable, ""},
		{"half of its body, unsaid", head + "\r\n{\"id\":\"c\",", provider.Unreadable, ""},
		{"a chunk that is none", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", provider.Unreachable, ""},
		{"a compressed body", head + "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08", provider.Unreadable, ""},
		{"a redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n", provider.Unreadable, ""},
		{"too much", head + "\r\n{\"a\":\"" + strings.Repeat("a", 1<<20) + "\"}", provider.Unreadable, ""},
		{"an error with status 200", head + "\r\n{\"error\":{\"message\":\"secret detail\"}}", provider.Unavailable, ""},
		{"an error with status 200 that says its status", head + "\r\n{\"error\":{\"code\":429,\"message\":\"secret detail\"}}", provider.RateLimited, "upstream_rate_limit"},
		{"an error of the request with status 200", head + "\r\n{\"error\":{\"code\":\"context_length_exceeded\"}}", provider.Rejected, "context_length_exceeded"},
		{"an error that is a text, with status 200", head + "\r\n{\"error\":\"secret detail\"}", provider.Unavailable, ""},
		{"an error", "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\nsecret detail", provider.Unavailable, ""},
		{"a key that is not taken", "HTTP/1.1 401 No\r\nConnection: close\r\n\r\n{\"error\":{\"message\":\"secret detail\"}}", provider.Denied, ""},
		{"no such model", "HTTP/1.1 404 No\r\nConnection: close\r\n\r\n{}", provider.NoModel, "upstream_invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client(t, raw(t, tt.answer), nil).Whole(t.Context(), provider.Request{Path: "/x", Body: []byte("{}")})
			if err == nil || provider.ReasonOf(err) != tt.reason || strings.Contains(err.Error(), "secret") {
				t.Fatalf("%v is %q, want %q", err, provider.ReasonOf(err), tt.reason)
			}
			var r *ringwall.Refusal
			if errors.As(err, &r); tt.code != "" && (r == nil || r.Code != tt.code) {
				t.Errorf("the client reads %+v, want %s", r, tt.code)
			}
		})
	}
}

func TestStreamsThatAreNone(t *testing.T) {
	one := "data: {\"a\":1}\n\n"
	for _, tt := range []struct {
		name, answer string
		events       int
		reason       provider.Reason
	}{
		{"a stream", stream + one + one + "data: [DONE]\n\n", 2, ""},
		{"no stream", head + "\r\n{\"id\":\"c\"}", 0, provider.Unreadable},
		{"an error that is no stream", head + "\r\n{\"error\":{\"code\":503}}", 0, provider.Unavailable},
		{"a stream of nothing", stream, 0, provider.Unreachable},
		{"half a frame", stream + one + "data: {\"a\"", 1, provider.Unreachable},
		{"an end before it is done", stream + one, 1, provider.Unreachable},
		{"an error as the first event", stream + "data: {\"error\":{\"code\":429}}\n\n", 0, provider.RateLimited},
		{"a frame without an end", stream + "data: " + strings.Repeat("a", sse.MaxEvent+1), 0, provider.Unreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			var err error
			for _, e := range client(t, raw(t, tt.answer), nil).Events(t.Context(), provider.Request{Path: "/x", Body: []byte("{}")}, done) {
				if err = e; e == nil {
					n++
				}
			}
			var reason provider.Reason
			if err != nil {
				reason = provider.ReasonOf(err)
			}
			if n != tt.events || reason != tt.reason {
				t.Errorf("%d events and %v (%s), want %d and %q", n, err, reason, tt.events, tt.reason)
			}
		})
	}
}

func done(ev sse.Event) (is, keep bool) { return string(ev.Data) == "[DONE]", false }

// A provider that falls silent is not waited for for ever: before the answer, inside
// a whole one and inside a stream.
func TestSilence(t *testing.T) {
	for _, tt := range []struct{ name, kind, says string }{
		{"before the answer", "", ""},
		{"inside a whole answer", "application/json", `{"id":`},
		{"inside a stream", "text/event-stream", "data: {}\n\n"},
		{"inside a stream of comments", "text/event-stream", ": still here\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if tt.kind != "" {
					w.Header().Set("Content-Type", tt.kind)
					_, _ = io.WriteString(w, tt.says)
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			}))
			defer s.Close()
			c := client(t, s.URL, func(cfg *provider.Config) { cfg.First, cfg.Idle = 200*time.Millisecond, 200*time.Millisecond })
			var err error
			if strings.HasPrefix(tt.kind, "text/") {
				for _, err = range c.Events(t.Context(), provider.Request{Path: "/x", Body: []byte("{}")}, done) {
				}
			} else {
				_, err = c.Whole(t.Context(), provider.Request{Path: "/x", Body: []byte("{}")})
			}
			if !errors.Is(err, context.DeadlineExceeded) || provider.ReasonOf(err) != provider.TimedOut {
				t.Errorf("%v", err)
			}
		})
	}
}

// What fails is asked again, but no more than a fifth of all requests; and when the
// provider says when to come again it is then.
func TestRetries(t *testing.T) {
	var asked, fails atomic.Int64
	after := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1); fails.Add(-1) >= 0 {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	defer s.Close()
	c := client(t, s.URL, func(cfg *provider.Config) { cfg.Retries = 1 })
	ask := func(ctx context.Context) error {
		_, err := c.Whole(ctx, provider.Request{Path: "/x", Body: []byte("{}")})
		return err
	}
	fails.Store(1)
	if err := ask(t.Context()); err != nil || asked.Load() != 2 {
		t.Errorf("%v behind %d requests", err, asked.Load())
	}
	fails.Store(1)
	if err := ask(provider.Once(t.Context())); provider.ReasonOf(err) != provider.Unavailable || asked.Load() != 3 {
		t.Errorf("%v behind %d requests", err, asked.Load())
	}
	fails.Store(1)
	after = "1"
	start := time.Now()
	if err := ask(t.Context()); err != nil || time.Since(start) < time.Second {
		t.Errorf("%v in %s, want a second", err, time.Since(start))
	}
	after = "30" // longer than anybody waits here
	fails.Store(1)
	err := ask(t.Context())
	var f *provider.Failure
	if !errors.As(err, &f) || f.After != 30*time.Second {
		t.Errorf("%v: %+v", err, f)
	}
}

func TestBudget(t *testing.T) {
	var b provider.Budget
	again := 0
	for range 1000 {
		b.Asked()
		if b.Take() {
			again++
		}
	}
	if again < 200 || again > 211 {
		t.Errorf("%d of 1000 requests were sent again, want a fifth and ten", again)
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		says        string
		least, most time.Duration
	}{
		{"7", 7 * time.Second, 7 * time.Second},
		{"-7", 0, 0},
		{"99999999999", time.Hour, time.Hour},
		{"soon", 0, 0},
		{time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), 50 * time.Second, time.Minute},
	} {
		url := raw(t, fmt.Sprintf("HTTP/1.1 429 No\r\nRetry-After: %s\r\nConnection: close\r\n\r\n", tt.says))
		_, err := client(t, url, nil).Whole(t.Context(), provider.Request{Path: "/x"})
		var f *provider.Failure
		if !errors.As(err, &f) || f.After < tt.least || f.After > tt.most {
			t.Errorf("%q: %+v", tt.says, f)
		}
	}
}
