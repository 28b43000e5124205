package auth_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
)

// The database goes away: SQLite by closing it, PostgreSQL by ending its
// sessions and letting nobody in.
func TestKnownKeysOutliveTheDatabase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := create(t, w.keys, spec)
		cli := w.open(t, auth.Config{})
		unknown, _ := create(t, cli, auth.Spec{Name: "unknown", Trust: ringwall.Staff})
		if strings.HasPrefix(w.dsn, "postgres:") {
			shut(t, w.dsn)
		} else if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}

		accepted(t, w.keys, text)
		refused(t, w.keys, unknown, "the database could not be asked")
		refused(t, w.keys, unknown, "no such key") // not asked again within the second
		w.clock.move(time.Second)
		refused(t, w.keys, unknown, "the database could not be asked")
		if err := w.keys.Refresh(t.Context()); err == nil {
			t.Error("Refresh does not say that the database is away")
		}
		if w.keys.Age() != time.Second {
			t.Errorf("it says it is %v old", w.keys.Age())
		}
		if _, _, err := w.keys.Create(t.Context(), auth.Spec{Name: "new", Trust: ringwall.Staff}); err == nil {
			t.Error("a key was created nowhere")
		}
		if _, err := w.keys.Revoke(t.Context(), "shop"); err == nil {
			t.Error("a key was revoked nowhere")
		}

		w.clock.move(time.Hour)
		refused(t, w.keys, text, "expired")
	})
}

func TestKnownKeysDoNotWorkForever(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := create(t, w.keys, auth.Spec{Name: "a", Trust: ringwall.Staff})
		w.clock.move(24 * time.Hour)
		accepted(t, w.keys, text)
		w.clock.move(time.Millisecond)
		refused(t, w.keys, text, "the database could not be asked for 24h0m0s")
		if err := w.keys.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		accepted(t, w.keys, text)
		strict := w.open(t, auth.Config{MaxStale: time.Minute})
		w.clock.move(time.Minute + time.Millisecond)
		refused(t, strict, text, "the database could not be asked for 1m0s")
	})
}

// shut ends all sessions of the database and lets nobody in again.
func shut(t *testing.T, dsn string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, query := range []string{
		"ALTER DATABASE " + name + " WITH ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'",
	} {
		if _, err := conn.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// A database that hangs is worse than one that is gone.
func TestHangingDatabaseHoldsUpNobodyKnown(t *testing.T) {
	w := &world{dsn: postgres.Database(t), clock: newClock(), log: new(bytes.Buffer)}
	w.keys = w.open(t, auth.Config{})
	text, _ := create(t, w.keys, spec)
	unknown, _ := create(t, w.open(t, auth.Config{}), auth.Spec{Name: "unknown", Trust: ringwall.Staff})
	conn, err := pgx.Connect(t.Context(), w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE auth_keys, auth_state IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}

	hanging, cancel := context.WithCancel(t.Context())
	refreshed := make(chan error, 1)
	go func() { refreshed <- w.keys.Refresh(hanging) }()
	start := time.Now()
	accepted(t, w.keys, text)
	refused(t, w.keys, unknown, "the database could not be asked")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("a caller waited %v", took)
	}
	cancel()
	if err := <-refreshed; !errors.Is(err, context.Canceled) {
		t.Errorf("Refresh: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock.move(time.Second)
	accepted(t, w.keys, unknown)
}

func TestRunSaysOnceThatTheDatabaseIsAway(t *testing.T) {
	w := &world{dsn: databases[0].dsn(t), clock: newClock(), log: new(bytes.Buffer)}
	w.db = open(t, w.dsn)
	said := make(chan string, 10)
	w.keys = openLogged(t, w, said)
	stop := run(t, w.keys)
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	if line := <-said; !strings.Contains(line, "keys are served from memory") {
		t.Errorf("it said %q", line)
	}
	age := time.After(1200 * time.Millisecond) // two more polls
	select {
	case line := <-said:
		t.Errorf("it also said %q", line)
	case <-age:
	}
	stop()
}
