package quota_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
	"github.com/ringwall/ringwall/quota"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// clock is a time that stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func noon() *clock { return &clock{now: time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)} }

func onDatabases(t *testing.T, test func(t *testing.T, dsn string)) {
	for name, dsn := range map[string]func(testing.TB) string{
		"sqlite":     func(t testing.TB) string { return filepath.Join(t.TempDir(), "x.db") },
		"postgresql": postgres.Database,
	} {
		t.Run(name, func(t *testing.T) { test(t, dsn(t)) })
	}
}

func withLedger(t *testing.T, dsn string, c *clock) (*quota.Quota, *quota.Ledger) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	l, err := quota.OpenLedger(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return newQuota(t, quota.Config{Ledger: l, Now: c.Now}), l
}

// save lets q write down what is used, as its end does.
func save(t *testing.T, q *quota.Quota) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestBudgetsAreWrittenDown(t *testing.T) {
	onDatabases(t, func(t *testing.T, dsn string) {
		c := noon()
		month := limit("m", quota.Tokens, 1000, quota.Tenant)
		month.Window = quota.Window{Calendar: quota.Month}
		first, ledger := withLedger(t, dsn, c)
		p := plan(t, first, month)
		reserve(t, p, claim("a", "b")).Settle(t.Context(), tokens(10, 390))
		held := reserve(t, p, claim("a", "b"))
		save(t, first)

		second, _ := withLedger(t, dsn, c) // after a restart, or another replica
		q := plan(t, second, month)
		if n := used(t, q, claim("a", "b"), "m"); n != 600 {
			t.Errorf("%d used, want 400, 100 that were set aside, and 100 now", n)
		}
		held.Settle(t.Context(), tokens(10, 290))
		reserve(t, q, claim("a", "x")).Settle(t.Context(), tokens(10, 90))
		save(t, first)
		save(t, second)
		save(t, first)
		for name, plan := range map[string]*quota.Plan{"first": p, "second": q} {
			if n := used(t, plan, claim("a", "b"), "m"); n != 900 {
				t.Errorf("%s: %d used, want 800, and 100 now", name, n)
			}
		}
		list, err := ledger.List(t.Context(), c.Now(), 10)
		if err != nil || len(list) != 1 || list[0].Used != 800 || !list[0].Ends.Equal(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)) {
			t.Fatalf("%+v, %v", list, err)
		}
		if ok, err := ledger.Reset(t.Context(), list[0].ID, c.Now()); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		save(t, first)
		if n := used(t, p, claim("a", "b"), "m"); n != 100 {
			t.Errorf("%d used after a reset", n)
		}
		c.move(24 * time.Hour)
		if n := used(t, p, claim("a", "b"), "m"); n != 100 {
			t.Errorf("%d used in the next month", n)
		}
		if err := ledger.Prune(t.Context(), c.Now().AddDate(0, 2, 0)); err != nil {
			t.Error(err)
		}
	})
}

func TestCalendar(t *testing.T) {
	zone := func(name string) *time.Location {
		l, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, tt := range []struct {
		name, at   string
		w          quota.Window
		start, end string
	}{
		{"a day", "2026-03-31T12:00:00Z", quota.Window{Calendar: quota.Day}, "2026-03-31T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"its last moment", "2026-03-31T23:59:59.999Z", quota.Window{Calendar: quota.Day}, "2026-03-31T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"a week", "2026-03-01T00:00:00Z", quota.Window{Calendar: quota.Week}, "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"a month of 31 days", "2026-01-31T10:00:00Z", quota.Window{Calendar: quota.Month}, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
		{"a leap year's February", "2028-02-29T23:00:00Z", quota.Window{Calendar: quota.Month}, "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"December", "2026-12-31T23:59:59Z", quota.Window{Calendar: quota.Month}, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"a day of 23 hours", "2026-03-29T12:00:00Z", quota.Window{Calendar: quota.Day, Zone: zone("Europe/Berlin")}, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"a day of 25 hours", "2026-10-25T12:00:00Z", quota.Window{Calendar: quota.Day, Zone: zone("Europe/Berlin")}, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"a day that begins at one", "2018-11-04T12:00:00Z", quota.Window{Calendar: quota.Day, Zone: zone("America/Sao_Paulo")}, "2018-11-04T02:00:00Z", "2018-11-05T02:00:00Z"},
		{"a month elsewhere", "2026-03-31T22:30:00Z", quota.Window{Calendar: quota.Month, Zone: zone("Europe/Berlin")}, "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"},
		{"a day that was left out", "2011-12-31T12:00:00Z", quota.Window{Calendar: quota.Day, Zone: zone("Pacific/Apia")}, "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339Nano, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		start, end := tt.w.Span(at)
		if tt.name == "a day that was left out" {
			if at.Before(start) || !at.Before(end) {
				t.Errorf("%s: %v to %v", tt.name, start.UTC(), end.UTC())
			}
			continue
		}
		if got := start.UTC().Format(time.RFC3339); got != tt.start {
			t.Errorf("%s begins %s, want %s", tt.name, got, tt.start)
		}
		if got := end.UTC().Format(time.RFC3339); got != tt.end {
			t.Errorf("%s ends %s, want %s", tt.name, got, tt.end)
		}
	}
	for _, name := range []string{"America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Africa/Cairo", "Pacific/Apia", "Europe/Berlin", "America/Santiago"} {
		for _, part := range []quota.Calendar{quota.Day, quota.Week, quota.Month} {
			w := quota.Window{Calendar: part, Zone: zone(name)}
			at := time.Date(2010, 12, 28, 0, 0, 0, 0, time.UTC)
			_, last := w.Span(at)
			for ; at.Year() < 2012; at = at.Add(37 * time.Minute) {
				start, end := w.Span(at)
				if at.Before(start) || !at.Before(end) || at.After(last) && !start.Equal(last) && !end.Equal(last) {
					t.Fatalf("%s: %v is not in %v to %v, or there is a gap behind %v", name, at, start, end, last)
				}
				last = end
			}
		}
	}
}

// Whatever is done to the clock, no more is granted.
func TestClockJumps(t *testing.T) {
	c := noon()
	day := limit("day", quota.Requests, 3)
	day.Window = quota.Window{Calendar: quota.Day}
	p := plan(t, newQuota(t, quota.Config{Now: c.Now}), limit("hour", quota.Requests, 2), day)
	reserve(t, p, claim("a", "b"))
	reserve(t, p, claim("a", "b"))
	refused(t, p, claim("a", "b"), "hour")
	c.move(-30 * time.Minute)
	refused(t, p, claim("a", "b"), "hour")
	c.move(-48 * time.Hour)
	refused(t, p, claim("a", "b"), "hour")
	c.move(48*time.Hour + 30*time.Minute)
	refused(t, p, claim("a", "b"), "hour")
	c.move(2 * time.Hour)
	reserve(t, p, claim("a", "b"))
	c.move(24 * time.Hour) // tomorrow, and back: today's third is still used
	reserve(t, p, claim("a", "b"))
	c.move(-24 * time.Hour)
	refused(t, p, claim("a", "b"), "day")
}
