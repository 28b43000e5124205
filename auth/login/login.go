package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
)

// Issuers verify what providers say. Errors of Login and Logout wrap
// [ringwall.ErrUnauthenticated].
type Issuers interface {
	Provider(ctx context.Context, name string) (auth.Provider, error)
	Login(ctx context.Context, name, client, nonce, token string) (auth.Proof, error)
	Logout(ctx context.Context, name, client, token string) (principal, session, id string, expires time.Time, err error)
}

// Sessions keep who logged in. Once returns an error when id was taken down before.
type Sessions interface {
	Begin(ctx context.Context, proof auth.Proof) (text string, s auth.Session, err error)
	Look(ctx context.Context, text string) (auth.Session, error)
	End(ctx context.Context, text, why string) error
	EndAt(ctx context.Context, issuer, sid, principal string) (int, error)
	Once(ctx context.Context, id string, until time.Time) error
}

// Authenticator proves callers by what they show.
type Authenticator interface {
	Authenticate(ctx context.Context, c ringwall.Credential) (ringwall.Principal, error)
}

// Config configures a Login.
type Config struct {
	URL      string                 // of this host, as browsers know it: https://gateway.example. Required
	Issuer   string                 // name of the provider, in the configuration. Required
	Client   string                 // our id there. Required
	Secret   func() (string, error) // of the client; default: it has none
	Scopes   []string               // beside openid
	Home     string                 // path to go to after a login that says none, and after a logout; default /session
	Local    bool                   // log out here alone, and not at the provider
	Issuers  Issuers                // required
	Sessions Sessions               // required
	Callers  Authenticator          // required
	Key      [32]byte               // seals attempts; the same in all processes. Required

	Transport http.RoundTripper // to the provider; default: http.DefaultTransport
	Now       func() time.Time
	Log       *slog.Logger

	// Told is told of logins that succeeded and that failed. The detail is for
	// operators. Default: nobody is.
	Told func(ctx context.Context, kind ringwall.Kind, p ringwall.Principal, detail string)
}

// Login serves logins. It is safe for concurrent use.
type Login struct {
	cfg    Config
	seals  seals
	client *http.Client
	cross  *http.CrossOriginProtection
}

const exchangeTimeout = 10 * time.Second

// New checks cfg. It asks nobody.
func New(cfg Config) (*Login, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("login: %q is no address of a host", cfg.URL)
	}
	if cfg.Issuer == "" || cfg.Client == "" || cfg.Issuers == nil || cfg.Sessions == nil || cfg.Callers == nil || cfg.Key == [32]byte{} {
		return nil, errors.New("login: an issuer, a client, its sessions, callers and a key are required")
	}
	cfg.URL = u.Scheme + "://" + u.Host
	if cfg.Home = cmp.Or(cfg.Home, "/session"); !Local(cfg.Home) {
		return nil, fmt.Errorf("login: home: %q is no path of this host", cfg.Home)
	}
	if cfg.Transport == nil {
		cfg.Transport = http.DefaultTransport
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Told == nil {
		cfg.Told = func(context.Context, ringwall.Kind, ringwall.Principal, string) {}
	}
	l := &Login{cfg: cfg, cross: http.NewCrossOriginProtection()}
	if err := l.cross.AddTrustedOrigin(cfg.URL); err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	if l.seals, err = newSeals(cfg.Key, cfg.Issuer, cfg.Client); err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	l.client = &http.Client{Transport: cfg.Transport, Timeout: exchangeTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return l, nil
}

// Patterns are what Login serves, by the patterns of an [http.ServeMux].
var Patterns = map[string]func(*Login, http.ResponseWriter, *http.Request){
	"GET /login":          (*Login).begin,
	"GET /login/callback": (*Login).callback,
	"POST /login/logout":  (*Login).backChannel,
	"POST /logout":        (*Login).logout,
	"GET /session":        (*Login).whoami,
}

// Mount registers [Patterns] on mux.
func (l *Login) Mount(mux *http.ServeMux) {
	for pattern, serve := range Patterns {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serve(l, w, r) })
	}
}

// begin sends a browser to the provider.
func (l *Login) begin(w http.ResponseWriter, r *http.Request) {
	private(w)
	if len(r.URL.RawQuery) > 4096 {
		say(w, http.StatusRequestURITooLong, "The address is too long.")
		return
	}
	query := r.URL.Query()
	a, err := newAttempt(query, l.cfg.Home, l.cfg.Now())
	if err != nil {
		say(w, http.StatusBadRequest, "The login cannot begin: "+err.Error()+".")
		return
	}
	conf, _, err := l.config(r.Context())
	if err != nil {
		l.cfg.Log.DebugContext(r.Context(), "a login cannot begin", "error", err) // auth/token says aloud who is away
		say(w, http.StatusServiceUnavailable, "The login service cannot be reached. Try again soon.")
		return
	}
	sealed, err := l.seals.seal(a)
	if err != nil || len(sealed) > maxSealed-256 {
		say(w, http.StatusBadRequest, "The login cannot begin: too much is asked for.")
		return
	}
	l.forgetOld(w, r)
	set(w, cookieOf(a.State), sealed, attemptTTL)
	more := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("nonce", a.Nonce)}
	if len(a.ACR) > 0 {
		more = append(more, oauth2.SetAuthURLParam("acr_values", strings.Join(a.ACR, " ")))
	}
	if a.MaxAge >= 0 {
		more = append(more, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(a.MaxAge/time.Second))))
	}
	if p := query.Get("prompt"); p == "login" || p == "select_account" {
		more = append(more, oauth2.SetAuthURLParam("prompt", p))
	}
	redirect(w, conf.AuthCodeURL(a.State, more...))
}

