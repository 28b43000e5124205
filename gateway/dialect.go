package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
)

// Dialect reads and writes one model API. Its methods do no I/O and are safe for
// concurrent use; what they return is owned by one goroutine. [Common] has what
// most do alike.
type Dialect interface {
	// Name is the dialect's name in records, and the API of its calls: "openai".
	Name() string
	// Credential returns the key that a request shows, "" when it shows none. The
	// error says, in words for the caller, why what it shows is none.
	Credential(r *http.Request) (string, error)
	// Read parses a request strictly: its body, and what its path and headers say.
	// The error is a *ringwall.Refusal that says where the request is wrong.
	Read(r *http.Request, body []byte) (Request, error)
	// Answer parses a whole answer of a provider to a request.
	Answer(req Request, body []byte) (Answer, error)
	// Relay makes a Relay for a streamed answer to a request.
	Relay(req Request, open Open) Relay
	// ContentType is that of answers, whole or streamed.
	ContentType(stream bool) string
	// AppendError appends the body of an error to dst, and sets the headers that
	// errors have in this dialect.
	AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte
}

// Decliner is a Dialect in which a request that policy declines has an answer and
// no error.
type Decliner interface {
	// Declined returns that answer, whole or all of the stream.
	Declined(req Request, d Declined) []byte
}

// Declined says what policy did about a request or an answer.
type Declined struct {
	ID        string // of the exchange
	Guardrail string // name and version
	Message   string // what the caller reads instead
	Way       ringwall.Direction
	Findings  []ringwall.Finding // of the request, and of the answer behind them
	Inputs    int                // how many are of the request
	Actions   []ringwall.Action  // what each finding alone would have led to
}

// Signed is a Dialect, an Inquirer or Errands in which a request may be signed with a key instead of showing
// it.
type Signed interface {
	// Signature returns what a request claims to be signed with, nil when it shows
	// no signature. The error says, in words for the caller, why what it shows is
	// none.
	Signature(r *http.Request) (Signature, error)
}

// Signature is a claim, which is proved once the body was read.
type Signature interface {
	KeyID() string
	// Verify reports whether the request with that body was signed with the secret
	// of the key, not long before or after now. The error is for the operator.
	Verify(r *http.Request, body []byte, secret string, now time.Time) error
}

// Named is a Request in which callers may name a guardrail.
type Named interface {
	// Guardrail returns its name, with an @ and its version where one is given; ""
	// when the request names none.
	Guardrail() string
}

// Common is what most dialects do alike, for embedding.
type Common struct{}

// Credential implements Dialect: it is an OAuth 2.0 bearer token (RFC 6750 §2.1).
func (Common) Credential(r *http.Request) (string, error) {
	credential := r.Header.Get("Authorization")
	scheme, bearer, _ := strings.Cut(credential, " ")
	if credential != "" && !strings.EqualFold(scheme, "Bearer") {
		return "", errors.New("the Authorization header should read: Bearer rw_…")
	}
	return strings.TrimSpace(bearer), nil
}

// ContentType implements Dialect: JSON, and server-sent events.
func (Common) ContentType(stream bool) string {
	if stream {
		return "text/event-stream"
	}
	return "application/json"
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
	// Header returns what of the client's headers belongs to the request.
	Header() map[string]string
}

// Answer is a whole answer as its dialect reads it.
type Answer interface {
	Texts() []ringwall.Text
	// Edit returns the answer with texts changed, and without what would give
	// the changed texts away.
	Edit(changed []guard.Changed) []byte
	// Withhold returns the answer with the message of d in the place of what it
	// said.
	Withhold(d Declined) []byte
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
	Withhold(dst []byte, d Declined) []byte
	// Fail appends the end of a stream that failed.
	Fail(dst []byte, r *ringwall.Refusal, id string) []byte
	Usage() ringwall.Usage
}
