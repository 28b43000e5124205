package secret

import (
	"bytes"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// maxJWTHeader bounds the header of a token.
const maxJWTHeader = 2048

// readJWT reads a JSON Web Token: two parts of base64url that begin as the
// encoding of `{"` does, and a signature (RFC 7519). The header alone tells
// nothing; once the payload has begun as well, the rest is swallowed.
func (c *cursor) readJWT(w stream.Window, i int) (m stream.Match, look stream.Look) {
	t, payload := w.Clean, []byte(".eyJ")
	j := max(c.run-w.Base, i) // where the last look at these characters ended
	for j < len(t) && urlSafe[t[j]] && j-i < maxJWTHeader {
		j++
	}
	c.run = w.Base + j
	head := t[j:min(len(t), j+len(payload))]
	switch {
	case j-i >= maxJWTHeader:
		return m, stream.No
	case len(head) < len(payload) && bytes.HasPrefix(payload, head):
		return m, unless(w.Final)
	case j-i < 10 || !bytes.Equal(head, payload):
		return m, stream.No
	}
	return stream.Match{Start: i, End: j + len(payload), Reason: "jwt", Severity: ringwall.High, Score: 0.99}, stream.Yes
}
