package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

const web = "spiffe://example.org/ns/shop/sa/web"

// asks asks a question. Reused says whether the connection stood already.
func (h *house) asks(c *http.Client, bearer string) (resp *http.Response, body string, reused bool, err error) {
	ctx := httptrace.WithClientTrace(h.t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/v1/chat/completions", strings.NewReader(question("hi", "")))
	if err != nil {
		h.t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err = c.Do(r)
	if err != nil {
		return nil, "", reused, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), reused, err
}

// behind stands a house with TLS before u, whose configuration is a file that edit
// writes anew.
func behind(t *testing.T, u *upstream, edit func() string) (h *house, write func()) {
	t.Helper()
	file, data := filepath.Join(t.TempDir(), "ringwall.yaml"), t.TempDir()
	write = func() {
		t.Helper()
		text := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\nproviders:\n  u:\n    base_url: %s/v1\ndefault_provider: u\n%s", data, u.URL, edit())
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write()
	load := func() (*config.Config, error) { return config.Load(file) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return standOn(t, u, server.Options{Config: c, Reload: load, File: file}), write
}

func TestClientCertificates(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	a, wrong := newAuthority(t, "ours"), newAuthority(t, "theirs")
	cert, key := a.server("gateway", "gateway.test")
	good, bad := a.client(web, nil), a.client(web, nil)
	crl := a.revoke(time.Now().Add(time.Hour), bad)
	mode := "optional"
	h, write := behind(t, u, func() string {
		return fmt.Sprintf(`tls:
  cert: %s
  key: %s
  clients:
    mode: %s
    ca: %s
    crl: [%s]
    trust_domains: [example.org]
    identities:
      - {spiffe: "spiffe://example.org/ns/shop/**", tenant: shop, trust: staff, roles: [web], scopes: [ask-model]}
      - {dns: batch.shop.example, tenant: batch, trust: customer}
`, cert, key, mode, a.file(), crl)
	})
	text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "k", Trust: ringwall.Customer})
	if err != nil {
		t.Fatal(err)
	}
	past := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}
	future := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	}
	serverOnly := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	second := func(c *x509.Certificate) {
		more, _ := url.Parse("spiffe://example.org/ns/shop/sa/other")
		c.URIs = append(c.URIs, more)
	}
	named := func(c *x509.Certificate) { c.DNSNames = []string{"batch.shop.example"} }
	type row struct {
		name   string
		show   []tls.Certificate
		bearer string
		status int // 0: the connection does not come about
		id     string
	}
	rows := []row{
		{"right", []tls.Certificate{good}, "", 200, web},
		{"right, by a DNS name", []tls.Certificate{a.client("", named)}, "", 200, "dns:batch.shop.example"},
		{"of a wrong CA", []tls.Certificate{wrong.client(web, nil)}, "", 0, ""},
		{"expired", []tls.Certificate{a.client(web, past)}, "", 0, ""},
		{"not yet valid", []tls.Certificate{a.client(web, future)}, "", 0, ""},
		{"of a server", []tls.Certificate{a.client(web, serverOnly)}, "", 0, ""},
		{"revoked", []tls.Certificate{bad}, "", 0, ""},
		{"revoked, beside a key", []tls.Certificate{bad}, text, 0, ""},
		{"with two URIs", []tls.Certificate{a.client(web, second)}, "", 401, ""},
		{"of a foreign trust domain", []tls.Certificate{a.client("spiffe://evil.example/ns/shop/sa/web", nil)}, "", 401, ""},
		{"of nobody known", []tls.Certificate{a.client("spiffe://example.org/ns/else", nil)}, "", 401, ""},
		{"of nobody known, beside a key", []tls.Certificate{a.client("spiffe://example.org/ns/else", nil)}, text, 200, "rw_"},
		{"none", nil, "", 401, ""},
		{"none, and a key", nil, text, 200, "rw_"},
	}
	try := func(t *testing.T, tt row, http2 bool) {
		t.Helper()
		h := *h
		h.t = t
		resp, body, _, err := h.asks(a.browse("gateway.test", http2, tt.show...), tt.bearer)
		if tt.status == 0 {
			if err == nil {
				t.Fatalf("let in: %d %s", resp.StatusCode, body)
			}
			return
		}
		if err != nil || resp.StatusCode != tt.status || (resp.ProtoMajor == 2) != http2 || resp.TLS.Version != tls.VersionTLS13 {
			t.Fatalf("%v %+v %s", err, resp, body)
		}
		if resp.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
			t.Errorf("headers %v", resp.Header)
		}
		ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
		if !strings.HasPrefix(ev.Principal.ID, tt.id) || tt.status == 401 && (ev.Principal.ID != "" || ev.Outcome != ringwall.Denied) {
			t.Errorf("record %+v", ev)
		}
		if tt.id == web && (ev.Principal.Via != "certificate" || ev.Principal.Tenant != "shop" || ev.Principal.Trust != ringwall.Staff || ev.Principal.Key != "serial:"+good.Leaf.SerialNumber.Text(16)) {
			t.Errorf("principal %+v", ev.Principal)
		}
	}
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			try(t, tt, false)
			try(t, tt, true)
		})
	}

	// From here on nobody connects without one, and connections that stand are looked
	// at again.
	stood, old := a.browse("gateway.test", false), a.browse("gateway.test", true, good)
	for _, c := range []*http.Client{stood, old} {
		if resp, body, _, err := h.asks(c, text); err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, body, err)
		}
	}
	mode = "required"
	write()
	until(t, "a connection without a certificate is refused", func() bool {
		resp, _, _, err := h.asks(stood, text)
		return err != nil || resp.StatusCode == 401
	})
	if _, _, _, err := h.asks(a.browse("gateway.test", false), text); err == nil {
		t.Error("a new connection without a certificate is let in")
	}
	if resp, body, reused, err := h.asks(old, ""); err != nil || resp.StatusCode != 200 || !reused {
		t.Errorf("a connection with one: %v %s, reused %v, %v", resp, body, reused, err)
	}
}

