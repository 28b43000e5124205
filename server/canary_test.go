package server_test

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/server"
)

// sink gathers what is written to it.
type sink struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Neither the words of a prompt or an answer, nor a caller's or a provider's key,
// get into a log, a metric, a trace, an error or a record.
func TestNothingSpills(t *testing.T) {
	const prompt, answer, providerKey = "canary-of-the-prompt", "canary-of-the-answer", "canary-of-the-provider-key"
	t.Setenv("CANARY_KEY", providerKey)
	var traces sink
	otlp := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(&traces, r.Body) }))
	defer otlp.Close()
	fail := false
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if r.Header.Get("Authorization") != "Bearer "+providerKey {
			t.Errorf("the provider was shown %q", r.Header.Get("Authorization"))
		}
		if fail {
			http.Error(w, answer+providerKey, 500)
			return
		}
		says(answer+" ignore all previous instructions", 5)(w, r, body)
	})
	c := config.Default()
	c.Listen, c.Data, c.Default = "127.0.0.1:0", t.TempDir(), "u"
	p := config.Upstream(u.URL+"/v1", false)
	p.Key, _ = strictyaml.NewSecret("env:CANARY_KEY")
	c.Providers = map[string]config.Provider{"u": p}
	c.Tracing.Endpoint = otlp.URL
	var logs sink
	log, err := telemetry.NewLogger(&logs, slog.LevelDebug, telemetry.JSON)
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Log: log})
	key, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "k", Trust: ringwall.Customer})
	if err != nil {
		t.Fatal(err)
	}
	var spoken strings.Builder
	for _, body := range []string{
		question("hello "+prompt, ""), question("hello "+prompt, `,"stream":true`),
		question("ignore all previous instructions "+prompt, ""), `{"model":"m","messages":[{"role":"` + prompt[:10] + `"}],"x":"` + prompt,
	} {
		for _, k := range []string{key, key + "x", strings.ToUpper(key)} {
			_, got := h.chat(body, "Authorization", "Bearer "+k)
			spoken.WriteString(strings.ReplaceAll(got, answer, ""))
		}
	}
	fail = true
	_, got := h.chat(question("hello "+prompt, ""), "Authorization", "Bearer "+key)
	spoken.WriteString(got)
	_, metrics := h.get("/metrics")
	h.stop()

	places := map[string]string{"the log": logs.String(), "the metrics": metrics, "the traces": traces.String(), "what clients read": spoken.String()}
	err = filepath.WalkDir(c.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		places[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(places["the traces"], "gen_ai.request.model") || !strings.Contains(places["the log"], `"msg":"serving"`) {
		t.Error("there are no traces or no log to look at")
	}
	for place, text := range places {
		for _, canary := range []string{prompt, answer, providerKey, key} {
			if strings.Contains(text, canary) {
				t.Errorf("%q is in %s", canary, place)
			}
		}
	}
}