// forgetOld takes attempts away that a browser began and left, where they are many.
func (l *Login) forgetOld(w http.ResponseWriter, r *http.Request) {
	n := 0
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, attemptCookie) {
			if n++; n >= maxAttempts {
				set(w, c.Name, "", 0)
			}
		}
	}
}

// config is what the provider is asked with.
func (l *Login) config(ctx context.Context) (*oauth2.Config, auth.Provider, error) {
	p, err := l.cfg.Issuers.Provider(ctx, l.cfg.Issuer)
	if err != nil {
		return nil, p, err
	}
	conf := &oauth2.Config{
		ClientID: l.cfg.Client, RedirectURL: l.cfg.URL + "/login/callback", Scopes: append([]string{"openid"}, l.cfg.Scopes...),
		Endpoint: oauth2.Endpoint{AuthURL: p.Authorization, TokenURL: p.Token, AuthStyle: oauth2.AuthStyleInHeader},
	}
	if l.cfg.Secret == nil || p.SecretInBody {
		conf.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	if l.cfg.Secret != nil {
		if conf.ClientSecret, err = l.cfg.Secret(); err != nil {
			return nil, p, fmt.Errorf("the client's secret: %w", err)
		}
	}
	return conf, p, nil
}

var errorCode = regexp.MustCompile(`^[a-z_]{1,64}$`)

// callback takes the provider's answer.
func (l *Login) callback(w http.ResponseWriter, r *http.Request) {
	private(w)
	if len(r.URL.RawQuery) > 8192 {
		say(w, http.StatusRequestURITooLong, "The address is too long.")
		return
	}
	query := r.URL.Query()
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(query[name]) > 1 {
			say(w, http.StatusBadRequest, "The answer of the login service cannot be read: it says something twice.")
			return
		}
	}
	a, err := l.seals.open(r, query.Get("state"), l.cfg.Now())
	if err != nil {
		// No record: anybody can make any number of these.
		l.cfg.Log.DebugContext(r.Context(), "an answer to no login", "error", err)
		say(w, http.StatusBadRequest, "The login was not begun in this browser, or too long ago. Begin again: "+l.cfg.URL+"/login")
		return
	}
	set(w, cookieOf(a.State), "", 0)
	text, s, status, err := l.finish(r.Context(), a, query)
	if err != nil {
		public := "The login did not succeed. Begin again: " + l.cfg.URL + "/login"
		if status == http.StatusServiceUnavailable {
			public = "The login service cannot be reached. Try again soon."
		}
		l.failed(w, r, status, public, err)
		return
	}
	if old, err := r.Cookie(Cookie); err == nil {
		if err := l.cfg.Sessions.End(r.Context(), old.Value, "logged in anew"); err != nil {
			l.cfg.Log.WarnContext(r.Context(), "an old session could not be ended", "error", err)
		}
	}
	set(w, Cookie, text, s.Expires.Sub(l.cfg.Now()))
	l.cfg.Told(r.Context(), ringwall.SessionOpened, s.Principal, "at "+s.Issuer)
	redirect(w, a.Return)
}

