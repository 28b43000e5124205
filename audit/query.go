package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ringwall/ringwall"
)

// An Entry is one line of the log.
type Entry struct {
	Seq     uint64
	Prev    Sum
	Hash    Sum
	Event   ringwall.Event
	Line    []byte // as it stands in the segment, without the newline
	Segment string // name of the file
	Offset  int64  // of the line in it, bytes
}

// newEntry makes an entry of a sound line, which it keeps.
func newEntry(f fields, line []byte, number uint64, offset int64) (Entry, error) {
	e := Entry{Seq: f.seq, Prev: f.prev, Hash: f.hash, Line: line, Segment: segmentName(number), Offset: offset}
	if err := json.Unmarshal(f.event, &e.Event); err != nil {
		return e, fmt.Errorf("%w %d: reading its event: %v", ErrDamaged, f.seq, err)
	}
	return e, nil
}

// MaxLimit bounds Filter.Limit: entries are whole in memory.
const MaxLimit = 1000

// Filter says which entries are wanted. The zero Filter wants the newest ones.
// A field that is set must fit; texts fit when they are equal in their first
// 256 bytes.
type Filter struct {
	ID        string
	Kind      ringwall.Kind
	Principal string
	Tenant    string
	Model     string
	Action    string // of the verdict: a name of ringwall.Action, "" for any
	Reason    string // one of the verdict's
	Outcome   ringwall.Outcome
	Status    int       // HTTP status; 0 for any
	Since     time.Time // the first moment that fits
	Until     time.Time // the first moment that does not fit any more
	Before    uint64    // only entries before this one: the next page when newest come first
	After     uint64    // only entries after this one: the next page when oldest come first

	// Abandoned wants the beginnings of exchanges that never ended because
	// the process did, each counted by an entry of kind ringwall.Recovered.
	Abandoned bool

	Oldest bool // oldest first; default newest first
	Limit  int  // default 100, at most MaxLimit
}

// Query returns the entries that fit f, read from the segments. It sees all
// that was written when it was called. An entry that is damaged is left out; one
// that stands among those that were looked at is named by an error wrapping
// ErrDamaged, which comes beside the others.
func (l *Log) Query(ctx context.Context, f Filter) ([]Entry, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("querying the audit log: %w", err)
	}
	if err := l.index.catchUp(ctx, l.mark()); err != nil {
		return nil, fmt.Errorf("querying the audit log: %w", err)
	}
	s, err := l.index.search(ctx, &f)
	if err != nil {
		return nil, fmt.Errorf("querying the audit log: %w", err)
	}
	if err := s.run(ctx); err != nil {
		return nil, fmt.Errorf("querying the audit log: %w", err)
	}
	files := segmentFiles{dir: l.cfg.Dir}
	defer files.close()
	var entries []Entry
	for _, at := range s.found {
		e, err := files.entry(at)
		if err != nil {
			s.damaged = append(s.damaged, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(s.damaged...)
}

// segmentFiles reads entries at their places, and keeps the last file open.
type segmentFiles struct {
	dir    string
	number uint64
	file   *os.File
}

func (s *segmentFiles) close() {
	if s.file != nil {
		_ = s.file.Close() // only read
	}
}

// read returns the line at a place, without its newline, or an error wrapping ErrDamaged when it is
// not there as it was indexed.
func (s *segmentFiles) read(at place) (fields, []byte, error) {
	if s.file == nil || s.number != at.segment {
		s.close()
		f, err := os.Open(filepath.Join(s.dir, segmentName(at.segment)))
		if err != nil {
			s.file = nil
			return fields{}, nil, err
		}
		s.file, s.number = f, at.segment
	}
	if at.length <= 0 || at.length > maxLine {
		return fields{}, nil, fmt.Errorf("%w %d: the index gives it %d bytes", ErrDamaged, at.seq, at.length)
	}
	line := make([]byte, at.length)
	if _, err := s.file.ReadAt(line, at.position); err != nil && !errors.Is(err, io.EOF) {
		return fields{}, nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	f, err := parseLine(line)
	if err != nil || !f.sound() || f.seq != at.seq {
		return fields{}, nil, fmt.Errorf("%w %d: %s at byte %d", ErrDamaged, at.seq, segmentName(at.segment), at.position)
	}
	return f, line, nil
}

func (s *segmentFiles) entry(at place) (Entry, error) {
	f, line, err := s.read(at)
	if err != nil {
		return Entry{}, err
	}
	return newEntry(f, line, at.segment, at.position)
}
