package dialect

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/sse"
)

// Translated is a Provider that is asked in one dialect and asks another Provider
// in another. What stands around it sees the first alone: the guard looks at what
// the client said and at what the client will read.
type Translated struct {
	API      string // of the calls that come, which From reads
	From     Front
	To       Back
	Provider gateway.Provider // is asked in the words of To
	// NewID makes the id of an answer to which its provider gives none, for clients
	// that take an answer without one for none. Default: random.
	NewID func() string
}

func (t *Translated) id(given string) string {
	switch {
	case given != "":
		return given
	case t.NewID != nil:
		return t.NewID()
	}
	return "answer-" + rand.Text()
}

// APIs implements gateway.Provider.
func (t *Translated) APIs() []string { return []string{t.API} }

// Models implements gateway.Provider.
func (t *Translated) Models(ctx context.Context) ([]string, error) { return t.Provider.Models(ctx) }

// request translates a call.
func (t *Translated) request(call ringwall.Call) (*ringwall.Conversation, ringwall.Call, error) {
	c, err := t.From.ReadRequest(call)
	if err != nil {
		return nil, ringwall.Call{}, err
	}
	c.Model, c.Stream = call.Model, call.Stream
	out, err := t.To.WriteRequest(c)
	return c, out, err
}

// Complete implements gateway.Provider.
func (t *Translated) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	c, out, err := t.request(call)
	if err != nil {
		return nil, err
	}
	body, err := t.Provider.Complete(ctx, out)
	if err != nil {
		return nil, err
	}
	reply, err := t.To.ReadReply(body)
	if err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	reply.ID = t.id(reply.ID)
	return t.From.WriteReply(c, reply)
}

// Events implements gateway.Provider. What one event says leaves together.
func (t *Translated) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		c, out, err := t.request(call)
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		s := stream{in: t.To.ReadStream(), out: t.From.WriteStream(c), id: t.id, yield: yield}
		for ev, err := range t.Provider.Events(ctx, out) {
			if err != nil {
				yield(sse.Event{}, err)
				return
			}
			s.more = ev.More
			if err := s.in.Event(ev.Data, s.delta); !s.flush(err) {
				return
			}
		}
		s.more = false
		s.flush(s.in.End(s.delta))
	}
}

// stream is a streamed answer on its way from one dialect to another.
type stream struct {
	in    StreamReader
	out   StreamWriter
	id    func(given string) string
	yield func(sse.Event, error) bool
	held  []byte // the last event, of which it is not known whether others come with it
	holds bool
	more  bool // another event of the provider came together with this one
	err   error
	left  bool // nobody reads any more
}

func (s *stream) delta(d ringwall.Delta) {
	if d.Kind == ringwall.DeltaBegin {
		d.ID = s.id(d.ID)
	}
	if s.err == nil && !s.left {
		s.err = s.out.Delta(d, s.event)
	}
}

// event yields the event before, behind which data comes at once.
func (s *stream) event(data []byte) {
	if s.left {
		return
	}
	if s.holds && !s.yield(sse.Event{Data: s.held, More: true}, nil) {
		s.left = true
		return
	}
	s.held, s.holds = append(s.held[:0], data...), true
}

// flush yields the last event, or an error, and reports whether to go on.
func (s *stream) flush(err error) bool {
	if s.left {
		return false
	}
	if s.holds && (err != nil || !s.more) {
		if s.holds = false; !s.yield(sse.Event{Data: s.held}, nil) {
			return false
		}
	}
	if err == nil {
		err = s.err
	}
	if err != nil {
		s.yield(sse.Event{}, fmt.Errorf("reading the model's stream: %w", err))
		return false
	}
	return true
}
