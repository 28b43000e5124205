package token

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

const (
	maxRoles = 256
	maxWord  = 256 // bytes, of a role, a tenant, a scope
)

// at returns the claim at a path. A claim whose name has dots goes before a nested one.
func at(v jsonedit.Value, path string) jsonedit.Value {
	if found := v.Get(path); found.Exists() {
		return found
	}
	for i := range len(path) {
		if path[i] == '.' {
			if inner := v.Get(path[:i]); inner.Kind() == jsonedit.Object {
				if found := at(inner, path[i+1:]); found.Exists() {
					return found
				}
			}
		}
	}
	return jsonedit.Value{}
}

// words returns what a claim says: a text, true, or the texts of a list. What would be
// misread elsewhere is left out.
func (c *claims) words(path string) []string {
	v := at(c.Value, path)
	var all []string
	add := func(v jsonedit.Value) {
		if v.Kind() == jsonedit.String && clean(v.Text()) && len(all) < maxRoles {
			all = append(all, v.Text())
		}
	}
	switch v.Kind() {
	case jsonedit.Bool:
		return []string{string(v.Raw())}
	case jsonedit.Array:
		for _, e := range v.Elems() {
			add(e)
		}
	default:
		add(v)
	}
	return all
}

// clean reports whether word can stand in a list, a log or a record.
func clean(word string) bool {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	return word != "" && len(word) <= maxWord && strings.TrimSpace(word) == word && !strings.ContainsFunc(word, odd)
}

// scopes returns what scope (RFC 8693 §4.2) or scp says, with spaces between or as a list.
func (c *claims) scopes() (all []string) {
	for _, name := range []string{"scope", "scp"} {
		v := c.Get(name)
		all = append(all, strings.Fields(v.Text())...)
		for _, e := range v.Elems() {
			all = append(all, strings.Fields(e.Text())...)
		}
	}
	return all
}

// ID returns the stable id of a person: equal for no two issuers, of which none can
// choose subjects so that it is.
func ID(issuer, subject string) string {
	h := sha256.New()
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(issuer)))
	h.Write(size[:])
	h.Write([]byte(issuer))
	h.Write([]byte(subject))
	return "u_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:20]))
}

// id returns the ID of the Principal that subject is.
func (i *issuer) id(subject string) (string, error) {
	if !i.Map.Subject {
		return ID(i.URL, subject), nil
	}
	if !clean(subject) {
		return "", errors.New("its subject has characters that cannot be shown")
	}
	return i.Name + ":" + subject, nil
}

// principal maps claims.
func (i *issuer) principal(c *claims) (p ringwall.Principal, err error) {
	m := &i.Map
	none := ringwall.Principal{}
	if p.ID, err = i.id(c.subject); err != nil {
		return none, err
	}
	if m.EmailVerified && !slices.Equal(c.words("email_verified"), []string{"true"}) {
		return none, errors.New("it does not say that the e-mail address is verified")
	}
	if p.Tenant = m.Tenant; m.TenantClaim != "" {
		v := at(c.Value, m.TenantClaim)
		if p.Tenant = v.Text(); !clean(p.Tenant) {
			return none, fmt.Errorf("it names no tenant: want a text in %s", m.TenantClaim)
		}
	}
	for _, path := range m.Roles {
		p.Roles = append(p.Roles, c.words(path)...)
	}
	slices.Sort(p.Roles)
	if p.Roles = slices.Compact(p.Roles); len(p.Roles) > maxRoles {
		return none, fmt.Errorf("it has more than %d roles", maxRoles)
	}
	p.Trust = m.Trust
	for _, r := range m.Rules {
		said := c.words(r.Claim)
		if r.Claim == "scope" || r.Claim == "scp" {
			said = c.scopes()
		}
		if slices.Contains(said, r.Value) {
			p.Trust = max(p.Trust, r.Trust)
		}
	}
	if m.ScopePrefix != "" {
		p.Scopes = []string{}
		for _, s := range c.scopes() {
			if rest, ok := strings.CutPrefix(s, m.ScopePrefix); ok && clean(rest) && len(p.Scopes) < maxRoles {
				p.Scopes = append(p.Scopes, rest)
			}
		}
	}
	p.Via, p.Proved = "token", c.proved
	if acr := c.text("acr"); clean(acr) {
		p.ACR = acr
	}
	if clean(c.client) {
		p.Key = c.client
	}
	return p, nil
}
