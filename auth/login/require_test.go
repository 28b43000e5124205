package login_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/login"
)

func TestMissing(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	staff := ringwall.Principal{ID: "a", Trust: ringwall.Staff, ACR: "pwd", Proved: now.Add(-10 * time.Minute)}
	for _, tt := range []struct {
		name      string
		need      login.Need
		who       ringwall.Principal
		status    int
		challenge string // what stands behind the realm
	}{
		{"nobody", login.Need{}, ringwall.Principal{}, 401, ""},
		{"somebody", login.Need{}, staff, 0, ""},
		{"too little trust", login.Need{Trust: ringwall.Operator}, staff, 403, ""},
		{"just enough", login.Need{Trust: ringwall.Staff, ACR: []string{"pwd"}, MaxAge: 10 * time.Minute}, staff, 0, ""},
		{"proved too long ago", login.Need{MaxAge: 5 * time.Minute}, staff, 401, `, error="insufficient_user_authentication", error_description="A stronger or fresher login is needed", max_age="300"`},
		{"proved nobody knows when", login.Need{MaxAge: 5 * time.Minute}, ringwall.Principal{ID: "a", Trust: ringwall.Staff}, 401, `, error="insufficient_user_authentication", error_description="A stronger or fresher login is needed", max_age="300"`},
		{"proved too weakly", login.Need{ACR: []string{"mfa", "h\"wk\n"}}, staff, 401, `, error="insufficient_user_authentication", error_description="A stronger or fresher login is needed", acr_values="mfa hwk"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, challenge := tt.need.Missing(tt.who, now)
			want := ""
			if tt.status == 401 {
				want = `Bearer realm="ringwall"` + tt.challenge
			}
			if status != tt.status || challenge != want {
				t.Errorf("%d %s\nwant %d %s", status, challenge, tt.status, want)
			}
		})
	}
}

func TestStepUp(t *testing.T) {
	h := newHouse(t, nil)
	b := h.browser("")
	h.op.said("acr", "pwd")
	h.get(b, "/login")
	weak := h.session(b)
	ask := func(path string, header ...string) (*http.Response, string) {
		t.Helper()
		return h.get(b, path, header...)
	}
	resp, body := ask("/mfa", "Accept", "application/json")
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(resp.Header.Get("WWW-Authenticate"), `error="insufficient_user_authentication"`) ||
		!strings.Contains(resp.Header.Get("WWW-Authenticate"), `acr_values="mfa hwk", max_age="300"`) || !strings.Contains(body, "insufficient_user_authentication") {
		t.Errorf("a program: %s %s %s", resp.Status, resp.Header.Get("WWW-Authenticate"), body)
	}
	if resp, _ := ask("/operator", "Accept", "text/html"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("no login helps: %s", resp.Status)
	}
	// The provider does not do what is asked for: no session, and no circle.
	resp, _ = ask("/mfa", "Accept", "text/html")
	if resp.StatusCode != http.StatusForbidden || h.last().kind != ringwall.LoginFailed || !strings.Contains(h.last().detail, "acr") || h.session(b) != weak {
		t.Errorf("%s %+v", resp.Status, h.last())
	}
	h.op.said("acr", "mfa")
	resp, body = ask("/mfa?x=1", "Accept", "text/html")
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(body, "hello u_") || resp.Request.URL.RequestURI() != "/mfa?x=1" {
		t.Errorf("%s %s %s", resp.Status, resp.Request.URL, body)
	}
	if q := h.op.asked; q.Get("acr_values") != "mfa hwk" || q.Get("max_age") != "300" || q.Get("prompt") != "login" {
		t.Errorf("the provider was asked %v", q)
	}
	if h.session(b) == weak {
		t.Error("the session kept its text over a change of what it may")
	}
	if _, err := h.sessions.Authenticate(t.Context(), weak); err == nil {
		t.Error("the weaker session lives on")
	}
	h.clock.move(6 * time.Minute)
	if resp, _ := ask("/mfa", "Accept", "application/json"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an old proof: %s", resp.Status)
	}
	h.op.said("auth_time", h.clock.Now().Add(-time.Hour).Unix()) // which the provider does not renew
	if resp, _ := ask("/mfa", "Accept", "text/html"); resp.StatusCode != http.StatusForbidden || !strings.Contains(h.last().detail, "too old") {
		t.Errorf("%s %+v", resp.Status, h.last())
	}
}

func TestRequireTakesTokens(t *testing.T) {
	h := newHouse(t, nil)
	now := h.clock.Now().Unix()
	bearer := "Bearer " + h.op.sign(map[string]any{"iss": h.op.URL, "aud": "api", "sub": "alice", "iat": now, "exp": now + 60, "auth_time": now, "acr": "hwk"}, "at+jwt")
	b := h.browser("")
	for _, tt := range []struct {
		path, authorization string
		want                int
	}{
		{"/page", bearer, 200}, {"/mfa", bearer, 200}, {"/operator", bearer, 403}, {"/page", bearer + "x", 401}, {"/page", "Basic YTpi", 401}, {"/page", "", 401},
	} {
		resp, _ := h.get(b, tt.path, "Authorization", tt.authorization)
		if resp.StatusCode != tt.want {
			t.Errorf("%s with %.12s: %s, want %d", tt.path, tt.authorization, resp.Status, tt.want)
		}
	}
	// A credential that fails is not made good by a cookie.
	h.get(b, "/login")
	if resp, _ := h.get(b, "/page", "Authorization", "Bearer nonsense"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a bad bearer beside a good cookie: %s", resp.Status)
	}
	if resp, _ := h.get(b, "/page"); resp.StatusCode != http.StatusOK {
		t.Errorf("the cookie: %s", resp.Status)
	}
}

// A cookie counts where no other site made the browser send it.
func TestCookieIsNoCredentialOfOtherSites(t *testing.T) {
	h := newHouse(t, nil)
	text := "rws_" + strings.Repeat("A", 48)
	for _, tt := range []struct {
		name, method string
		header       []string
		want         bool
	}{
		{"a program", "POST", nil, true},
		{"this site", "POST", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"a person at the address bar", "GET", []string{"Sec-Fetch-Site", "none"}, true},
		{"another site's form", "POST", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, false},
		{"another site's script", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"a sister site's script", "POST", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://other.gateway.example"}, false},
		{"another site's script in an old browser", "POST", []string{"Origin", "https://evil.example"}, false},
		{"no origin that can be told", "POST", []string{"Origin", "null"}, false},
		{"this site in an old browser", "POST", []string{"Origin", h.url}, true},
		{"another site's link", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, true},
		{"another site's image", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, false},
		{"another site's frame", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, false},
		{"another site's fetch", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example"}, false},
		{"another site's fetch in an old browser", "GET", []string{"Origin", "https://evil.example"}, false},
		{"another site's socket", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "websocket"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, h.url+"/v1/chat/completions", nil)
			r.AddCookie(&http.Cookie{Name: login.Cookie, Value: text})
			for i := 0; i < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
			if got := h.login.Credential(r) == text; got != tt.want {
				t.Errorf("counts: %t", got)
			}
		})
	}
	r := httptest.NewRequest(http.MethodPost, h.url, nil)
	r.AddCookie(&http.Cookie{Name: login.Cookie, Value: text})
	r.AddCookie(&http.Cookie{Name: login.Cookie, Value: text + "B"})
	if h.login.Credential(r) != "" {
		t.Error("one of two cookies is taken")
	}
	r = httptest.NewRequest(http.MethodPost, h.url, nil)
	r.AddCookie(&http.Cookie{Name: login.Cookie, Value: "rw_aaaaaaaa_key"})
	if h.login.Credential(r) != "" {
		t.Error("a key is taken from a cookie")
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]login.Config{"nothing": {}, "a path": {URL: "https://h/x"}, "no client": {URL: "https://h", Issuer: "i"}, "a file": {URL: "file:///x"}} {
		if _, err := login.New(cfg); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
