package peer_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/peer"
)

var identities = []peer.Identity{
	{SPIFFE: "spiffe://example.org/ns/shop/sa/*", Tenant: "shop", Trust: ringwall.Customer, Roles: []string{"b", "a"}, Scopes: []string{"ask-model"}},
	{SPIFFE: "spiffe://example.org/admin/**", Trust: ringwall.Operator},
	{DNS: "batch.shop.example", Tenant: "batch", Trust: ringwall.Verified},
	{DNS: "*.internal.example", Tenant: "internal", Trust: ringwall.Staff},
	{Subject: "CN=old,O=Shop", Tenant: "old", Trust: ringwall.Verified},
}

func read(t testing.TB, cfg peer.Config) *peer.Book {
	t.Helper()
	if cfg.Domains == nil {
		cfg.Domains = []string{"example.org"}
	}
	if cfg.Identities == nil {
		cfg.Identities = identities
	}
	b, err := peer.Read(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func refused(t testing.TB, p *peer.Peers, chain []*x509.Certificate, want string) {
	t.Helper()
	who, err := p.Authenticate(context.Background(), chain)
	if !errors.Is(err, ringwall.ErrUnauthenticated) || !reflect.DeepEqual(who, ringwall.Principal{}) || !strings.Contains(err.Error(), want) {
		t.Errorf("%+v, %v; want %q", who, err, want)
	}
}

func TestWhoseCertificate(t *testing.T) {
	root := newCA(t, "root", nil)
	p := peer.New(func() time.Time { return noon })
	p.Use(read(t, peer.Config{CA: root.file()}))
	both := func(a, b func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) { a(c); b(c) }
	}
	for _, tt := range []struct {
		name   string
		change func(*x509.Certificate)
		id     string // "" where it is refused
		tenant string // or the cause
	}{
		{"a SPIFFE id", uris("spiffe://example.org/ns/shop/sa/web"), "spiffe://example.org/ns/shop/sa/web", "shop"},
		{"one that is longer", uris("spiffe://example.org/ns/shop/sa/web/x"), "", "no identity fits"},
		{"one that is shorter", uris("spiffe://example.org/ns/shop/sa"), "", "no identity fits"},
		{"one below", uris("spiffe://example.org/admin/a/b/c"), "spiffe://example.org/admin/a/b/c", ""},
		{"one above", uris("spiffe://example.org/admin"), "", "no identity fits"},
		{"a foreign trust domain", uris("spiffe://evil.example/ns/shop/sa/web"), "", `trust domain "evil.example" is not allowed`},
		{"a trust domain that ends alike", uris("spiffe://xexample.org/ns/shop/sa/web"), "", "is not allowed"},
		{"two ids", uris("spiffe://example.org/ns/shop/sa/web", "spiffe://example.org/admin/a"), "", "exactly one URI, and this has 2"},
		{"an id and another URI", uris("https://example.org/", "spiffe://example.org/admin/a"), "", "exactly one URI"},
		{"an id and a name", both(uris("spiffe://evil.example/x"), names("batch.shop.example")), "", "is not allowed"},
		{"an id without a path", uris("spiffe://example.org"), "", "no SPIFFE id"},
		{"an id that ends in a slash", uris("spiffe://example.org/ns/shop/sa/"), "", "not well formed"},
		{"an id with dots", uris("spiffe://example.org/ns/shop/sa/../x"), "", "not well formed"},
		{"an id with a port", uris("spiffe://example.org:1/ns/shop/sa/web"), "", "no SPIFFE id"},
		{"an id with a user", uris("spiffe://u@example.org/ns/shop/sa/web"), "", "no SPIFFE id"},
		{"an id with a query", uris("spiffe://example.org/ns/shop/sa/web?x"), "", "no SPIFFE id"},
		{"an id with an escape", uris("spiffe://example.org/ns/shop/sa/%77eb"), "", "no SPIFFE id"},
		{"a long id", uris("spiffe://example.org/admin/" + strings.Repeat("a", 2048)), "", "no SPIFFE id"},
		{"an id of a CA", both(uris("spiffe://example.org/ns/shop/sa/web"), func(c *x509.Certificate) { c.IsCA = true }), "", "is no CA"},
		{"an id that signs certificates", both(uris("spiffe://example.org/ns/shop/sa/web"), func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }), "", "not for signing"},
		{"an id without a usage", both(uris("spiffe://example.org/ns/shop/sa/web"), func(c *x509.Certificate) { c.KeyUsage = 0 }), "", "digital signatures"},
		{"a name", names("batch.shop.example"), "dns:batch.shop.example", "batch"},
		{"a name in capitals", names("BATCH.shop.example"), "dns:batch.shop.example", "batch"},
		{"a name among others", names("x.example", "batch.shop.example"), "dns:batch.shop.example", "batch"},
		{"a name that a star stands for", names("a.internal.example"), "dns:a.internal.example", "internal"},
		{"two labels", names("a.b.internal.example"), "", "no identity fits"},
		{"a star itself", names("*.internal.example"), "", "no identity fits"},
		{"another name", names("shop.example"), "", "no identity fits"},
		{"a URI of another kind", both(uris("https://example.org/admin/a"), names("batch.shop.example")), "dns:batch.shop.example", "batch"},
		{"a subject", subject(pkix.Name{CommonName: "old", Organization: []string{"Shop"}}), "subject:CN=old,O=Shop", "old"},
		{"a subject with more", subject(pkix.Name{CommonName: "old", Organization: []string{"Shop", "Evil"}}), "", "no identity fits"},
		{"a subject with a comma in it", subject(pkix.Name{CommonName: "old,O=Shop"}), "", "no identity fits"},
		{"nothing", func(*x509.Certificate) {}, "", "no identity fits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaf := root.leaf(t, tt.change)
			chain := []*x509.Certificate{leaf, root.Certificate}
			if tt.id == "" {
				refused(t, p, chain, tt.tenant)
				return
			}
			who, err := p.Authenticate(t.Context(), chain)
			if err != nil || who.ID != tt.id || who.Tenant != tt.tenant || who.Via != "certificate" || who.Key != "serial:"+leaf.SerialNumber.Text(16) || who.Trust == ringwall.Anonymous {
				t.Errorf("%+v, %v", who, err)
			}
			if tt.tenant == "shop" && (!reflect.DeepEqual(who.Roles, []string{"a", "b"}) || !reflect.DeepEqual(who.Scopes, []string{"ask-model"})) {
				t.Errorf("%+v", who)
			}
		})
	}
}

