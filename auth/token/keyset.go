package token

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/ringwall/ringwall/auth"
)

const (
	fetchTimeout = 5 * time.Second // of discovery and keys together
	maxDocument  = 1 << 20
	maxKeys      = 100
	minRSA       = 2048 // bits (RFC 7518 §3.3)
	maxRSA       = 8192 // more is work for us and protects nobody
	discoverEach = time.Hour
)

var (
	errUnreached = errors.New("the issuer was not reached yet")
	errAway      = errors.New("the issuer could not be asked for its keys for too long")
	errNoKey     = errors.New("the issuer has no such key")
	errRedirect  = errors.New("an issuer's documents are where its name says, not elsewhere: it redirects")
)

// keySet is the public keys of an issuer, kept over reloads.
type keySet struct {
	url, jwks string
	cfg       *Config

	known      atomic.Pointer[keys]
	fetched    atomic.Int64 // Unix milliseconds: when known was last confirmed; 0: never
	mu         sync.Mutex
	working    chan struct{} // closed when the fetch under way ends; nil: there is none
	tried      int64         // Unix milliseconds, of the last fetch
	err        error         // of the last fetch
	discovered int64         // Unix milliseconds
	told       atomic.Bool   // that it was reached
}

// keys do not change: others come in their place.
type keys struct {
	all  []key
	sum  [sha256.Size]byte // of the document
	meta metadata
}

type key struct {
	id, alg string // as the issuer says; either may be ""
	public  any
}

// metadata is what discovery says.
type metadata struct {
	auth.Provider
	JWKS string
}

