package approval_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
)

// Nobody approves faster than one can read, nor without having read.
func TestReadFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := ask(t, w.here, call(nil), approval.Pending)
		other := ask(t, w.here, call(func(r *approval.Request) { r.Conversation = "c2" }), approval.Pending)
		seen, err := w.here.Look(t.Context(), a.ID, alice)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere, err := w.here.Look(t.Context(), other.ID, alice)
		if err != nil {
			t.Fatal(err)
		}
		approve := func(token string) error {
			_, err := w.there.Approve(t.Context(), a.ID, approval.Decision{By: alice, Token: token, Typed: "250.00"})
			return err
		}
		w.clock.move(1999 * time.Millisecond)
		for name, token := range map[string]string{
			"too fast": seen.Token, "no token": "", "another approval's": elsewhere.Token, "a letter off": "B" + seen.Token[1:], "too long": seen.Token + "A",
		} {
			if err := approve(token); !errors.Is(err, approval.ErrUnread) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.clock.move(time.Millisecond)
		if _, err := w.there.Approve(t.Context(), a.ID, approval.Decision{By: alice, Token: seen.Token, Typed: "250"}); !errors.Is(err, approval.ErrNotTyped) {
			t.Errorf("without typing: %v", err)
		}
		if err := approve(seen.Token); err != nil {
			t.Error(err)
		}
	})
}

// Who approves many in a short time has to pause, and the records say so.
func TestPause(t *testing.T) {
	eachWith(t, approval.Rules{Most: 3, Hourly: 1000, Conversation: 100, Principal: 100}, func(t *testing.T, w *world) {
		next := 0
		approve := func() error {
			next++
			a := ask(t, w.here, call(func(r *approval.Request) { r.Conversation = fmt.Sprint(next) }), approval.Pending)
			_, err := w.approve(t, w.there, a.ID, alice, "250.00")
			return err
		}
		for range 3 {
			if err := approve(); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := approve(); !errors.Is(err, approval.ErrPaused) {
				t.Fatalf("the fourth: %v", err)
			}
		}
		st, err := w.here.Stats(t.Context(), alice)
		if err != nil || st.Approved != 3 || st.Median != 3*time.Second || st.Paused.IsZero() || !strings.Contains(st.String(), "approved 3 of 3") {
			t.Errorf("%+v, %v", st, err)
		}
		if got := strings.Count(w.kinds(t), "approver-paused"); got != 1 {
			t.Errorf("%d records of the pause", got)
		}
		w.clock.move(5 * time.Minute)
		for range 3 {
			if err := approve(); err != nil {
				t.Fatalf("behind the pause: %v", err)
			}
		}
		if err := approve(); !errors.Is(err, approval.ErrPaused) {
			t.Errorf("too many again: %v", err)
		}
	})
}

