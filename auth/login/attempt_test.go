package login

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// FuzzOpen: a cookie that we did not seal, for this state, opens nothing.
func FuzzOpen(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var key [32]byte
	rand.Read(key[:]) // another one in each process that fuzzes
	ours, err := newSeals(key, "main", "web")
	if err != nil {
		f.Fatal(err)
	}
	theirs, err := newSeals(key, "other", "web")
	if err != nil {
		f.Fatal(err)
	}
	a, err := newAttempt(url.Values{}, "/", now)
	if err != nil {
		f.Fatal(err)
	}
	good, err := ours.seal(a)
	if err != nil {
		f.Fatal(err)
	}
	foreign, err := theirs.seal(a)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(a.State, good)
	f.Add(a.State, foreign)
	f.Add(random(), good)
	f.Add("", "")
	f.Add(a.State[:12]+random()[12:], good)
	f.Fuzz(func(t *testing.T, state, value string) {
		r := httptest.NewRequest(http.MethodGet, "/login/callback", nil)
		if isState(state) {
			r.AddCookie(&http.Cookie{Name: cookieOf(state), Value: value})
			if c, err := r.Cookie(cookieOf(state)); err == nil {
				value = c.Value // without what no cookie has
			}
		}
		got, err := ours.open(r, state, now)
		if (err == nil) != (state == a.State && value == good) || err == nil && got.Verifier != a.Verifier {
			t.Fatalf("%q %q: %+v, %v", state, value, got, err)
		}
	})
}
