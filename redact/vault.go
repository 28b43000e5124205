package redact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/telemetry"
)

// Config says where values are kept.
type Config struct {
	// DB keeps them; it stays the caller's to close. Without one nothing outlives
	// an exchange.
	DB  *db.DB
	Key Key              // required; the same on every replica
	Now func() time.Time // default time.Now
	Log *slog.Logger     // default: silent
	// MaxEntries bounds the values that are kept of one conversation, and those
	// that one exchange may have; default 10,000. Of those beyond, an exchange
	// gives back its own, and keeps none.
	MaxEntries int
}

// ErrOtherKey says that what the database keeps was sealed with another key.
var ErrOtherKey = errors.New("redact: the vault was sealed with another key")

const (
	defaultEntries = 10_000
	askTimeout     = 500 * time.Millisecond // of a lookup while a caller waits
	saveTimeout    = 2 * time.Second        // of a write while a caller waits
	awayFor        = time.Second            // for which a vault that failed is not asked again
	sweepEvery     = time.Minute
	sweepTimeout   = 10 * time.Second // of one batch
	rememberFor    = 5 * time.Minute  // that a value is stored
	generation     = 16384            // values that are remembered to be stored, twice at most
)

// Vault keeps what placeholders stand for. It is safe for concurrent use.
type Vault struct {
	store store
	prk   []byte // of the root key
	now   func() time.Time
	log   *slog.Logger
	most  int
	sizes []int        // of placeholders, in digits
	away  atomic.Int64 // Unix milliseconds until which the database is not asked

	mu     sync.Mutex
	stored [2]map[[sha256.Size]byte]int64 // until when a value need not be written again; no values
}

// Open brings the tables of the vault to their newest version. The error wraps
// [ErrOtherKey] when the database was used with another key.
func Open(ctx context.Context, cfg Config) (*Vault, error) {
	if cfg.Key.zero() {
		return nil, errors.New("opening the vault: no key is given")
	}
	v := &Vault{store: store{cfg.DB}, prk: cfg.Key.extract(), now: cfg.Now, log: cfg.Log, most: cfg.MaxEntries, sizes: sizes[:]}
	if v.now == nil {
		v.now = time.Now
	}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	if v.most <= 0 {
		v.most = defaultEntries
	}
	v.stored = [2]map[[sha256.Size]byte]int64{{}, {}}
	if cfg.DB == nil {
		return v, nil
	}
	if err := v.store.migrate(ctx); err != nil {
		return nil, fmt.Errorf("opening the vault: %w", err)
	}
	if err := v.store.mark(ctx, hex.EncodeToString(expand(v.prk, "mark", nil, 16))); errors.Is(err, ErrOtherKey) {
		return nil, fmt.Errorf("opening the vault: %w: put the old key back, or delete all rows of redact_entries and redact_state to begin anew", err)
	} else if err != nil {
		return nil, fmt.Errorf("opening the vault: %w", err)
	}
	return v, nil
}

// Run deletes what has expired, until ctx ends; it then returns nil. What has
// expired is never given back, deleted or not.
func (v *Vault) Run(ctx context.Context) error {
	if v.store.db == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	away := telemetry.Away{Log: v.log, Gone: "expired values stay in the vault, where nobody is given them", Back: "expired values are deleted again"}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := v.Expire(ctx)
		away.Note(ctx, err)
	}
}

// Expire deletes what has expired, in small batches, and returns how many rows
// it deleted.
func (v *Vault) Expire(ctx context.Context) (deleted int64, err error) {
	if v.store.db == nil {
		return 0, nil
	}
	for {
		n, err := v.expireBatch(ctx)
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("deleting expired values: %w", err)
		}
		if n < expireBatch {
			return deleted, nil
		}
	}
}

func (v *Vault) expireBatch(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	return v.store.expire(ctx, v.now().UnixMilli())
}

// Book opens the conversation c for one exchange of the principal.
func (v *Vault) Book(p ringwall.Principal, c Conversation, policy Policy) *Book {
	return &Book{v: v, p: p, c: c, policy: policy}
}

// failed says that the database did not answer: it is left alone for a moment,
// so that one that hangs does not hold up every caller.
func (v *Vault) failed(ctx context.Context, err error) {
	v.away.Store(v.now().Add(awayFor).UnixMilli())
	v.log.WarnContext(ctx, "the vault is away: earlier exchanges' values are not restored", telemetry.KeyError, err)
}

// isStored reports whether the value of this mark need not be written again yet.
func (v *Vault) isStored(mark [sha256.Size]byte, now int64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stored[0][mark] > now || v.stored[1][mark] > now
}

// setStored remembers marks until the given time, in bounded memory.
func (v *Vault) setStored(marks [][sha256.Size]byte, until int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range marks {
		if len(v.stored[0]) >= generation {
			v.stored[0], v.stored[1] = map[[sha256.Size]byte]int64{}, v.stored[0]
		}
		v.stored[0][m] = until
	}
}
