package session_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/auth/session"
)

var ctx = context.Background()

func TestSessionProvesItsPrincipal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, s := w.begin(t, nil)
		want := w.proof(nil).Principal
		want.Key = s.ID
		if !reflect.DeepEqual(s.Principal, want) {
			t.Errorf("begun for %+v, want %+v", s.Principal, want)
		}
		for name, store := range map[string]*session.Store{"here": w.here, "in another process": w.there} {
			got := accepted(t, store, text)
			if !got.Proved.Equal(want.Proved) {
				t.Errorf("%s: proved %v", name, got.Proved)
			}
			got.Proved = want.Proved
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
		}
		if !strings.HasPrefix(text, auth.SessionMark) || len(text) != 52 || strings.Contains(text, s.ID[2:]) {
			t.Errorf("text %d bytes", len(text))
		}
		again, _ := w.begin(t, nil)
		if again == text {
			t.Error("two sessions are one")
		}
	})
}

func TestTextsThatNobodyGaveOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := w.begin(t, nil)
		flip := func(i int) string {
			b := []byte(text)
			b[i] ^= 1
			return string(b)
		}
		for name, bad := range map[string]string{
			"empty": "", "the mark": "rws_", "cut": text[:len(text)-1], "longer": text + "A", "another secret": flip(10), "another tag": flip(len(text) - 2),
			"in capitals": strings.ToUpper(text), "without the mark": "rwx_" + text[4:], "zeros": "rws_" + strings.Repeat("A", 48),
		} {
			t.Run(name, func(t *testing.T) { refused(t, w.here, bad, "no session of ours") })
		}
		accepted(t, w.here, text)
	})
}

func TestSessionsEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		used, _ := w.begin(t, nil)
		left, _ := w.begin(t, nil)
		for range 6 {
			w.clock.move(9 * time.Minute)
			accepted(t, w.here, used)
			refresh(t, w.here)
		}
		refused(t, w.here, left, "not used since")
		w.clock.move(6 * time.Minute) // an hour
		refused(t, w.here, used, "expired at")
	})
}

// A session that is used in one process is not idle in another.
func TestIdleIsOfAllProcesses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := w.begin(t, nil)
		accepted(t, w.there, text)
		w.clock.move(8 * time.Minute)
		accepted(t, w.here, text)
		run, stop := context.WithCancel(ctx)
		stop()
		if err := w.here.Run(run); err != nil { // writes when they were used
			t.Fatal(err)
		}
		w.clock.move(8 * time.Minute)
		refresh(t, w.there)
		accepted(t, w.there, text)
		w.clock.move(11 * time.Minute)
		refresh(t, w.there)
		refused(t, w.there, text, "not used since")
	})
}

func TestRevoked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, s := w.begin(t, nil)
		alice2, s2 := w.begin(t, func(p *auth.Proof) { p.Session = "op-2" })
		bob, sb := w.begin(t, func(p *auth.Proof) { p.Principal.ID, p.Session = "u_bob", "op-3" })
		carol, _ := w.begin(t, func(p *auth.Proof) { p.Principal.ID, p.Principal.Tenant, p.Session = "u_carol", "other", "op-4" })
		all := []string{alice, alice2, bob, carol}
		revoke := func(by *session.Store, which session.Which, want int) {
			t.Helper()
			ended, err := by.Revoke(ctx, which, "a test")
			if err != nil || len(ended) != want {
				t.Fatalf("%d ended, %v; want %d", len(ended), err, want)
			}
		}
		for _, text := range all {
			accepted(t, w.here, text)
			accepted(t, w.there, text)
		}
		revoke(w.here, session.Which{ID: s.ID}, 1)
		refused(t, w.here, alice, "revoked at") // at once
		accepted(t, w.there, alice)             // which has not looked yet
		refresh(t, w.there)
		refused(t, w.there, alice, "a test")
		accepted(t, w.there, alice2)
		revoke(w.here, session.Which{ID: s.ID}, 0) // again

		revoke(w.there, session.Which{Issuer: "main", SID: "op-2"}, 1)
		refresh(t, w.here)
		refused(t, w.here, alice2, "revoked")
		revoke(w.there, session.Which{Tenant: "acme"}, 1) // bob is left of it
		refresh(t, w.here)
		refused(t, w.here, bob, "revoked")
		accepted(t, w.here, carol)
		revoke(w.there, session.Which{Principal: "u_carol"}, 1)
		refused(t, w.there, carol, "revoked")
		refresh(t, w.here)
		refused(t, w.here, carol, "revoked")

		if len(w.told) != 4 || w.told[0] != s.ID || w.told[1] != s2.ID || w.told[2] != sb.ID {
			t.Errorf("told of %v", w.told)
		}
		if _, err := w.here.Revoke(ctx, session.Which{ID: "s_nobody"}, ""); !errors.Is(err, session.ErrNoSuchSession) {
			t.Errorf("a session that is not there: %v", err)
		}
		for _, bad := range []session.Which{{}, {ID: "a", Tenant: "b"}, {SID: "x"}, {Issuer: "main"}} {
			if _, err := w.here.Revoke(ctx, bad, ""); err == nil {
				t.Errorf("%+v is taken", bad)
			}
		}
	})
}

