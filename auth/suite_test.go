package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/internal/db"
)

// clock is a time that stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

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

// world is one database, and the keys on it as one process sees them.
type world struct {
	dsn   string
	db    *db.DB
	clock *clock
	log   *bytes.Buffer
	keys  *auth.Keys
}

func (w *world) open(t testing.TB, cfg auth.Config) *auth.Keys {
	t.Helper()
	if cfg.DB == nil {
		cfg.DB = open(t, w.dsn)
	}
	cfg.Now, cfg.Log = w.clock.Now, slog.New(slog.NewTextHandler(w.log, nil))
	k, err := auth.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func each(t *testing.T, test func(*testing.T, *world)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			w := &world{dsn: d.dsn(t), clock: newClock(), log: new(bytes.Buffer)}
			w.db = open(t, w.dsn)
			w.keys = w.open(t, auth.Config{DB: w.db})
			test(t, w)
		})
	}
}

var spec = auth.Spec{Name: "shop", Tenant: "acme", Trust: ringwall.Customer, TTL: time.Hour}

func create(t testing.TB, k *auth.Keys, s auth.Spec) (string, auth.Key) {
	t.Helper()
	text, key, err := k.Create(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return text, key
}

func accepted(t testing.TB, k *auth.Keys, text string) ringwall.Principal {
	t.Helper()
	p, err := k.Authenticate(context.Background(), text)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return p
}

// refused checks that nobody is let in, that the cause is told, and that the
// error does not repeat the secret.
func refused(t testing.TB, k *auth.Keys, text, cause string) {
	t.Helper()
	p, err := k.Authenticate(context.Background(), text)
	switch {
	case err == nil:
		t.Fatalf("let in as %+v", p)
	case p.ID != "":
		t.Errorf("refused, but as %+v", p)
	case !errors.Is(err, ringwall.ErrUnauthenticated):
		t.Errorf("the error is not ErrUnauthenticated: %v", err)
	case !strings.Contains(err.Error(), cause):
		t.Errorf("the cause reads %q, want %q", err, cause)
	case len(text) > 12 && strings.Contains(err.Error(), text[12:]):
		t.Errorf("the error repeats the secret: %q", err)
	}
}

func TestKeyProvesItsPrincipal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, key := create(t, w.keys, spec)
		want := ringwall.Principal{ID: key.Prefix, Tenant: "acme", Trust: ringwall.Customer, Via: "key", Key: key.Prefix}
		if got := accepted(t, w.keys, text); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if !strings.HasPrefix(text, key.Prefix+"_") || len(text) != 50 {
			t.Errorf("key %d characters long does not begin with its prefix %s", len(text), key.Prefix)
		}
		if got := accepted(t, w.open(t, auth.Config{}), text); !reflect.DeepEqual(got, want) {
			t.Errorf("after a restart: got %+v, want %+v", got, want)
		}
	})
}

func TestBadKeysAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, key := create(t, w.keys, spec)
		other, _ := create(t, w.keys, auth.Spec{Name: "other", Trust: ringwall.Staff})
		elsewhere := w.open(t, auth.Config{DB: open(t, databases[0].dsn(t))})
		foreign, _ := create(t, elsewhere, spec)
		typo := []byte(text)
		typo[20] ^= 1 // 0 and 1, A and @: still a character of keys, or not
		for _, test := range []struct{ name, text, cause string }{
			{"nothing", "", "no key of ours"},
			{"a key of somebody else", "sk-proj-abcdefghijklmnopqrstuvwxyz", "no key of ours"},
			{"a prefix alone", key.Prefix, "no key of ours"},
			{"a key cut short", text[:len(text)-1], "no key of ours"},
			{"a key with more behind it", text + "0", "no key of ours"},
			{"a key with a space before it", " " + text[:len(text)-1], "no key of ours"},
			{"a key in capitals", strings.ToUpper(text), "no key of ours"},
			{"a key with swapped characters", swap(text), "checksum"},
			{"a typo", string(typo), ""},
			{"the prefix of one and the secret of another", text[:12] + other[12:], "checksum"},
			{"a key of another installation", foreign, "there is no such key"},
			{"64 kB of key", strings.Repeat("rw_", 1<<14), "no key of ours"},
		} {
			t.Run(test.name, func(t *testing.T) { refused(t, w.keys, test.text, test.cause) })
		}
		accepted(t, w.keys, text)
		if w.log.Len() > 0 {
			t.Errorf("logged: %s", w.log)
		}
	})
}

// swap exchanges the first two neighbours of the secret that differ.
func swap(text string) string {
	b := []byte(text)
	for i := 12; ; i++ {
		if b[i] != b[i+1] {
			b[i], b[i+1] = b[i+1], b[i]
			return string(b)
		}
	}
}

func TestKeyExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, key := create(t, w.keys, spec)
		if want := w.clock.Now().Add(time.Hour); !key.Expires.Equal(want) {
			t.Errorf("expires %v, want %v", key.Expires, want)
		}
		forever, _ := create(t, w.keys, auth.Spec{Name: "forever", Trust: ringwall.Staff, TTL: auth.NeverExpires})
		_, usual := create(t, w.keys, auth.Spec{Name: "usual", Trust: ringwall.Staff})
		if usual.Expires.Sub(usual.Created) != auth.DefaultTTL {
			t.Errorf("without a lifetime it expires %v", usual.Expires)
		}
		w.clock.move(time.Hour - time.Millisecond)
		accepted(t, w.keys, text)
		w.clock.move(time.Millisecond)
		refused(t, w.keys, text, "expired at 2026-03-01T13:00:00Z")
		w.clock.move(20 * 365 * 24 * time.Hour)
		if err := w.keys.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		accepted(t, w.keys, forever)
	})
}

func TestRevoke(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		byName, _ := create(t, w.keys, spec)
		if _, _, err := w.keys.Create(t.Context(), spec); !errors.Is(err, auth.ErrNameTaken) {
			t.Errorf("a second key of one name: %v", err)
		}
		ended, err := w.keys.Revoke(t.Context(), "shop")
		if err != nil || len(ended) != 1 || !ended[0].Revoked.Equal(w.clock.Now()) {
			t.Fatalf("revoking by name: %+v, %v", ended, err)
		}
		refused(t, w.keys, byName, "revoked at 2026-03-01T12:00:00Z")

		w.clock.move(time.Minute)
		byPrefix, second := create(t, w.keys, spec) // the name is free again
		if _, err := w.keys.Revoke(t.Context(), second.Prefix); err != nil {
			t.Fatal(err)
		}
		refused(t, w.keys, byPrefix, "revoked at 2026-03-01T12:01:00Z")

		w.clock.move(time.Minute)
		if again, err := w.keys.Revoke(t.Context(), second.Prefix); err != nil || len(again) != 1 || again[0].Revoked.Equal(w.clock.Now()) {
			t.Errorf("revoked again: %+v, %v", again, err)
		}
		if _, err := w.keys.Revoke(t.Context(), "nobody"); !errors.Is(err, auth.ErrNoSuchKey) {
			t.Errorf("revoking what is not there: %v", err)
		}
	})
}

func TestRefreshSeesOtherProcesses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cli := w.open(t, auth.Config{})
		text, _ := create(t, cli, spec)
		var wg sync.WaitGroup // one lookup serves all who show it
		for range 20 {
			wg.Go(func() { accepted(t, w.keys, text) })
		}
		wg.Wait()
		for i := range 9 { // each has a lookup of its own, all at once
			another, _ := create(t, cli, auth.Spec{Name: fmt.Sprint("another-", i), Trust: ringwall.Staff})
			wg.Go(func() { accepted(t, w.keys, another) })
		}
		wg.Wait()
		second, _ := create(t, cli, auth.Spec{Name: "second", Trust: ringwall.Staff})
		refused(t, w.keys, second, "no such key") // the lookups of this second are spent
		if err := w.keys.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		accepted(t, w.keys, second)
		if _, err := cli.Revoke(t.Context(), "second"); err != nil {
			t.Fatal(err)
		}
		if err := w.keys.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused(t, w.keys, second, "revoked")
	})
}

func TestRunSeesChangesWithinASecond(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stop := run(t, w.keys)
		defer stop()
		cli := w.open(t, auth.Config{})
		for i := range 10 { // spends the lookups: the clock stands still
			first, _ := create(t, cli, auth.Spec{Name: fmt.Sprint("first-", i), Trust: ringwall.Staff})
			accepted(t, w.keys, first)
		}
		text, _ := create(t, cli, auth.Spec{Name: "second", Trust: ringwall.Staff})
		soon(t, func() bool { _, err := w.keys.Authenticate(t.Context(), text); return err == nil })
		if _, err := cli.Revoke(t.Context(), "second"); err != nil {
			t.Fatal(err)
		}
		soon(t, func() bool { _, err := w.keys.Authenticate(t.Context(), text); return err != nil })
	})
}

// run starts Run; what it returns stops it and waits.
func run(t *testing.T, k *auth.Keys) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// soon waits until ok, for a second at most.
func soon(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("not within a second")
		}
	}
}

func TestLastUsed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := create(t, w.keys, spec)
		create(t, w.keys, auth.Spec{Name: "idle", Trust: ringwall.Staff})
		stop := run(t, w.keys)
		w.clock.move(time.Minute)
		accepted(t, w.keys, text)
		if list, err := w.keys.List(t.Context()); err != nil || !list[1].LastUsed.Equal(w.clock.Now()) {
			t.Errorf("its own process does not know: %+v, %v", list, err)
		}
		stop() // writes what is not yet written
		list, err := w.open(t, auth.Config{}).List(t.Context())
		if err != nil || len(list) != 2 || list[0].Name != "idle" || list[1].Name != "shop" {
			t.Fatalf("%+v, %v", list, err)
		}
		if !list[0].LastUsed.IsZero() || !list[1].LastUsed.Equal(w.clock.Now()) {
			t.Errorf("another process reads %+v", list)
		}
	})
}

