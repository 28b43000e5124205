package server_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// call asks a route and returns what it says.
func call(t *testing.T, c *http.Client, method, url string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func TestAdminListener(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	h := stand(t, u, func(c *config.Config) {
		c.Anonymous, c.Admin.Listen = false, "127.0.0.1:0"
		c.Admin.Origins = []string{"https://console.example"}
	})
	key := func(name string, trust ringwall.Trust, scopes ...string) string {
		text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: name, Trust: trust, Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	operator, staff, customer := key("operator", ringwall.Operator), key("staff", ringwall.Staff), key("customer", ringwall.Customer)
	observer, asker := key("observer", ringwall.Operator, "observe"), key("asker", ringwall.Operator, "ask-model")
	for _, tt := range []struct {
		name, method, url string
		header            []string
		status            int
		want, not         string
	}{
		{"the gateway lives", "GET", h.url + "/healthz", nil, 200, `"ok"`, ""},
		{"so says the other listener", "GET", h.AdminURL() + "/healthz", nil, 200, `"ok"`, ""},
		{"no metrics beside the models", "GET", h.url + "/metrics", []string{"Authorization", operator}, 404, "not_found", "ringwall_build"},
		{"readiness beside the models, without details", "GET", h.url + "/readyz", nil, 200, `{"status":"ready"}`, "config"},
		{"no administration beside the models", "POST", h.url + "/admin/reload", []string{"Authorization", operator}, 404, "not_found", ""},
		{"no models at the other listener", "GET", h.AdminURL() + "/v1/models", []string{"Authorization", operator}, 404, "not_found", ""},
		{"metrics for staff", "GET", h.AdminURL() + "/metrics", []string{"Authorization", staff}, 200, "ringwall_config_current", ""},
		{"details of readiness", "GET", h.AdminURL() + "/readyz", []string{"Authorization", staff}, 200, `"config":"in force"`, ""},
		{"metrics for nobody", "GET", h.AdminURL() + "/metrics", nil, 401, "invalid_api_key", "ringwall_"},
		{"metrics for a customer", "GET", h.AdminURL() + "/metrics", []string{"Authorization", customer}, 403, "forbidden", "ringwall_"},
		{"metrics for a key that is no good", "GET", h.AdminURL() + "/metrics", []string{"Authorization", operator + "x"}, 401, "invalid_api_key", "ringwall_"},
		{"metrics for a password", "GET", h.AdminURL() + "/metrics", []string{"Authorization", "Basic eDp5"}, 401, "invalid_api_key", "ringwall_"},
		{"metrics for two keys", "GET", h.AdminURL() + "/metrics", []string{"Authorization", operator, "Authorization", staff}, 401, "invalid_api_key", "ringwall_"},
		{"metrics for a key for metrics", "GET", h.AdminURL() + "/metrics", []string{"Authorization", observer}, 200, "ringwall_config_current", ""},
		{"metrics for a key for models", "GET", h.AdminURL() + "/metrics", []string{"Authorization", asker}, 403, `"scope"`, "ringwall_"},
		{"administering by staff", "POST", h.AdminURL() + "/admin/reload", []string{"Authorization", staff}, 403, "forbidden", ""},
		{"administering by a key for metrics", "POST", h.AdminURL() + "/admin/reload", []string{"Authorization", observer}, 403, `"scope"`, ""},
		{"administering from a foreign page", "POST", h.AdminURL() + "/admin/reload", []string{"Authorization", operator, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403, "cross_origin", ""},
		{"administering from a page that may", "POST", h.AdminURL() + "/admin/reload", []string{"Authorization", operator, "Origin", "https://console.example", "Sec-Fetch-Site", "cross-site"}, 409, "without a configuration file", ""},
		{"administering by an operator", "POST", h.AdminURL() + "/admin/reload", []string{"Authorization", operator}, 409, "without a configuration file", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, body, _ := call(t, http.DefaultClient, tt.method, tt.url, tt.header...)
			if code != tt.status || !strings.Contains(body, tt.want) || tt.not != "" && strings.Contains(body, tt.not) {
				t.Errorf("%d %.300s", code, body)
			}
		})
	}
}

func TestAdminListenerWithTLS(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	a := newAuthority(t, "ours")
	cert, key := a.server("gateway", "gateway.test")
	h := stand(t, u, func(c *config.Config) {
		c.Admin.Listen, c.TLS.Cert, c.TLS.Key = "127.0.0.1:0", cert, key
		c.TLS.Clients = config.Clients{Mode: "optional", CA: a.file(), Domains: []string{"example.org"}, Identities: []config.Identity{
			{SPIFFE: "spiffe://example.org/prometheus", Trust: ringwall.Staff, Scopes: []string{"observe"}},
		}}
	})
	if code, body, _ := call(t, a.browse("gateway.test", true, a.client("spiffe://example.org/prometheus", nil)), "GET", h.AdminURL()+"/metrics"); code != 200 || !strings.Contains(body, "ringwall_certificate_end_seconds 1.") {
		t.Errorf("with a certificate: %d", code)
	}
	if code, body, _ := call(t, a.browse("gateway.test", true), "GET", h.AdminURL()+"/metrics"); code != 401 {
		t.Errorf("without: %d %s", code, body)
	}
}

func TestReloadByAnOperator(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	file := filepath.Join(t.TempDir(), "ringwall.yaml")
	load := func() (*config.Config, error) { return config.Load(file) }
	text := "listen: 127.0.0.1:0\ndata: " + t.TempDir() + "\nproviders:\n  u:\n    base_url: " + u.URL + "/v1\ndefault_provider: u\n"
	write := func(more string) {
		if err := os.WriteFile(file, []byte(text+more), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load}) // nobody watches the file
	bearer, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "operator", Trust: ringwall.Operator})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(want int, says string) {
		t.Helper()
		if code, body, _ := call(t, http.DefaultClient, "POST", h.url+"/admin/reload", "Authorization", "Bearer "+bearer); code != want || !strings.Contains(body, says) {
			t.Errorf("%d %s", code, body)
		}
	}
	ask(200, "in force")
	write("guardrail: nowhere\n")
	ask(422, "there is no guardrail")
	write("cors: [{paths: [/v1/], origins: [https://app.example]}]\n")
	ask(200, "in force")
	if code, _, head := call(t, http.DefaultClient, "OPTIONS", h.url+"/v1/chat/completions", "Origin", "https://app.example", "Access-Control-Request-Method", "POST"); code != 204 || head.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("the preflight: %d %v", code, head)
	}
	if code, _, head := call(t, http.DefaultClient, "OPTIONS", h.url+"/v1/chat/completions", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"); code != 403 || head.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a preflight of another: %d %v", code, head)
	}
	if code, _, _ := call(t, http.DefaultClient, "POST", h.url+"/v1/chat/completions", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); code != 403 {
		t.Errorf("another page: %d", code)
	}
}
