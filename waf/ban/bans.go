package ban

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
)

// Conditions that callers test with errors.Is.
var (
	ErrFull      = errors.New("there are as many bans as are kept")
	ErrNoSuchBan = errors.New("there is no such ban")
)

// MaxBans is how many bans the database holds at most, and MaxPut one source in
// memory.
const (
	MaxBans = 100_000
	MaxPut  = 1_000_000
)

// maxReason bounds the reason of a ban, in bytes.
const maxReason = 256

// Config says where bans are kept, and who is banned automatically.
type Config struct {
	DB  *db.DB           // required; stays the caller's to close
	Now func() time.Time // default time.Now
	Log *slog.Logger     // default: silent

	// Changed is told of each ban that another process made or lifted, as Run comes to
	// know of it. A ban that ends by itself is no change. Default: nobody is.
	Changed func(ctx context.Context, b Ban, lifted bool)
}

// Bans are the bans of an installation. All methods are safe for concurrent use.
type Bans struct {
	store   store
	now     func() time.Time
	log     *slog.Logger
	changed func(context.Context, Ban, bool)
	stored  *table // what the database holds
	watch   watch

	sources atomic.Pointer[map[string]*table] // of Put; replaced, never changed

	mu      sync.Mutex      // held while sources is replaced
	waiting map[Subject]Ban // automatic bans that the database does not hold yet

	refreshing sync.Mutex // held by the one Refresh that asks the database
	version    int64
	full       bool // the database holds more than is read
	wake       chan struct{}
}

// unread is the version of a table that was never read.
const unread = -1

// Open brings the table of bans to its newest version and reads it. The database must
// answer.
func Open(ctx context.Context, cfg Config) (*Bans, error) {
	if cfg.DB == nil {
		return nil, errors.New("opening the bans: no database is given")
	}
	b := &Bans{store: store{cfg.DB}, now: cfg.Now, log: cfg.Log, changed: cfg.Changed, stored: newTable(), version: unread, waiting: map[Subject]Ban{}, wake: make(chan struct{}, 1)}
	if b.now == nil {
		b.now = time.Now
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if err := b.store.migrate(ctx); err != nil {
		return nil, fmt.Errorf("opening the bans: %w", err)
	}
	if err := b.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("opening the bans: %w", err)
	}
	return b, nil
}

// Add shuts a subject out, in the place of a ban that it has. This process knows of it
// at once, others within a second. The error wraps [ErrFull] when there are [MaxBans].
func (b *Bans) Add(ctx context.Context, ban Ban) (Ban, error) { return b.add(ctx, ban, true) }

// Ban is Add for responses: a ban that the subject has and that holds longer stays, and
// is returned.
func (b *Bans) Ban(ctx context.Context, ban Ban) (Ban, error) { return b.add(ctx, ban, false) }

func (b *Bans) add(ctx context.Context, ban Ban, replace bool) (Ban, error) {
	subject, err := ban.Subject.canonical()
	if err != nil {
		return Ban{}, fmt.Errorf("banning: %w", err)
	}
	ban.Subject = subject
	if ban.Since.IsZero() {
		ban.Since = b.now()
	}
	ban.Since, ban.Until = date(millis(ban.Since)), date(millis(ban.Until))
	ban.Reason, ban.By = clip(ban.Reason), clip(ban.By)
	if !ban.active(b.now()) {
		return Ban{}, fmt.Errorf("banning %s: it would end before it begins", ban.Subject)
	}
	held, err := b.store.add(ctx, []Ban{ban}, replace, b.now(), MaxBans)
	if err != nil {
		return Ban{}, fmt.Errorf("banning %s: %w", ban.Subject, err)
	}
	b.stored.put(held[0])
	return held[0], nil
}

// clip makes s a text that can be kept.
func clip(s string) string {
	if len(s) > maxReason {
		s = s[:maxReason]
	}
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return s
}

// Remove lifts the ban of a subject. This process knows of it at once, others within a
// second. The error wraps [ErrNoSuchBan] when there is none that the database holds.
func (b *Bans) Remove(ctx context.Context, s Subject) error {
	there, err := b.store.remove(ctx, s)
	b.mu.Lock()
	_, waits := b.waiting[s]
	delete(b.waiting, s)
	b.mu.Unlock()
	switch {
	case err != nil:
		return fmt.Errorf("lifting the ban of %s: %w", s, err)
	case !there && !waits:
		return fmt.Errorf("lifting the ban of %s: %w", s, ErrNoSuchBan)
	}
	b.stored.remove(s)
	b.watch.forget(s)
	return nil
}

// List returns the bans that hold, of the database, in order.
func (b *Bans) List(ctx context.Context) ([]Ban, error) {
	now := b.now()
	all, err := b.store.all(ctx, now, MaxBans)
	if err != nil {
		return nil, fmt.Errorf("listing the bans: %w", err)
	}
	slices.SortFunc(all, compare)
	return all, nil
}

