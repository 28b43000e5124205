package gullible

import (
	"context"
	"iter"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/sse"
)

// Provider is a model as a gateway asks it in its own process.
type Provider struct{ Model *Model }

// APIs implements gateway.Provider.
func (p Provider) APIs() []string { return []string{"openai"} }

// Complete implements gateway.Provider.
func (p Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.Model.Complete(ctx, call.Body)
}

// Events implements gateway.Provider.
func (p Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		for data, err := range p.Model.Stream(ctx, call.Body) {
			if !yield(sse.Event{Data: data}, err) {
				return
			}
		}
	}
}

// Models implements gateway.Provider.
func (p Provider) Models(context.Context) ([]string, error) { return []string{ModelName}, nil }
