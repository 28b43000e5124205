package auth_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
)

// lines hands on each line of a log.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func openLogged(t *testing.T, w *world, said chan string) *auth.Keys {
	t.Helper()
	k, err := auth.Open(t.Context(), auth.Config{DB: w.db, Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(lines(said), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The shape of a key is a contract with scanners for leaked secrets.
func TestKeyText(t *testing.T) {
	w := &world{dsn: databases[0].dsn(t), clock: newClock(), log: new(bytes.Buffer)}
	keys := w.open(t, auth.Config{})
	shape := regexp.MustCompile(`^rw_[a-km-np-z2-9]{8}_[0-9A-Za-z]{32}[0-9A-Za-z]{6}$`)
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	seen := map[string]bool{}
	for name := range strings.FieldsSeq("a b c d e f g h i j") {
		text, key := create(t, keys, auth.Spec{Name: name, Trust: ringwall.Staff})
		if !shape.MatchString(text) {
			t.Errorf("a key has another shape: %q", text)
		}
		var sum uint32
		for _, c := range text[44:] {
			sum = sum*62 + uint32(strings.IndexRune(digits, c))
		}
		if sum != crc32.ChecksumIEEE([]byte(text[:44])) {
			t.Error("the checksum is not the CRC-32 in base 62")
		}
		if seen[key.Prefix] || seen[text[12:44]] {
			t.Error("two keys are alike")
		}
		seen[key.Prefix], seen[text[12:44]] = true, true
	}
}

func FuzzAuthenticate(f *testing.F) {
	w := &world{dsn: databases[0].dsn(f), clock: newClock(), log: new(bytes.Buffer)}
	keys := w.open(f, auth.Config{})
	text, key := create(f, keys, auth.Spec{Name: "a", Trust: ringwall.Staff})
	f.Add(text)
	f.Add(key.Prefix)
	f.Add("rw_aaaaaaaa_0000000000000000000000000000000000000000")
	f.Add("Bearer " + text)
	f.Fuzz(func(t *testing.T, bearer string) {
		p, err := keys.Authenticate(context.Background(), bearer)
		switch {
		case bearer == text:
			if err != nil || p.ID != key.Prefix {
				t.Fatalf("the key is refused: %v", err)
			}
		case err == nil:
			t.Fatalf("%q is let in", bearer)
		case !errors.Is(err, ringwall.ErrUnauthenticated) || p.ID != "":
			t.Fatalf("%+v, %v", p, err)
		case len(err.Error()) > 300:
			t.Fatalf("the error grows with what was sent: %d bytes", len(err.Error()))
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	d := open(b, databases[0].dsn(b))
	keys, err := auth.Open(b.Context(), auth.Config{DB: d}) // with the real clock
	if err != nil {
		b.Fatal(err)
	}
	good, _ := create(b, keys, auth.Spec{Name: "a", Trust: ringwall.Staff})
	narrow, _ := create(b, keys, auth.Spec{
		Name: "b", Trust: ringwall.Staff, Roles: []string{"buyer"}, Scopes: []string{"ask-model", "model:gpt-*"},
		From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("10.0.0.0/8")},
	})
	ctx := from("10.1.2.3")
	for name, text := range map[string]string{"good": good, "damaged": swap(good), "bound to networks": narrow} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := keys.Authenticate(ctx, text); (err == nil) != (name != "damaged") {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("good on all cores", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := keys.Authenticate(context.Background(), good); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func TestAuthenticateAllocatesNothing(t *testing.T) {
	w := &world{dsn: databases[0].dsn(t), clock: newClock(), log: new(bytes.Buffer)}
	keys := w.open(t, auth.Config{})
	bound := spec
	bound.From = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8")}
	text, _ := create(t, keys, bound)
	ctx := from("10.1.2.3")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := keys.Authenticate(ctx, text); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations on the hot path", n)
	}
}
