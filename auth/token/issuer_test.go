package token_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"log/slog"
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

// clock is a time that stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

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

// pair is a key that signs.
type pair struct {
	id, alg string
	private crypto.Signer
}

var rsaKeys = sync.OnceValue(func() (all [3]*rsa.PrivateKey) {
	for i := range all {
		all[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return all
})

func newRSA(n int, id string) pair { return pair{id, "RS256", rsaKeys()[n]} }

func newEC(id string) pair {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return pair{id, "ES256", k}
}

func newEd(id string) pair {
	_, k, _ := ed25519.GenerateKey(rand.Reader)
	return pair{id, "EdDSA", k}
}

func (p pair) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: p.private.Public(), KeyID: p.id, Algorithm: p.alg, Use: "sig"}
}

// op is an issuer that a test plays.
type op struct {
	*httptest.Server
	mu    sync.Mutex
	set   any // JWK Set
	meta  map[string]any
	down  bool
	asked atomic.Int64 // for keys
}

func newOP(t testing.TB, keys ...pair) *op {
	o := &op{}
	o.publish(keys...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		doc := map[string]any{"issuer": o.URL, "jwks_uri": o.URL + "/keys", "authorization_endpoint": o.URL + "/authorize", "token_endpoint": o.URL + "/token", "end_session_endpoint": o.URL + "/end"}
		for k, v := range o.meta {
			doc[k] = v
		}
		o.answer(w, doc)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.asked.Add(1)
		o.answer(w, o.set)
	})
	o.Server = httptest.NewServer(mux)
	t.Cleanup(o.Close)
	return o
}

func (o *op) answer(w http.ResponseWriter, doc any) {
	if o.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(doc)
}

func (o *op) publish(keys ...pair) {
	set := jose.JSONWebKeySet{}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.jwk())
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.set = set
}

func (o *op) stop(down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = down
}

// scene is issuers that are configured, and a clock.
type scene struct {
	*token.Issuers
	clock *clock
	log   *bytes.Buffer
}

func newScene(t testing.TB, cfg token.Config, list ...token.Issuer) *scene {
	t.Helper()
	s := &scene{clock: newClock(), log: new(bytes.Buffer)}
	cfg.Now, cfg.Log = s.clock.Now, slog.New(slog.NewTextHandler(s.log, nil))
	s.Issuers = token.New(cfg)
	s.configure(t, list...)
	return s
}

func (s *scene) configure(t testing.TB, list ...token.Issuer) {
	t.Helper()
	use, err := s.Configure(list)
	if err != nil {
		t.Fatal(err)
	}
	use()
}

// claims are those of a token that is good, changed by pairs of names and values; a nil
// value takes the claim away.
func (s *scene) claims(o *op, change ...any) map[string]any {
	now := s.clock.Now().Unix()
	c := map[string]any{"iss": o.URL, "sub": "alice", "aud": "ringwall", "iat": now, "exp": now + 600}
	for i := 0; i < len(change); i += 2 {
		if change[i+1] == nil {
			delete(c, change[i].(string))
		} else {
			c[change[i].(string)] = change[i+1]
		}
	}
	return c
}

// sign makes a token; header are pairs of names and values.
func sign(t testing.TB, p pair, claims any, header ...any) string {
	t.Helper()
	opt := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for i := 0; i < len(header); i += 2 {
		opt.ExtraHeaders[jose.HeaderKey(header[i].(string))] = header[i+1]
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(p.alg), Key: jose.JSONWebKey{Key: p.private, KeyID: p.id}}, opt)
	if err != nil {
		t.Fatal(err)
	}
	payload, ok := claims.(string)
	if !ok {
		b, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		payload = string(b)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (s *scene) accepted(t testing.TB, text string) ringwall.Principal {
	t.Helper()
	p, err := s.Authenticate(context.Background(), text)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return p
}

// refused checks that nobody is let in, that the cause is told, and that the error does
// not repeat the token.
func (s *scene) refused(t testing.TB, text, cause string) {
	t.Helper()
	p, err := s.Authenticate(context.Background(), text)
	switch {
	case err == nil:
		t.Fatalf("let in as %+v", p)
	case p.ID != "" || p.Trust != ringwall.Anonymous:
		t.Errorf("refused, but as %+v", p)
	case !errors.Is(err, ringwall.ErrUnauthenticated):
		t.Errorf("the error is not ErrUnauthenticated: %v", err)
	case !strings.Contains(err.Error(), cause):
		t.Errorf("the cause reads %q, want %q", err, cause)
	}
	for _, part := range strings.Split(text, ".") {
		if len(part) > 20 && strings.Contains(err.Error(), part) {
			t.Errorf("the error repeats the token: %q", err)
		}
	}
}
