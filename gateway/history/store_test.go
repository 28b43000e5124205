package history_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall/gateway/history"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Millisecond) // nothing happens at once
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is what stores of one kind share.
type world struct {
	tb    testing.TB
	dsn   string // "": it is in the process
	clock *clock
}

func (w *world) database() *db.DB {
	w.tb.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: w.dsn})
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { _ = d.Close() }) // some tests close it themselves
	return d
}

func (w *world) stored(d *db.DB, entries int) *history.Database {
	w.tb.Helper()
	s, err := history.Open(context.Background(), history.DatabaseConfig{DB: d, Entries: entries, Now: w.clock.now})
	if err != nil {
		w.tb.Fatal(err)
	}
	return s
}

func (w *world) open() history.Store {
	if w.dsn == "" {
		return history.NewMemory(history.MemoryConfig{Now: w.clock.now})
	}
	return w.stored(w.database(), 0)
}

// each runs a test with every store; only with those of a database, if durable.
func each(t *testing.T, durable bool, test func(*testing.T, *world)) {
	for _, k := range []struct {
		name string
		dsn  func(testing.TB) string
	}{
		{"in the process", func(testing.TB) string { return "" }},
		{"SQLite", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "history.db") }},
		{"PostgreSQL", func(tb testing.TB) string { return postgres.Database(tb) }},
	} {
		if durable && k.name == "in the process" {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			test(t, &world{tb: t, dsn: k.dsn(t), clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}})
		})
	}
}

func name(text string) (k history.Key) {
	copy(k[:], text)
	return k
}

func keep(t *testing.T, s history.Store, record string, until time.Time, names ...string) {
	t.Helper()
	var keys []history.Key
	for _, n := range names {
		keys = append(keys, name(n))
	}
	if err := s.Keep(t.Context(), keys, []byte(record), until); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, s history.Store, want string, names ...string) {
	t.Helper()
	var keys []history.Key
	for _, n := range names {
		keys = append(keys, name(n))
	}
	if got, err := s.Find(t.Context(), keys); err != nil || string(got) != want {
		t.Errorf("under %q is %q, %v; want %q", names, got, err, want)
	}
}

func TestStores(t *testing.T) {
	each(t, false, func(t *testing.T, w *world) {
		s := w.open()
		until := w.clock.now().Add(time.Hour)
		find(t, s, "")
		find(t, s, "", "a", "b")
		keep(t, s, "one", until, "a", "b")
		keep(t, s, "two", until.Add(time.Hour), "c")
		find(t, s, "one", "b")
		find(t, s, "two", "c", "a")
		find(t, s, "one", "x", "a", "c")
		keep(t, s, "three", until, "a")
		find(t, s, "three", "a")
		find(t, s, "one", "b", "a")
		w.clock.move(time.Hour)
		find(t, s, "two", "a", "b", "c")
		find(t, s, "", "a", "b")
	})
}

// A conversation is known to each gateway on a database, and to one that starts anew;
// who reads the database reads nothing of it.
func TestSharedByGateways(t *testing.T) {
	each(t, true, func(t *testing.T, w *world) {
		d := w.database()
		one := carrier{t: t, h: open(t, "7", w.stored(d, 0), w.clock.now), owner: "anna", session: "s"}
		one.talk(agent()...)
		rows, err := d.Query(t.Context(), "SELECT name, record FROM history_records")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var name, record string
			if err := rows.Scan(&name, &record); err != nil {
				t.Fatal(err)
			}
			for _, said := range []string{"anna", "INV", "invoice", "pay"} {
				if strings.Contains(name+record, said) {
					t.Errorf("the database says %s", said)
				}
			}
		}
		if err := rows.Err(); err != nil || n != 7 {
			t.Errorf("%d rows, %v", n, err)
		}
		for _, tt := range []struct{ key, want string }{{"7", "ppppppppp"}, {"8", "pxxxxxpxp"}} {
			other := carrier{t: t, h: open(t, tt.key, w.stored(w.database(), 0), w.clock.now), owner: "anna", session: "s"}
			if got := marks(other.passed(agent()...)); got != tt.want {
				t.Errorf("another gateway: %s", got)
			}
		}
	})
}

