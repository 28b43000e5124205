package bedrock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Bounds on what a provider can make us hold.
const (
	maxBlocks    = 1024
	maxArguments = 4 << 20 // bytes of one tool call
	maxSignature = 1 << 20
)

// relay implements gateway.Relay: the frames of a stream, re-cut.
//
// The text and the reasoning of each block go through Channels of their own, and
// what a Channel lets go takes its place in the frame; a frame that says nothing
// any more is dropped. Before the frame that ends a block, what was held back goes
// out in frames of its own.
//
// Tool calls are held until their block ends: no client acts on half of one. So is
// the proof of reasoning, which stays away once the reasoning was masked.
type relay struct {
	say     speaker
	locate  func() *locator
	grammar dialect.Grammar // of what it makes
	open    gateway.Open
	named   guardrail
	did     func() gateway.Declined
	doc     jsonedit.Doc
	blocks  []*block
	begun   mark // the message
	stopped mark
	blocked bool
	edits   []jsonedit.Edit
	usage   ringwall.Usage
	judged

	frameBuf []byte // an edited payload
}

// block is the state of one block of the answer.
type block struct {
	index           int64
	at              int64 // the index under which the client knows it
	gone            bool  // a call that was taken out without a word
	text, reasoning gateway.Channel
	signature       []byte
	tool            []byte // the start of a tool call
	calls           bool
	arguments       []byte
	out, ended      mark
}

// mark says that something was written, and whether it went out: frames that are
// written when policy ends the stream do not.
type mark struct{ written, sent bool }

// Relay implements gateway.Dialect.
func (Converse) Relay(req gateway.Request, open gateway.Open) gateway.Relay {
	return newRelay(conversing{}, located, req, open)
}

func newRelay(say speaker, locate func() *locator, req gateway.Request, open gateway.Open) *relay {
	return &relay{say: say, locate: locate, grammar: locate().Grammar, open: open, named: namedBy(req)}
}

// Tell implements gateway.Telling.
func (r *relay) Tell(did func() gateway.Declined) { r.did = did }

func (r *relay) Blocked() bool         { return r.blocked }
func (r *relay) Usage() ringwall.Usage { return r.usage }

// Event implements gateway.Relay.
func (r *relay) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := r.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	before := len(dst)
	n := 0
	for name, v := range r.doc.Root().Members() {
		if strings.HasPrefix(name, "amazon-bedrock-") && v.Kind() != jsonedit.Object {
			continue // what a guardrail of the provider did, which it says in words, too
		}
		if n++; n > 1 && !strings.HasPrefix(name, "amazon-bedrock-") {
			return dst[:before], errors.New("reading the model's stream: an event is two")
		}
		if v.Kind() != jsonedit.Object || len(name) > dialect.LongestName {
			return dst[:before], errors.New("reading the model's stream: an event is no object")
		}
		r.edits = r.edits[:0]
		var err error
		if dst, err = r.event(ctx, dst, nameOf(name), v); err != nil {
			return dst[:before], err
		}
	}
	if n == 0 {
		return dst, errors.New("reading the model's stream: an event has no name")
	}
	return r.leave(dst, before), nil
}

// leave decides whether the frames behind before go out.
func (r *relay) leave(dst []byte, before int) []byte {
	if r.blocked {
		return dst[:before]
	}
	r.begun.sent, r.stopped.sent = r.begun.written, r.stopped.written
	for _, b := range r.blocks {
		b.out.sent, b.ended.sent = b.out.written, b.ended.written
	}
	return dst
}

// nameOf returns the name of an event; those that stand in every stream are no new
// strings.
func nameOf(name string) string {
	for _, known := range [...]string{"contentBlockDelta", "contentBlockStart", "contentBlockStop", "messageStart", "messageStop", "metadata"} {
		if name == known {
			return known
		}
	}
	return strings.Clone(name)
}

