package server

import "net/http"

// Patterns returns the patterns of the routes that s serves.
func (s *Server) Patterns() []string { return s.table.patterns }

// RouteOf returns the pattern that serves a request.
func (s *Server) RouteOf(r *http.Request) string {
	_, pattern := s.table.mux.Handler(r)
	return pattern
}

// Unlisted are the patterns that the OpenAPI document leaves out.
var Unlisted = unlisted
