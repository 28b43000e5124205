package auth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
)

// Tokens proves callers by something signed or kept for them: a JSON Web Token, a
// session. The error wraps [ringwall.ErrUnauthenticated]. Implementations are safe for
// concurrent use.
type Tokens interface {
	Authenticate(ctx context.Context, token string) (ringwall.Principal, error)
}

// Peers proves callers by the certificate of their TLS connection. The error wraps
// [ringwall.ErrUnauthenticated]. Implementations are safe for concurrent use.
type Peers interface {
	Authenticate(ctx context.Context, chain []*x509.Certificate) (ringwall.Principal, error)
}

// Callers are all ways in which callers prove who they are. Which one it is, the form
// of what they show says: no credential is tried in two ways.
type Callers struct {
	Keys     *Keys  // texts that begin like keys
	Tokens   Tokens // three parts with dots between them; nil: none is taken
	Sessions Tokens // texts that begin like sessions; nil: none is taken
	Peers    Peers  // certificates, where nothing else is shown; nil: none is taken
}

// SessionMark begins the texts of sessions.
const SessionMark = "rws_"

var errNoKind = errors.New("nobody takes a credential of this kind")

// Authenticate returns the principal that c proves. Every error wraps
// [ringwall.ErrUnauthenticated].
func (a *Callers) Authenticate(ctx context.Context, c ringwall.Credential) (ringwall.Principal, error) {
	switch {
	case c.Bearer == "" && len(c.Certificates) > 0 && a.Peers != nil:
		return a.Peers.Authenticate(ctx, c.Certificates)
	case strings.HasPrefix(c.Bearer, SessionMark) && a.Sessions != nil:
		return a.Sessions.Authenticate(ctx, c.Bearer)
	case strings.Count(c.Bearer, ".") == 2 && a.Tokens != nil:
		return a.Tokens.Authenticate(ctx, c.Bearer)
	case c.Bearer != "":
		return a.Keys.Authenticate(ctx, c.Bearer)
	}
	return ringwall.Principal{}, fmt.Errorf("%w: %w", ringwall.ErrUnauthenticated, errNoKind)
}

// Signing implements what callers that sign need: see [Keys.Signing].
func (a *Callers) Signing(ctx context.Context, keyID string) (ringwall.Principal, string, error) {
	return a.Keys.Signing(ctx, keyID)
}
