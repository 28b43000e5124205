package anthropic

import (
	"bytes"
	"context"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// judged is what a relay knows of rulings about calls. A call that is whole asks for
// one when all before it are whole; without one it does not leave the queue.
type judged struct {
	judge       func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling
	asked, runs bool
	gone        []int64 // indices of blocks that were taken out without a word
}

// asks is a call that asks for a ruling.
type asks struct {
	index     int64
	start     []byte
	arguments string
}

// Judge implements gateway.Judging.
func (r *relay) Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling) {
	r.judge = judge
}

// settle has the calls decided about that are next to go out, and puts into the place
// of their events what becomes of them.
func (r *relay) settle(ctx context.Context) {
	if len(r.queue) == 0 || r.judge == nil || r.blocked {
		return
	}
	var calls []ringwall.ToolCall
	var of []*held
	for _, h := range r.queue {
		if !h.whole {
			break
		}
		if h.asks == nil {
			continue
		}
		call, ok := h.asks.call()
		if !ok { // a part of an event that was parsed
			r.blocked = true
			return
		}
		calls, of = append(calls, call), append(of, h)
	}
	if len(calls) == 0 {
		return
	}
	r.asked = true
	for i, ruling := range dialect.Rulings(r.judge(ctx, calls), len(calls)) {
		h := of[i]
		switch a := h.asks; {
		case ruling.Runs:
			r.runs = true
			if ruling.Arguments != "" {
				a.arguments = ruling.Arguments
			}
			h.call = a.events()
		case ruling.Note != "":
			h.call = appendText(nil, a.index, ruling.Note)
		default:
			h.call, r.gone = nil, append(r.gone, a.index)
		}
		h.asks = nil
	}
}

// call is the call as the client reads it.
func (a *asks) call() (c ringwall.ToolCall, ok bool) {
	var start, doc jsonedit.Doc
	if start.Parse(a.start, dialect.AnswerLimits) != nil {
		return c, false
	}
	c = dialect.MessagesCallOf(start.Root().Get("content_block"))
	if a.arguments == "" {
		return c, true
	}
	if c.Arguments = a.arguments; doc.Parse([]byte(a.arguments), dialect.AnswerLimits) == nil {
		c.Arguments = dialect.ArgumentsOf(doc.Root())
	}
	return c, true
}

// events are those of a call that runs. What its beginning says of the arguments is
// nothing where they come behind: clients differ on which of both counts.
func (a *asks) events() []byte {
	var doc jsonedit.Doc
	if a.arguments != "" && doc.Parse(a.start, dialect.AnswerLimits) == nil {
		edit := doc.Root().Get("content_block").SetMember("input", []byte("{}"))
		a.start = jsonedit.Splice(nil, a.start, []jsonedit.Edit{edit})
	}
	return appendCall(nil, a.index, a.start, a.arguments)
}

// ends has an answer that asked for tools, and of which no call is left, end as one
// that asked for none.
func (r *relay) ends(reason jsonedit.Value) {
	if r.asked && !r.runs && reason.Is("tool_use") {
		r.edits = append(r.edits, reason.Set("end_turn"))
	}
}

// at is the index under which a client knows a block.
func (r *relay) at(index int64) int64 {
	before := int64(0)
	for _, g := range r.gone {
		if g < index {
			before++
		}
	}
	return index - before
}

// renumbered returns frames with the indices under which a client knows blocks: it
// counts on them to have no gaps.
func (r *relay) renumbered(frames []byte) []byte {
	if len(r.gone) == 0 || len(frames) == 0 {
		return frames
	}
	var doc jsonedit.Doc
	out := make([]byte, 0, len(frames))
	for len(frames) > 0 { // as appendEvent wrote them
		frame, rest, _ := bytes.Cut(frames, []byte("\n\n"))
		frames = rest
		head, data, _ := bytes.Cut(frame, []byte("\ndata: "))
		data = bytes.ReplaceAll(data, []byte("\ndata: "), []byte("\n"))
		if bytes.HasPrefix(head, []byte("event: content_block_")) && doc.Parse(data, dialect.AnswerLimits) == nil {
			v := doc.Root().Get("index")
			if n, ok := v.Int(); ok {
				data = jsonedit.Splice(nil, data, []jsonedit.Edit{dialect.Put(v, strconv.AppendInt(nil, r.at(n), 10))})
			}
		}
		out = sse.Append(append(append(out, head...), '\n'), data)
	}
	return out
}

// isGone reports whether a block was taken out.
func (r *relay) isGone(index int64) bool { return slices.Contains(r.gone, index) }
