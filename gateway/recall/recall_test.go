package recall_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/recall"
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

// bounds are those of every memory.
type bounds struct {
	entries, bytes int
	ttl            time.Duration
}

// world is what memories of one kind share, and their time.
type world struct {
	tb   testing.TB
	open func(w *world, b bounds) gateway.Memory
	dsn  string

	mu   sync.Mutex
	time time.Time
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(time.Millisecond) // nothing happens at once
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

// database opens the database as another process would.
func (w *world) database() *db.DB {
	w.tb.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: w.dsn})
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { _ = d.Close() }) // some tests close it themselves
	return d
}

func (w *world) stored(d *db.DB, b bounds, digit string) *recall.Store {
	w.tb.Helper()
	s, err := recall.Open(context.Background(), recall.StoreConfig{
		DB: d, Key: key(w.tb, digit), Entries: b.entries, Bytes: int64(b.bytes), TTL: b.ttl, Now: w.now,
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return s
}

func inDatabase(w *world, b bounds) gateway.Memory { return w.stored(w.database(), b, "7") }

// kinds are all memories that there are.
var kinds = []struct {
	name string
	dsn  func(testing.TB) string // "": it is in the process
	open func(w *world, b bounds) gateway.Memory
}{
	{"in the process", func(testing.TB) string { return "" }, func(w *world, b bounds) gateway.Memory {
		return recall.New(recall.Config{Entries: b.entries, Bytes: b.bytes, TTL: b.ttl, Now: w.now})
	}},
	{"SQLite", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "recall.db") }, inDatabase},
	{"PostgreSQL", func(tb testing.TB) string { return postgres.Database(tb) }, inDatabase},
}

