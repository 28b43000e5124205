package server_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/redact"
	"github.com/ringwall/ringwall/waf"
)

// clip is a sound as OpenAI's clients upload it.
func clip(t *testing.T, size int) (body, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "clip.wav")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(bytes.Repeat([]byte{0, 1, 0xff, '\n'}, size/4)) // to memory
	_ = w.WriteField("model", "whisper-1")
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func TestUnguardedIsPassedOnWhereTheOperatorSaysSo(t *testing.T) {
	body, kind := clip(t, 4096)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, got string) {
		switch {
		case r.URL.Path == "/v1/audio/speech": // a sound, piece by piece
			w.Header().Set("Content-Type", "audio/mpeg")
			w.Header().Set("Set-Cookie", "theirs=1")
			for range 100 {
				_, _ = w.Write(bytes.Repeat([]byte{0xff}, 1000))
				_ = http.NewResponseController(w).Flush()
			}
		case r.URL.Path != "/v1/audio/transcriptions" || r.URL.RawQuery != "x=1" || r.Method != http.MethodPost || got != body || r.Header.Get("Content-Type") != kind ||
			r.Header.Get("Authorization") != "Bearer theirs" || r.Header.Get("Cookie") != "" || r.Header.Get("X-Forwarded-For") != "":
			t.Errorf("the provider was asked %s %s %v with %d bytes", r.Method, r.URL, r.Header, len(got))
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"text":"call me at a.b@example.org"}`)
		}
	})
	t.Setenv("THEIRS", "theirs")
	h := stand(t, u, func(c *config.Config) {
		c.Anonymous = false
		p := c.Providers["u"]
		if err := p.Key.UnmarshalText([]byte("env:THEIRS")); err != nil {
			t.Fatal(err)
		}
		c.Providers["u"] = p
		c.Unguarded = []config.Bypass{{Path: "/v1/audio/", Provider: "u", Trust: redact.From(ringwall.Staff), Body: 1 << 20}}
	})
	key := func(name string, trust ringwall.Trust) string {
		text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: name, Trust: trust})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	anna, carl := key("anna", ringwall.Staff), key("carl", ringwall.Customer)

	resp, got := h.ask(http.MethodPost, "/v1/audio/transcriptions?x=1", body, "Authorization", anna, "Content-Type", kind, "Cookie", "ours=1")
	if resp.StatusCode != 200 || got != `{"text":"call me at a.b@example.org"}` || resp.Header.Get("X-Ringwall-Unguarded") != "true" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the client read %d %v %s", resp.StatusCode, resp.Header, got)
	}
	ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
	if ev.Outcome != ringwall.Answered || ev.Verdict.Action != ringwall.Flag || ev.Verdict.Reasons[0] != "unguarded" || ev.Provider != "u" || len(ev.Looks) == 0 || ev.Principal.Trust != ringwall.Staff {
		t.Errorf("the record is %+v", ev)
	}
	for _, l := range ev.Looks {
		if l.Control == waf.Control && l.State == ringwall.Ran {
			continue // from outside, every request is looked at
		}
		if l.State != ringwall.Skipped || l.Why != "unguarded" && l.Why != "not-configured" {
			t.Errorf("look %+v", l)
		}
	}
	if resp, got := h.ask(http.MethodPost, "/v1/audio/speech", `{"input":"hello"}`, "Authorization", anna); resp.StatusCode != 200 || len(got) != 100_000 || resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Content-Type") != "audio/mpeg" {
		t.Errorf("the sound is %d %v, %d bytes", resp.StatusCode, resp.Header, len(got))
	}

	large, kind := clip(t, 2<<20)
	u.answer = func(_ http.ResponseWriter, r *http.Request, _ string) { t.Errorf("the provider was asked %s", r.URL) }
	for _, tt := range []struct {
		name, path, as, body, code string
		status                     int
	}{
		{"nobody", "/v1/audio/speech", "", "{}", "invalid_api_key", 401},
		{"somebody who may not", "/v1/audio/speech", carl, "{}", "forbidden", 403},
		{"another part", "/v1/images/generations", anna, "{}", "not_guarded", 404},
		{"an escaped path", "/v1/audio/%2e%2e/chat/completions", anna, "{}", "invalid_path", 400},
		{"an escaped slash", "/v1/audio/..%2fchat%2fcompletions", anna, "{}", "request_refused", 403},
		{"an escaped slash that climbs nowhere", "/v1/audio/speech%2fx", anna, "{}", "not_guarded", 404},
		{"too much", "/v1/audio/transcriptions", anna, large, "request_too_large", 413},
	} {
		resp, got := h.ask(http.MethodPost, tt.path, tt.body, "Authorization", tt.as, "Content-Type", kind)
		if resp.StatusCode != tt.status || !strings.Contains(got, tt.code) {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, got)
		}
	}
}

// What goes wrong there is told in our words, within a time.
func TestUnguardedFails(t *testing.T) {
	var answer func(w http.ResponseWriter, r *http.Request, body string)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) { answer(w, r, body) })
	h := stand(t, u, func(c *config.Config) {
		p := c.Providers["u"]
		p.First, p.Idle = 300*time.Millisecond, 300*time.Millisecond
		c.Providers["u"] = p
		c.Unguarded = []config.Bypass{{Path: "/v1/files", Provider: "u", Trust: redact.From(ringwall.Anonymous), Body: 1 << 20}}
	})
	fails := func(status int) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":{"message":"secret"}}`)
		}
	}
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request, string)
		status int
		code   string
	}{
		{"an error", fails(500), 502, "upstream_error"},
		{"asked too often", fails(429), 429, "upstream_rate_limit"},
		{"a redirect", fails(302), 502, "upstream_error"},
		{"silence", func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }, 504, "upstream_timeout"},
	} {
		answer = tt.answer
		resp, got := h.ask(http.MethodGet, "/v1/files", "")
		if resp.StatusCode != tt.status || !strings.Contains(got, tt.code) || strings.Contains(got, "secret") {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, got)
		}
		if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.UpstreamFail {
			t.Errorf("%s: the record is %+v", tt.name, ev)
		}
	}
	answer = func(w http.ResponseWriter, r *http.Request, _ string) { // half an answer does not look whole
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/v1/files", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err == nil || string(got) != "half" {
		t.Errorf("half an answer is %q, %v", got, err)
	}
}
