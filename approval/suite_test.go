package approval_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
)

func TestTheWayOfAnApproval(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := call(nil)
		use(t, w.here, r, false)
		a := ask(t, w.here, r, approval.Pending)
		if b := ask(t, w.there, r, approval.Pending); b.ID != a.ID {
			t.Errorf("asked twice: %s and %s", a.ID, b.ID)
		}
		use(t, w.there, r, false)
		seen, err := w.there.Look(t.Context(), a.ID, alice)
		if err != nil || seen.May != nil || seen.Arguments != payment || len(seen.Provenance) != 2 || seen.Token == "" || seen.Rules[0] != "untrusted-argument" || len(seen.First) != 1 {
			t.Fatalf("Look = %+v, %v", seen, err)
		}
		if a, err = w.approve(t, w.there, a.ID, alice, "250.00"); err != nil || a.State != approval.Approved || len(a.Votes) != 1 || a.Votes[0].Thought != 3*time.Second {
			t.Fatalf("Approve = %+v, %v", a, err)
		}
		if b := ask(t, w.here, r, approval.Approved); b.ID != a.ID {
			t.Errorf("asked again: %s", b.ID)
		}
		use(t, w.here, r, true)
		use(t, w.there, r, false)
		if seen, err = w.here.Look(t.Context(), a.ID, alice); err != nil || seen.State != approval.Used || !seen.Sealed || seen.Arguments != "" {
			t.Errorf("afterwards: %+v, %v", seen, err)
		}
		b := ask(t, w.here, r, approval.Pending)
		if b.ID == a.ID {
			t.Error("an approval is used for more than one call")
		}
		if seen, err = w.here.Look(t.Context(), b.ID, alice); err != nil || len(seen.First) != 0 {
			t.Errorf("the recipient is not known: %v, %v", seen.First, err)
		}
		if got := w.kinds(t); got != "approval-asked approval-approved approval-used approval-asked" {
			t.Errorf("records: %s", got)
		}
		ev := w.events[1]
		if ev.Principal.ID != "u_alice" || ev.Principal.Via != "session" || ev.ID != a.ID || ev.Tools[0].Digest != r.Digest || ev.Tools[0].Rule != "untrusted-argument" || strings.Contains(fmt.Sprint(ev), "DE89") {
			t.Errorf("record %+v", ev)
		}
	})
}

func TestAnApprovalIsForOneThingAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approved(t, call(nil), alice, "250.00")
		for name, change := range map[string]func(*approval.Request){
			"other arguments":       func(r *approval.Request) { r.Arguments = strings.Replace(payment, "250.00", "250.01", 1) },
			"a space more":          func(r *approval.Request) { r.Arguments = payment + " " },
			"another tool":          func(r *approval.Request) { r.Tool = "send_money2" },
			"another conversation":  func(r *approval.Request) { r.Conversation = "c2" },
			"no conversation":       func(r *approval.Request) { r.Conversation = "" },
			"another principal":     func(r *approval.Request) { r.Principal.ID = "u_bob" },
			"another tenant":        func(r *approval.Request) { r.Principal.Tenant = "other" },
			"another kind":          func(r *approval.Request) { r.Kind = approval.Deed },
			"parts that run across": func(r *approval.Request) { r.Principal.ID, r.Conversation = "u_alicec", "1" },
		} {
			if _, ok, err := w.there.Use(t.Context(), call(change)); ok || err != nil {
				t.Errorf("%s: used, %v", name, err)
			}
		}
		use(t, w.there, call(nil), true)
	})
}

// Of a hundred who use an approval at once, on two gateways, one is told so.
func TestUsedExactlyOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := call(nil)
		for range 3 {
			w.approved(t, r, alice, "250.00")
			var used atomic.Int64
			var wg sync.WaitGroup
			for i := range 100 {
				wg.Go(func() {
					s := w.here
					if i%2 == 1 {
						s = w.there
					}
					_, ok, err := s.Use(t.Context(), r)
					if err != nil {
						t.Error(err)
					}
					if ok {
						used.Add(1)
					}
				})
			}
			wg.Wait()
			if used.Load() != 1 {
				t.Fatalf("used %d times", used.Load())
			}
		}
	})
}

