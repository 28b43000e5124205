package peer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/ringwall/ringwall/auth/peer"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ca makes certificates.
type ca struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

var serials int64 = 1000

func template(change func(*x509.Certificate)) *x509.Certificate {
	serials++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serials), NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	change(c)
	return c
}

func sign(t testing.TB, c *x509.Certificate, by *ca) *ca {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &ca{made, key}
}

func newCA(t testing.TB, name string, by *ca) *ca {
	return sign(t, template(func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA = name, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		c.ExtKeyUsage = nil
	}), by)
}

// leaf makes a certificate of a client.
func (a *ca) leaf(t testing.TB, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	return sign(t, template(change), a).Certificate
}

func (a *ca) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Raw})
}

func (a *ca) file() peer.File { return peer.File{Name: "ca.pem", Data: a.pem()} }

// crl revokes certificates.
func (a *ca) crl(t testing.TB, change func(*x509.RevocationList), revoked ...*x509.Certificate) peer.File {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: noon.Add(-time.Hour), NextUpdate: noon.Add(time.Hour)}
	for _, c := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: noon})
	}
	if change != nil {
		change(l)
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.Certificate, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return peer.File{Name: a.Subject.CommonName + ".crl", Data: der}
}

func uris(ids ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, id := range ids {
			u, err := url.Parse(id)
			if err != nil {
				panic(err) // bug of a test
			}
			c.URIs = append(c.URIs, u)
		}
	}
}

func names(dns ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = dns }
}

func subject(s pkix.Name) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.Subject = s }
}
