package ringwall

import (
	"context"
	"crypto/x509"
	"net/netip"
)

// Client is where a request comes from, as far as the listener and the proxies that
// are trusted say.
type Client struct {
	Addr    netip.Addr // unmapped: an IPv4 address is never written as IPv6
	Country string     // ISO 3166-1 alpha-2: "DE"; "" when nobody knows
	ASN     uint32     // number of the autonomous system; 0 when nobody knows
}

type clientKey struct{}

// WithClient returns a context of a request that comes from c.
func WithClient(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// ClientOf returns where the request of ctx comes from; the zero Client where nobody
// said.
func ClientOf(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return c
}

// Credential is what a request shows of who calls. The zero value shows nothing.
type Credential struct {
	Bearer       string              // a key, a token or a session
	Certificates []*x509.Certificate // of the client's TLS, which the listener verified, the leaf first
}

// None reports whether nothing is shown.
func (c Credential) None() bool { return c.Bearer == "" && len(c.Certificates) == 0 }
