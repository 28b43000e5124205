package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	if dir := os.Getenv("AUDIT_TEST_CHILD_DIR"); dir != "" {
		child(os.Getenv("AUDIT_TEST_CHILD"), dir)
		return
	}
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// open opens a log that the test closes, here or at its end.
func open(t testing.TB, cfg audit.Config) *audit.Log {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l, err := audit.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return l
}

func closeLog(t testing.TB, l *audit.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatalf("Close() = %v", err)
	}
}

func begin(t testing.TB, l *audit.Log, id string) {
	t.Helper()
	if _, err := l.Begin(t.Context(), ringwall.Event{ID: id, Principal: ringwall.Principal{ID: "ann"}}); err != nil {
		t.Fatal(err)
	}
}

func end(t testing.TB, l *audit.Log, id string) {
	t.Helper()
	if err := l.End(t.Context(), ringwall.Event{ID: id, Status: 200, Outcome: ringwall.Answered}); err != nil {
		t.Fatal(err)
	}
}

// verified verifies a log in which nothing may be wrong.
func verified(t testing.TB, dir string) audit.Report {
	t.Helper()
	r, err := audit.Verify(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("the log is not in order: %v", r.Problems)
	}
	return r
}

// ids returns the IDs of entries with their kinds' last word: "x-begin".
func ids(entries []audit.Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Event.ID+strings.TrimPrefix(string(e.Event.Kind), "exchange"))
	}
	return out
}

