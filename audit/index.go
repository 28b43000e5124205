package audit

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

const (
	indexBatch = 4096 // entries a transaction
	maxColumn  = 256  // bytes of a text in the index; the entry itself has all of it
)

// index finds entries. It is filled from the segments alone, and so costs the
// calls nothing, survives a database that is away, and can always be made anew.
//
// It does not know each entry, but blocks of them ([block]): whether something
// that a filter wants may be in a block. The block is then read. So following the
// log costs a few microseconds an entry, a hundredth of the space of the log, and
// a search still leaves most of the log unread.
type index struct {
	db     *db.DB
	log    string // id of the log within the database
	dir    string
	logger *slog.Logger

	mu  sync.Mutex // one fills it at a time
	at  place      // what is indexed
	cur *block     // the last block, to be gone on with; nil: none
	doc jsonedit.Doc
}

// place is an entry in the segments; the zero place is before the first.
type place struct {
	seq      uint64
	segment  uint64
	position int64
	length   int64
	hash     Sum
}

// row is an entry on its way into the index.
type row struct {
	place
	id   string
	kind ringwall.Kind
	at   int64 // microseconds since 1970
	term []term
}

// open makes the tables and finds out how far the index has come.
func (x *index) open(ctx context.Context) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	if err := x.db.Migrate(ctx, files, "audit_migrations"); err != nil {
		return err
	}
	var at place
	var hash string
	err = x.db.QueryRow(ctx, `SELECT seq, segment, position, length, hash FROM audit_progress WHERE log = ?`, x.log).
		Scan(&at.seq, &at.segment, &at.position, &at.length, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	logFiles := segmentFiles{dir: x.dir}
	defer logFiles.close()
	f, _, err := logFiles.read(at)
	if err == nil && f.hash.String() == hash {
		at.hash = f.hash
		x.at = at
		return x.resume(ctx)
	}
	x.logger.Warn("audit: the index does not fit the log and is made anew", "seq", at.seq)
	return x.forget(ctx)
}

// forget empties the index of this log.
func (x *index) forget(ctx context.Context) error {
	x.at, x.cur = place{}, nil
	return x.db.Tx(ctx, func(tx *db.Tx) error {
		for _, q := range []string{
			`DELETE FROM audit_blocks WHERE log = ?`,
			`DELETE FROM audit_open WHERE log = ?`,
			`DELETE FROM audit_progress WHERE log = ?`,
		} {
			if _, err := tx.Exec(ctx, q, x.log); err != nil {
				return fmt.Errorf("emptying the index: %w", err)
			}
		}
		return nil
	})
}

// follow catches up every interval until ctx ends.
func (x *index) follow(ctx context.Context, interval time.Duration, now func() mark) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	behind := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := x.catchUp(ctx, now())
		if err != nil && !behind && ctx.Err() == nil { // once, not every second
			x.logger.Error("audit: filling the index", "error", err)
		}
		behind = err != nil
	}
}

