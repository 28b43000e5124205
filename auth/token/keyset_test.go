package token_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/token"
)

func mainOf(o *op) token.Issuer {
	return token.Issuer{Name: "main", URL: o.URL, Audience: []string{"ringwall"}}
}

func TestKeysAreRotated(t *testing.T) {
	one, two := newEC("one"), newEC("two")
	o := newOP(t, one)
	s := newScene(t, token.Config{}, mainOf(o))
	first := sign(t, one, s.claims(o))
	s.accepted(t, first)
	o.publish(one, two)
	second := sign(t, two, s.claims(o))
	s.refused(t, second, "a moment ago") // the keys were read just now
	s.clock.move(10 * time.Second)
	s.accepted(t, second)
	s.accepted(t, first)
	o.publish(two)
	s.clock.move(10 * time.Second)
	s.refused(t, sign(t, newEC("three"), s.claims(o)), "no such key") // which has the keys read again
	s.refused(t, first, "no such key")                                // although it was remembered
	s.accepted(t, second)
}

// Some issuers put a new key behind an old kid.
func TestAKeyIsReplacedUnderItsKid(t *testing.T) {
	one, two := newEC("k"), newEC("k")
	o := newOP(t, one)
	s := newScene(t, token.Config{}, mainOf(o))
	s.accepted(t, sign(t, one, s.claims(o)))
	o.publish(two)
	s.clock.move(10 * time.Second)
	s.accepted(t, sign(t, two, s.claims(o)))
	s.refused(t, sign(t, one, s.claims(o)), "signature")
}

