package session_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/auth/session"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// databases are the real ones that the suite runs on; each gives the DSN of an empty
// one.
var databases = []struct {
	name string
	dsn  func(testing.TB) string
}{
	{"SQLite", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "sessions.db") }},
	{"PostgreSQL", func(tb testing.TB) string { return postgres.Database(tb) }},
}

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

// world is one database, and its sessions as two processes see them.
type world struct {
	dsn         string
	clock       *clock
	log         *bytes.Buffer
	here, there *session.Store
	hereDB      *db.DB
	told        []string // ids that ended, as here came to know
}

func each(t *testing.T, test func(*testing.T, *world)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			w := &world{dsn: d.dsn(t), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, log: new(bytes.Buffer)}
			w.here, w.hereDB = w.open(t, func(_ context.Context, s session.Session) { w.told = append(w.told, s.ID) })
			w.there, _ = w.open(t, nil)
			test(t, w)
		})
	}
}

func (w *world) open(t testing.TB, revoked func(context.Context, session.Session)) (*session.Store, *db.DB) {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() }) // some tests close it themselves
	s, err := session.Open(context.Background(), session.Config{
		DB: d, Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(w.log, nil)), Revoked: revoked,
		Limits: session.Limits{Idle: 10 * time.Minute, Absolute: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

// proof is of alice, who logged in now.
func (w *world) proof(change func(*auth.Proof)) auth.Proof {
	p := auth.Proof{
		Principal: ringwall.Principal{ID: "u_alice", Tenant: "acme", Trust: ringwall.Staff, Via: "session", Roles: []string{"a", "b"}, ACR: "mfa", Proved: w.clock.Now()},
		Issuer:    "main", Session: "op-1", Issued: w.clock.Now(),
	}
	if change != nil {
		change(&p)
	}
	return p
}

func (w *world) begin(t testing.TB, change func(*auth.Proof)) (string, session.Session) {
	t.Helper()
	text, s, err := w.here.Begin(context.Background(), w.proof(change))
	if err != nil {
		t.Fatal(err)
	}
	return text, s
}

func accepted(t testing.TB, s *session.Store, text string) ringwall.Principal {
	t.Helper()
	p, err := s.Authenticate(context.Background(), text)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return p
}

// refused checks that nobody is let in, that the cause is told, and that the error does
// not repeat the text.
func refused(t testing.TB, s *session.Store, text, cause string) {
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
	case len(text) > 12 && strings.Contains(err.Error(), text[4:]):
		t.Errorf("the error repeats the text: %q", err)
	}
}

func refresh(t testing.TB, s *session.Store) {
	t.Helper()
	if err := s.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
}
