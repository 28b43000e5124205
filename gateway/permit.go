package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/policy"
)

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
	UseException     Deed = "use-exception"
	CallTool         Deed = "call-tool" // which the model asks for
)

// PurposeHeader is the request header by which callers say what for they ask. It is a
// claim, which policies may ask for and records keep apart from what is proved.
const PurposeHeader = "X-Ringwall-Purpose"

// Wants says what of a request no Request says: the tools that the model is offered, and
// the most tokens that the answer may have, 0 where it does not say. An error refuses the request.
type Wants func(body []byte) (tools []string, tokens int64, err error)

// may refuses what the caller may not do.
func (x *exchange) may(ctx context.Context, deed Deed) error {
	if err := x.inScope(deed); err != nil {
		return err
	}
	if x.world.Policy == nil {
		return nil
	}
	q, err := x.question(ctx, deed)
	if err != nil {
		return err
	}
	return x.permitted(q)
}

// mayStill refuses what the caller may not do with the data that was noticed in the
// request.
func (x *exchange) mayStill(ctx context.Context, deed Deed) error {
	if p := x.world.Policy; p == nil || len(x.Findings) == 0 || !p.Reads("data") {
		return nil
	}
	q, err := x.question(ctx, deed)
	if err != nil {
		return err
	}
	if q.Context.Data = x.noticed(); len(q.Context.Data) == 0 {
		return nil
	}
	return x.permitted(q)
}

// noticed returns the classes of data that were noticed in the request.
func (x *exchange) noticed() (classes []string) {
	for _, f := range x.Findings {
		if f.Control == "inference/pii" || f.Control == "inference/secret" {
			classes = append(classes, f.Reason)
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

// question is what policies are asked about a deed.
func (x *exchange) question(ctx context.Context, deed Deed) (*policy.Request, error) {
	route := x.Route
	if route == "" {
		route = clip(x.r.URL.Path, 100)
	}
	q := &policy.Request{
		Principal: x.Principal, Action: string(deed), Resource: policy.Resource{Type: "Route", ID: route},
		Context: policy.Context{
			Client: ringwall.ClientOf(ctx), Time: x.g.cfg.Now(), Purpose: x.r.Header.Get(PurposeHeader),
			Route: route, Dialect: x.d.Name(), Stream: x.Stream,
		},
	}
	switch deed {
	case AskModel:
		q.Resource = policy.Resource{Type: "Model", ID: x.Model, Provider: x.Provider}
		if p := x.world.Policy; x.world.Wants != nil && x.req != nil && (p.Reads("tools") || p.Reads("max_tokens")) {
			var err error
			if q.Context.Tools, q.Context.MaxTokens, err = x.world.Wants(x.req.Edit(nil)); err != nil {
				return nil, &ringwall.Refusal{
					Status: http.StatusForbidden, Code: "forbidden", Public: "Nobody can tell which tools this asks for. Name this exchange when you ask your operator.",
					Err: fmt.Errorf("%w: the request cannot be read for policies: %w", ringwall.ErrForbidden, err),
				}
			}
		}
	case AskGuard:
		name, _, _ := strings.Cut(x.wall.Name(), "@")
		if in, ok := x.req.(inquiry); ok {
			if ref := in.Question().Guardrail; ref.Name != "" {
				name = ref.Name
			}
		}
		q.Resource = policy.Resource{Type: "Guardrail", ID: name}
	case ListModels, PassUnguarded, ManageGuardrails, ReadAnswers, Observe, Approve, ReadApprovals, Administer: // of the route
	case UseException: // of which, see excuses
	case CallTool: // which, see mayCall
	}
	return q, nil
}

// permitted has policies decide, which the record tells of.
func (x *exchange) permitted(q *policy.Request) error {
	d := x.world.Policy.Decide(q)
	x.Policy = d.Policies
	if len(d.Errors) > 0 {
		x.g.cfg.Log.Warn("a policy could not be evaluated", "exchange", x.ID, "error", strings.Join(d.Errors, "; "))
	}
	switch d.Effect {
	case policy.Deny:
	case policy.Allow:
		return nil
	case policy.Hold:
		x.Verdict = ringwall.Verdict{Action: ringwall.Hold, Reasons: []string{"policy"}}
		return &ringwall.Refusal{
			Status: http.StatusForbidden, Code: "approval_required",
			Public: "This takes somebody's approval. Name this exchange when you ask your operator.",
			Err:    fmt.Errorf("%w: %s %s takes an approval: %s (%s)", ringwall.ErrForbidden, q.Action, q.Resource, strings.Join(d.Holds, ", "), strings.Join(d.Policies, ", ")),
		}
	}
	x.Verdict = ringwall.Verdict{Action: ringwall.Block, Reasons: []string{"policy"}}
	err := fmt.Errorf("%w: %s %s is denied by %s", ringwall.ErrForbidden, q.Action, q.Resource, strings.Join(d.Policies, ", "))
	if len(d.Errors) > 0 {
		err = fmt.Errorf("%w (%w)", err, errors.New(strings.Join(d.Errors, "; ")))
	}
	return &ringwall.Refusal{
		Status: http.StatusForbidden, Code: "forbidden",
		Public: "You may not do this here. Name this exchange when you ask your operator.", Err: err,
	}
}

// mine leaves of the names of models those that the caller may ask.
func (x *exchange) mine(ctx context.Context, names []string) []string {
	names = slices.DeleteFunc(names, func(name string) bool { return !x.shows(name) })
	if x.world.Policy == nil {
		return names
	}
	q, err := x.question(ctx, AskModel)
	if err != nil {
		return nil
	}
	q.Context.Route, q.Context.Dialect = "", ""
	return slices.DeleteFunc(names, func(name string) bool {
		q.Resource = policy.Resource{Type: "Model", ID: name}
		if r, ok := x.world.Models[name]; ok {
			q.Resource.Provider = r.Name
		} else if x.world.Default != nil {
			q.Resource.Provider = x.world.Default.Name
		}
		return x.world.Policy.Decide(q).Effect == policy.Deny
	})
}

// excuses returns who says whether exceptions of guardrails may excuse the caller, nil
// where nobody wrote policies.
func (x *exchange) excuses(ctx context.Context) func(guardrail, exception string) bool {
	if x.world.Policy == nil {
		return nil
	}
	return func(guardrail, exception string) bool {
		q, err := x.question(ctx, UseException)
		if err != nil {
			return false
		}
		q.Resource = policy.Resource{Type: "Guardrail", ID: guardrail}
		q.Context.Exception = exception
		return x.world.Policy.Decide(q).Effect == policy.Allow
	}
}
