package anthropic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// Bounds on what a provider can make us hold.
const (
	maxBlocks    = 4096
	maxArguments = 4 << 20 // bytes of one tool call, or of one signature
)

// relay implements gateway.Relay: the events of a stream, re-cut.
//
// Each string that a delta adds to goes through a Channel of its own, and what
// the Channel lets go takes its place in the event; an event that says nothing
// any more is dropped. Before the event that ends a block, what its channels held
// back goes out in an event of its own.
//
// A tool call is held until its block ends: no client acts on half of one. What
// comes meanwhile waits behind it, for clients want blocks to begin in their order.
// The signature of a thought waits, too, and goes out only with the thought that it
// proves.
type relay struct {
	open      gateway.Open
	doc       jsonedit.Doc
	id, model string
	begun     bool // message_start is out
	finished  bool // message_delta is out
	ended     bool // message_stop is out
	said      bool // some text went out
	blocked   bool
	blocks    []*block // that are being said
	queue     []*held  // calls that are not whole yet, each with what waits behind it
	all       []*block // that have begun
	tokens    tokens
	edits     []jsonedit.Edit
	judged

	kind, deltaKind    string // the last event's types
	eventBuf, frameBuf []byte // an edited event, and what goes out of it
}

// held is a tool call that is not whole yet.
type held struct {
	call, behind []byte // its frames, and those behind it
	whole, out   bool
	asks         *asks // for a ruling; nil: it needs none
}

// Relay implements gateway.Dialect.
func (Messages) Relay(_ gateway.Request, open gateway.Open) gateway.Relay { return &relay{open: open} }

func (r *relay) Blocked() bool         { return r.blocked }
func (r *relay) Usage() ringwall.Usage { return r.tokens.usage() }

func (r *relay) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	frames, err := r.event(ctx, r.frameBuf[:0], data)
	if err != nil || r.blocked {
		return dst, err
	}
	r.frameBuf = frames
	return r.send(dst, frames)
}

// send appends frames, unless they must wait behind a tool call.
func (r *relay) send(dst, frames []byte) ([]byte, error) {
	if n := len(r.queue); n == 0 {
		dst = append(dst, r.renumbered(frames)...)
	} else if last := r.queue[n-1]; len(last.behind)+len(frames) > maxArguments {
		return dst, errors.New("reading the model's stream: too much stands behind a tool call that does not end")
	} else {
		last.behind = append(last.behind, frames...)
	}
	for len(r.queue) > 0 && r.queue[0].whole && r.queue[0].asks == nil {
		h := r.queue[0]
		dst = append(append(dst, r.renumbered(h.call)...), r.renumbered(h.behind)...)
		h.out = true
		r.queue = r.queue[1:]
	}
	return dst, nil
}

// event appends the frames that come of an event.
func (r *relay) event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := r.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	root := r.doc.Root()
	kind := dialect.Again(root.Get("type"), &r.kind)
	if r.ended || !isEvent(kind) || r.begun == (kind == "message_start") && kind != "ping" && kind != "error" {
		return dst, fmt.Errorf("reading the model's stream: an event of type %.40q is not for this place", kind)
	}
	r.edits = r.edits[:0]
	says, err := true, error(nil)
	switch kind {
	case "error":
		return dst, errors.New("reading the model's stream: the model reports an error")
	case "message_start":
		if r.judge != nil && len(dialect.MessagesAsked(root.Get("message"))) > 0 {
			return dst, errors.New("reading the model's stream: a tool call stands in its beginning")
		}
		r.start(ctx, root)
	case "content_block_start":
		says, err = r.opened(ctx, root)
	case "content_block_delta":
		says, err = r.delta(ctx, root)
	case "content_block_stop":
		dst, says, err = r.closed(ctx, dst, root)
	case "message_delta":
		dst = r.closeAll(ctx, dst)
		r.tokens.read(root.Get("usage"))
		r.members(ctx, root, "", "type", "usage")
		r.ends(root.Get("delta").Get("stop_reason"))
	case "message_stop":
		dst = r.closeAll(ctx, dst)
	default:
		r.members(ctx, root, "", "type")
	}
	switch {
	case err != nil || r.blocked:
		return dst, err
	case !says:
		return dst, nil
	}
	r.begun = r.begun || kind == "message_start"
	r.finished = r.finished || kind == "message_delta"
	r.ended = kind == "message_stop"
	if len(r.edits) > 0 {
		slices.SortFunc(r.edits, dialect.ByStart)
		r.eventBuf = jsonedit.Splice(r.eventBuf[:0], data, r.edits)
		data = r.eventBuf
	}
	return appendEvent(dst, kind, data), nil
}