// finish makes a session of the provider's answer, or says with which status not.
func (l *Login) finish(ctx context.Context, a *attempt, answer url.Values) (text string, s auth.Session, status int, err error) {
	conf, p, err := l.config(ctx)
	if err != nil {
		return "", s, http.StatusServiceUnavailable, err
	}
	// RFC 9207 §2.4: an answer of another provider than was asked.
	if iss, said := answer.Get("iss"), answer.Has("iss"); said && iss != p.Issuer || !said && p.SaysIssuer {
		return "", s, http.StatusBadRequest, fmt.Errorf("the answer is of %.100q, not of %s", iss, p.Issuer)
	}
	if code := answer.Get("error"); code != "" {
		if !errorCode.MatchString(code) {
			code = "an error"
		}
		return "", s, http.StatusForbidden, fmt.Errorf("the provider says %s", code)
	}
	code := answer.Get("code")
	if code == "" {
		return "", s, http.StatusBadRequest, errors.New("the answer has no code")
	}
	// First of all it is used up: an answer that comes twice is somebody else's.
	if err := l.cfg.Sessions.Once(ctx, "login "+a.State, a.Begun.Add(attemptTTL+time.Minute)); err != nil {
		return "", s, http.StatusBadRequest, err
	}
	got, err := conf.Exchange(context.WithValue(ctx, oauth2.HTTPClient, l.client), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return "", s, exchangeStatus(err), exchangeError(err)
	}
	idToken, _ := got.Extra("id_token").(string)
	proof, err := l.cfg.Issuers.Login(ctx, l.cfg.Issuer, l.cfg.Client, a.Nonce, idToken)
	if err != nil {
		return "", s, http.StatusForbidden, err
	}
	need := Need{ACR: a.ACR, MaxAge: a.MaxAge + skew}
	if a.MaxAge < 0 {
		need.MaxAge = 0
	}
	if lack := need.lack(proof.Principal, l.cfg.Now()); lack != "" {
		return "", s, http.StatusForbidden, fmt.Errorf("the provider did not do what was asked for: %s", lack)
	}
	text, s, err = l.cfg.Sessions.Begin(ctx, proof)
	if err != nil {
		return "", s, http.StatusServiceUnavailable, err
	}
	return text, s, 0, nil
}

const skew = time.Minute // of the provider's clock

// exchangeError is err without what the provider wrote at length.
func exchangeError(err error) error {
	var e *oauth2.RetrieveError
	if !errors.As(err, &e) {
		return errors.New("exchanging the code: " + clip(err.Error()))
	}
	code := e.ErrorCode
	if !errorCode.MatchString(code) {
		code = "no reason"
	}
	return fmt.Errorf("exchanging the code: %s: %s", e.Response.Status, code)
}

func exchangeStatus(err error) int {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) && e.Response.StatusCode < 500 {
		return http.StatusForbidden
	}
	return http.StatusServiceUnavailable
}

// logout ends the session here, and at the provider where it has a way.
func (l *Login) logout(w http.ResponseWriter, r *http.Request) {
	private(w)
	if err := l.cross.Check(r); err != nil {
		say(w, http.StatusForbidden, "Another site asked for this.")
		return
	}
	if c, err := r.Cookie(Cookie); err == nil {
		if err := l.cfg.Sessions.End(r.Context(), c.Value, "logged out"); err != nil {
			l.cfg.Log.ErrorContext(r.Context(), "a session could not be ended", "error", err)
			say(w, http.StatusServiceUnavailable, "The session could not be ended. Try again soon.")
			return
		}
	}
	set(w, Cookie, "", 0)
	to := l.cfg.Home
	if p, err := l.cfg.Issuers.Provider(r.Context(), l.cfg.Issuer); err == nil && p.EndSession != "" && !l.cfg.Local {
		to = withQuery(p.EndSession, url.Values{"client_id": {l.cfg.Client}, "post_logout_redirect_uri": {l.cfg.URL + l.cfg.Home}})
	}
	if wants(r, "application/json") {
		reply(w, http.StatusOK, map[string]any{"logged_out": true, "next": to})
		return
	}
	redirect(w, to)
}

func withQuery(address string, more url.Values) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	for name, v := range more {
		q[name] = v
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// backChannel takes logout tokens of the provider (OpenID Connect Back-Channel Logout
// 1.0 §2.5).
func (l *Login) backChannel(w http.ResponseWriter, r *http.Request) {
	private(w)
	r.Body = http.MaxBytesReader(w, r.Body, 32<<10)
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": "want one logout_token in a form"})
		return
	}
	who, sid, id, expires, err := l.cfg.Issuers.Logout(r.Context(), l.cfg.Issuer, l.cfg.Client, r.PostForm.Get("logout_token"))
	if err == nil {
		err = l.cfg.Sessions.Once(r.Context(), "logout "+id, expires)
	}
	if err != nil {
		l.cfg.Log.WarnContext(r.Context(), "a logout token was refused", "error", err)
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	if _, err := l.cfg.Sessions.EndAt(r.Context(), l.cfg.Issuer, sid, who); err != nil {
		l.cfg.Log.ErrorContext(r.Context(), "sessions could not be ended", "error", err)
		reply(w, http.StatusServiceUnavailable, map[string]any{"error": "temporarily_unavailable"})
		return
	}
	w.WriteHeader(http.StatusOK)
}

// failed answers a login that did not succeed, which goes on the record.
func (l *Login) failed(w http.ResponseWriter, r *http.Request, status int, public string, err error) {
	l.cfg.Log.WarnContext(r.Context(), "a login did not succeed", "error", err)
	l.cfg.Told(r.Context(), ringwall.LoginFailed, ringwall.Principal{}, clip(err.Error()))
	say(w, status, public)
}

func clip(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}

// wants reports whether a client asks for a type of answer.
func wants(r *http.Request, mime string) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept"), ","), func(part string) bool {
		name, _, _ := strings.Cut(part, ";")
		return strings.TrimSpace(name) == mime
	})
}