// onBoth runs the same test with both kinds of index.
func onBoth(t *testing.T, test func(t *testing.T, index *db.DB)) {
	t.Run("sqlite", func(t *testing.T) { test(t, nil) })
	t.Run("postgres", func(t *testing.T) {
		d, err := db.Open(t.Context(), db.Config{DSN: postgres.Database(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		test(t, d)
	})
}

func TestQuery(t *testing.T) {
	onBoth(t, func(t *testing.T, index *db.DB) {
		// Small segments: the entries lie in several.
		l := open(t, audit.Config{Index: index, SegmentBytes: 700})
		day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
		ann := ringwall.Principal{ID: "ann", Tenant: "red"}
		bob := ringwall.Principal{ID: "bob", Tenant: "blue", Trust: ringwall.Staff}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := l.Begin(t.Context(), ringwall.Event{ID: "a", Time: day(1), Principal: ann, Model: "small"})
		must(err)
		_, err = l.Begin(t.Context(), ringwall.Event{ID: "b", Time: day(2), Principal: bob, Model: "large"})
		must(err)
		must(l.End(t.Context(), ringwall.Event{
			ID: "a", Time: day(3), Principal: ann, Model: "small", Status: 403, Outcome: ringwall.Refused,
			Verdict: &ringwall.Verdict{Action: ringwall.Block, Reasons: []string{"aws-access-key", "jailbreak"}},
		}))
		must(l.End(t.Context(), ringwall.Event{
			ID: "b", Time: day(4), Principal: bob, Model: "large", Status: 200, Outcome: ringwall.Answered,
			Verdict: &ringwall.Verdict{Action: ringwall.Allow},
		}))
		must(l.Note(t.Context(), ringwall.Event{ID: "k", Time: day(5), Kind: ringwall.KeyCreated, Principal: bob}))

		for _, tt := range []struct {
			name string
			f    audit.Filter
			want []string
		}{
			{"everything, newest first", audit.Filter{}, []string{"kkey-created", "b-end", "a-end", "b-begin", "a-begin"}},
			{"oldest first", audit.Filter{Oldest: true, Limit: 2}, []string{"a-begin", "b-begin"}},
			{"by exchange", audit.Filter{ID: "a"}, []string{"a-end", "a-begin"}},
			{"by principal", audit.Filter{Principal: "bob", Kind: ringwall.ExchangeBegin}, []string{"b-begin"}},
			{"by tenant", audit.Filter{Tenant: "red"}, []string{"a-end", "a-begin"}},
			{"by model", audit.Filter{Model: "large"}, []string{"b-end", "b-begin"}},
			{"by action; the strictest is not taken for none", audit.Filter{Action: "block"}, []string{"a-end"}},
			{"by one of several reasons", audit.Filter{Reason: "jailbreak"}, []string{"a-end"}},
			{"not by half a reason", audit.Filter{Reason: "jail"}, []string{}},
			{"by outcome", audit.Filter{Outcome: ringwall.Answered}, []string{"b-end"}},
			{"by status", audit.Filter{Status: 403}, []string{"a-end"}},
			{"by time, from and before", audit.Filter{Since: day(2), Until: day(4)}, []string{"a-end", "b-begin"}},
			{"the next page", audit.Filter{Before: 3}, []string{"b-begin", "a-begin"}},
			{"the next page, oldest first", audit.Filter{After: 3, Oldest: true}, []string{"b-end", "kkey-created"}},
			{"nothing", audit.Filter{ID: "' OR 1=1 --"}, []string{}},
			{"none abandoned", audit.Filter{Abandoned: true}, []string{}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got, err := l.Query(t.Context(), tt.f)
				if err != nil || !slices.Equal(ids(got), tt.want) {
					t.Errorf("Query() = %v, %v, want %v", ids(got), err, tt.want)
				}
			})
		}
		for _, f := range []audit.Filter{{Action: "maybe"}, {Reason: "%"}, {Limit: -1}, {Limit: audit.MaxLimit + 1}} {
			if _, err := l.Query(t.Context(), f); err == nil {
				t.Errorf("Query(%+v) went well", f)
			}
		}
		got, err := l.Query(t.Context(), audit.Filter{ID: "a", Action: "block"})
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Event.Principal, ann) || !got[0].Event.Time.Equal(day(3)) || got[0].Seq != 3 {
			t.Errorf("the entry came back as %+v, %v", got, err)
		}
	})
}

func TestIndexIsMadeAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, index *db.DB) {
		cfg := audit.Config{Dir: t.TempDir(), Index: index, SegmentBytes: 3000, Fsync: audit.FsyncNever}
		l := open(t, cfg)
		for i := range 1100 { // more than one batch
			begin(t, l, fmt.Sprint("x", i))
			if i%100 != 0 {
				end(t, l, fmt.Sprint("x", i))
			}
		}
		closeLog(t, l) // nobody has filled the index yet

		count := func(l *audit.Log, f audit.Filter) int {
			t.Helper()
			f.Limit = audit.MaxLimit
			got, err := l.Query(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return len(got)
		}
		l = open(t, cfg) // caught up with
		if n := count(l, audit.Filter{Abandoned: true}); n != 11 {
			t.Errorf("abandoned = %d, want 11", n)
		}
		closeLog(t, l)

		// An index that belongs to another past.
		if index == nil {
			d, err := db.Open(t.Context(), db.Config{DSN: filepath.Join(cfg.Dir, "index.db")})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			index = d
		}
		for _, q := range []string{
			"UPDATE audit_progress SET hash = '00'", "UPDATE audit_blocks SET terms = '', first = first + 1000000", "DELETE FROM audit_open",
		} {
			if _, err := index.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		l = open(t, cfg)
		if a, w, x := count(l, audit.Filter{Abandoned: true}), count(l, audit.Filter{ID: "wrong"}), count(l, audit.Filter{ID: "x7"}); a != 11 || w != 0 || x != 2 {
			t.Errorf("after making it anew: abandoned = %d, wrong = %d, x7 = %d, want 11, 0, 2", a, w, x)
		}
		closeLog(t, l)
		verified(t, cfg.Dir)
	})
}

func TestLogsShareAnIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, index *db.DB) {
		if index == nil {
			d, err := db.Open(t.Context(), db.Config{DSN: filepath.Join(t.TempDir(), "shared.db")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			index = d
		}
		for _, id := range []string{"first", "second"} {
			l := open(t, audit.Config{Index: index})
			begin(t, l, id)
			if got, err := l.Query(t.Context(), audit.Filter{}); err != nil || !slices.Equal(ids(got), []string{id + "-begin"}) {
				t.Errorf("Query() = %v, %v, want its own entry only", ids(got), err)
			}
		}
	})
}

// What callers choose must not stop the index.
func TestHostileNamesAreIndexed(t *testing.T) {
	onBoth(t, func(t *testing.T, index *db.DB) {
		l := open(t, audit.Config{Index: index})
		long := strings.Repeat("ä", 5000)
		for _, model := range []string{"nul\x00byte", "bad\xffutf8", long, `"},{"`} {
			if _, err := l.Begin(t.Context(), ringwall.Event{ID: "x", Model: model}); err != nil {
				t.Fatal(err)
			}
			got, err := l.Query(t.Context(), audit.Filter{Model: strings.ToValidUTF8(model, "\uFFFD")})
			if err != nil || len(got) != 1 || got[0].Event.Model != strings.ToValidUTF8(model, "\uFFFD") {
				t.Errorf("model %.20q: %d entries, %v", model, len(got), err)
			}
		}
	})
}

