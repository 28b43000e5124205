package server

import (
	"net/http"

	"github.com/ringwall/ringwall/gateway"
)

// googled serves clients of Google's API, who show their keys in a way of their
// own, by google, and all others by plain: both list models at GET /v1/models.
func (s *Server) googled(plain, google gateway.Dialect) http.HandlerFunc {
	others, theirs := s.gateway.Models(plain), s.gateway.Models(google)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Goog-Api-Key") != "" || r.URL.Query().Has("key") {
			theirs(w, r)
			return
		}
		others(w, r)
	}
}
