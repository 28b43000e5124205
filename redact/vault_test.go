package redact_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/redact"
)

// put has p send a value in the conversation, and returns its placeholder.
func put(tb testing.TB, v *redact.Vault, p ringwall.Principal, id string, f ringwall.Finding, value string) string {
	tb.Helper()
	b := v.Book(p, redact.Named(p, id), open)
	token := b.Token(f, []byte(value))
	if b.Settle(context.Background()) || len(b.Report().Vault) > 0 {
		tb.Fatalf("settled with %s", b.Report())
	}
	return token
}

// read has p send and be sent a text in the conversation.
func read(v *redact.Vault, p ringwall.Principal, id string, policy redact.Policy, text string) (string, string) {
	b := v.Book(p, redact.Named(p, id), policy)
	b.Seen(text)
	b.Settle(context.Background())
	got := b.Restore(text, redact.Plain)
	return got, b.Report().String()
}

func seenBook(tb testing.TB) *redact.Book {
	w := &world{tb: tb, dsn: databases[0].dsn(tb), time: time.Now()}
	return w.open(nil).Book(ann, redact.Named(ann, "c"), open)
}

func TestValuesOutliveTheProcess(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token := put(t, w.open(nil), ann, "c", email, "a@b.org")
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		v, replica := w.open(nil), w.open(nil)
		for _, v := range []*redact.Vault{v, replica} {
			if got, said := read(v, ann, "c", open, "to "+token); got != "to a@b.org" || said != "restored email 1" {
				t.Errorf("read %q, %s", got, said)
			}
			if got := put(t, v, ann, "c", email, "a@b.org"); got != token {
				t.Errorf("%s became %s", token, got)
			}
		}
	})
}

func TestWhoMayReadWhatOthersSent(t *testing.T) {
	staff := redact.Policy{Own: redact.From(ringwall.Anonymous), Others: redact.From(ringwall.Staff)}
	each(t, func(t *testing.T, w *world) {
		v := w.open(nil)
		token := put(t, v, ann, "c", email, "a@b.org")
		forged := "{EMAIL_" + strings.Repeat("0", 12) + "}"
		for _, tt := range []struct {
			name   string
			p      ringwall.Principal
			id     string
			policy redact.Policy
			text   string
			want   string
			said   string
		}{
			{"the sender", ann, "c", open, token, "a@b.org", "restored email 1"},
			{"the sender, where nobody may", ann, "c", redact.Policy{}, token, token, "withheld email 1"},
			{"another of the tenant, by default", bob, "c", open, token, token, "withheld email 1"},
			{"another of the tenant who may", bob, "c", staff, token, "a@b.org", "restored email 1"},
			{"a customer, where staff may", ringwall.Principal{ID: "rw_cid", Tenant: "acme", Trust: ringwall.Customer}, "c", staff, token, token, "withheld email 1"},
			{"another conversation", ann, "d", staff, token, token, ""},
			{"another tenant", eve, "c", staff, token, token, ""},
			{"an anonymous caller of the tenant", ringwall.Principal{Tenant: "acme"}, "c", redact.Policy{Own: staff.Own, Others: staff.Own}, token, token, ""},
			{"what nobody put in", ann, "c", staff, forged, forged, ""},
			{"written another way", ann, "c", open, strings.ToLower(strings.Trim(token, "{}")), "a@b.org", "restored email 1"},
		} {
			if got, said := read(v, tt.p, tt.id, tt.policy, tt.text); got != tt.want || said != tt.said {
				t.Errorf("%s: read %q, %q", tt.name, got, said)
			}
		}
		// Who sends the value knows it, and has it back from then on.
		if got := put(t, v, bob, "c", email, "a@b.org"); got != token {
			t.Errorf("%s became %s", token, got)
		}
		if got, _ := read(v, bob, "c", open, token); got != "a@b.org" {
			t.Errorf("read %q", got)
		}
	})
}

