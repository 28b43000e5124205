package server

import (
	"net/http"
	"net/netip"

	"github.com/ringwall/ringwall"
)

// edge is what every request passes before it comes to a room of the house. Of the
// lines below, the last one meets a request first.
func (s *Server) edge(h http.Handler) http.Handler {
	return located(s.looked(h))
}

// located tells a request where it comes from.
func located(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c ringwall.Client
		if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			c.Addr = at.Addr().Unmap()
		}
		h.ServeHTTP(w, r.WithContext(ringwall.WithClient(r.Context(), c)))
	})
}
