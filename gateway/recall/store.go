package recall

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/redact"
)

//go:embed migrations/*.sql
var migrations embed.FS

// StoreConfig says where a Store keeps what was said, and bounds it. Zero fields
// mean the defaults.
type StoreConfig struct {
	DB      *db.DB           // required; it stays the caller's to close
	Key     redact.Key       // required; the same for all gateways that share the database
	Entries int              // default 100,000
	Bytes   int64            // of all that is kept; default 1 GiB
	TTL     time.Duration    // since it was kept; default 24h
	Now     func() time.Time // default time.Now
	Log     *slog.Logger     // default: silent
}

// Times that callers wait for the database, and between looks for what has expired.
const (
	keepTimeout   = 2 * time.Second
	recallTimeout = 2 * time.Second
	sweepEvery    = time.Minute
	sweepTimeout  = 10 * time.Second
	batch         = 500 // rows in one statement
)

// Store implements gateway.Memory on a database. What it keeps is sealed with a key
// of its owner's, which is derived from the root key.
type Store struct {
	cfg   StoreConfig
	names []byte // key of the hashes that stand for ids and owners
	keeps atomic.Int64
	each  int64 // how many are kept between looks for what is too much
}

// Open brings the table to its newest version.
func Open(ctx context.Context, cfg StoreConfig) (*Store, error) {
	if cfg.DB == nil {
		return nil, errors.New("opening the memory of answers: no database is given")
	}
	if cfg.Entries <= 0 {
		cfg.Entries = 100_000
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 1 << 30
	}
	if cfg.TTL <= 0 {
		cfg.TTL = 24 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	names, err := cfg.Key.Derive("recall-names", "", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("opening the memory of answers: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	if err := cfg.DB.Migrate(ctx, files, "recall_migrations"); err != nil {
		return nil, fmt.Errorf("opening the memory of answers: %w", err)
	}
	return &Store{cfg: cfg, names: names, each: max(1, int64(min(cfg.Entries/1000, int(cfg.Bytes>>24))))}, nil
}

// name is the keyed hash that stands for an id or an owner.
func (s *Store) name(what, text string) string {
	h := hmac.New(sha256.New, s.names)
	h.Write([]byte(what + "\x00" + text))
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// row is a row without its sealed texts.
type row struct {
	id, owner        string
	created, expires int64
}

// about is what the seal is bound to: a row that is moved, renamed or given more
// time does not open.
func (r *row) about() []byte {
	return []byte(r.id + "\x00" + r.owner + "\x00" + strconv.FormatInt(r.created, 10) + "\x00" + strconv.FormatInt(r.expires, 10))
}

// cipher returns the seal of an owner's rows.
func (s *Store) cipher(owner string) (cipher.AEAD, error) {
	key, err := s.cfg.Key.Derive("recall-seal", owner, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Keep implements gateway.Memory. A database that is away keeps nothing: a request
// that goes on from the answer is then told that it is not known.
func (s *Store) Keep(ctx context.Context, owner, id string, said gateway.Said) {
	if int64(len(said.Asked)+len(said.Answer)) > s.cfg.Bytes/2 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	if err := s.keep(ctx, owner, id, said); err != nil {
		s.cfg.Log.WarnContext(ctx, "an answer is not kept for requests that go on from it", telemetry.KeyError, err)
	}
}

func (s *Store) keep(ctx context.Context, owner, id string, said gateway.Said) error {
	now := s.cfg.Now()
	r := row{s.name("id", id), s.name("owner", owner), now.UnixMilli(), now.Add(s.cfg.TTL).UnixMilli()}
	seal, err := s.cipher(owner)
	if err != nil {
		return err
	}
	plain := binary.AppendUvarint(nil, uint64(len(said.Asked)))
	plain = append(append(plain, said.Asked...), said.Answer...)
	nonce := make([]byte, seal.NonceSize())
	rand.Read(nonce) // never fails: it ends the program instead
	sealed := base64.RawStdEncoding.EncodeToString(seal.Seal(nonce, nonce, plain, r.about()))
	if _, err := s.cfg.DB.Exec(ctx, "INSERT INTO recall_entries (id, owner, sealed, bytes, created, expires) VALUES (?, ?, ?, ?, ?, ?)"+
		" ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, sealed = excluded.sealed, bytes = excluded.bytes, created = excluded.created, expires = excluded.expires"+
		" WHERE recall_entries.owner = excluded.owner OR recall_entries.expires <= excluded.created", r.id, r.owner, sealed, int64(len(sealed)), r.created, r.expires); err != nil {
		return err
	}
	if s.keeps.Add(1)%s.each != 0 {
		return nil
	}
	return s.bound(ctx)
}

// bound deletes the oldest rows beyond the bounds.
func (s *Store) bound(ctx context.Context) error {
	for {
		var count, bytes int64
		if err := s.cfg.DB.QueryRow(ctx, "SELECT count(*), coalesce(sum(bytes), 0) FROM recall_entries").Scan(&count, &bytes); err != nil {
			return err
		}
		if count <= int64(s.cfg.Entries) && bytes <= s.cfg.Bytes {
			return nil
		}
		most := min(max(1, count-int64(s.cfg.Entries)), batch)
		if _, err := s.cfg.DB.Exec(ctx, "DELETE FROM recall_entries WHERE id IN (SELECT id FROM recall_entries ORDER BY created, id LIMIT "+strconv.FormatInt(most, 10)+")"); err != nil {
			return err
		}
	}
}

// Recall implements gateway.Memory. A row that does not open is forgotten.
func (s *Store) Recall(ctx context.Context, owner, id string) (gateway.Said, error) {
	ctx, cancel := context.WithTimeout(ctx, recallTimeout)
	defer cancel()
	r, sealed := row{id: s.name("id", id)}, ""
	err := s.cfg.DB.QueryRow(ctx, "SELECT owner, sealed, created, expires FROM recall_entries WHERE id = ? AND expires > ?", r.id, s.cfg.Now().UnixMilli()).
		Scan(&r.owner, &sealed, &r.created, &r.expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return gateway.Said{}, gateway.ErrForgotten
	case err != nil:
		return gateway.Said{}, fmt.Errorf("reading what was said before: %w", err)
	case r.owner != s.name("owner", owner):
		return gateway.Said{}, gateway.ErrForeign
	}
	said, ok, err := s.open(owner, &r, sealed)
	if err != nil {
		return gateway.Said{}, fmt.Errorf("reading what was said before: %w", err)
	}
	if !ok {
		s.cfg.Log.WarnContext(ctx, "an answer that was kept is damaged")
		return gateway.Said{}, gateway.ErrForgotten
	}
	return said, nil
}

// open opens a sealed row, and reports whether that could be done.
func (s *Store) open(owner string, r *row, sealed string) (said gateway.Said, ok bool, err error) {
	seal, err := s.cipher(owner)
	if err != nil {
		return gateway.Said{}, false, err
	}
	box, bad := base64.RawStdEncoding.DecodeString(sealed)
	n := seal.NonceSize()
	if bad != nil || len(box) < n {
		return gateway.Said{}, false, nil
	}
	plain, bad := seal.Open(nil, box[:n], box[n:], r.about())
	size, head := binary.Uvarint(plain)
	if bad != nil || head <= 0 || size > uint64(len(plain)-head) {
		return gateway.Said{}, false, nil
	}
	plain = plain[head:]
	return gateway.Said{Asked: plain[:size:size], Answer: plain[size:]}, true, nil
}

// Forget implements gateway.Memory.
func (s *Store) Forget(ctx context.Context, owner, id string) error {
	if _, err := s.Recall(ctx, owner, id); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	if _, err := s.cfg.DB.Exec(ctx, "DELETE FROM recall_entries WHERE id = ? AND owner = ?", s.name("id", id), s.name("owner", owner)); err != nil {
		return fmt.Errorf("forgetting what was said: %w", err)
	}
	return nil
}

// Run deletes what has expired, until ctx ends; it then returns nil. What has
// expired is never given back, deleted or not.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	away := telemetry.Away{Log: s.cfg.Log, Gone: "expired answers stay in the database, where nobody is given them"}
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

// Expire deletes what has expired, in small batches, and what is too much, and
// returns how many rows had expired.
func (s *Store) Expire(ctx context.Context) (deleted int64, err error) {
	for {
		n, err := s.expireBatch(ctx)
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("deleting expired answers: %w", err)
		}
		if n < batch {
			break
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	if err := s.bound(ctx); err != nil {
		return deleted, fmt.Errorf("deleting the oldest answers: %w", err)
	}
	return deleted, nil
}

func (s *Store) expireBatch(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	res, err := s.cfg.DB.Exec(ctx, "DELETE FROM recall_entries WHERE id IN (SELECT id FROM recall_entries WHERE expires <= ? LIMIT "+strconv.Itoa(batch)+")", s.cfg.Now().UnixMilli())
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

var _ gateway.Memory = (*Store)(nil)
