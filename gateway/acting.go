package gateway

import (
	"context"

	"github.com/ringwall/ringwall"
)

// Acting is a Request of a dialect in which models may ask for tools.
type Acting interface {
	Request
	// Conversation returns what was said so far and which tools are offered, as the
	// client sent it: turns, with calls and results under the ids that the client gives
	// them, and the tools' definitions. It reads what translation refuses, too: a part
	// without a word for it is a PartMedia. The error is a *ringwall.Refusal for a
	// conversation that cannot be told: a result or a call without what names it.
	Conversation() (*ringwall.Conversation, error)
	// Offer takes the tools away that keep does not keep, from what Edit returns. It
	// reports whether the request forces the model to call a tool that is gone.
	Offer(keep func(name string) bool) (forced bool)
}

// Calling is an Answer in which a model asks for tools.
type Calling interface {
	Answer
	// Calls returns the calls of tools that the client is to run, in the order of the
	// document. Tools that the provider runs itself are none.
	Calls() []ringwall.ToolCall
	// Rule has Edit put rulings in force, one for each call.
	Rule(rulings []Ruling)
}

// Judging is a Relay of streams in which a model asks for tools.
type Judging interface {
	Relay
	// Judge has calls decided about before anything of them goes out: judge is given
	// those that come out together, as the client would read them, and returns a ruling
	// for each.
	Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []Ruling)
}

// Ruling is what becomes of a call. The zero Ruling takes it out, without a word.
type Ruling struct {
	Runs bool
	// Arguments are what a call that runs goes on with instead; "" as it is.
	Arguments string
	// Note stands as text of the assistant in the place of a call that does not run. An
	// answer of which no call is left ends as one that asked for none.
	Note string
}
