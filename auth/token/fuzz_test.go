package token_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/token"
)

// Of all texts, the verifier accepts the good token alone: who has it and the public
// key, and not the private one, makes no other.
func FuzzVerify(f *testing.F) {
	rs, ec := newRSA(0, "r"), newEC("e")
	o := newOP(f, rs, ec)
	s := newScene(f, token.Config{}, mainOf(o))
	good := []string{sign(f, rs, s.claims(o)), sign(f, ec, s.claims(o)), sign(f, ec, s.claims(o), "typ", "at+jwt")}
	for _, g := range good {
		s.accepted(f, g)
		parts := strings.Split(g, ".")
		f.Add(parts[0], parts[1], parts[2])
		f.Add(b64(`{"alg":"none"}`), parts[1], "")
		f.Add(b64(`{"alg":"HS256","kid":"r"}`), parts[1], parts[2])
		f.Add(b64(`{"alg":"ES256","kid":"e"}`), parts[1], b64(strings.Repeat("\x00", 64)))
		f.Add(parts[0], b64(`{"iss":"`+o.URL+`","sub":"root","exp":99999999999}`), parts[2])
	}
	f.Fuzz(func(t *testing.T, head, payload, signature string) {
		text := head + "." + payload + "." + signature
		p, err := s.Authenticate(context.Background(), text)
		if (err == nil) != slices.Contains(good, text) || err != nil && p.Trust != ringwall.Anonymous {
			t.Fatalf("%q: %+v, %v", text, p, err)
		}
		if err != nil && len(signature) > 16 && strings.Contains(err.Error(), signature) {
			t.Fatalf("the error repeats the token: %v", err)
		}
	})
}

// Whatever claims an issuer signs, what they prove can be shown and stays in bounds.
func FuzzClaims(f *testing.F) {
	k := newEd("k")
	o := newOP(f, k)
	i := mainOf(o)
	i.Map = token.Mapping{TenantClaim: "org.tenant", Roles: []string{"roles", "realm.roles"}, ScopePrefix: "rw:", Rules: []token.Rule{{"roles", "admin", ringwall.Operator}}}
	s := newScene(f, token.Config{}, i)
	base := text(f, s.claims(o))
	for _, more := range []string{`"org":{"tenant":"t"},"roles":["admin","a"],"scope":"rw:x y"`, `"org.tenant":"t","realm":{"roles":"x"}`, `"roles":[[],{},null,1]`, `"org":{"tenant":" "}`} {
		f.Add(more)
	}
	f.Fuzz(func(t *testing.T, more string) {
		p, err := s.Authenticate(context.Background(), sign(t, k, base[:len(base)-1]+","+more+"}"))
		if err != nil {
			if p.ID != "" || p.Trust != ringwall.Anonymous {
				t.Fatalf("%+v, %v", p, err)
			}
			return
		}
		if !strings.HasPrefix(p.ID, "u_") || p.Tenant == "" || len(p.Tenant) > 256 || len(p.Roles) > 256 || !slices.IsSorted(p.Roles) || p.Scopes == nil || p.Trust < ringwall.Verified {
			t.Fatalf("%+v", p)
		}
		if p.Trust == ringwall.Operator && !slices.Contains(p.Roles, "admin") {
			t.Fatalf("trust without the role: %+v", p)
		}
	})
}
