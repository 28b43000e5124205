package ollama

import (
	"context"
	"errors"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Judging = (*relay)(nil)

// Bounds on what a provider can make us hold.
const (
	maxCalls  = 1024
	maxCalled = 16 << 20 // bytes of the calls of an answer
)

// Judge implements gateway.Judging. Calls are held from then on until the answer ends.
func (r *relay) Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling) {
	r.judge = judge
}

// gather takes the calls out of a message, as the client would read them. An answer to
// a prompt has none.
func (r *relay) gather(ctx context.Context, message jsonedit.Value) error {
	ws := wishes(message)
	if twice(message) {
		return errTwice
	}
	if len(ws) > 0 {
		r.edits = append(r.edits, message.Remove(isCalls)...)
	}
	if r.generate {
		return nil
	}
	for _, w := range ws {
		l := dialect.Locator{Grammar: grammar}
		call(&l, w.v, "/message/tool_calls/"+strconv.Itoa(max(w.at, 0)))
		edits, blocked := dialect.Look(ctx, &l, r.open, r.blocked)
		start, _ := w.v.Span()
		for i := range edits {
			edits[i].Start, edits[i].End = edits[i].Start-start, edits[i].End-start
		}
		raw := dialect.Splice(w.v.Raw(), edits)
		r.blocked, r.size = blocked, r.size+len(raw)
		if r.calls = append(r.calls, raw); len(r.calls) > maxCalls || r.size > maxCalled {
			return errors.New("the model asks for too many tools")
		}
	}
	return nil
}

// ruled has the calls judged and returns those that go out, and the notes on those that
// do not.
func (r *relay) ruled(ctx context.Context) (run [][]byte, note string) {
	calls := r.calls
	if r.calls = nil; len(calls) == 0 || r.blocked {
		return nil, ""
	}
	docs, ws, asked := make([]jsonedit.Doc, len(calls)), make([]wish, len(calls)), make([]ringwall.ToolCall, len(calls))
	for i, raw := range calls {
		if docs[i].Parse(raw, dialect.AnswerLimits) != nil { // what is no call is none
			r.blocked = true
			return nil, ""
		}
		ws[i] = wish{i, docs[i].Root()}
		asked[i] = ws[i].call()
	}
	rulings := make([]gateway.Ruling, len(calls))
	copy(rulings, r.judge(ctx, asked))
	var notes []string
	for i, rule := range rulings {
		switch {
		case !rule.Runs:
			notes = append(notes, rule.Note)
			continue
		case rule.Arguments != "":
			calls[i] = dialect.Splice(calls[i], ws[i].become(rule.Arguments))
		}
		run = append(run, calls[i])
	}
	r.mute = len(run) == 0
	return run, dialect.Noted("", notes...)
}
