package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// AWS's client for JavaScript begins with HTTP/2 where nobody encrypts.
func TestHTTP2WithoutTLS(t *testing.T) {
	u := newUpstream(t, nil)
	u.answer = says("mail ann@example.com at once", 5)
	h := stand(t, u, nil)
	only := new(http.Protocols)
	only.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: only}
	t.Cleanup(transport.CloseIdleConnections)
	for _, more := range []string{"", `,"stream":true`} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/chat/completions", strings.NewReader(question("hello", more)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "{EMAIL}") {
			t.Errorf("HTTP/%d says %d %s, %v", resp.ProtoMajor, resp.StatusCode, body, err)
		}
	}
}
