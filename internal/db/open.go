package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	sqliteReaders = 8  // connections that read side by side
	postgresPool  = 16 // connections of one process; a server has 100 by default
	busyTimeout   = "10000"
)

func openPostgreSQL(ctx context.Context, dsn string) (*DB, error) {
	cfg, err := pgx.ParseConfig(dsn) // its errors leave the password out
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(postgresPool)
	pool.SetMaxIdleConns(postgresPool)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), pool.Close())
	}
	return &DB{dialect: PostgreSQL, write: pool, read: pool}, nil
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if path == "" || path == ":memory:" || strings.HasPrefix(path, "file:") {
		return nil, fmt.Errorf("opening the database: %q is not the path of a file", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := prepare(path); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	d := &DB{dialect: SQLite}
	if d.write, err = sql.Open("sqlite", address(path, false)); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	// One connection writes: SQLite would let a second only wait, and time out.
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", address(path, true)); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), d.write.Close())
	}
	d.read.SetMaxOpenConns(sqliteReaders)
	d.read.SetMaxIdleConns(sqliteReaders)
	// The writer first: it creates the write-ahead log that readers look for.
	if err := errors.Join(d.write.PingContext(ctx), d.read.PingContext(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", path, err), d.Close())
	}
	return d, nil
}

// address is the DSN of the file at path, in SQLite's URI form so that no
// character of a path can be taken for a setting.
func address(path string, readOnly bool) string {
	q := url.Values{"_pragma": {
		"busy_timeout(" + busyTimeout + ")", // first: the others may have to wait
		"journal_mode(WAL)",
		"synchronous(NORMAL)", // in WAL mode a crash of the machine loses the last commits, never the file
		"foreign_keys(1)",
	}}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		// A transaction that reads, then writes, would else fail at its first
		// write when another wrote in between.
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// prepare makes the directory and the file, closed to others. SQLite gives the
// files that it makes beside it (-wal, -shm) the same mode.
func prepare(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		// Only a file that is not there is opened here: closing an existing one
		// would drop the locks that SQLite holds on it in this process.
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return nil // another process was faster, and made it the same way
		} else if err != nil {
			return err
		}
		return f.Close()
	} else if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(path, info.Mode().Perm()&0o700)
	}
	return nil
}
