package token

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// maxToken is the size of the largest token: proxies cut headers of more.
const maxToken = 16 << 10

// What may be wrong with a token. Nothing of its text is repeated.
var (
	errShape     = errors.New("this is no signed token: want three parts of base64url")
	errHeader    = errors.New("its header cannot be read")
	errPayload   = errors.New("its claims cannot be read")
	errCritical  = errors.New("its header wants what is not understood here: crit, b64, zip, cty, enc")
	errAlgorithm = errors.New("it is signed by an algorithm that is not taken from this issuer")
	errType      = errors.New("it is no access or ID token: see typ")
	errUntrusted = errors.New("nobody configured its issuer")
	errSignature = errors.New("its signature does not fit")
	errPurpose   = errors.New("it is a security event, and proves nobody")
)

// claims are those of a token whose signature fits.
type claims struct {
	jsonedit.Value
	of      *keys
	subject string
	client  string // whom it was given to; "" where it does not say
	expires time.Time
	issued  time.Time // zero where it does not say
	proved  time.Time
}

// header is what of a JOSE header is read.
type header struct{ alg, kid, typ string }

// split takes a token apart.
func split(token string) (head, payload []byte, err error) {
	if len(token) > maxToken {
		return nil, nil, fmt.Errorf("it has %d bytes: at most %d are read", len(token), maxToken)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return nil, nil, errShape
	}
	for _, c := range []byte(token) { // the decoder takes line breaks
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '-' || c == '_' || c == '.') {
			return nil, nil, errShape
		}
	}
	decode := base64.RawURLEncoding.Strict().DecodeString
	head, err1 := decode(parts[0])
	payload, err2 := decode(parts[1])
	_, err3 := decode(parts[2])
	if err1 != nil || err2 != nil || err3 != nil {
		return nil, nil, errShape
	}
	return head, payload, nil
}

// readHeader reads a JOSE header strictly. Of what it says of keys only kid counts.
func readHeader(head []byte) (h header, err error) {
	var doc jsonedit.Doc
	if err := doc.Parse(head, jsonedit.Limits{Bytes: maxToken, Depth: 8}); err != nil || doc.Root().Kind() != jsonedit.Object {
		return h, errHeader
	}
	root := doc.Root()
	for _, name := range []string{"crit", "b64", "zip", "cty", "enc"} {
		if root.Get(name).Exists() {
			return h, errCritical
		}
	}
	for name, to := range map[string]*string{"alg": &h.alg, "kid": &h.kid, "typ": &h.typ} {
		v := root.Get(name)
		if v.Exists() && v.Kind() != jsonedit.String {
			return h, errHeader
		}
		*to = v.Text()
	}
	if len(h.kid) > 512 {
		return h, errHeader
	}
	return h, nil
}

// typed reports whether typ is one of types; case and "application/" do not count (RFC
// 7515 §4.1.9).
func typed(typ string, types ...string) bool {
	return slices.Contains(types, strings.TrimPrefix(strings.ToLower(typ), "application/"))
}

// verify checks the signature of a token by its issuer, who must be want unless that
// is nil, and its times. Whom it is meant for is not looked at.
func (s *Issuers) verify(ctx context.Context, token string, want *issuer, types ...string) (*issuer, *claims, error) {
	head, payload, err := split(token)
	if err != nil {
		return nil, nil, err
	}
	h, err := readHeader(head)
	if err != nil {
		return nil, nil, err
	}
	if !typed(h.typ, types...) {
		return nil, nil, errType
	}
	var doc jsonedit.Doc
	if err := doc.Parse(payload, jsonedit.Limits{Bytes: maxToken, Depth: 16}); err != nil || doc.Root().Kind() != jsonedit.Object {
		return nil, nil, errPayload
	}
	c := &claims{Value: doc.Root()}
	i := s.state.Load().byURL[c.text("iss")]
	if i == nil || want != nil && i != want {
		return nil, nil, errUntrusted
	}
	if err := i.signed(ctx, token, h, c); err != nil {
		return i, nil, fmt.Errorf("issuer %s: %w", i.Name, err)
	}
	if err := i.times(c, s.cfg.Now()); err != nil {
		return i, nil, fmt.Errorf("issuer %s: %w", i.Name, err)
	}
	return i, c, nil
}

// signed checks the signature by the keys of the issuer, and by none else.
func (i *issuer) signed(ctx context.Context, token string, h header, c *claims) error {
	if !slices.Contains(i.Algorithms, h.alg) {
		return errAlgorithm
	}
	jws, err := jose.ParseSignedCompact(token, i.algorithms)
	if err != nil || len(jws.Signatures) != 1 || jws.Signatures[0].Protected.Algorithm != h.alg {
		return errHeader
	}
	found, of, err := i.keys.find(ctx, h.kid, h.alg)
	if err != nil {
		return err
	}
	fits := func() bool {
		return slices.ContainsFunc(found, func(k key) bool {
			_, err := jws.Verify(k.public)
			return err == nil
		})
	}
	if !fits() {
		// Some issuers put a new key in the place of one with the same kid, or with none.
		if i.keys.refresh(ctx, i.keys.cfg.Pause) != nil || i.keys.known.Load() == of {
			return errSignature
		}
		if of, found, err = i.keys.look(h.kid, h.alg); err != nil || !fits() {
			return errSignature
		}
	}
	c.of = of
	return nil
}

