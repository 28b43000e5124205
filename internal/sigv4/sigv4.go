// Package sigv4 signs requests, and checks the signatures of received ones, as AWS
// Signature Version 4 asks for in services other than S3: the path is encoded a
// second time, and the hash of the body is signed, whether a header tells it or
// not.
//
// A signature proves who made a request only while the request is whole: check it
// over the body that was read, not over one that a header describes.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Algorithm is how the Authorization header begins.
const Algorithm = "AWS4-HMAC-SHA256"

// Skew is how far the clocks of the two sides may be apart.
const Skew = 5 * time.Minute

const (
	stampLayout = "20060102T150405Z"
	terminator  = "aws4_request"
)

// Credentials are a pair of keys, with a token when they are temporary.
type Credentials struct {
	KeyID, Secret, Token string
}

// scope is what a signature is for.
type scope struct{ date, region, service string }

func (s scope) String() string {
	return s.date + "/" + s.region + "/" + s.service + "/" + terminator
}

// Sign signs a request that is about to be sent with body.
func Sign(r *http.Request, body []byte, c Credentials, region, service string, now time.Time) {
	stamp := now.UTC().Format(stampLayout)
	r.Header.Set("X-Amz-Date", stamp)
	if c.Token != "" {
		r.Header.Set("X-Amz-Security-Token", c.Token)
	}
	signed := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); !unsigned(name) {
			signed = append(signed, name)
		}
	}
	if r.ContentLength > 0 && r.Header.Get("Content-Length") == "" {
		signed = append(signed, "content-length")
	}
	slices.Sort(signed)
	sc := scope{stamp[:8], region, service}
	sig := signature(c.Secret, sc, stamp, canonical(r, signed, sha256.Sum256(body)))
	r.Header.Set("Authorization", Algorithm+" Credential="+c.KeyID+"/"+sc.String()+", SignedHeaders="+strings.Join(signed, ";")+", Signature="+sig)
}

// unsigned reports whether others than the sender set or change a header.
func unsigned(name string) bool {
	switch name {
	case "authorization", "user-agent", "x-amzn-trace-id", "expect", "transfer-encoding", "connection", "accept-encoding":
		return true
	}
	return false
}

// signature signs a canonical request.
func signature(secret string, sc scope, stamp, canonical string) string {
	hash := sha256.Sum256([]byte(canonical))
	text := Algorithm + "\n" + stamp + "\n" + sc.String() + "\n" + hex.EncodeToString(hash[:])
	key := mac([]byte("AWS4"+secret), sc.date)
	key = mac(key, sc.region)
	key = mac(key, sc.service)
	key = mac(key, terminator)
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical returns a request in the words that are signed.
func canonical(r *http.Request, signed []string, body [sha256.Size]byte) string {
	var b strings.Builder
	b.WriteString(r.Method)
	b.WriteByte('\n')
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	escape(&b, path, true)
	b.WriteByte('\n')
	query(&b, r)
	b.WriteByte('\n')
	for _, name := range signed {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(header(r, name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(signed, ";"))
	b.WriteByte('\n')
	b.WriteString(hex.EncodeToString(body[:]))
	return b.String()
}

// authority is what HTTP/2 says instead of Host (RFC 9113 §8.3.1), and what AWS's
// client for JavaScript signs there.
const authority = ":authority"

// header returns the values of a header as they are signed: with one space where
// there are more, joined by commas.
func header(r *http.Request, name string) string {
	switch name {
	case "host", authority:
		if r.Host != "" {
			return r.Host
		}
		return r.URL.Host
	case "content-length":
		if v := r.Header.Get(name); v != "" {
			return v
		}
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.FieldsFunc(v, func(c rune) bool { return c == ' ' || c == '\t' }), " "))
	}
	return strings.Join(values, ",")
}

// query appends the parameters, sorted by their encoded names and then values.
func query(b *strings.Builder, r *http.Request) {
	var pairs []string
	for name, values := range r.URL.Query() {
		for _, v := range values {
			var p strings.Builder
			escape(&p, name, false)
			p.WriteByte('=')
			escape(&p, v, false)
			pairs = append(pairs, p.String())
		}
	}
	slices.SortFunc(pairs, func(a, b string) int {
		an, av, _ := strings.Cut(a, "=")
		bn, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		return strings.Compare(av, bv)
	})
	b.WriteString(strings.Join(pairs, "&"))
}

// escape appends s with everything encoded but what RFC 3986 §2.3 leaves alone,
// and slashes where they stay.
func escape(b *strings.Builder, s string, slashes bool) {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0, c == '/' && slashes:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
}

// Escape returns s as one segment of a path, as AWS's clients write it.
func Escape(s string) string {
	var b strings.Builder
	escape(&b, s, false)
	return b.String()
}

// Claim is what the signature of a received request claims.
type Claim struct {
	KeyID     string
	scope     scope
	stamp     string
	signed    []string
	signature string
}

// Claims reports whether a request shows a signature of this kind.
func Claims(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), Algorithm)
}