// fits reports whether k may verify a signature by alg.
func (k key) fits(alg string) bool {
	if k.alg != "" && k.alg != alg {
		return false
	}
	switch p := k.public.(type) {
	case *rsa.PublicKey:
		return (strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")) && p.N.BitLen() >= minRSA && p.N.BitLen() <= maxRSA
	case *ecdsa.PublicKey:
		return alg == map[elliptic.Curve]string{elliptic.P256(): "ES256", elliptic.P384(): "ES384", elliptic.P521(): "ES512"}[p.Curve]
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

// find returns the keys of the issuer that may have signed, and what they are of. A
// token without a kid is one of the only key that fits.
func (s *keySet) find(ctx context.Context, kid, alg string) ([]key, *keys, error) {
	of, found, err := s.look(kid, alg)
	if err == nil || errors.Is(err, errAmbiguous) {
		return found, of, err
	}
	again := s.refresh(ctx, s.cfg.Pause)
	if of, found, err = s.look(kid, alg); err != nil {
		if again != nil {
			return nil, nil, fmt.Errorf("%w: %w", err, again)
		}
		return nil, nil, err
	}
	return found, of, nil
}

var errAmbiguous = errors.New("the token does not say which of the issuer's keys it is signed by")

func (s *keySet) look(kid, alg string) (*keys, []key, error) {
	of, err := s.current()
	if err != nil {
		return nil, nil, err
	}
	var found []key
	for _, k := range of.all {
		if (kid == "" || k.id == kid) && k.fits(alg) {
			found = append(found, k)
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil, errNoKey
	case kid == "" && len(found) > 1:
		return nil, nil, errAmbiguous
	}
	return of, found, nil
}

// current returns the keys that are known, unless they are so for too long.
func (s *keySet) current() (*keys, error) {
	of := s.known.Load()
	switch {
	case of == nil:
		return nil, errUnreached
	case s.cfg.Now().UnixMilli()-s.fetched.Load() > s.cfg.Outage.Milliseconds():
		return nil, errAway
	}
	return of, nil
}

var errLately = errors.New("it was asked a moment ago")

// refresh asks the issuer for its keys, unless it was asked less than pause ago. Who
// comes while it is asked waits for the answer.
func (s *keySet) refresh(ctx context.Context, pause time.Duration) error {
	now := s.cfg.Now().UnixMilli()
	s.mu.Lock()
	if working := s.working; working != nil {
		s.mu.Unlock()
		select {
		case <-working:
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.tried != 0 && now-s.tried < pause.Milliseconds() && now >= s.tried {
		err := cmp.Or(s.err, errLately)
		s.mu.Unlock()
		return err
	}
	working := make(chan struct{})
	s.working, s.tried = working, now
	discover := s.known.Load() == nil || now-s.discovered >= discoverEach.Milliseconds()
	s.mu.Unlock()

	// For all who wait, and so not ended by this caller's leaving.
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	got, err := s.fetch(asking, discover)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working, s.err = nil, err
	defer close(working)
	if err != nil {
		return err
	}
	if discover {
		s.discovered = now
	}
	if old := s.known.Load(); old == nil || old.sum != got.sum || old.meta != got.meta {
		s.known.Store(got)
	}
	s.fetched.Store(now)
	return nil
}

// fetch reads the issuer's documents.
func (s *keySet) fetch(ctx context.Context, discover bool) (*keys, error) {
	var meta metadata
	if old := s.known.Load(); old != nil {
		meta = old.meta
	}
	if discover {
		said, err := s.discover(ctx)
		switch {
		case err == nil:
			meta = said
		case s.jwks == "":
			return nil, fmt.Errorf("discovering %s: %w", s.url, err)
		}
	}
	address := cmp.Or(s.jwks, meta.JWKS)
	if !s.allowed(address) {
		return nil, fmt.Errorf("discovering %s: its keys are at %.200q: want https", s.url, address)
	}
	doc, err := s.get(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of %s: %w", s.url, err)
	}
	all, err := parseKeys(doc)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of %s: %w", s.url, err)
	}
	return &keys{all: all, sum: sha256.Sum256(doc), meta: meta}, nil
}

// allowed reports whether a document of the issuer may be at address: one that is
// asked by HTTPS does not send us elsewhere without.
func (s *keySet) allowed(address string) bool {
	return Secure(address) && (strings.HasPrefix(address, "https:") || strings.HasPrefix(s.url, "http:"))
}

// discover asks the issuer what it says of itself; its name in there must be the one
// that it was asked by.
func (s *keySet) discover(ctx context.Context) (metadata, error) {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, s.cfg.Client), s.url)
	if err != nil {
		return metadata{}, clipped(err)
	}
	var says struct {
		JWKS       string   `json:"jwks_uri"`
		EndSession string   `json:"end_session_endpoint"`
		Iss        bool     `json:"authorization_response_iss_parameter_supported"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := p.Claims(&says); err != nil {
		return metadata{}, clipped(err)
	}
	m := metadata{JWKS: says.JWKS}
	m.Issuer, m.Authorization, m.Token, m.EndSession = s.url, p.Endpoint().AuthURL, p.Endpoint().TokenURL, says.EndSession
	m.SaysIssuer = says.Iss
	m.SecretInBody = slices.Contains(says.Methods, "client_secret_post") && !slices.Contains(says.Methods, "client_secret_basic")
	for _, address := range []*string{&m.Authorization, &m.Token, &m.EndSession} {
		if !s.allowed(*address) {
			*address = "" // and whoever needs it says so
		}
	}
	return m, nil
}

// clipped is err without what a stranger's document made of it.
func clipped(err error) error {
	if text := err.Error(); len(text) > 300 {
		return errors.New(text[:300] + "…")
	}
	return err
}

func (s *keySet) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", resp.Status)
	}
	return io.ReadAll(resp.Body) // of a bounded body: see bounded
}

// parseKeys reads a JWK Set (RFC 7517 §5). Keys that cannot verify are left out.
func parseKeys(doc []byte) ([]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(doc, &set); err != nil {
		return nil, errors.New("it is no JWK Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("a JWK Set of %d keys: at most %d are read", len(set.Keys), maxKeys)
	}
	var all []key
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &k) != nil || !k.Valid() || !k.IsPublic() || k.Use != "" && k.Use != "sig" {
			continue // of another kind or purpose, or private, which no issuer shows
		}
		found := key{id: k.KeyID, alg: k.Algorithm, public: k.Key}
		if slices.ContainsFunc(Algorithms, found.fits) {
			all = append(all, found)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("it has no key by which tokens can be verified")
	}
	return all, nil
}

// bounded reads no more of an answer than a document may have, and follows nobody
// elsewhere.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 3 {
		return nil, errors.Join(errRedirect, resp.Body.Close())
	}
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if len(doc) > maxDocument {
		return nil, fmt.Errorf("a document of more than %d bytes", maxDocument)
	}
	resp.Body = io.NopCloser(bytes.NewReader(doc))
	return resp, nil
}