// Of a hundred who ask for the same at once, all get the same; of those who ask for
// different things no more wait than may.
func TestAskedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := sync.Map{}
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				s, r := w.here, call(nil)
				if i%2 == 1 {
					s = w.there
				}
				a, err := s.Ask(t.Context(), r)
				if err != nil || a.State != approval.Pending {
					t.Errorf("%v, %v", a.State, err)
				}
				ids.Store(a.ID, true)
			})
		}
		wg.Wait()
		n := 0
		ids.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Fatalf("%d approvals of one call", n)
		}
		var pending atomic.Int64
		for i := range 30 {
			wg.Go(func() {
				a, err := w.here.Ask(t.Context(), call(func(r *approval.Request) { r.Arguments = fmt.Sprintf(`{"n":%d}`, i) }))
				switch {
				case err != nil:
					t.Error(err)
				case a.State == approval.Pending:
					pending.Add(1)
				case a.State != approval.Denied || a.ID != "" || a.Reason != "too-many-pending":
					t.Errorf("%+v", a)
				}
			})
		}
		wg.Wait()
		if pending.Load() != 2 {
			t.Errorf("%d more wait, want 2", pending.Load())
		}
	})
}

func TestWhoMay(t *testing.T) {
	key := func(id, tenant, key string, trust ringwall.Trust, scopes ...string) approval.Approver {
		return approval.Approver{Principal: ringwall.Principal{ID: id, Tenant: tenant, Trust: trust, Via: "key", Key: key, Scopes: scopes}}
	}
	token := func(key string, scopes ...string) approval.Approver {
		return approval.Approver{Principal: ringwall.Principal{ID: "u_alice", Tenant: "acme", Trust: ringwall.Customer, Via: "token", Key: key, Scopes: scopes}}
	}
	second := approval.Need{By: approval.BySecond, Count: 1}
	user := approval.Need{By: approval.ByUser, Count: 1}
	role := approval.Need{By: approval.ByRole, Roles: []string{"finance", "risk"}, Count: 1}
	change := func(a approval.Approver, f func(*approval.Approver)) approval.Approver { f(&a); return a }
	for _, tt := range []struct {
		name string
		need approval.Need
		by   approval.Approver
		want error // nil: may; ErrNotFound: does not see it; ErrNotYours: sees it
	}{
		{"the user in a browser", user, alice, nil},
		{"the token of the agent", user, token("t_agent"), approval.ErrNotYours},
		{"the token of the agent with the scope", user, token("t_agent", "approve"), approval.ErrNotYours},
		{"another token of the user without the scope", user, token("t_phone"), approval.ErrNotYours},
		{"another token of the user with the scope", user, token("t_phone", "approve"), nil},
		{"another token with other scopes", user, token("t_phone", "ask-model"), approval.ErrNotYours},
		{"the scope for other routes", user, token("t_phone", "approve", "route:/v1/*"), approval.ErrNotYours},
		{"a token without an id", user, token("", "approve"), approval.ErrNotYours},
		{"a session that is no browser's", user, change(alice, func(a *approval.Approver) { a.Browser = false }), approval.ErrNotYours},
		{"another person", user, bob, approval.ErrNotFound},
		{"who may stand in", user, change(carol, func(a *approval.Approver) { a.Roles = []string{"deputy"} }), nil},
		{"who may stand in elsewhere", user, change(carol, func(a *approval.Approver) { a.Roles, a.Tenant = []string{"deputy"}, "other" }), approval.ErrNotFound},
		{"who sits at the machine", user, approval.Machine("root"), nil},
		{"nobody", user, approval.Approver{Browser: true}, approval.ErrNotFound},
		{"somebody anonymous of the same name", user, change(alice, func(a *approval.Approver) { a.Trust = ringwall.Anonymous }), approval.ErrNotYours},

		{"a second person", second, bob, nil},
		{"the user as a second person", second, alice, approval.ErrNotYours},
		{"the user by another key", second, key("u_alice", "acme", "rw_other", ringwall.Staff, "approve"), approval.ErrNotYours},
		{"another name for the same key", second, change(bob, func(a *approval.Approver) { a.Key = "t_agent" }), approval.ErrNotFound},
		{"another agent", second, key("u_bot", "acme", "rw_bot", ringwall.Staff), approval.ErrNotFound},
		{"a second person by a key with the scope", second, key("u_bob", "acme", "rw_bob", ringwall.Staff, "approve"), nil},
		{"somebody of too little trust", second, change(bob, func(a *approval.Approver) { a.Trust = ringwall.Customer }), approval.ErrNotFound},
		{"somebody of another tenant", second, change(bob, func(a *approval.Approver) { a.Tenant = "other" }), approval.ErrNotFound},
		{"somebody of no tenant", second, change(bob, func(a *approval.Approver) { a.Tenant = "" }), approval.ErrNotFound},
		{"the user's name in another tenant", second, key("u_alice", "", "rw_op", ringwall.Operator, "approve"), approval.ErrNotFound},
		{"an operator of all tenants", second, key("op", "", "rw_op", ringwall.Operator, "approve"), nil},
		{"an operator of all tenants without the scope", second, key("op", "", "rw_op", ringwall.Operator), approval.ErrNotFound},
		{"an operator of another tenant", second, key("op", "other", "rw_op", ringwall.Operator, "approve"), approval.ErrNotFound},

		{"somebody of the role", role, carol, nil},
		{"somebody without it", role, bob, approval.ErrNotFound},
		{"an operator of all tenants without it", role, key("op", "", "rw_op", ringwall.Operator, "approve"), approval.ErrNotFound},
		{"the user who has the role", role, change(alice, func(a *approval.Approver) { a.Roles = []string{"finance"} }), approval.ErrNotYours},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, t.TempDir()+"/a.db", approval.Rules{StandIn: []string{"deputy"}})
			a := ask(t, w.here, call(func(r *approval.Request) { r.Need = tt.need }), approval.Pending)
			seen, err := w.here.Look(t.Context(), a.ID, tt.by)
			if errors.Is(tt.want, approval.ErrNotFound) {
				if !errors.Is(err, approval.ErrNotFound) {
					t.Errorf("Look = %v", err)
				}
			} else if err != nil || !errors.Is(seen.May, tt.want) || (seen.Token == "") != (tt.want != nil) {
				t.Errorf("Look = %v, %v, token %q", seen.May, err, seen.Token)
			}
			// A token that somebody who may was given is of no use to others.
			token := seen.Token
			if token == "" {
				other, err := w.here.Look(t.Context(), a.ID, approval.Machine("root"))
				if err != nil {
					t.Fatal(err)
				}
				token = other.Token
			}
			w.clock.move(5 * time.Second)
			got, err := w.here.Approve(t.Context(), a.ID, approval.Decision{By: tt.by, Token: token, Typed: "250.00"})
			if !errors.Is(err, tt.want) || (got.State == approval.Approved) != (tt.want == nil) {
				t.Errorf("Approve = %v, %v; want %v", got.State, err, tt.want)
			}
			use(t, w.here, call(nil), tt.want == nil)
		})
	}
}

