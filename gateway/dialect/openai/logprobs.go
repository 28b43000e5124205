package openai

import (
	"slices"

	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// token is an element of logprobs.content and where the text ends whose frame it
// came with.
type token struct {
	raw []byte
	end int
}

// logprobs queues the tokens of a frame and puts in their place those whose text
// is out. Those that say another thing than piece, what the frame says, are dropped.
func (r *relay) logprobs(c *choice, piece, lp jsonedit.Value) {
	end := 0
	if f := c.field("content"); f != nil {
		end = f.in
	}
	tokens := lp.Get("content")
	if !dialect.Spells(tokens, piece.Text()) {
		tokens = jsonedit.Value{}
	}
	for _, e := range tokens.Elems() {
		c.probs = append(c.probs, token{slices.Clone(e.Raw()), end})
	}
	start, stop := lp.Span()
	r.edits = append(r.edits, jsonedit.Edit{Start: start, End: stop, New: appendProbs(nil, c.settled(false))})
}

// settled takes the tokens whose text is out from the queue.
func (c *choice) settled(all bool) []token {
	f := c.field("content")
	if f == nil || f.ch.Masked() || f.ch.Blocked() {
		c.probs = nil
		return nil
	}
	n := 0
	for n < len(c.probs) && (all || c.probs[n].end <= f.ch.Settled()) {
		n++
	}
	out := c.probs[:n]
	c.probs = c.probs[n:]
	return out
}

func appendProbs(dst []byte, ts []token) []byte {
	if len(ts) == 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"content":[`...)
	for i, t := range ts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, t.raw...)
	}
	return append(dst, `],"refusal":null}`...)
}
