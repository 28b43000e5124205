package anthropic

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// block is a block of the answer that is being said.
type block struct {
	index     int64
	kind      string
	path      string // its JSON pointer
	out       bool   // its beginning went out
	behind    *held  // the call behind which its beginning waits, or waited
	held      *held  // of a tool call: where it waits
	ended     bool
	endBehind *held  // the call behind which its end waits, or waited
	start     []byte // of a tool call: its beginning
	arguments []byte
	signature []byte
	texts     []field
	citations int
}

// field is a string that deltas add to.
type field struct {
	key, delta string // its name, and the type of the deltas
	ch         gateway.Channel
}

// isOut reports whether the client knows of the block.
func (b *block) isOut() bool {
	if b.held != nil {
		return b.held.out
	}
	return b.out && (b.behind == nil || b.behind.out)
}

// endIsOut reports whether the client knows that a block, which is no call, has ended.
func (b *block) endIsOut() bool { return b.ended && (b.endBehind == nil || b.endBehind.out) }

func (r *relay) block(index int64) *block {
	for _, b := range r.blocks {
		if b.index == index {
			return b
		}
	}
	return nil
}

// text passes a piece of a text through its Channel and reports whether anything
// of it goes out.
func (r *relay) text(b *block, key, delta string, v jsonedit.Value) (says bool) {
	at := slices.IndexFunc(b.texts, func(f field) bool { return f.key == key })
	if at < 0 {
		at = len(b.texts)
		b.texts = append(b.texts, field{strings.Clone(key), strings.Clone(delta), r.open(b.path + "/" + dialect.Pointer(key))})
	}
	f := &b.texts[at]
	piece := v.Raw()
	if piece = piece[1 : len(piece)-1]; bytes.IndexByte(piece, '\\') >= 0 {
		piece = []byte(v.Text())
	}
	out := f.ch.Write(piece)
	r.blocked = r.blocked || f.ch.Blocked()
	if !bytes.Equal(out, piece) {
		r.edits = append(r.edits, v.Set(string(out)))
	}
	r.said = r.said || len(out) > 0 && !r.blocked
	return len(out) > 0
}

// rest appends what a block held back. Of a tool call that is all of it, in the place
// where it waits.
func (r *relay) rest(ctx context.Context, dst []byte, b *block) ([]byte, error) {
	masked := false
	for _, f := range b.texts {
		rest := f.ch.Close(ctx)
		r.blocked = r.blocked || f.ch.Blocked()
		masked = masked || f.ch.Masked()
		if len(rest) > 0 {
			r.said = r.said || !r.blocked
			dst = appendDelta(dst, b.index, f.delta, f.key, string(rest))
		}
	}
	if b.start != nil {
		start, arguments, err := r.call(ctx, b)
		if err == nil {
			b.held.call, b.held.whole = appendCall(nil, b.index, start, arguments), true
			if r.judge != nil && dialect.MessagesCall(b.kind) {
				b.held.asks = &asks{index: b.index, start: start, arguments: arguments}
			}
		}
		return dst, err
	}
	if masked && b.kind == "thinking" {
		b.signature = []byte(unsigned)
	}
	if len(b.signature) > 0 {
		dst = appendDelta(dst, b.index, "signature_delta", "signature", string(b.signature))
	}
	return dst, nil
}

// call returns the beginning of a whole tool call, and its arguments, with their texts
// looked at.
func (r *relay) call(ctx context.Context, b *block) (start []byte, arguments string, err error) {
	var doc jsonedit.Doc
	if err := doc.Parse(b.start, dialect.AnswerLimits); err != nil { // a part of an event that was parsed
		return nil, "", err
	}
	l := located(true)
	l.block(doc.Root().Get("content_block"), b.path, ringwall.Assistant)
	start = dialect.Splice(b.start, l.Edits(r.look(ctx, &l)))
	if len(b.arguments) == 0 {
		return start, "", nil
	}
	arguments = string(b.arguments)
	if doc.Parse(b.arguments, dialect.AnswerLimits) != nil {
		// A call that was cut off: nobody can read it as JSON, so it is one text.
		ch := r.open(b.path + "/input")
		out := wholly(ctx, ch, arguments)
		r.blocked = r.blocked || ch.Blocked()
		return start, string(out), nil
	}
	l = located(true)
	l.Every(doc.Root(), b.path+"/input#", ringwall.Assistant)
	return start, string(dialect.Splice(b.arguments, l.Edits(r.look(ctx, &l)))), nil
}

// appendCall appends the events of a whole tool call.
func appendCall(dst []byte, index int64, start []byte, arguments string) []byte {
	dst = appendEvent(dst, "content_block_start", start)
	if arguments != "" {
		dst = appendDelta(dst, index, "input_json_delta", "partial_json", arguments)
	}
	return appendStop(dst, index)
}

// appendText appends the events of a block that says a text.
func appendText(dst []byte, index int64, text string) []byte {
	dst = append(dst, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"...)
	dst = strconv.AppendInt(dst, index, 10)
	dst = append(dst, ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"...)
	return appendStop(appendDelta(dst, index, "text_delta", "text", text), index)
}

// look passes whole texts through Channels and returns those that were changed.
func (r *relay) look(ctx context.Context, l *locator) (changed []guard.Changed) {
	for i, t := range l.Texts() {
		ch := r.open(t.Path)
		out := wholly(ctx, ch, t.Value)
		r.blocked = r.blocked || ch.Blocked()
		if ch.Masked() {
			changed = append(changed, guard.Changed{Index: i, Value: string(out)})
		}
	}
	return changed
}

// wholly passes a whole text through its Channel.
func wholly(ctx context.Context, ch gateway.Channel, text string) []byte {
	out := slices.Clone(ch.Write([]byte(text))) // which is valid until Close
	return append(out, ch.Close(ctx)...)
}

func appendDelta(dst []byte, index int64, kind, key, text string) []byte {
	var d []byte
	d = append(d, `{"type":"content_block_delta","index":`...)
	d = strconv.AppendInt(d, index, 10)
	d = append(d, `,"delta":{"type":`...)
	d = jsonedit.AppendQuote(d, kind)
	d = append(d, ',')
	d = jsonedit.AppendQuote(d, key)
	d = append(d, ':')
	d = jsonedit.AppendQuote(d, text)
	return appendEvent(dst, "content_block_delta", append(d, `}}`...))
}

func appendStop(dst []byte, index int64) []byte {
	dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	dst = strconv.AppendInt(dst, index, 10)
	return append(dst, "}\n\n"...)
}
