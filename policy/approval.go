package policy

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Approver is somebody whose signature counts, as an author and as an approver.
type Approver struct {
	Name string
	Key  ed25519.PublicKey
}

// Approval says that somebody wrote a protected policy and that others agree to it,
// word for word. It is void as soon as one letter of the policy changes.
type Approval struct {
	Policy string      `yaml:"policy" doc:"id of the policy"`
	SHA256 string      `yaml:"sha256" doc:"of its text"`
	Author Signature   `yaml:"author" doc:"who wrote it"`
	By     []Signature `yaml:"approved_by" doc:"who agrees"`
}

// Signature is that of somebody.
type Signature struct {
	Name      string `yaml:"name" doc:"of an approver of the configuration"`
	Signature string `yaml:"signature" doc:"Ed25519, in base64"`
}

// Approvals is the file approvals.yaml of a bundle.
type Approvals struct {
	Approvals []Approval `yaml:"approvals" doc:"of protected policies"`
}

// ParseApprovals reads the file of approvals of a bundle. Its name is for errors.
func ParseApprovals(f File) (Approvals, error) {
	var a Approvals
	pos, err := strictyaml.Decode(f.Name, f.Data, &a)
	if err != nil {
		return Approvals{}, err
	}
	var errs []error
	seen := map[string]bool{}
	for i, one := range a.Approvals {
		at := strictyaml.Index("approvals", i)
		if one.Policy == "" || one.SHA256 == "" || one.Author.Name == "" || one.Author.Signature == "" {
			errs = append(errs, pos.Errorf(at, "an approval names its policy, its sha256 and its author, who has signed"))
		}
		if seen[one.Policy] {
			errs = append(errs, pos.Errorf(at, "there is an approval of %s already", clip(one.Policy)))
		}
		seen[one.Policy] = true
	}
	return a, strictyaml.Join(errs...)
}

// Encode returns the file.
func (a *Approvals) Encode() []byte { return strictyaml.Encode(a, false) }

// Of returns the approval of a policy, nil if there is none.
func (a *Approvals) Of(id string) *Approval {
	for i := range a.Approvals {
		if a.Approvals[i].Policy == id {
			return &a.Approvals[i]
		}
	}
	return nil
}

// statementOf is what is signed: who says what about which text. An approval names the
// author, too, so that nobody can take another's place later.
func statementOf(what, id, digest, author, name string) []byte {
	return []byte(strings.Join([]string{"ringwall policy approval v1", what, id, digest, author, name}, "\n"))
}

// Sign makes name the author of a policy: earlier approvals of it are void.
func (a *Approvals) Sign(p *Policy, name string, key ed25519.PrivateKey) {
	made := Approval{Policy: p.ID, SHA256: p.Digest(), Author: sign("author", p, name, name, key)}
	if old := a.Of(p.ID); old != nil {
		*old = made
		return
	}
	a.Approvals = append(a.Approvals, made)
	slices.SortFunc(a.Approvals, func(x, y Approval) int { return strings.Compare(x.Policy, y.Policy) })
}

// Approve adds the approval of name. The policy must have its author's signature.
func (a *Approvals) Approve(p *Policy, name string, key ed25519.PrivateKey) error {
	of := a.Of(p.ID)
	switch {
	case of == nil:
		return fmt.Errorf("policy %s has no author yet: they sign first, by ringwall policy sign", p.ID)
	case of.SHA256 != p.Digest():
		return fmt.Errorf("policy %s has changed since %s signed it: they sign it anew", p.ID, of.Author.Name)
	case of.Author.Name == name:
		return fmt.Errorf("policy %s was written by %s, who cannot approve it: somebody else does", p.ID, name)
	}
	of.By = slices.DeleteFunc(of.By, func(s Signature) bool { return s.Name == name })
	of.By = append(of.By, sign("approve", p, of.Author.Name, name, key))
	return nil
}

func sign(what string, p *Policy, author, name string, key ed25519.PrivateKey) Signature {
	sig := ed25519.Sign(key, statementOf(what, p.ID, p.Digest(), author, name))
	return Signature{name, base64.StdEncoding.EncodeToString(sig)}
}

