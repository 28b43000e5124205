package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// onBoth runs the same test on both kinds of database. dsn names an empty one.
func onBoth(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "new", "a?b%20c.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, postgres.Database(t)) })
}

func open(t *testing.T, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return d
}

func migrations(statements ...string) fs.FS {
	files := fstest.MapFS{}
	for i, s := range statements {
		files[fmt.Sprintf("%05d_step.sql", i+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + s)}
	}
	return files
}

var (
	roomA = migrations("CREATE TABLE parent (id BIGINT PRIMARY KEY, name TEXT NOT NULL);",
		"CREATE TABLE child (id BIGINT PRIMARY KEY REFERENCES parent (id));")
	roomB = migrations("CREATE TABLE other (id BIGINT PRIMARY KEY);")
)

func mustExec(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	if _, err := d.Exec(t.Context(), query, args...); err != nil {
		t.Fatalf("Exec(%s) = %v", query, err)
	}
}

func TestValuesGoInAndOut(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		d := open(t, dsn)
		if err := d.Migrate(t.Context(), roomA, "a_migrations"); err != nil {
			t.Fatal(err)
		}
		evil := `'; DROP TABLE parent; --`
		mustExec(t, d, "INSERT INTO parent (id, name) VALUES (?, ?)", 1, evil)
		var name string
		if err := d.QueryRow(t.Context(), "SELECT name FROM parent WHERE id = ? AND name <> '?'", 1).Scan(&name); err != nil || name != evil {
			t.Errorf("name = %q, %v, want %q", name, err, evil)
		}
		if err := d.QueryRow(t.Context(), "SELECT name FROM parent WHERE id = ?", 2).Scan(&name); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("a missing row = %v, want ErrNoRows", err)
		}
		rows, err := d.Query(t.Context(), "SELECT id FROM parent WHERE name = ?", evil)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			n++
		}
		if err := rows.Err(); err != nil || n != 1 {
			t.Errorf("rows = %d, %v, want 1", n, err)
		}
		if err := d.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestForeignKeysAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		d := open(t, dsn)
		if err := d.Migrate(t.Context(), roomA, "a_migrations"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec(t.Context(), "INSERT INTO child (id) VALUES (?)", 7); err == nil {
			t.Error("a child without its parent went in")
		}
	})
}

func TestTx(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		d := open(t, dsn)
		if err := d.Migrate(t.Context(), roomB, "b_migrations"); err != nil {
			t.Fatal(err)
		}
		count := func() (n int) {
			if err := d.QueryRow(t.Context(), "SELECT count(*) FROM other").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		insert := func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO other (id) VALUES (?)", 1)
			return err
		}
		refused := errors.New("refused")
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { return errors.Join(insert(tx), refused) }); !errors.Is(err, refused) || count() != 0 {
			t.Errorf("Tx with an error = %v with %d rows, want the error and none", err, count())
		}
		func() {
			defer func() { _ = recover() }()
			_ = d.Tx(t.Context(), func(tx *db.Tx) error {
				if err := insert(tx); err != nil {
					t.Error(err)
				}
				panic("boom")
			})
		}()
		if count() != 0 {
			t.Error("a panic committed")
		}
		if err := d.Tx(t.Context(), insert); err != nil || count() != 1 {
			t.Errorf("Tx = %v with %d rows, want one", err, count())
		}
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			s, err := tx.Prepare(t.Context(), "INSERT INTO other (id) VALUES (?)")
			if err != nil {
				return err
			}
			for id := range 3 {
				if _, err := s.Exec(id + 2); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || count() != 4 {
			t.Errorf("Tx with a prepared statement = %v with %d rows, want four", err, count())
		}
	})
}

// Read, then write, from many goroutines: nothing may be lost, and nobody may
// be told that the database is locked.
func TestTransactionsTakeTurns(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "x.db"))
	if err := d.Migrate(t.Context(), migrations("CREATE TABLE n (n BIGINT NOT NULL);"), "n_migrations"); err != nil {
		t.Fatal(err)
	}
	mustExec(t, d, "INSERT INTO n (n) VALUES (0)")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				err := d.Tx(t.Context(), func(tx *db.Tx) error {
					var n int
					if err := tx.QueryRow(t.Context(), "SELECT n FROM n").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), "UPDATE n SET n = ?", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := d.QueryRow(t.Context(), "SELECT n FROM n").Scan(&n); err != nil || n != 160 {
		t.Errorf("n = %d, %v, want 160", n, err)
	}
}

