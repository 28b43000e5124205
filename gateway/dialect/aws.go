package dialect

import (
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/sigv4"
)

// AWS is what the APIs of Amazon Bedrock do alike, for embedding.
type AWS struct{}

var _ gateway.Signed = AWS{}

// Signature implements gateway.Signed: AWS Signature Version 4.
func (AWS) Signature(r *http.Request) (gateway.Signature, error) {
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

// KeyID implements gateway.Signature.
func (s signature) KeyID() string { return s.claim.KeyID }

// Verify implements gateway.Signature.
func (s signature) Verify(r *http.Request, body []byte, secret string, now time.Time) error {
	return s.claim.Verify(r, sha256.Sum256(body), secret, "bedrock", now)
}
