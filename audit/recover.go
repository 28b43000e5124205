package audit

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringwall/ringwall"
)

// ending is where a log ends.
type ending struct {
	seq  uint64
	sum  Sum
	size int64 // of the last segment, up to the end of its last sound line
	torn int64 // bytes after that
	bad  int   // lines that are not sound, before that
}

// findEnding reads the last segment, and those before it while they hold no
// sound line.
func findEnding(dir string, segs []segment) (ending, error) {
	var end ending
	for i := len(segs) - 1; i >= 0 && end.seq == 0; i-- {
		last := i == len(segs)-1
		var sound, size int64
		bad, trailing := 0, 0
		err := readLines(dir, segs[i].number, 0, func(line rawLine) (bool, error) {
			size = line.offset + line.size
			f, err := parseLine(line.text)
			if err != nil || !f.sound() || !line.whole {
				trailing++
				return true, nil
			}
			sound, bad, trailing = size, bad+trailing, 0
			if f.seq > end.seq { // else it is an old line, put here again: go on after the newest
				end.seq, end.sum = f.seq, f.hash
			}
			return true, nil
		})
		if err != nil {
			return end, err
		}
		if last {
			end.size, end.torn = sound, size-sound
		}
		end.bad += bad
	}
	return end, nil
}

// recover finds the end of the log, mends it, and opens its last segment. It
// returns what was not in order, in words for the log: nothing after a clean
// end.
//
// It mends only what a crash explains: lines at the very end that were not
// written whole. Damage elsewhere stays as it is, for Verify to name.
func (l *Log) recover(segs []segment) (found []string, err error) {
	h, headErr := readHead(l.cfg.Dir, l.keys)
	if len(segs) == 0 && errors.Is(headErr, fs.ErrNotExist) {
		return nil, l.openSegment(1, 0) // a new log
	}
	end, err := findEnding(l.cfg.Dir, segs)
	if err != nil {
		return nil, err
	}
	l.seq, l.last = end.seq, end.sum
	l.number = 1
	if len(segs) > 0 {
		l.number = segs[len(segs)-1].number
	}
	if end.torn > 0 {
		name, err := l.cutTorn(end)
		if err != nil {
			return nil, fmt.Errorf("cutting off a torn end: %w", err)
		}
		found = append(found, fmt.Sprintf("torn end: %d bytes, kept in %s", end.torn, name))
	}
	if end.bad > 0 {
		found = append(found, fmt.Sprintf("damaged lines in the last segment: %d", end.bad))
	}
	switch {
	case headErr != nil:
		found = append(found, fmt.Sprintf("the head file cannot be trusted: %v", plain(headErr)))
	case h.Seq > end.seq:
		found = append(found, fmt.Sprintf("entries missing at the end: the log ends with %d, its head says %d", end.seq, h.Seq))
	case !h.Clean || h.Seq != end.seq:
		found = append(found, "the log was not closed")
	}
	return found, l.openSegment(l.number, end.size)
}

// plain is a file's error without its path, which would tell of the machine.
func plain(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// openSegment opens the n-th segment, which is the last, to write after size.
func (l *Log) openSegment(n uint64, size int64) error {
	f, err := os.OpenFile(filepath.Join(l.cfg.Dir, segmentName(n)), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	l.file, l.number, l.size = f, n, size
	return syncDir(l.cfg.Dir)
}

// cutTorn moves what stands after the last sound line into a file beside the
// segment. Nothing is removed before its copy is on disk.
func (l *Log) cutTorn(end ending) (name string, err error) {
	f, err := os.OpenFile(filepath.Join(l.cfg.Dir, segmentName(l.number)), os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// The time keeps apart what is torn twice at one place.
	name = fmt.Sprintf("torn-%012d-%012d-%s", l.number, end.size, l.cfg.Now().UTC().Format("20060102T150405.000000000"))
	kept, err := os.OpenFile(filepath.Join(l.cfg.Dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(kept, io.NewSectionReader(f, end.size, end.torn))
	if err = errors.Join(err, kept.Sync(), kept.Close()); err != nil {
		return "", err
	}
	if err := syncDir(l.cfg.Dir); err != nil {
		return "", err
	}
	return name, errors.Join(f.Truncate(end.size), f.Sync())
}

// noteRecovery writes down what Open has found, if anything.
func (l *Log) noteRecovery(found []string) error {
	if len(found) == 0 {
		return nil
	}
	e := ringwall.Event{ID: "recovered-" + rand.Text(), Kind: ringwall.Recovered, Detail: strings.Join(found, "; ")}
	seq, err := l.append(&e)
	if err != nil {
		return fmt.Errorf("noting the recovery: %w", err)
	}
	l.cfg.Log.Warn("audit: the log was opened after an unclean end", "seq", seq, "found", e.Detail)
	return nil
}
