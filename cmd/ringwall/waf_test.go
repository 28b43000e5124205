package main

import (
	"io"
	"strings"
	"testing"
)

// Whatever a file holds, it is a request whose body is what is behind the empty
// line, or an error.
func FuzzReadRequest(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a\nUser-Agent: x\n\nbody", "POST /v1 HTTP/1.1\nContent-Length: 999\n\n{}", "hello", "", "\n\n", "GET / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\r\n\r\n",
		"GET  /  HTTP/1.1\nA:b\n c\n\n", "POST / HTTP/1.1\nHost: a\nHost: b\n\nx",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, body, err := readRequest("-", strings.NewReader(s))
		if err != nil {
			return
		}
		if r.URL == nil || !strings.HasSuffix(s, string(body)) {
			t.Errorf("%q: the body %q", s, body)
		}
		if len(r.TransferEncoding) > 0 {
			return // its body is in pieces
		}
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != string(body) {
			t.Errorf("%q: read %q, %v", s, b, err)
		}
	})
}
