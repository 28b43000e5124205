package pgtest_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ringwall/ringwall/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

func TestEachDatabaseIsItsOwn(t *testing.T) {
	for range 2 {
		conn, err := pgx.Connect(t.Context(), postgres.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		// A table of the same name would clash were the databases one.
		if _, err := conn.Exec(t.Context(), "CREATE TABLE t (a BIGINT)"); err != nil {
			t.Error(err)
		}
	}
}

func TestStopWithoutStart(t *testing.T) {
	var s pgtest.Server
	s.Stop()
}
