package gateway

import (
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/scope"
)

// Deeds of those who run the gateway, at routes of their own.
const (
	Observe       Deed = "observe"        // metrics, and how ready the gateway is
	Approve       Deed = "approve"        // what is held; see package approval
	ReadApprovals Deed = "read-approvals" // what is held, and what became of it
	Administer    Deed = "administer"     // everything else
)

// inScope refuses what the caller's credential is not good for, whoever the caller is.
func (x *exchange) inScope(deed Deed) error {
	a := scope.Ask{Deed: string(deed), Model: x.Model, Route: x.r.URL.Path}
	if scope.Allows(x.Principal.Scopes, a) {
		return nil
	}
	return OutOfScope(x.Principal, deed)
}

// OutOfScope refuses what the credential of p is not good for. The error wraps
// [ringwall.ErrForbidden].
func OutOfScope(p ringwall.Principal, deed Deed) *ringwall.Refusal {
	return &ringwall.Refusal{
		Status: http.StatusForbidden, Code: "scope", Public: "The credential is not good for this: its scopes do not reach so far.",
		Err: fmt.Errorf("%w: the scopes %.200q do not reach %s", ringwall.ErrForbidden, p.Scopes, deed),
	}
}

// shows reports whether the caller may know of a model.
func (x *exchange) shows(model string) bool { return scope.Shows(x.Principal.Scopes, model) }