// times checks when a token is good (RFC 7519 §4.1).
func (i *issuer) times(c *claims, now time.Time) error {
	var err error
	read := func(name string) time.Time {
		t, bad := c.date(name)
		err = errors.Join(err, bad)
		return t
	}
	c.expires, c.issued, c.proved = read("exp"), read("iat"), read("auth_time")
	begins := read("nbf")
	if err != nil {
		return err
	}
	switch from := c.issued; {
	case c.expires.IsZero():
		return errors.New("it never expires: it has no exp")
	case !now.Before(c.expires.Add(i.Skew)):
		return fmt.Errorf("it expired at %s", c.expires.UTC().Format(time.RFC3339))
	case begins.After(now.Add(i.Skew)):
		return fmt.Errorf("it is good from %s on", begins.UTC().Format(time.RFC3339))
	case from.After(now.Add(i.Skew)) || c.proved.After(now.Add(i.Skew)):
		return errors.New("it was issued in the future: is a clock wrong?")
	case from.IsZero() && c.expires.Sub(now) > i.Lifetime+i.Skew, !from.IsZero() && c.expires.Sub(from) > i.Lifetime:
		return fmt.Errorf("it is good for longer than %v", i.Lifetime)
	}
	return nil
}

// meant checks that a token proves a person to us, and sets whom it was given to. With
// a client it is an ID token for that one.
func (i *issuer) meant(c *claims, client string) error {
	if c.Get("events").Exists() {
		return errPurpose // RFC 8417, of which logout tokens are
	}
	c.client = c.text("azp")
	for _, name := range []string{"client_id", "cid", "appid"} {
		if c.client == "" {
			c.client = c.text(name)
		}
	}
	aud, ok := c.audience()
	if !ok {
		return errPayload
	}
	accepted := i.Audience
	if client != "" {
		accepted = []string{client}
	}
	switch i.Kind {
	case Cognito:
		switch use := c.text("token_use"); {
		case use == "access" && client == "" && len(aud) == 0: // it has client_id instead
			aud = []string{c.text("client_id")}
		case use != "id":
			return errors.New("token_use is neither id nor access")
		}
	case CognitoIdentity:
		said := c.words("amr")
		if !slices.Contains(said, "authenticated") || slices.Contains(said, "unauthenticated") {
			return errors.New("amr does not say authenticated")
		}
	}
	if !slices.ContainsFunc(aud, func(a string) bool { return a != "" && slices.Contains(accepted, a) }) {
		return fmt.Errorf("it is meant for %.100q, and not for us: see audience", aud)
	}
	switch {
	case client != "" && (c.text("azp") != "" && c.text("azp") != client || len(aud) > 1 && c.text("azp") == ""):
		return errors.New("it was given to another client") // OpenID Connect Core §3.1.3.7
	case client == "" && c.client != "" && !i.client(c.client):
		return fmt.Errorf("it was given to the client %.100q, which is none of those that may: see clients", c.client)
	case client == "" && c.client == "" && len(aud) > 1 && len(i.Clients) == 0, client == "" && c.client == "" && len(i.Clients) > 0 && !slices.Contains(i.Clients, "*"):
		return errors.New("it does not say which client it was given to")
	}
	if c.subject = c.text("sub"); c.subject == "" || len(c.subject) > 255 {
		return errors.New("it does not say whom it is about")
	}
	return nil
}

// text returns a claim that is a string, else "".
func (c *claims) text(name string) string { return c.Get(name).Text() }

// audience returns aud, one text or several, and false where it is neither.
func (c *claims) audience() (all []string, ok bool) {
	v := c.Get("aud")
	switch v.Kind() {
	case jsonedit.Missing:
		return nil, true
	case jsonedit.String:
		return []string{v.Text()}, true
	case jsonedit.Array:
		for _, e := range v.Elems() {
			if e.Kind() != jsonedit.String {
				return nil, false
			}
			all = append(all, e.Text())
		}
		return all, true
	}
	return nil, false
}

// date returns a NumericDate, zero where there is none.
func (c *claims) date(name string) (time.Time, error) {
	v := c.Get(name)
	if !v.Exists() || v.Kind() == jsonedit.Null {
		return time.Time{}, nil
	}
	n, err := strconv.ParseFloat(string(v.Raw()), 64)
	if v.Kind() != jsonedit.Number || err != nil || n < 1 || n > math.MaxUint32*8 {
		return time.Time{}, fmt.Errorf("%s is no time", name)
	}
	return time.UnixMilli(int64(n * 1000)), nil
}
