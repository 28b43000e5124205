package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// Read yields the entries of the log in dir from a sequence number on, in the
// order of the segments, each checked against its own hash. It needs neither
// key nor index, and may be used while the log is written: it ends with what
// is there. To follow a log, call it again from the number after the last.
//
// A line that is damaged yields an error wrapping ErrDamaged, and reading goes
// on after it; any other error is the last element. Whether the entries form a
// chain, Read does not say: see [Verify].
func Read(ctx context.Context, dir string, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		r := reader{from: from, yield: yield}
		if err := r.run(ctx, dir); err != nil {
			yield(Entry{}, fmt.Errorf("reading the audit log: %w", err))
		}
	}
}

type reader struct {
	from  uint64
	yield func(Entry, error) bool
}

func (r *reader) run(ctx context.Context, dir string) error {
	segs, err := segments(dir)
	if err != nil {
		return err
	}
	for i := startOf(dir, segs, r.from); i < len(segs); i++ {
		number, more := segs[i].number, true
		last := i == len(segs)-1
		err := readLines(dir, number, 0, func(line rawLine) (bool, error) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if !line.whole && last {
				return false, nil // being written, or torn: not an entry yet
			}
			more = r.line(line, number)
			return more, nil
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// line yields one line, and reports whether more is wanted.
func (r *reader) line(line rawLine, number uint64) bool {
	f, err := parseLine(line.text)
	if err == nil && !f.sound() {
		err = errHash
	}
	if err == nil && !line.whole {
		err = errCut
	}
	if err != nil {
		return r.yield(Entry{Segment: segmentName(number), Offset: line.offset},
			fmt.Errorf("%w: %s at byte %d: %w", ErrDamaged, segmentName(number), line.offset, err))
	}
	if f.seq < r.from {
		return true
	}
	text := bytes.Clone(line.text)
	f.event = nil // it points into the reader's buffer
	if f, err = parseLine(text); err != nil {
		return r.yield(Entry{}, err)
	}
	return r.yield(newEntry(f, text, number, line.offset))
}

var (
	errHash = errors.New("its hash does not fit")
	errCut  = errors.New("it is cut off")
)

// startOf returns the index of the segment where an entry is or would be: the
// last one that does not begin after it. A segment that does not begin with an
// entry is passed over, and so read.
func startOf(dir string, segs []segment, seq uint64) int {
	for i := len(segs) - 1; i > 0; i-- {
		if first, ok := firstSeq(dir, segs[i].number); ok && first <= seq {
			return i
		}
	}
	return 0
}

// firstSeq reads the number of a segment's first entry, without checking it.
func firstSeq(dir string, number uint64) (uint64, bool) {
	f, err := os.Open(filepath.Join(dir, segmentName(number)))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	start := make([]byte, len(lineSeq)+20+len(linePrev))
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, false
	}
	return leadingSeq(start[:n])
}

// Last returns the sequence number of the last sound entry of the log in dir, 0
// when there is none. Like [Read] it needs neither key nor index.
func Last(dir string) (seq uint64, err error) {
	segs, err := segments(dir)
	if err != nil {
		return 0, fmt.Errorf("reading the audit log: %w", err)
	}
	for i := len(segs) - 1; i >= 0 && seq == 0; i-- {
		err := readLines(dir, segs[i].number, 0, func(line rawLine) (bool, error) {
			if n, ok := leadingSeq(line.text); ok && line.whole {
				seq = n
			}
			return true, nil
		})
		if err != nil {
			return 0, fmt.Errorf("reading the audit log: %w", err)
		}
	}
	return seq, nil
}
