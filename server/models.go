package server

import (
	"net/http"

	"github.com/ringwall/ringwall/gateway"
)

// clients are the dialects of those who ask at one address for what several APIs
// have there.
type clients struct{ plain, anthropic, google gateway.Dialect }

// served returns a handler that serves each client in its dialect. Clients of
// Anthropic's API say their version in each request, those of Google's show their
// keys in a way of their own.
func (c clients) served(by func(gateway.Dialect) http.HandlerFunc) http.HandlerFunc {
	plain, anthropic, google := by(c.plain), by(c.anthropic), by(c.google)
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Anthropic-Version") != "":
			anthropic(w, r)
		case r.Header.Get("X-Goog-Api-Key") != "" || r.URL.Query().Has("key"):
			google(w, r)
		default:
			plain(w, r)
		}
	}
}