// isEvent reports whether an event may have that type: a word, for it stands in a
// line of its own.
func isEvent(kind string) bool {
	for i := range len(kind) {
		if c := kind[i]; c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return kind != "" && len(kind) <= 64
}

func appendEvent(dst []byte, kind string, data []byte) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, kind...)
	dst = append(dst, '\n')
	return sse.Append(dst, data)
}

// start looks at the beginning of the answer, which says nothing yet.
func (r *relay) start(ctx context.Context, root jsonedit.Value) {
	m := root.Get("message")
	r.id, r.model = m.Get("id").Text(), m.Get("model").Text()
	r.tokens.read(m.Get("usage"))
	r.members(ctx, root, "", "type", "message")
	r.members(ctx, m, "", "model", "usage")
}

// opened begins a block, and reports whether it may go out.
func (r *relay) opened(ctx context.Context, root jsonedit.Value) (says bool, err error) {
	index, _ := root.Get("index").Int()
	if len(r.all) == maxBlocks {
		return false, errors.New("reading the model's stream: too many blocks")
	}
	if r.block(index) != nil {
		return false, fmt.Errorf("reading the model's stream: block %d begins twice", index)
	}
	v := root.Get("content_block")
	b := &block{index: index, kind: v.Get("type").Text(), path: "/content/" + strconv.FormatInt(index, 10)}
	if n := len(r.queue); n > 0 {
		b.behind = r.queue[n-1]
	}
	r.blocks, r.all = append(r.blocks, b), append(r.all, b)
	r.members(ctx, root, "", "type", "index", "content_block")
	if isCall(b.kind) {
		b.start, b.held = slices.Clone(root.Raw()), &held{}
		r.queue = append(r.queue, b.held)
		return false, nil
	}
	key, delta := said(b.kind)
	if key == "" {
		l := located(true)
		l.block(v, b.path, ringwall.Assistant)
		r.edits = append(r.edits, l.Edits(r.look(ctx, &l))...)
		b.out = !r.blocked
		return true, nil
	}
	for k, m := range v.Members() {
		switch {
		case k == "type":
		case k == key && m.Kind() == jsonedit.String:
			r.text(b, key, delta, m)
		case k == "signature" && opaque(m):
			if len(m.Raw()) > len(`""`) {
				b.signature = append(b.signature, m.Text()...)
				r.edits = append(r.edits, m.Set(""))
			}
		default:
			r.whole(ctx, v, b.path, k)
		}
	}
	b.out = !r.blocked
	return true, nil
}

// said names the member of a block of that type that deltas add to, and the type
// of those; "" where a block comes in one piece.
func said(kind string) (key, delta string) {
	switch kind {
	case "text", "thinking":
		return kind, kind + "_delta"
	case "compaction":
		return "content", "compaction_delta"
	}
	return "", ""
}

// delta replaces what a block adds by what may go out, and reports whether that
// is anything.
func (r *relay) delta(ctx context.Context, root jsonedit.Value) (says bool, err error) {
	index, _ := root.Get("index").Int()
	b := r.block(index)
	if b == nil {
		return false, fmt.Errorf("reading the model's stream: block %d goes on before it begins", index)
	}
	d := root.Get("delta")
	kind := dialect.Again(d.Get("type"), &r.deltaKind)
	r.members(ctx, root, "", "type", "index", "delta")
	for key, m := range d.Members() {
		switch {
		case key == "type":
		case key == "partial_json" && b.start != nil:
			b.arguments = append(b.arguments, m.Text()...)
		case b.start != nil:
			return false, fmt.Errorf("reading the model's stream: a tool call goes on with %.40q", strings.Clone(key))
		case key == "signature" && opaque(m):
			b.signature = append(b.signature, m.Text()...)
		case m.Kind() == jsonedit.String && !grammar.IsName(key, m) && !strings.HasPrefix(key, "encrypted_"):
			says = r.text(b, key, kind, m) || says
		case key == "citation":
			r.whole(ctx, d, b.path+"/citations/"+strconv.Itoa(b.citations), key)
			b.citations++
			says = true
		default:
			r.whole(ctx, d, b.path, key)
			says = says || m.Kind() != jsonedit.Null
		}
	}
	if len(b.arguments) > maxArguments || len(b.signature) > maxArguments {
		return false, errors.New("reading the model's stream: a block is too long")
	}
	return says && b.out, nil
}

