package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/server"
)

// A key that is rotated in Vault is shown to the provider without a request lost,
// and while Vault is sealed the last one is.
func TestRotatedSecret(t *testing.T) {
	var key atomic.Value
	var sealed atomic.Bool
	key.Store("one-hush")
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sealed.Load() {
			http.Error(w, `{"errors":["Vault is sealed"]}`, http.StatusServiceUnavailable)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/v1/sys/") {
			_, _ = io.WriteString(w, `{"data":{"options":{"version":"2"},"path":"secret/","type":"kv"}}`)
			return
		}
		fmt.Fprintf(w, `{"data":{"data":{"key":%q},"metadata":{"version":1}}}`, key.Load())
	}))
	t.Cleanup(vault.Close)
	t.Setenv("VAULT_ADDR", vault.URL)
	t.Setenv("VAULT_TOKEN", "t")
	secret, err := strictyaml.NewSecret("vault:secret/openai#key")
	if err != nil {
		t.Fatal(err)
	}
	var shown atomic.Value
	answer := says("hello", 3)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		shown.Store(r.Header.Get("Authorization"))
		answer(w, r, body)
	})
	c := config.Default()
	c.Listen, c.Data, c.Anonymous, c.Default = "127.0.0.1:0", t.TempDir(), true, "u"
	p := config.Upstream(u.URL+"/v1", false)
	p.Key = secret
	c.Providers = map[string]config.Provider{"u": p}
	c.Secrets.Refresh = 50 * time.Millisecond

	sealed.Store(true)
	if s, err := server.New(t.Context(), server.Options{Config: c}); err == nil || !strings.Contains(err.Error(), "vault:secret/openai#key: asking Vault: it is sealed") {
		t.Fatalf("a start without its key: %v, %v", s, err)
	}
	sealed.Store(false)
	for name, reload := range map[string]func() (*config.Config, error){"with a file": func() (*config.Config, error) { return c, nil }, "without": nil} {
		t.Run(name, func(t *testing.T) {
			key.Store("one-hush")
			c.Data = t.TempDir()
			h := standOn(t, u, server.Options{Config: c, Reload: reload})
			stop := make(chan struct{})
			var group sync.WaitGroup
			for range 3 {
				group.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						if resp, body := h.chat(question("hi", "")); resp.StatusCode != 200 {
							t.Errorf("%d %s", resp.StatusCode, body)
							return
						}
					}
				})
			}
			is := func(want string) func() bool { return func() bool { return shown.Load() == "Bearer "+want } }
			until(t, "the key is shown", is("one-hush"))
			key.Store("two-hush")
			until(t, "the new key is shown", is("two-hush"))
			sealed.Store(true)
			says := func() string {
				var ready map[string]string
				code, body := h.get("/readyz")
				if err := json.Unmarshal([]byte(body), &ready); err != nil || code != 200 {
					t.Errorf("/readyz: %d %s", code, body)
				}
				return ready["secrets"]
			}
			until(t, "the secret is stale", func() bool { return strings.HasPrefix(says(), "stale: 1 ") })
			if _, metrics := h.get("/metrics"); !strings.Contains(metrics, "ringwall_secrets_stale 1") {
				t.Error("the metric does not say that a secret is stale")
			}
			if !is("two-hush")() {
				t.Errorf("while Vault is sealed %v is shown", shown.Load())
			}
			sealed.Store(false)
			until(t, "it is current", func() bool { return says() == "current" })
			close(stop)
			group.Wait()
		})
	}
}
