package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
)

// Config says where keys are kept.
type Config struct {
	DB  *db.DB           // required; stays the caller's to close
	Now func() time.Time // default time.Now
	Log *slog.Logger     // default: silent

	// MaxStale is for how long the known keys keep working while the database
	// cannot be asked, and so how long a revocation may go unheard. Default 24
	// hours. It counts from the last Refresh that succeeded, Open's included:
	// without Run, all keys stop working after it.
	MaxStale time.Duration

	// Root is that of the secrets by which callers sign requests. Default: none can.
	Root *Root

	// Changed is told of each key that another process made or revoked, as Run
	// comes to know of it, once. Default: nobody is.
	Changed func(ctx context.Context, k Key)
}

// Keys are the API keys of an installation. All methods are safe for concurrent
// use.
type Keys struct {
	store    store
	now      func() time.Time
	log      *slog.Logger
	maxStale int64 // milliseconds
	changed  func(context.Context, Key)
	root     *Root

	table  atomic.Pointer[map[string]*entry] // by id; replaced, never changed
	synced atomic.Int64                      // Unix milliseconds: when the table was last known to be current

	mu   sync.Mutex        // held while table is replaced, never while waiting
	puts map[string]*entry // what came in during a Refresh; nil when none reads

	looking chan struct{} // closed when the lookup of an unknown key ends; nil when there is none
	second  int64         // Unix milliseconds: since when lookups are counted
	asked   int           // how many there were since

	refreshing sync.Mutex // held by the one Refresh that asks the database
	version    int64      // of the table
}

// entry is one key in the table.
type entry struct {
	key       Key
	hash      [sha256.Size]byte
	whole     bool // what the database holds could be read
	expires   int64
	principal ringwall.Principal
	use       *usage
}

// usage outlives the entries of one key.
type usage struct {
	at      atomic.Int64 // Unix milliseconds
	written atomic.Int64 // what of it the database knows
}

// finish fills what follows from the key.
func (e *entry) finish() {
	e.expires = millis(e.key.Expires)
	e.principal = ringwall.Principal{
		ID: e.key.Principal, Tenant: e.key.Tenant, Trust: e.key.Trust, Via: "key", Key: e.key.Prefix,
		Roles: e.key.Roles, Scopes: e.key.Scopes,
	}
	if used := millis(e.key.LastUsed); used > e.use.at.Load() {
		e.use.at.Store(used)
		e.use.written.Store(used)
	}
}

// Open brings the tables of keys to their newest version and reads them. The
// database must answer: keys are unknown before it did.
func Open(ctx context.Context, cfg Config) (*Keys, error) {
	if cfg.DB == nil {
		return nil, errors.New("opening the keys: no database is given")
	}
	if cfg.MaxStale < 0 {
		return nil, fmt.Errorf("opening the keys: MaxStale is %v", cfg.MaxStale)
	}
	k := &Keys{store: store{cfg.DB}, now: cfg.Now, log: cfg.Log, maxStale: cfg.MaxStale.Milliseconds(), changed: cfg.Changed, root: cfg.Root}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if k.maxStale == 0 {
		k.maxStale = (24 * time.Hour).Milliseconds()
	}
	k.table.Store(&map[string]*entry{})
	k.version = unread // the first Refresh reads
	if err := k.store.migrate(ctx); err != nil {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	if err := k.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	return k, nil
}

// Create makes a key. The text is the key itself: it is returned here, once,
// and can never be had again. Authenticate of this Keys knows it at once, of
// others within a second. The error wraps [ErrNameTaken] when another key in
// use, expired or not, has the name.
func (k *Keys) Create(ctx context.Context, spec Spec) (text string, key Key, err error) {
	if err := spec.check(); err != nil {
		return "", Key{}, fmt.Errorf("creating a key: %w", err)
	}
	raw := newKey()
	e := &entry{hash: sha256.Sum256(raw[:]), whole: true, use: new(usage)}
	prefix := string(raw[:idEnd])
	e.key = Key{
		Prefix: prefix, Principal: prefix, Name: spec.Name, Tenant: spec.Tenant, Trust: spec.Trust,
		Roles: sorted(spec.Roles), Scopes: slices.Clone(spec.Scopes), From: slices.Clone(spec.From),
	}
	e.live(k.now(), spec.TTL)
	e.finish()
	if err := k.store.create(ctx, e); err != nil {
		return "", Key{}, fmt.Errorf("creating a key: %w", err)
	}
	k.put(e)
	return string(raw[:]), e.key, nil
}

// live sets when a new key begins and ends.
func (e *entry) live(now time.Time, ttl time.Duration) {
	e.key.Created = date(millis(now))
	switch ttl {
	case NeverExpires:
	case 0:
		e.key.Expires = e.key.Created.Add(DefaultTTL)
	default:
		e.key.Expires = date(millis(e.key.Created.Add(ttl)))
	}
}

// sorted returns the words in order, each once; nil when there are none.
func sorted(words []string) []string {
	if len(words) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

// List returns all keys, also those that expired or were revoked, by name and
// then by time of creation.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	all, err := k.store.all(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the keys: %w", err)
	}
	table := *k.table.Load()
	out := make([]Key, len(all))
	for i, e := range all {
		out[i] = e.key
		if known, ok := table[e.key.Prefix[len(mark):]]; ok {
			out[i].LastUsed = date(max(known.use.at.Load(), millis(e.key.LastUsed)))
		}
	}
	return out, nil
}

