package quota

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Ledger keeps in a database what is used of calendar windows. Each second what was
// used since is added to what is there, and what others added is read: a process that
// is killed forgets a second at most, and replicas without a shared store know what the
// others used, a second late. It is safe for concurrent use.
type Ledger struct {
	db   *db.DB
	read int64 // rows are known that were changed before: milliseconds
}

// OpenLedger brings the tables of d to their newest version.
func OpenLedger(ctx context.Context, d *db.DB) (*Ledger, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("opening the ledger of quotas: %w", err)
	}
	if err := d.Migrate(ctx, files, "quota_migrations"); err != nil {
		return nil, fmt.Errorf("opening the ledger of quotas: %w", err)
	}
	return &Ledger{db: d}, nil
}

// load reads into m what was used of windows that are not over.
func (l *Ledger) load(ctx context.Context, m *memory) error {
	m.ledger = true
	return l.sync(ctx, m, true)
}

// overlap is how long before the last reading changes are read again: the clocks of
// replicas differ.
const overlap = 5 * time.Second

// sync brings the counters of m to what others wrote.
func (l *Ledger) sync(ctx context.Context, m *memory, all bool) error {
	wall := m.clock.wall()
	since := l.read - overlap.Milliseconds()
	if all {
		since = 0
	}
	rows, err := l.db.Query(ctx, "SELECT id, used, ends FROM quota_used WHERE updated >= ? AND ends > ? ORDER BY updated DESC LIMIT ?",
		since, wall.UnixMilli(), shards*m.most)
	if err != nil {
		return fmt.Errorf("reading what is used of budgets: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var used, ends int64
		if err := rows.Scan(&id, &used, &ends); err != nil {
			return fmt.Errorf("reading what is used of budgets: %w", err)
		}
		m.know(id, used, ends)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading what is used of budgets: %w", err)
	}
	l.read = wall.UnixMilli()
	return nil
}

// know takes what the ledger says of a counter, beside what it does not know yet.
func (m *memory) know(id string, used, ends int64) {
	if len(id) <= len(periodText) {
		return
	}
	starts, err := strconv.ParseInt(id[len(id)-len(periodText)+1:], 10, 64)
	if err != nil || used < 0 {
		return
	}
	s := &m.all[m.shardOf([]byte(id))]
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counters[id]
	if c == nil {
		if len(s.counters) >= m.most {
			return
		}
		c = &counter{slots: make([]int64, 1), newest: starts, ends: ends}
		s.counters[id] = c
	}
	if len(c.slots) == 1 && c.saving == 0 {
		c.sum = max(0, used+c.unsaved)
		c.slots[0] = c.sum
	}
}

// change is what a counter used since the ledger was told.
type change struct {
	id      string
	shard   *shard
	c       *counter
	n, ends int64
	total   int64
}

// save adds to the ledger what was used since, and reads what others did.
func (l *Ledger) save(ctx context.Context, m *memory) error {
	changes := m.unsaved()
	if len(changes) > 0 {
		err := l.add(ctx, changes, m.clock.wall().UnixMilli())
		m.saved(changes, err == nil)
		if err != nil {
			return fmt.Errorf("writing what is used of budgets: %w", err)
		}
	}
	return l.sync(ctx, m, false)
}

// unsaved takes what the ledger has not yet.
func (m *memory) unsaved() (out []change) {
	for i := range m.all {
		s := &m.all[i]
		s.mu.Lock()
		for id, c := range s.counters {
			if c.unsaved != 0 && c.saving == 0 && len(c.slots) == 1 {
				out = append(out, change{id: id, shard: s, c: c, n: c.unsaved, ends: c.ends})
				c.saving, c.unsaved = c.unsaved, 0
			}
		}
		s.mu.Unlock()
	}
	// Replicas that write the same rows do so in the same order.
	slices.SortFunc(out, func(a, b change) int { return strings.Compare(a.id, b.id) })
	return out
}

// saved ends what unsaved began.
func (m *memory) saved(changes []change, ok bool) {
	for i := range changes {
		ch := &changes[i]
		s := ch.shard
		s.mu.Lock()
		ch.c.saving = 0
		if ok {
			ch.c.sum = max(0, ch.total+ch.c.unsaved)
			ch.c.slots[0] = ch.c.sum
		} else {
			ch.c.unsaved += ch.n
		}
		s.mu.Unlock()
	}
}

// add adds changes, and finds what is used in all.
func (l *Ledger) add(ctx context.Context, changes []change, now int64) error {
	return l.db.Tx(ctx, func(tx *db.Tx) error {
		for i := range changes {
			ch := &changes[i]
			if err := tx.QueryRow(ctx, `INSERT INTO quota_used (id, used, ends, updated) VALUES (?, ?, ?, ?)
				ON CONFLICT (id) DO UPDATE SET used = quota_used.used + excluded.used, updated = excluded.updated
				RETURNING used`, ch.id, ch.n, ch.ends, now).Scan(&ch.total); err != nil {
				return err
			}
		}
		return nil
	})
}

// List returns what is used of windows that are not over, most first, and no more than
// limit.
func (l *Ledger) List(ctx context.Context, now time.Time, limit int) ([]Entry, error) {
	rows, err := l.db.Query(ctx, "SELECT id, used, ends, updated FROM quota_used WHERE ends > ? ORDER BY used DESC, id LIMIT ?", now.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("listing what is used of budgets: %w", err)
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var ends, updated int64
		if err := rows.Scan(&e.ID, &e.Used, &ends, &updated); err != nil {
			return nil, fmt.Errorf("listing what is used of budgets: %w", err)
		}
		e.Ends, e.Updated = time.UnixMilli(ends), time.UnixMilli(updated)
		e.describe()
		out = append(out, e)
	}
	return out, rows.Err()
}

// Reset makes a counter begin anew, and reports whether there is one. Processes that
// count know it after a second or two.
func (l *Ledger) Reset(ctx context.Context, id string, now time.Time) (bool, error) {
	res, err := l.db.Exec(ctx, "UPDATE quota_used SET used = 0, updated = ? WHERE id = ?", now.UnixMilli(), id)
	if err != nil {
		return false, fmt.Errorf("resetting a budget: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Prune deletes windows that have been over for a month.
func (l *Ledger) Prune(ctx context.Context, now time.Time) error {
	if _, err := l.db.Exec(ctx, "DELETE FROM quota_used WHERE ends < ?", now.AddDate(0, -1, 0).UnixMilli()); err != nil {
		return fmt.Errorf("pruning budgets: %w", err)
	}
	return nil
}
