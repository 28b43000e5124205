package ban_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
	"github.com/ringwall/ringwall/waf/ban"
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
	{"SQLite", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "bans.db") }},
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

// world is one database, and the bans on it as one process sees them.
type world struct {
	dsn   string
	db    *db.DB
	clock *clock
	log   *bytes.Buffer
	bans  *ban.Bans
	told  []string
}

func newWorld(t testing.TB, dsn string) *world {
	w := &world{dsn: dsn, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, log: new(bytes.Buffer)}
	w.db = openDB(t, dsn)
	w.bans = w.open(t, w.db)
	return w
}

func each(t *testing.T, test func(*testing.T, *world)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) { test(t, newWorld(t, d.dsn(t))) })
	}
}

func openDB(t testing.TB, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() }) // some tests close it themselves
	return d
}

// open opens the bans as another process does.
func (w *world) open(t testing.TB, d *db.DB) *ban.Bans {
	t.Helper()
	b, err := ban.Open(context.Background(), ban.Config{
		DB: d, Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Changed: func(_ context.Context, b ban.Ban, lifted bool) {
			sign := "+"
			if lifted {
				sign = "-"
			}
			w.told = append(w.told, sign+b.Subject.String())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func subject(t testing.TB, text string) ban.Subject {
	t.Helper()
	s, err := ban.ParseSubject(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) add(t testing.TB, text string, d time.Duration) ban.Ban {
	t.Helper()
	b := ban.Ban{Subject: subject(t, text), Reason: "of a test", By: "test"}
	if d > 0 {
		b.Until = w.clock.Now().Add(d)
	}
	b, err := w.bans.Add(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func banned(b *ban.Bans, addr string, sources ...string) bool {
	_, yes := b.Address(at(addr), sources...)
	return yes
}

func at(addr string) ringwall.Client { return ringwall.Client{Addr: netip.MustParseAddr(addr)} }

func refresh(t testing.TB, b *ban.Bans) {
	t.Helper()
	if err := b.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}
