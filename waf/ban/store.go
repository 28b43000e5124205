package ban

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ringwall/ringwall/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// store is the table of bans in the database.
type store struct{ db *db.DB }

func (s store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the embedded migrations: %w", err)
	}
	return s.db.Migrate(ctx, files, "ban_migrations")
}

func (s store) version(ctx context.Context) (v int64, err error) {
	err = s.db.QueryRow(ctx, "SELECT version FROM ban_state").Scan(&v)
	return v, err
}

const columns = "scope, value, reason, by_whom, since, until, strikes"

// all returns the bans that hold, or ended behind a time: at most limit, those that
// hold longest first.
func (s store) all(ctx context.Context, behind time.Time, limit int) (out []Ban, err error) {
	rows, err := s.db.Query(ctx, "SELECT "+columns+" FROM ban_bans WHERE until = 0 OR until > ?"+
		" ORDER BY until = 0 DESC, until DESC, scope, value LIMIT ?", millis(behind), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		b, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, rows.Err()
}

func scan(scan func(...any) error) (b Ban, err error) {
	var since, until int64
	err = scan(&b.Subject.Scope, &b.Subject.Value, &b.Reason, &b.By, &since, &until, &b.Strikes)
	b.Since, b.Until = date(since), date(until)
	return b, err
}

// add writes bans. One that is there already and outlasts a new one stays, unless
// the new one replaces it. It returns what the database holds of their subjects then,
// and refuses new ones once there are limit.
func (s store) add(ctx context.Context, bans []Ban, replace bool, now time.Time, limit int) (out []Ban, err error) {
	err = s.change(ctx, func(tx *db.Tx) error {
		out = out[:0]
		var count int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM ban_bans WHERE until = 0 OR until > ?", millis(now)).Scan(&count); err != nil {
			return err
		}
		for _, b := range bans {
			row := tx.QueryRow(ctx, "SELECT "+columns+" FROM ban_bans WHERE scope = ? AND value = ?", b.Subject.Scope, b.Subject.Value)
			old, err := scan(row.Scan)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				if count++; count > limit {
					return fmt.Errorf("%w: %d", ErrFull, limit)
				}
			case err != nil:
				return err
			case !replace && old.active(now) && old.outlasts(&b):
				out = append(out, old)
				continue
			default:
				b.Strikes = max(b.Strikes, old.Strikes)
			}
			if _, err := tx.Exec(ctx, "DELETE FROM ban_bans WHERE scope = ? AND value = ?", b.Subject.Scope, b.Subject.Value); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO ban_bans ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
				b.Subject.Scope, b.Subject.Value, b.Reason, b.By, millis(b.Since), millis(b.Until), b.Strikes); err != nil {
				return err
			}
			out = append(out, b)
		}
		return nil
	})
	return out, err
}

// remove takes a ban out, and reports whether there was one.
func (s store) remove(ctx context.Context, subject Subject) (there bool, err error) {
	err = s.change(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(ctx, "DELETE FROM ban_bans WHERE scope = ? AND value = ?", subject.Scope, subject.Value)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		there = n > 0
		return err
	})
	return there, err
}

// purge takes out what ended before a time. It is no change: nobody looks at those.
func (s store) purge(ctx context.Context, before time.Time) error {
	_, err := s.db.Exec(ctx, "DELETE FROM ban_bans WHERE until <> 0 AND until < ?", millis(before))
	return err
}

// change runs f in a transaction that counts as a change.
func (s store) change(ctx context.Context, f func(*db.Tx) error) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE ban_state SET version = version + 1"); err != nil {
			return err
		}
		return f(tx)
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
