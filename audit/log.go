package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
)

// Conditions that callers test with errors.Is.
var (
	ErrLocked  = errors.New("audit: another process holds the log")
	ErrNoKey   = errors.New("audit: the log has lost its key")
	ErrFailed  = errors.New("audit: the log has failed")
	ErrClosed  = errors.New("audit: the log is closed")
	ErrDamaged = errors.New("audit: damaged entry")
)

// Fsync says when entries are forced to the disk, which only matters when the
// machine stops: the end of the process alone loses nothing in any mode.
type Fsync string

// Values of Fsync. The empty one is FsyncAlways.
const (
	FsyncAlways   Fsync = "always"   // before Begin, End and Note return; callers share one
	FsyncInterval Fsync = "interval" // by Run, every Config.Interval
	FsyncNever    Fsync = "never"    // whenever the system pleases; Verify tells what a stopped machine lost
)

// Config configures a Log. The zero value of every field but Dir is safe.
type Config struct {
	Dir          string        // made with mode 0700 if missing; required
	Fsync        Fsync         // default FsyncAlways
	Interval     time.Duration // of fsync, head file and index; default 1s
	SegmentBytes int64         // a segment that would grow larger is followed by the next; default 64 MiB

	// KeepText lets the texts of prompts and answers into the log. Without it
	// a Digest's text is left out, whoever filled it.
	KeepText bool
	// Address is how much is kept of the addresses of clients. Default AddressWhole.
	Address Address

	Index *db.DB           // closed by its owner; nil: SQLite in Dir/index.db
	Log   *slog.Logger     // default slog.Default()
	Now   func() time.Time // for events without a time; default time.Now
}

// A Log is an open audit log. It is safe for concurrent use.
type Log struct {
	cfg      Config
	keys     keys
	digester digester
	lock     *os.File
	index    *index
	ownIndex *db.DB // nil when it is Config.Index
	events   sync.Pool

	// mu orders the entries. Hold syncMu before it, where both are needed.
	mu     sync.Mutex
	file   *os.File // of the last segment
	number uint64   // of the last segment
	size   int64    // of the last segment, whole lines only
	seq    uint64   // of the last entry
	last   Sum      // hash of the last entry
	line   []byte
	failed error // once set, nothing is written any more

	syncMu  sync.Mutex    // one fsync at a time; those who wait for it share the next
	synced  atomic.Uint64 // entries up to this one are on disk
	headSeq uint64        // that the head file tells of; guarded by syncMu
}

// Open opens the log in cfg.Dir, or begins one. It takes the directory for
// itself (else ErrLocked), mends what an unclean end left and notes that in the
// log, and brings the index up to date, which may take a while when the index
// is missing. It starts nothing: see [Log.Run].
func Open(ctx context.Context, cfg Config) (*Log, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	l := &Log{cfg: cfg}
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log in %s: %w", cfg.Dir, err), l.release())
	}
	return l, nil
}

func (c *Config) complete() error {
	if c.Dir == "" {
		return errors.New("no directory is given")
	}
	switch c.Fsync {
	case "":
		c.Fsync = FsyncAlways
	case FsyncAlways, FsyncInterval, FsyncNever:
	default:
		return fmt.Errorf("unknown fsync %q: want %s, %s or %s", c.Fsync, FsyncAlways, FsyncInterval, FsyncNever)
	}
	if !c.Address.known() {
		return fmt.Errorf("unknown address %q: want %s, %s or %s", c.Address, AddressWhole, AddressNone, AddressTruncated)
	}
	if c.Interval < 0 || c.SegmentBytes < 0 {
		return errors.New("interval and segment size must not be negative")
	}
	if c.Interval == 0 {
		c.Interval = time.Second
	}
	if c.SegmentBytes == 0 {
		c.SegmentBytes = 64 << 20
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

func (l *Log) open(ctx context.Context) error {
	dir := l.cfg.Dir
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return err
	}
	if l.lock, err = lockDir(dir); err != nil {
		return err
	}
	segs, err := segments(dir)
	if err != nil {
		return err
	}
	if l.keys, err = openKeys(dir, segs); err != nil {
		return err
	}
	l.digester.key = l.keys.digest
	found, err := l.recover(segs)
	if err != nil {
		return err
	}
	if err := l.openIndex(ctx); err != nil {
		return err
	}
	unfinished, err := l.index.unfinished(ctx)
	if err != nil {
		return err
	}
	if unfinished > 0 {
		found = append(found, fmt.Sprintf("exchanges begun and never ended: %d", unfinished))
	}
	if err := l.noteRecovery(found); err != nil {
		return err
	}
	// From here on, a missing head means that somebody removed it.
	return l.settle(l.mark(), false)
}

func (l *Log) openIndex(ctx context.Context) error {
	d := l.cfg.Index
	if d == nil {
		var err error
		if l.ownIndex, err = db.Open(ctx, db.Config{DSN: filepath.Join(l.cfg.Dir, indexFile)}); err != nil {
			return err
		}
		d = l.ownIndex
	}
	l.index = &index{db: d, log: l.keys.id, dir: l.cfg.Dir, logger: l.cfg.Log}
	if err := l.index.open(ctx); err != nil {
		return err
	}
	return l.index.catchUp(ctx, l.mark())
}

// Begin promises an exchange: the call to the model may be made once it has
// returned nil, and must not be made otherwise. It sets the kind of e, and its
// time if it has none, and returns the entry's sequence number. The ID must not
// be empty. Once begun, end it with End.
func (l *Log) Begin(ctx context.Context, e ringwall.Event) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("auditing the beginning of an exchange: %w", err)
	}
	e.Kind = ringwall.ExchangeBegin
	seq, err := l.append(&e)
	if err != nil {
		return 0, fmt.Errorf("auditing the beginning of an exchange: %w", err)
	}
	return seq, nil
}