func TestSpecIsChecked(t *testing.T) {
	w := &world{dsn: databases[0].dsn(t), clock: newClock(), log: new(bytes.Buffer)}
	keys := w.open(t, auth.Config{})
	for name, s := range map[string]auth.Spec{
		"no name":                      {Trust: ringwall.Staff},
		"no trust":                     {Name: "a"},
		"more trust than there is":     {Name: "a", Trust: ringwall.Operator + 1},
		"a name like a prefix":         {Name: "rw_k7mq2xvd", Trust: ringwall.Staff},
		"a name with a line break":     {Name: "a\nb", Trust: ringwall.Staff},
		"a name with spaces around it": {Name: "a ", Trust: ringwall.Staff},
		"a name that is not UTF-8":     {Name: "a\xff", Trust: ringwall.Staff},
		"a long name":                  {Name: strings.Repeat("a", 129), Trust: ringwall.Staff},
		"a tenant with a tab":          {Name: "a", Tenant: "a\tb", Trust: ringwall.Staff},
		"a negative lifetime":          {Name: "a", Trust: ringwall.Staff, TTL: -time.Hour},
		"a lifetime of a century":      {Name: "a", Trust: ringwall.Staff, TTL: 100 * 365 * 24 * time.Hour},
		"a lifetime of a nanosecond":   {Name: "a", Trust: ringwall.Staff, TTL: 1},
		"a role of two words":          {Name: "a", Trust: ringwall.Staff, Roles: []string{"a b"}},
		"a role without a name":        {Name: "a", Trust: ringwall.Staff, Roles: []string{""}},
		"many roles":                   {Name: "a", Trust: ringwall.Staff, Roles: make([]string, 33)},
		"a scope that there is not":    {Name: "a", Trust: ringwall.Staff, Scopes: []string{"ask-modle"}},
		"scopes without a word":        {Name: "a", Trust: ringwall.Staff, Scopes: []string{}},
		"networks without an address":  {Name: "a", Trust: ringwall.Staff, From: []netip.Prefix{}},
		"a network that is none":       {Name: "a", Trust: ringwall.Staff, From: make([]netip.Prefix, 1)},
		"a network with more set":      {Name: "a", Trust: ringwall.Staff, From: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")}},
		"an IPv4 network in IPv6":      {Name: "a", Trust: ringwall.Staff, From: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}},
	} {
		if _, _, err := keys.Create(t.Context(), s); err == nil || !strings.HasPrefix(err.Error(), "creating a key: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := keys.List(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("left behind: %+v, %v", list, err)
	}
	if _, err := auth.Open(t.Context(), auth.Config{}); err == nil {
		t.Error("opened without a database")
	}
}

func TestTheDatabaseHoldsNoKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := create(t, w.keys, spec)
		rows, err := w.db.Query(t.Context(), "SELECT * FROM auth_keys")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(names))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				if s := fmt.Sprintf("%s", *v.(*any)); strings.Contains(s, text[12:]) || strings.Contains(s, text[12:44]) {
					t.Errorf("column %s holds the key", names[i])
				}
			}
		}
	})
}

func TestSpoiltRowsShutOutOneCaller(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var texts []string
		for i, name := range []string{"good", "trust", "hash", "prefix", "none", "nets"} {
			text, key := create(t, w.keys, auth.Spec{Name: name, Trust: ringwall.Staff})
			texts = append(texts, text)
			for _, change := range [][]string{nil, {"trust", "emperor"}, {"hash", "zz"}, {"prefix", "short"}, {"trust", "anonymous"}, {"nets", "10.0.0.0/8 everywhere"}}[i : i+1] {
				if change == nil {
					continue
				}
				if _, err := w.db.Exec(t.Context(), "UPDATE auth_keys SET "+change[0]+" = ? WHERE prefix = ?", change[1], key.Prefix); err != nil {
					t.Fatal(err)
				}
			}
		}
		keys := w.open(t, auth.Config{})
		accepted(t, keys, texts[0])
		for i, cause := range []string{"cannot be read", "cannot be read", "no such key", "proves nothing", "cannot be read"} {
			refused(t, keys, texts[i+1], cause)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stop := run(t, w.keys)
		defer stop()
		cli := w.open(t, auth.Config{})
		stopToo := run(t, cli)
		defer stopToo()
		var all sync.WaitGroup
		for i := range 8 {
			k := []*auth.Keys{w.keys, cli}[i%2]
			all.Go(func() {
				for j := range 5 {
					name := fmt.Sprintf("key-%d-%d", i, j)
					text, _, err := k.Create(context.Background(), auth.Spec{Name: name, Trust: ringwall.Staff})
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := k.Authenticate(context.Background(), text); err != nil {
						t.Errorf("%s: %v", name, err)
					}
					if _, err := k.Revoke(context.Background(), name); err != nil {
						t.Error(err)
					}
					if _, err := k.Authenticate(context.Background(), text); err == nil {
						t.Errorf("%s: revoked, and let in", name)
					}
				}
			})
		}
		all.Wait()
		list, err := w.keys.List(t.Context())
		if err != nil || len(list) != 40 || slices.ContainsFunc(list, func(k auth.Key) bool { return k.Revoked.IsZero() }) {
			t.Errorf("%d keys, %v", len(list), err)
		}
	})
}