// A subject that says a thing twice is not one that says it once.
func TestSubjectsWithDoubles(t *testing.T) {
	root := newCA(t, "root", nil)
	p := peer.New(func() time.Time { return noon })
	p.Use(read(t, peer.Config{CA: root.file()}))
	name := func(oid asn1.ObjectIdentifier, v string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: v}}
	}
	raw, err := asn1.Marshal(pkix.RDNSequence{
		name(asn1.ObjectIdentifier{2, 5, 4, 10}, "Shop"), name(asn1.ObjectIdentifier{2, 5, 4, 3}, "evil"), name(asn1.ObjectIdentifier{2, 5, 4, 3}, "old"),
	})
	if err != nil {
		t.Fatal(err)
	}
	leaf := root.leaf(t, func(c *x509.Certificate) { c.RawSubject = raw })
	if leaf.Subject.CommonName != "old" {
		t.Fatalf("subject %v", leaf.Subject)
	}
	refused(t, p, []*x509.Certificate{leaf, root.Certificate}, "no identity fits")
}

func TestCheckLooksAgain(t *testing.T) {
	now := noon
	root, other := newCA(t, "root", nil), newCA(t, "other", nil)
	between := newCA(t, "between", root)
	leaf := between.leaf(t, names("batch.shop.example"))
	chain := []*x509.Certificate{leaf, between.Certificate, root.Certificate}
	p := peer.New(func() time.Time { return now })
	refused(t, p, chain, "not taken")
	p.Use(read(t, peer.Config{CA: root.file()}))
	good := func() {
		t.Helper()
		if err := p.Check([][]*x509.Certificate{chain}); err != nil {
			t.Error(err)
		}
		if _, err := p.Authenticate(t.Context(), chain); err != nil {
			t.Error(err)
		}
	}
	bad := func(want string) {
		t.Helper()
		if err := p.Check([][]*x509.Certificate{chain}); !errors.Is(err, ringwall.ErrUnauthenticated) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		refused(t, p, chain, want)
	}
	good()
	refused(t, p, nil, "no certificate")
	if err := p.Check(nil); !errors.Is(err, ringwall.ErrUnauthenticated) {
		t.Errorf("no chain: %v", err)
	}
	now = noon.Add(time.Hour + time.Second)
	bad("expired at 2026-03-01T13:00:00Z")
	now = noon.Add(-time.Hour - time.Second)
	bad("not valid before")
	now = noon

	p.Use(read(t, peer.Config{CA: other.file()}))
	bad("trusted now")
	p.Use(read(t, peer.Config{CA: peer.File{Name: "both", Data: append(other.pem(), root.pem()...)}}))
	good()

	lists := func(files ...peer.File) { p.Use(read(t, peer.Config{CA: root.file(), CRLs: files})) }
	lists(root.crl(t, nil))
	bad(`no revocation list of "CN=between"`)
	lists(between.crl(t, nil))
	bad(`no revocation list of "CN=root"`)
	lists(between.crl(t, nil), root.crl(t, nil))
	good()
	good() // with what is remembered of the signature
	lists(between.crl(t, nil, leaf), root.crl(t, nil))
	bad("is revoked")
	lists(between.crl(t, nil), root.crl(t, nil, between.Certificate))
	bad("is revoked")
	lists(between.crl(t, nil, leaf), between.crl(t, func(l *x509.RevocationList) { l.ThisUpdate = noon.Add(-time.Minute) }), root.crl(t, nil))
	good() // the newer list of an issuer counts
	lists(between.crl(t, func(l *x509.RevocationList) { l.NextUpdate = noon.Add(-time.Second) }), root.crl(t, nil))
	bad("ended at")
	lists(between.crl(t, func(l *x509.RevocationList) { l.ThisUpdate = noon.Add(time.Second) }), root.crl(t, nil))
	bad("of the future")
	forged := newCA(t, "between", other)
	lists(forged.crl(t, nil), root.crl(t, nil))
	bad("did not sign")
}