// Parse reads what a request claims. The error says, in words for the caller, what
// is wrong.
func Parse(r *http.Request) (*Claim, error) {
	if len(r.Header.Values("Authorization")) > 1 {
		return nil, fmt.Errorf("there are two Authorization headers")
	}
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), Algorithm+" ")
	if !ok {
		return nil, fmt.Errorf("the Authorization header should begin with %s", Algorithm)
	}
	c := &Claim{stamp: r.Header.Get("X-Amz-Date")}
	var credential string
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch {
		case name == "Credential" && credential == "":
			credential = value
		case name == "SignedHeaders" && c.signed == nil:
			c.signed = strings.Split(value, ";")
		case name == "Signature" && c.signature == "":
			c.signature = value
		default:
			return nil, fmt.Errorf("the Authorization header should have a Credential, SignedHeaders and a Signature, each once")
		}
	}
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[0] == "" || parts[4] != terminator || c.signature == "" {
		return nil, fmt.Errorf("the Credential should read KEY/DATE/REGION/SERVICE/%s", terminator)
	}
	c.KeyID, c.scope = parts[0], scope{parts[1], parts[2], parts[3]}
	if len(c.stamp) != len(stampLayout) || c.stamp[:8] != c.scope.date {
		return nil, fmt.Errorf("the X-Amz-Date header should be there, of the day that the Credential names")
	}
	return c, c.covers(r)
}

// covers checks that what must be signed is.
func (c *Claim) covers(r *http.Request) error {
	if !slices.IsSorted(c.signed) || len(slices.Compact(slices.Clone(c.signed))) != len(c.signed) {
		return fmt.Errorf("the SignedHeaders should be sorted, each once")
	}
	for _, name := range c.signed {
		if name == "" || name != strings.ToLower(name) || name == "authorization" {
			return fmt.Errorf("the SignedHeaders should be names in lower case")
		}
		if name != "host" && name != authority && name != "content-length" && r.Header.Values(name) == nil {
			return fmt.Errorf("the signed header %.40q is missing", name)
		}
	}
	for _, name := range []string{"host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "x-amz-target"} {
		if name == "host" && slices.Contains(c.signed, authority) {
			continue
		}
		if (name == "host" || r.Header.Values(name) != nil) && !slices.Contains(c.signed, name) {
			return fmt.Errorf("the header %s should be signed", name)
		}
	}
	return nil
}

// Verify reports whether the claim holds for the secret of its key: the signature
// is one of the request with a body of that hash, for the service, and of now.
// The error is for the operator.
func (c *Claim) Verify(r *http.Request, body [sha256.Size]byte, secret, service string, now time.Time) error {
	at, err := time.Parse(stampLayout, c.stamp)
	if err != nil {
		return fmt.Errorf("the date of the signature: %w", err)
	}
	if d := now.Sub(at); d > Skew || d < -Skew {
		return fmt.Errorf("the signature is of %s, %v from now", c.stamp, d.Abs().Round(time.Second))
	}
	if c.scope.service != service {
		return fmt.Errorf("the signature is for the service %.40q, want %s", c.scope.service, service)
	}
	if told := r.Header.Get("X-Amz-Content-Sha256"); told != "" && told != hex.EncodeToString(body[:]) {
		return fmt.Errorf("the body has another hash than X-Amz-Content-Sha256 says")
	}
	want := signature(secret, c.scope, c.stamp, canonical(r, c.signed, body))
	if !hmac.Equal([]byte(c.signature), []byte(want)) {
		return fmt.Errorf("the signature is another")
	}
	return nil
}
