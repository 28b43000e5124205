package dialect

import (
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
)

// Codec translates between the words of one API and those of all. Its methods do
// no I/O and are safe for concurrent use; what they return is owned by one
// goroutine.
//
// Nothing is dropped in silence: what the one side can say and the other cannot is
// an error that names it ([Uncarried]), save what only tunes the service (tiers,
// caching, tracking) and changes no answer.
type Codec interface {
	// ReadRequest reads a request, which the dialect has read before.
	ReadRequest(call ringwall.Call) (*ringwall.Conversation, error)
	// WriteRequest writes one.
	WriteRequest(c *ringwall.Conversation) (ringwall.Call, error)
	// ReadReply reads a whole answer.
	ReadReply(body []byte) (*ringwall.Reply, error)
	// WriteReply writes one to a request.
	WriteReply(c *ringwall.Conversation, r *ringwall.Reply) ([]byte, error)
	// ReadStream reads the events of one streamed answer.
	ReadStream() StreamReader
	// WriteStream writes those of one to a request.
	WriteStream(c *ringwall.Conversation) StreamWriter
}

// StreamReader reads the events of a streamed answer.
type StreamReader interface {
	// Event emits what an event's data says, in the order of the deltas' kinds.
	Event(data []byte, emit func(ringwall.Delta)) error
	// End emits what is still missing when the stream has ended as it should.
	End(emit func(ringwall.Delta)) error
}

// StreamWriter writes the events of a streamed answer.
type StreamWriter interface {
	// Delta emits the data of the events that say what d does. The data is valid
	// until emit returns.
	Delta(d ringwall.Delta, emit func(data []byte)) error
}

// Effort returns the effort of reasoning that c asks for, for APIs that know no other
// measure of it; "" when c leaves it to the model.
func Effort(c *ringwall.Conversation) string {
	switch {
	case c.Effort != "" || c.Thinking <= 0:
		return c.Effort
	case c.Thinking <= 2048:
		return "low"
	case c.Thinking <= 8192:
		return "medium"
	}
	return "high"
}

// Uncarried refuses a request for what another API has no word for.
func Uncarried(what string) *ringwall.Refusal {
	return &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "unsupported_by_model",
		Public: "The model is behind another API, to which this cannot be carried: " + what + ". Leave it away, or ask a model behind the API that you use.",
		Err:    fmt.Errorf("%w: %s", ringwall.ErrUncarried, what),
	}
}
