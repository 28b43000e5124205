package waf

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// normal is a request as it is looked at from outside. Two requests that are the
// same here are judged the same: what a door says is kept under its sum.
type normal struct {
	method, uri, proto string
	path               string // decoded
	headers            []header
	buf                []byte
}

type header struct{ name, value string }

var normals = sync.Pool{New: func() any { return &normal{} }}

// lengthy stands for the length of a body that has one: no rule asks how long it is.
const lengthy = "2"

// set makes q the normal form of r. Headers come in the order of their names. What
// differs from request to request and is plain, ids and credentials, is replaced by
// a stand-in, and so are lengths; a value that is not plain stays what it is.
func (q *normal) set(r *http.Request) {
	q.method, q.proto, q.path = r.Method, r.Proto, r.URL.Path
	q.uri = r.RequestURI
	if q.uri == "" {
		q.uri = r.URL.RequestURI()
	}
	q.headers = append(q.headers[:0], header{"Host", r.Host})
	for name, values := range r.Header {
		if name == "Content-Length" {
			continue
		}
		for _, v := range values {
			q.headers = append(q.headers, header{name, standIn(name, v)})
		}
	}
	switch {
	case len(r.TransferEncoding) > 0:
		q.headers = append(q.headers, header{"Transfer-Encoding", strings.Join(r.TransferEncoding, ", ")})
	case r.ContentLength > 0:
		q.headers = append(q.headers, header{"Content-Length", lengthy})
	case r.Header.Get("Content-Length") != "":
		q.headers = append(q.headers, header{"Content-Length", "0"})
	}
	slices.SortStableFunc(q.headers, func(a, b header) int { return strings.Compare(a.name, b.name) })
}

// sum is what a request is known by. Each part is written behind its length, so that
// no two requests are written alike; the secret keeps callers from looking for two
// with one sum.
func (q *normal) sum(secret *[32]byte) [32]byte {
	b := append(q.buf[:0], secret[:]...)
	for _, s := range [...]string{q.method, q.proto, q.uri} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for _, h := range q.headers {
		b = append(binary.AppendUvarint(b, uint64(len(h.name))), h.name...)
		b = append(binary.AppendUvarint(b, uint64(len(h.value))), h.value...)
	}
	q.buf = b
	return sha256.Sum256(b)
}

// lengthIs says how long the body is, where the request did not.
func (q *normal) lengthIs(n int) {
	for i := range q.headers {
		if q.headers[i].name == "Content-Length" {
			q.headers[i].value = strconv.Itoa(n)
		}
	}
}

// release gives q back.
func (q *normal) release() {
	clear(q.headers) // they hold on to the request
	q.method, q.uri, q.proto, q.path = "", "", "", ""
	if cap(q.buf) <= 16<<10 {
		normals.Put(q)
	}
}

// plain are headers whose values differ from request to request: ids, times and
// signatures of the clients of OpenAI, Anthropic, AWS and Google, and of tracing.
var plain = map[string]bool{
	"Amz-Sdk-Invocation-Id": true, "Amz-Sdk-Request": true, "Api-Key": true, "Authorization": true, "Idempotency-Key": true,
	"Request-Id": true, "Session_id": true, "Traceparent": true, "X-Amz-Content-Sha256": true, "X-Amz-Date": true,
	"X-Amz-Security-Token": true, "X-Amzn-Trace-Id": true, "X-Api-Key": true, "X-B3-Spanid": true, "X-B3-Traceid": true,
	"X-Client-Request-Id": true, "X-Correlation-Id": true, "X-Goog-Api-Key": true, "X-Ms-Client-Request-Id": true,
	"X-Request-Id": true, "X-Stainless-Retry-Count": true, "X-Stainless-Timeout": true,
}

// standIn returns what a header's value is looked at as: one that is made of letters,
// digits and the marks of base64, ids and signatures alone holds no attack, whichever
// letters they are.
func standIn(name, value string) string {
	if !plain[name] || len(value) > 4<<10 || strings.Contains(value, "..") {
		return value
	}
	slash := name == "Authorization" || name == "X-Amz-Security-Token" // base64, and the scope of a signature
	for i := range len(value) {
		switch c := value[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == ':', c == '+', c == '=':
		case slash && (c == '/' || c == ',' || c == ' ' || c == ';'), name == "Amz-Sdk-Request" && (c == ';' || c == ' '):
		default:
			return value
		}
	}
	if slash {
		scheme, _, ok := strings.Cut(value, " ")
		if ok && len(scheme) <= 32 && name == "Authorization" {
			return scheme + " 0"
		}
	}
	return "0"
}

// values calls f with each part of an address that a caller chose: the segments of
// its path and the names and values of its query, decoded once. It ends when f
// returns false. It reports whether all of the query could be decoded.
func (q *normal) values(f func(part, value string) bool) (whole bool) {
	for segment := range strings.SplitSeq(q.path, "/") {
		if segment != "" && !f("path", segment) {
			return true
		}
	}
	_, query, _ := strings.Cut(q.uri, "?")
	whole = true
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		for _, s := range [...]string{name, value} {
			d, err := url.QueryUnescape(s)
			if err != nil {
				whole, d = false, s
			}
			if d != "" && !f("query", d) {
				return whole
			}
		}
	}
	return whole
}
