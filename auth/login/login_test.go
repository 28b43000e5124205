package login_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/login"
	"github.com/ringwall/ringwall/auth/token"
)

func TestLoginAndLogout(t *testing.T) {
	h := newHouse(t, nil)
	b := h.browser("")
	resp, body := h.get(b, "/page", "Accept", "text/html")
	if resp.StatusCode != http.StatusOK || body != "hello "+token.ID(h.op.URL, "alice")+" of staff" || resp.Request.URL.Path != "/page" {
		t.Fatalf("%s %s %s", resp.Status, resp.Request.URL, body)
	}
	if q := h.op.asked; q.Get("scope") != "openid profile" || len(q.Get("state")) != 32 || len(q.Get("nonce")) != 32 || q.Get("redirect_uri") != h.url+"/login/callback" {
		t.Errorf("the provider was asked %v", q)
	}
	if e := h.last(); e.kind != ringwall.SessionOpened || e.who.ID != token.ID(h.op.URL, "alice") {
		t.Errorf("recorded %+v", e)
	}
	resp, body = h.get(b, "/session")
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `"trust":"staff"`) || !strings.Contains(body, `"via":"session"`) || resp.Header.Get("Cache-Control") != "no-store" || strings.Contains(body, h.session(b)) {
		t.Errorf("%s %s", resp.Status, body)
	}
	text := h.session(b)
	resp, _ = h.do(b, http.MethodPost, "/logout", nil, "Sec-Fetch-Site", "cross-site")
	if resp.StatusCode != http.StatusForbidden || h.session(b) == "" {
		t.Errorf("another site logs people out: %s", resp.Status)
	}
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, _ = h.do(b, http.MethodPost, "/logout", nil, "Sec-Fetch-Site", "same-origin")
	want := h.op.URL + "/end?" + url.Values{"x": {"1"}, "client_id": {"web"}, "post_logout_redirect_uri": {h.url + "/session"}}.Encode()
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != want || h.session(b) != "" {
		t.Errorf("%s %s", resp.Status, resp.Header.Get("Location"))
	}
	if _, err := h.sessions.Authenticate(t.Context(), text); err == nil || !strings.Contains(err.Error(), "logged out") {
		t.Errorf("the session lives on: %v", err)
	}
	if resp, _ := h.do(b, http.MethodGet, "/logout", nil); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("an image could log people out: %s", resp.Status)
	}
}

func TestCookiesAreOfThisHostAlone(t *testing.T) {
	h := newHouse(t, nil)
	for _, until := range []string{"/authorize", "/session"} {
		resp, _ := h.get(h.browser(until), "/login")
		for _, c := range resp.Cookies() {
			if c.MaxAge >= 0 && (!strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge == 0) {
				t.Errorf("cookie %v", c)
			}
		}
		if len(resp.Cookies()) == 0 {
			t.Errorf("no cookie until %s", until)
		}
	}
}

// A login ends the session that its browser had, whoever gave it that.
func TestSessionsAreNotFixed(t *testing.T) {
	h := newHouse(t, nil)
	mallory := h.browser("")
	h.get(mallory, "/login")
	planted := h.session(mallory)
	victim := h.browser("")
	u, _ := url.Parse(h.url)
	victim.Jar.SetCookies(u, []*http.Cookie{{Name: login.Cookie, Value: planted, Path: "/", Secure: true}})
	h.clock.move(time.Second)
	h.get(victim, "/login")
	if got := h.session(victim); got == planted || got == "" {
		t.Error("the victim has the planted session")
	}
	if _, err := h.sessions.Authenticate(t.Context(), planted); err == nil {
		t.Error("the planted session lives on")
	}
}

