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
	"github.com/ringwall/ringwall/provider/tally"
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

// Estimate answers a call to count tokens, which from reads, by an estimate for its
// model.
func Estimate(from Front, call ringwall.Call) ([]byte, error) {
	c, err := from.ReadRequest(call)
	if err != nil {
		return nil, err
	}
	return from.WriteReply(c, &ringwall.Reply{Usage: ringwall.Usage{InputTokens: tally.Conversation(call.Model, c)}})
}

// Events implements gateway.Provider. Nobody streams a number.
func (e *Estimated) Events(context.Context, ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		yield(sse.Event{}, fmt.Errorf("counting tokens: %w", errors.ErrUnsupported))
	}
}
