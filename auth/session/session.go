package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/internal/db"
)

// Conditions that callers test with errors.Is.
var (
	ErrNoSuchSession = errors.New("session: no such session")
	ErrUsed          = errors.New("session: it was used already")
	ErrVoid          = errors.New("session: what was issued until then was revoked")
)

// Config says where sessions are kept, and for how long. Zero fields mean the defaults.
type Config struct {
	DB       *db.DB // required; stays the caller's to close
	Now      func() time.Time
	Log      *slog.Logger
	Limits   Limits
	MaxStale time.Duration // how long known sessions work while the database cannot be asked; default 10 minutes
	Size     int           // sessions in memory; default 50,000

	// Revoked is told of each session that ended before its time, as this process comes
	// to know of it, once. Default: nobody is.
	Revoked func(ctx context.Context, s Session)
}

// Limits are for how long sessions last.
type Limits struct {
	Idle     time.Duration // without a request; default 30 minutes
	Absolute time.Duration // in all; default 12 hours
}

const (
	defaultIdle     = 30 * time.Minute
	defaultAbsolute = 12 * time.Hour
	keepEnded       = 24 * time.Hour     // so that lists show them for a while
	keepCuts        = 8 * 24 * time.Hour // no token lasts longer: see auth/token
)

// Session is what is known of a session.
type Session = auth.Session

// State says whether r can be used at a time: "valid", "idle", "expired" or "revoked".
func (l Limits) State(r *Session, now time.Time) string {
	switch {
	case !r.Revoked.IsZero():
		return "revoked"
	case !now.Before(r.Expires):
		return "expired"
	case now.Sub(r.Used) >= l.filled().Idle:
		return "idle"
	}
	return "valid"
}

func (l Limits) filled() Limits {
	if l.Idle <= 0 {
		l.Idle = defaultIdle
	}
	if l.Absolute <= 0 {
		l.Absolute = defaultAbsolute
	}
	return l
}

// Store keeps sessions. It implements auth.Tokens and is safe for concurrent use.
type Store struct {
	tables tables
	cfg    Config
	seal   [32]byte
	tagKey [32]byte
	limits atomic.Pointer[Limits]
	synced atomic.Int64 // Unix milliseconds: when memory was last known to be current

	mu         sync.RWMutex
	version    int64 // that memory knows
	young, old map[[sha256.Size]byte]*entry
	cuts       atomic.Pointer[map[cut]int64]

	using      sync.Mutex
	uses       map[string]int64 // by id, not yet written
	refreshing sync.Mutex
}

// entry is a session in memory. Only used changes.
type entry struct {
	hash    [sha256.Size]byte
	session Session
	whole   bool  // the row could be read
	changed int64 // version
	used    atomic.Int64
	read    int64 // Unix milliseconds, from the database
}

// use is when a session was last used.
type use struct {
	id string
	at int64
}

// Open brings the tables of sessions to their newest version.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.DB == nil {
		return nil, errors.New("opening the sessions: no database is given")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxStale <= 0 {
		cfg.MaxStale = 10 * time.Minute
	}
	if cfg.Size <= 0 {
		cfg.Size = 50_000
	}
	s := &Store{tables: tables{cfg.DB}, cfg: cfg, uses: map[string]int64{}, version: -1}
	s.cuts.Store(&map[cut]int64{})
	s.Limit(cfg.Limits)
	err := s.tables.migrate(ctx)
	if err == nil {
		s.seal, err = s.tables.seal(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the sessions: %w", err)
	}
	s.tagKey = s.key("tag")
	if err := s.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("opening the sessions: %w", err)
	}
	return s, nil
}

// Limit says for how long sessions last from now on: those that begin by l.Absolute,
// and all by l.Idle.
func (s *Store) Limit(l Limits) {
	l = l.filled()
	s.limits.Store(&l)
}

// Limits returns for how long sessions last.
func (s *Store) Limits() Limits { return *s.limits.Load() }

// Key returns a secret for one purpose that all processes on the database share.
func (s *Store) Key(purpose string) [32]byte { return s.key("for " + purpose) }

// Begin makes a session of what a provider said of a person. The text is returned here,
// once. The error wraps [ErrVoid] when the person's sessions were revoked since then.
func (s *Store) Begin(ctx context.Context, proof auth.Proof) (text string, session Session, err error) {
	if proof.Principal.ID == "" || proof.Principal.Trust <= ringwall.Anonymous {
		return "", Session{}, errors.New("beginning a session: it would be nobody's")
	}
	now := s.cfg.Now()
	limits := s.limits.Load()
	text = s.newText()
	e := &entry{hash: sha256.Sum256([]byte(text)), whole: true}
	e.session = Session{ID: idOf(e.hash), Principal: proof.Principal, Issuer: proof.Issuer, SID: proof.Session, Created: date(millis(now)), Expires: date(millis(now.Add(limits.Absolute)))}
	p := &e.session.Principal
	p.Scopes, p.Via, p.Key = nil, "session", e.session.ID
	e.used.Store(millis(now))
	err = s.tables.db.Tx(ctx, func(tx *db.Tx) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		if err := s.fresh(ctx, tx, proof); err != nil {
			return err
		}
		return s.tables.insert(ctx, tx, e)
	})
	if err != nil {
		return "", Session{}, fmt.Errorf("beginning a session: %w", err)
	}
	return text, s.shown(e), nil
}