// Put makes all what a source shuts out, in memory only: the configuration, a list of
// others. Each process puts its own. At most [MaxPut] are kept.
func (b *Bans) Put(source string, all []Ban) {
	if len(all) > MaxPut {
		b.log.Warn("a source has more bans than are kept", "source", source, "reason", ErrFull.Error())
		all = all[:MaxPut]
	}
	b.table(source).replace(all)
}

// Alter removes and adds bans of a source, in this order. One that is there and holds
// longer than a new one stays.
func (b *Bans) Alter(source string, add []Ban, remove []Subject) {
	t := b.table(source)
	for _, s := range remove {
		t.remove(s)
	}
	t.purge(b.now())
	for i := range add {
		if old, ok := t.get(add[i].Subject); ok && old.outlasts(&add[i]) {
			continue
		}
		if t.len() >= MaxPut {
			b.log.Warn("a source has more bans than are kept", "source", source, "reason", ErrFull.Error())
			return
		}
		t.put(add[i])
	}
}

// table returns that of a source, which is made when there is none.
func (b *Bans) table(source string) *table {
	if t := b.source(source); t != nil {
		return t
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.source(source); t != nil {
		return t
	}
	all := map[string]*table{source: newTable()}
	if old := b.sources.Load(); old != nil {
		maps.Copy(all, *old)
	}
	b.sources.Store(&all)
	return all[source]
}

// source returns the table of a source; nil where there is none.
func (b *Bans) source(name string) *table {
	if all := b.sources.Load(); all != nil {
		return (*all)[name]
	}
	return nil
}

// Address returns the ban of a client that holds: of the database, or put by one of
// sources.
func (b *Bans) Address(c ringwall.Client, sources ...string) (Ban, bool) {
	now := b.now()
	if ban, ok := b.stored.client(c, now); ok {
		return ban, true
	}
	return b.of(c, now, sources)
}

// Of returns the ban of a client that holds and that was put by one of sources.
func (b *Bans) Of(c ringwall.Client, sources ...string) (Ban, bool) {
	return b.of(c, b.now(), sources)
}

func (b *Bans) of(c ringwall.Client, now time.Time, sources []string) (Ban, bool) {
	for _, name := range sources {
		if t := b.source(name); t != nil {
			if ban, ok := t.client(c, now); ok {
				return ban, true
			}
		}
	}
	return Ban{}, false
}

// Caller returns the ban of a principal or a tenant that holds: of the database, or put
// by one of sources.
func (b *Bans) Caller(p ringwall.Principal, sources ...string) (Ban, bool) {
	now := b.now()
	look := func(t *table) (Ban, bool) {
		if t == nil || !t.filled.Load() {
			return Ban{}, false
		}
		for _, s := range []Subject{{Principal, p.ID}, {Tenant, p.Tenant}} {
			if ban, ok := t.get(s); ok && s.Value != "" && ban.active(now) {
				return ban, true
			}
		}
		return Ban{}, false
	}
	if ban, ok := look(b.stored); ok {
		return ban, true
	}
	for _, name := range sources {
		if ban, ok := look(b.source(name)); ok {
			return ban, true
		}
	}
	return Ban{}, false
}

// Len returns how many bans are in memory, of the database (those that ended a while
// ago included) or of a source.
func (b *Bans) Len(source string) int {
	if source == "" {
		return b.stored.len()
	}
	if t := b.source(source); t != nil {
		return t.len()
	}
	return 0
}

// Fault takes down that a client did what it should not: why is for operators. Where
// that makes it too often, the client is shut out at once in this process, and within
// a second elsewhere; banned tells so. It does not wait.
func (b *Bans) Fault(a netip.Addr, why string, p Policy) (ban Ban, banned bool) {
	if p.Faults <= 0 || !a.IsValid() {
		return Ban{}, false
	}
	now := b.now()
	host := hostPrefix(a)
	if !b.watch.fault(host, now, p) {
		return Ban{}, false
	}
	ban = Ban{Subject: Subject{Address, host.String()}, Reason: clip(why), By: Automatic, Since: date(millis(now))}
	if old, ok := b.stored.get(ban.Subject); ok {
		if old.active(now) {
			return old, false // requests that were under way
		}
		ban.Strikes = old.Strikes
	}
	ban.Until = date(millis(now.Add(p.length(ban.Strikes))))
	ban.Strikes++
	b.mu.Lock()
	if len(b.waiting) >= maxWaiting || b.stored.len() >= MaxBans+maxWaiting {
		b.mu.Unlock()
		b.log.Warn("an automatic ban is not made", "address", host.String(), "reason", ErrFull.Error())
		return Ban{}, false
	}
	b.waiting[ban.Subject] = ban
	b.mu.Unlock()
	b.stored.put(ban)
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return ban, true
}