func TestMigrate(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		d := open(t, dsn)
		for _, room := range []struct {
			files fs.FS
			table string
		}{{roomA, "a_migrations"}, {roomB, "b_migrations"}, {roomA, "a_migrations"}} {
			if err := d.Migrate(t.Context(), room.files, room.table); err != nil {
				t.Fatalf("Migrate(%s) = %v", room.table, err)
			}
		}
		for _, table := range []string{"a_migrations", "b_migrations", "parent", "child", "other"} {
			if _, err := d.Exec(t.Context(), "SELECT count(*) FROM "+table); err != nil {
				t.Errorf("table %s: %v", table, err)
			}
		}
		if err := d.Migrate(t.Context(), migrations("CREATE TABLE broken ("), "c_migrations"); err == nil {
			t.Error("broken SQL was taken")
		}
		if err := d.Migrate(t.Context(), roomA, "a; DROP TABLE parent"); err == nil {
			t.Error("a table name with SQL in it was taken")
		}
	})
}

func TestProcessesMigrateAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		var wg sync.WaitGroup
		for range 6 {
			d := open(t, dsn) // a handle of its own, as another process has
			wg.Go(func() {
				if err := d.Migrate(t.Context(), roomA, "a_migrations"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestFilesAreClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "x.db")
	d := open(t, "sqlite:"+path)
	if err := d.Migrate(t.Context(), roomB, "b_migrations"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v, want 0600", e.Name(), info.Mode(), err)
		}
	}
	if !slices.Equal(names, []string{"x.db", "x.db-shm", "x.db-wal"}) {
		t.Errorf("files = %v, want the database in WAL mode", names)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v, want 0700", info.Mode(), err)
	}

	wide := filepath.Join(t.TempDir(), "wide.db")
	if err := os.WriteFile(wide, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, wide)
	if info, err := os.Stat(wide); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("an open file has mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestReadersDoNotWrite(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "x.db"))
	if err := d.Migrate(t.Context(), roomB, "b_migrations"); err != nil {
		t.Fatal(err)
	}
	var id int
	if err := d.QueryRow(t.Context(), "INSERT INTO other (id) VALUES (?) RETURNING id", 1).Scan(&id); err == nil {
		t.Error("a query wrote")
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct{ name, dsn string }{
		{"nothing", ""},
		{"a database in memory, which each connection would have for itself", ":memory:"},
		{"SQLite's own addresses", "file:x.db?mode=memory"},
		{"an unknown kind", "mysql://root:hunter2@localhost/x"},
		{"a directory", t.TempDir()},
		{"a file that is no database", garbage(t)},
		{"a server that is not there", "postgres://me:hunter2@/x?host=" + t.TempDir()},
		{"a broken address", "postgres://me:hunter2@host:notaport/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := db.Open(t.Context(), db.Config{DSN: tt.dsn})
			if err == nil {
				d.Close()
				t.Fatalf("Open(%q) went well", tt.dsn)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func garbage(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := db.Open(ctx, db.Config{DSN: filepath.Join(t.TempDir(), "x.db")}); err == nil {
		d.Close()
		t.Error("Open with a cancelled context went well")
	}
}

func TestRebind(t *testing.T) {
	for _, tt := range []struct{ name, query, want string }{
		{"nothing to bind", "SELECT 1", "SELECT 1"},
		{"values are numbered from one", "a = ? AND b IN (?,?)", "a = $1 AND b IN ($2,$3)"},
		{"strings stay", "a = '?' AND b = ?", "a = '?' AND b = $1"},
		{"a doubled quote does not end a string", "a = 'it''s ?' AND b = ?", "a = 'it''s ?' AND b = $1"},
		{"quoted names stay", `"a?" = ?`, `"a?" = $1`},
		{"comments stay", "a = ? -- why?\nAND /* ? */ b = ?", "a = $1 -- why?\nAND /* ? */ b = $2"},
		{"minus and divide are no comments", "a - ? / ?", "a - $1 / $2"},
		{"an unclosed string reaches to the end", "? 'a ?", "$1 'a ?"},
		{"an unclosed comment reaches to the end", "? -- a ?", "$1 -- a ?"},
		{"a comment that opens and closes in one star is open", "/*/ ? */ ?", "/*/ ? */ $1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := db.Rebind(tt.query); got != tt.want {
				t.Errorf("Rebind(%q) = %q, want %q", tt.query, got, tt.want)
			}
		})
	}
}

// Whatever the query, taking the numbers out again gives it back.
func FuzzRebind(f *testing.F) {
	for _, s := range []string{"a = ? AND b = '?'", "-- ?\n?", "/* ? */ ? \"?\" '''?'", "?/*/?*/?", "'", "/*", "--"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.Contains(query, "$") {
			return
		}
		got := db.Rebind(query)
		for n := 1; strings.Contains(got, "$"); n++ {
			mark := fmt.Sprintf("$%d", n)
			if !strings.Contains(got, mark) {
				t.Fatalf("Rebind(%q) = %q: no %s", query, got, mark)
			}
			got = strings.Replace(got, mark, "?", 1)
		}
		if got != query {
			t.Fatalf("Rebind(%q) lost something: %q", query, got)
		}
	})
}
