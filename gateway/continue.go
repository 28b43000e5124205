package gateway

import (
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
	Continue(said []byte) error
	// Keeps reports whether a later request may go on from the answer.
	Keeps() bool
	// Said returns the id of an answer as the client read it, "" when it has none,
	// and what a request that goes on from it is to be told: what was asked, as it
	// was sent on, and the answer.
	Said(sent, answer []byte) (id string, said []byte)
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
	Keep(owner, id string, said []byte)
	// Recall returns what was kept. The error is ErrForgotten, or ErrForeign when
	// another owner kept it.
	Recall(owner, id string) ([]byte, error)
}

// Errors of a Memory.
var (
	ErrForgotten = errors.New("nothing is kept under this id")
	ErrForeign   = errors.New("what is kept under this id is another caller's")
)

// owner tells callers apart for a Memory. Those that show no key are one.
func owner(p ringwall.Principal) string { return p.Tenant + "\x00" + p.ID }

// goOn puts in front of a request what was said before. A provider that keeps its
// answers itself is only asked for those that are not known to be another's.
func (x *exchange) goOn() error {
	req, ok := x.req.(Continuing)
	if !ok || req.Previous() == "" {
		return nil
	}
	said, err := []byte(nil), ErrForgotten
	if m := x.g.cfg.Memory; m != nil {
		said, err = m.Recall(owner(x.Principal), req.Previous())
	}
	if x.native && !errors.Is(err, ErrForeign) {
		return nil
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
func (x *exchange) remember(sent, answer []byte) {
	req, ok := x.req.(Continuing)
	if !ok || !req.Keeps() || x.g.cfg.Memory == nil || answer == nil {
		return
	}
	id, said := req.Said(sent, answer)
	if id == "" {
		return
	}
	if x.native {
		said = nil
	}
	x.g.cfg.Memory.Keep(owner(x.Principal), id, said)
}

// rememberFinal is remember for a stream, before its end goes out.
func (x *exchange) rememberFinal(sent []byte, r Relay) {
	if f, ok := r.(Finished); ok && !x.remembered {
		if answer := f.Final(); answer != nil {
			x.remembered = true
			x.remember(sent, answer)
		}
	}
}