func TestReadRefuses(t *testing.T) {
	root := newCA(t, "root", nil)
	leaf := root.leaf(t, names("a.example"))
	critical := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}
	for name, tt := range map[string]struct {
		cfg  peer.Config
		want string
	}{
		"no CA":            {peer.Config{CA: peer.File{Name: "x.pem"}}, "x.pem holds no certificate"},
		"another PEM":      {peer.Config{CA: peer.File{Name: "x.pem", Data: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})}}, `holds a "PRIVATE KEY"`},
		"a broken CA":      {peer.Config{CA: peer.File{Name: "x.pem", Data: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}})}}, "x.pem: x509"},
		"no CA but a leaf": {peer.Config{CA: peer.File{Name: "x.pem", Data: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})}}, "is no CA"},
		"an empty list":    {peer.Config{CA: root.file(), CRLs: []peer.File{{Name: "x.crl"}}}, "x.crl: there is none in it"},
		"a broken list":    {peer.Config{CA: root.file(), CRLs: []peer.File{{Name: "x.crl", Data: []byte("x")}}}, "x.crl: x509"},
		"a delta list":     {peer.Config{CA: root.file(), CRLs: []peer.File{root.crl(t, func(l *x509.RevocationList) { l.ExtraExtensions = []pkix.Extension{critical} })}}, "critical extension 2.5.29.27"},
		"an entry of another issuer": {peer.Config{CA: root.file(), CRLs: []peer.File{root.crl(t, func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(1), RevocationTime: noon, ExtraExtensions: []pkix.Extension{critical}}}
		})}}, "is not understood"},
		"no identity":                  {peer.Config{CA: root.file(), Identities: []peer.Identity{{Trust: ringwall.Staff}}}, "want one of"},
		"two at once":                  {peer.Config{CA: root.file(), Identities: []peer.Identity{{DNS: "a.example", Subject: "CN=a", Trust: ringwall.Staff}}}, "want one of"},
		"an identity of no trust":      {peer.Config{CA: root.file(), Identities: []peer.Identity{{DNS: "a.example"}}}, "must prove something"},
		"an unknown scope":             {peer.Config{CA: root.file(), Identities: []peer.Identity{{DNS: "a.example", Trust: ringwall.Staff, Scopes: []string{"x"}}}}, "is unknown"},
		"a star within a name":         {peer.Config{CA: root.file(), Identities: []peer.Identity{{DNS: "a.*.example", Trust: ringwall.Staff}}}, "no DNS name"},
		"a star alone":                 {peer.Config{CA: root.file(), Identities: []peer.Identity{{DNS: "*", Trust: ringwall.Staff}}}, "no DNS name"},
		"a domain that is not allowed": {peer.Config{CA: root.file(), Identities: []peer.Identity{{SPIFFE: "spiffe://a.example/x", Trust: ringwall.Staff}}}, "not among those"},
		"a star as a domain":           {peer.Config{CA: root.file(), Domains: []string{"*"}, Identities: []peer.Identity{{SPIFFE: "spiffe://*/x", Trust: ringwall.Staff}}}, "no SPIFFE id"},
		"an id of another scheme":      {peer.Config{CA: root.file(), Identities: []peer.Identity{{SPIFFE: "https://a.example/x", Trust: ringwall.Staff}}}, "no SPIFFE id"},
		"two stars in the middle":      {peer.Config{CA: root.file(), Domains: []string{"a"}, Identities: []peer.Identity{{SPIFFE: "spiffe://a/**/x", Trust: ringwall.Staff}}}, "no SPIFFE id"},
		"brackets":                     {peer.Config{CA: root.file(), Domains: []string{"a"}, Identities: []peer.Identity{{SPIFFE: "spiffe://a/[x]", Trust: ringwall.Staff}}}, "no SPIFFE id"},
	} {
		if _, err := peer.Read(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// Whatever stands in a certificate's URI, only well-formed ids of the domain prove
// anybody, and as they stand there.
func FuzzURI(f *testing.F) {
	root := newCA(f, "root", nil)
	p := peer.New(func() time.Time { return noon })
	p.Use(read(f, peer.Config{CA: root.file(), Identities: []peer.Identity{{SPIFFE: "spiffe://example.org/**", Trust: ringwall.Staff}}}))
	for _, s := range []string{"spiffe://example.org/a", "spiffe://example.org", "SPIFFE://EXAMPLE.org/a", "spiffe://example.org/a/../b", "spiffe://example.org/%61", "spiffe:opaque", "spiffe://example.org/a#b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil {
			return
		}
		leaf := *template(func(c *x509.Certificate) { c.URIs = []*url.URL{u} })
		who, err := p.Authenticate(context.Background(), []*x509.Certificate{&leaf, root.Certificate})
		if err != nil {
			return
		}
		rest, ok := strings.CutPrefix(who.ID, "spiffe://example.org/")
		if !ok || rest == "" || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") != "" || strings.Contains("/"+rest+"/", "//") || strings.Contains("/"+rest+"/", "/../") || !strings.EqualFold(who.ID[:9], s[:9]) || who.ID[9:] != s[9:] {
			t.Errorf("%q proves %q", s, who.ID)
		}
	})
}

func FuzzCRL(f *testing.F) {
	root := newCA(f, "root", nil)
	leaf := root.leaf(f, names("batch.shop.example"))
	f.Add(root.crl(f, nil, leaf).Data)
	f.Add([]byte("-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := peer.Read(peer.Config{CA: root.file(), CRLs: []peer.File{{Name: "x", Data: data}}, Identities: identities, Domains: []string{"example.org"}})
		if err != nil {
			return
		}
		p := peer.New(func() time.Time { return noon })
		p.Use(b)
		if _, err := p.Authenticate(context.Background(), []*x509.Certificate{leaf, root.Certificate}); err == nil {
			t.Error("a list that its issuer did not make lets pass what it revoked")
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	root := newCA(b, "root", nil)
	leaf := root.leaf(b, uris("spiffe://example.org/ns/shop/sa/web"))
	p := peer.New(func() time.Time { return noon })
	p.Use(read(b, peer.Config{CA: root.file(), CRLs: []peer.File{root.crl(b, nil)}}))
	chain := []*x509.Certificate{leaf, root.Certificate}
	b.Run("whose it is", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Authenticate(b.Context(), chain); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("whether it is good", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Check([][]*x509.Certificate{chain}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
