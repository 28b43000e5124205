package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
)

// failForGood fills the disk where the log cannot take back half an entry.
func failForGood(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	l, err := audit.Open(context.Background(), audit.Config{Dir: dir, Fsync: audit.FsyncNever})
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	limit := old
	limit.Cur = 5000 // in the middle of an entry
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for err == nil {
		_, err = l.Begin(context.Background(), ringwall.Event{ID: "x"})
	}
	if !errors.Is(err, audit.ErrFailed) || !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("a write that cannot be taken back: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	// There is room again, but nothing may stand behind half an entry.
	if _, err := l.Begin(context.Background(), ringwall.Event{ID: "x"}); !errors.Is(err, audit.ErrFailed) {
		return fmt.Errorf("the next entry: %w", err)
	}
	if err := l.End(context.Background(), ringwall.Event{ID: "x"}); !errors.Is(err, audit.ErrFailed) {
		return fmt.Errorf("the end of an exchange: %w", err)
	}
	if err := l.Run(context.Background()); !errors.Is(err, audit.ErrFailed) {
		return fmt.Errorf("running a failed log: %w", err)
	}
	return l.Close()
}

func TestABrokenTailEndsTheLog(t *testing.T) {
	dir := t.TempDir()
	closeLog(t, open(t, audit.Config{Dir: dir}))
	path := filepath.Join(dir, "segment-000000000001.jsonl")
	if err := setAppendOnly(path, true); err != nil {
		t.Skipf("not run: making a file append-only: %v", err)
	}
	defer setAppendOnly(path, false) //nolint:errcheck // so that the directory can be removed
	if out, err := startChild(t, "fail", dir).Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := setAppendOnly(path, false); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, dir); r.Torn == nil {
		t.Errorf("report = %+v, want a torn tail", r)
	}
	l := open(t, audit.Config{Dir: dir})
	begin(t, l, "after")
	closeLog(t, l)
	if r := verified(t, dir); r.Torn != nil || len(r.Recoveries) != 1 {
		t.Errorf("report = %+v, want the tail cut off and noted", r)
	}
}
