package anthropic_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/anthropic"
)

// behind stands a provider before an upstream.
func behind(t *testing.T, suffix string, answer http.HandlerFunc) *anthropic.Provider {
	t.Helper()
	u := httptest.NewServer(answer)
	t.Cleanup(u.Close)
	p, err := anthropic.New(provider.Config{BaseURL: u.URL + suffix, Retries: -1}, func() (string, error) { return "sk-ant-1", nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestAsksAsAnthropicWantsToBeAsked(t *testing.T) {
	for _, suffix := range []string{"", "/", "/v1", "/v1/"} {
		var got *http.Request
		var body string
		p := behind(t, suffix, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body) // from this process
			got, body = r, string(b)
			io.WriteString(w, `{"content":[]}`)
		})
		for api, path := range map[string]string{"anthropic": "/v1/messages", "anthropic-count-tokens": "/v1/messages/count_tokens"} {
			if !slices.Contains(p.APIs(), api) {
				t.Errorf("it does not speak %s", api)
			}
			if _, err := p.Complete(t.Context(), ringwall.Call{API: api, Body: []byte(`{"a":1}`), Header: map[string]string{"anthropic-beta": "b-1"}}); err != nil {
				t.Fatal(err)
			}
			if h := got.Header; got.URL.Path != path || h.Get("x-api-key") != "sk-ant-1" || h.Get("anthropic-version") != anthropic.Version || h.Get("anthropic-beta") != "b-1" || h.Get("Authorization") != "" || body != `{"a":1}` {
				t.Errorf("it asked %s with %v: %s", got.URL, h, body)
			}
		}
	}
}

func TestTheClientMayNameTheVersion(t *testing.T) {
	version := ""
	p := behind(t, "", func(w http.ResponseWriter, r *http.Request) {
		version = r.Header.Get("anthropic-version")
		io.WriteString(w, `{}`)
	})
	if _, err := p.Complete(t.Context(), ringwall.Call{API: "anthropic", Header: map[string]string{"anthropic-version": "2099-01-01"}}); err != nil || version != "2099-01-01" {
		t.Errorf("it asked for %q, %v", version, err)
	}
}

func TestModelsAreListedPageByPage(t *testing.T) {
	asked := 0
	p := behind(t, "", func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch q := r.URL.Query(); {
		case r.Method != http.MethodGet || r.URL.Path != "/v1/models" || q.Get("limit") == "":
			http.Error(w, r.URL.String(), http.StatusNotFound)
		case q.Get("after_id") == "":
			io.WriteString(w, `{"data":[{"type":"model","id":"claude-a"},{"type":"model","id":"claude-b"}],"has_more":true,"first_id":"claude-a","last_id":"claude-b"}`)
		case q.Get("after_id") == "claude-b":
			io.WriteString(w, `{"data":[{"type":"model","id":"claude-c"}],"has_more":false,"first_id":"claude-c","last_id":"claude-c"}`)
		}
	})
	if names, err := p.Models(t.Context()); err != nil || !slices.Equal(names, []string{"claude-a", "claude-b", "claude-c"}) || asked != 2 {
		t.Errorf("Models() = %v, %v after %d pages", names, err, asked)
	}
	asked = 0
	forever := behind(t, "", func(w http.ResponseWriter, _ *http.Request) {
		asked++
		io.WriteString(w, `{"data":[],"has_more":true,"last_id":"x"}`)
	})
	if _, err := forever.Models(t.Context()); err != nil || asked != 20 {
		t.Errorf("a list without an end was read %d times, %v", asked, err)
	}
}

func TestErrorsAreOurs(t *testing.T) {
	for _, tt := range []struct {
		status     int
		kind, text string
		want       int
		code       string
	}{
		{400, "invalid_request_error", "secret", 400, "upstream_invalid_request"},
		{400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", 400, "context_length_exceeded"},
		{401, "authentication_error", "secret", 502, "upstream_error"},
		{404, "not_found_error", "secret", 400, "model_not_found"},
		{413, "request_too_large", "secret", 400, "request_too_large"},
		{429, "rate_limit_error", "secret", 429, "upstream_rate_limit"},
		{500, "api_error", "secret", 502, "upstream_error"},
		{529, "overloaded_error", "secret", 503, "upstream_overloaded"},
	} {
		p := behind(t, "", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			fmt.Fprintf(w, `{"type":"error","error":{"type":%q,"message":%q},"request_id":"req_1"}`, tt.kind, tt.text)
		})
		_, err := p.Complete(t.Context(), ringwall.Call{API: "anthropic"})
		var r *ringwall.Refusal
		if !errors.As(err, &r) || r.Status != tt.want || r.Code != tt.code || strings.Contains(r.Public, tt.text) {
			t.Errorf("%d %s: %v %+v", tt.status, tt.kind, err, r)
		}
	}
}

func TestStreams(t *testing.T) {
	const begin = "event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"
	failed := func(kind string) string {
		return begin + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"" + kind + "\",\"message\":\"secret\"}}\n\n"
	}
	for _, tt := range []struct {
		name, body string
		events     int
		status     int
		code       string
	}{
		{"ends", begin + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\nevent: ping\ndata: {}\n\n", 3, 0, ""},
		{"breaks off", begin, 2, -1, ""},
		{"is overloaded", failed("overloaded_error"), 2, 503, "upstream_overloaded"},
		{"asks too much", failed("rate_limit_error"), 2, 429, "upstream_rate_limit"},
		{"takes too long", failed("timeout_error"), 2, 504, "upstream_timeout"},
		{"fails", failed("api_error"), 2, 502, "upstream_error"},
		{"fails in no words", begin + "event: error\ndata: oops\n\n", 2, 502, "upstream_error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := behind(t, "", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
				io.WriteString(w, tt.body)
			})
			n, last := 0, error(nil)
			for _, err := range p.Events(t.Context(), ringwall.Call{API: "anthropic", Stream: true}) {
				if last = err; err == nil {
					n++
				}
			}
			var r *ringwall.Refusal
			switch {
			case n != tt.events, (last == nil) != (tt.status == 0):
				t.Errorf("%d events and %v", n, last)
			case tt.status > 0 && (!errors.As(last, &r) || r.Status != tt.status || r.Code != tt.code || strings.Contains(last.Error(), "secret")):
				t.Errorf("%v", last)
			}
		})
	}
}

func TestBaseURLs(t *testing.T) {
	if _, err := anthropic.New(provider.Config{}, nil); err != nil {
		t.Errorf("without a base URL: %v", err)
	}
	if _, err := anthropic.New(provider.Config{BaseURL: "ftp://x"}, nil); err == nil {
		t.Error("ftp is taken")
	}
}