// A key is a principal of its own: a second person speaks for whoever holds it, and no
// other key of its line does.
func TestWhoMayForAProgram(t *testing.T) {
	w := newWorld(t, t.TempDir()+"/a.db", approval.Rules{})
	r := call(func(r *approval.Request) {
		r.Principal = ringwall.Principal{ID: "rw_bot", Tenant: "acme", Trust: ringwall.Customer, Via: "key", Key: "rw_bot"}
	})
	a := ask(t, w.here, r, approval.Pending)
	rotated := approval.Approver{Principal: ringwall.Principal{ID: "rw_bot", Tenant: "acme", Trust: ringwall.Staff, Via: "key", Key: "rw_bot2", Scopes: []string{"ask-model", "approve"}}}
	if seen, err := w.here.Look(t.Context(), a.ID, rotated); err != nil || seen.May == nil || seen.Token != "" {
		t.Errorf("another key of the line: %+v, %v", seen.May, err)
	}
	if _, err := w.here.Look(t.Context(), a.ID, alice); !errors.Is(err, approval.ErrNotFound) {
		t.Errorf("somebody of too little trust: %v", err)
	}
	if a, err := w.approve(t, w.here, a.ID, bob, "250.00"); err != nil || a.State != approval.Approved {
		t.Errorf("a second person: %v, %v", a.State, err)
	}
	use(t, w.there, r, true)
}

func TestSeveralPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := call(func(r *approval.Request) { r.Need = approval.Need{By: approval.BySecond, Count: 2} })
		a := ask(t, w.here, r, approval.Pending)
		if a, err := w.approve(t, w.here, a.ID, bob, "250.00"); err != nil || a.State != approval.Pending || a.Left() != 1 {
			t.Fatalf("one of two: %v, %v", a.State, err)
		}
		if _, err := w.approve(t, w.there, a.ID, bob, "250.00"); !errors.Is(err, approval.ErrTwice) {
			t.Errorf("the same person twice: %v", err)
		}
		use(t, w.here, r, false)
		if a, err := w.approve(t, w.there, a.ID, carol, "250.00"); err != nil || a.State != approval.Approved {
			t.Fatalf("two of two: %v, %v", a.State, err)
		}
		// Who approved may think better of it, as long as it is not used.
		if a, err := w.here.Deny(t.Context(), a.ID, approval.Decision{By: bob, Reason: "wrong account"}); err != nil || a.State != approval.Denied || a.Reason != "wrong account" {
			t.Errorf("Deny = %+v, %v", a, err)
		}
		use(t, w.here, r, false)
		if b := ask(t, w.there, r, approval.Denied); b.ID != a.ID || b.Reason != "wrong account" {
			t.Errorf("asked again after it was denied: %+v", b)
		}
		if _, err := w.here.Approve(t.Context(), a.ID, approval.Decision{By: carol}); !errors.Is(err, approval.ErrDone) {
			t.Errorf("approving what is denied: %v", err)
		}
		if _, err := w.here.Deny(t.Context(), a.ID, approval.Decision{By: carol}); !errors.Is(err, approval.ErrDone) {
			t.Errorf("denying it again: %v", err)
		}
		w.clock.move(16 * time.Minute)
		ask(t, w.there, r, approval.Pending)
	})
}

// Many approve, deny and use at once: what was denied is never used afterwards.
func TestDenialsAndUsesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 10 {
			r := call(func(r *approval.Request) { r.Conversation = fmt.Sprint("c", i) })
			a := w.approved(t, r, approval.Machine(fmt.Sprint("m", i)), "250.00")
			var used, denied atomic.Int64
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if _, ok, err := w.here.Use(t.Context(), r); err != nil {
						t.Error(err)
					} else if ok {
						used.Add(1)
					}
				})
				wg.Go(func() {
					if _, err := w.there.Deny(t.Context(), a.ID, approval.Decision{By: alice}); err == nil {
						denied.Add(1)
					} else if !errors.Is(err, approval.ErrDone) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if used.Load()+denied.Load() != 1 {
				t.Fatalf("used %d times, denied %d times", used.Load(), denied.Load())
			}
		}
	})
}

func TestTimeIsUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := call(nil)
		a := ask(t, w.here, r, approval.Pending)
		seen, err := w.here.Look(t.Context(), a.ID, alice)
		if err != nil {
			t.Fatal(err)
		}
		w.clock.move(10 * time.Minute)
		if _, err := w.here.Approve(t.Context(), a.ID, approval.Decision{By: alice, Token: seen.Token, Typed: "250.00"}); !errors.Is(err, approval.ErrDone) {
			t.Errorf("approving what has expired: %v", err)
		}
		if got, err := w.there.Get(t.Context(), a.ID); err != nil || got.State != approval.Expired {
			t.Errorf("%v, %v", got.State, err)
		}
		use(t, w.here, r, false)
		// It can be asked for again, with or without somebody who sweeps.
		b := ask(t, w.there, r, approval.Pending)
		if b.ID == a.ID {
			t.Error("the old one is back")
		}
		if _, err := w.approve(t, w.here, b.ID, alice, "250.00"); err != nil {
			t.Fatal(err)
		}
		w.clock.move(5 * time.Minute)
		use(t, w.here, r, false)
		if err := w.here.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.there.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.kinds(t); got != "approval-asked approval-expired approval-asked approval-approved approval-expired" {
			t.Errorf("records: %s", got)
		}
	})
}