// One person who approves many at once comes no further than one after the other.
func TestPauseAtOnce(t *testing.T) {
	eachWith(t, approval.Rules{Most: 3, Hourly: 1000, Conversation: 100, Principal: 100}, func(t *testing.T, w *world) {
		var all []approval.Seen
		for i := range 12 {
			a := ask(t, w.here, call(func(r *approval.Request) { r.Conversation = fmt.Sprint(i) }), approval.Pending)
			seen, err := w.here.Look(t.Context(), a.ID, alice)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, seen)
		}
		w.clock.move(3 * time.Second)
		var done atomic.Int64
		var wg sync.WaitGroup
		for i, seen := range all {
			wg.Go(func() {
				s := []*approval.Store{w.here, w.there}[i%2]
				_, err := s.Approve(t.Context(), seen.ID, approval.Decision{By: alice, Token: seen.Token, Typed: "250.00"})
				if err == nil {
					done.Add(1)
				} else if !errors.Is(err, approval.ErrPaused) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if done.Load() != 3 {
			t.Errorf("%d were approved", done.Load())
		}
	})
}

func TestConfirm(t *testing.T) {
	for _, tt := range []struct{ name, tool, effect, arguments, want string }{
		{"reading", "read_mail", "read", `{"amount":1}`, ""},
		{"writing what is one's own", "note", "write", `{"amount":1}`, ""},
		{"an amount", "pay", "external", `{"to":"x","amount":250.00}`, "250.00"},
		{"an amount as text", "pay", "external", `{"order":{"totalPrice":"9,999.00"}}`, "9,999.00"},
		{"an amount of words", "pay", "external", `{"amount":"much"}`, "pay"},
		{"no amount", "send_mail", "external", `{"to":"x"}`, "send_mail"},
		{"destroying", "wipe", "destructive", `{}`, "wipe"},
		{"an effect that nobody knows", "pay", "", `{}`, "pay"},
		{"arguments that are none", "pay", "external", `{`, "pay"},
		{"a name that cannot be typed", "pаy", "external", `{}`, "abcdef01"},
		{"a name with spaces", "pay now", "external", `{}`, "abcdef01"},
	} {
		c := approval.Confirm(&approval.Approval{Request: approval.Request{Tool: tt.tool, Effect: tt.effect, Arguments: tt.arguments, Digest: "abcdef0123"}})
		if c.Text != tt.want || (c.Ask == "") != (tt.want == "") || !c.Typed(" "+tt.want+"\n") || tt.want != "" && (c.Typed("") || c.Typed("yes")) {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 5 {
			r := call(func(r *approval.Request) { r.Conversation = fmt.Sprint(i) })
			if i == 4 {
				r.Principal.Tenant = "other"
			}
			ids = append(ids, ask(t, w.here, r, approval.Pending).ID)
			if i%2 == 0 {
				w.clock.move(time.Second)
			}
		}
		operator := approval.Machine("root")
		var got []string
		for after := ""; ; {
			list, next, err := w.there.List(t.Context(), operator, approval.Filter{After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				got = append(got, a.ID)
				if a.Arguments != "" || !a.Sealed {
					t.Error("the list has arguments")
				}
			}
			if after = next; next == "" {
				break
			}
		}
		slices.Sort(got)
		slices.Sort(ids)
		if !slices.Equal(got, ids) {
			t.Errorf("%v, want %v", got, ids)
		}
		mine, _, err := w.there.List(t.Context(), alice, approval.Filter{})
		if err != nil || len(mine) != 4 {
			t.Errorf("alice sees %d, %v", len(mine), err)
		}
		theirs, _, err := w.there.List(t.Context(), bob, approval.Filter{})
		if err != nil || len(theirs) != 0 {
			t.Errorf("bob sees %d, %v", len(theirs), err)
		}
		auditor := approval.Approver{Principal: ringwall.Principal{ID: "rw_auditor", Trust: ringwall.Operator, Via: "key", Key: "rw_auditor", Scopes: []string{"read-approvals"}}}
		for tenant, want := range map[string]int{"": 5, "acme": 4, "third": 0} {
			by := auditor
			by.Tenant = tenant
			list, _, err := w.there.List(t.Context(), by, approval.Filter{})
			if err != nil || len(list) != want {
				t.Fatalf("an auditor of %q sees %d, %v", tenant, len(list), err)
			}
			if want == 0 {
				continue
			}
			if seen, err := w.there.Look(t.Context(), list[0].ID, by); err != nil || seen.May == nil || seen.Token != "" || seen.Sealed {
				t.Errorf("an auditor sees %+v, %v", seen, err)
			}
			if _, err := w.there.Deny(t.Context(), list[0].ID, approval.Decision{By: by}); !errors.Is(err, approval.ErrNotYours) {
				t.Errorf("an auditor denies: %v", err)
			}
		}
		for state, want := range map[approval.State]int{approval.Pending: 0, approval.Expired: 5, approval.Used: 0} {
			w.clock.move(10 * time.Minute)
			if list, _, err := w.there.List(t.Context(), operator, approval.Filter{State: &state}); err != nil || len(list) != want {
				t.Errorf("%v: %d, %v", state, len(list), err)
			}
		}
		if _, _, err := w.there.List(t.Context(), operator, approval.Filter{After: "1.x"}); !errors.Is(err, approval.ErrCursor) {
			t.Errorf("a cursor that is none: %v", err)
		}
	})
}

// A gateway that waits hears of a decision at once, also of another gateway's.
func TestWait(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, s := range map[string]*approval.Store{"the same gateway": w.here, "another gateway": w.there} {
			r := call(func(r *approval.Request) { r.Conversation = name })
			a := ask(t, w.here, r, approval.Pending)
			got := make(chan approval.Approval, 1)
			go func() {
				a, err := s.Wait(context.WithoutCancel(t.Context()), a.ID, time.Minute)
				if err != nil {
					t.Error(err)
				}
				got <- a
			}()
			if _, err := w.approve(t, w.here, a.ID, alice, "250.00"); err != nil {
				t.Fatal(err)
			}
			select {
			case a := <-got:
				if a.State != approval.Approved {
					t.Errorf("%s: %v", name, a.State)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s waits in vain", name)
			}
		}
	})
}

// Waiting ends with its time, with its context and with what is waited for.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir()+"/a.db", approval.Rules{})
		a := ask(t, w.here, call(nil), approval.Pending)
		begun := time.Now()
		if got, err := w.here.Wait(t.Context(), a.ID, 30*time.Second); err != nil || got.State != approval.Pending || time.Since(begun) != 30*time.Second {
			t.Errorf("%v, %v after %v", got.State, err, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if got, err := w.here.Wait(ctx, a.ID, time.Minute); err == nil || got.State == approval.Approved {
			t.Errorf("%v, %v", got.State, err)
		}
		go func() {
			<-time.After(10 * time.Second)
			w.clock.move(time.Hour)
		}()
		if got, err := w.here.Wait(t.Context(), a.ID, time.Minute); err != nil || got.State != approval.Expired {
			t.Errorf("%v, %v", got.State, err)
		}
		if got, err := w.here.Wait(t.Context(), "ap_nothing", time.Minute); !errors.Is(err, approval.ErrNotFound) || got.State != approval.Denied {
			t.Errorf("%v, %v", got.State, err)
		}
	})
}

// A record that could not be written is written later, and by one gateway alone.
func TestRecordsAreNotLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ask(t, w.here, call(nil), approval.Pending)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for _, s := range []*approval.Store{w.here, w.there} {
					if err := s.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := w.kinds(t); got != "approval-asked" {
			t.Errorf("records: %s", got)
		}
		failing := true
		d := w.db
		s, err := approval.Open(t.Context(), approval.Config{DB: d, Key: [32]byte{1}, Now: w.clock.Now, Record: func(ctx context.Context, ev ringwall.Event) error {
			if failing {
				return errors.New("the disk is full")
			}
			return w.record(ctx, ev)
		}})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, s, call(func(r *approval.Request) { r.Conversation = "c2" }), approval.Pending)
		if err := s.Flush(t.Context()); err == nil {
			t.Error("a record that fails is no error")
		}
		failing = false
		w.clock.move(time.Minute)
		if err := s.Flush(t.Context()); err != nil || w.kinds(t) != "approval-asked approval-asked" {
			t.Errorf("%v, %s", err, w.kinds(t))
		}
	})
}

