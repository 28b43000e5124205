package gateway

import "context"

// Deed names what a caller is about to do, in scopes, policies and records.
type Deed string

// Deeds.
const (
	AskModel         Deed = "ask-model"
	AskGuard         Deed = "ask-guard"
	ListModels       Deed = "list-models"
	PassUnguarded    Deed = "pass-unguarded"
	ManageGuardrails Deed = "manage-guardrails"
	ReadAnswers      Deed = "read-answers" // those that were kept, or delete them
)

// may refuses what the caller may not do.
func (x *exchange) may(_ context.Context, deed Deed) error {
	if err := x.inScope(deed); err != nil {
		return err
	}
	return nil
}
