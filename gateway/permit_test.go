package gateway_test

import (
	"slices"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/policy"
)

// A deed that policies have no word for could never be permitted.
func TestPoliciesKnowEveryDeed(t *testing.T) {
	for _, deed := range []gateway.Deed{gateway.AskModel, gateway.AskGuard, gateway.ListModels, gateway.PassUnguarded, gateway.ManageGuardrails, gateway.ReadAnswers, gateway.UseException} {
		if !slices.Contains(policy.Actions(), string(deed)) {
			t.Errorf("the schema of policies has no action %s", deed)
		}
	}
}
