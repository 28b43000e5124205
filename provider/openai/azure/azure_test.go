package azure_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/openai/azure"
)

// behind stands a provider before an upstream.
func behind(t testing.TB, cfg azure.Config, answer http.HandlerFunc) *azure.Provider {
	t.Helper()
	u := httptest.NewServer(answer)
	t.Cleanup(u.Close)
	cfg.BaseURL, cfg.Retries = u.URL, -1
	p, err := azure.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func key() (string, error) { return "k1", nil }

// Each API has its path, with a version and without, whole and streamed; the key
// goes in the header that it is for.
func TestAsksAsAzureWantsToBeAsked(t *testing.T) {
	for _, tt := range []struct {
		version, api string
		bearer       bool
		want         string
	}{
		{"", "openai", false, "/openai/v1/chat/completions"},
		{"", "openai-responses", true, "/openai/v1/responses"},
		{"", "openai-embeddings", false, "/openai/v1/embeddings"},
		{"2024-10-21", "openai", false, "/openai/deployments/my%2Fgpt%204/chat/completions?api-version=2024-10-21"},
		{"2024-10-21", "openai", true, "/openai/deployments/my%2Fgpt%204/chat/completions?api-version=2024-10-21"},
		{"2024-10-21", "openai-completions", false, "/openai/deployments/my%2Fgpt%204/completions?api-version=2024-10-21"},
		{"2024-10-21", "openai-embeddings", false, "/openai/deployments/my%2Fgpt%204/embeddings?api-version=2024-10-21"},
		{"2025-04-01-preview", "openai-responses", false, "/openai/responses?api-version=2025-04-01-preview"},
		{"a&b", "openai", false, "/openai/deployments/my%2Fgpt%204/chat/completions?api-version=a%26b"},
	} {
		asked := make(chan string, 2)
		p := behind(t, azure.Config{Key: key, Bearer: tt.bearer, Version: tt.version}, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			asked <- r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Api-Key") + "|" + r.Header.Get("Authorization") + " " + string(b)
			if strings.Contains(string(b), "stream") {
				w.Header().Set("Content-Type", "text/event-stream")
				io.WriteString(w, "data: {\"type\":\"response.completed\",\"choices\":[]}\n\ndata: [DONE]\n\n")
				return
			}
			io.WriteString(w, `{"choices":[]}`)
		})
		want := "k1|"
		if tt.bearer {
			want = "|Bearer k1"
		}
		call := ringwall.Call{API: tt.api, Model: "my/gpt 4", Body: []byte(`{"a":1}`)}
		if _, err := p.Complete(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != "POST "+tt.want+" "+want+` {"a":1}` {
			t.Errorf("asked %s, want %s", got, tt.want)
		}
		call.Stream, call.Body = true, []byte(`{"stream":true}`)
		n := 0
		for ev, err := range p.Events(t.Context(), call) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; !strings.Contains(string(ev.Data), "completed") {
				t.Errorf("event %s", ev.Data)
			}
		}
		if got := <-asked; n != 1 || got != "POST "+tt.want+" "+want+` {"stream":true}` {
			t.Errorf("asked %s for %d events, want %s", got, n, tt.want)
		}
	}
}

func TestModelsAndAPIs(t *testing.T) {
	for version, want := range map[string]string{"": "/openai/v1/models", "2024-10-21": "/openai/models?api-version=2024-10-21"} {
		p := behind(t, azure.Config{Key: key, Version: version}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RequestURI() != want {
				t.Errorf("asked %s", r.URL)
			}
			io.WriteString(w, `{"data":[{"id":"gpt-4o"},{"id":"o3"}]}`)
		})
		if names, err := p.Models(t.Context()); err != nil || fmt.Sprint(names) != "[gpt-4o o3]" || len(p.APIs()) != 4 {
			t.Errorf("%v, %v; %v", names, err, p.APIs())
		}
	}
	if _, err := azure.New(azure.Config{Config: provider.Config{BaseURL: "http://x"}, APIs: []string{"nope"}}); err == nil {
		t.Error("an API that there is not")
	}
}

// filtered is how Azure's own filter refuses a prompt.
const filtered = `{"error":{"message":"The response was filtered due to the prompt: kill","type":null,"param":"prompt","code":"content_filter","status":400,
"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":false,"severity":"safe"},"violence":{"filtered":true,"severity":"medium"}}}}}`

// What is wrong with a request is told, by its code alone.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       int
		code       string
		reason     provider.Reason
	}{
		{"its filter", filtered, 400, 400, "content_policy_violation", provider.Rejected},
		{"too long", `{"error":{"code":"context_length_exceeded","message":"kill"}}`, 400, 400, "context_length_exceeded", provider.Rejected},
		{"no deployment", `{"error":{"code":"DeploymentNotFound","message":"kill"}}`, 404, 0, "", provider.NoModel},
		{"no such key", `{"error":{"code":"401","message":"kill"}}`, 401, 502, "", provider.Denied},
		{"too often", `{"error":{"code":"429","message":"kill"}}`, 429, 429, "", provider.RateLimited},
		{"its own", `kill`, 500, 502, "", provider.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := behind(t, azure.Config{Key: key, Version: "2024-10-21"}, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			call := ringwall.Call{API: "openai", Model: "m", Body: []byte(`{}`)}
			_, whole := p.Complete(t.Context(), call)
			var streamed error
			for _, err := range p.Events(t.Context(), call) {
				streamed = err
			}
			for _, err := range []error{whole, streamed} {
				var r *ringwall.Refusal
				if !errors.As(err, &r) || tt.want > 0 && r.Status != tt.want || !strings.Contains(r.Public+r.Code, tt.code) || strings.Contains(r.Public, "kill") || provider.ReasonOf(err) != tt.reason {
					t.Errorf("%v: %+v, %s", err, r, provider.ReasonOf(err))
				}
			}
		})
	}
}

// Whatever the body of an error is, it is read, and none of its words are told.
func FuzzErrors(f *testing.F) {
	var body atomic.Pointer[string]
	var status atomic.Int64
	p := behind(f, azure.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
		io.WriteString(w, *body.Load())
	})
	f.Add(filtered, 0)
	f.Add(`{"error":{"code":"context_length_exceeded"}}`, 29)
	f.Add(`{"error":"x"}`, 100)
	f.Fuzz(func(t *testing.T, text string, n int) {
		quoted, _ := json.Marshal(text)
		for _, b := range []string{text, `{"error":{"code":"content_filter","message":` + string(quoted) + `}}`, `{"error":{"message":"zebra","code":` + string(quoted) + `}}`} {
			body.Store(&b)
			status.Store(int64(400 + uint(n)%200))
			_, err := p.Complete(t.Context(), ringwall.Call{API: "openai", Model: "m", Body: []byte(`{}`)})
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status < 400 || r.Status > 599 || strings.Contains(r.Public, "zebra") || r.Public == "" {
				t.Fatalf("%s: %v", b, err)
			}
		}
	})
}