// each runs a test with every memory; only with those of a database, if durable.
func each(t *testing.T, durable bool, test func(*testing.T, *world)) {
	for _, k := range kinds {
		dsn := ""
		if dsn = k.dsn(t); durable && dsn == "" {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			test(t, &world{tb: t, open: k.open, dsn: dsn, time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
		})
	}
}

func said(asked, answer string) gateway.Said {
	return gateway.Said{Asked: []byte(asked), Answer: []byte(answer)}
}

// read fails the test unless a memory returns a text or an error.
func read(t *testing.T, m gateway.Memory, owner, id, want string, failed error) {
	t.Helper()
	got, err := m.Recall(t.Context(), owner, id)
	if !errors.Is(err, failed) || err == nil && string(got.Asked)+"|"+string(got.Answer) != want {
		t.Errorf("%s reads of %s %q|%q, %v; want %q, %v", owner, id, got.Asked, got.Answer, err, want, failed)
	}
}

func TestNobodyReadsAnothers(t *testing.T) {
	each(t, false, func(t *testing.T, w *world) {
		ctx, m := t.Context(), w.open(w, bounds{})
		m.Keep(ctx, "anna", "r1", said("hello", "hi"))
		read(t, m, "anna", "r1", "hello|hi", nil)
		read(t, m, "bob", "r1", "", gateway.ErrForeign)
		m.Keep(ctx, "bob", "r1", said("mine", ""))
		read(t, m, "anna", "r1", "hello|hi", nil)
		read(t, m, "anna", "r2", "", gateway.ErrForgotten)
		m.Keep(ctx, "anna", "r1", said("", "later"))
		read(t, m, "anna", "r1", "|later", nil)
		m.Keep(ctx, "anna", "r3", gateway.Said{})
		read(t, m, "anna", "r3", "|", nil)
		read(t, m, "bob", "r3", "", gateway.ErrForeign)
	})
}

func TestForgetsWhatItIsTold(t *testing.T) {
	each(t, false, func(t *testing.T, w *world) {
		ctx, m := t.Context(), w.open(w, bounds{})
		m.Keep(ctx, "anna", "r1", said("hello", "hi"))
		if err := m.Forget(ctx, "bob", "r1"); !errors.Is(err, gateway.ErrForeign) {
			t.Errorf("bob forgets: %v", err)
		}
		read(t, m, "anna", "r1", "hello|hi", nil)
		if err := m.Forget(ctx, "anna", "r1"); err != nil {
			t.Error(err)
		}
		read(t, m, "anna", "r1", "", gateway.ErrForgotten)
		if err := m.Forget(ctx, "anna", "r1"); !errors.Is(err, gateway.ErrForgotten) {
			t.Errorf("again: %v", err)
		}
	})
}

func TestForgetsTheOldestFirst(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, tt := range []struct {
		name string
		b    bounds
	}{
		{"by entries", bounds{entries: 2}},
		{"by bytes", bounds{bytes: 3200}},
	} {
		each(t, false, func(t *testing.T, w *world) {
			m := w.open(w, tt.b)
			for _, id := range []string{"r1", "r2", "r1", "r3"} {
				m.Keep(t.Context(), "anna", id, said(long, ""))
			}
			read(t, m, "anna", "r1", long+"|", nil)
			read(t, m, "anna", "r2", "", gateway.ErrForgotten)
			read(t, m, "anna", "r3", long+"|", nil)
			m.Keep(t.Context(), "anna", "r4", said(strings.Repeat(long, 4), ""))
			if tt.b.bytes > 0 {
				read(t, m, "anna", "r4", "", gateway.ErrForgotten)
				read(t, m, "anna", "r3", long+"|", nil)
			}
		})
	}
}

func TestForgetsAfterAWhile(t *testing.T) {
	each(t, false, func(t *testing.T, w *world) {
		m := w.open(w, bounds{ttl: time.Hour})
		m.Keep(t.Context(), "anna", "r1", said("hello", ""))
		w.move(time.Hour - 10*time.Millisecond)
		read(t, m, "anna", "r1", "hello|", nil)
		w.move(10 * time.Millisecond)
		read(t, m, "anna", "r1", "", gateway.ErrForgotten)
		m.Keep(t.Context(), "bob", "r1", said("mine", "")) // it is nobody's any more
		read(t, m, "bob", "r1", "mine|", nil)
	})
}

func TestManyAtOnce(t *testing.T) {
	each(t, false, func(t *testing.T, w *world) {
		m := w.open(w, bounds{entries: 50})
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for j := range 20 {
					owner, id := fmt.Sprint("o", i), fmt.Sprint("r", i, "-", j)
					m.Keep(t.Context(), owner, id, said(id, owner))
					if got, err := m.Recall(t.Context(), owner, id); err == nil && string(got.Answer) != owner || err != nil && !errors.Is(err, gateway.ErrForgotten) {
						t.Errorf("%s reads %q, %v", owner, got.Answer, err)
					}
				}
			})
		}
		group.Wait()
	})
}

