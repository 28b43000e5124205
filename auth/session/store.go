package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ringwall/ringwall/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// tables are those of sessions.
type tables struct{ db *db.DB }

func (t tables) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the embedded migrations: %w", err)
	}
	return t.db.Migrate(ctx, files, "session_migrations")
}

// seal returns the secret of all processes; the first one makes it.
func (t tables) seal(ctx context.Context) (seal [32]byte, err error) {
	var fresh [32]byte
	rand.Read(fresh[:]) // never fails
	if _, err := t.db.Exec(ctx, "UPDATE session_state SET seal = ? WHERE seal = ''", hex.EncodeToString(fresh[:])); err != nil {
		return seal, err
	}
	var text string
	if err := t.db.QueryRow(ctx, "SELECT seal FROM session_state").Scan(&text); err != nil {
		return seal, err
	}
	if b, err := hex.DecodeString(text); err != nil || len(b) != len(seal) {
		return seal, errors.New("the seal in the database cannot be read")
	} else {
		return [32]byte(b), nil
	}
}

func (t tables) version(ctx context.Context) (v int64, err error) {
	err = t.db.QueryRow(ctx, "SELECT version FROM session_state").Scan(&v)
	return v, err
}

const columns = "id, hash, principal, tenant, trust, roles, acr, proved, issuer, sid, created, used, expires, revoked, why, changed"

// where returns the sessions that a condition picks, the newest first.
func (t tables) where(ctx context.Context, condition string, args ...any) ([]*entry, error) {
	rows, err := t.db.Query(ctx, "SELECT "+columns+" FROM sessions WHERE "+condition+" ORDER BY created DESC, id", args...) //nolint:gosec // conditions are ours
	if err != nil {
		return nil, err
	}
	return scanAll(rows)
}

func scanAll(rows *sql.Rows) ([]*entry, error) {
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

func scan(scan func(...any) error) (*entry, error) {
	var hash, trust, roles string
	var proved, created, used, expires, revoked int64
	e := &entry{}
	s, p := &e.session, &e.session.Principal
	err := scan(&s.ID, &hash, &p.ID, &p.Tenant, &trust, &roles, &p.ACR, &proved, &s.Issuer, &s.SID, &created, &used, &expires, &revoked, &s.Why, &e.changed)
	if err != nil {
		return nil, err
	}
	// What cannot be read leaves trust at none, which lets nobody in.
	if sum, err := hex.DecodeString(hash); err == nil && len(sum) == sha256.Size {
		e.hash = [sha256.Size]byte(sum)
		e.whole = json.Unmarshal([]byte(roles), &p.Roles) == nil && p.Trust.UnmarshalText([]byte(trust)) == nil
	}
	if !e.whole {
		p.Trust = 0
	}
	p.Via, p.Key = "session", s.ID
	p.Proved, s.Created, s.Expires, s.Revoked = date(proved), date(created), date(expires), date(revoked)
	e.used.Store(used)
	return e, nil
}

func (t tables) insert(ctx context.Context, tx *db.Tx, e *entry) error {
	s, p := &e.session, &e.session.Principal
	roles, err := json.Marshal(p.Roles)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO sessions ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', (SELECT version FROM session_state))",
		s.ID, hex.EncodeToString(e.hash[:]), p.ID, p.Tenant, p.Trust.String(), string(roles), p.ACR, millis(p.Proved), s.Issuer, s.SID, millis(s.Created), e.used.Load(), millis(s.Expires))
	return err
}

// change runs f in a transaction that counts as a change, and whose version it gets.
func (t tables) change(ctx context.Context, f func(tx *db.Tx, version int64) error) error {
	return t.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE session_state SET version = version + 1"); err != nil {
			return err
		}
		var v int64
		if err := tx.QueryRow(ctx, "SELECT version FROM session_state").Scan(&v); err != nil {
			return err
		}
		return f(tx, v)
	})
}

// lock waits for changes under way, and keeps others out until tx ends.
func lock(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE session_state SET version = version")
	return err
}

type cut struct{ kind, name string }

func (t tables) cuts(ctx context.Context) (map[cut]int64, error) {
	rows, err := t.db.Query(ctx, "SELECT kind, name, at FROM session_cuts")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[cut]int64{}
	for rows.Next() {
		var c cut
		var at int64
		if err := rows.Scan(&c.kind, &c.name, &at); err != nil {
			return nil, err
		}
		all[c] = at
	}
	return all, rows.Err()
}

// setCut remembers that what was issued to c until at is void.
func setCut(ctx context.Context, tx *db.Tx, c cut, at int64) error {
	if _, err := tx.Exec(ctx, "DELETE FROM session_cuts WHERE kind = ? AND name = ?", c.kind, c.name); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO session_cuts (kind, name, at) VALUES (?, ?, ?)", c.kind, c.name, at)
	return err
}

// once takes id down, and reports whether it is there for the first time.
func (t tables) once(ctx context.Context, id string, until int64) (first bool, err error) {
	sum := sha256.Sum256([]byte(id))
	res, err := t.db.Exec(ctx, "INSERT INTO session_once (id, expires) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", hex.EncodeToString(sum[:]), until)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// touch writes when sessions were last used, never backwards.
func (t tables) touch(ctx context.Context, uses []use) error {
	return t.db.Tx(ctx, func(tx *db.Tx) error {
		for _, u := range uses {
			if _, err := tx.Exec(ctx, "UPDATE sessions SET used = ? WHERE id = ? AND used < ?", u.at, u.id, u.at); err != nil {
				return err
			}
		}
		return nil
	})
}

// purge forgets what can matter no more.
func (t tables) purge(ctx context.Context, now time.Time) error {
	for query, before := range map[string]time.Duration{
		"DELETE FROM sessions WHERE expires < ?":     keepEnded,
		"DELETE FROM session_once WHERE expires < ?": 0,
		"DELETE FROM session_cuts WHERE at < ?":      keepCuts,
	} {
		if _, err := t.db.Exec(ctx, query, now.Add(-before).UnixMilli()); err != nil {
			return err
		}
	}
	return nil
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
