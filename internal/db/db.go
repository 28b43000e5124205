package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Dialect is the SQL that a database speaks.
type Dialect uint8

// Dialects.
const (
	SQLite Dialect = iota
	PostgreSQL
)

func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "sqlite"
	case PostgreSQL:
		return "postgres"
	}
	return fmt.Sprintf("unknown(%d)", uint8(d))
}

// Config says which database to open.
type Config struct {
	// DSN is the path of an SQLite file, with or without "sqlite:" before it,
	// or the address of a PostgreSQL database ("postgres://user@host/name").
	// Required.
	DSN string
}

// DB is an open database. It is safe for concurrent use.
//
// SQLite has one writer and several readers: Exec and Tx wait for each other,
// Query does not wait. PostgreSQL has one pool for both.
type DB struct {
	dialect Dialect
	write   *sql.DB
	read    *sql.DB // the same as write for PostgreSQL
}

// Open opens the database that cfg names, and creates an SQLite file that is
// not there yet (mode 0600, missing directories 0700). A file that others may
// read or write is closed to them. Errors never hold the password of a DSN.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	scheme, rest, found := strings.Cut(cfg.DSN, ":")
	switch {
	case cfg.DSN == "":
		return nil, errors.New("opening the database: no DSN is given")
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return openPostgreSQL(ctx, cfg.DSN)
	case found && scheme == "sqlite":
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"))
	case strings.Contains(cfg.DSN, "://"):
		return nil, fmt.Errorf("opening the database: unknown kind %q: want a path or postgres://…", scheme)
	}
	return openSQLite(ctx, cfg.DSN)
}

// Dialect says which SQL the database speaks.
func (d *DB) Dialect() Dialect { return d.dialect }

// Exec runs a statement that changes something. Each "?" in query stands for
// one of args.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.write.ExecContext(ctx, d.rebind(query), args...)
}

// Query runs a statement that only reads; SQLite refuses to write in it.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.read.QueryContext(ctx, d.rebind(query), args...)
}

// QueryRow is Query for at most one row; Scan returns sql.ErrNoRows when there
// is none.
func (d *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return d.read.QueryRowContext(ctx, d.rebind(query), args...)
}

// Tx calls f within a transaction, which is committed when f returns nil and
// rolled back when it returns an error or panics. On SQLite the transaction
// holds the one right to write from its first moment, so that f may read, decide
// and write; f must not use d itself, which would wait for it forever.
func (d *DB) Tx(ctx context.Context, f func(*Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing once it is committed
	if err := f(&Tx{tx: tx, db: d}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// Tx is a transaction. It belongs to the function that it was given to.
type Tx struct {
	tx *sql.Tx
	db *DB
}

// Exec is [DB.Exec] within the transaction.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, t.db.rebind(query), args...)
}

// Query is [DB.Query] within the transaction, and may write.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.db.rebind(query), args...)
}

// QueryRow is [DB.QueryRow] within the transaction, and may write.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, t.db.rebind(query), args...)
}

// Prepare readies a statement that is run several times within the
// transaction. It is closed with the transaction at the latest.
func (t *Tx) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	return t.tx.PrepareContext(ctx, t.db.rebind(query))
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.read.PingContext(ctx); err != nil {
		return fmt.Errorf("asking the database: %w", err)
	}
	return nil
}

// Close closes the database once running queries have ended.
func (d *DB) Close() error {
	if d.read == d.write {
		return d.write.Close()
	}
	// Readers first: the last connection to go folds the write-ahead log into
	// the file, and only a writer can.
	return errors.Join(d.read.Close(), d.write.Close())
}

func (d *DB) rebind(query string) string {
	if d.dialect == PostgreSQL {
		return Rebind(query)
	}
	return query
}
