package dialect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/sse"
)

// Estimated is a Provider that answers requests to count tokens, in the place of one
// that cannot count: it asks nobody, and says that what it answers is an estimate.
type Estimated struct {
	API      string                                   // of the calls that come
	Model    string                                   // whose tokens are counted; "" that of the call
	Answer   func(call ringwall.Call) ([]byte, error) // to a call, without I/O
	Provider gateway.Provider                         // whose models they are
}

// APIs implements gateway.Provider.
func (e *Estimated) APIs() []string { return []string{e.API} }

// Models implements gateway.Provider.
func (e *Estimated) Models(ctx context.Context) ([]string, error) { return e.Provider.Models(ctx) }

// Complete implements gateway.Provider.
func (e *Estimated) Complete(_ context.Context, call ringwall.Call) ([]byte, error) {
	call.Model = cmp.Or(e.Model, call.Model)
	body, err := e.Answer(call)
	if err == nil && call.Asked != nil {
		call.Asked.Estimated = true
	}
	return body, err
}

// Events implements gateway.Provider. Nobody streams a number.
func (e *Estimated) Events(context.Context, ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		yield(sse.Event{}, fmt.Errorf("counting tokens: %w", errors.ErrUnsupported))
	}
}
