package gateway

import (
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
)

// CodeStepUp is the code of refusals of callers who must prove anew, or better, who
// they are (RFC 9470).
const CodeStepUp = "insufficient_user_authentication"

// steppedUp refuses callers who did not prove who they are as what takes trust least
// needs.
func (x *exchange) steppedUp(least ringwall.Trust) error {
	if x.world.StepUp == nil {
		return nil
	}
	challenge := x.world.StepUp(x.Principal, least)
	if challenge == "" {
		return nil
	}
	x.w.Header().Set("WWW-Authenticate", challenge)
	return &ringwall.Refusal{
		Status: http.StatusUnauthorized, Code: CodeStepUp, Public: "This takes a stronger or fresher login: see WWW-Authenticate.",
		Err: fmt.Errorf("%w: trust %s takes a step-up", ringwall.ErrUnauthenticated, least),
	}
}
