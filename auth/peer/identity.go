package peer

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/scope"
)

// Identity says who the holders of certificates are. Exactly one of SPIFFE, DNS and
// Subject is set.
type Identity struct {
	SPIFFE  string // an id; a star stands for characters of one segment of the path, two at its end for all below
	DNS     string // a name among the certificate's; a star in front stands for one label
	Subject string // the whole subject, as RFC 4514 writes it: "CN=batch,O=Shop"

	Tenant string
	Trust  ringwall.Trust // more than anonymous
	Roles  []string
	Scopes []string // nil: whatever the principal may
}

// kind says what of a certificate a name is.
type kind string

const (
	spiffe  kind = "spiffe://"
	dns     kind = "dns:"
	subject kind = "subject:"
)

// name is one by which a certificate may be known.
type name struct {
	kind kind
	text string // without the kind
}

func (n name) String() string { return string(n.kind) + n.text }

// identity is an Identity that is ready to be compared.
type identity struct {
	name
	segments  []string // of a SPIFFE id
	below     bool     // it ends in two stars
	principal ringwall.Principal
}

// Check says what is wrong with i, where domains are the trust domains that are allowed.
func (i Identity) Check(domains []string) error {
	_, err := i.compile(domains)
	return err
}

func (i Identity) compile(domains []string) (identity, error) {
	out := identity{principal: ringwall.Principal{Tenant: i.Tenant, Trust: i.Trust, Via: "certificate", Scopes: slices.Clone(i.Scopes)}}
	if len(i.Roles) > 0 {
		out.principal.Roles = slices.Compact(slices.Sorted(slices.Values(i.Roles)))
	}
	if i.Trust <= ringwall.Anonymous || i.Trust > ringwall.Operator {
		return out, fmt.Errorf("trust %v: a certificate must prove something: want verified, customer, staff or operator", i.Trust)
	}
	if err := scope.Check(i.Scopes); err != nil {
		return out, err
	}
	switch {
	case i.SPIFFE != "" && i.DNS == "" && i.Subject == "":
		text, ok := strings.CutPrefix(i.SPIFFE, string(spiffe))
		domain, rest, _ := strings.Cut(text, "/")
		if !ok || !isDomain(domain) || rest == "" {
			return out, fmt.Errorf("%q is no SPIFFE id: want one such as spiffe://example.org/ns/shop/*", i.SPIFFE)
		}
		if !slices.Contains(domains, domain) {
			return out, fmt.Errorf("%q: the trust domain %s is not among those that are allowed: %s", i.SPIFFE, domain, strings.Join(domains, ", "))
		}
		out.name = name{spiffe, text}
		out.segments = strings.Split(text, "/")
		if last := len(out.segments) - 1; out.segments[last] == "**" {
			out.segments, out.below = out.segments[:last], true
		}
		for _, s := range out.segments[1:] {
			if s == "" || s == "." || s == ".." || strings.Contains(s, "**") || strings.ContainsFunc(s, func(r rune) bool { return r != '*' && !idRune(r) }) {
				return out, fmt.Errorf("%q is no SPIFFE id: want segments of letters, digits, dots, dashes, underscores and stars", i.SPIFFE)
			}
		}
	case i.DNS != "" && i.SPIFFE == "" && i.Subject == "":
		if bare := strings.TrimPrefix(i.DNS, "*."); !isDomain(bare) || i.DNS != strings.ToLower(i.DNS) {
			return out, fmt.Errorf("%q is no DNS name: want small letters, as in batch.shop.example or *.shop.example", i.DNS)
		}
		out.name = name{dns, i.DNS}
	case i.Subject != "" && i.SPIFFE == "" && i.DNS == "":
		out.name = name{subject, i.Subject}
	default:
		return out, errors.New("want one of spiffe, dns and subject")
	}
	return out, nil
}

// fits reports whether a name of a certificate is the identity's.
func (i *identity) fits(n name) bool {
	if n.kind != i.kind {
		return false
	}
	switch n.kind {
	case dns:
		if parent, star := strings.CutPrefix(i.text, "*."); star {
			_, rest, _ := strings.Cut(n.text, ".")
			return rest == parent
		}
	case spiffe:
		parts := strings.Split(n.text, "/")
		if len(parts) < len(i.segments) || len(parts) > len(i.segments) && !i.below || i.below && len(parts) == len(i.segments) {
			return false
		}
		for at, s := range i.segments {
			if ok, err := path.Match(s, parts[at]); !ok || err != nil {
				return false
			}
		}
		return true
	case subject:
	}
	return n.text == i.text
}

// names returns the names by which a leaf may be known: its SPIFFE id alone, where it
// has one, else its DNS names and its subject.
func (b *Book) names(leaf *x509.Certificate) ([]name, error) {
	if slices.ContainsFunc(leaf.URIs, func(u *url.URL) bool { return u.Scheme == "spiffe" }) {
		id, err := svid(leaf)
		if err != nil {
			return nil, err
		}
		if domain, _, _ := strings.Cut(id, "/"); !slices.Contains(b.domains, domain) {
			return nil, fmt.Errorf("the trust domain %q is not allowed", domain)
		}
		return []name{{spiffe, id}}, nil
	}
	var names []name
	for _, n := range leaf.DNSNames {
		if n = strings.ToLower(n); isDomain(n) { // names with stars are no one's
			names = append(names, name{dns, n})
		}
	}
	// Not leaf.Subject: it leaves away what comes twice.
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(leaf.RawSubject, &rdns); err == nil && len(rest) == 0 && len(rdns) > 0 {
		names = append(names, name{subject, rdns.String()})
	}
	return names, nil
}

// svid returns the SPIFFE id of an X.509-SVID, without its scheme, or says what of the
// specification it does not keep.
func svid(leaf *x509.Certificate) (string, error) {
	switch {
	case len(leaf.URIs) != 1:
		return "", fmt.Errorf("an X.509-SVID has exactly one URI, and this has %d", len(leaf.URIs))
	case leaf.IsCA:
		return "", errors.New("an X.509-SVID of a caller is no CA")
	case leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
		return "", errors.New("an X.509-SVID of a caller is for digital signatures, and not for signing certificates")
	}
	u := leaf.URIs[0]
	id := u.Host + u.Path
	if u.String() != string(spiffe)+id || len(id) > 2048-len(spiffe) || !isDomain(u.Host) || u.Path == "" {
		return "", fmt.Errorf("%.100q is no SPIFFE id with a path", u)
	}
	for s := range strings.SplitSeq(u.Path[1:], "/") {
		if s == "" || s == "." || s == ".." || strings.ContainsFunc(s, func(r rune) bool { return !idRune(r) }) {
			return "", fmt.Errorf("%.100q is no SPIFFE id: its path is not well formed", u)
		}
	}
	return id, nil
}

func idRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_'
}

// isDomain reports whether s is a trust domain, or a DNS name, in small letters.
func isDomain(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool { return !idRune(r) || 'A' <= r && r <= 'Z' })
}