// End records how an exchange ended. It sets the kind of e, and its time if it
// has none. It works with a cancelled context too: a client that leaves must
// not take the record along.
func (l *Log) End(_ context.Context, e ringwall.Event) error {
	e.Kind = ringwall.ExchangeEnd
	if _, err := l.append(&e); err != nil {
		return fmt.Errorf("auditing the end of an exchange: %w", err)
	}
	return nil
}

// Note records an administrative act; e says by its kind which. The act should
// not be done when Note returns an error. Like End, it does not heed the
// context's end.
func (l *Log) Note(_ context.Context, e ringwall.Event) error {
	switch e.Kind {
	case "", ringwall.ExchangeBegin, ringwall.ExchangeEnd, ringwall.Recovered:
		return fmt.Errorf("auditing an act: its kind must not be %q", e.Kind)
	default: // every act has a kind of its own
	}
	if _, err := l.append(&e); err != nil {
		return fmt.Errorf("auditing an act: %w", err)
	}
	return nil
}

// Head returns sequence number and hash of the last entry: all that one must
// keep elsewhere to prove later that nothing before it was changed.
func (l *Log) Head() (uint64, Sum) {
	m := l.mark()
	return m.seq, m.sum
}

// Err returns why the log cannot be written any more, and nil while it can.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// Run keeps fsync ([FsyncInterval]), head file and index up to date, every
// Config.Interval, until ctx ends. It returns early, with an error, when the
// log has failed for good. An index that cannot be written is logged and caught
// up with later: it holds nobody up.
func (l *Log) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { l.index.follow(ctx, l.cfg.Interval, l.mark) })

	tick := time.NewTicker(l.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.flush()
		case <-tick.C:
			if err := l.flush(); err != nil {
				return err
			}
		}
	}
}

// flush forces what is written to the disk and tells of it in the head file.
func (l *Log) flush() error {
	if err := l.Err(); errors.Is(err, ErrClosed) {
		return nil
	} else if err != nil {
		return err
	}
	return l.settle(l.mark(), false)
}

// Close ends the log in good order: everything written is forced to the disk,
// and what comes later is refused with ErrClosed. Let Run return before. The
// second Close does nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	failed := l.failed
	l.failed = ErrClosed
	l.mu.Unlock()
	if errors.Is(failed, ErrClosed) {
		return nil
	}
	var err error
	if failed == nil {
		err = l.settle(l.mark(), true)
	}
	if err = errors.Join(err, l.release()); err != nil {
		return fmt.Errorf("closing the audit log: %w", err)
	}
	return nil
}

// release gives back what the log holds; the lock last.
func (l *Log) release() error {
	var errs []error
	if l.file != nil {
		errs = append(errs, l.file.Close())
	}
	if l.ownIndex != nil {
		errs = append(errs, l.ownIndex.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}

// exists reports whether there is something at a path in the log's directory.
func (l *Log) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(l.cfg.Dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}
