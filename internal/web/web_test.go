package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall/internal/web"
)

func TestOrigins(t *testing.T) {
	const app, evil = "https://app.example.org", "https://evil.example"
	o := web.New(
		web.Group{Paths: []string{"/v1/"}, Origins: []string{app}, MaxAge: 10 * time.Minute},
		web.Group{Paths: []string{"/"}, Origins: nil},
	)
	for _, tt := range []struct {
		name, method, path string
		header             string // "Name: value|Name: value"
		status             int
		allow              string // Access-Control-Allow-Origin
	}{
		{"a program", "POST", "/v1/chat", "", 200, ""},
		{"a page of the same origin", "POST", "/v1/chat", "Origin: http://gateway.test|Sec-Fetch-Site: same-origin", 200, ""},
		{"a page of an origin that may", "POST", "/v1/chat", "Origin: " + app + "|Sec-Fetch-Site: cross-site", 200, app},
		{"its preflight", "OPTIONS", "/v1/chat", "Origin: " + app + "|Access-Control-Request-Method: POST|Access-Control-Request-Headers: authorization,content-type", 204, app},
		{"a page of another origin", "POST", "/v1/chat", "Origin: " + evil + "|Sec-Fetch-Site: cross-site", 403, ""},
		{"its preflight, too", "OPTIONS", "/v1/chat", "Origin: " + evil + "|Access-Control-Request-Method: POST", 403, ""},
		{"an old browser", "POST", "/v1/chat", "Origin: " + evil, 403, ""},
		{"an origin that only begins alike", "POST", "/v1/chat", "Origin: " + app + ".evil.example|Sec-Fetch-Site: cross-site", 403, ""},
		{"an origin in capitals", "POST", "/v1/chat", "Origin: HTTPS://APP.EXAMPLE.ORG|Sec-Fetch-Site: cross-site", 403, ""},
		{"no origin at all, from a sandbox", "POST", "/v1/chat", "Origin: null|Sec-Fetch-Site: cross-site", 403, ""},
		{"a page of a neighbour", "POST", "/v1/chat", "Origin: https://www.gateway.test|Sec-Fetch-Site: same-site", 403, ""},
		{"reading, which changes nothing", "GET", "/v1/models", "Origin: " + evil + "|Sec-Fetch-Site: cross-site", 200, ""},
		{"reading by an origin that may", "GET", "/v1/models", "Origin: " + app + "|Sec-Fetch-Site: cross-site", 200, app},
		{"another group", "POST", "/admin/x", "Origin: " + app + "|Sec-Fetch-Site: cross-site", 403, ""},
		{"the preflight of another group", "OPTIONS", "/admin/x", "Origin: " + app + "|Access-Control-Request-Method: DELETE", 403, ""},
		{"OPTIONS that is no preflight", "OPTIONS", "/v1/chat", "Origin: " + evil, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			came := false
			h := o.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came = true }))
			r := httptest.NewRequestWithContext(t.Context(), tt.method, "http://gateway.test"+tt.path, nil)
			for line := range strings.SplitSeq(tt.header, "|") {
				if name, value, ok := strings.Cut(line, ": "); ok {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			head := w.Header()
			if w.Code != tt.status || head.Get("Access-Control-Allow-Origin") != tt.allow || came != (tt.status == 200) {
				t.Errorf("%d %v, came through: %v", w.Code, head, came)
			}
			if head.Get("Access-Control-Allow-Credentials") != "" || head.Get("Vary") == "" {
				t.Errorf("headers %v", head)
			}
			if tt.status == 204 && (head.Get("Access-Control-Allow-Headers") != "authorization,content-type" || head.Get("Access-Control-Max-Age") != "600" || !strings.Contains(head.Get("Access-Control-Allow-Methods"), "POST")) {
				t.Errorf("the preflight is answered by %v", head)
			}
		})
	}
}
