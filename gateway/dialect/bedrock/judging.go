package bedrock

import (
	"context"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var (
	_ gateway.Judging = (*relay)(nil)
	_ gateway.Judging = (*plain)(nil)
	_ gateway.Judging = (*chunks)(nil)
)

// judged is what a relay knows of rulings about calls.
type judged struct {
	judge      func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling
	ruled      bool
	runs, gone bool // a call runs, or was taken out without a word
}

// Judge implements gateway.Judging.
func (j *judged) Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling) {
	j.judge = judge
}

// call appends a whole tool call with its texts looked at, or what stands in its place.
func (r *relay) call(ctx context.Context, dst []byte, b *block) []byte {
	start, arguments, ok := r.looked(ctx, b)
	if !ok || r.blocked {
		r.blocked = true
		return dst
	}
	if r.judge != nil {
		return r.rule(ctx, dst, b, start, arguments)
	}
	b.out.written = true
	return r.appendCall(dst, b, start, arguments)
}

// looked returns the start of a call, nil where there is none, and its arguments, with
// their texts looked at.
func (r *relay) looked(ctx context.Context, b *block) (start []byte, arguments string, ok bool) {
	var doc jsonedit.Doc
	if b.tool != nil {
		if doc.Parse(b.tool, dialect.AnswerLimits) != nil { // a part of an event that was parsed
			return nil, "", false
		}
		l := r.locate()
		r.say.call(l, doc.Root(), b.index)
		edits, blocked := dialect.Look(ctx, &l.Locator, r.open, r.blocked)
		r.blocked = blocked
		start = dialect.Splice(b.tool, append(edits, r.numbered(b, doc.Root())...))
	}
	if len(b.arguments) == 0 {
		return start, "", true
	}
	if doc.Parse(b.arguments, dialect.AnswerLimits) != nil {
		ch := r.open(r.say.path(b.index, "input"))
		out := string(dialect.Wholly(ctx, ch, string(b.arguments)))
		r.blocked = r.blocked || ch.Blocked()
		return start, out, true
	}
	l := r.locate()
	l.Every(doc.Root(), r.say.path(b.index, "input"), ringwall.Assistant)
	edits, blocked := dialect.Look(ctx, &l.Locator, r.open, r.blocked)
	r.blocked = blocked
	return start, string(dialect.Splice(b.arguments, edits)), true
}

// appendCall appends a whole tool call but for its end.
func (r *relay) appendCall(dst []byte, b *block, start []byte, arguments string) []byte {
	if start != nil {
		dst = r.say.event(dst, "contentBlockStart", start)
	}
	if arguments != "" {
		dst = r.say.delta(dst, b.at, "input", arguments)
	}
	return dst
}

// rule has a whole call decided about, and appends what becomes of it.
func (r *relay) rule(ctx context.Context, dst []byte, b *block, start []byte, arguments string) []byte {
	var doc, args jsonedit.Doc
	call, client := ringwall.ToolCall{Arguments: "{}"}, true
	if start != nil {
		if doc.Parse(start, dialect.AnswerLimits) != nil { // a part of an event that was parsed
			r.blocked = true
			return dst
		}
		call, client = r.say.asked(doc.Root())
	}
	if arguments != "" {
		if call.Arguments = arguments; args.Parse([]byte(arguments), dialect.AnswerLimits) == nil {
			call.Arguments = dialect.ArgumentsOf(args.Root())
		}
	}
	if !client {
		b.out.written = true
		return r.appendCall(dst, b, start, arguments)
	}
	r.ruled = true
	switch d := dialect.Rulings(r.judge(ctx, []ringwall.ToolCall{call}), 1)[0]; {
	case d.Runs:
		r.runs, b.out.written = true, true
		if d.Arguments != "" {
			arguments = d.Arguments
		}
		if start != nil && arguments != "" { // clients differ on which of both counts
			start = dialect.Splice(start, r.say.input(doc.Root()))
		}
		return r.appendCall(dst, b, start, arguments)
	case d.Note != "":
		dst = r.say.note(dst, b.at, d.Note, b.out.written)
		b.out.written = true
	case !b.out.written:
		b.gone, r.gone = true, true
	}
	return dst
}

// stops has an answer that asked for tools, and of which no call is left, end as one
// that asked for none.
func (r *relay) stops(reason jsonedit.Value, other string) {
	if r.ruled && !r.runs && reason.Is("tool_use") {
		r.edits = append(r.edits, reason.Set(other))
	}
}

// next is the index under which the client knows a block that begins: the model's own,
// unless a block before it was taken out.
func (r *relay) next(index int64) int64 {
	if !r.gone {
		return index
	}
	next := int64(0)
	for _, b := range r.blocks {
		if !b.gone {
			next = max(next, b.at+1)
		}
	}
	return next
}

// renumber gives an event of a block the index under which the client knows it.
func (r *relay) renumber(b *block, v jsonedit.Value) { r.edits = append(r.edits, r.numbered(b, v)...) }

func (r *relay) numbered(b *block, v jsonedit.Value) []jsonedit.Edit {
	if b.at == b.index {
		return nil
	}
	for _, key := range []string{"contentBlockIndex", "index"} {
		if at := v.Get(key); at.Exists() {
			return []jsonedit.Edit{dialect.Put(at, strconv.AppendInt(nil, b.at, 10))}
		}
	}
	return nil
}
