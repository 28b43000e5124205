package redact_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
	"github.com/ringwall/ringwall/redact"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// databases are the real ones that the suite runs on; each gives the DSN of an
// empty one.
var databases = []struct {
	name string
	dsn  func(testing.TB) string
}{
	{"SQLite", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "vault.db") }},
	{"PostgreSQL", func(tb testing.TB) string { return postgres.Database(tb) }},
}

// world is one database, and the time and key that vaults on it have.
type world struct {
	tb  testing.TB
	dsn string
	db  *db.DB // of the vault that was opened last

	mu   sync.Mutex
	time time.Time
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) move(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func key(tb testing.TB, digit string) redact.Key {
	tb.Helper()
	k, err := redact.ParseKey(strings.Repeat(digit, 64))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// open opens a vault on the database as another process would.
func (w *world) open(change func(*redact.Config)) *redact.Vault {
	w.tb.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: w.dsn})
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { _ = d.Close() }) // some tests close it themselves
	w.db = d
	cfg := redact.Config{DB: d, Key: key(w.tb, "7"), Now: w.now}
	if change != nil {
		change(&cfg)
	}
	v, err := redact.Open(context.Background(), cfg)
	if err != nil {
		w.tb.Fatal(err)
	}
	return v
}

func each(t *testing.T, test func(*testing.T, *world)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			test(t, &world{tb: t, dsn: d.dsn(t), time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
		})
	}
}

var (
	ann   = ringwall.Principal{ID: "rw_ann", Tenant: "acme", Trust: ringwall.Customer, Via: "key"}
	bob   = ringwall.Principal{ID: "rw_bob", Tenant: "acme", Trust: ringwall.Staff, Via: "key"}
	eve   = ringwall.Principal{ID: "rw_eve", Tenant: "other", Trust: ringwall.Operator, Via: "key"}
	open  = redact.Policy{Own: redact.From(ringwall.Anonymous), Tools: true}
	email = ringwall.Finding{Reason: "email"}
	phone = ringwall.Finding{Reason: "phone"}
)

// memory is a vault that keeps nothing.
func memory(tb testing.TB) *redact.Vault {
	tb.Helper()
	v, err := redact.Open(context.Background(), redact.Config{Key: key(tb, "7")})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}