func TestValuesExpire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.open(nil)
		token := put(t, v, ann, "c", email, "a@b.org")
		w.move(20 * time.Hour)
		put(t, v, ann, "c", email, "a@b.org") // sent again, so kept for longer
		put(t, v, ann, "c", phone, "+49 40 5550100")
		w.move(23 * time.Hour)
		if got, said := read(v, ann, "c", open, token); got != "a@b.org" {
			t.Errorf("read %q, %s", got, said)
		}
		w.move(time.Hour + time.Millisecond)
		if got, said := read(v, ann, "c", open, token); got != token || said != "" {
			t.Errorf("read %q, %s after it expired", got, said)
		}
		b := v.Book(ann, redact.Named(ann, "d"), redact.Policy{TTL: time.Minute})
		for i := range 1200 { // more than two batches
			b.Token(email, fmt.Appendf(nil, "%d", i))
		}
		b.Settle(t.Context())
		w.move(time.Minute)
		put(t, v, ann, "e", email, "a@b.org")
		if n, err := v.Expire(t.Context()); n != 1202 || err != nil {
			t.Errorf("%d rows were deleted, %v", n, err)
		}
		if n, err := v.Expire(t.Context()); n != 0 || err != nil {
			t.Errorf("%d rows were deleted, %v", n, err)
		}
	})
}

func TestRunDeletesWhatExpired(t *testing.T) {
	dsn := databases[0].dsn(t)
	synctest.Test(t, func(t *testing.T) {
		d, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		v, err := redact.Open(t.Context(), redact.Config{DB: d, Key: key(t, "7")})
		if err != nil {
			t.Fatal(err)
		}
		put(t, v, ann, "c", email, "a@b.org")
		rows := func() (n int) {
			if err := d.QueryRow(t.Context(), "SELECT count(*) FROM redact_entries").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- v.Run(ctx) }()
		<-time.After(23 * time.Hour)
		synctest.Wait()
		if n := rows(); n != 1 {
			t.Errorf("there are %d rows before it expires", n)
		}
		<-time.After(time.Hour + time.Minute)
		synctest.Wait()
		if n := rows(); n != 0 {
			t.Errorf("there are %d rows after it expired", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestRowsThatWereChangedAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, change := range []string{
			"UPDATE redact_entries SET expires = expires + 1",
			"UPDATE redact_entries SET created = created - 1",
			"UPDATE redact_entries SET reason = 'name'",
			"UPDATE redact_entries SET owner = (SELECT owner FROM redact_entries WHERE reason = 'phone') WHERE reason = 'email'",
			"UPDATE redact_entries SET sealed = (SELECT sealed FROM redact_entries WHERE reason = 'phone') WHERE reason = 'email'",
			"UPDATE redact_entries SET sealed = 'x'",
			"UPDATE redact_entries SET sealed = ''",
			"UPDATE redact_entries SET scope = (SELECT scope FROM redact_entries WHERE reason = 'name')",
		} {
			v := w.open(nil)
			a := put(t, v, ann, "c", email, "a@b.org")
			put(t, v, bob, "c", phone, "+49 40 5550100")
			put(t, v, ann, "d", ringwall.Finding{Reason: "name"}, "Ann")
			if _, err := w.db.Exec(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			all := redact.Policy{Own: redact.From(0), Others: redact.From(0)}
			for _, id := range []string{"c", "d"} {
				for _, p := range []ringwall.Principal{ann, bob} {
					if got, said := read(w.open(nil), p, id, all, a); got != a || !strings.Contains(said, "damaged") && id == "c" && !strings.Contains(change, "scope") {
						t.Errorf("%s: %s read %q in %s, %q", change, p.ID, got, id, said)
					}
				}
			}
			// Who sends the value again puts it right.
			if b := w.open(nil).Book(ann, redact.Named(ann, "c"), open); b.Token(email, []byte("a@b.org")) != a || b.Settle(t.Context()) {
				t.Errorf("%s: the value cannot be put in again", change)
			}
			if _, err := w.db.Exec(t.Context(), "DELETE FROM redact_entries"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRowsTellNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		put(t, w.open(nil), ann, "my-conversation", email, "someone@example.org")
		rows, err := w.db.Query(t.Context(), "SELECT scope, placeholder, owner, reason, sealed FROM redact_entries")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var c [5]string
			if err := rows.Scan(&c[0], &c[1], &c[2], &c[3], &c[4]); err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{"someone", "example", "my-conversation", "rw_ann", "acme"} {
				if strings.Contains(strings.Join(c[:], " "), s) {
					t.Errorf("a row tells %s: %v", s, c)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnotherKeyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.open(nil)
		if _, err := redact.Open(t.Context(), redact.Config{DB: w.db, Key: key(t, "8")}); !errors.Is(err, redact.ErrOtherKey) {
			t.Errorf("Open() = %v", err)
		}
		if _, err := redact.Open(t.Context(), redact.Config{DB: w.db}); err == nil {
			t.Error("no key was taken for one")
		}
		w.open(nil)
	})
}

func TestAConversationIsBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.open(func(c *redact.Config) { c.MaxEntries = 3 })
		a := put(t, v, ann, "c", email, "a@b.org")
		put(t, v, ann, "c", email, "b@b.org")
		b := v.Book(ann, redact.Named(ann, "c"), open)
		x, y, again := b.Token(email, []byte("x")), b.Token(email, []byte("y")), b.Token(email, []byte("a@b.org"))
		if b.Settle(t.Context()) || again != a {
			t.Fatalf("%s became %s", a, again)
		}
		if got := b.Restore(x+" "+y, redact.Plain); got != "x y" || b.Report().String() != "restored email 2; vault full" {
			t.Errorf("the exchange itself reads %q, %s", got, b.Report())
		}
		var n int
		if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM redact_entries").Scan(&n); err != nil || n != 3 {
			t.Errorf("%d rows, %v", n, err)
		}
		if got, _ := read(v, ann, "c", open, a); got != "a@b.org" {
			t.Errorf("read %q", got)
		}
		put(t, v, ann, "d", email, "x") // another conversation has room of its own
	})
}

func TestWhatARequestCanHaveLookedUpIsBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.open(nil)
		token := put(t, v, ann, "c", email, "a@b.org")
		crowd := ""
		for i := range 999 {
			crowd += fmt.Sprintf("{EMAIL_%012x} ", i)
		}
		for more, want := range map[string]string{"": "restored email 1", "{EMAIL_ffffffffffff} ": "vault crowded"} {
			if _, said := read(v, ann, "c", open, crowd+more+token); said != want {
				t.Errorf("with %q the report says %q", more, said)
			}
		}
	})
}

