package history

import (
	"context"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/telemetry"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DatabaseConfig says where a Database keeps records, and bounds it. Zero fields mean
// the defaults.
type DatabaseConfig struct {
	DB      *db.DB           // required; it stays the caller's to close
	Entries int              // names under which something is kept; default 200,000
	Now     func() time.Time // default time.Now
	Log     *slog.Logger     // default: silent
}

// Times that callers wait for the database, for which one that failed is not asked
// again, and between looks for what has expired.
const (
	askTimeout   = 500 * time.Millisecond
	keepTimeout  = 2 * time.Second
	awayFor      = time.Second
	sweepEvery   = time.Minute
	sweepTimeout = 10 * time.Second
	batch        = 500 // rows in one statement
)

// Database is a Store in the database, for all gateways on it. What it kept or found
// itself lately it knows without asking.
type Database struct {
	cfg  DatabaseConfig
	near *Memory
	away atomic.Int64 // Unix milliseconds until which the database is not asked
}

// errAway says that the database failed a moment ago.
var errAway = errors.New("the database did not answer a moment ago")

// Open brings the table to its newest version.
func Open(ctx context.Context, cfg DatabaseConfig) (*Database, error) {
	if cfg.DB == nil {
		return nil, errors.New("opening the history: no database is given")
	}
	if cfg.Entries <= 0 {
		cfg.Entries = 200_000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	if err := cfg.DB.Migrate(ctx, files, "history_migrations"); err != nil {
		return nil, fmt.Errorf("opening the history: %w", err)
	}
	return &Database{cfg: cfg, near: NewMemory(MemoryConfig{Entries: 20_000, Bytes: 16 << 20, Now: cfg.Now})}, nil
}

// failed notes that the database did not answer.
func (s *Database) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.away.Store(s.cfg.Now().Add(awayFor).UnixMilli())
		s.cfg.Log.WarnContext(ctx, "the history is away: earlier turns are taken as unverified", telemetry.KeyError, err)
	}
}

// Find implements Store.
func (s *Database) Find(ctx context.Context, keys []Key) ([]byte, error) {
	if record, err := s.near.Find(ctx, keys); record != nil || err != nil || len(keys) == 0 {
		return record, err
	}
	now := s.cfg.Now().UnixMilli()
	if now < s.away.Load() {
		return nil, errAway
	}
	record, key, until, err := s.find(ctx, keys, now)
	switch {
	case err != nil:
		s.failed(ctx, err)
		return nil, fmt.Errorf("reading the history: %w", err)
	case record != nil:
		_ = s.near.Keep(ctx, []Key{key}, record, until) // it does not fail
	}
	return record, nil
}

func (s *Database) find(ctx context.Context, keys []Key, now int64) (record []byte, key Key, until time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	args := make([]any, 0, len(keys)+1)
	at := make(map[string]int, len(keys))
	args = append(args, now)
	for i, k := range keys {
		name := hex.EncodeToString(k[:])
		args = append(args, name)
		if _, twice := at[name]; !twice {
			at[name] = i
		}
	}
	rows, err := s.cfg.DB.Query(ctx, "SELECT name, record, expires FROM history_records WHERE expires > ? AND name IN (?"+strings.Repeat(", ?", len(keys)-1)+")", args...)
	if err != nil {
		return nil, Key{}, time.Time{}, err
	}
	defer rows.Close()
	first := len(keys)
	for rows.Next() {
		var name, text string
		var expires int64
		if err := rows.Scan(&name, &text, &expires); err != nil {
			return nil, Key{}, time.Time{}, err
		}
		i, ok := at[name]
		if !ok || i >= first {
			continue
		}
		b, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			continue // somebody changed it
		}
		first, record, key, until = i, b, keys[i], time.UnixMilli(expires)
	}
	return record, key, until, rows.Err()
}

// Keep implements Store. What the database does not take is known here alone.
func (s *Database) Keep(ctx context.Context, keys []Key, record []byte, until time.Time) error {
	if err := s.near.Keep(ctx, keys, record, until); err != nil || len(keys) == 0 {
		return err
	}
	now := s.cfg.Now()
	if now.UnixMilli() < s.away.Load() {
		return errAway
	}
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	text := base64.RawStdEncoding.EncodeToString(record)
	args := make([]any, 0, 4*len(keys))
	for _, k := range keys {
		args = append(args, hex.EncodeToString(k[:]), text, now.UnixMilli(), until.UnixMilli())
	}
	if _, err := s.cfg.DB.Exec(ctx, "INSERT INTO history_records (name, record, created, expires) VALUES (?, ?, ?, ?)"+strings.Repeat(", (?, ?, ?, ?)", len(keys)-1)+
		" ON CONFLICT (name) DO UPDATE SET record = excluded.record, created = excluded.created, expires = excluded.expires", args...); err != nil {
		s.failed(ctx, err)
		return fmt.Errorf("keeping the history: %w", err)
	}
	return nil
}

// Run deletes what has expired and what is too much, until ctx ends; it then returns
// nil. What has expired is never believed, deleted or not.
func (s *Database) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	away := telemetry.Away{Log: s.cfg.Log, Gone: "expired history stays in the database, where nobody believes it"}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := s.Expire(ctx)
		away.Note(ctx, err)
	}
}

// Expire deletes what has expired and the oldest of what is too much, in small
// batches, and returns how many rows that were.
func (s *Database) Expire(ctx context.Context) (deleted int64, err error) {
	for {
		n, err := s.delete(ctx, "SELECT name FROM history_records WHERE expires <= ? LIMIT "+strconv.Itoa(batch), s.cfg.Now().UnixMilli())
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("deleting expired history: %w", err)
		}
		if n < batch {
			break
		}
	}
	for {
		n, err := s.surplus(ctx)
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("deleting the oldest history: %w", err)
		}
		if n == 0 {
			return deleted, nil
		}
	}
}

// surplus deletes a batch of the oldest rows that are too many.
func (s *Database) surplus(ctx context.Context) (int64, error) {
	asking, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	var count int64
	if err := s.cfg.DB.QueryRow(asking, "SELECT count(*) FROM history_records").Scan(&count); err != nil {
		return 0, err
	}
	most := min(count-int64(s.cfg.Entries), batch)
	if most <= 0 {
		return 0, nil
	}
	return s.delete(ctx, "SELECT name FROM history_records ORDER BY created, name LIMIT "+strconv.FormatInt(most, 10))
}

func (s *Database) delete(ctx context.Context, which string, args ...any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	res, err := s.cfg.DB.Exec(ctx, "DELETE FROM history_records WHERE name IN ("+which+")", args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

var _ Store = (*Database)(nil)
