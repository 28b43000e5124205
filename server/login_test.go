package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/auth/login"
	"github.com/ringwall/ringwall/auth/session"
	"github.com/ringwall/ringwall/auth/token"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// issuer signs tokens.
type issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": i.URL, "aud": "ringwall", "sub": "alice", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	for k, v := range claims {
		all[k] = v
	}
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (i *issuer) config(name string) config.OIDC {
	return config.OIDC{Name: name, Issuer: i.URL, Audience: []string{"ringwall"}, Roles: []string{"groups"}, Rules: []config.TrustRule{{Claim: "groups", Value: "staff", Trust: ringwall.Staff}}}
}

// A reload takes issuers that changed; one that is wrong leaves those in force.
func TestReloadTakesIssuers(t *testing.T) {
	u := newUpstream(t, says("Hello.", 3))
	i := newIssuer(t)
	file, data := filepath.Join(t.TempDir(), "ringwall.yaml"), t.TempDir()
	write := func(more string) {
		t.Helper()
		text := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\nproviders:\n  u:\n    base_url: %s/v1\ndefault_provider: u\n%s", data, u.URL, more)
		if err := errors.Join(os.WriteFile(file+".new", []byte(text), 0o600), os.Rename(file+".new", file)); err != nil {
			t.Fatal(err)
		}
	}
	oidc := func(audience string) string {
		return fmt.Sprintf("oidc: [{name: main, issuer: %q, audience: [%s]}]\n", i.URL, audience)
	}
	write("")
	load := func() (*config.Config, error) { return config.Load(file) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load, File: file})
	status := func() int {
		resp, _ := h.chat(hello, "Authorization", "Bearer "+i.token(t, nil))
		return resp.StatusCode
	}
	if got := status(); got != http.StatusUnauthorized {
		t.Fatalf("before: %d", got)
	}
	write(oidc("ringwall"))
	until(t, "the issuer is known", func() bool { return status() == http.StatusOK })
	write("oidc: [{name: main, issuer: 'http://op.example', audience: [x]}]\n")
	until(t, "the file is refused", func() bool { _, text := h.get("/readyz"); return strings.Contains(text, "refused") })
	if got := status(); got != http.StatusOK {
		t.Errorf("while the file is wrong: %d", got)
	}
	if _, text := h.get("/readyz"); !strings.Contains(text, `"issuers":"current"`) {
		t.Errorf("/readyz: %s", text)
	}
	write(oidc("other"))
	until(t, "the audience is another", func() bool { return status() == http.StatusUnauthorized })
}

const hello = `{"model":"m","messages":[{"role":"user","content":"hello"}]}`

func TestTokensOfIssuers(t *testing.T) {
	u := newUpstream(t, says("Hello.", 3))
	i := newIssuer(t)
	h := stand(t, u, func(c *config.Config) { c.Anonymous, c.OIDC = false, []config.OIDC{i.config("main")} })
	resp, body := h.chat(hello, "Authorization", "Bearer "+i.token(t, map[string]any{"groups": []string{"staff"}, "azp": "ringwall"}))
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", resp.Status, body)
	}
	p := h.record(resp.Header.Get("X-Ringwall-Exchange")).Principal
	if p.ID != token.ID(i.URL, "alice") || p.Trust != ringwall.Staff || p.Via != "token" {
		t.Errorf("recorded %+v", p)
	}
	for name, bad := range map[string]string{
		"another audience": i.token(t, map[string]any{"aud": "shop"}), "expired": i.token(t, map[string]any{"iat": 1, "exp": 2}), "another issuer": newIssuer(t).token(t, nil), "nonsense": "a.b.c",
	} {
		resp, body := h.chat(hello, "Authorization", "Bearer "+bad)
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" || strings.Contains(body, i.URL) {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
	}
	// What was issued until now is void when its principal is revoked.
	good := i.token(t, nil)
	if resp, _ := h.chat(hello, "Authorization", "Bearer "+good); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	if _, err := h.Sessions().Revoke(t.Context(), session.Which{Principal: p.ID}, "a test"); err != nil {
		t.Fatal(err)
	}
	if resp, _ := h.chat(hello, "Authorization", "Bearer "+good); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token of before the revocation: %s", resp.Status)
	}
}

