package gateway_test

import (
	"slices"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/scope"
)

// A deed that scopes do not know could be given to no narrowed key.
func TestScopesKnowAllDeeds(t *testing.T) {
	for _, d := range []gateway.Deed{
		gateway.AskModel, gateway.AskGuard, gateway.ListModels, gateway.PassUnguarded, gateway.ManageGuardrails, gateway.ReadAnswers,
		gateway.Observe, gateway.Approve, gateway.ReadApprovals, gateway.Administer,
	} {
		if !slices.Contains(scope.Deeds, string(d)) {
			t.Errorf("package scope does not know %s", d)
		}
	}
}
