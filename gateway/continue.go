package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
)

// Continuing is a Request of a dialect in which a request may go on from an
// earlier answer by its id.
type Continuing interface {
	Request
	// Previous returns that id, "" when the request stands alone.
	Previous() string
	// Continue puts what was said before in front of what the request says, in the
	// place of the id.
	Continue(before Said) error
	// Keeps reports whether a later request may go on from the answer.
	Keeps() bool
	// Said returns the id of an answer as the client read it, "" when it has none,
	// and what a request that goes on from it is to be told.
	Said(sent, answer []byte) (id string, said Said)
}

// Said is what a request asked and what was answered, in the words of the dialect.
// The zero Said says that the provider knows it.
type Said struct {
	Asked  []byte // as it was sent on, all that was said before included
	Answer []byte // as the client read it
}

// Finished is a Relay of a dialect whose streams end with the whole answer.
type Finished interface {
	// Final returns the answer as it went out, nil when the stream did not come to
	// its end.
	Final() []byte
}

// Memory keeps what was said for requests that go on from it. It is safe for
// concurrent use, and it may forget.
type Memory interface {
	// Keep keeps what was said under an id. What another owner kept stays theirs.
	Keep(ctx context.Context, owner, id string, said Said)
	// Recall returns what was kept. The error is ErrForgotten, ErrForeign when
	// another owner kept it, and else says that nobody can tell now.
	Recall(ctx context.Context, owner, id string) (Said, error)
	// Forget forgets what was kept. Its errors are those of Recall.
	Forget(ctx context.Context, owner, id string) error
}

// Errors of a Memory.
var (
	ErrForgotten = errors.New("nothing is kept under this id")
	ErrForeign   = errors.New("what is kept under this id is another caller's")
)

// Owner tells callers apart for a Memory. Those that show no key are one.
func Owner(p ringwall.Principal) string { return p.Tenant + "\x00" + p.ID }

// goOn puts in front of a request what was said before. A provider that keeps its
// answers itself is only asked for those that are not known to be another's.
func (x *exchange) goOn(ctx context.Context) error {
	req, ok := x.req.(Continuing)
	if !ok || req.Previous() == "" {
		return nil
	}
	said, err := Said{}, ErrForgotten
	if m := x.g.cfg.Memory; m != nil {
		said, err = m.Recall(ctx, Owner(x.Principal), req.Previous())
	}
	known := errors.Is(err, ErrForgotten) || errors.Is(err, ErrForeign)
	switch {
	case err != nil && !known: // it may be another's
		return &ringwall.Refusal{
			Status: http.StatusServiceUnavailable, Code: "memory_unavailable", Public: "What was said before cannot be read at the moment. Send the conversation itself as input.",
			Err: fmt.Errorf("%w: %w", ringwall.ErrUnavailable, err),
		}
	case x.native && !errors.Is(err, ErrForeign):
		x.follows = err == nil
		return nil
	case err == nil && said.Answer == nil:
		err = ErrForgotten // another provider knows it
	}
	if err != nil {
		return &ringwall.Refusal{
			Status: http.StatusNotFound, Code: "previous_response_not_found",
			Public: fmt.Sprintf("Previous response with id %.80q not found. Send the conversation itself as input.", req.Previous()),
			Err:    err,
		}
	}
	if err := req.Continue(said); err != nil {
		return err
	}
	x.Prompt = req.Texts()
	return nil
}

// remember keeps what was said for a request that goes on from it; answer is what the
// client read. Of what the provider keeps itself only whose it is is kept.
func (x *exchange) remember(ctx context.Context, sent, answer []byte) {
	req, ok := x.req.(Continuing)
	if !ok || !req.Keeps() || x.g.cfg.Memory == nil || answer == nil {
		return
	}
	id, said := req.Said(sent, answer)
	if id == "" {
		return
	}
	if x.native {
		said = Said{}
	}
	x.g.cfg.Memory.Keep(ctx, Owner(x.Principal), id, said)
}

// rememberFinal is remember for a stream, before its end goes out.
func (x *exchange) rememberFinal(ctx context.Context, sent []byte, r Relay) {
	if f, ok := r.(Finished); ok && !x.remembered {
		if answer := f.Final(); answer != nil {
			x.remembered = true
			x.remember(ctx, sent, answer)
		}
	}
}
