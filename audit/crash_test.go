package audit_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
)

// child is what the test binary does when a test has started it again.
func child(what, dir string) {
	var err error
	switch what {
	case "append":
		err = appendForever(dir)
	case "full":
		err = fillUp(dir)
	case "fail":
		err = failForGood(dir)
	default:
		err = errors.New("unknown task " + what)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func startChild(t *testing.T, what, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "AUDIT_TEST_CHILD="+what, "AUDIT_TEST_CHILD_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

func childConfig(dir string) audit.Config {
	return audit.Config{
		Dir: dir, Fsync: audit.FsyncInterval, Interval: 5 * time.Millisecond, SegmentBytes: 200 << 10,
		Log: slog.New(slog.DiscardHandler),
	}
}

// appendForever writes entries from several goroutines and prints the number of
// each once it is promised.
func appendForever(dir string) error {
	l, err := audit.Open(context.Background(), childConfig(dir))
	if err != nil {
		return err
	}
	go l.Run(context.Background()) //nolint:errcheck // ends with the process
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				seq, err := l.Begin(context.Background(), ringwall.Event{ID: strconv.FormatUint(rand.Uint64(), 36), Model: "m"})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Fprintln(os.Stdout, seq)
			}
		})
	}
	wg.Wait()
	return nil
}

