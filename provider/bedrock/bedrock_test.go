package bedrock_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/sigv4"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/bedrock"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// stand stands a Provider before a server, with the keys of AWS's documentation.
func stand(t *testing.T, key string, answer http.HandlerFunc) *bedrock.Provider {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	cfg := bedrock.Config{Config: provider.Config{BaseURL: s.URL, Retries: -1}, Region: "eu-central-1", Now: func() time.Time { return now }}
	if key != "" {
		cfg.Key = func() (string, error) { return key, nil }
	}
	p, err := bedrock.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestSignsWhatItAsks(t *testing.T) {
	for _, key := range []string{"", "bedrock-api-key"} {
		p := stand(t, key, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if got := r.URL.EscapedPath(); got != "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Ainference-profile%2Feu.x-v1%3A0/converse" {
				t.Errorf("asked %s", got)
			}
			if key != "" {
				if got := r.Header.Get("Authorization"); got != "Bearer "+key {
					t.Errorf("Authorization: %s", got)
				}
			} else if c, err := sigv4.Parse(r); err != nil {
				t.Error(err)
			} else if err := c.Verify(r, sha256.Sum256(body), "wJalrXUtnFEMI", "bedrock", now); err != nil || c.KeyID != "AKIDEXAMPLE" {
				t.Errorf("key %s: %v", c.KeyID, err)
			}
			io.WriteString(w, `{"ok":true}`)
		})
		out, err := p.Complete(t.Context(), ringwall.Call{API: "bedrock-converse", Model: "arn:aws:bedrock:eu-central-1:1:inference-profile/eu.x-v1:0", Body: []byte(`{"a":1}`)})
		if err != nil || string(out) != `{"ok":true}` {
			t.Errorf("%s, %v", out, err)
		}
	}
}

func TestEvents(t *testing.T) {
	ev := func(name, payload string) string {
		return string(eventstream.AppendEvent(nil, name, []byte(payload)))
	}
	stop := ev("messageStop", `{"stopReason":"end_turn"}`)
	const start, end = `{"bytes":"eyJ0eXBlIjoibWVzc2FnZV9zdGFydCJ9"}`, `{"bytes":"eyJ0eXBlIjoibWVzc2FnZV9zdG9wIn0="}`
	for _, tt := range []struct {
		name, api, answer, events string
		status                    int // of the error; 0: an error without one, -1: no error
	}{
		{"a whole stream", "bedrock-converse", ev("messageStart", `{"role":"assistant"}`) + stop, `{"messageStart":{"role":"assistant"}}{"messageStop":{"stopReason":"end_turn"}}`, -1},
		{"one without its end", "bedrock-converse", ev("messageStart", `{}`), `{"messageStart":{}}`, 0},
		{"one that is cut", "bedrock-converse", stop + stop[:9], `{"messageStop":{"stopReason":"end_turn"}}`, 0},
		{"chunks", "bedrock-invoke", ev("chunk", `{"bytes":"e30="}`), `{"chunk":{"bytes":"e30="}}`, -1},
		{"chunks of Claude", "bedrock-invoke", ev("chunk", start) + ev("chunk", end), `{"chunk":` + start + `}{"chunk":` + end + `}`, -1},
		{"chunks of Claude without their end", "bedrock-invoke", ev("chunk", start) + ev("chunk", `{"bytes":"e30="}`), `{"chunk":` + start + `}{"chunk":{"bytes":"e30="}}`, 0},
		{"throttled", "bedrock-converse", string(eventstream.AppendException(nil, "throttlingException", []byte(`{"message":"secret"}`))), "", 429},
		{"refused", "bedrock-invoke", string(eventstream.AppendException(nil, "validationException", []byte(`{"message":"secret"}`))), "", 400},
		{"too slow", "bedrock-invoke", string(eventstream.AppendException(nil, "modelTimeoutException", []byte(`{"message":"secret"}`))), "", 504},
		{"broken", "bedrock-converse", string(eventstream.AppendException(nil, "modelStreamErrorException", []byte(`{"message":"secret"}`))), "", 0},
		{"an error without a model", "bedrock-converse", string(eventstream.Append(nil, nil, ":message-type", "error", ":error-code", "Boom", ":error-message", "secret")), "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := stand(t, "", func(w http.ResponseWriter, r *http.Request) {
				want := "/model/m/converse-stream"
				if tt.api == "bedrock-invoke" {
					want = "/model/m/invoke-with-response-stream"
				}
				if r.URL.Path != want {
					t.Errorf("asked %s", r.URL.Path)
				}
				w.Header().Set("Content-Type", eventstream.ContentType)
				io.WriteString(w, tt.answer)
			})
			var got strings.Builder
			var last error
			for ev, err := range p.Events(t.Context(), ringwall.Call{API: tt.api, Model: "m", Stream: true, Body: []byte(`{}`)}) {
				if last = err; err == nil {
					got.Write(ev.Data)
				}
			}
			var r *ringwall.Refusal
			status := -1
			if errors.As(last, &r) {
				status = r.Status
			} else if last != nil {
				status = 0
			}
			if got.String() != tt.events || status != tt.status || last != nil && strings.Contains(last.Error(), "secret") {
				t.Errorf("got %s, %v", got.String(), last)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	if _, err := bedrock.New(bedrock.Config{}); err == nil || !strings.Contains(err.Error(), "Region") {
		t.Errorf("without a Region: %v", err)
	}
	if _, err := bedrock.New(bedrock.Config{Key: func() (string, error) { return "k", nil }}); err == nil || !strings.Contains(err.Error(), "Region") {
		t.Errorf("with a key and without a Region: %v", err)
	}
	if _, err := bedrock.New(bedrock.Config{Config: provider.Config{BaseURL: "ftp://x"}, Region: "r"}); err == nil {
		t.Error("a base URL of FTP was taken")
	}
}