// A flood of tokens with kids that nobody knows asks the issuer once in a while.
func TestUnknownKeysAskTheIssuerSeldom(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	s := newScene(t, token.Config{}, mainOf(o))
	s.accepted(t, sign(t, k, s.claims(o)))
	s.clock.move(time.Minute)
	before := o.asked.Load()
	var wg sync.WaitGroup
	for n := range 50 {
		text := sign(t, pair{fmt.Sprint("made-up-", n), k.alg, k.private}, s.claims(o))
		wg.Go(func() { s.refused(t, text, "no such key") })
	}
	wg.Wait()
	if n := o.asked.Load() - before; n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

// An issuer that is away: nothing before it was reached, then the keys that are known,
// and not for ever.
func TestAnIssuerIsAway(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	o.stop(true)
	s := newScene(t, token.Config{Outage: time.Hour}, mainOf(o))
	s.refused(t, sign(t, k, s.claims(o)), "not reached yet")
	o.stop(false)
	s.clock.move(10 * time.Second)
	s.accepted(t, sign(t, k, s.claims(o)))
	o.stop(true)
	s.clock.move(59 * time.Minute)
	s.accepted(t, sign(t, k, s.claims(o)))
	s.refused(t, sign(t, newEC("new"), s.claims(o)), "503")
	s.clock.move(2 * time.Minute)
	late := sign(t, k, s.claims(o))
	s.refused(t, late, "for too long")
	o.stop(false)
	s.clock.move(10 * time.Second)
	s.accepted(t, late)
}

// Run reads keys without being asked, and says what is away.
func TestRunKeepsKeysCurrent(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	s := newScene(t, token.Config{}, mainOf(o), token.Issuer{Name: "away", URL: "http://127.0.0.1:1", Audience: []string{"a"}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	deadline, again := time.After(10*time.Second), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for o.asked.Load() == 0 {
		select {
		case <-deadline:
			t.Fatal("nobody asks the issuer")
		case <-again.C:
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReloadKeepsKeysAndForgetsTokens(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	s := newScene(t, token.Config{}, mainOf(o))
	text := sign(t, k, s.claims(o))
	if p := s.accepted(t, text); p.Trust != ringwall.Verified {
		t.Errorf("%+v", p)
	}
	changed := mainOf(o)
	changed.Map.Trust = ringwall.Staff
	s.configure(t, changed)
	if p := s.accepted(t, text); p.Trust != ringwall.Staff {
		t.Errorf("the old mapping lives on: %+v", p)
	}
	if n := o.asked.Load(); n != 1 {
		t.Errorf("the keys were read %d times", n)
	}
	changed.Audience = []string{"other"}
	s.configure(t, changed)
	s.refused(t, text, "audience")
	s.configure(t)
	s.refused(t, text, "nobody configured")
	if _, err := s.Configure([]token.Issuer{mainOf(o), {Name: "twice", URL: o.URL, Audience: []string{"a"}}}); err == nil {
		t.Error("one issuer twice")
	}
}

func TestRememberedTokensEnd(t *testing.T) {
	k := newEC("k")
	o := newOP(t, k)
	var void atomic.Bool
	s := newScene(t, token.Config{Void: func(p ringwall.Principal, issued time.Time) bool {
		return void.Load() && p.ID == token.ID(o.URL, "alice") && !issued.IsZero()
	}}, mainOf(o))
	text := sign(t, k, s.claims(o))
	s.accepted(t, text)
	void.Store(true)
	s.refused(t, text, "revoked")
	void.Store(false)
	s.accepted(t, text)
	s.clock.move(11 * time.Minute)
	s.refused(t, text, "expired")
}

// Documents of an issuer that are not what they ought to be.
func TestDocumentsAreRefused(t *testing.T) {
	k := newEC("k")
	weak := jose.JSONWebKey{Key: []byte("a shared secret of some length, 32+"), KeyID: "k", Algorithm: "HS256"}
	private := jose.JSONWebKey{Key: k.private, KeyID: "k", Algorithm: "ES256"}
	encrypts := k.jwk()
	encrypts.Use = "enc"
	for _, tt := range []struct {
		name, cause string
		change      func(*op)
	}{
		{"another issuer's name", "issuer", func(o *op) { o.meta = map[string]any{"issuer": "https://other.example"} }},
		{"keys in the clear elsewhere", "want https", func(o *op) { o.meta = map[string]any{"jwks_uri": "http://evil.example/keys"} }},
		{"keys in a file", "want https", func(o *op) { o.meta = map[string]any{"jwks_uri": "file:///etc/passwd"} }},
		{"no keys", "no key", func(o *op) { o.set = jose.JSONWebKeySet{} }},
		{"a shared secret", "no key", func(o *op) { o.set = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{weak}} }},
		{"a private key", "no key", func(o *op) { o.set = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private}} }},
		{"a key that encrypts", "no key", func(o *op) { o.set = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{encrypts}} }},
		{"no JWK Set", "no JWK Set", func(o *op) { o.set = "keys" }},
		{"no end", "more than", func(o *op) { o.set = strings.Repeat("x", 2<<20) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOP(t, k)
			tt.change(o)
			s := newScene(t, token.Config{}, mainOf(o))
			s.refused(t, sign(t, k, s.claims(o)), tt.cause)
		})
	}
	t.Run("elsewhere", func(t *testing.T) {
		o := newOP(t, k)
		away := httptest.NewServer(http.RedirectHandler(o.URL+"/keys", http.StatusFound))
		defer away.Close()
		i := mainOf(o)
		i.JWKS = away.URL
		s := newScene(t, token.Config{}, i)
		s.refused(t, sign(t, k, s.claims(o)), "redirects")
	})
	t.Run("keys that the configuration names", func(t *testing.T) {
		o := newOP(t, k)
		i := mainOf(o)
		i.URL, i.JWKS = "https://127.0.0.1:1/nobody", o.URL+"/keys"
		s := newScene(t, token.Config{}, i)
		s.refused(t, sign(t, k, s.claims(o)), "nobody configured")
		c := s.claims(o, "iss", i.URL)
		s.refused(t, sign(t, k, c), "want https") // an issuer by HTTPS has no keys in the clear
	})
}
