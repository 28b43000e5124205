package auth_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
)

func TestSecretsAreDerived(t *testing.T) {
	root, err := auth.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, w *world) {
		keys := w.open(t, auth.Config{DB: w.db, Root: root})
		text, k := create(t, keys, spec)
		secret, err := keys.Secret(k.Prefix)
		if err != nil || len(secret) != 40 || strings.Contains(text, secret) {
			t.Fatalf("Secret() = %q, %v", secret, err)
		}
		p, again, err := keys.Signing(t.Context(), k.Prefix)
		if err != nil || again != secret || !reflect.DeepEqual(p, ringwall.Principal{ID: k.Prefix, Tenant: "acme", Trust: ringwall.Customer, Via: "signature", Key: k.Prefix}) {
			t.Errorf("Signing() = %+v, %v", p, err)
		}
		if _, err := w.keys.Secret(k.Prefix); !errors.Is(err, auth.ErrNoRoot) {
			t.Errorf("without a root: %v", err)
		}
		for _, id := range []string{"", "rw_", "rw_aaaaaaaa", "rw_AAAAAAAA", k.Prefix + "x", "AKIAIOSFODNN7EXAMPLE"} {
			if p, secret, err := keys.Signing(t.Context(), id); !errors.Is(err, ringwall.ErrUnauthenticated) || secret != "" || p.ID != "" {
				t.Errorf("%q: %+v %v", id, p, err)
			}
		}
		w.clock.move(2 * time.Hour)
		if _, _, err := keys.Signing(t.Context(), k.Prefix); err == nil || !strings.Contains(err.Error(), "expired") {
			t.Errorf("an expired key: %v", err)
		}
		_, other := create(t, keys, auth.Spec{Name: "other", Trust: ringwall.Staff})
		if s, _ := keys.Secret(other.Prefix); s == secret {
			t.Error("two keys have one secret")
		}
		if _, err := keys.Revoke(t.Context(), other.Prefix); err != nil {
			t.Fatal(err)
		}
		if _, _, err := keys.Signing(t.Context(), other.Prefix); err == nil || !strings.Contains(err.Error(), "revoked") {
			t.Errorf("a revoked key: %v", err)
		}
	})
}

func TestOpenRoot(t *testing.T) {
	dir := t.TempDir()
	a, err := auth.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := auth.OpenRoot(dir)
	if err != nil || *a != *b {
		t.Errorf("the root is another: %v", err)
	}
	file := filepath.Join(dir, auth.SigningFile)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.OpenRoot(dir); err == nil || !strings.Contains(err.Error(), "others can read it") {
		t.Errorf("a root that others may read: %v", err)
	}
	for _, text := range []string{"", "12", strings.Repeat("0", 64), strings.Repeat("g", 64), strings.Repeat("1", 63), strings.Repeat("1", 66)} {
		if _, err := auth.ParseRoot(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