// What may go wrong between the provider and here.
func TestAnswersThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		iss    bool // the provider names itself
		say    map[string]any
		change func(h *house, b *http.Client, answer *url.URL, q url.Values) // before it is given
		status int
		detail string // of the record; "" when there is none
	}{
		{"another state", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Set("state", strings.Repeat("A", 32)) }, http.StatusBadRequest, ""},
		{"no state", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Del("state") }, http.StatusBadRequest, ""},
		{"two states", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Add("state", "x") }, http.StatusBadRequest, ""},
		{"two codes", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Add("code", "x") }, http.StatusBadRequest, ""},
		{"another browser's answer", false, nil, func(h *house, b *http.Client, _ *url.URL, _ url.Values) { b.Jar = h.browser("").Jar }, http.StatusBadRequest, ""},
		{"a cookie that somebody changed", false, nil, func(h *house, b *http.Client, a *url.URL, q url.Values) {
			u, _ := url.Parse(h.url)
			for _, c := range b.Jar.Cookies(u) {
				b.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: c.Value[:len(c.Value)-6] + "AAAAAA", Path: "/", Secure: true}})
			}
		}, http.StatusBadRequest, ""},
		{"too late", false, nil, func(h *house, _ *http.Client, _ *url.URL, _ url.Values) { h.clock.move(10 * time.Minute) }, http.StatusBadRequest, ""},
		{"given twice", false, nil, func(h *house, b *http.Client, a *url.URL, _ url.Values) {
			u, _ := url.Parse(h.url)
			kept := b.Jar.Cookies(u)
			h.get(b, a.String())
			for _, c := range kept {
				c.Path, c.Secure = "/", true
			}
			b.Jar = h.browser("").Jar
			b.Jar.SetCookies(u, kept)
		}, http.StatusBadRequest, "it was used already"},
		{"a code of another login", false, nil, func(h *house, _ *http.Client, _ *url.URL, q url.Values) {
			resp, _ := h.get(h.browser("/callback"), "/login")
			other, _ := url.Parse(resp.Header.Get("Location"))
			q.Set("code", other.Query().Get("code"))
		}, http.StatusForbidden, "400 Bad Request: invalid_grant"},
		{"a code that nobody gave", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Set("code", "made-up") }, http.StatusForbidden, "invalid_grant"},
		{"no code", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Del("code") }, http.StatusBadRequest, "no code"},
		{"another provider names itself", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Set("iss", "https://evil.example") }, http.StatusBadRequest, "evil.example"},
		{"the provider does not name itself", true, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) { q.Del("iss") }, http.StatusBadRequest, "the answer is of"},
		{"alice said no", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) {
			q.Del("code")
			q.Set("error", "access_denied")
		}, http.StatusForbidden, "access_denied"},
		{"an error that is an attack", false, nil, func(_ *house, _ *http.Client, _ *url.URL, q url.Values) {
			q.Set("error", "<script>alert(1)</script>\nlevel=error")
		}, http.StatusForbidden, "says an error"},
		{"the nonce of another login", false, map[string]any{"nonce": "x"}, nil, http.StatusForbidden, "nonce"},
		{"an ID token for another client", false, map[string]any{"aud": "other"}, nil, http.StatusForbidden, "audience"},
		{"an ID token of another issuer", false, map[string]any{"iss": "https://evil.example"}, nil, http.StatusForbidden, "nobody configured"},
		{"an ID token that expired", false, map[string]any{"exp": 1700000000, "iat": 1700000000 - 60}, nil, http.StatusForbidden, "expired"},
		{"an ID token of nobody", false, map[string]any{"sub": ""}, nil, http.StatusForbidden, "whom it is about"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, func(o *op, _ *login.Config) { o.iss = tt.iss })
			for k, v := range tt.say {
				h.op.said(k, v)
			}
			b := h.browser("/callback")
			resp, _ := h.get(b, "/login?return=/page")
			answer, err := url.Parse(resp.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			if tt.change != nil {
				q := answer.Query()
				tt.change(h, b, answer, q)
				answer.RawQuery = q.Encode()
			}
			n := len(h.events)
			resp, body := h.get(b, answer.String())
			if resp.StatusCode != tt.status || h.session(b) != "" || strings.Contains(body, "<script>") {
				t.Errorf("%s %s, session %t", resp.Status, body, h.session(b) != "")
			}
			switch e := h.last(); {
			case tt.detail == "" && len(h.events) != n:
				t.Errorf("recorded %+v", e)
			case tt.detail != "" && (e.kind != ringwall.LoginFailed || !strings.Contains(e.detail, tt.detail) || strings.Contains(e.detail, "\n")):
				t.Errorf("recorded %+v, want %s", e, tt.detail)
			}
		})
	}
}

