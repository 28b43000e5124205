package server

import (
	"bytes"
	"net/http"

	"github.com/ringwall/ringwall/approval"
)

// Patterns returns the patterns of the routes that s serves.
func (s *Server) Patterns() []string { return s.table.patterns }

// RouteOf returns the pattern that serves a request.
func (s *Server) RouteOf(r *http.Request) string {
	_, pattern := s.table.mux.Handler(r)
	return pattern
}

// Unlisted are the patterns that the OpenAPI document leaves out.
var Unlisted = unlisted

// ApprovalCard is the page of an approval, with an error of the last decision.
func ApprovalCard(v *approval.Seen, you approval.Approver, wrong string) ([]byte, error) {
	sheet := &sheet{Title: wrong, You: you, Error: wrong, Seen: v, Pending: v.State == approval.Pending, Stats: &approval.Stats{}}
	if !v.Sealed {
		card := approval.CardOf(v)
		sheet.Card = &card
	}
	var b bytes.Buffer
	err := approvalPage().ExecuteTemplate(&b, "card", sheet)
	return b.Bytes(), err
}
