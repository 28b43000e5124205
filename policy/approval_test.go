package policy_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/policy"
)

const guarded = `@id("crown") @protected forbid (principal, action, resource == Ringwall::Model::"crown") unless { principal.trust == 4 };` + "\n"

// person is an approver with their key.
type person struct {
	policy.Approver
	key ed25519.PrivateKey
}

// named makes somebody whose key follows from their name.
func named(name string) person {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	key := ed25519.NewKeyFromSeed(seed)
	return person{policy.Approver{Name: name, Key: key.Public().(ed25519.PublicKey)}, key}
}

func TestApprovals(t *testing.T) {
	alice, bob, carol, mallory := named("alice"), named("bob"), named("carol"), named("mallory")
	twin := person{policy.Approver{Name: "alice-again", Key: alice.Key}, alice.key}
	unapproved, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(let + guarded)}}, policy.Options{Unapproved: true})
	if err != nil {
		t.Fatal(err)
	}
	p := unapproved.Find("crown")
	approve := func(a *policy.Approvals, by ...person) {
		for _, who := range by {
			if err := a.Approve(p, who.Name, who.key); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name   string
		text   string
		opt    policy.Options
		sign   func(a *policy.Approvals)
		nobody bool // is an approver
		want   string
	}{
		{name: "nobody is an approver", nobody: true, want: "names nobody who could approve it"},
		{name: "nobody has signed", want: "p.cedar:2:1: policy crown is protected and may not be loaded: it has no author and no approval"},
		{name: "the author alone", sign: func(a *policy.Approvals) { a.Sign(p, "alice", alice.key) }, want: "it has 0 of 1 approvals by others than alice"},
		{name: "another agrees", sign: func(a *policy.Approvals) { a.Sign(p, "alice", alice.key); approve(a, bob) }},
		{name: "two of two", opt: policy.Options{Approvals: 2}, sign: func(a *policy.Approvals) { a.Sign(p, "alice", alice.key); approve(a, bob, carol) }},
		{name: "one of two", opt: policy.Options{Approvals: 2}, sign: func(a *policy.Approvals) { a.Sign(p, "alice", alice.key); approve(a, bob, bob) }, want: "1 of 2"},
		{name: "the same twice by hand", opt: policy.Options{Approvals: 2}, sign: func(a *policy.Approvals) {
			a.Sign(p, "alice", alice.key)
			approve(a, bob)
			a.Approvals[0].By = append(a.Approvals[0].By, a.Approvals[0].By[0])
		}, want: "1 of 2"},
		{name: "the text changed", text: let + strings.Replace(guarded, "== 4", ">= 2", 1), sign: func(a *policy.Approvals) { a.Sign(p, "alice", alice.key); approve(a, bob) }, want: "its text has changed since alice signed it"},
		{name: "the text changed, and the sum with it", text: let + strings.Replace(guarded, "== 4", ">= 2", 1), sign: func(a *policy.Approvals) {
			a.Sign(p, "alice", alice.key)
			approve(a, bob)
			other, _ := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(let + strings.Replace(guarded, "== 4", ">= 2", 1))}}, policy.Options{Unapproved: true})
			a.Approvals[0].SHA256 = other.Find("crown").Digest()
		}, want: "its author: the signature of alice is not valid"},
		{name: "a stranger agrees", sign: func(a *policy.Approvals) { a.Sign(p, "alice", alice.key); approve(a, mallory) }, want: `"mallory" is no approver`},
		{name: "a stranger wrote it", sign: func(a *policy.Approvals) { a.Sign(p, "mallory", mallory.key); approve(a, bob) }, want: `"mallory" is no approver`},
		{name: "a stranger signs for another", sign: func(a *policy.Approvals) {
			a.Sign(p, "alice", alice.key)
			approve(a, person{bob.Approver, mallory.key})
		}, want: "its approval: the signature of bob is not valid"},
		{name: "the author under another name", opt: policy.Options{Approvers: []policy.Approver{twin.Approver}}, sign: func(a *policy.Approvals) { a.Sign(p, "alice", alice.key); approve(a, twin) }, want: "alice-again wrote it and cannot approve it"},
		{name: "the author's signature in the place of an approval", sign: func(a *policy.Approvals) {
			a.Sign(p, "bob", bob.key)
			sig := a.Approvals[0].Author
			a.Sign(p, "alice", alice.key)
			a.Approvals[0].By = []policy.Signature{sig}
		}, want: "the signature of bob is not valid"},
		{name: "an approval of another author's", sign: func(a *policy.Approvals) {
			a.Sign(p, "carol", carol.key)
			approve(a, bob)
			by := a.Approvals[0].By
			a.Sign(p, "alice", alice.key)
			a.Approvals[0].By = by
		}, want: "the signature of bob is not valid"},
		{name: "the policy is gone", text: let, opt: policy.Options{Protected: []string{"crown"}}, want: "policy crown is to be there, and @protected"},
		{name: "the policy is not protected any more", text: let + strings.Replace(guarded, "@protected ", "", 1), opt: policy.Options{Protected: []string{"crown"}}, want: "policy crown is to be there, and @protected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a policy.Approvals
			if tt.sign != nil {
				tt.sign(&a)
			}
			files := []policy.File{{Name: "p.cedar", Data: []byte(let + guarded)}, {Name: "approvals.yaml", Data: a.Encode()}}
			if tt.text != "" {
				files[0].Data = []byte(tt.text)
			}
			if !tt.nobody {
				tt.opt.Approvers = append(tt.opt.Approvers, alice.Approver, bob.Approver, carol.Approver)
			}
			_, err := policy.Parse(files, tt.opt)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestApprove(t *testing.T) {
	alice, bob := named("alice"), named("bob")
	b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(guarded)}}, policy.Options{Unapproved: true})
	if err != nil {
		t.Fatal(err)
	}
	var a policy.Approvals
	p := b.Find("crown")
	if err := a.Approve(p, "bob", bob.key); err == nil || !strings.Contains(err.Error(), "no author yet") {
		t.Error(err)
	}
	a.Sign(p, "alice", alice.key)
	if err := a.Approve(p, "alice", alice.key); err == nil || !strings.Contains(err.Error(), "who cannot approve it") {
		t.Error(err)
	}
	a.Approvals[0].SHA256 = "0"
	if err := a.Approve(p, "bob", bob.key); err == nil || !strings.Contains(err.Error(), "has changed since alice signed it") {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	alice := named("alice")
	der, err := x509.MarshalPKIXPublicKey(alice.Key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(alice.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "base64": base64.StdEncoding.EncodeToString(der), "32 bytes": base64.StdEncoding.EncodeToString(alice.Key),
	} {
		if key, err := policy.ParsePublicKey(text); err != nil || !key.Equal(alice.Key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "x", "AAAA", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}))} {
		if _, err := policy.ParsePublicKey(text); err == nil {
			t.Errorf("%q is a key", text)
		}
	}
	if key, err := policy.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})); err != nil || !key.Equal(alice.key) {
		t.Error(err)
	}
	if _, err := policy.ParsePrivateKey([]byte("x")); err == nil {
		t.Error("x is a key")
	}
}