func TestSessionsOfBrowsers(t *testing.T) {
	u := newUpstream(t, says("Hello.", 3))
	i := newIssuer(t)
	h := stand(t, u, func(c *config.Config) {
		c.Anonymous, c.OIDC = false, []config.OIDC{i.config("main")}
		c.Login = config.Login{Issuer: "main", URL: "https://gateway.example", Client: "web", Home: "/session"}
	})
	text, s, err := h.Sessions().Begin(t.Context(), auth.Proof{Principal: ringwall.Principal{ID: "u_alice", Trust: ringwall.Customer}, Issuer: "main", Issued: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	cookie := login.Cookie + "=" + text
	for _, tt := range []struct {
		name   string
		header []string
		want   int
	}{
		{"as a bearer", []string{"Authorization", "Bearer " + text}, 200},
		{"as a cookie of this site", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 200},
		{"as a cookie of another site", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 403},
		{"as a cookie of another origin", []string{"Cookie", cookie, "Origin", "https://evil.example"}, 403},
		{"as a cookie of this origin", []string{"Cookie", cookie, "Origin", "https://gateway.example"}, 200},
		{"beside a key that is none", []string{"Cookie", cookie, "Authorization", "Bearer rw_x"}, 401},
		{"as a cookie of another name", []string{"Cookie", "ringwall=" + text}, 401},
		{"cut off", []string{"Cookie", cookie[:len(cookie)-1]}, 401},
	} {
		resp, body := h.chat(hello, tt.header...)
		if resp.StatusCode != tt.want {
			t.Errorf("%s: %s %s", tt.name, resp.Status, body)
		}
		if id := resp.Header.Get("X-Ringwall-Exchange"); tt.want == 200 {
			if p := h.record(id).Principal; p.ID != "u_alice" || p.Via != "session" {
				t.Errorf("%s: recorded %+v", tt.name, p)
			}
		}
	}
	if err := h.Sessions().Lower(t.Context(), s.ID, ringwall.Verified); err != nil {
		t.Fatal(err)
	}
	resp, _ := h.chat(hello, "Authorization", "Bearer "+text)
	if p := h.record(resp.Header.Get("X-Ringwall-Exchange")).Principal; p.Trust != ringwall.Verified {
		t.Errorf("trust did not fall: %+v", p)
	}
	if _, err := h.Sessions().Revoke(t.Context(), session.Which{ID: s.ID}, "a test"); err != nil {
		t.Fatal(err)
	}
	if resp, _ := h.chat(hello, "Authorization", "Bearer "+text); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a revoked session: %s", resp.Status)
	}
}

func TestLoginIsServedWhereItIsConfigured(t *testing.T) {
	u := newUpstream(t, says("Hello.", 3))
	i := newIssuer(t)
	with := func(c *config.Config) {
		c.OIDC = []config.OIDC{i.config("main")}
		c.Login = config.Login{Issuer: "main", URL: "https://gateway.example", Client: "web", Home: "/session"}
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(url string) *http.Response {
		t.Helper()
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	if resp := get(stand(t, u, nil).url + "/login"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("without a provider: %s", resp.Status)
	}
	h := stand(t, u, with)
	resp := get(h.url + "/login")
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, i.URL+"/authorize?") || !strings.Contains(to, "code_challenge_method=S256") {
		t.Errorf("%s %s", resp.Status, to)
	}
	if resp := get(h.url + "/session"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("who am I: %s", resp.Status)
	}
	if resp := get(h.url + "/login/callback?state=x&code=y"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("an answer to nothing: %s", resp.Status)
	}
	i.Close()
	h = stand(t, u, with) // starts all the same
	until(t, "/readyz tells who is away", func() bool {
		code, text := h.get("/readyz")
		return code == http.StatusOK && strings.Contains(text, `"issuers":"away: main`)
	})
	if resp := get(h.url + "/login"); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a login at a provider that is away: %s", resp.Status)
	}
}

// Who reads guardrails, which takes staff, by a token must have proved lately who they are.
func TestStepUp(t *testing.T) {
	u := newUpstream(t, says("Hello.", 3))
	i := newIssuer(t)
	h := stand(t, u, func(c *config.Config) {
		o := i.config("main")
		o.Trust = ringwall.Operator
		c.Anonymous, c.OIDC = false, []config.OIDC{o}
		c.Login.StepUp = config.StepUp{Trust: ringwall.Staff, ACR: []string{"mfa"}, MaxAge: 5 * time.Minute}
	})
	list := func(bearer string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, h.url+"/guardrails", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+bearer)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("WWW-Authenticate")
	}
	key, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "op", Trust: ringwall.Operator})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	for _, tt := range []struct {
		name, bearer string
		want         int
	}{
		{"a key", key, 200},
		{"a token that says nothing", i.token(t, nil), 401},
		{"a weak proof", i.token(t, map[string]any{"acr": "pwd", "auth_time": now}), 401},
		{"an old proof", i.token(t, map[string]any{"acr": "mfa", "auth_time": now - 600}), 401},
		{"a good proof", i.token(t, map[string]any{"acr": "mfa", "auth_time": now}), 200},
	} {
		code, challenge := list(tt.bearer)
		if code != tt.want || tt.want == 401 && !strings.Contains(challenge, `error="insufficient_user_authentication"`) || tt.want == 401 && !strings.Contains(challenge, `acr_values="mfa", max_age="300"`) {
			t.Errorf("%s: %d %s", tt.name, code, challenge)
		}
	}
	if resp, body := h.chat(hello, "Authorization", "Bearer "+i.token(t, nil)); resp.StatusCode != http.StatusOK {
		t.Errorf("a request to a model: %s %s", resp.Status, body)
	}
}