// closed ends a block: what it held back goes out before.
func (r *relay) closed(ctx context.Context, dst []byte, root jsonedit.Value) (out []byte, says bool, err error) {
	index, _ := root.Get("index").Int()
	b := r.block(index)
	if b == nil {
		return dst, false, fmt.Errorf("reading the model's stream: block %d ends before it begins", index)
	}
	r.members(ctx, root, "", "type", "index")
	dst, err = r.rest(ctx, dst, b)
	if err != nil || r.blocked {
		return dst, false, err
	}
	r.blocks = slices.DeleteFunc(r.blocks, func(o *block) bool { return o == b })
	if b.ended = true; len(r.queue) > 0 {
		b.endBehind = r.queue[len(r.queue)-1]
	}
	r.settle(ctx)
	return dst, b.held == nil, nil
}

// closeAll ends the blocks that the model left open.
func (r *relay) closeAll(ctx context.Context, dst []byte) []byte {
	for _, b := range r.blocks {
		var err error
		if dst, err = r.rest(ctx, dst, b); err != nil {
			r.blocked = true
		}
		if b.held == nil {
			dst = appendStop(dst, b.index)
		}
	}
	if !r.blocked {
		r.blocks = nil
		r.settle(ctx)
	}
	return dst
}

// members looks at the members of an object that come in one piece, save some.
func (r *relay) members(ctx context.Context, v jsonedit.Value, path string, save ...string) {
	for key := range v.Members() {
		if !slices.Contains(save, key) {
			r.whole(ctx, v, path, key)
		}
	}
}

// whole looks at the strings of a member that comes in one piece.
func (r *relay) whole(ctx context.Context, v jsonedit.Value, path, key string) {
	m, p := v.Get(key), path+"/"+dialect.Pointer(key)
	switch m.Kind() {
	case jsonedit.Null, jsonedit.Number, jsonedit.Bool:
		return
	case jsonedit.String:
		if grammar.IsName(key, m) {
			return
		}
	}
	l := located(true)
	if key == "content" {
		l.content(m, p, ringwall.Assistant)
	} else {
		l.All(m, p, key, ringwall.Assistant)
	}
	r.edits = append(r.edits, l.Edits(r.look(ctx, &l))...)
}

func (r *relay) Fail(dst []byte, refusal *ringwall.Refusal, id string) []byte {
	return appendEvent(dst, "error", bytes.TrimSpace(common{}.AppendError(nil, nil, refusal, id)))
}

// End ends what a provider left open; its streams end with message_stop.
func (r *relay) End(ctx context.Context, dst []byte) []byte {
	if r.ended || !r.begun {
		return dst
	}
	frames := r.closeAll(ctx, nil)
	if r.blocked {
		return dst
	}
	if out, err := r.send(dst, r.stop(frames, "end_turn")); err == nil {
		return out
	}
	return r.stop(dst, "end_turn")
}

func (r *relay) Withhold(dst []byte, d gateway.Declined) []byte {
	if r.ended {
		return dst
	}
	if !r.begun {
		dst = append(dst, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
		dst = appendHead(dst, r.id, r.model)
		dst = append(dst, `,"content":[],"stop_reason":null,"stop_sequence":null,"usage":`+noUsage+"}}\n\n"...)
	}
	next := int64(0)
	for _, b := range r.all {
		if b.isOut() && !r.isGone(b.index) {
			next = r.at(b.index) + 1
		}
	}
	for _, b := range r.all {
		if b.held == nil && b.isOut() && !b.endIsOut() {
			dst = appendStop(dst, r.at(b.index))
		}
	}
	if !r.said {
		dst = appendText(dst, next, d.Message)
	}
	return r.stop(dst, "refusal")
}

// stop appends the end of the message.
func (r *relay) stop(dst []byte, reason string) []byte {
	if !r.finished {
		dst = append(dst, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"...)
		dst = jsonedit.AppendQuote(dst, reason)
		dst = append(dst, `,"stop_sequence":null},"usage":{"output_tokens":`...)
		dst = strconv.AppendInt(dst, r.tokens.output, 10)
		dst = append(dst, "}}\n\n"...)
	}
	r.finished, r.ended = true, true
	return append(dst, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}