// What somebody changed in the database proves nothing.
func TestDamage(t *testing.T) {
	each(t, true, func(t *testing.T, w *world) {
		d, a := w.database(), agent()
		for _, change := range []string{
			"UPDATE history_records SET record = 'AAAA'", "UPDATE history_records SET record = '!'", "UPDATE history_records SET record = ''",
			"UPDATE history_records SET record = substr(record, 1, 12) || 'AAAA' || substr(record, 17)",
			"UPDATE history_records SET record = (SELECT max(record) FROM history_records WHERE length(record) < (SELECT max(length(record)) FROM history_records))",
		} {
			one := carrier{t: t, h: open(t, "7", w.stored(d, 0), w.clock.now), owner: "anna", session: "s"}
			one.talk(a...)
			if _, err := d.Exec(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			other := carrier{t: t, h: open(t, "7", w.stored(d, 0), w.clock.now), owner: "anna", session: "s"}
			// The last of the changes puts an older record, which is genuine, in the place
			// of the newest: what stood there then counts.
			if got := marks(other.passed(a...)); got[7] != 'x' {
				t.Errorf("%s: %s", change, got)
			}
		}
	})
}

// A database that is away is asked again after a moment; what this gateway let out
// itself it still knows.
func TestADatabaseThatIsAway(t *testing.T) {
	each(t, true, func(t *testing.T, w *world) {
		d := w.database()
		s := w.stored(d, 0)
		c := carrier{t: t, h: open(t, "7", s, w.clock.now), owner: "anna"}
		a := agent()
		c.talk(a[:2]...)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if got := marks(c.passed(a[:3]...)); got != "ppp" {
			t.Errorf("what is near: %s", got)
		}
		past, err := c.h.Look(t.Context(), "anna", "", conversation(a...), "")
		if err == nil || marks(past.Passed()) != "pxxxxxpxp" {
			t.Errorf("%v, %s", err, marks(past.Passed()))
		}
		if _, again := s.Find(t.Context(), []history.Key{name("x")}); again == nil || !strings.Contains(again.Error(), "a moment ago") {
			t.Errorf("at once again: %v", again)
		}
		if err := s.Keep(t.Context(), []history.Key{name("x")}, []byte("y"), w.clock.now().Add(time.Hour)); err == nil {
			t.Error("it was kept")
		}
		find(t, s, "y", "x")
		w.clock.move(2 * time.Second)
		if _, again := s.Find(t.Context(), []history.Key{name("z")}); again == nil || strings.Contains(again.Error(), "a moment ago") {
			t.Errorf("later: %v", again)
		}
		if _, err := s.Expire(t.Context()); err == nil {
			t.Error("it deleted")
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	until := time.Now().Add(time.Hour)
	m := history.NewMemory(history.MemoryConfig{Entries: 2})
	for i := range 4 {
		keep(t, m, fmt.Sprint(i), until, fmt.Sprint("n", i))
	}
	find(t, m, "2", "n0", "n1", "n2")
	m = history.NewMemory(history.MemoryConfig{Bytes: 5000})
	for i := range 4 {
		keep(t, m, strings.Repeat("x", 2000), until, fmt.Sprint("n", i))
	}
	find(t, m, "", "n0", "n1")
	find(t, m, strings.Repeat("x", 2000), "n2")
}

func TestDeletesWhatExpired(t *testing.T) {
	each(t, true, func(t *testing.T, w *world) {
		d := w.database()
		s := w.stored(d, 0)
		until := w.clock.now().Add(time.Minute)
		for i := range 1100 { // more than two batches
			keep(t, s, "x", until, fmt.Sprint("n", i))
		}
		w.clock.move(2 * time.Minute)
		for i := range 4 {
			keep(t, s, fmt.Sprint(i), w.clock.now().Add(time.Hour), fmt.Sprint("last", i))
		}
		if n, err := s.Expire(t.Context()); n != 1100 || err != nil {
			t.Errorf("%d were deleted, %v", n, err)
		}
		if n, err := w.stored(d, 3).Expire(t.Context()); n != 1 || err != nil {
			t.Errorf("%d of too many were deleted, %v", n, err)
		}
		find(t, w.stored(d, 0), "1", "last0", "last1")
	})
}

func TestRunDeletesWhatExpired(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "history.db")
	synctest.Test(t, func(t *testing.T) {
		d, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		s, err := history.Open(t.Context(), history.DatabaseConfig{DB: d})
		if err != nil {
			t.Fatal(err)
		}
		keep(t, s, "x", time.Now().Add(time.Second), "n")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		<-time.After(61 * time.Second)
		synctest.Wait()
		var n int
		if err := d.QueryRow(t.Context(), "SELECT count(*) FROM history_records").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d are left, %v", n, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	if _, err := history.Open(t.Context(), history.DatabaseConfig{}); err == nil {
		t.Error("it opened without a database")
	}
}

func TestManyAtOnce(t *testing.T) {
	each(t, false, func(t *testing.T, w *world) {
		s := w.open()
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				c := carrier{t: t, h: open(t, "7", s, w.clock.now), owner: fmt.Sprint("o", i)}
				c.talk(agent()...)
				if got := marks(c.passed(agent()...)); got != "ppppppppp" {
					t.Errorf("%d: %s", i, got)
				}
			})
		}
		group.Wait()
	})
}
