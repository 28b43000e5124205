package login_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/auth/login"
	"github.com/ringwall/ringwall/auth/session"
	"github.com/ringwall/ringwall/auth/token"
	"github.com/ringwall/ringwall/internal/db"
)

// clock is a time that stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// op is a provider where everybody is alice, who always agrees.
type op struct {
	*httptest.Server
	key   *ecdsa.PrivateKey
	clock *clock
	mu    sync.Mutex
	codes map[string]url.Values // what /authorize was asked
	asked url.Values            // the last of it
	say   map[string]any        // claims, over the usual
	iss   bool                  // its answers name it
}

func newOP(t testing.TB, c *clock) *op {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := &op{key: key, clock: c, codes: map[string]url.Values{}, say: map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": o.URL, "jwks_uri": o.URL + "/keys", "authorization_endpoint": o.URL + "/authorize", "token_endpoint": o.URL + "/token",
			"end_session_endpoint": o.URL + "/end?x=1", "authorization_response_iss_parameter_supported": o.iss,
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", o.authorize)
	mux.HandleFunc("POST /token", o.token)
	o.Server = httptest.NewServer(mux)
	t.Cleanup(o.Close)
	return o
}

func (o *op) authorize(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := r.URL.Query()
	o.asked = q
	if q.Get("client_id") != "web" || q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" || !strings.Contains(q.Get("scope"), "openid") {
		http.Error(w, "bad request: "+q.Encode(), http.StatusBadRequest)
		return
	}
	code := rand.Text()
	o.codes[code] = q
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	if o.iss {
		back.Set("iss", o.URL)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (o *op) token(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	code := r.PostFormValue("code")
	q := o.codes[code]
	delete(o.codes, code) // once
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if id != "web" || secret != "hush" || q == nil || q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || q.Get("redirect_uri") != r.PostFormValue("redirect_uri") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
		return
	}
	now := o.clock.Now().Unix()
	claims := map[string]any{"iss": o.URL, "aud": "web", "sub": "alice", "iat": now, "exp": now + 300, "nonce": q.Get("nonce"), "auth_time": now, "sid": "op-session"}
	for k, v := range o.say {
		claims[k] = v
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": o.sign(claims, "JWT")})
}

func (o *op) sign(claims map[string]any, typ string) string {
	signer, _ := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: o.key, KeyID: "k"}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	payload, _ := json.Marshal(claims)
	jws, _ := signer.Sign(payload)
	text, _ := jws.CompactSerialize()
	return text
}

// said sets a claim of the next tokens.
func (o *op) said(name string, value any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.say[name] = value
}

// event is something for the record.
type event struct {
	kind   ringwall.Kind
	who    ringwall.Principal
	detail string
}

// house is a gateway where people log in.
type house struct {
	t        *testing.T
	op       *op
	clock    *clock
	tokens   *token.Issuers
	sessions *session.Store
	login    *login.Login
	url      string
	server   *httptest.Server
	mu       sync.Mutex
	events   []event
}

func newHouse(t *testing.T, change func(*op, *login.Config)) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	h.op = newOP(t, h.clock)
	d, err := db.Open(t.Context(), db.Config{DSN: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if h.sessions, err = session.Open(t.Context(), session.Config{DB: d, Now: h.clock.Now}); err != nil {
		t.Fatal(err)
	}
	h.tokens = token.New(token.Config{Now: h.clock.Now, Void: h.sessions.Void})
	use, err := h.tokens.Configure([]token.Issuer{{Name: "main", URL: h.op.URL, Audience: []string{"api"}, Map: token.Mapping{Trust: ringwall.Staff}}})
	if err != nil {
		t.Fatal(err)
	}
	use()
	mux := http.NewServeMux()
	h.server = httptest.NewTLSServer(mux)
	t.Cleanup(h.server.Close)
	h.url = h.server.URL
	keys, err := auth.Open(t.Context(), auth.Config{DB: d, Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg := login.Config{
		URL: h.url, Issuer: "main", Client: "web", Secret: func() (string, error) { return "hush", nil }, Scopes: []string{"profile"},
		Issuers: h.tokens, Sessions: h.sessions, Callers: &auth.Callers{Keys: keys, Tokens: h.tokens, Sessions: h.sessions}, Key: h.sessions.Key("login"), Now: h.clock.Now,
		Told: func(_ context.Context, kind ringwall.Kind, p ringwall.Principal, detail string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.events = append(h.events, event{kind, p, detail})
		},
	}
	if change != nil {
		change(h.op, &cfg)
	}
	if h.login, err = login.New(cfg); err != nil {
		t.Fatal(err)
	}
	h.login.Mount(mux)
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s of %v", login.PrincipalOf(r.Context()).ID, login.PrincipalOf(r.Context()).Trust)
	})
	mux.Handle("/page", h.login.Require(login.Need{}, page))
	mux.Handle("/staff", h.login.Require(login.Need{Trust: ringwall.Staff}, page))
	mux.Handle("/operator", h.login.Require(login.Need{Trust: ringwall.Operator}, page))
	mux.Handle("/mfa", h.login.Require(login.Need{Trust: ringwall.Staff, ACR: []string{"mfa", "hwk"}, MaxAge: 5 * time.Minute}, page))
	return h
}

// browser keeps cookies, and follows redirects as far as until, which is no part of an
// address where all are followed.
func (h *house) browser(until string) *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{
		Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS13}},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if until != "" && strings.Contains(r.URL.Path, until) {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

// get asks, with pairs of header names and values.
func (h *house) get(c *http.Client, address string, header ...string) (*http.Response, string) {
	return h.do(c, http.MethodGet, address, nil, header...)
}

func (h *house) do(c *http.Client, method, address string, body io.Reader, header ...string) (*http.Response, string) {
	h.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = h.url + address
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, address, body)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, string(b)
}

// session returns the text of the session that a browser has.
func (h *house) session(c *http.Client) string {
	u, _ := url.Parse(h.url)
	for _, cookie := range c.Jar.Cookies(u) {
		if cookie.Name == login.Cookie {
			return cookie.Value
		}
	}
	return ""
}

func (h *house) last() event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return event{}
	}
	return h.events[len(h.events)-1]
}
