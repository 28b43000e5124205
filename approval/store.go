package approval

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/toolcall"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config says where approvals are kept.
type Config struct {
	DB    *db.DB   // required; stays the caller's to close
	Key   [32]byte // seals arguments and tokens; the same for all who share the database. Required
	Rules Rules    // see [Rules.Check]
	Now   func() time.Time
	Log   *slog.Logger // default: silent

	// Record writes the record of an act; an error has it tried again. Default: none
	// are written, and they wait in the database.
	Record func(ctx context.Context, ev ringwall.Event) error
}

// Store keeps approvals. It is safe for concurrent use.
type Store struct {
	cfg   Config
	rules atomic.Pointer[Rules]
	keys  keys

	mu      sync.Mutex
	changed chan struct{} // closed at the next change in this process
	acts    chan struct{} // an act waits for its record
}

// Open brings the tables to their newest version.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.DB == nil || cfg.Key == [32]byte{} {
		return nil, errors.New("opening the approvals: a database and a key are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{cfg: cfg, changed: make(chan struct{}), acts: make(chan struct{}, 1)}
	if err := s.Configure(cfg.Rules); err != nil {
		return nil, fmt.Errorf("opening the approvals: %w", err)
	}
	var err error
	if s.keys, err = newKeys(cfg.Key); err != nil {
		return nil, fmt.Errorf("opening the approvals: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	if err := cfg.DB.Migrate(ctx, files, "approval_migrations"); err != nil {
		return nil, fmt.Errorf("opening the approvals: %w", err)
	}
	return s, nil
}

// Configure puts rules in force, for what is asked and decided from now on.
func (s *Store) Configure(r Rules) error {
	if err := r.Check(); err != nil {
		return err
	}
	r = r.filled()
	s.rules.Store(&r)
	return nil
}

// Bounds of a request.
const (
	maxArguments = 256 << 10 // bytes: nobody reads more
	maxName      = 512       // of what names something
	maxRules     = 32
	maxUses      = 256
)

// slot is the hash of what an approval is for.
func slot(r *Request) string {
	h := sha256.New()
	for _, part := range []string{r.Kind, r.Principal.Tenant, r.Principal.ID, r.Conversation, r.Digest} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// check finds what cannot be asked for, and fills in what is not said.
func (r *Request) check() error {
	if r.Kind == "" {
		r.Kind = ToolCall
	}
	switch {
	case r.Principal.ID == "" || r.Principal.Trust <= ringwall.Anonymous:
		return errors.New("asking for an approval: nobody asks: callers without a credential cannot")
	case r.Kind != ToolCall && r.Kind != Deed:
		return fmt.Errorf("asking for an approval: unknown kind %.20q", r.Kind)
	case r.Digest == "" || r.Tool == "":
		return errors.New("asking for an approval: of what?")
	}
	for _, text := range []string{r.Principal.ID, r.Principal.Tenant, r.Conversation, r.Tool, r.Digest, r.Exchange} {
		if len(text) > maxName || !utf8.ValidString(text) {
			return fmt.Errorf("asking for an approval: a name is longer than %d bytes, or no text", maxName)
		}
	}
	if r.Kind == ToolCall && r.Digest != toolcall.Digest(ringwall.ToolCall{Name: r.Tool, Arguments: r.Arguments}) {
		return fmt.Errorf("asking for an approval: %w", ErrDifferent)
	}
	r.Rules = r.Rules[:min(len(r.Rules), maxRules)]
	return nil
}

// denied is an approval that is none, and is not kept.
func denied(r Request, reason string) Approval {
	r.Arguments, r.Provenance = "", nil
	return Approval{State: Denied, Reason: reason, Request: r, Sealed: true}
}

// Ask asks people to approve r. It returns the approval that there is for the same
// principal, conversation and digest: one that waits, one that is approved and not used
// yet, or one that was denied lately; else it makes one that waits. What cannot be asked
// for, because too many wait already or it is too long to be read, is returned as denied
// without an ID. An error means that nobody knows, and stands for denied as well.
func (s *Store) Ask(ctx context.Context, r Request) (Approval, error) {
	if err := r.check(); err != nil {
		return denied(r, "unfit"), err
	}
	if len(r.Arguments) > maxArguments || len(r.Provenance) > maxUses {
		return denied(r, "too-long-to-read"), nil
	}
	rules := s.rules.Load()
	if r.Need.By == "" {
		r.Need = rules.need(r.Effect)
	}
	if err := r.Need.Check(); err != nil {
		return denied(r, "unfit"), fmt.Errorf("asking for an approval: %w", err)
	}
	var a Approval
	fresh := false
	err := s.cfg.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		a, fresh, err = s.ask(ctx, tx, rules, r)
		return err
	})
	if err != nil {
		return denied(r, "unknown"), fmt.Errorf("asking for an approval: %w", err)
	}
	if fresh {
		s.tell()
	}
	return a, nil
}

