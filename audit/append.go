package audit

import (
	"errors"
	"fmt"
	"os"

	"github.com/ringwall/ringwall"
)

// Buffers that one large entry made larger than this are not kept.
const keepBuffer = 256 << 10

// append encodes e, writes its entry and returns the entry's number, once it is
// as durable as Config.Fsync asks.
func (l *Log) append(e *ringwall.Event) (uint64, error) {
	if e.ID == "" {
		return 0, errors.New("the event has no ID")
	}
	if e.Time.IsZero() {
		e.Time = l.cfg.Now()
	}
	buf, ok := l.events.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	defer func() {
		if cap(*buf) <= keepBuffer {
			l.events.Put(buf)
		}
	}()
	e.Client = l.cfg.Address.keep(e.Client)
	var err error
	if *buf, err = appendEvent((*buf)[:0], e, l.cfg.KeepText); err != nil {
		return 0, err
	}
	if len(*buf) > MaxEvent {
		return 0, fmt.Errorf("the event has %d bytes, more than %d", len(*buf), MaxEvent)
	}
	seq, err := l.write(*buf)
	if err != nil {
		return 0, err
	}
	if l.cfg.Fsync == FsyncAlways {
		if err := l.syncTo(seq); err != nil {
			return 0, err
		}
	}
	return seq, nil
}

// write links an event into the chain and hands it to the system, in one write.
// After an error the log is as it was before, or has failed for good.
func (l *Log) write(event []byte) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return 0, l.failed
	}
	line, sum := appendLine(l.line[:0], l.seq+1, &l.last, event)
	if l.line = line; cap(line) > keepBuffer {
		l.line = nil
	}
	if l.size > 0 && l.size+int64(len(line)) > l.cfg.SegmentBytes {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	if _, err := l.file.Write(line); err != nil {
		return 0, l.takeBack(err)
	}
	l.size += int64(len(line))
	l.seq++
	l.last = sum
	return l.seq, nil
}

// takeBack removes the part of an entry that a failed write has left. Where it
// cannot, nothing may be written after that part. Call it with mu held.
func (l *Log) takeBack(cause error) error {
	err := l.file.Truncate(l.size)
	if err == nil {
		return cause
	}
	l.failed = fmt.Errorf("%w: %w; taking back what was written: %w", ErrFailed, cause, err)
	return l.failed
}

// rotate begins the next segment. When it cannot, the log stays as it is, and
// the next entry tries again. Call it with mu held.
func (l *Log) rotate() error {
	next, err := createSegment(l.cfg.Dir, l.number+1)
	if err != nil {
		return fmt.Errorf("beginning the next segment: %w", err)
	}
	if l.cfg.Fsync != FsyncNever {
		// Here and not later: nobody looks at the old segment any more.
		if err := l.file.Sync(); err != nil {
			return errors.Join(l.fail(err), next.Close())
		}
		l.raiseSynced(l.seq)
		if err := syncDir(l.cfg.Dir); err != nil {
			return errors.Join(l.fail(err), next.Close())
		}
	}
	old := l.file
	l.file, l.number, l.size = next, l.number+1, 0
	return old.Close()
}

// mark is a moment of the log.
type mark struct {
	seq    uint64
	sum    Sum
	number uint64 // of the last segment
	file   *os.File
}

func (l *Log) mark() mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	return mark{l.seq, l.last, l.number, l.file}
}

// syncTo returns once the entry is on disk. Many who come while one is at it
// wait, and the first of them then does it for all.
func (l *Log) syncTo(seq uint64) error {
	if l.synced.Load() >= seq {
		return nil
	}
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	return l.sync(seq, l.mark())
}

// sync forces the entries up to m to the disk, unless those up to seq are there
// already. Call it with syncMu held.
func (l *Log) sync(seq uint64, m mark) error {
	if l.synced.Load() >= seq {
		return nil
	}
	err := m.file.Sync()
	if errors.Is(err, os.ErrClosed) && l.synced.Load() >= m.seq {
		return nil // the segment was full, and rotate has done it
	}
	if err != nil {
		// What the system did with the pages is unknown: an fsync that works
		// later would prove nothing.
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fail(err)
	}
	l.raiseSynced(m.seq)
	return nil
}

// fail makes the log refuse everything from now on. Call it with mu held.
func (l *Log) fail(cause error) error {
	err := fmt.Errorf("%w: forcing it to the disk: %w", ErrFailed, cause)
	if l.failed == nil {
		l.failed = err
	}
	return err
}

func (l *Log) raiseSynced(seq uint64) {
	for {
		old := l.synced.Load()
		if old >= seq || l.synced.CompareAndSwap(old, seq) {
			return
		}
	}
}

// settle makes the log durable up to m and says so in the head file. The order
// matters: a head that knows of entries which the disk lost would cry theft.
func (l *Log) settle(m mark, clean bool) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	if l.cfg.Fsync != FsyncNever {
		if err := l.sync(m.seq, m); err != nil {
			return err
		}
	}
	if m.seq == l.headSeq && !clean && l.exists(headFile) {
		return nil
	}
	h := head{Seq: m.seq, Hash: m.sum, Clean: clean}
	if err := replaceFile(l.cfg.Dir, headFile, h.encode(l.keys.head), l.cfg.Fsync != FsyncNever); err != nil {
		// The entries are safe; only a cut end would be noticed later.
		l.cfg.Log.Error("audit: writing the head file", "error", err)
		return nil
	}
	l.headSeq = m.seq
	return nil
}