// What is kept outlives the process, another gateway on the database reads it, and
// who reads the database reads nothing.
func TestOutlivesTheProcess(t *testing.T) {
	each(t, true, func(t *testing.T, w *world) {
		ctx, d := t.Context(), w.database()
		first := w.stored(d, bounds{}, "7")
		first.Keep(ctx, "anna", "resp_1", said("the secret question", "the secret answer"))
		var row [3]string
		if err := d.QueryRow(ctx, "SELECT id, owner, sealed FROM recall_entries").Scan(&row[0], &row[1], &row[2]); err != nil {
			t.Fatal(err)
		}
		for _, s := range row {
			if strings.Contains(s, "secret") || strings.Contains(s, "anna") || strings.Contains(s, "resp_1") {
				t.Errorf("the database says %s", s)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		again, replica := w.stored(w.database(), bounds{}, "7"), w.stored(w.database(), bounds{}, "7")
		for _, m := range []*recall.Store{again, replica} {
			read(t, m, "anna", "resp_1", "the secret question|the secret answer", nil)
			read(t, m, "bob", "resp_1", "", gateway.ErrForeign)
		}
		read(t, w.stored(w.database(), bounds{}, "8"), "anna", "resp_1", "", gateway.ErrForgotten)
		if err := replica.Forget(ctx, "anna", "resp_1"); err != nil {
			t.Error(err)
		}
		read(t, again, "anna", "resp_1", "", gateway.ErrForgotten)
	})
}

// A row that somebody changed does not open, and a database that is away is no
// answer.
func TestDamage(t *testing.T) {
	each(t, true, func(t *testing.T, w *world) {
		ctx, d := t.Context(), w.database()
		m := w.stored(d, bounds{}, "7")
		for _, change := range []string{
			"UPDATE recall_entries SET expires = expires + 1", "UPDATE recall_entries SET created = created - 1",
			"UPDATE recall_entries SET sealed = 'AAAA'", "UPDATE recall_entries SET sealed = '!'",
		} {
			m.Keep(ctx, "anna", "r1", said("hello", ""))
			read(t, m, "anna", "r1", "hello|", nil)
			if _, err := d.Exec(ctx, change); err != nil {
				t.Fatal(err)
			}
			read(t, m, "anna", "r1", "", gateway.ErrForgotten)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Recall(ctx, "anna", "r1"); err == nil || errors.Is(err, gateway.ErrForgotten) || errors.Is(err, gateway.ErrForeign) {
			t.Errorf("a database that is away: %v", err)
		}
		if err := m.Forget(ctx, "anna", "r1"); err == nil || errors.Is(err, gateway.ErrForgotten) {
			t.Errorf("a database that is away: %v", err)
		}
		m.Keep(ctx, "anna", "r2", said("hello", "")) // which only the log says
	})
}

func TestDeletesWhatExpired(t *testing.T) {
	each(t, true, func(t *testing.T, w *world) {
		ctx, d := t.Context(), w.database()
		m := w.stored(d, bounds{ttl: time.Minute}, "7")
		for i := range 1100 { // more than two batches
			m.Keep(ctx, "anna", fmt.Sprint(i), said("x", ""))
		}
		w.move(2 * time.Minute)
		m.Keep(ctx, "anna", "last", said("x", ""))
		if n, err := m.Expire(ctx); n != 1100 || err != nil {
			t.Errorf("%d were deleted, %v", n, err)
		}
		read(t, m, "anna", "last", "x|", nil)
		some := w.stored(d, bounds{entries: 3}, "7")
		for i := range 4 {
			m.Keep(ctx, "anna", fmt.Sprint("n", i), said("x", ""))
		}
		if _, err := some.Expire(ctx); err != nil {
			t.Error(err)
		}
		var n int
		if err := d.QueryRow(ctx, "SELECT count(*) FROM recall_entries").Scan(&n); err != nil || n != 3 {
			t.Errorf("%d are left, %v", n, err)
		}
	})
}

func TestRunDeletesWhatExpired(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "recall.db")
	synctest.Test(t, func(t *testing.T) {
		d, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		m, err := recall.Open(t.Context(), recall.StoreConfig{DB: d, Key: key(t, "7"), TTL: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		m.Keep(t.Context(), "anna", "r1", said("x", ""))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		<-time.After(61 * time.Second)
		synctest.Wait()
		var n int
		if err := d.QueryRow(t.Context(), "SELECT count(*) FROM recall_entries").Scan(&n); err != nil || n != 0 {
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
	w := &world{tb: t, dsn: filepath.Join(t.TempDir(), "recall.db")}
	for name, cfg := range map[string]recall.StoreConfig{"no database": {Key: key(t, "7")}, "no key": {DB: w.database()}} {
		if _, err := recall.Open(t.Context(), cfg); err == nil {
			t.Errorf("%s: it opened", name)
		}
	}
}

// Whatever was said comes back byte for byte.
func FuzzStore(f *testing.F) {
	w := &world{tb: f, dsn: filepath.Join(f.TempDir(), "recall.db"), time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	m := w.stored(w.database(), bounds{}, "7")
	f.Add("anna", "r1", []byte("a"), []byte("b"))
	f.Add("", "", []byte{}, []byte{0, 0xff, 0x80})
	f.Fuzz(func(t *testing.T, owner, id string, asked, answer []byte) {
		m.Keep(t.Context(), owner, id, gateway.Said{Asked: asked, Answer: answer})
		got, err := m.Recall(t.Context(), owner, id)
		if errors.Is(err, gateway.ErrForeign) { // another case kept it
			return
		}
		if err != nil || !bytes.Equal(got.Asked, asked) || !bytes.Equal(got.Answer, answer) {
			t.Fatalf("%q %q became %q %q, %v", asked, answer, got.Asked, got.Answer, err)
		}
	})
}
