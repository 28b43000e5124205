package login

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const config = `oidc:
  - name: zitadel
    issuer: OP
    audience: [AUDIENCE]
    trust: staff
login: {issuer: zitadel, url: GATEWAY, client_id: web, client_secret: "env:SUITE_CLIENT_SECRET", home: /session}
sessions: {idle: 5m, absolute: 1h}
`

// stand stands a provider and a gateway before it.
func stand(t *testing.T) (*provider, *gateway) {
	t.Helper()
	g := newGateway(t, config)
	p := newProvider(t, g.URL)
	g.configure("OP", p.URL, "AUDIENCE", "app")
	g.start()
	return p, g
}

// me asks who is logged in.
func me(t *testing.T, g *gateway, b *http.Client) (status int, who struct {
	Session   string
	Principal struct{ ID, Trust, Via string }
}) {
	t.Helper()
	resp, err := b.Get(g.URL + "/session")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if err := json.Unmarshal(body, &who); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return resp.StatusCode, who
}

func TestBrowser(t *testing.T) {
	p, g := stand(t)
	b := browser(g.trusts)
	if code := g.ask(b); code != http.StatusUnauthorized {
		t.Fatalf("before the login: %d", code)
	}
	page, err := b.Get(g.URL + "/login")
	if err != nil {
		t.Fatal(err)
	}
	if resp := p.agree(b, page); resp.StatusCode != http.StatusOK || resp.Request.URL.String() != g.URL+"/session" {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("after the login: %s %s: %s %s", resp.Status, resp.Request.URL, body, g.log.String())
	}
	code, who := me(t, g, b)
	if code != http.StatusOK || !strings.HasPrefix(who.Principal.ID, "u_") || who.Principal.Trust != "staff" || who.Principal.Via != "session" {
		t.Fatalf("%d %+v", code, who)
	}
	if code := g.ask(b, "Sec-Fetch-Site", "same-origin", "Origin", g.URL); code != http.StatusOK {
		t.Errorf("a request of this site: %d", code)
	}
	if code := g.ask(b, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); code != http.StatusForbidden {
		t.Errorf("a request of another site: %d", code)
	}

	if out := g.run("sessions", "list"); !strings.Contains(out, who.Session) || !strings.Contains(out, who.Principal.ID) || !strings.Contains(out, "valid") {
		t.Errorf("sessions list: %s", out)
	}
	g.run("sessions", "revoke", who.Session)
	start := time.Now()
	until(t, 5*time.Second, "the end of the session", func() bool { return g.ask(b) == http.StatusUnauthorized })
	t.Logf("a revoked session was refused after %v", time.Since(start))
	for _, kind := range []string{"session-opened", "session-revoked"} {
		until(t, 5*time.Second, kind, func() bool { return strings.Contains(g.run("audit", "show", who.Session), kind) })
	}
}

func TestLogout(t *testing.T) {
	p, g := stand(t)
	b := browser(g.trusts)
	page, err := b.Get(g.URL + "/login")
	if err != nil {
		t.Fatal(err)
	}
	p.agree(b, page)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := b.Post(g.URL+"/logout", "application/x-www-form-urlencoded", nil)
	if err != nil {
		t.Fatal(err)
	}
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, p.URL+"/end_session?client_id=web&") {
		t.Errorf("%s %s", resp.Status, to)
	}
	if code, _ := me(t, g, b); code != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", code)
	}
}

func TestTokens(t *testing.T) {
	p, g := stand(t)
	access, id := p.tokens("app", "quiet")
	foreign, foreignID := p.tokens("foe", "loud")
	for _, tt := range []struct {
		name, token string
		want        int
	}{
		{"an access token", access, http.StatusOK},
		{"an ID token", id, http.StatusOK},
		{"again", access, http.StatusOK},
		{"an access token of another client", foreign, http.StatusUnauthorized},
		{"an ID token of another client", foreignID, http.StatusUnauthorized},
		{"a token without its signature", access[:strings.LastIndexByte(access, '.')+1], http.StatusUnauthorized},
		{"a token of another signature", access[:strings.LastIndexByte(access, '.')] + id[strings.LastIndexByte(id, '.'):], http.StatusUnauthorized},
	} {
		if got := g.shows(tt.token); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}

	// A new key is found, and one that is taken away forgotten.
	p.rotate(true)
	fresh, _ := p.tokens("app", "quiet")
	start := time.Now()
	until(t, 20*time.Second, "a token by a new key", func() bool { return g.shows(fresh) == http.StatusOK })
	t.Logf("a token by a new key was taken after %v", time.Since(start))
	if got := g.shows(access); got != http.StatusOK {
		t.Errorf("a token by the old key, which is still shown: %d", got)
	}
	p.rotate(false)
	newest, _ := p.tokens("app", "quiet")
	until(t, 20*time.Second, "a token by the newest key", func() bool { return g.shows(newest) == http.StatusOK })
	if got := g.shows(access); got != http.StatusUnauthorized {
		t.Errorf("a token by a key that is gone: %d", got)
	}

	// A reload takes a changed issuer: tokens for app are good no more, though they were
	// verified before.
	g.configure("OP", p.URL, "AUDIENCE", "foe")
	until(t, 10*time.Second, "the new configuration", func() bool { return g.shows(newest) == http.StatusUnauthorized })
}

func TestProviderGoesAwayAndComesBack(t *testing.T) {
	g := newGateway(t, config)
	p := newProvider(t, g.URL)
	access, id := p.tokens("app", "quiet")
	p.stop()
	g.configure("OP", p.URL, "AUDIENCE", "app")
	g.start() // although nobody can be asked
	until(t, 10*time.Second, "a word of it", func() bool { return g.says("an issuer of tokens is away") })
	if got := g.shows(access); got != http.StatusUnauthorized {
		t.Errorf("before the provider was reached: %d", got)
	}
	if resp, err := browser(g.trusts).Get(g.URL + "/login"); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a login: %v %v", resp, err)
	}
	p.start()
	until(t, 20*time.Second, "a token", func() bool { return g.shows(access) == http.StatusOK })

	p.stop()
	for name, token := range map[string]string{"remembered": access, "never seen": id} {
		if got := g.shows(token); got != http.StatusOK {
			t.Errorf("while the provider is away, a token %s: %d", name, got)
		}
	}
	b := browser(g.trusts)
	p.start()
	page, err := b.Get(g.URL + "/login")
	if err != nil {
		t.Fatal(err)
	}
	p.agree(b, page)
	if code, _ := me(t, g, b); code != http.StatusOK {
		t.Errorf("a login when it is back: %d", code)
	}
}