func (s *Store) ask(ctx context.Context, tx *db.Tx, rules *Rules, r Request) (a Approval, fresh bool, err error) {
	if _, err := tx.Exec(ctx, "UPDATE approval_state SET version = version + 1"); err != nil {
		return a, false, err
	}
	now, at := s.cfg.Now(), slot(&r)
	row, err := s.newest(ctx, tx, at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return a, false, err
	default:
		a = row.approval(now)
		if a.State == Pending || a.State == Approved || a.State == Denied && now.Before(row.Expires) {
			return a, false, nil
		}
		if row.stale(now) { // it stands in the way
			if err := s.expire(ctx, tx, row, now, rules); err != nil {
				return a, false, err
			}
		}
	}
	for _, bound := range []struct {
		most   int
		reason string
		query  string
		args   []any
	}{
		{rules.Conversation, "too-many-pending", "conversation = ? AND state = 'pending' AND expires > ?", []any{r.Conversation, now.UnixMilli()}},
		{rules.Principal, "too-many-pending", "state = 'pending' AND expires > ?", []any{now.UnixMilli()}},
		{rules.Hourly, "too-many-asked", "created > ?", []any{now.Add(-time.Hour).UnixMilli()}},
	} {
		var n int
		args := append([]any{r.Principal.Tenant, r.Principal.ID}, bound.args...)
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM approval_requests WHERE tenant = ? AND principal = ? AND "+bound.query, args...).Scan(&n); err != nil {
			return a, false, err
		}
		if n >= bound.most {
			return denied(r, bound.reason), false, nil
		}
	}
	most := now.Add(rules.Pending)
	if r.Expires.IsZero() || r.Expires.After(most) {
		r.Expires = most
	}
	if !r.Expires.After(now) {
		return denied(r, "expired"), false, nil
	}
	a = Approval{ID: newID(), State: Pending, Request: r, Created: cut(now), Sealed: true}
	a.Expires = cut(r.Expires)
	if err := s.insert(ctx, tx, at, &a); err != nil {
		return a, false, err
	}
	a.Arguments, a.Provenance = "", nil
	return a, true, s.act(ctx, tx, ringwall.ApprovalAsked, &a, nil, "")
}

// Use takes the approved approval for what r is, and reports whether there was one: of
// all who ask at once, on whichever gateway, one is told so. Of r it looks at principal,
// conversation, kind and digest. An error stands for no.
func (s *Store) Use(ctx context.Context, r Request) (a Approval, ok bool, err error) {
	if r.Kind == "" {
		r.Kind = ToolCall
	}
	now := s.cfg.Now()
	err = s.cfg.DB.Tx(ctx, func(tx *db.Tx) error {
		ok = false
		row, err := scanRow(tx.QueryRow(ctx, "UPDATE approval_requests SET state = 'used', ended = ? WHERE slot = ? AND state = 'approved' AND expires > ? RETURNING "+columns,
			now.UnixMilli(), slot(&r), now.UnixMilli()).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok, a = true, row.approval(now)
		if err := s.drop(ctx, tx, row, s.rules.Load()); err != nil {
			return err
		}
		return s.act(ctx, tx, ringwall.ApprovalUsed, &a, nil, "")
	})
	if err != nil {
		return denied(r, "unknown"), false, fmt.Errorf("using an approval: %w", err)
	}
	if !ok {
		return denied(r, "not approved"), false, nil
	}
	s.tell()
	return a, true, nil
}

// drop forgets the arguments of what has ended, unless the rules keep them for a while.
func (s *Store) drop(ctx context.Context, tx *db.Tx, row *row, rules *Rules) error {
	if rules.Show > 0 {
		return nil // Run drops them
	}
	_, err := tx.Exec(ctx, "UPDATE approval_requests SET sealed = '' WHERE id = ?", row.ID)
	return err
}

// expire ends what nobody decided about in time, or nobody used.
func (s *Store) expire(ctx context.Context, tx *db.Tx, row *row, now time.Time, rules *Rules) error {
	res, err := tx.Exec(ctx, "UPDATE approval_requests SET state = 'expired', ended = ? WHERE id = ? AND state IN ('pending', 'approved') AND expires <= ?", now.UnixMilli(), row.ID, now.UnixMilli())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if err := s.drop(ctx, tx, row, rules); err != nil {
		return err
	}
	a := row.approval(now)
	detail := "nobody decided"
	if row.state == Approved {
		detail = "nobody used it"
	}
	return s.act(ctx, tx, ringwall.ApprovalExpired, &a, nil, detail)
}

// keys are derived from the one that the store was opened with.
type keys struct{ seal, token, known []byte }

func newKeys(root [32]byte) (k keys, err error) {
	for use, at := range map[string]*[]byte{"seal": &k.seal, "token": &k.token, "known": &k.known} {
		if *at, err = hkdf.Key(sha256.New, root[:], nil, "ringwall approval "+use, 32); err != nil {
			return k, err
		}
	}
	return k, nil
}
