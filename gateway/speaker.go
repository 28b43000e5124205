package gateway

import (
	"net/http"

	"github.com/ringwall/ringwall"
)

// Mux is where routes are registered; *http.ServeMux is one.
type Mux interface {
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// Speaker says errors in the shape of an API. Dialects, Inquirers and Errands are
// Speakers.
type Speaker interface {
	// AppendError appends the body of an error to dst, and sets the headers that
	// errors have in this API.
	AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte
}

// Decline answers a request that comes to no room of the house with an error, in the
// shape of an API. It makes no record: nothing was asked.
func (g *Gateway) Decline(w http.ResponseWriter, s Speaker, r *ringwall.Refusal) {
	id, h := newID(), w.Header()
	h.Set(Header, id)
	h.Set("Content-Type", "application/json")
	body := s.AppendError(nil, h, r, id) // before the status: it sets headers
	w.WriteHeader(r.Status)
	_, _ = w.Write(body) // who does not read it misses nothing
}
