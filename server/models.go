package server

import (
	"net/http"

	"github.com/ringwall/ringwall/gateway"
)

// clients are the dialects of those who ask at one address for what several APIs
// have there.
type clients struct{ plain, anthropic, google gateway.Dialect }

// speaker is the dialect of the client of a request.
func (c clients) speaker(r *http.Request) gateway.Dialect {
	return whose(r, c.plain, c.anthropic, c.google)
}

// whose returns what is for the client of a request.
func whose[T any](r *http.Request, plain, anthropic, google T) T {
	switch {
	case r.Header.Get("Anthropic-Version") != "":
		return anthropic
	case r.Header.Get("X-Goog-Api-Key") != "" || r.URL.Query().Has("key"):
		return google
	}
	return plain
}

// served returns a handler that serves each client in its dialect. Clients of
// Anthropic's API say their version in each request, those of Google's show their
// keys in a way of their own.
func (c clients) served(by func(gateway.Dialect) http.HandlerFunc) http.HandlerFunc {
	plain, anthropic, google := by(c.plain), by(c.anthropic), by(c.google)
	return func(w http.ResponseWriter, r *http.Request) { whose(r, plain, anthropic, google)(w, r) }
}
