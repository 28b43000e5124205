package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/internal/telemetry"
)

// Config configures Issuers. Zero fields mean the defaults.
type Config struct {
	Transport http.RoundTripper // default: as http.DefaultTransport
	Now       func() time.Time  // default time.Now
	Log       *slog.Logger      // default: silent

	Refresh time.Duration // how often keys are read again; default 15 minutes
	Pause   time.Duration // least between two readings; default 10 seconds
	Outage  time.Duration // how long keys work while their issuer is away; default 24 hours
	Keep    time.Duration // how long a verified token is not verified again; default 5 minutes
	Size    int           // how many of them are kept; default 20,000

	// Void reports whether what was issued to p at a time is good no more, because
	// somebody revoked it. It is asked each time and must not wait. Default: nothing is.
	Void func(p ringwall.Principal, issued time.Time) bool

	Client *http.Client // made by New
}

// Issuers verify the tokens of those that were configured. It implements auth.Tokens
// and is safe for concurrent use.
type Issuers struct {
	cfg   Config
	state atomic.Pointer[state]
	cache cache
}

// state is the issuers in force.
type state struct {
	byURL  map[string]*issuer
	byName map[string]*issuer
}

// New returns Issuers of which there is none yet: see [Issuers.Configure].
func New(cfg Config) *Issuers {
	if cfg.Transport == nil {
		cfg.Transport = http.DefaultTransport
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	for value, or := range map[*time.Duration]time.Duration{
		&cfg.Refresh: 15 * time.Minute, &cfg.Pause: 10 * time.Second, &cfg.Outage: 24 * time.Hour, &cfg.Keep: 5 * time.Minute,
	} {
		if *value <= 0 {
			*value = or
		}
	}
	if cfg.Size <= 0 {
		cfg.Size = 20_000
	}
	if cfg.Void == nil {
		cfg.Void = func(ringwall.Principal, time.Time) bool { return false }
	}
	cfg.Client = &http.Client{Transport: bounded{cfg.Transport}, Timeout: fetchTimeout}
	s := &Issuers{cfg: cfg}
	s.state.Store(&state{})
	s.cache.size = cfg.Size / shards
	return s
}

// Configure checks the issuers of a configuration; use puts them in force, in the place
// of those that are. Keys of an issuer that stays are not read again. It asks nobody.
func (s *Issuers) Configure(list []Issuer) (use func(), err error) {
	next := &state{map[string]*issuer{}, map[string]*issuer{}}
	for _, i := range list {
		if err := i.Check(); err != nil {
			return nil, fmt.Errorf("issuer %s: %w", i.Name, err)
		}
		if next.byURL[i.URL] != nil || next.byName[i.Name] != nil {
			return nil, fmt.Errorf("issuer %s: it is named twice", i.Name)
		}
		keys := &keySet{url: i.URL, jwks: i.JWKS, cfg: &s.cfg}
		if old := s.state.Load().byURL[i.URL]; old != nil && old.JWKS == i.JWKS {
			keys = old.keys
		}
		made := newIssuer(i, keys)
		next.byURL[i.URL], next.byName[i.Name] = made, made
	}
	return func() {
		s.state.Store(next)
		s.cache.clear() // what tokens prove may be another thing now
	}, nil
}

// Run keeps the keys of the issuers current until ctx ends. It says in the log when one
// is away, and when it is back.
func (s *Issuers) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	away := map[*keySet]bool{}
	for {
		s.refresh(ctx, away)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// refresh reads the keys of issuers whose time has come.
func (s *Issuers) refresh(ctx context.Context, away map[*keySet]bool) {
	var due []*issuer
	for _, i := range s.state.Load().byName {
		if i.keys.due() {
			due = append(due, i)
		}
	}
	errs := make([]error, len(due))
	var group errgroup.Group
	group.SetLimit(8)
	for n, i := range due {
		group.Go(func() error {
			errs[n] = i.keys.refresh(ctx, s.cfg.Pause)
			return nil
		})
	}
	_ = group.Wait() // each has its own
	for n, i := range due {
		err := errs[n]
		switch {
		case ctx.Err() != nil || errors.Is(err, errLately):
			continue
		case err != nil && !away[i.keys]:
			s.cfg.Log.WarnContext(ctx, "an issuer of tokens is away: its tokens are taken by the keys that are known, for a while", "issuer", i.Name, "known", i.keys.known.Load() != nil, telemetry.KeyError, err)
		case err == nil && (away[i.keys] || i.keys.told.CompareAndSwap(false, true)):
			s.cfg.Log.InfoContext(ctx, "the keys of an issuer of tokens are current", "issuer", i.Name, "keys", len(i.keys.known.Load().all))
		}
		away[i.keys] = err != nil
	}
}

// Away returns the names of the issuers that could not be asked for their keys when
// they were last asked, sorted, and how many issuers there are.
func (s *Issuers) Away() (away []string, all int) {
	names := s.state.Load().byName
	for name, i := range names {
		i.keys.mu.Lock()
		if i.keys.err != nil {
			away = append(away, name)
		}
		i.keys.mu.Unlock()
	}
	slices.Sort(away)
	return away, len(names)
}

// due reports whether keys are to be read again: now and then, and while their issuer
// is away as often as it may be asked.
func (k *keySet) due() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	since := k.cfg.Now().UnixMilli() - k.tried
	return k.tried == 0 || k.err != nil && since >= k.cfg.Pause.Milliseconds() || since >= k.cfg.Refresh.Milliseconds() || since < 0
}

// Authenticate returns the principal that a token proves. Every error wraps
// [ringwall.ErrUnauthenticated], tells an operator the cause, and repeats nothing of
// the token but names and times in it.
func (s *Issuers) Authenticate(ctx context.Context, token string) (ringwall.Principal, error) {
	if len(token) > maxToken {
		return refuse(fmt.Errorf("it has %d bytes: at most %d are read", len(token), maxToken))
	}
	sum := sha256.Sum256([]byte(token))
	now := s.cfg.Now()
	if e, ok := s.cache.get(sum); ok && now.UnixMilli() < e.until {
		if of, err := e.issuer.keys.current(); err == nil && of == e.of && !s.cfg.Void(e.principal, e.issued) {
			return e.principal, nil
		}
	}
	i, c, err := s.verify(ctx, token, nil, "", "jwt", "at+jwt")
	if err != nil {
		return refuse(err)
	}
	p, err := i.proves(c, "")
	if err != nil {
		return refuse(err)
	}
	if s.cfg.Void(p, c.issued) {
		return refuse(fmt.Errorf("issuer %s: %s: what was issued to it until now was revoked", i.Name, p.ID))
	}
	until := min(c.expires.Add(i.Skew).UnixMilli(), now.Add(s.cfg.Keep).UnixMilli())
	if s.state.Load().byURL[i.URL] == i { // or its issuer changed meanwhile
		s.cache.put(sum, &entry{principal: p, issued: c.issued, until: until, issuer: i, of: c.of})
	}
	return p, nil
}

// proves checks whom a token is meant for, and says what it proves.
func (i *issuer) proves(c *claims, client string) (ringwall.Principal, error) {
	if err := i.meant(c, client); err != nil {
		return ringwall.Principal{}, fmt.Errorf("issuer %s: %w", i.Name, err)
	}
	p, err := i.principal(c)
	if err != nil {
		return ringwall.Principal{}, fmt.Errorf("issuer %s: %w", i.Name, err)
	}
	return p, nil
}

func refuse(err error) (ringwall.Principal, error) {
	return ringwall.Principal{}, fmt.Errorf("%w: token: %w", ringwall.ErrUnauthenticated, err)
}

var errNoIssuer = errors.New("there is no issuer")

// Provider returns what the issuer of that name says of itself, and asks it where it
// was not reached yet.
func (s *Issuers) Provider(ctx context.Context, name string) (auth.Provider, error) {
	i := s.state.Load().byName[name]
	if i == nil {
		return auth.Provider{}, fmt.Errorf("%w %q", errNoIssuer, name)
	}
	of := i.keys.known.Load()
	if of == nil || of.meta.Issuer == "" {
		if err := i.keys.refresh(ctx, s.cfg.Pause); err != nil {
			return auth.Provider{}, fmt.Errorf("issuer %s: %w", name, err)
		}
		of = i.keys.known.Load()
	}
	if of.meta.Authorization == "" || of.meta.Token == "" {
		return auth.Provider{}, fmt.Errorf("issuer %s: it does not say where people log in", name)
	}
	return of.meta.Provider, nil
}

// Login returns what an ID token proves that the issuer of that name gave client in
// answer to a request with nonce (OpenID Connect Core §3.1.3.7). The error wraps
// [ringwall.ErrUnauthenticated].
func (s *Issuers) Login(ctx context.Context, name, client, nonce, token string) (auth.Proof, error) {
	bad := func(err error) (auth.Proof, error) {
		return auth.Proof{}, fmt.Errorf("%w: ID token: %w", ringwall.ErrUnauthenticated, err)
	}
	want := s.state.Load().byName[name]
	if want == nil || client == "" || nonce == "" {
		return bad(fmt.Errorf("%w %q", errNoIssuer, name))
	}
	i, c, err := s.verify(ctx, token, want, "", "jwt")
	if err != nil {
		return bad(err)
	}
	p, err := i.proves(c, client)
	if err != nil {
		return bad(err)
	}
	if c.text("nonce") != nonce {
		return bad(errors.New("it is the answer to another login: its nonce is another"))
	}
	p.Scopes, p.Via, p.Key = nil, "session", ""
	sid := c.text("sid")
	if !clean(sid) {
		sid = ""
	}
	return auth.Proof{Principal: p, Issuer: name, Session: sid, Issued: c.issued}, nil
}

// backChannel is the event of logout tokens.
const backChannel = "http://schemas.openid.net/event/backchannel-logout"

// Logout returns whom a logout token of the issuer of that name is about (OpenID
// Connect Back-Channel Logout 1.0 §2.6): a principal, the provider's session, or both.
// The id is the token's own, which counts once until it expires. The error wraps
// [ringwall.ErrUnauthenticated].
func (s *Issuers) Logout(ctx context.Context, name, client, token string) (principal, session, id string, expires time.Time, err error) {
	bad := func(err error) (string, string, string, time.Time, error) {
		return "", "", "", time.Time{}, fmt.Errorf("%w: logout token: %w", ringwall.ErrUnauthenticated, err)
	}
	want := s.state.Load().byName[name]
	if want == nil || client == "" {
		return bad(fmt.Errorf("%w %q", errNoIssuer, name))
	}
	i, c, err := s.verify(ctx, token, want, "", "jwt", "logout+jwt")
	if err != nil {
		return bad(err)
	}
	aud, ok := c.audience()
	sub, sid := c.text("sub"), c.text("sid")
	switch events := c.Get("events"); {
	case !ok || !slices.Contains(aud, client):
		return bad(errors.New("it is not meant for us"))
	case !events.Get(backChannel).Exists() || c.Get("nonce").Exists():
		return bad(errors.New("it is no logout token"))
	case c.issued.IsZero() || c.text("jti") == "" || len(c.text("jti")) > 512:
		return bad(errors.New("it has no iat or no jti"))
	case sub == "" && sid == "":
		return bad(errors.New("it does not say whose session ends"))
	}
	if sub != "" {
		if principal, err = i.id(sub); err != nil {
			return bad(err)
		}
	}
	return principal, sid, c.text("jti"), c.expires.Add(i.Skew), nil
}
