package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/auth/login"
	"github.com/ringwall/ringwall/auth/session"
	"github.com/ringwall/ringwall/auth/token"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/db"
)

// people are those who show tokens and those who log in.
type people struct {
	tokens   *token.Issuers
	sessions *session.Store
	login    atomic.Pointer[login.Login] // nil: browsers do not log in
}

// OpenSessions opens the store of sessions that c names, and its database, which the
// caller closes.
func OpenSessions(ctx context.Context, c *config.Config, log *slog.Logger) (*session.Store, *db.DB, error) {
	_, d, err := OpenKeys(ctx, c, log)
	if err != nil {
		return nil, nil, err
	}
	s, err := session.Open(ctx, session.Config{DB: d, Log: log, Limits: c.Sessions.Limits()})
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return s, d, nil
}

// openPeople takes the database, and puts nobody in force yet.
func (s *Server) openPeople(ctx context.Context, c *config.Config) error {
	sessions, err := session.Open(ctx, session.Config{
		DB: s.db, Log: s.log, Limits: c.Sessions.Limits(),
		Revoked: func(ctx context.Context, r session.Session) {
			s.person(ctx, ringwall.SessionRevoked, r.Principal, r.Why)
		},
	})
	if err != nil {
		return err
	}
	s.people = &people{sessions: sessions, tokens: token.New(token.Config{Log: s.log, Void: sessions.Void})}
	s.callers = unbanned{&auth.Callers{Keys: s.keys, Tokens: s.people.tokens, Sessions: sessions}, s.bans}
	return nil
}

// person records what happened to somebody's session.
func (s *Server) person(ctx context.Context, kind ringwall.Kind, p ringwall.Principal, detail string) {
	ev := ringwall.Event{ID: p.Key, Kind: kind, Time: time.Now(), Principal: p, Detail: detail}
	if ev.ID == "" {
		ev.ID = string(kind)
	}
	if err := s.records.Note(ctx, ev); err != nil {
		s.log.Error("an act has no record", "kind", string(kind), "error", err)
	}
}

// meet checks whom c knows; use puts them in force.
func (s *Server) meet(c *config.Config) (use func(), err error) {
	list := make([]token.Issuer, 0, len(c.OIDC))
	for i := range c.OIDC {
		list = append(list, c.OIDC[i].Verifies())
	}
	known, err := s.people.tokens.Configure(list)
	if err != nil {
		return nil, err
	}
	l, err := s.loginOf(c)
	if err != nil {
		return nil, err
	}
	return func() {
		known()
		s.people.sessions.Limit(c.Sessions.Limits())
		s.people.login.Store(l)
	}, nil
}

// loginOf returns how browsers log in, nil when they do not.
func (s *Server) loginOf(c *config.Config) (*login.Login, error) {
	if !c.Login.On() {
		return nil, nil
	}
	cfg := login.Config{
		URL: c.Login.URL, Issuer: c.Login.Issuer, Client: c.Login.Client, Scopes: c.Login.Scopes, Home: c.Login.Home, Local: c.Login.Local,
		Issuers: s.people.tokens, Sessions: s.people.sessions, Callers: s.callers, Key: s.people.sessions.Key("login"), Log: s.log, Told: s.person,
	}
	if !c.Login.Secret.IsZero() {
		if _, err := c.Login.Secret.Reveal(); err != nil {
			return nil, fmt.Errorf("login: reading its client_secret: %w", err)
		}
		cfg.Secret = c.Login.Secret.Reveal
	}
	return login.New(cfg)
}

// stepUp asks people, as opposed to programs with keys, for more proof.
func stepUp(c *config.Config) func(ringwall.Principal, ringwall.Trust) string {
	up := c.Login.StepUp
	if !up.On() {
		return nil
	}
	need := login.Need{ACR: up.ACR, MaxAge: up.MaxAge}
	return func(p ringwall.Principal, least ringwall.Trust) string {
		if least < up.Trust || p.Via != "session" && p.Via != "token" {
			return ""
		}
		_, challenge := need.Missing(p, time.Now())
		return challenge
	}
}

// cookie returns the session that a browser shows.
func (s *Server) cookie(r *http.Request) string {
	if l := s.people.login.Load(); l != nil {
		return l.Credential(r)
	}
	return ""
}

// loginRoutes serve logins while the configuration has one.
func (s *Server) loginRoutes(mux gateway.Mux, otherwise http.HandlerFunc) {
	for pattern, serve := range login.Patterns {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if l := s.people.login.Load(); l != nil {
				serve(l, w, r)
				return
			}
			otherwise(w, r)
		})
	}
}

// warnOfIssuers says aloud whose tokens are taken more easily than by default.
func (s *Server) warnOfIssuers(c *config.Config) {
	for i := range c.OIDC {
		o := &c.OIDC[i]
		if slices.Contains(o.Clients, "*") {
			s.log.Warn("tokens are taken whichever application they were given to", "issuer", o.Name, "reason", "any-client")
		}
		if strings.HasPrefix(o.Issuer, "http:") {
			s.log.Warn("an issuer of tokens is asked for its keys in the clear", "issuer", o.Name, "reason", "http")
		}
	}
}

// issuers says in body which issuers of tokens are away.
func (s *Server) issuers(body map[string]string) {
	away, all := s.people.tokens.Away()
	switch {
	case all == 0:
	case len(away) == 0:
		body["issuers"] = "current"
	default:
		body["issuers"] = "away: " + strings.Join(away, ", ") + ": its tokens are taken by the keys that are known, for a while"
	}
}

// Sessions returns the sessions of those who logged in.
func (s *Server) Sessions() *session.Store { return s.people.sessions }