// Revoke ends the key with that prefix, or all keys in use of that name, those that
// were replaced and still work too, and returns them, the newest first. This Keys
// refuses them at once, others within a second. Revoking again changes nothing and is
// no error; the error wraps [ErrNoSuchKey] when there is none.
func (k *Keys) Revoke(ctx context.Context, prefixOrName string) ([]Key, error) {
	ended, err := k.store.revoke(ctx, prefixOrName, k.now())
	if err != nil {
		return nil, fmt.Errorf("revoking a key: %w", err)
	}
	keys := make([]Key, len(ended))
	for i, e := range ended {
		k.put(e)
		keys[i] = e.key
	}
	return keys, nil
}

// Authenticate returns the principal that the key text proves: its ID is the same
// for all keys of a line, its Key the prefix of this one. A key that is bound to
// networks proves it only where the [ringwall.Client] of ctx is in one of them. Every
// error wraps [ringwall.ErrUnauthenticated], tells an operator the cause, and repeats
// nothing of the text but its public prefix; the principal is then the zero one, which
// nobody may take for a caller without a key. It asks the database only for a whole
// key that it does not know, ten times a second at most and briefly.
func (k *Keys) Authenticate(ctx context.Context, bearer string) (ringwall.Principal, error) {
	raw, err := parse(bearer)
	if err != nil {
		return ringwall.Principal{}, fmt.Errorf("%w: %w", ringwall.ErrUnauthenticated, err)
	}
	e, ok := (*k.table.Load())[bearer[len(mark):idEnd]]
	if !ok {
		if e, err = k.lookUp(ctx, bearer[:idEnd]); err != nil {
			return ringwall.Principal{}, fmt.Errorf("%w: key %s: %w", ringwall.ErrUnauthenticated, bearer[:idEnd], err)
		}
	}
	now := k.now().UnixMilli()
	hash := sha256.Sum256(raw[:])
	clear(raw[:])
	if subtle.ConstantTimeCompare(hash[:], e.hash[:]) != 1 || !e.valid(now) || now-k.synced.Load() > k.maxStale {
		return ringwall.Principal{}, fmt.Errorf("%w: key %s: %s", ringwall.ErrUnauthenticated, e.key.Prefix, k.cause(e, hash, now))
	}
	if err := e.near(ctx); err != nil {
		return ringwall.Principal{}, fmt.Errorf("%w: key %s: %w", ringwall.ErrUnauthenticated, e.key.Prefix, err)
	}
	// Written at most once a second: cores must not fight over the line.
	if now-e.use.at.Load() >= 1000 {
		e.use.at.Store(now)
	}
	return e.principal, nil
}

func (e *entry) valid(now int64) bool {
	return e.whole && e.key.Revoked.IsZero() && (e.expires == 0 || now < e.expires) && e.key.Trust > ringwall.Anonymous
}

// near refuses a key that is bound to networks where the request of ctx does not come
// from one of them, or where nobody knows where it comes from.
func (e *entry) near(ctx context.Context) error {
	if e.key.From == nil {
		return nil
	}
	from := ringwall.ClientOf(ctx).Addr.Unmap().WithZone("")
	for _, n := range e.key.From {
		if n.Contains(from) {
			return nil
		}
	}
	if !from.IsValid() {
		return errNowhere
	}
	return fmt.Errorf("it was shown from %v, which is in none of its networks", from)
}

var errNowhere = errors.New("it is bound to networks, and nobody knows where it was shown from")

// cause says why a known key was refused. Who cannot show the secret learns
// nothing else, even from what an operator may pass on.
func (k *Keys) cause(e *entry, hash [sha256.Size]byte, now int64) string {
	switch {
	case !e.whole:
		return "its row in the database cannot be read"
	case subtle.ConstantTimeCompare(hash[:], e.hash[:]) != 1:
		return "its secret is another"
	case !e.key.Revoked.IsZero():
		return "revoked at " + e.key.Revoked.Format(time.RFC3339)
	case e.expires != 0 && now >= e.expires:
		return "expired at " + e.key.Expires.Format(time.RFC3339)
	case e.key.Trust <= ringwall.Anonymous:
		return "it proves nothing"
	}
	return fmt.Sprintf("the database could not be asked for %v", time.Duration(k.maxStale)*time.Millisecond)
}