// What nobody can read is denied.
func TestUnknownStatesAreDenied(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, change := range map[string]string{
			"a state":   "UPDATE approval_requests SET state = 'APPROVED'",
			"who":       "UPDATE approval_requests SET need = '{}'",
			"the rules": "UPDATE approval_requests SET rules = 'x'",
		} {
			r := call(func(r *approval.Request) { r.Conversation = name })
			a := ask(t, w.here, r, approval.Pending)
			if _, err := w.db.Exec(t.Context(), change+" WHERE id = ?", a.ID); err != nil {
				t.Fatal(err)
			}
			if got, err := w.here.Get(t.Context(), a.ID); err != nil || got.State != approval.Denied {
				t.Errorf("%s: %v, %v", name, got.State, err)
			}
			use(t, w.here, r, false)
			if _, err := w.here.Approve(t.Context(), a.ID, approval.Decision{By: alice}); !errors.Is(err, approval.ErrDone) && !errors.Is(err, approval.ErrNotFound) && !errors.Is(err, approval.ErrNotYours) {
				t.Errorf("%s: %v", name, err)
			}
		}
		a := ask(t, w.here, call(nil), approval.Pending)
		if _, err := w.db.Exec(t.Context(), "UPDATE approval_requests SET digest = 'ab' WHERE id = ?", a.ID); err != nil {
			t.Fatal(err)
		}
		seen, err := w.here.Look(t.Context(), a.ID, alice)
		if err != nil || seen.Bad == nil || seen.Token != "" || seen.Arguments != "" {
			t.Errorf("another digest than that of the arguments: %+v, %v", seen, err)
		}
	})
}

func TestWhatCannotBeAskedFor(t *testing.T) {
	w := newWorld(t, t.TempDir()+"/a.db", approval.Rules{})
	for name, change := range map[string]func(*approval.Request){
		"nobody":             func(r *approval.Request) { r.Principal = ringwall.Principal{} },
		"another digest":     func(r *approval.Request) { r.Digest = strings.Repeat("0", 64) },
		"no tool":            func(r *approval.Request) { r.Tool = "" },
		"an unknown kind":    func(r *approval.Request) { r.Kind = "wish" },
		"a long name":        func(r *approval.Request) { r.Conversation = strings.Repeat("c", 513) },
		"an unknown need":    func(r *approval.Request) { r.Need = approval.Need{By: "anybody", Count: 1} },
		"nobody who has to":  func(r *approval.Request) { r.Need = approval.Need{By: approval.BySecond} },
		"a role without one": func(r *approval.Request) { r.Need = approval.Need{By: approval.ByRole, Count: 1} },
	} {
		if a, err := w.here.Ask(t.Context(), call(change)); err == nil || a.State != approval.Denied {
			t.Errorf("%s: %v, %v", name, a.State, err)
		}
	}
	ask(t, w.here, call(func(r *approval.Request) { r.Arguments = `"` + strings.Repeat("x", 256<<10) + `"` }), approval.Denied)
	ask(t, w.here, call(func(r *approval.Request) { r.Expires = w.clock.Now() }), approval.Denied)
	for i := range 60 {
		a, err := w.here.Ask(t.Context(), call(func(r *approval.Request) { r.Conversation = fmt.Sprint(i) }))
		if err != nil {
			t.Fatal(err)
		}
		if i >= 20 && a.Reason != "too-many-pending" {
			t.Fatalf("the %dth waits", i)
		}
	}
}

func TestDatabaseAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := call(nil)
		a := w.approved(t, r, alice, "250.00")
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := w.here.Use(t.Context(), r); ok || err == nil {
			t.Errorf("Use = %v, %v", ok, err)
		}
		if a, err := w.here.Ask(t.Context(), r); err == nil || a.State != approval.Denied {
			t.Errorf("Ask = %v, %v", a.State, err)
		}
		if a, err := w.here.Get(t.Context(), a.ID); err == nil || a.State != approval.Denied {
			t.Errorf("Get = %v, %v", a.State, err)
		}
		use(t, w.there, r, true)
	})
}
