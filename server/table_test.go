package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
)

// send writes a request to a connection of its own as it is, and reads the answer.
func (h *house) send(t *testing.T, raw string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(raw, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// wire is a request of HTTP/1.1 with a body, as it is sent.
func wire(method, target, body string, header ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: ringwall.test\r\n", method, target)
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.String()
}

func TestEdgesOfHTTP(t *testing.T) {
	u := newUpstream(t, says("yes", 3))
	h := stand(t, u, nil)
	const chat, claude = "/v1/chat/completions", "Anthropic-Version: 2023-06-01"
	ask := question("hi", "")
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(ask), ask)
	for _, tt := range []struct {
		name, raw string
		status    int
		want      string // in the answer
		allow     string
		recorded  bool
	}{
		// Methods.
		{"another method", wire("GET", chat, ""), 405, `"code":"method_not_allowed"`, "POST, OPTIONS", false},
		{"another method, in Anthropic's shape", wire("DELETE", "/v1/messages", "", claude), 405, `"type":"error"`, "POST, OPTIONS", false},
		{"another method, in Google's shape", wire("PUT", "/v1beta/models/x:generateContent", "{}"), 405, `"code":405`, "POST, OPTIONS", false},
		{"another method, in Amazon's shape", wire("GET", "/model/x/converse", ""), 405, `{"message":`, "POST, OPTIONS", false},
		{"another method, in Ollama's shape", wire("GET", "/api/chat", ""), 405, `{"error":"`, "POST, OPTIONS", false},
		{"another method of the guard", wire("GET", "/contentsafety/text:analyze", ""), 405, `"error"`, "POST, OPTIONS", false},
		{"another method of guardrails", wire("PATCH", "/guardrails", "{}"), 405, `"__type":"ValidationException"`, "GET, HEAD, POST, OPTIONS", false},
		{"another method of models", wire("DELETE", "/v1/models/x", ""), 405, "method_not_allowed", "GET, HEAD, POST, OPTIONS", false},
		{"another method of health", wire("POST", "/healthz", "{}"), 405, "method_not_allowed", "GET, HEAD, OPTIONS", false},
		{"a method that nobody knows", wire("BREW", chat, ""), 405, "BREW", "POST, OPTIONS", false},
		{"a method that nobody knows, of nothing", wire("BREW", "/pot", ""), 404, "not_found", "", false},
		{"TRACE", wire("TRACE", chat, ""), 405, "method_not_allowed", "POST, OPTIONS", false},
		{"HEAD of what is got", wire("HEAD", "/v1/models", ""), 200, "", "", false},
		{"HEAD of what is posted", wire("HEAD", chat, ""), 405, "", "POST, OPTIONS", false},
		{"HEAD of nothing", wire("HEAD", "/nothing", ""), 404, "", "", false},
		{"OPTIONS", wire("OPTIONS", chat, ""), 204, "", "POST, OPTIONS", false},
		{"a page of another origin", wire("OPTIONS", chat, "", "Origin: https://shop.example", "Access-Control-Request-Method: POST"), 403, "cross_origin", "", false},
		{"OPTIONS of everything", wire("OPTIONS", "*", ""), 200, "", "", false},
		{"OPTIONS of nothing", wire("OPTIONS", "/nothing", ""), 404, "not_found", "", false},
		// Paths.
		{"a slash too many", wire("POST", "//v1/chat/completions", ask), 307, "", "", false},
		{"dots", wire("POST", "/v1/../v1/chat/completions", ask), 400, "invalid_path", "", false},
		{"escaped dots", wire("POST", "/v1/%2e%2e/v1/chat/completions", ask), 400, "invalid_path", "", false},
		{"escaped slashes that climb", wire("POST", "/v1/files%2f..%2f..%2fmetrics", ask), 403, "request_refused", "", true},
		{"dots for a model", wire("POST", "/model/%2E%2e/converse", ask), 400, "invalid_path", "", false},
		{"a dot at the end", wire("GET", "/v1/models/.", ""), 400, "invalid_path", "", false},
		{"a path that only begins with a dot", wire("GET", "/.well-known/x", ""), 404, "not_found", "", false},
		{"a backslash", wire("GET", `/v1\models`, ""), 400, "invalid_path", "", false},
		{"a NUL", wire("GET", "/v1/%00models", "", claude), 400, `"type":"error"`, "", false},
		{"a line break", wire("GET", "/v1/models/a%0d%0ab", ""), 400, "invalid_path", "", false},
		{"no UTF-8", wire("GET", "/v1/%ff", ""), 400, "invalid_path", "", false},
		{"a bad escape", wire("GET", "/v1/%zz", ""), 400, "", "", false},
		{"an escaped letter", wire("POST", "/v1/%63hat/completions", ask), 200, "yes", "", true},
		{"a whole URL", wire("POST", "http://elsewhere.example"+chat, ask), 200, "yes", "", true},
		{"an authority", wire("CONNECT", "evil.example:443", ""), 404, "", "", false},
		{"a slash at the end", wire("POST", chat+"/", ask), 404, "not_found", "", false},
		// Queries.
		{"a query that nobody reads", wire("POST", chat+"?a=b&a=c", ask), 200, "yes", "", true},
		{"half an escape", wire("POST", chat+"?a=%z", ask), 400, "invalid_query", "", false},
		{"a semicolon", wire("POST", "/v1beta/models/x:generateContent?key=a;b", ask), 400, "invalid_query", "", false},
		{"many parameters", wire("POST", chat+"?"+strings.Repeat("a&", 65), ask), 400, "at most 64 are taken", "", false},
		{"a long query", wire("POST", chat+"?"+strings.Repeat("a", 9000), ask), 414, "uri_too_long", "", false},
		{"an absurd query", wire("POST", chat+"?"+strings.Repeat("a", 80<<10), ask), 431, "", "", false},
		// Headers.
		{"two keys", wire("POST", chat, ask, "Authorization: Bearer a", "Authorization: Bearer b"), 400, "duplicate_header", "", true},
		{"a key twice", wire("POST", chat, ask, "Authorization: Bearer a", "authorization: Bearer a"), 400, "The header authorization is given more than once", "", true},
		{"two types", wire("POST", chat, ask, "Content-Type: application/json", "Content-Type: text/plain"), 400, "duplicate_header", "", true},
		{"two encodings", wire("POST", chat, ask, "Content-Encoding: identity", "Content-Encoding: gzip"), 400, "duplicate_header", "", true},
		{"two guardrails", wire("POST", chat, ask, "X-Ringwall-Guardrail: a", "X-Ringwall-Guardrail: b"), 400, "duplicate_header", "", true},
		{"two keys of Google's", wire("POST", "/v1beta/models/x:generateContent", "{}", "X-Goog-Api-Key: a", "X-Goog-Api-Key: a"), 400, `"reason":"DUPLICATE_HEADER"`, "", true},
		{"two keys for a list", wire("GET", "/v1/models", "", "Authorization: Bearer a", "Authorization: Bearer b"), 400, "duplicate_header", "", false},
		{"a compressed body", wire("POST", chat, ask, "Content-Encoding: gzip"), 415, "unsupported_encoding", "", true},
		{"a wrong type", wire("POST", chat, ask, "Content-Type: text/xml"), 415, "unsupported_media_type", "", true},
		{"two lengths", wire("POST", chat, ask, "Content-Length: 5"), 400, "", "", false},
		{"a length that is none", "POST " + chat + " HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400, "", "", false},
		{"no host", "POST " + chat + " HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400, "", "", false},
		{"two hosts", wire("POST", chat, ask, "Host: b"), 400, "", "", false},
		{"a space before a colon", wire("POST", chat, ask, "Authorization : Bearer a"), 400, "", "", false},
		{"a header folded", wire("POST", chat, ask, "X-A: b\r\n c"), 200, "yes", "", true},
		// Transfer codings.
		{"chunks", "POST " + chat + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 200, "yes", "", true},
		{"chunks and a length", "POST " + chat + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + chunks, 200, "yes", "", true},
		{"chunks twice", "POST " + chat + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 501, "", "", false},
		{"another coding", "POST " + chat + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunks, 501, "", "", false},
		{"almost chunks", "POST " + chat + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" + chunks, 501, "", "", false},
		{"chunks of no length", "POST " + chat + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + ask, 400, "malformed_body", "", true},
		// Bodies.
		{"no body", wire("POST", chat, ""), 400, "invalid_json", "", true},
		{"no UTF-8 in a body", wire("POST", chat, "{\"model\":\"\xff\"}"), 400, "invalid UTF-8", "", true},
		{"UTF-16", wire("POST", chat, "\xfe\xff\x00{\x00}"), 400, "invalid_json", "", true},
		{"a byte order mark", wire("POST", chat, "\xef\xbb\xbf"+ask), 400, "invalid_json", "", true},
		{"two documents", wire("POST", chat, ask+ask), 400, "invalid_json", "", true},
		{"a body of what has none", wire("GET", "/healthz", "{}"), 200, "ok", "", false},
		{"HTTP/1.0", "POST " + chat + " HTTP/1.0\r\nContent-Length: " + fmt.Sprint(len(ask)) + "\r\n\r\n" + ask, 200, "yes", "", true},
		{"HTTP/3.0", strings.Replace(wire("POST", chat, ask), "HTTP/1.1", "HTTP/3.0", 1), 505, "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := h.send(t, tt.raw)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) || resp.Header.Get("Allow") != tt.allow {
				t.Errorf("%d, Allow %q, %s; want %d, %q, %s", resp.StatusCode, resp.Header.Get("Allow"), body, tt.status, tt.allow, tt.want)
			}
			if resp.Header.Get("Content-Type") == "application/json" && body != "" && (!json.Valid([]byte(body)) || !utf8.ValidString(body)) {
				t.Errorf("%q is no JSON", body)
			}
			id := resp.Header.Get(gateway.Header)
			switch {
			case tt.recorded:
				ev := h.record(id)
				if resp.StatusCode != tt.status {
					t.Errorf("the record says %+v", ev)
				}
			case id != "":
				list, err := h.Records().Query(t.Context(), audit.Filter{ID: id})
				if err != nil || len(list) > 0 {
					t.Errorf("there is a record of it: %v, %v", list, err)
				}
			}
		})
	}
}

// Behind chunks nothing is read: who stands before the gateway may have taken it for
// part of the body.
func TestNothingIsSmuggledBehindChunks(t *testing.T) {
	u := newUpstream(t, says("yes", 3))
	h := stand(t, u, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := question("hi", "")
	second := wire("GET", "/v1/models", "")
	raw := fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n%s", len(ask)+len(second)+20, len(ask), ask, second)
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || !resp.Close {
		t.Errorf("%d, close %v", resp.StatusCode, resp.Close)
	}
	if more, err := io.ReadAll(r); len(more) > 0 {
		t.Errorf("behind the answer came %q, %v", more, err)
	}
}

// HEAD reads what GET reads, and makes nothing.
func TestHeadMakesNothing(t *testing.T) {
	u := newUpstream(t, says("yes", 3))
	h := stand(t, u, func(c *config.Config) { c.Anonymous = false })
	body := `{"name":"made-by-head","blockedInputMessaging":"no","blockedOutputsMessaging":"no","wordPolicyConfig":{"wordsConfig":[{"text":"x"}]}}`
	key := "Authorization: Bearer " + h.caller("reader", "t", ringwall.Staff)[1][len("Bearer "):]
	if resp, _ := h.send(t, wire("HEAD", "/guardrails", body, key, "Content-Type: application/json")); resp.StatusCode != 403 { // with a body: of the firewall
		t.Errorf("HEAD: %d", resp.StatusCode)
	}
	if _, list := h.send(t, wire("GET", "/guardrails", "", key)); strings.Contains(list, "made-by-head") {
		t.Errorf("HEAD made a guardrail: %s", list)
	}
}
