package peer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"
)

// list is what an issuer revoked.
type list struct {
	name    string // of its file
	crl     *x509.RevocationList
	serials map[string]struct{}
	signed  sync.Map // DER of an issuer's certificate → whether it signed the list
}

// read takes the revocation lists. Of several of one issuer the newest counts.
func (b *Book) read(files []File) error {
	if len(files) > 0 {
		b.lists = map[string]*list{}
	}
	for _, f := range files {
		found := 0
		for der := range ders(f.Data) {
			l, err := parse(f.Name, der)
			if err != nil {
				return fmt.Errorf("reading the revocation list %s: %w", f.Name, err)
			}
			found++
			issuer := string(l.crl.RawIssuer)
			if old, ok := b.lists[issuer]; !ok || old.crl.ThisUpdate.Before(l.crl.ThisUpdate) {
				b.lists[issuer] = l
			}
		}
		if found == 0 {
			return fmt.Errorf("reading the revocation list %s: there is none in it, in PEM or DER", f.Name)
		}
	}
	return nil
}

// ders yields the lists of a file.
func ders(data []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		if !bytes.Contains(data, []byte("-----BEGIN")) {
			if len(data) > 0 {
				yield(data)
			}
			return
		}
		for {
			var block *pem.Block
			if block, data = pem.Decode(data); block == nil || !yield(block.Bytes) {
				return
			}
		}
	}
}

func parse(name string, der []byte) (*list, error) {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	for _, e := range crl.Extensions {
		if e.Critical { // RFC 5280 §5.2: delta lists, and those of a part of what was issued
			return nil, fmt.Errorf("it has the critical extension %v: want a whole list of all that its issuer revoked", e.Id)
		}
	}
	if crl.NextUpdate.IsZero() {
		return nil, errors.New("it does not say when the next one comes, so nobody can tell whether it is current")
	}
	l := &list{name: name, crl: crl, serials: make(map[string]struct{}, len(crl.RevokedCertificateEntries))}
	for _, e := range crl.RevokedCertificateEntries {
		for _, x := range e.Extensions {
			if x.Critical { // such as the issuer of another's certificate
				return nil, fmt.Errorf("its entry %x has the critical extension %v, which is not understood", e.SerialNumber, x.Id)
			}
		}
		l.serials[string(e.SerialNumber.Bytes())] = struct{}{}
	}
	return l, nil
}

// by reports whether issuer signed the list.
func (l *list) by(issuer *x509.Certificate) bool {
	if known, ok := l.signed.Load(string(issuer.Raw)); ok {
		return known.(bool)
	}
	ok := l.crl.CheckSignatureFrom(issuer) == nil
	l.signed.Store(string(issuer.Raw), ok) // few: issuers are CAs that were verified
	return ok
}

// revoked refuses a chain of which a certificate is revoked, or may be: of all but the
// root the issuer must have a list that is current.
func (b *Book) revoked(chain []*x509.Certificate, now time.Time) error {
	if b.lists == nil {
		return nil
	}
	for i, c := range chain[:len(chain)-1] {
		l, ok := b.lists[string(c.RawIssuer)]
		switch {
		case !ok:
			return fmt.Errorf("certificate %s: there is no revocation list of %q", serial(c), c.Issuer)
		case !l.by(chain[i+1]):
			return fmt.Errorf("certificate %s: its issuer did not sign the revocation list %s", serial(c), l.name)
		case now.Before(l.crl.ThisUpdate):
			return fmt.Errorf("certificate %s: the revocation list %s is of the future, %s", serial(c), l.name, l.crl.ThisUpdate.Format(time.RFC3339))
		case now.After(l.crl.NextUpdate):
			return fmt.Errorf("certificate %s: the revocation list %s ended at %s", serial(c), l.name, l.crl.NextUpdate.Format(time.RFC3339))
		}
		if _, bad := l.serials[string(c.SerialNumber.Bytes())]; bad {
			return fmt.Errorf("certificate %s is revoked", serial(c))
		}
	}
	return nil
}
