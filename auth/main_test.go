package auth_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
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
	{"SQLite", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "keys.db") }},
	{"PostgreSQL", func(tb testing.TB) string { return postgres.Database(tb) }},
}

func open(tb testing.TB, dsn string) *db.DB {
	tb.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: dsn})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = d.Close() }) // some tests close it themselves
	return d
}