func TestKillLosesNothingPromised(t *testing.T) {
	dir := t.TempDir()
	promised := map[uint64]bool{}
	const rounds = 20
	for range rounds {
		cmd := startChild(t, "append", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, until, n := bufio.NewScanner(out), 1+rand.IntN(1500), 0
		for lines.Scan() {
			seq, err := strconv.ParseUint(lines.Text(), 10, 64)
			if err != nil {
				break // cut off by the kill: never promised
			}
			promised[seq] = true
			if n++; n == until {
				if err := cmd.Process.Kill(); err != nil { // SIGKILL
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || n < until {
			t.Fatalf("the child ended by itself after %d entries: %v", n, err)
		}
		if r := verified(t, dir); r.Last < uint64(len(promised)) {
			t.Fatalf("the log ends with %d, %d were promised", r.Last, len(promised))
		}
	}
	l := open(t, childConfig(dir))
	lost, err := l.Query(t.Context(), audit.Filter{Abandoned: true, Limit: audit.MaxLimit})
	if err != nil || len(lost) < min(len(promised), audit.MaxLimit) {
		t.Errorf("%d exchanges are known to be abandoned, %v, want at least %d", len(lost), err, min(len(promised), audit.MaxLimit))
	}
	closeLog(t, l)

	kept := map[uint64]bool{}
	for e, err := range audit.Read(t.Context(), dir, 0) {
		if err != nil {
			t.Fatal(err)
		}
		kept[e.Seq] = true
	}
	for seq := range promised {
		if !kept[seq] {
			t.Errorf("entry %d was promised and is not there", seq)
		}
	}
	r := verified(t, dir)
	if len(r.Recoveries) != rounds {
		t.Errorf("%d recoveries are noted, want %d", len(r.Recoveries), rounds)
	}
	t.Logf("%d entries promised in %d rounds, %d in the log", len(promised), rounds, r.Entries)
}

// fillUp lets the system refuse to let files grow, as a full disk does: what
// fits is written, the rest is not.
func fillUp(dir string) error {
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
	good, refused := 0, 0
	for refused < 3 {
		if _, err := l.Begin(context.Background(), ringwall.Event{ID: "x"}); errors.Is(err, syscall.EFBIG) {
			refused++
		} else if err != nil {
			return err
		} else {
			good++
		}
	}
	if err := l.Err(); err != nil {
		return fmt.Errorf("the log gave up: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if _, err := l.Begin(context.Background(), ringwall.Event{ID: "after"}); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	fmt.Fprintln(os.Stdout, good)
	return l.Close()
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	out, err := startChild(t, "full", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	good, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || good == 0 {
		t.Fatalf("the child wrote %q, %v", out, err)
	}
	r := verified(t, dir)
	if r.Last != uint64(good)+1 || r.Torn != nil || len(r.Recoveries) != 0 {
		t.Errorf("report = %+v, want %d entries and one more, none torn", r, good)
	}
}

// crash leaves a directory as a sudden end of the process does.
func crash(t *testing.T, cfg audit.Config, write func(l *audit.Log)) (dir string) {
	t.Helper()
	l := open(t, cfg)
	write(l)
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"audit.key"} { // CopyFS opens files to others
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func segmentPath(dir string, n int) string {
	return filepath.Join(dir, fmt.Sprintf("segment-%012d.jsonl", n))
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRecovery(t *testing.T) {
	three := func(t *testing.T) func(l *audit.Log) {
		return func(l *audit.Log) {
			begin(t, l, "a")
			end(t, l, "a")
			begin(t, l, "b")
		}
	}
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string // of the detail
		last  uint64 // before it
		torn  string
	}{
		{"nothing is torn", func(*testing.T, string) {}, "the log was not closed; exchanges begun and never ended: 1", 3, ""},
		{"a torn last line is cut off and kept", func(t *testing.T, dir string) {
			write(t, segmentPath(dir, 1), append(read(t, segmentPath(dir, 1)), `{"seq":4,"prev":"01`...))
		}, "torn end: 19 bytes, kept in torn-", 3, `{"seq":4,"prev":"01`},
		{"so are zeros that a stopped machine leaves", func(t *testing.T, dir string) {
			write(t, segmentPath(dir, 1), append(read(t, segmentPath(dir, 1)), "\x00\x00\n\x00\n"...))
		}, "torn end: 5 bytes", 3, "\x00\x00\n\x00\n"},
		{"what the torn end took is counted", func(t *testing.T, dir string) {
			b := read(t, segmentPath(dir, 1))
			write(t, segmentPath(dir, 1), b[:len(b)-1])
		}, "torn end: ", 2, `{"seq":3,`},
		{"a missing head is noticed", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "head")); err != nil {
				t.Fatal(err)
			}
		}, "the head file cannot be trusted: no such file", 3, ""},
		{"damage in the middle is left for Verify to name", func(t *testing.T, dir string) {
			b := read(t, segmentPath(dir, 1))
			b[250] ^= 1
			write(t, segmentPath(dir, 1), b)
		}, "damaged lines in the last segment: 1", 3, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := crash(t, audit.Config{Dir: t.TempDir(), Fsync: audit.FsyncInterval}, three(t))
			tt.spoil(t, dir)
			l := open(t, audit.Config{Dir: dir})
			got, err := l.Query(t.Context(), audit.Filter{Kind: ringwall.Recovered})
			if err != nil || len(got) != 1 || !strings.Contains(got[0].Event.Detail, tt.want) || got[0].Seq != tt.last+1 {
				t.Fatalf("recovered = %+v, %v, want entry %d: %s", got, err, tt.last+1, tt.want)
			}
			torn, err := filepath.Glob(filepath.Join(dir, "torn-*"))
			if err != nil || (len(torn) == 1) != (tt.torn != "") {
				t.Fatalf("torn files = %v, %v", torn, err)
			}
			if tt.torn != "" && !strings.HasPrefix(string(read(t, torn[0])), tt.torn) {
				t.Errorf("kept %q, want %q", read(t, torn[0]), tt.torn)
			}
			begin(t, l, "c")
			closeLog(t, l)
			r, err := audit.Verify(t.Context(), dir, nil)
			if err != nil || r.OK() == strings.HasPrefix(tt.want, "damaged") || len(r.Recoveries) != 1 {
				t.Errorf("Verify() = %+v, %v", r, err)
			}
		})
	}
}

func TestRecoveryCountsOnce(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	begin(t, l, "lost")
	closeLog(t, l) // in good order, with an exchange that had not ended
	for range 3 {
		closeLog(t, open(t, audit.Config{Dir: dir}))
	}
	r := verified(t, dir)
	if len(r.Recoveries) != 1 || r.Recoveries[0].Detail != "exchanges begun and never ended: 1" {
		t.Errorf("recoveries = %+v, want the one exchange, once", r.Recoveries)
	}
	l = open(t, audit.Config{Dir: dir})
	begin(t, l, "running")
	got, err := l.Query(t.Context(), audit.Filter{Abandoned: true})
	if err != nil || len(got) != 1 || got[0].Event.ID != "lost" {
		t.Errorf("abandoned = %v, %v, want the lost one and not the running", ids(got), err)
	}
}

func TestCleanEndsLeaveNoTrace(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		l := open(t, audit.Config{Dir: dir, SegmentBytes: 300})
		begin(t, l, fmt.Sprint(i))
		end(t, l, fmt.Sprint(i))
		closeLog(t, l)
	}
	if r := verified(t, dir); r.Entries != 6 || len(r.Recoveries) != 0 {
		t.Errorf("report = %+v, want 6 entries and no recovery", r)
	}
}

func TestAnEmptyLastSegmentIsUsed(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	begin(t, l, "a")
	end(t, l, "a")
	closeLog(t, l)
	write(t, segmentPath(dir, 2), nil) // the crash came between making it and writing to it
	verified(t, dir)
	l = open(t, audit.Config{Dir: dir})
	begin(t, l, "b")
	closeLog(t, l)
	if r := verified(t, dir); r.Last != 3 || len(read(t, segmentPath(dir, 2))) == 0 {
		t.Errorf("report = %+v, want entry 3 in segment 2", r)
	}
}

func TestAKeyIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	begin(t, l, "a")
	closeLog(t, l)
	key := filepath.Join(dir, "audit.key")
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	if l, err := audit.Open(t.Context(), audit.Config{Dir: dir}); err == nil {
		l.Close()
		t.Error("a key that others can read was taken")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Open(t.Context(), audit.Config{Dir: dir}); !errors.Is(err, audit.ErrNoKey) {
		t.Errorf("Open without the key = %v, want ErrNoKey", err)
	}
}

func TestFilesAreClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	l := open(t, audit.Config{Dir: dir, SegmentBytes: 200})
	begin(t, l, "a")
	end(t, l, "a")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 6 {
		t.Fatalf("the directory has %v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v, want 0600", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v, want 0700", info.Mode(), err)
	}
}
