package peer

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
)

// Config says whose certificates are taken, and who their holders are.
type Config struct {
	CA         File       // certificates of CAs, PEM; required
	CRLs       []File     // revocation lists, PEM or DER; none: nothing is revoked
	Domains    []string   // SPIFFE trust domains that are allowed
	Identities []Identity // the first that fits counts
}

// File is one that was read, and its name for errors.
type File struct {
	Name string
	Data []byte
}

// Book is what is known of the certificates of clients. It does not change.
type Book struct {
	pool       *x509.CertPool
	roots      map[string]struct{} // by their DER
	lists      map[string]*list    // by the DER of the issuer's name; nil: nothing is revoked
	domains    []string
	identities []identity
}

// Read makes a Book of its files, or says what is wrong with them.
func Read(cfg Config) (*Book, error) {
	b := &Book{pool: x509.NewCertPool(), roots: map[string]struct{}{}, domains: cfg.Domains}
	for rest := cfg.CA.Data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("reading the CAs of clients: %s holds a %.40q: want certificates alone", cfg.CA.Name, block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading the CAs of clients: %s: %w", cfg.CA.Name, err)
		}
		if !c.IsCA {
			return nil, fmt.Errorf("reading the CAs of clients: %s: %q is no CA", cfg.CA.Name, c.Subject)
		}
		b.pool.AddCert(c)
		b.roots[string(c.Raw)] = struct{}{}
	}
	if len(b.roots) == 0 {
		return nil, fmt.Errorf("reading the CAs of clients: %s holds no certificate in PEM", cfg.CA.Name)
	}
	if err := b.read(cfg.CRLs); err != nil {
		return nil, err
	}
	for i, id := range cfg.Identities {
		made, err := id.compile(cfg.Domains)
		if err != nil {
			return nil, fmt.Errorf("identity %d of clients: %w", i+1, err)
		}
		b.identities = append(b.identities, made)
	}
	return b, nil
}

// Pool returns the CAs, for a tls.Config.
func (b *Book) Pool() *x509.CertPool { return b.pool }

// Peers prove callers by certificates. It is safe for concurrent use. Before Use it
// takes none.
type Peers struct {
	book atomic.Pointer[Book]
	now  func() time.Time
}

// New returns Peers that take no certificate. Now is time.Now where it is nil.
func New(now func() time.Time) *Peers {
	if now == nil {
		now = time.Now
	}
	return &Peers{now: now}
}

// Use puts b in force; nil: no certificate is taken.
func (p *Peers) Use(b *Book) { p.book.Store(b) }

var (
	errOff   = errors.New("client certificates are not taken")
	errEmpty = errors.New("there is no certificate")
	errOther = errors.New("none of the chains ends in a CA that is trusted now")
)

// Check refuses certificates that are not, or no more, good. Chains are those that
// crypto/tls verified; one that holds is enough. Every error wraps
// [ringwall.ErrUnauthenticated].
func (p *Peers) Check(chains [][]*x509.Certificate) error {
	if err := p.check(chains); err != nil {
		return fmt.Errorf("%w: %w", ringwall.ErrUnauthenticated, err)
	}
	return nil
}

func (p *Peers) check(chains [][]*x509.Certificate) error {
	b := p.book.Load()
	if b == nil {
		return errOff
	}
	err := errOther
	for _, chain := range chains {
		if err = b.check(chain, p.now()); err == nil {
			return nil
		}
	}
	return err
}

// check looks again at what may have changed since a chain was verified.
func (b *Book) check(chain []*x509.Certificate, now time.Time) error {
	if len(chain) == 0 {
		return errEmpty
	}
	for _, c := range chain {
		switch {
		case now.Before(c.NotBefore):
			return fmt.Errorf("certificate %s is not valid before %s", serial(c), c.NotBefore.UTC().Format(time.RFC3339))
		case now.After(c.NotAfter):
			return fmt.Errorf("certificate %s expired at %s", serial(c), c.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	if _, ok := b.roots[string(chain[len(chain)-1].Raw)]; !ok {
		return errOther
	}
	return b.revoked(chain, now)
}

// Authenticate returns the principal that a verified chain proves, the leaf first: its
// ID is what of the certificate says who it is, its Key the serial number. Every error
// wraps [ringwall.ErrUnauthenticated].
func (p *Peers) Authenticate(_ context.Context, chain []*x509.Certificate) (ringwall.Principal, error) {
	b := p.book.Load()
	err := errOff
	if b != nil {
		err = b.check(chain, p.now())
	}
	if err == nil {
		var who ringwall.Principal
		if who, err = b.who(chain[0]); err == nil {
			return who, nil
		}
	}
	return ringwall.Principal{}, fmt.Errorf("%w: %w", ringwall.ErrUnauthenticated, err)
}

// serial is the number of a certificate, which is public and by which it is revoked.
func serial(c *x509.Certificate) string { return "serial:" + c.SerialNumber.Text(16) }

// who finds the identity of a leaf.
func (b *Book) who(leaf *x509.Certificate) (ringwall.Principal, error) {
	names, err := b.names(leaf)
	if err != nil {
		return ringwall.Principal{}, fmt.Errorf("certificate %s: %w", serial(leaf), err)
	}
	for i := range b.identities {
		id := &b.identities[i]
		if at := slices.IndexFunc(names, id.fits); at >= 0 {
			p := id.principal
			p.ID, p.Key = names[at].String(), serial(leaf)
			return p, nil
		}
	}
	return ringwall.Principal{}, fmt.Errorf("certificate %s: no identity fits %.300q", serial(leaf), names)
}
