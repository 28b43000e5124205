package approval_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
	"github.com/ringwall/ringwall/toolcall"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

var databases = []struct {
	name string
	dsn  func(testing.TB) string
}{
	{"SQLite", func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "approvals.db") }},
	{"PostgreSQL", func(tb testing.TB) string { return postgres.Database(tb) }},
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

// world is one database, and its approvals as two gateways see them.
type world struct {
	dsn         string
	clock       *clock
	here, there *approval.Store
	db          *db.DB

	mu     sync.Mutex
	events []ringwall.Event
}

// kinds of the records so far.
func (w *world) kinds(t testing.TB) string {
	t.Helper()
	if err := w.here.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, ev := range w.events {
		out = append(out, string(ev.Kind))
	}
	return strings.Join(out, " ")
}

func (w *world) record(_ context.Context, ev ringwall.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, ev)
	return nil
}

func newWorld(t testing.TB, dsn string, rules approval.Rules) *world {
	t.Helper()
	w := &world{dsn: dsn, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	w.here, w.db = w.open(t, rules)
	w.there, _ = w.open(t, rules)
	return w
}

func (w *world) open(t testing.TB, rules approval.Rules) (*approval.Store, *db.DB) {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	s, err := approval.Open(context.Background(), approval.Config{DB: d, Key: [32]byte{1}, Rules: rules, Now: w.clock.Now, Record: w.record})
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

func each(t *testing.T, test func(*testing.T, *world)) { eachWith(t, approval.Rules{}, test) }

func eachWith(t *testing.T, rules approval.Rules, test func(*testing.T, *world)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) { test(t, newWorld(t, d.dsn(t), rules)) })
	}
}

var (
	// alice's agent asks by a key.
	agent = ringwall.Principal{ID: "u_alice", Tenant: "acme", Trust: ringwall.Customer, Via: "key", Key: "rw_agent"}
	alice = approval.Approver{Principal: ringwall.Principal{ID: "u_alice", Tenant: "acme", Trust: ringwall.Customer, Via: "session", Key: "s_alice"}, Browser: true}
	bob   = approval.Approver{Principal: ringwall.Principal{ID: "u_bob", Tenant: "acme", Trust: ringwall.Staff, Via: "session", Key: "s_bob"}, Browser: true}
	carol = approval.Approver{Principal: ringwall.Principal{ID: "u_carol", Tenant: "acme", Trust: ringwall.Staff, Via: "session", Key: "s_carol", Roles: []string{"finance"}}, Browser: true}
)

const payment = `{"recipient":"DE89370400440532013000","amount":250.00,"subject":"rent"}`

// call is a request of alice's agent.
func call(change func(*approval.Request)) approval.Request {
	r := approval.Request{
		Principal: agent, Conversation: "c1", Tool: "send_money", Effect: "external", Arguments: payment,
		Rules:      []string{"untrusted-argument"},
		Provenance: []ringwall.ArgumentUse{{Path: "/recipient", Sensitive: true, Source: ringwall.SourceUntrusted, From: "turn 3, read_mail"}, {Path: "/amount", Source: ringwall.SourceUser}},
		Exchange:   "x1",
	}
	if change != nil {
		change(&r)
	}
	if r.Digest == "" {
		r.Digest = toolcall.Digest(ringwall.ToolCall{Name: r.Tool, Arguments: r.Arguments})
	}
	return r
}

func ask(t testing.TB, s *approval.Store, r approval.Request, want approval.State) approval.Approval {
	t.Helper()
	a, err := s.Ask(t.Context(), r)
	if err != nil || a.State != want {
		t.Fatalf("Ask = %v (%s), %v; want %v", a.State, a.Reason, err, want)
	}
	return a
}

// approve reads, thinks and approves.
func (w *world) approve(t testing.TB, s *approval.Store, id string, by approval.Approver, typed string) (approval.Approval, error) {
	t.Helper()
	seen, err := s.Look(t.Context(), id, by)
	if err != nil {
		t.Fatalf("Look: %v", err)
	}
	w.clock.move(3 * time.Second)
	return s.Approve(t.Context(), id, approval.Decision{By: by, Token: seen.Token, Typed: typed})
}

func (w *world) approved(t testing.TB, r approval.Request, by approval.Approver, typed string) approval.Approval {
	t.Helper()
	a := ask(t, w.here, r, approval.Pending)
	a, err := w.approve(t, w.there, a.ID, by, typed)
	if err != nil || a.State != approval.Approved {
		t.Fatalf("Approve = %v, %v", a.State, err)
	}
	return a
}

func use(t testing.TB, s *approval.Store, r approval.Request, want bool) {
	t.Helper()
	if _, ok, err := s.Use(t.Context(), r); err != nil || ok != want {
		t.Fatalf("Use = %v, %v; want %v", ok, err, want)
	}
}