// fresh checks that proof is younger than the last revocation.
func (s *Store) fresh(ctx context.Context, tx *db.Tx, proof auth.Proof) error {
	rows, err := tx.Query(ctx, "SELECT at FROM session_cuts WHERE kind = 'principal' AND name = ? OR kind = 'tenant' AND name = ?", proof.Principal.ID, proof.Principal.Tenant)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return err
		}
		if millis(proof.Issued) <= at {
			return ErrVoid
		}
	}
	return rows.Err()
}

// Authenticate returns the principal of the session that has this text. Every error
// wraps [ringwall.ErrUnauthenticated] and repeats nothing of the text.
func (s *Store) Authenticate(ctx context.Context, text string) (ringwall.Principal, error) {
	e, err := s.valid(ctx, text)
	if err != nil {
		return ringwall.Principal{}, err
	}
	now := s.cfg.Now().UnixMilli()
	if now-e.used.Load() >= 1000 {
		e.used.Store(now)
		s.using.Lock()
		s.uses[e.session.ID] = now
		s.using.Unlock()
	}
	return e.session.Principal, nil
}

// Look returns the session that has this text, which that does not use.
func (s *Store) Look(ctx context.Context, text string) (Session, error) {
	e, err := s.valid(ctx, text)
	if err != nil {
		return Session{}, err
	}
	return s.shown(e), nil
}

// shown is a copy of a session that is up to date.
func (s *Store) shown(e *entry) Session {
	out := e.session
	out.Used = date(e.used.Load())
	return out
}

func (s *Store) valid(ctx context.Context, text string) (*entry, error) {
	refuse := func(err error) (*entry, error) {
		return nil, fmt.Errorf("%w: session: %w", ringwall.ErrUnauthenticated, err)
	}
	hash, err := s.parse(text)
	if err != nil {
		return refuse(err)
	}
	e := s.inMemory(hash)
	now := s.cfg.Now()
	idle := s.limits.Load().Idle.Milliseconds()
	// Another process may have seen it since.
	if e == nil || now.UnixMilli()-e.used.Load() >= idle && now.UnixMilli()-e.read >= 1000 {
		if e, err = s.load(ctx, hash); err != nil {
			return refuse(err)
		}
	}
	switch r := &e.session; {
	case now.UnixMilli()-s.synced.Load() > s.cfg.MaxStale.Milliseconds():
		return refuse(fmt.Errorf("the database could not be asked for %v", s.cfg.MaxStale))
	case r.ID == "":
		return refuse(ErrNoSuchSession)
	case !e.whole || r.Principal.Trust <= ringwall.Anonymous:
		return refuse(fmt.Errorf("%s: its row in the database cannot be read", r.ID))
	case !r.Revoked.IsZero():
		return refuse(fmt.Errorf("%s: revoked at %s: %s", r.ID, r.Revoked.Format(time.RFC3339), r.Why))
	case !now.Before(r.Expires):
		return refuse(fmt.Errorf("%s: expired at %s", r.ID, r.Expires.Format(time.RFC3339)))
	case now.UnixMilli()-e.used.Load() >= idle:
		return refuse(fmt.Errorf("%s: not used since %s", r.ID, date(e.used.Load()).Format(time.RFC3339)))
	}
	return e, nil
}

// Void reports whether what was issued to p at a time was revoked since. It implements
// the hook of auth/token.
func (s *Store) Void(p ringwall.Principal, issued time.Time) bool {
	cuts := *s.cuts.Load()
	if len(cuts) == 0 {
		return false
	}
	at, ok := cuts[cut{"principal", p.ID}]
	of, too := cuts[cut{"tenant", p.Tenant}]
	return ok && millis(issued) <= at || too && p.Tenant != "" && millis(issued) <= of
}

// Once returns nil the first time that it is called with id, by any process, and
// [ErrUsed] after that; it may forget id at until.
func (s *Store) Once(ctx context.Context, id string, until time.Time) error {
	now := s.cfg.Now()
	if !now.Before(until) {
		return fmt.Errorf("%w, or is too old", ErrUsed)
	}
	first, err := s.tables.once(ctx, id, until.UnixMilli())
	switch {
	case err != nil:
		return fmt.Errorf("taking down what may be used once: %w", err)
	case !first:
		return ErrUsed
	}
	return nil
}