// SQLite goes away by closing, PostgreSQL by taking its tables.
func TestAVaultThatIsAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.open(nil)
		token := put(t, v, ann, "c", email, "a@b.org")
		if strings.HasPrefix(w.dsn, "postgres") {
			if _, err := w.db.Exec(t.Context(), "ALTER TABLE redact_entries RENAME TO away"); err != nil {
				t.Fatal(err)
			}
		} else if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second is not even asked
			b := v.Book(ann, redact.Named(ann, "c"), open)
			b.Seen(token)
			own := b.Token(phone, []byte("+49 40 5550100"))
			if b.Settle(t.Context()) {
				t.Fatal("asks to look again")
			}
			if got := b.Restore(own+" "+token, redact.Plain); got != "+49 40 5550100 "+token || b.Report().String() != "restored phone 1; vault unavailable" {
				t.Errorf("read %q, %s", got, b.Report())
			}
		}
		if !strings.HasPrefix(w.dsn, "postgres") {
			return
		}
		if _, err := w.db.Exec(t.Context(), "ALTER TABLE away RENAME TO redact_entries"); err != nil {
			t.Fatal(err)
		}
		w.move(time.Second)
		if got, _ := read(v, ann, "c", open, token); got != "a@b.org" {
			t.Errorf("read %q when it was back", got)
		}
	})
}

// Many replicas at once give one value one placeholder, and keep all of them.
func TestReplicasAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		for range 4 {
			v := w.open(nil)
			wg.Go(func() {
				for range 5 {
					b := v.Book(ann, redact.Named(ann, "c"), open)
					for i := range 20 {
						b.Token(email, fmt.Appendf(nil, "%d@b.org", i))
					}
					if b.Settle(context.Background()) || len(b.Report().Vault) > 0 {
						t.Errorf("settled with %s", b.Report())
					}
				}
			})
		}
		wg.Wait()
		var n int
		if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM redact_entries").Scan(&n); err != nil || n != 20 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

