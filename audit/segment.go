package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Names of files in the directory of a log.
const (
	lockFile  = "lock"
	keyFile   = "audit.key"
	headFile  = "head"
	indexFile = "index.db"

	segmentPrefix = "segment-"
	segmentSuffix = ".jsonl"
)

// segment is one file of the log.
type segment struct {
	number uint64
	size   int64 // when it was listed
}

// segmentName is the name of the n-th segment, from 1.
func segmentName(n uint64) string { return fmt.Sprintf("%s%012d%s", segmentPrefix, n, segmentSuffix) }

// segmentNumber reads the number of a segment from its name.
func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, segmentPrefix)
	digits, ok2 := strings.CutSuffix(digits, segmentSuffix)
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && ok2 && err == nil && n > 0 && segmentName(n) == name
}

// segments lists the segments of a log in their order.
func segments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir) // sorted; numbers have leading zeros
	if err != nil {
		return nil, err
	}
	var out []segment
	for _, e := range entries {
		n, ok := segmentNumber(e.Name())
		if !ok {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file", e.Name())
		}
		out = append(out, segment{n, info.Size()})
	}
	return out, nil
}

// readLines calls each with the lines of a segment from an offset on, until one
// returns false.
func readLines(dir string, number uint64, from int64, each func(rawLine) (bool, error)) error {
	f, err := os.Open(filepath.Join(dir, segmentName(number)))
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	lines := newLineReader(f, from)
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if more, err := each(line); err != nil || !more {
			return err
		}
	}
}

// createSegment makes the n-th segment, or takes one that is there and empty:
// a segment whose first write failed.
func createSegment(dir string, n uint64) (*os.File, error) {
	path := filepath.Join(dir, segmentName(n))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != 0 {
		err = fmt.Errorf("%s is there and not empty", segmentName(n))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// replaceFile writes a file so that a reader sees the old or the new whole,
// also after a crash.
func replaceFile(dir, name string, data []byte, durable bool) error {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
