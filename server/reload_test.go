package server_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// get returns what a path says.
func (h *house) get(path string) (int, string) {
	h.t.Helper()
	resp, err := http.Get(h.url + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// until waits for ok.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("in vain waited until %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A change of the file is taken while requests go on, and none is lost; a file
// that is wrong leaves the old world, and everybody can see it.
func TestReloadUnderLoad(t *testing.T) {
	u := newUpstream(t, says("the bluebird sings", 3))
	file := filepath.Join(t.TempDir(), "ringwall.yaml")
	data := t.TempDir()
	write := func(more string) {
		text := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\nanonymous: true\nproviders:\n  u:\n    base_url: %s/v1\ndefault_provider: u\n%s", data, u.URL, more)
		tmp := file + ".new"
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, file); err != nil {
			t.Fatal(err)
		}
	}
	const masking = "guardrail: birds\nguardrails:\n  birds:\n    word: {output: mask, words: [bluebird]}\n"
	write("")
	load := func() (*config.Config, error) { return config.Load(file) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load, File: file})
	body := question("hi", "")

	var wg sync.WaitGroup
	var sent atomic.Int64
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, text := h.chat(body)
				sent.Add(1)
				if resp.StatusCode != 200 || !strings.Contains(text, "the bluebird sings") && !strings.Contains(text, "the {LISTED_WORD} sings") {
					t.Errorf("%d %s", resp.StatusCode, text)
					return
				}
			}
		})
	}
	masked := func() bool { _, text := h.chat(body); return strings.Contains(text, "{LISTED_WORD}") }
	refused := func() bool { _, text := h.get("/readyz"); return strings.Contains(text, "refused") }
	for range 3 {
		write(masking)
		until(t, "the guardrail masks", masked)
		write("guardrail: nowhere\n")
		until(t, "the file is refused", refused)
		if !masked() {
			t.Error("a file that is wrong took the guardrail away")
		}
		if code, _ := h.get("/readyz"); code != 200 {
			t.Errorf("/readyz = %d while the old world serves", code)
		}
		if _, metrics := h.get("/metrics"); !strings.Contains(metrics, "ringwall_config_current 0") {
			t.Error("the metric does not say that the file was refused")
		}
		write("")
		until(t, "the guardrail is gone", func() bool { return !masked() })
		if refused() {
			t.Error("/readyz still tells of the wrong file")
		}
	}
	close(stop)
	wg.Wait()
	if sent.Load() < 20 {
		t.Errorf("only %d requests were sent", sent.Load())
	}
	for kind, want := range map[ringwall.Kind]int{ringwall.ConfigLoaded: 7, ringwall.ConfigRefused: 3} {
		if list, err := h.Records().Query(t.Context(), audit.Filter{Kind: kind}); err != nil || len(list) != want {
			t.Errorf("%d records of %s, %v; want %d", len(list), kind, err, want)
		}
	}
	write("listen: 127.0.0.1:1\n")
}

// Stopping lets a stream end.
func TestShutdownDrainsStreams(t *testing.T) {
	begun := make(chan struct{})
	end := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"begun \"}}]}\n\n")
		http.NewResponseController(w).Flush()
		close(begun)
		<-end
		io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ended\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	})
	h := stand(t, u, nil)
	got := make(chan string)
	go func() {
		_, body := h.chat(question("hi", `,"stream":true`))
		got <- body
	}()
	<-begun
	stopped := make(chan struct{})
	go func() { h.stop(); close(stopped) }()
	until(t, "nobody is let in any more", func() bool {
		_, err := http.Get(h.url + "/healthz")
		return err != nil
	})
	close(end)
	if body := <-got; !strings.Contains(body, "ended") || !strings.Contains(body, "[DONE]") {
		t.Errorf("the client read %s", body)
	}
	<-stopped
}

func TestModelsAndUnknownRoutes(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		io.WriteString(w, `{"object":"list","data":[{"id":"big","object":"model"},{"id":"small"}]}`)
	})
	h := stand(t, u, func(c *config.Config) { c.Models = map[string]config.Model{"assistant": {Provider: "u", Model: "big"}} })
	code, body := h.get("/v1/models")
	if code != 200 || strings.Count(body, `"object":"model"`) != 3 || !strings.Contains(body, `"assistant"`) || !strings.Contains(body, `"small"`) {
		t.Errorf("%d %s", code, body)
	}
	for path, want := range map[string]int{"/v1/embeddings": 405, "/": 404, "/v1/chat/completions": 405, "/v1/nothing": 404} {
		if code, body := h.get(path); code != want || !strings.Contains(body, map[int]string{404: "not_found", 405: "method_not_allowed"}[want]) {
			t.Errorf("GET %s: %d %s", path, code, body)
		}
	}
	if _, metrics := h.get("/metrics"); !strings.Contains(metrics, "ringwall_build_info") && !strings.Contains(metrics, "go_goroutines") {
		t.Error("no metrics")
	}
}
