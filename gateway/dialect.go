package gateway

import (
	"context"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
)

// Dialect reads and writes one model API. Its methods do no I/O and are safe for
// concurrent use; what they return is owned by one goroutine.
type Dialect interface {
	// Name is the dialect's name in records: "openai".
	Name() string
	// Read parses a request strictly. The error is a *ringwall.Refusal that says
	// where the request is wrong.
	Read(body []byte) (Request, error)
	// Answer parses a whole answer of a provider.
	Answer(body []byte) (Answer, error)
	// Relay makes a Relay for a streamed answer.
	Relay(open Open) Relay
	// AppendError appends the body of an error to dst.
	AppendError(dst []byte, r *ringwall.Refusal, id string) []byte
}

// Request is a request as its dialect reads it.
type Request interface {
	Model() string
	Stream() bool
	// Texts returns every text that a model may read, in the order of the
	// document.
	Texts() []ringwall.Text
	// Unseen names, in kebab-case, the kinds of parts that are no text.
	Unseen() []string
	// Edit returns the request with texts changed, every other byte as it was.
	Edit(changed []guard.Changed) []byte
	// WithModel makes Edit name another model.
	WithModel(name string)
}

// Answer is a whole answer as its dialect reads it.
type Answer interface {
	Texts() []ringwall.Text
	// Edit returns the answer with texts changed, and without what would give
	// the changed texts away.
	Edit(changed []guard.Changed) []byte
	// Withhold returns the answer with message in the place of what it said.
	Withhold(message string) []byte
	Usage() ringwall.Usage
}

// Open opens a Channel for a text of an answer.
type Open func(path string) Channel

// Channel looks at one text while it comes; *guard.Channel is one.
type Channel interface {
	Write(p []byte) []byte
	Close(ctx context.Context) []byte
	Blocked() bool
	Masked() bool
	Settled() int
}

// Relay turns the events of a provider's stream into the frames that may go out.
type Relay interface {
	// Event appends to dst the frames that may go out now that an event's data
	// came. An error means that the data could not be read.
	Event(ctx context.Context, dst, data []byte) ([]byte, error)
	// End appends what was held back and the end of the stream.
	End(ctx context.Context, dst []byte) []byte
	// Blocked reports whether policy has ended the stream.
	Blocked() bool
	// Withhold appends the end of a stream that policy ended.
	Withhold(dst []byte, message string) []byte
	// Fail appends the end of a stream that failed.
	Fail(dst []byte, r *ringwall.Refusal, id string) []byte
	Usage() ringwall.Usage
}
