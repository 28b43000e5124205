package anthropic

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// counted implements gateway.Answer: {"input_tokens":42}.
type counted struct {
	dialect.Locator
	doc jsonedit.Doc
	src []byte
}

// Answer implements gateway.Dialect.
func (Counting) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	c := &counted{Locator: dialect.Locator{Grammar: grammar}, src: body}
	if err := c.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the number of tokens: %w", err)
	}
	if _, ok := c.doc.Root().Get("input_tokens").Int(); !ok {
		return nil, errors.New("reading the number of tokens: there is none")
	}
	c.All(c.doc.Root(), "", "", ringwall.Assistant)
	return c, nil
}

func (c *counted) Edit(changed []guard.Changed) []byte {
	return dialect.Splice(c.src, c.Edits(changed))
}

// Withhold leaves nothing but the number.
func (c *counted) Withhold(gateway.Declined) []byte {
	return append(append([]byte(`{"input_tokens":`), c.doc.Root().Get("input_tokens").Raw()...), '}')
}

// Usage is nothing: no model was asked.
func (c *counted) Usage() ringwall.Usage { return ringwall.Usage{} }

// Relay implements gateway.Dialect; a number is not streamed.
func (Counting) Relay(gateway.Request, gateway.Open) gateway.Relay { return unstreamed{} }

// unstreamed is a Relay of what has no streams.
type unstreamed struct{}

func (unstreamed) Event(_ context.Context, dst, _ []byte) ([]byte, error) {
	return dst, errors.New("reading the number of tokens: it comes as a stream")
}
func (unstreamed) End(_ context.Context, dst []byte) []byte              { return dst }
func (unstreamed) Blocked() bool                                         { return false }
func (unstreamed) Withhold(dst []byte, _ gateway.Declined) []byte        { return dst }
func (unstreamed) Fail(dst []byte, _ *ringwall.Refusal, _ string) []byte { return dst }
func (unstreamed) Usage() ringwall.Usage                                 { return ringwall.Usage{} }
