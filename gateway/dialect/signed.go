package dialect

import (
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/sigv4"
)

// Signed lets the requests of an API of Amazon Bedrock be signed with AWS Signature
// Version 4. It implements gateway.Signed for what it is embedded in.
type Signed struct{}

// Signature implements gateway.Signed.
func (Signed) Signature(r *http.Request) (gateway.Signature, error) {
	if !sigv4.Claims(r) {
		return nil, nil
	}
	c, err := sigv4.Parse(r)
	if err != nil {
		return nil, err
	}
	return signature{c}, nil
}

// signature implements gateway.Signature.
type signature struct{ claim *sigv4.Claim }

func (s signature) KeyID() string { return s.claim.KeyID }

func (s signature) Verify(r *http.Request, body []byte, secret string, now time.Time) error {
	return s.claim.Verify(r, sha256.Sum256(body), secret, "bedrock", now)
}