// approved finds protected policies that may not be loaded.
func (b *Bundle) approved(files []File, opt *Options) (errs []error) {
	var a Approvals
	for _, f := range files {
		read, err := ParseApprovals(f)
		if err != nil {
			return append(errs, err)
		}
		a.Approvals = append(a.Approvals, read.Approvals...)
	}
	for _, id := range opt.Protected {
		if p := b.Find(id); p == nil || !p.Protected {
			errs = append(errs, fmt.Errorf("policy %s is to be there, and @protected, by the configuration (policy.protected)", id))
		}
	}
	if opt.Unapproved {
		return errs
	}
	for _, p := range b.policies {
		if !p.Protected {
			continue
		}
		if err := opt.approves(p, a.Of(p.ID)); err != nil {
			errs = append(errs, &strictyaml.Problem{File: p.File, Line: p.Line, Column: 1, Err: fmt.Errorf("policy %s is protected and may not be loaded: %w", p.ID, err)})
		}
	}
	return errs
}

// approves says what a is short of.
func (o *Options) approves(p *Policy, a *Approval) error {
	switch {
	case len(o.Approvers) == 0:
		return errors.New("the configuration names nobody who could approve it (policy.approvers)")
	case a == nil:
		return errors.New("it has no author and no approval: ringwall policy sign, then ringwall policy approve")
	case a.SHA256 != p.Digest():
		return fmt.Errorf("its text has changed since %s signed it: ringwall policy sign, then ringwall policy approve", a.Author.Name)
	}
	author, err := o.verify("author", p, a.Author.Name, a.Author)
	if err != nil {
		return fmt.Errorf("its author: %w", err)
	}
	good := map[string]bool{} // by key: two names do not make two people
	for _, s := range a.By {
		who, err := o.verify("approve", p, a.Author.Name, s)
		switch {
		case err != nil:
			return fmt.Errorf("its approval: %w", err)
		case who.Key.Equal(author.Key):
			return fmt.Errorf("%s wrote it and cannot approve it", s.Name)
		}
		good[string(who.Key)] = true
	}
	if want := max(1, o.Approvals); len(good) < want {
		return fmt.Errorf("it has %d of %d approvals by others than %s: ringwall policy approve", len(good), want, a.Author.Name)
	}
	return nil
}

func (o *Options) verify(what string, p *Policy, author string, s Signature) (Approver, error) {
	i := slices.IndexFunc(o.Approvers, func(a Approver) bool { return a.Name == s.Name })
	if i < 0 || len(o.Approvers[i].Key) != ed25519.PublicKeySize {
		return Approver{}, fmt.Errorf("%q is no approver of the configuration", clip(s.Name))
	}
	sig, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil || !ed25519.Verify(o.Approvers[i].Key, statementOf(what, p.ID, p.Digest(), author, s.Name), sig) {
		return Approver{}, fmt.Errorf("the signature of %s is not valid", s.Name)
	}
	return o.Approvers[i], nil
}

// ParsePublicKey reads an Ed25519 public key: PEM, or the base64 of it or of its 32
// bytes.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	text = strings.TrimSpace(text)
	der := []byte(nil)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		if len(raw) == ed25519.PublicKeySize {
			return raw, nil
		}
		der = raw
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	key, ok := parsed.(ed25519.PublicKey)
	if err != nil || !ok {
		return nil, errors.New("want an Ed25519 public key: PEM, or its base64, as ringwall policy keygen prints it")
	}
	return key, nil
}

// ParsePrivateKey reads an Ed25519 private key, PKCS #8 in PEM.
func ParsePrivateKey(text []byte) (ed25519.PrivateKey, error) {
	if block, _ := pem.Decode(text); block != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if key, ok := parsed.(ed25519.PrivateKey); ok && err == nil {
			return key, nil
		}
	}
	return nil, errors.New("want an Ed25519 private key in PEM, as of ringwall policy keygen or openssl genpkey -algorithm ed25519")
}
