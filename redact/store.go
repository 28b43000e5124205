package redact

import (
	"context"
	"database/sql"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// store is the tables of the vault.
type store struct {
	db *db.DB
}

// row is one sealed value.
type row struct {
	inner, owner, reason, sealed string
	created, expires             int64 // Unix milliseconds
	there                        bool  // it is known to be in the table
}

const (
	columns     = "scope, placeholder, owner, reason, sealed, created, expires"
	readBatch   = 400 // placeholders in one query
	writeBatch  = 50  // rows in one statement
	expireBatch = 500 // rows in one statement
)

func (s store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the embedded migrations: %w", err)
	}
	return s.db.Migrate(ctx, files, "redact_migrations")
}

// mark leaves the mark of a key, or returns an error that wraps ErrOtherKey when
// another one's is there.
func (s store) mark(ctx context.Context, want string) error {
	if _, err := s.db.Exec(ctx, "INSERT INTO redact_state (only_row, key_mark) VALUES (1, ?) ON CONFLICT (only_row) DO NOTHING", want); err != nil {
		return err
	}
	var got string
	if err := s.db.QueryRow(ctx, "SELECT key_mark FROM redact_state").Scan(&got); err != nil {
		return err
	}
	if got != want {
		return ErrOtherKey
	}
	return nil
}

// load returns the rows of the placeholders that have not expired.
func (s store) load(ctx context.Context, scope string, inners []string, now int64) (out []row, err error) {
	for batch := range slices.Chunk(inners, readBatch) {
		args := make([]any, 0, len(batch)+2)
		args = append(args, scope, now)
		for _, p := range batch {
			args = append(args, p)
		}
		rows, err := s.db.Query(ctx, "SELECT placeholder, owner, reason, sealed, created, expires FROM redact_entries"+
			" WHERE scope = ? AND expires > ? AND placeholder IN (?"+strings.Repeat(", ?", len(batch)-1)+") ORDER BY placeholder, owner", args...)
		if err != nil {
			return nil, err
		}
		if out, err = collect(out, rows); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func collect(out []row, rows *sql.Rows) ([]row, error) {
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.inner, &r.owner, &r.reason, &r.sealed, &r.created, &r.expires); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// save writes rows, and leaves as many of the new ones away as the scope would
// have beyond most. It returns those that it wrote.
func (s store) save(ctx context.Context, scope string, rows []row, most int) (wrote []row, err error) {
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		fresh := 0
		for _, r := range rows {
			if !r.there {
				fresh++
			}
		}
		if fresh > 0 {
			var have int
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM redact_entries WHERE scope = ?", scope).Scan(&have); err != nil {
				return err
			}
			room := most - have
			wrote = slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
				if !r.there {
					room--
				}
				return !r.there && room < 0
			})
		} else {
			wrote = rows
		}
		for batch := range slices.Chunk(wrote, writeBatch) {
			args := make([]any, 0, len(batch)*7)
			for _, r := range batch {
				args = append(args, scope, r.inner, r.owner, r.reason, r.sealed, r.created, r.expires)
			}
			_, err := tx.Exec(ctx, "INSERT INTO redact_entries ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?)"+strings.Repeat(", (?, ?, ?, ?, ?, ?, ?)", len(batch)-1)+
				" ON CONFLICT (scope, placeholder, owner) DO UPDATE SET reason = excluded.reason, sealed = excluded.sealed, created = excluded.created, expires = excluded.expires", args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return wrote, err
}

// expire deletes at most one batch of what has expired.
func (s store) expire(ctx context.Context, now int64) (int64, error) {
	res, err := s.db.Exec(ctx, "DELETE FROM redact_entries WHERE (scope, placeholder, owner) IN"+
		" (SELECT scope, placeholder, owner FROM redact_entries WHERE expires <= ? LIMIT "+strconv.Itoa(expireBatch)+")", now)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

var errSeal = errors.New("the row was changed, or sealed with another key")

// about is what a row's seal is bound to: a row that is moved, renamed or given
// more time does not open.
func (r *row) about(scope string) []byte {
	return bind("row", scope, r.inner, r.owner, r.reason, strconv.FormatInt(r.created, 10), strconv.FormatInt(r.expires, 10))
}

func (r *row) close(k *scopeKeys, nonce []byte, value string) {
	box := k.seal.Seal(nonce, nonce, []byte(value), r.about(k.id))
	r.sealed = base64.RawStdEncoding.EncodeToString(box)
}

func (r *row) open(k *scopeKeys) (string, error) {
	box, err := base64.RawStdEncoding.DecodeString(r.sealed)
	if n := k.seal.NonceSize(); err == nil && len(box) >= n {
		if value, err := k.seal.Open(nil, box[:n], box[n:], r.about(k.id)); err == nil {
			return string(value), nil
		}
	}
	return "", errSeal
}