func (r *relay) event(ctx context.Context, dst []byte, name string, v jsonedit.Value) ([]byte, error) {
	switch name {
	case "messageStart":
		r.begun.written = true
		r.whole(ctx, v, "/output/message", "")
	case "contentBlockStart":
		b, err := r.block(v)
		if err != nil {
			return dst, err
		}
		if call := v.Get("start").Get("toolUse"); call.Exists() {
			b.tool, b.calls = bytes.Clone(v.Raw()), true
			return dst, nil
		}
		r.whole(ctx, v, r.say.path(b.index, ""), "")
		r.renumber(b, v)
		b.out.written = true
	case "contentBlockDelta":
		b, err := r.block(v)
		if err != nil {
			return dst, err
		}
		says, err := r.delta(ctx, b, v.Get("delta"))
		if err != nil || !says {
			return dst, err
		}
		r.others(ctx, b, v, "delta")
		r.renumber(b, v)
		b.out.written = true
	case "contentBlockStop":
		b, err := r.block(v)
		if err != nil {
			return dst, err
		}
		dst = r.held(ctx, dst, b)
		if b.ended.written = true; b.gone {
			return dst, nil
		}
		r.whole(ctx, v, r.say.path(b.index, ""), "")
		r.renumber(b, v)
	case "messageStop":
		dst = r.ends(ctx, dst)
		r.stopped.written = true
		r.whole(ctx, v, "", "")
		r.edits = append(r.edits, stopEdits(v, r.named, r.did)...)
		r.stops(v.Get("stopReason"), endedBy(r.named, r.did, r.say.invoked()))
	case "metadata":
		r.usage = usage(v)
		for key, m := range v.Members() {
			if key != "usage" && key != "metrics" && !r.named.ours(key, false) {
				r.whole(ctx, m, "/"+dialect.Pointer(key), key)
			}
		}
		r.edits = append(r.edits, traceEdits(v, r.named, r.did)...)
	default:
		if strings.HasSuffix(name, "Exception") {
			return dst, errors.New("reading the model's stream: the model reports an error")
		}
		r.whole(ctx, v, "/"+dialect.Pointer(name), name)
	}
	return r.say.event(dst, name, r.payload(v)), nil
}

// payload returns the literal of v with the edits made.
func (r *relay) payload(v jsonedit.Value) []byte {
	if len(r.edits) == 0 {
		return v.Raw()
	}
	start, _ := v.Span()
	for i := range r.edits {
		r.edits[i].Start -= start
		r.edits[i].End -= start
	}
	slices.SortFunc(r.edits, dialect.ByStart)
	r.frameBuf = jsonedit.Splice(r.frameBuf[:0], v.Raw(), r.edits)
	return r.frameBuf
}

// block returns the block that an event is about.
func (r *relay) block(v jsonedit.Value) (*block, error) {
	index, ok := v.Get("contentBlockIndex").Int()
	if !ok {
		index, ok = v.Get("index").Int()
	}
	if !ok || index < 0 {
		return nil, errors.New("reading the model's stream: an event is of no block")
	}
	for _, b := range r.blocks {
		if b.index == index {
			if b.ended.written {
				return nil, errors.New("reading the model's stream: a block goes on behind its end")
			}
			return b, nil
		}
	}
	if len(r.blocks) == maxBlocks {
		return nil, errors.New("reading the model's stream: too many blocks")
	}
	b := &block{index: index, at: r.next(index)}
	r.blocks = append(r.blocks, b)
	return b, nil
}

// delta replaces what a block adds by what may go out, and reports whether that is
// anything.
func (r *relay) delta(ctx context.Context, b *block, v jsonedit.Value) (says bool, err error) {
	for key, m := range v.Members() {
		switch {
		case key == "text" && m.Kind() == jsonedit.String:
			if b.text == nil {
				b.text = r.open(r.say.path(b.index, "text"))
			}
			says = r.piece(b.text, m) || says
		case key == "toolUse":
			if !m.Get("input").Exists() {
				continue
			}
			b.calls = true
			if b.arguments = append(b.arguments, m.Get("input").Text()...); len(b.arguments) > maxArguments {
				return says, errors.New("reading the model's stream: the arguments of a tool call are too long")
			}
		case key == "reasoningContent" && m.Kind() == jsonedit.Object:
			s, err := r.thinks(ctx, b, m)
			if err != nil {
				return says, err
			}
			says = s || says
		default:
			r.whole(ctx, m, r.say.path(b.index, "")+"/"+dialect.Pointer(key), key)
			says = true
		}
	}
	if says && v.Get("toolUse").Exists() {
		r.edits = append(r.edits, v.Remove(func(key string) bool { return key == "toolUse" })...)
	}
	return says, nil
}

