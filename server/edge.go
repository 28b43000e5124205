package server

import "net/http"

// edge is what every request passes before it comes to a room of the house. Of the
// lines below, the last one meets a request first.
func (s *Server) edge(h http.Handler) http.Handler {
	h = s.crossing(h)
	h = s.transport(h)
	return s.load.counted(s.located(h))
}