// What is in the database shows no arguments, and those of what has ended are gone.
func TestArgumentsAreSealed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sealed := func() (n int, text string) {
			if err := w.db.QueryRow(t.Context(), "SELECT count(*), coalesce(max(sealed), '') FROM approval_requests WHERE sealed <> ''").Scan(&n, &text); err != nil {
				t.Fatal(err)
			}
			return n, text
		}
		w.approved(t, call(nil), alice, "250.00")
		if n, text := sealed(); n != 1 || strings.Contains(text, "DE89") {
			t.Errorf("%d, %s", n, text)
		}
		use(t, w.here, call(nil), true)
		if n, _ := sealed(); n != 0 {
			t.Error("arguments outlast their use")
		}
		if err := w.here.Configure(approval.Rules{Show: time.Hour}); err != nil {
			t.Fatal(err)
		}
		a := ask(t, w.here, call(func(r *approval.Request) { r.Conversation = "c2" }), approval.Pending)
		if _, err := w.here.Deny(t.Context(), a.ID, approval.Decision{By: alice}); err != nil {
			t.Fatal(err)
		}
		if v, err := w.here.Look(t.Context(), a.ID, alice); err != nil || v.Arguments != payment {
			t.Errorf("%q, %v", v.Arguments, err)
		}
		w.clock.move(2 * time.Hour)
		if err := w.here.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, _ := sealed(); n != 0 {
			t.Error("arguments outlast the time that they are kept for")
		}
	})
}

func TestRulesCheck(t *testing.T) {
	for name, r := range map[string]approval.Rules{
		"nobody":          {Needs: map[string]approval.Need{"external": {}}},
		"many users":      {Needs: map[string]approval.Need{"external": {By: approval.ByUser, Count: 2}}},
		"roles of nobody": {Needs: map[string]approval.Need{"external": {By: approval.BySecond, Roles: []string{"x"}, Count: 1}}},
		"for ever":        {Pending: 8 * 24 * time.Hour},
		"no time":         {Pause: time.Millisecond},
		"less than none":  {Think: -1},
		"no numbers":      {Most: -1},
	} {
		if err := r.Check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func BenchmarkAskAndUse(b *testing.B) {
	w := newWorld(b, b.TempDir()+"/a.db", approval.Rules{Hourly: 1 << 30, Conversation: 1 << 30, Principal: 1 << 30})
	r := call(nil)
	b.Run("ask again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if a, err := w.here.Ask(b.Context(), r); err != nil || a.State != approval.Pending {
				b.Fatal(a.State, err)
			}
		}
	})
	b.Run("use nothing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := w.here.Use(b.Context(), r); ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}
