package gateway

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
)

func TestTokensAreStableAndTellNothing(t *testing.T) {
	var v, w vault
	f := ringwall.Finding{Reason: "email"}
	a, b, c := v.token(f, []byte("a@b.org")), v.token(f, []byte("a@b.org")), v.token(f, []byte("c@d.org"))
	if a != b || a == c || !strings.HasPrefix(a, "{EMAIL_") || !strings.HasSuffix(a, "}") {
		t.Errorf("tokens %s, %s, %s", a, b, c)
	}
	if other := w.token(f, []byte("a@b.org")); other == a {
		t.Errorf("two exchanges share the token %s: it could be guessed", a)
	}
	if got := v.restore("to " + a + " and {EMAIL_00000000} {" + c); got != "to a@b.org and {EMAIL_00000000} {c@d.org" {
		t.Errorf("restore() = %q", got)
	}
}

// Where a text is cut makes no difference to what is restored in it, and a value
// that looks like a token is not looked at again.
func FuzzRestorer(f *testing.F) {
	f.Add("to \x01 and {\x02} {EMAIL_", uint64(1))
	f.Add("{{EMAIL_}\x01\x02\x01", uint64(2))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 1<<12 {
			return
		}
		var v vault
		a := v.token(ringwall.Finding{Reason: "email"}, []byte("a@b.org"))
		b := v.token(ringwall.Finding{Reason: "phone"}, []byte(a))
		in := strings.NewReplacer("\x01", a, "\x02", b).Replace(text)
		want := v.restore(in)
		if strings.NewReplacer(a, "a@b.org", b, a).Replace(in) != want {
			t.Fatalf("restore(%q) = %q", in, want)
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		r := v.restorer()
		var got []byte
		for i := 0; i < len(in); {
			n := min(1+rng.IntN(6), len(in)-i)
			got = append(got, r.write([]byte(in[i:i+n]), false)...)
			if !strings.HasPrefix(want, string(got)) {
				t.Fatalf("of %q sent %q, want %q", in[:i+n], got, want)
			}
			i += n
		}
		if got = append(got, r.write(nil, true)...); string(got) != want {
			t.Fatalf("of %q sent %q, want %q", in, got, want)
		}
	})
}