// A certificate that is revoked while its connection stands, and one whose list or CA is
// gone, is refused with the next request, without a restart, beside a key too.
func TestRevokedWhileConnected(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", http2), func(t *testing.T) {
			u := newUpstream(t, says("hello", 3))
			a := newAuthority(t, "ours")
			cert, key := a.server("gateway", "gateway.test")
			crl := a.revoke(time.Now().Add(time.Hour))
			h, _ := behind(t, u, func() string {
				return fmt.Sprintf(`tls: {cert: %s, key: %s, clients: {mode: optional, ca: %s, crl: [%s], trust_domains: [example.org], identities: [{spiffe: "spiffe://example.org/**"}]}}
`, cert, key, a.file(), crl)
			})
			text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "k", Trust: ringwall.Customer})
			if err != nil {
				t.Fatal(err)
			}
			one, two := a.client(web, nil), a.client(web+"2", nil)
			first, keyed, second := a.browse("gateway.test", http2, one), a.browse("gateway.test", http2, one), a.browse("gateway.test", http2, two)
			ask := func(c *http.Client, bearer string) (status int, reused bool) {
				t.Helper()
				resp, _, reused, err := h.asks(c, bearer)
				if err != nil {
					return 0, reused
				}
				return resp.StatusCode, reused
			}
			for c, bearer := range map[*http.Client]string{first: "", keyed: text, second: ""} {
				if status, _ := ask(c, bearer); status != 200 {
					t.Fatalf("%d before anything is revoked", status)
				}
			}
			a.revoke(time.Now().Add(time.Hour), one)
			var was bool
			until(t, "the revoked certificate is refused", func() bool {
				status, reused := ask(first, "")
				was = reused
				return status != 200
			})
			if !was {
				t.Error("it was refused on a new connection alone")
			}
			if status, reused := ask(keyed, text); status != 401 || !reused {
				t.Errorf("beside a key: %d, reused %v", status, reused)
			}
			if status, _ := ask(first, ""); status != 0 { // nor go on with its session
				t.Errorf("it may connect again: %d", status)
			}
			if status, reused := ask(second, ""); status != 200 || !reused {
				t.Errorf("another is refused: %d, reused %v", status, reused)
			}
			a.revoke(time.Now().Add(-time.Second)) // a list whose time is over
			until(t, "nobody is let in by a list that is over", func() bool { status, _ := ask(second, ""); return status != 200 })
			a.revoke(time.Now().Add(time.Hour))
			until(t, "both are let in again", func() bool { status, _ := ask(first, ""); return status == 200 })
			a.write("ca.pem", "CERTIFICATE", newAuthority(t, "theirs").cert.Raw)
			until(t, "nobody is let in of a CA that is gone", func() bool { status, _ := ask(first, ""); return status != 200 })
		})
	}
}