func TestProviderNamesItself(t *testing.T) {
	h := newHouse(t, func(o *op, _ *login.Config) { o.iss = true })
	b := h.browser("")
	if resp, body := h.get(b, "/login?return=/page"); resp.StatusCode != http.StatusOK {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestProviderIsAway(t *testing.T) {
	h := newHouse(t, nil)
	h.op.Close()
	if resp, body := h.get(h.browser(""), "/login"); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "cannot be reached") {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	h := newHouse(t, nil)
	for _, bad := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example", "javascript:alert(1)", "page", "/" + strings.Repeat("a", 1024), "/ /evil.example", "///evil.example", "/%zz", "/\xff"} {
		resp, _ := h.get(h.browser("/authorize"), "/login?return="+url.QueryEscape(bad))
		if resp.StatusCode != http.StatusBadRequest || len(resp.Cookies()) != 0 {
			t.Errorf("%q: %s", bad, resp.Status)
		}
	}
	for _, good := range []string{"/", "/page?x=1&y=%2F%2Fa#top", "/a//b"} {
		if !login.Local(good) {
			t.Errorf("%q is refused", good)
		}
	}
}

// FuzzLocal: whatever is taken for a path of this host is one to browsers, too.
func FuzzLocal(f *testing.F) {
	for _, s := range []string{"/", "/page", "//evil.example", "/\\evil.example", "/\t/evil.example", "/.//evil.example", "/@evil.example", "/a?b#c"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://gateway.example/login/callback")
	f.Fuzz(func(t *testing.T, s string) {
		if !login.Local(s) {
			return
		}
		// As the URL standard of browsers reads it: spaces around go, tabs and line breaks
		// go, a backslash is a slash.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.Trim(s, " \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"))
		if !strings.HasPrefix(seen, "/") || strings.HasPrefix(seen, "//") {
			t.Fatalf("%q is read as %q", s, seen)
		}
		u, err := base.Parse(seen)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
			t.Fatalf("%q leads to %v, %v", s, u, err)
		}
	})
}

func TestBackChannelLogout(t *testing.T) {
	h := newHouse(t, nil)
	b := h.browser("")
	h.get(b, "/login")
	text := h.session(b)
	post := func(logoutToken string) int {
		t.Helper()
		resp, _ := h.do(h.browser(""), http.MethodPost, "/login/logout", strings.NewReader(url.Values{"logout_token": {logoutToken}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
		return resp.StatusCode
	}
	now := h.clock.Now().Unix()
	claims := func(sid, jti string) map[string]any {
		return map[string]any{
			"iss": h.op.URL, "aud": "web", "sid": sid, "iat": now, "exp": now + 120, "jti": jti,
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		}
	}
	if code := post(h.op.sign(claims("another", "j1"), "logout+jwt")); code != http.StatusOK {
		t.Errorf("another session: %d", code)
	}
	if _, err := h.sessions.Authenticate(t.Context(), text); err != nil {
		t.Error("another session's end ended this one")
	}
	forged := newOP(t, h.clock)
	for name, bad := range map[string]string{"no token": "", "no logout token": "a.b.c", "forged": forged.sign(claims("op-session", "j2"), "logout+jwt"), "given twice": h.op.sign(claims("another", "j1"), "logout+jwt")} {
		if code := post(bad); code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := post(h.op.sign(claims("op-session", "j3"), "logout+jwt")); code != http.StatusOK {
		t.Errorf("the right one: %d", code)
	}
	if _, err := h.sessions.Authenticate(t.Context(), text); err == nil || !strings.Contains(err.Error(), "logged out at main") {
		t.Errorf("the session lives on: %v", err)
	}
	if resp, _ := h.get(b, "/session"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("who am I: %s", resp.Status)
	}
}
