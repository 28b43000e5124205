package auth

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ringwall/ringwall/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// store is the tables of keys.
type store struct {
	db *db.DB
}

func (s store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the embedded migrations: %w", err)
	}
	return s.db.Migrate(ctx, files, "auth_migrations")
}

func (s store) version(ctx context.Context) (int64, error) {
	var v int64
	err := s.db.QueryRow(ctx, "SELECT version FROM auth_state").Scan(&v)
	return v, err
}

const columns = "prefix, hash, name, tenant, trust, created, expires, revoked, last_used"

// all returns every key, by name and then by time.
func (s store) all(ctx context.Context) ([]*entry, error) {
	rows, err := s.db.Query(ctx, "SELECT "+columns+" FROM auth_keys ORDER BY name, created, prefix")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*entry
	for rows.Next() {
		e, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// one returns the key with the prefix, or nil.
func (s store) one(ctx context.Context, prefix string) (*entry, error) {
	row := s.db.QueryRow(ctx, "SELECT "+columns+" FROM auth_keys WHERE prefix = ?", prefix)
	e, err := scan(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return e, err
}

func scan(scan func(...any) error) (*entry, error) {
	var hash, trust string
	var created, expires, revoked, used int64
	e := &entry{use: new(usage)}
	err := scan(&e.key.Prefix, &hash, &e.key.Name, &e.key.Tenant, &trust, &created, &expires, &revoked, &used)
	if err != nil {
		return nil, err
	}
	// What cannot be read is left as it is: no hash fits, and no trust is none.
	// One spoilt row then shuts out one caller, and no other.
	if sum, err := hex.DecodeString(hash); err == nil && len(sum) == sha256.Size {
		e.hash, e.whole = [sha256.Size]byte(sum), true
	}
	if err := e.key.Trust.UnmarshalText([]byte(trust)); err != nil {
		e.key.Trust, e.whole = 0, false
	}
	e.key.Created, e.key.Expires, e.key.Revoked, e.key.LastUsed = date(created), date(expires), date(revoked), date(used)
	e.finish()
	return e, nil
}

func (s store) insert(ctx context.Context, e *entry) error {
	return s.change(ctx, func(tx *db.Tx) error {
		var one int
		err := tx.QueryRow(ctx, "SELECT 1 FROM auth_keys WHERE name = ? AND revoked = 0", e.key.Name).Scan(&one)
		if err == nil {
			return fmt.Errorf("%w: %q", ErrNameTaken, e.key.Name)
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO auth_keys ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
			e.key.Prefix, hex.EncodeToString(e.hash[:]), e.key.Name, e.key.Tenant, e.key.Trust.String(),
			millis(e.key.Created), millis(e.key.Expires))
		return err
	})
}

// revoke marks the key in use that has this prefix or name, and returns it. A
// key that is revoked already is returned as it is.
func (s store) revoke(ctx context.Context, prefixOrName string, now time.Time) (e *entry, err error) {
	err = s.change(ctx, func(tx *db.Tx) error {
		row := tx.QueryRow(ctx, "SELECT "+columns+" FROM auth_keys WHERE prefix = ? OR name = ?"+
			" ORDER BY revoked = 0 DESC, revoked DESC LIMIT 1", prefixOrName, prefixOrName)
		if e, err = scan(row.Scan); errors.Is(err, sql.ErrNoRows) {
			return ErrNoSuchKey
		} else if err != nil || !e.key.Revoked.IsZero() {
			return err
		}
		e.key.Revoked = date(millis(now))
		e.finish()
		_, err := tx.Exec(ctx, "UPDATE auth_keys SET revoked = ? WHERE prefix = ?", millis(now), e.key.Prefix)
		return err
	})
	return e, err
}

// change runs f in a transaction that counts as a change.
func (s store) change(ctx context.Context, f func(*db.Tx) error) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE auth_state SET version = version + 1"); err != nil {
			return err
		}
		return f(tx)
	})
}

// use is when a key was last used.
type use struct {
	prefix string
	at     int64 // Unix milliseconds
	of     *usage
}

// touch writes when keys were last used, never backwards: other processes write
// the same rows.
func (s store) touch(ctx context.Context, uses []use) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		for _, u := range uses {
			_, err := tx.Exec(ctx, "UPDATE auth_keys SET last_used = ? WHERE prefix = ? AND last_used < ?", u.at, u.prefix, u.at)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func date(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}
