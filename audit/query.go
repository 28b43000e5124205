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
	"slices"
	"strings"
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
// that was written when it was called. An entry that is damaged is left out and
// named by an error wrapping ErrDamaged, which comes beside the others.
func (l *Log) Query(ctx context.Context, f Filter) ([]Entry, error) {
	query, args, err := f.sql(l.keys.id)
	if err != nil {
		return nil, fmt.Errorf("querying the audit log: %w", err)
	}
	if err := l.index.catchUp(ctx, l.mark()); err != nil {
		return nil, fmt.Errorf("querying the audit log: %w", err)
	}
	places, err := l.index.places(ctx, query, args)
	if err != nil {
		return nil, fmt.Errorf("querying the audit log: %w", err)
	}
	files := segmentFiles{dir: l.cfg.Dir}
	defer files.close()
	var entries []Entry
	var damaged []error
	for _, at := range places {
		e, err := files.entry(at)
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(damaged...)
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

// places runs a query made by Filter.sql.
func (x *index) places(ctx context.Context, query string, args []any) ([]place, error) {
	rows, err := x.db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var places []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.seq, &p.segment, &p.position, &p.length); err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, rows.Err()
}

// sql returns the query for f: its text is made of constants only.
func (f *Filter) sql(log string) (string, []any, error) {
	if f.Action != "" && !slices.Contains(ringwall.ActionNames(), f.Action) {
		return "", nil, fmt.Errorf("unknown action %q: want one of %v", f.Action, ringwall.ActionNames())
	}
	if strings.ContainsAny(f.Reason, " %_\x00") {
		return "", nil, fmt.Errorf("%q is no reason: reasons are kebab-case", f.Reason)
	}
	if f.Limit < 0 || f.Limit > MaxLimit {
		return "", nil, fmt.Errorf("limit %d is not between 0 and %d", f.Limit, MaxLimit)
	}
	where := `e.log = ?`
	args := []any{log}
	add := func(wanted bool, condition string, arg any) {
		if wanted {
			where += ` AND ` + condition
			args = append(args, arg)
		}
	}
	add(f.ID != "", `e.id = ?`, clip(f.ID))
	add(f.Kind != "", `e.kind = ?`, clip(string(f.Kind)))
	add(f.Principal != "", `e.principal = ?`, clip(f.Principal))
	add(f.Tenant != "", `e.tenant = ?`, clip(f.Tenant))
	add(f.Model != "", `e.model = ?`, clip(f.Model))
	add(f.Action != "", `e.action = ?`, f.Action)
	add(f.Reason != "", `e.reasons LIKE ?`, "% "+f.Reason+" %")
	add(f.Outcome != "", `e.outcome = ?`, clip(string(f.Outcome)))
	add(f.Status != 0, `e.status = ?`, f.Status)
	add(!f.Since.IsZero(), `e.at >= ?`, f.Since.UnixMicro())
	add(!f.Until.IsZero(), `e.at < ?`, f.Until.UnixMicro())
	add(f.Before != 0, `e.seq < ?`, f.Before)
	add(f.After != 0, `e.seq > ?`, f.After)
	add(f.Abandoned, `EXISTS (SELECT 1 FROM audit_open o WHERE o.log = e.log AND o.id = e.id AND o.seq = e.seq AND o.noted > ?)`, 0)
	order := ` ORDER BY e.seq DESC LIMIT ?`
	if f.Oldest {
		order = ` ORDER BY e.seq LIMIT ?`
	}
	limit := f.Limit
	if limit == 0 {
		limit = 100
	}
	return `SELECT e.seq, e.segment, e.position, e.length FROM audit_entries e WHERE ` + where + order, append(args, limit), nil
}
