package login

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
)

// Need is how far and how lately callers must have proved who they are. The zero value
// needs somebody.
type Need struct {
	Trust  ringwall.Trust
	ACR    []string      // of which one must say how they did; empty: any
	MaxAge time.Duration // since they did; 0: any
}

// lack says what p lacks of being proved, "" when nothing. It is not about trust.
func (n Need) lack(p ringwall.Principal, now time.Time) string {
	switch {
	case len(n.ACR) > 0 && !slices.Contains(n.ACR, p.ACR):
		return fmt.Sprintf("acr is %.60q, and not one of %q", p.ACR, n.ACR)
	case n.MaxAge > 0 && p.Proved.IsZero():
		return "auth_time is not known"
	case n.MaxAge > 0 && now.Sub(p.Proved) > n.MaxAge:
		return "the last proof is too old"
	}
	return ""
}

// Missing says what p lacks: the status of the answer, 0 when nothing is missing, and
// the challenge for its header WWW-Authenticate, "" where no other proof would help (RFC
// 9470 §3, RFC 6750 §3).
func (n Need) Missing(p ringwall.Principal, now time.Time) (status int, challenge string) {
	switch {
	case p.Trust <= ringwall.Anonymous:
		return http.StatusUnauthorized, `Bearer realm="ringwall"`
	case p.Trust < n.Trust:
		return http.StatusForbidden, ""
	case n.lack(p, now) == "":
		return 0, ""
	}
	challenge = `Bearer realm="ringwall", error="insufficient_user_authentication", error_description="A stronger or fresher login is needed"`
	if len(n.ACR) > 0 {
		challenge += `, acr_values="` + strings.Map(func(r rune) rune {
			if odd(r) {
				return -1
			}
			return r
		}, strings.Join(n.ACR, " ")) + `"`
	}
	if n.MaxAge > 0 {
		challenge += `, max_age="` + strconv.Itoa(int(n.MaxAge/time.Second)) + `"`
	}
	return http.StatusUnauthorized, challenge
}

type principalKey struct{}

// PrincipalOf returns the caller whom Require let in; the zero Principal elsewhere.
func PrincipalOf(ctx context.Context) ringwall.Principal {
	p, _ := ctx.Value(principalKey{}).(ringwall.Principal)
	return p
}

// Require lets callers through to h who have proved what n needs. Browsers that come
// for a page are sent to log in, all others answered.
func (l *Login) Require(n Need, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := l.caller(r)
		status, challenge := n.Missing(p, l.cfg.Now())
		if status == 0 {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
			return
		}
		private(w)
		page := (r.Method == http.MethodGet || r.Method == http.MethodHead) && wants(r, "text/html") && r.Header.Get("Authorization") == ""
		if page && status == http.StatusUnauthorized {
			redirect(w, n.login(r.URL.RequestURI(), p.Trust > ringwall.Anonymous))
			return
		}
		if challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		body := map[string]any{"error": "forbidden"}
		if status == http.StatusUnauthorized {
			body["error"], body["login"] = "unauthorized", "/login"
			if n.lack(p, l.cfg.Now()) != "" && p.Trust > ringwall.Anonymous {
				body["error"] = "insufficient_user_authentication"
			}
		}
		reply(w, status, body)
	})
}

// login is where a browser gets what it needs, and then comes back.
func (n Need) login(back string, again bool) string {
	q := url.Values{}
	if Local(back) {
		q.Set("return", back)
	}
	if len(n.ACR) > 0 {
		q.Set("acr_values", strings.Join(n.ACR, " "))
	}
	if n.MaxAge > 0 {
		q.Set("max_age", strconv.Itoa(int(n.MaxAge/time.Second)))
	}
	if again {
		q.Set("prompt", "login")
	}
	return "/login?" + q.Encode()
}

// caller returns who calls; the zero Principal is nobody. A credential that fails is
// nobody's, whatever else is shown.
func (l *Login) caller(r *http.Request) ringwall.Principal {
	text := ""
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, rest, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return ringwall.Principal{}
		}
		text = strings.TrimSpace(rest)
	} else {
		text = l.Credential(r)
	}
	if text == "" {
		return ringwall.Principal{}
	}
	p, err := l.cfg.Callers.Authenticate(r.Context(), ringwall.Credential{Bearer: text})
	if err != nil {
		return ringwall.Principal{}
	}
	return p
}

// Credential returns the session whose cookie a request shows, "" where it shows none
// and where another site may have made the browser show it: a request that changes
// something must come from this host, and so must one that reads, unless a person goes
// to a page by it.
func (l *Login) Credential(r *http.Request) string {
	c, err := r.Cookie(Cookie)
	if err != nil || !strings.HasPrefix(c.Value, auth.SessionMark) || len(r.CookiesNamed(Cookie)) != 1 || !l.ours(r) {
		return ""
	}
	return c.Value
}

func (l *Login) ours(r *http.Request) bool {
	if l.cross.Check(r) != nil {
		return false
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case site == "same-origin", site == "none":
		return true
	case site != "":
		return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == l.cfg.URL {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}

// whoami answers who is logged in.
func (l *Login) whoami(w http.ResponseWriter, r *http.Request) {
	private(w)
	w.Header().Set("Vary", "Cookie, Origin, Sec-Fetch-Site")
	text := l.Credential(r)
	if text == "" {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "unauthorized", "login": "/login"})
		return
	}
	s, err := l.cfg.Sessions.Look(r.Context(), text)
	if err != nil {
		set(w, Cookie, "", 0)
		reply(w, http.StatusUnauthorized, map[string]any{"error": "unauthorized", "login": "/login"})
		return
	}
	body := map[string]any{"session": s.ID, "principal": s.Principal, "issuer": s.Issuer, "created": s.Created, "expires": s.Expires}
	if s.Principal.ACR != "" {
		body["acr"] = s.Principal.ACR
	}
	if !s.Principal.Proved.IsZero() {
		body["proved"] = s.Principal.Proved
	}
	reply(w, http.StatusOK, body)
}

// private keeps an answer out of caches, and addresses out of others' logs.
func private(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // who does not read it misses nothing
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who does not read it misses nothing
}
