package server

import (
	"context"
	"slices"
	"time"

	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/gateway"
)

// pending lets held calls wait in the store of approvals.
type pending struct {
	store *approval.Store
	wait  time.Duration // that a request waits for a decision
}

func (p pending) request(h gateway.Held) approval.Request {
	r := approval.Request{
		Principal: h.Principal, Conversation: h.Conversation, Kind: approval.ToolCall, Tool: h.Call.Name, Effect: h.Use.Effect,
		Digest: h.Use.Digest, Arguments: h.Call.Arguments, Provenance: h.Use.Arguments, Exchange: h.Exchange,
	}
	if h.Use.Rule != "" {
		r.Rules = append([]string{h.Use.Rule}, h.Use.Also...)
	}
	return r
}

// Use implements gateway.Approvals.
func (p pending) Use(ctx context.Context, h gateway.Held) (string, error) {
	a, ok, err := p.store.Use(ctx, p.request(h))
	if err != nil || !ok {
		return "", err
	}
	return a.ID, nil
}

// Ask implements gateway.Approvals.
func (p pending) Ask(ctx context.Context, h gateway.Held) (gateway.Approval, error) {
	a, err := p.store.Ask(ctx, p.request(h))
	if err == nil && a.State == approval.Pending && p.wait > 0 {
		a, err = p.store.Wait(ctx, a.ID, p.wait)
	}
	if err != nil {
		return gateway.Approval{}, err
	}
	out := gateway.Approval{ID: a.ID, Given: a.State == approval.Approved, Refused: !slices.Contains([]approval.State{approval.Pending, approval.Approved}, a.State)}
	if a.ID != "" {
		out.Where = "/approvals/" + a.ID + "/card, or: ringwall approvals show " + a.ID
	}
	return out, nil
}
