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
	"net/netip"
	"strings"
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

const columns = "prefix, hash, name, tenant, trust, created, expires, revoked, last_used, principal, roles, scopes, nets, replaced"

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
	var hash, trust, roles, scopes, nets string
	var created, expires, revoked, used, replaced int64
	e := &entry{use: new(usage)}
	err := scan(&e.key.Prefix, &hash, &e.key.Name, &e.key.Tenant, &trust, &created, &expires, &revoked, &used,
		&e.key.Principal, &roles, &scopes, &nets, &replaced)
	if err != nil {
		return nil, err
	}
	// What cannot be read is left as it is: no hash fits, and no trust is none.
	// One spoilt row then shuts out one caller, and no other.
	if sum, err := hex.DecodeString(hash); err == nil && len(sum) == sha256.Size {
		e.hash, e.whole = [sha256.Size]byte(sum), true
	}
	trust, marked := strings.CutPrefix(trust, narrowed)
	if err := e.key.Trust.UnmarshalText([]byte(trust)); err != nil {
		e.key.Trust, e.whole = 0, false
	}
	if e.key.Principal == "" { // made before lines of keys were known
		e.key.Principal = e.key.Prefix
	}
	e.key.Roles, e.key.Scopes = words(roles), words(scopes)
	if e.key.From, err = networks(nets); err != nil || marked != e.key.narrow() {
		e.whole = false
	}
	e.key.Created, e.key.Expires, e.key.Revoked, e.key.LastUsed = date(created), date(expires), date(revoked), date(used)
	e.key.Replaced = date(replaced)
	e.finish()
	return e, nil
}

// narrowed stands before the trust of a key that is not good for everything, so that
// programs that know of no scopes and networks can make nothing of the row, and refuse
// the key.
const narrowed = "narrowed:"

// narrow reports whether k is good for less than its principal.
func (k *Key) narrow() bool { return k.Scopes != nil || k.From != nil }

// words are those of a list; nil where there is none.
func words(list string) []string {
	if list == "" {
		return nil
	}
	// What is no word is kept as one that fits nothing, rather than dropped.
	return strings.Split(list, " ")
}

// networks are those of a list; nil where there is none.
func networks(list string) (nets []netip.Prefix, err error) {
	for _, w := range words(list) {
		n, err := netip.ParsePrefix(w)
		if err != nil {
			return []netip.Prefix{}, err
		}
		nets = append(nets, n)
	}
	return nets, nil
}

// create writes a key whose name no other key in use has.
func (s store) create(ctx context.Context, e *entry) error {
	return s.change(ctx, func(tx *db.Tx) error {
		var one int
		err := tx.QueryRow(ctx, "SELECT 1 FROM auth_keys WHERE name = ? AND revoked = 0 AND replaced = 0", e.key.Name).Scan(&one)
		if err == nil {
			return fmt.Errorf("%w: %q", ErrNameTaken, e.key.Name)
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return insert(ctx, tx, e)
	})
}

func insert(ctx context.Context, tx *db.Tx, e *entry) error {
	nets := make([]string, len(e.key.From))
	for i, n := range e.key.From {
		nets[i] = n.String()
	}
	trust := e.key.Trust.String()
	if e.key.narrow() {
		trust = narrowed + trust
	}
	_, err := tx.Exec(ctx, "INSERT INTO auth_keys ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, 0)",
		e.key.Prefix, hex.EncodeToString(e.hash[:]), e.key.Name, e.key.Tenant, trust,
		millis(e.key.Created), millis(e.key.Expires), e.key.Principal,
		strings.Join(e.key.Roles, " "), strings.Join(e.key.Scopes, " "), strings.Join(nets, " "))
	return err
}

// named returns the keys with that prefix or name: those in use first, of them the one
// that is not replaced, and then those that were revoked last.
func named(ctx context.Context, tx *db.Tx, prefixOrName string) (all []*entry, err error) {
	rows, err := tx.Query(ctx, "SELECT "+columns+" FROM auth_keys WHERE prefix = ? OR name = ?"+
		" ORDER BY revoked = 0 DESC, replaced = 0 DESC, revoked DESC, created DESC, prefix", prefixOrName, prefixOrName)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNoSuchKey
	}
	return all, nil
}

// revoke marks the keys in use that have this prefix or name, and returns them. Where
// all are revoked already, the last of them is returned as it is.
func (s store) revoke(ctx context.Context, prefixOrName string, now time.Time) (ended []*entry, err error) {
	err = s.change(ctx, func(tx *db.Tx) error {
		all, err := named(ctx, tx, prefixOrName)
		if err != nil {
			return err
		}
		ended = all[:1]
		for i, e := range all {
			if !e.key.Revoked.IsZero() {
				break
			}
			ended = all[:i+1]
			e.key.Revoked = date(millis(now))
			e.finish()
			if _, err := tx.Exec(ctx, "UPDATE auth_keys SET revoked = ? WHERE prefix = ?", millis(now), e.key.Prefix); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

// replace writes the key that succeeds makes of the one in use with this prefix or
// name, which ends at the time that succeeds says.
func (s store) replace(ctx context.Context, prefixOrName string, succeeds func(old *entry) (fresh *entry, end time.Time)) (old, fresh *entry, err error) {
	err = s.change(ctx, func(tx *db.Tx) error {
		all, err := named(ctx, tx, prefixOrName)
		if err != nil {
			return err
		}
		old = all[0]
		switch {
		case !old.key.Revoked.IsZero():
			return fmt.Errorf("%w in use: %s is revoked", ErrNoSuchKey, old.key.Prefix)
		case !old.key.Replaced.IsZero():
			return fmt.Errorf("%w: give the name %q", ErrReplaced, old.key.Name)
		case !old.whole:
			return fmt.Errorf("the row of key %s in the database cannot be read", old.key.Prefix)
		}
		var end time.Time
		fresh, end = succeeds(old)
		old.key.Replaced = fresh.key.Created
		if old.key.Expires.IsZero() || end.Before(old.key.Expires) {
			old.key.Expires = end
		}
		old.finish()
		if _, err := tx.Exec(ctx, "UPDATE auth_keys SET replaced = ?, expires = ? WHERE prefix = ?",
			millis(old.key.Replaced), millis(old.key.Expires), old.key.Prefix); err != nil {
			return err
		}
		return insert(ctx, tx, fresh)
	})
	return old, fresh, err
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