// catchUp indexes what the segments hold more than the index, up to m at least.
// Lines that are not sound are left out: naming them is for Verify.
func (x *index) catchUp(ctx context.Context, m mark) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at.seq >= m.seq {
		return nil
	}
	number, from := max(x.at.segment, 1), x.at.position+x.at.length
	var rows []row
	for ; number <= m.number; number, from = number+1, 0 {
		err := readLines(x.dir, number, from, func(line rawLine) (bool, error) {
			f, err := parseLine(line.text)
			if err != nil || !f.sound() || !line.whole {
				return true, nil
			}
			r, err := readRow(&x.doc, f.event)
			if err != nil {
				x.logger.Warn("audit: an entry cannot be indexed", "seq", f.seq, "error", err)
				return true, nil
			}
			r.place = place{f.seq, number, line.offset, line.size, f.hash}
			if rows = append(rows, r); len(rows) < indexBatch {
				return true, nil
			}
			err = x.add(ctx, rows)
			rows = rows[:0]
			return err == nil, err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("indexing %s: %w", segmentName(number), err)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := x.add(ctx, rows); err != nil {
		return fmt.Errorf("indexing: %w", err)
	}
	return nil
}

// add puts rows into the index, all or none.
func (x *index) add(ctx context.Context, rows []row) error {
	last := rows[len(rows)-1].place
	blocks := x.blocks(rows)
	err := x.db.Tx(ctx, func(tx *db.Tx) error {
		for _, b := range blocks {
			if err := b.save(ctx, tx, x.log); err != nil {
				return err
			}
		}
		if err := x.addOpen(ctx, tx, rows); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO audit_progress (log, seq, segment, position, length, hash) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (log) DO UPDATE SET seq = excluded.seq, segment = excluded.segment,
			position = excluded.position, length = excluded.length, hash = excluded.hash`,
			x.log, last.seq, last.segment, last.position, last.length, last.hash.String())
		return err
	})
	if err == nil {
		x.at, x.cur = last, blocks[len(blocks)-1]
	}
	return err
}

// clip bounds what a caller may have chosen, and takes out the one character
// that PostgreSQL does not store: an entry that cannot be indexed would hold up
// all that follow.
func clip(s string) string {
	if len(s) > maxColumn {
		n := maxColumn
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// addOpen keeps the table of exchanges that have not ended. Most begin and end
// within one batch and never come into it.
func (x *index) addOpen(ctx context.Context, tx *db.Tx, rows []row) error {
	type begun struct {
		id         string
		seq, noted uint64
	}
	var open []begun // in the order of their beginning
	at := map[string]int{}
	var ended []string
	var noted uint64
	for i := range rows {
		r := &rows[i]
		switch id := r.id; r.kind {
		case ringwall.ExchangeBegin:
			at[id] = len(open)
			open = append(open, begun{id: id, seq: r.seq})
		case ringwall.ExchangeEnd:
			if j, ok := at[id]; ok {
				open[j].id = ""
				delete(at, id)
			} else {
				ended = append(ended, id)
			}
		case ringwall.Recovered:
			noted = r.seq
			for j := range open {
				if open[j].noted == 0 {
					open[j].noted = r.seq
				}
			}
		default: // acts neither begin nor end an exchange
		}
	}
	if len(ended) > 0 {
		s, err := tx.Prepare(ctx, `DELETE FROM audit_open WHERE log = ? AND id = ?`)
		if err != nil {
			return err
		}
		defer s.Close()
		for _, id := range ended {
			if _, err := s.ExecContext(ctx, x.log, id); err != nil {
				return err
			}
		}
	}
	if noted > 0 {
		if _, err := tx.Exec(ctx, `UPDATE audit_open SET noted = ? WHERE log = ? AND noted = 0`, noted, x.log); err != nil {
			return err
		}
	}
	still := open[:0]
	for _, b := range open {
		if b.id != "" {
			still = append(still, b)
		}
	}
	return insert(ctx, tx, `INSERT INTO audit_open (log, id, seq, noted) VALUES `, ` ON CONFLICT DO NOTHING`,
		len(still), func(i int) []any { return []any{x.log, still[i].id, still[i].seq, still[i].noted} })
}

// insert runs an INSERT of n rows: many rows a statement, as few statements as
// the database has to understand anew.
func insert(ctx context.Context, tx *db.Tx, before, after string, n int, row func(i int) []any) error {
	const together = 50
	var args []any
	for i := 0; i < n; {
		group := together // rows of the statements to come, and how many of these
		if n-i < together {
			group = 1
		}
		count := (n - i) / group
		var statement *sql.Stmt
		for range count {
			args = args[:0]
			for range group {
				args = append(args, row(i)...)
				i++
			}
			if statement == nil {
				marks := "(" + strings.Repeat("?, ", len(args)/group-1) + "?)"
				var err error
				if statement, err = tx.Prepare(ctx, before+strings.Repeat(marks+", ", group-1)+marks+after); err != nil {
					return err
				}
				defer statement.Close() // two at most
			}
			if _, err := statement.ExecContext(ctx, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// unfinished counts the exchanges that were begun, never ended, and not counted
// before.
func (x *index) unfinished(ctx context.Context) (n int, err error) {
	err = x.db.QueryRow(ctx, `SELECT count(*) FROM audit_open WHERE log = ? AND noted = 0`, x.log).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting unfinished exchanges: %w", err)
	}
	return n, nil
}