// Values whose hashes begin alike have longer placeholders, the same ones in
// whatever order they come and wherever.
func TestValuesThatWouldReadAlike(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var first map[string]string
		for i := range 4 {
			v := w.open(nil)
			v.SetSizes(1, 12, 24)
			b := v.Book(ann, redact.Named(ann, "c"), open)
			got := map[string]string{}
			for again := true; again; again = b.Settle(t.Context()) {
				clear(got)
				for j := range 40 {
					value := fmt.Sprint((j*(i*2+1) + i) % 40)
					got[value] = b.Token(email, []byte(value))
				}
			}
			if first == nil {
				first = got
			}
			back := map[string]bool{}
			for value, token := range got {
				if token != first[value] || b.Restore(token, redact.Plain) != value || back[token] {
					t.Errorf("round %d: %s is %s, was %s, and back %s", i, value, token, first[value], b.Restore(token, redact.Plain))
				}
				back[token] = true
			}
		}
		var n int
		if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM redact_entries").Scan(&n); err != nil || n != 40 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, redact.KeyFile)
	keys := make(chan redact.Key, 8)
	var wg sync.WaitGroup
	for range cap(keys) {
		wg.Go(func() {
			k, err := redact.OpenKey(dir)
			if err != nil {
				t.Error(err)
			}
			keys <- k
		})
	}
	wg.Wait()
	first := <-keys
	for range cap(keys) - 1 {
		if k := <-keys; k != first {
			t.Error("two processes made two keys")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key has mode %v, %v", info.Mode(), err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("there are %v, %v", list, err)
	}
	if got := fmt.Sprintf("%v %+v %#v %s", first, first, first, first); got != "*** *** *** ***" {
		t.Errorf("a key prints as %s", got)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text, says string
		mode             os.FileMode
	}{
		{"one that others may read", string(text), "others can read it", 0o644},
		{"one that a group may write", string(text), "others can read it", 0o620},
		{"half of one", string(text[:32]), "want 64", 0o600},
		{"one that is too long", string(text[:64]) + "00", "want 64", 0o600},
		{"no digits", strings.Repeat("x", 64), "want 64", 0o600},
		{"nothing", "", "want 64", 0o600},
		{"zeros", strings.Repeat("0", 64), "all zeros", 0o600},
	} {
		if err := errors.Join(os.WriteFile(path, []byte(tt.text), 0o600), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		_, err := redact.OpenKey(dir)
		if err == nil || !strings.Contains(err.Error(), tt.says) || len(tt.text) > 40 && strings.Contains(err.Error(), tt.text[:32]) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestIDs(t *testing.T) {
	for id, ok := range map[string]bool{
		"c": true, "a-b_c.d/1:2~!": true, strings.Repeat("x", 128): true,
		"": false, "a b": false, "a\n": false, "é": false, "\x7f": false, strings.Repeat("x", 129): false,
	} {
		if err := redact.CheckID(id); (err == nil) != ok {
			t.Errorf("CheckID(%q) = %v", id, err)
		}
	}
}

func TestRights(t *testing.T) {
	for text, least := range map[string]int{"nobody": 5, "anonymous": 0, "verified": 1, "customer": 2, "staff": 3, "operator": 4} {
		var r redact.Right
		if err := r.UnmarshalText([]byte(text)); err != nil || r.String() != text {
			t.Errorf("%s became %s, %v", text, r, err)
		}
		for trust := range 5 {
			if got := r.Allows(ringwall.Trust(trust)); got != (trust >= least) {
				t.Errorf("%s allows %v: %v", text, ringwall.Trust(trust), got)
			}
		}
	}
	var r redact.Right
	if r.Allows(ringwall.Operator) || r != redact.Nobody || r.UnmarshalText([]byte("all")) == nil {
		t.Error("the zero Right is somebody's")
	}
}

func BenchmarkSettle(b *testing.B) {
	for _, d := range databases {
		w := &world{tb: b, dsn: d.dsn(b), time: time.Now()}
		v := w.open(nil)
		token := put(b, v, ann, "c", email, "a@b.org")
		b.Run(d.name+"/values that are kept already", func(b *testing.B) {
			for b.Loop() {
				book := v.Book(ann, redact.Named(ann, "c"), open)
				book.Token(email, []byte("a@b.org"))
				book.Settle(context.Background())
			}
		})
		b.Run(d.name+"/a placeholder of an earlier turn", func(b *testing.B) {
			for b.Loop() {
				read(v, ann, "c", open, token)
			}
		})
		b.Run(d.name+"/five new values", func(b *testing.B) {
			n := 0
			for b.Loop() {
				n++
				book := v.Book(ann, redact.Named(ann, fmt.Sprint(n)), open)
				for i := range 5 {
					book.Token(email, fmt.Appendf(nil, "%d.%d@b.org", n, i))
				}
				book.Settle(context.Background())
			}
		})
	}
}