// Who was revoked is so for what issuers signed until then, too, and may log in anew.
func TestWhatWasIssuedBeforeIsVoid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.proof(nil).Principal
		before := w.clock.Now()
		old := w.proof(nil)
		if w.here.Void(p, before) {
			t.Error("void although nobody revoked")
		}
		w.clock.move(time.Second)
		if _, err := w.here.Revoke(ctx, session.Which{Principal: p.ID}, ""); err != nil {
			t.Fatal(err)
		}
		refresh(t, w.there)
		for name, s := range map[string]*session.Store{"here": w.here, "there": w.there} {
			if !s.Void(p, before) || !s.Void(p, time.Time{}) || s.Void(p, w.clock.Now().Add(time.Second)) || s.Void(ringwall.Principal{ID: "u_bob"}, before) {
				t.Errorf("%s: what is void is not what was issued before", name)
			}
		}
		if _, _, err := w.here.Begin(ctx, old); !errors.Is(err, session.ErrVoid) {
			t.Errorf("a login from before: %v", err)
		}
		w.clock.move(time.Second)
		text, _ := w.begin(t, nil)
		accepted(t, w.there, text)
		if _, err := w.here.Revoke(ctx, session.Which{Tenant: "acme"}, ""); err != nil {
			t.Fatal(err)
		}
		if !w.here.Void(ringwall.Principal{ID: "u_bob", Tenant: "acme"}, before) || w.here.Void(ringwall.Principal{ID: "u_bob"}, before) {
			t.Error("a tenant is not revoked, or nobody's is")
		}
	})
}

func TestTrustFallsAndNeverRises(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, s := w.begin(t, nil)
		accepted(t, w.there, text)
		lower := func(to, want ringwall.Trust) {
			t.Helper()
			if err := w.here.Lower(ctx, s.ID, to); err != nil {
				t.Fatal(err)
			}
			refresh(t, w.there)
			if a, b := accepted(t, w.here, text).Trust, accepted(t, w.there, text).Trust; a != want || b != want {
				t.Errorf("trust %v and %v, want %v", a, b, want)
			}
		}
		lower(ringwall.Operator, ringwall.Staff)
		lower(ringwall.Customer, ringwall.Customer)
		lower(ringwall.Staff, ringwall.Customer)
		fresh, rotated, err := w.here.Rotate(ctx, text)
		if err != nil || rotated.Principal.Trust != ringwall.Customer || accepted(t, w.there, fresh).Trust != ringwall.Customer {
			t.Errorf("rotation raised trust: %+v, %v", rotated, err)
		}
		if err := w.here.Lower(ctx, rotated.ID, ringwall.Anonymous); err != nil {
			t.Fatal(err)
		}
		refused(t, w.here, fresh, "trust is gone")
		if err := w.here.Lower(ctx, "s_nobody", ringwall.Verified); !errors.Is(err, session.ErrNoSuchSession) {
			t.Errorf("a session that is not there: %v", err)
		}
	})
}

func TestRotation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, s := w.begin(t, nil)
		accepted(t, w.there, text)
		w.clock.move(time.Minute)
		next, fresh, err := w.here.Rotate(ctx, text)
		if err != nil {
			t.Fatal(err)
		}
		if fresh.ID == s.ID || !fresh.Expires.Equal(s.Expires) {
			t.Errorf("%+v of %+v", fresh, s)
		}
		refused(t, w.here, text, "rotated")
		refresh(t, w.there)
		refused(t, w.there, text, "rotated")
		if p := accepted(t, w.there, next); p.Key != fresh.ID || p.ID != "u_alice" {
			t.Errorf("%+v", p)
		}
		if _, _, err := w.here.Rotate(ctx, text); !errors.Is(err, ringwall.ErrUnauthenticated) {
			t.Errorf("an old text is rotated: %v", err)
		}
		if err := w.here.End(ctx, next, "logged in anew"); err != nil {
			t.Fatal(err)
		}
		refused(t, w.here, next, "logged in anew")
		if err := errors.Join(w.here.End(ctx, next, ""), w.here.End(ctx, "", ""), w.here.End(ctx, "rws_x", "")); err != nil {
			t.Errorf("nothing to replace: %v", err)
		}
	})
}

func TestOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		until := w.clock.Now().Add(time.Minute)
		if err := w.here.Once(ctx, "state", until); err != nil {
			t.Fatal(err)
		}
		if err := w.there.Once(ctx, "state", until); !errors.Is(err, session.ErrUsed) {
			t.Errorf("twice: %v", err)
		}
		if err := w.there.Once(ctx, "other", until); err != nil {
			t.Error(err)
		}
		w.clock.move(time.Minute)
		if err := w.here.Once(ctx, "late", until); !errors.Is(err, session.ErrUsed) {
			t.Errorf("too late: %v", err)
		}
		if w.here.Key("a") != w.there.Key("a") || w.here.Key("a") == w.here.Key("b") {
			t.Error("keys are not shared, or not apart")
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.begin(t, nil)
		w.clock.move(time.Second)
		_, bob := w.begin(t, func(p *auth.Proof) { p.Principal.ID = "u_bob" })
		all, err := w.there.List(ctx, session.Which{})
		if err != nil || len(all) != 2 || all[0].ID != bob.ID || w.here.Limits().State(&all[0], w.clock.Now()) != "valid" {
			t.Errorf("%+v, %v", all, err)
		}
		some, err := w.there.List(ctx, session.Which{Principal: "u_alice"})
		if err != nil || len(some) != 1 || some[0].Issuer != "main" || some[0].Principal.ACR != "mfa" {
			t.Errorf("%+v, %v", some, err)
		}
		w.clock.move(10 * time.Minute)
		if got := w.here.Limits().State(&all[0], w.clock.Now()); got != "idle" {
			t.Error(got)
		}
		w.clock.move(time.Hour)
		if got := w.here.Limits().State(&all[0], w.clock.Now()); got != "expired" {
			t.Error(got)
		}
	})
}

// A database that is away: known sessions work for a while, unknown ones do not.
func TestDatabaseAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		known, _ := w.begin(t, nil)
		unknown, _ := w.begin(t, nil)
		accepted(t, w.here, known)
		if err := w.hereDB.Close(); err != nil {
			t.Fatal(err)
		}
		accepted(t, w.here, known)
		refused(t, w.here, unknown, "could not be asked")
		w.clock.move(9 * time.Minute)
		accepted(t, w.here, known)
		w.clock.move(2 * time.Minute)
		refused(t, w.here, known, "could not be asked for")
		if err := w.here.Refresh(ctx); err == nil {
			t.Error("no error of a database that is away")
		}
	})
}

func TestNobodyGetsASession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, change := range []func(*auth.Proof){
			func(p *auth.Proof) { p.Principal.ID = "" },
			func(p *auth.Proof) { p.Principal.Trust = ringwall.Anonymous },
		} {
			if text, _, err := w.here.Begin(ctx, w.proof(change)); err == nil || text != "" {
				t.Errorf("a session of nobody: %v", err)
			}
		}
	})
}

func TestTheDatabaseHoldsNoText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := w.begin(t, nil)
		if !strings.HasPrefix(w.dsn, "/") {
			return // a server's files are its own
		}
		for _, name := range []string{w.dsn, w.dsn + "-wal"} {
			b, err := os.ReadFile(name)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if strings.Contains(string(b), text[4:36]) {
				t.Errorf("%s holds the text", name)
			}
		}
	})
}

// What one process revokes while others load and use sessions is revoked for good.
func TestRevocationIsNotLostSideBySide(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 20 {
			text, s := w.begin(t, nil)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 5 {
					_, _ = w.there.Authenticate(ctx, text) // either is right until it is revoked
				}
			}()
			if _, err := w.here.Revoke(ctx, session.Which{ID: s.ID}, "race"); err != nil {
				t.Fatal(err)
			}
			refused(t, w.here, text, "race")
			<-done
			refresh(t, w.there)
			refused(t, w.there, text, "race")
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	w := &world{dsn: b.TempDir() + "/s.db", clock: &clock{now: time.Now()}, log: new(bytes.Buffer)}
	w.here, w.hereDB = w.open(b, nil)
	text, _ := w.begin(b, nil)
	accepted(b, w.here, text)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.here.Authenticate(ctx, text); err != nil {
			b.Fatal(err)
		}
	}
}