func (r *relay) thinks(ctx context.Context, b *block, v jsonedit.Value) (says bool, err error) {
	for key, m := range v.Members() {
		switch {
		case key == "text" && m.Kind() == jsonedit.String:
			if b.reasoning == nil {
				b.reasoning = r.open(r.say.path(b.index, "reasoning"))
			}
			says = r.piece(b.reasoning, m) || says
		case key == "signature":
			if b.signature = append(b.signature, m.Text()...); len(b.signature) > maxSignature {
				return says, errors.New("reading the model's stream: the signature of reasoning is too long")
			}
		case key == "redactedContent":
			says = true
		default:
			r.whole(ctx, m, r.say.path(b.index, "")+"/reasoningContent/"+dialect.Pointer(key), key)
			says = true
		}
	}
	if says && v.Get("signature").Exists() {
		r.edits = append(r.edits, v.Remove(func(key string) bool { return key == "signature" })...)
	}
	return says, nil
}

// others looks at the members of an event about a block but for some, which are
// looked at elsewhere.
func (r *relay) others(ctx context.Context, b *block, v jsonedit.Value, but ...string) {
	for key, m := range v.Members() {
		if !r.grammar.Silent(key, m) && !slices.Contains(but, key) {
			r.whole(ctx, m, r.say.path(b.index, "")+"/"+dialect.Pointer(key), key)
		}
	}
}

// piece passes a piece of a text through its Channel and reports whether anything
// of it goes out.
func (r *relay) piece(ch gateway.Channel, v jsonedit.Value) bool {
	piece := v.Raw()
	if piece = piece[1 : len(piece)-1]; bytes.IndexByte(piece, '\\') >= 0 {
		piece = []byte(v.Text())
	}
	out := ch.Write(piece)
	r.blocked = r.blocked || ch.Blocked()
	if !bytes.Equal(out, piece) {
		r.edits = append(r.edits, v.Set(string(out)))
	}
	return len(out) > 0
}

// whole looks at the strings of a value that comes in one piece.
func (r *relay) whole(ctx context.Context, v jsonedit.Value, path, key string) {
	if !v.Exists() {
		return
	}
	l := r.locate()
	l.All(v, path, key, ringwall.Assistant)
	r.look(ctx, &l.Locator)
}

// look passes the texts of l through Channels of their own.
func (r *relay) look(ctx context.Context, l *dialect.Locator) {
	var edits []jsonedit.Edit
	edits, r.blocked = dialect.Look(ctx, l, r.open, r.blocked)
	r.edits = append(r.edits, edits...)
}

// held appends what a block still held back.
func (r *relay) held(ctx context.Context, dst []byte, b *block) []byte {
	rest := func(ch gateway.Channel, at string) {
		if ch == nil {
			return
		}
		if out := ch.Close(ctx); len(out) > 0 {
			dst = r.say.delta(dst, b.at, at, string(out))
			b.out.written = true
		}
		r.blocked = r.blocked || ch.Blocked()
	}
	rest(b.reasoning, "reasoning")
	if len(b.signature) > 0 && (b.reasoning == nil || !b.reasoning.Masked() && !b.reasoning.Blocked()) {
		dst = r.say.delta(dst, b.at, "signature", string(b.signature))
		b.out.written = true
	}
	rest(b.text, "text")
	if b.calls {
		dst = r.call(ctx, dst, b)
	}
	return dst
}

// ends appends what all blocks held back, and their ends.
func (r *relay) ends(ctx context.Context, dst []byte) []byte {
	for _, b := range r.blocks {
		if b.ended.written {
			continue
		}
		b.ended.written = true
		if dst = r.held(ctx, dst, b); b.out.written {
			dst = r.say.stop(dst, b.at)
		}
	}
	return dst
}

// End implements gateway.Relay.
func (r *relay) End(ctx context.Context, dst []byte) []byte {
	before := len(dst)
	return r.leave(r.ends(ctx, dst), before)
}

// Withhold implements gateway.Relay: what is open is closed, and the message of the
// guardrail is a block of its own.
func (r *relay) Withhold(dst []byte, d gateway.Declined) []byte {
	var next int64
	for _, b := range r.blocks {
		if b.out.sent {
			next = max(next, b.at+1)
			if !b.ended.sent {
				dst = r.say.stop(dst, b.at)
			}
		}
	}
	return r.say.intervened(dst, r, r.begun.sent, r.stopped.sent, next, d)
}

// Fail implements gateway.Relay.
func (r *relay) Fail(dst []byte, refusal *ringwall.Refusal, id string) []byte {
	return appendFailure(dst, refusal, id)
}