func TestOneProcessHoldsTheLog(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	_, err := audit.Open(t.Context(), audit.Config{Dir: dir})
	if !errors.Is(err, audit.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open = %v, want ErrLocked that names %s", err, dir)
	}
	closeLog(t, l)
	open(t, audit.Config{Dir: dir})
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  audit.Config
	}{
		{"no directory", audit.Config{}},
		{"an unknown fsync", audit.Config{Dir: t.TempDir(), Fsync: "sometimes"}},
		{"a negative interval", audit.Config{Dir: t.TempDir(), Interval: -1}},
		{"a negative size", audit.Config{Dir: t.TempDir(), SegmentBytes: -1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if l, err := audit.Open(t.Context(), tt.cfg); err == nil {
				l.Close()
				t.Error("Open went well")
			}
		})
	}
}

func TestEventsThatAreRefused(t *testing.T) {
	l := open(t, audit.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Begin(ctx, ringwall.Event{ID: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin of a cancelled call = %v", err)
	}
	if err := l.End(ctx, ringwall.Event{ID: "x"}); err != nil {
		t.Errorf("End of a cancelled call = %v: the record must not be lost", err)
	}
	if _, err := l.Begin(t.Context(), ringwall.Event{}); err == nil {
		t.Error("an event without an ID was taken")
	}
	if _, err := l.Begin(t.Context(), ringwall.Event{ID: "x", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("a time that JSON cannot hold was taken")
	}
	if _, err := l.Begin(t.Context(), ringwall.Event{ID: "x", Detail: strings.Repeat("x", audit.MaxEvent)}); err == nil {
		t.Error("a larger event than MaxEvent was taken")
	}
	for _, kind := range []ringwall.Kind{"", ringwall.ExchangeBegin, ringwall.ExchangeEnd, ringwall.Recovered} {
		if err := l.Note(t.Context(), ringwall.Event{ID: "x", Kind: kind}); err == nil {
			t.Errorf("Note took kind %q", kind)
		}
	}
	if seq, _ := l.Head(); seq != 1 {
		t.Errorf("the log has %d entries, want the one that was not refused", seq)
	}
	closeLog(t, l)
	if _, err := l.Begin(t.Context(), ringwall.Event{ID: "x"}); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("Begin after Close = %v, want ErrClosed", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	for _, fsync := range []audit.Fsync{audit.FsyncAlways, audit.FsyncInterval} {
		t.Run(string(fsync), func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, audit.Config{Dir: dir, Fsync: fsync, Interval: time.Millisecond, SegmentBytes: 4000})
			ctx, stop := context.WithCancel(t.Context())
			var run, calls sync.WaitGroup
			run.Go(func() {
				if err := l.Run(ctx); err != nil {
					t.Errorf("Run() = %v", err)
				}
			})
			const callers, each = 16, 25
			for c := range callers {
				calls.Go(func() {
					for i := range each {
						id := fmt.Sprintf("%d-%d", c, i)
						begin(t, l, id)
						_ = l.Digest("/x", ringwall.Input, ringwall.User, id)
						if _, err := l.Query(t.Context(), audit.Filter{ID: id}); err != nil {
							t.Error(err)
						}
						end(t, l, id)
					}
				})
			}
			calls.Wait()
			stop()
			run.Wait()
			verified(t, dir) // while it is open
			closeLog(t, l)
			r := verified(t, dir)
			if r.Entries != 2*callers*each || r.Head != r.Last || r.Segments < 10 || len(r.Recoveries) != 0 {
				t.Errorf("report = %+v, want %d entries, all under the head, in many segments", r, 2*callers*each)
			}
		})
	}
}

// The head file and the index follow the log without anybody asking.
func TestRunKeepsUp(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l, err := audit.Open(t.Context(), audit.Config{Dir: dir, Fsync: audit.FsyncInterval})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		begin(t, l, "x")
		<-time.After(1500 * time.Millisecond) // in the bubble's time
		if r, err := audit.Verify(t.Context(), dir, nil); err != nil || r.Head != 1 {
			t.Errorf("after a second and a half the head vouches for %d, %v, want 1", r.Head, err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		closeLog(t, l)
	})
}
