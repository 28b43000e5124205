package auth_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
)

func TestRotate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		narrow := spec
		narrow.Roles, narrow.Scopes = []string{"buyer", "admin", "buyer"}, []string{"ask-model", "model:gpt-*"}
		first, key := create(t, w.keys, narrow)
		before := accepted(t, w.keys, first)
		w.clock.move(10 * time.Minute)
		second, fresh, old, err := w.keys.Rotate(t.Context(), "shop", auth.Rotation{Overlap: 5 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if fresh.Prefix == key.Prefix || fresh.Name != "shop" || fresh.Expires.Sub(fresh.Created) != time.Hour || !fresh.Replaced.IsZero() {
			t.Errorf("the new key is %+v", fresh)
		}
		if old.Prefix != key.Prefix || !old.Replaced.Equal(w.clock.Now()) || !old.Expires.Equal(w.clock.Now().Add(5*time.Minute)) {
			t.Errorf("the old key is %+v", old)
		}
		elsewhere := w.open(t, auth.Config{})
		for _, keys := range []*auth.Keys{w.keys, elsewhere} {
			if got := accepted(t, keys, first); !reflect.DeepEqual(got, before) {
				t.Errorf("the old key proves %+v, it did %+v", got, before)
			}
			want := before
			want.Key = fresh.Prefix
			if got := accepted(t, keys, second); !reflect.DeepEqual(got, want) || want.ID != key.Prefix || len(want.Roles) != 2 || len(want.Scopes) != 2 {
				t.Errorf("the new key proves %+v, want %+v", got, want)
			}
		}
		if _, _, _, err := w.keys.Rotate(t.Context(), key.Prefix, auth.Rotation{}); !errors.Is(err, auth.ErrReplaced) {
			t.Errorf("a key that is replaced was rotated again: %v", err)
		}
		if _, _, err := w.keys.Create(t.Context(), narrow); !errors.Is(err, auth.ErrNameTaken) {
			t.Errorf("a second key of one name: %v", err)
		}
		w.clock.move(5 * time.Minute)
		refused(t, w.keys, first, "expired")
		refused(t, elsewhere, first, "expired")

		third, last, _, err := w.keys.Rotate(t.Context(), fresh.Prefix, auth.Rotation{TTL: auth.NeverExpires}) // no overlap
		if err != nil || !last.Expires.IsZero() {
			t.Fatal(last, err)
		}
		refused(t, w.keys, second, "expired")
		if p := accepted(t, w.keys, third); p.ID != key.Prefix {
			t.Errorf("the third key proves %+v", p)
		}
		if err := elsewhere.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused(t, elsewhere, second, "expired")
		accepted(t, elsewhere, third)
	})
}

func TestRevokedByNameAreAllOfALine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, key := create(t, w.keys, spec)
		second, fresh, _, err := w.keys.Rotate(t.Context(), "shop", auth.Rotation{Overlap: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.keys.Revoke(t.Context(), key.Prefix); err != nil {
			t.Fatal(err)
		}
		refused(t, w.keys, first, "revoked")
		accepted(t, w.keys, second)
		w.clock.move(time.Minute)
		third, _, _, err := w.keys.Rotate(t.Context(), "shop", auth.Rotation{Overlap: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ended, err := w.keys.Revoke(t.Context(), "shop")
		if err != nil || len(ended) != 2 || ended[1].Prefix != fresh.Prefix {
			t.Errorf("revoked %+v, %v", ended, err)
		}
		refused(t, w.keys, second, "revoked")
		refused(t, w.keys, third, "revoked")
		if _, _, _, err := w.keys.Rotate(t.Context(), "shop", auth.Rotation{}); !errors.Is(err, auth.ErrNoSuchKey) {
			t.Errorf("a revoked key was rotated: %v", err)
		}
		if p, _ := create(t, w.keys, spec); accepted(t, w.keys, p).ID == key.Prefix {
			t.Error("a new key of an old name is of the old line")
		}
	})
}

func TestRotationIsChecked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, _ := create(t, w.keys, spec)
		for name, r := range map[string]auth.Rotation{
			"a negative overlap":      {Overlap: -time.Second},
			"an overlap of a century": {Overlap: 100 * 365 * 24 * time.Hour},
			"a negative lifetime":     {TTL: -time.Hour},
		} {
			if _, _, _, err := w.keys.Rotate(t.Context(), "shop", r); err == nil || !strings.HasPrefix(err.Error(), "rotating a key: ") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, _, err := w.keys.Rotate(t.Context(), "nobody", auth.Rotation{}); !errors.Is(err, auth.ErrNoSuchKey) {
			t.Errorf("what is not there: %v", err)
		}
		if accepted(t, w.keys, text); w.log.Len() > 0 {
			t.Errorf("logged: %s", w.log)
		}
		// An overlap never makes the old key live longer than it would have.
		_, _, old, err := w.keys.Rotate(t.Context(), "shop", auth.Rotation{Overlap: 24 * time.Hour})
		if err != nil || old.Expires.Sub(w.clock.Now()) != time.Hour {
			t.Errorf("the old key is %+v, %v", old, err)
		}
	})
}

// However many rotate a key at once, one key of the line stays, and each that was shown
// works in its place until it is replaced itself.
func TestManyRotateAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, key := create(t, w.keys, spec)
		cli := w.open(t, auth.Config{})
		var all sync.WaitGroup
		for i := range 8 {
			k := []*auth.Keys{w.keys, cli}[i%2]
			all.Go(func() {
				text, fresh, _, err := k.Rotate(context.Background(), "shop", auth.Rotation{Overlap: time.Minute})
				if err != nil {
					t.Error(err)
					return
				}
				if p, err := k.Authenticate(context.Background(), text); err != nil || p.ID != key.Prefix || p.Key != fresh.Prefix {
					t.Errorf("%+v, %v", p, err)
				}
			})
		}
		all.Wait()
		list, err := w.keys.List(t.Context())
		if err != nil || len(list) != 9 {
			t.Fatalf("%d keys, %v", len(list), err)
		}
		current := 0
		for _, k := range list {
			if k.Replaced.IsZero() {
				current++
			}
		}
		if current != 1 {
			t.Errorf("%d keys are current", current)
		}
	})
}

