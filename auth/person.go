package auth

import (
	"time"

	"github.com/ringwall/ringwall"
)

// Provider is what an OpenID provider says of itself (OpenID Connect Discovery 1.0 §3),
// as far as a browser's login needs it.
type Provider struct {
	Issuer        string
	Authorization string // endpoint
	Token         string // endpoint
	EndSession    string // endpoint; "" where it has none
	SaysIssuer    bool   // answers of its authorization endpoint name it (RFC 9207)
	SecretInBody  bool   // it takes a client's secret in the body alone
}

// Proof is what an OpenID provider said of a person who logged in.
type Proof struct {
	Principal ringwall.Principal
	Issuer    string    // its name in the configuration
	Session   string    // the provider's own session (sid); "" where it did not say
	Issued    time.Time // when it said so; zero where it did not say
}

// Session is what is known of a session: everything but its text. Times are zero when
// they have not come.
type Session struct {
	ID        string // public
	Principal ringwall.Principal
	Issuer    string // its name in the configuration
	SID       string // the issuer's own session
	Created   time.Time
	Used      time.Time // within about ten seconds
	Expires   time.Time // whether it is used or not
	Revoked   time.Time
	Why       string // it was revoked
}