func TestRotationIsSeenWithinASecond(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, _ := create(t, w.keys, spec)
		stop := run(t, w.keys)
		defer stop()
		cli := w.open(t, auth.Config{})
		second, _, _, err := cli.Rotate(t.Context(), "shop", auth.Rotation{})
		if err != nil {
			t.Fatal(err)
		}
		accepted(t, w.keys, second)
		soon(t, func() bool { _, err := w.keys.Authenticate(t.Context(), first); return err != nil })
	})
}

func from(addr string) context.Context {
	var c ringwall.Client
	if addr != "" {
		c.Addr = netip.MustParseAddr(addr)
	}
	return ringwall.WithClient(context.Background(), c)
}

func TestKeysAreBoundToNetworks(t *testing.T) {
	root, err := auth.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, w *world) {
		keys := w.open(t, auth.Config{DB: w.db, Root: root})
		bound := spec
		bound.From = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fe80::/10")}
		text, key := create(t, keys, bound)
		for _, k := range []*auth.Keys{keys, w.open(t, auth.Config{Root: root})} {
			for _, addr := range []string{"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "2001:db8::1", "fe80::1%eth0"} {
				if p, err := k.Authenticate(from(addr), text); err != nil || p.ID != key.Prefix {
					t.Errorf("from %s: %v", addr, err)
				}
				if _, _, err := k.Signing(from(addr), key.Prefix); err != nil {
					t.Errorf("signed from %s: %v", addr, err)
				}
			}
			for _, addr := range []string{"", "10.2.0.0", "10.0.255.255", "192.0.2.1", "2001:db9::1", "::1", "::10.1.2.3"} {
				if p, err := k.Authenticate(from(addr), text); !errors.Is(err, ringwall.ErrUnauthenticated) || p.ID != "" || !strings.Contains(err.Error(), "networks") {
					t.Errorf("from %q: %+v, %v", addr, p, err)
				}
				if p, secret, err := k.Signing(from(addr), key.Prefix); !errors.Is(err, ringwall.ErrUnauthenticated) || p.ID != "" || secret != "" {
					t.Errorf("signed from %q: %+v, %v", addr, p, err)
				}
			}
			refused(t, k, text, "nobody knows where")
		}
		if list, err := keys.List(t.Context()); err != nil || !reflect.DeepEqual(list[0].From, bound.From) {
			t.Errorf("listed: %+v, %v", list, err)
		}
	})
}

// A program that knows of no scopes and networks must not take a narrowed key for a
// whole one; neither must ours, where somebody took away what narrows it.
func TestNarrowedKeysAreMarked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		narrow, bound := spec, spec
		narrow.Scopes = []string{"ask-guard"}
		bound.Name, bound.From = "bound", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		for _, s := range []auth.Spec{narrow, bound} {
			text, key := create(t, w.keys, s)
			var trust string
			if err := w.db.QueryRow(t.Context(), "SELECT trust FROM auth_keys WHERE prefix = ?", key.Prefix).Scan(&trust); err != nil || new(ringwall.Trust).UnmarshalText([]byte(trust)) == nil {
				t.Errorf("an older program reads the trust %q, %v", trust, err)
			}
			if _, err := w.open(t, auth.Config{}).Authenticate(from("10.0.0.1"), text); err != nil {
				t.Error(err)
			}
			if _, err := w.db.Exec(t.Context(), "UPDATE auth_keys SET scopes = '', nets = '' WHERE prefix = ?", key.Prefix); err != nil {
				t.Fatal(err)
			}
			refused(t, w.open(t, auth.Config{}), text, "cannot be read")
		}
	})
}

// A database of before there were lines of keys goes on working, and so do its keys
// under the ids that they had.
func TestOldDatabases(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			w := &world{dsn: d.dsn(t), clock: newClock()}
			w.db = open(t, w.dsn)
			first, err := os.ReadFile("migrations/00001_keys.sql")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.db.Migrate(t.Context(), fstest.MapFS{"00001_keys.sql": {Data: first}}, "auth_migrations"); err != nil {
				t.Fatal(err)
			}
			const text = "rw_k7mq2xvd_0123456789ABCDEFGHIJKLMNOPQRSTUV3ITCGU"
			hash := sha256.Sum256([]byte(text))
			if _, err := w.db.Exec(t.Context(), "INSERT INTO auth_keys (prefix, hash, name, tenant, trust, created, expires, revoked, last_used) VALUES (?, ?, 'old', 'acme', 'staff', 1, 0, 0, 0)",
				"rw_k7mq2xvd", hex.EncodeToString(hash[:])); err != nil {
				t.Fatal(err)
			}
			keys, err := auth.Open(t.Context(), auth.Config{DB: w.db, Now: w.clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			want := ringwall.Principal{ID: "rw_k7mq2xvd", Tenant: "acme", Trust: ringwall.Staff, Via: "key", Key: "rw_k7mq2xvd"}
			if got := accepted(t, keys, text); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			fresh, _, _, err := keys.Rotate(t.Context(), "old", auth.Rotation{})
			if err != nil {
				t.Fatal(err)
			}
			if p := accepted(t, keys, fresh); p.ID != "rw_k7mq2xvd" {
				t.Errorf("rotated, it is %+v", p)
			}
		})
	}
}
