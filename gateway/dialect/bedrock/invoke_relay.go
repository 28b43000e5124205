package bedrock

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Relay implements gateway.Dialect.
func (Invoke) Relay(req gateway.Request, open gateway.Open) gateway.Relay {
	f := familyBy(req)
	switch f {
	case nova:
		r := newRelay(novaSays{}, locatorOf(f), req, open)
		return &chunks{r, r.Event}
	case anthropic:
		r := newRelay(claudeSays{}, locatorOf(f), req, open)
		return &chunks{r, r.message}
	case titan, llama, unknown:
	}
	p := &plain{family: f, open: open, named: namedBy(req)}
	return &chunks{p, p.Event}
}

// chunks is the relay of a stream whose events are chunks of bytes, which hold the
// events of the model.
type chunks struct {
	gateway.Relay
	inner func(ctx context.Context, dst, data []byte) ([]byte, error)
}

// Tell implements gateway.Telling.
func (c *chunks) Tell(did func() gateway.Declined) {
	if t, ok := c.Relay.(gateway.Telling); ok {
		t.Tell(did)
	}
}

// Judge implements gateway.Judging.
func (c *chunks) Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling) {
	if j, ok := c.Relay.(gateway.Judging); ok {
		j.Judge(judge)
	}
}

// Event implements gateway.Relay.
func (c *chunks) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(data, dialect.AnswerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	b := doc.Root().Get("chunk").Get("bytes")
	if b.Kind() != jsonedit.String {
		return dst, errors.New("reading the model's stream: an event is no chunk")
	}
	inner, err := base64.StdEncoding.DecodeString(b.Text())
	if err != nil {
		return dst, fmt.Errorf("reading the model's stream: a chunk: %w", err)
	}
	return c.inner(ctx, dst, inner)
}

// Fail implements gateway.Relay.
func (c *chunks) Fail(dst []byte, r *ringwall.Refusal, id string) []byte {
	return appendFailure(dst, r, id)
}

// appendChunk appends the frame of an event of the model.
func appendChunk(dst, event []byte) []byte {
	b := append(make([]byte, 0, len(event)*4/3+16), `{"bytes":"`...)
	b = base64.StdEncoding.AppendEncode(b, event)
	return eventstream.AppendEvent(dst, "chunk", append(b, `"}`...))
}

// novaSays speaks as Nova does: as Converse, in chunks.
type novaSays struct{ conversing }

func (novaSays) event(dst []byte, name string, payload []byte) []byte {
	b := append(jsonedit.AppendQuote([]byte{'{'}, name), ':')
	return appendChunk(dst, append(append(b, payload...), '}'))
}

func (s novaSays) delta(dst []byte, index int64, at, text string) []byte {
	return s.event(dst, "contentBlockDelta", deltaOf(index, at, text))
}

func (s novaSays) stop(dst []byte, index int64) []byte {
	return s.event(dst, "contentBlockStop", stopOfBlock(index))
}

func (s novaSays) note(dst []byte, index int64, text string, _ bool) []byte {
	return s.delta(dst, index, "text", text)
}

func (novaSays) invoked() bool { return true }

func (s novaSays) intervened(dst []byte, r *relay, begun, stopped bool, index int64, d gateway.Declined) []byte {
	return intervened(dst, s, r, begun, stopped, index, d)
}

// claudeSays speaks as Anthropic's messages do, whose events name themselves.
type claudeSays struct{}

func (claudeSays) event(dst []byte, _ string, payload []byte) []byte {
	return appendChunk(dst, payload)
}

var claudeDeltas = map[string][2]string{
	"text": {"text_delta", "text"}, "reasoning": {"thinking_delta", "thinking"}, "signature": {"signature_delta", "signature"}, "input": {"input_json_delta", "partial_json"},
}

func (claudeSays) delta(dst []byte, index int64, at, s string) []byte {
	names := claudeDeltas[at]
	b := append([]byte(`{"type":"content_block_delta","index":`), strconv.FormatInt(index, 10)...)
	b = append(b, `,"delta":{"type":"`+names[0]+`","`+names[1]+`":`...)
	return appendChunk(dst, append(jsonedit.AppendQuote(b, s), `}}`...))
}

func (claudeSays) stop(dst []byte, index int64) []byte {
	return appendChunk(dst, []byte(`{"type":"content_block_stop","index":`+strconv.FormatInt(index, 10)+`}`))
}

func (claudeSays) path(index int64, at string) string {
	return "/content/" + strconv.FormatInt(index, 10) + map[string]string{"text": "/text", "reasoning": "/thinking", "input": "/input"}[at]
}

func (c claudeSays) call(l *locator, start jsonedit.Value, index int64) {
	at := c.path(index, "")
	for key, v := range start.Members() {
		if key != "content_block" {
			l.All(v, at+"/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	l.saidBlock(start.Get("content_block"), at, ringwall.Assistant)
}

func (claudeSays) asked(start jsonedit.Value) (call ringwall.ToolCall, client bool) {
	b := start.Get("content_block")
	kind := b.Get("type").Text()
	return dialect.MessagesCallOf(b), dialect.MessagesCall(kind) || !strings.HasSuffix(kind, "tool_use")
}

func (claudeSays) input(start jsonedit.Value) []jsonedit.Edit {
	return []jsonedit.Edit{start.Get("content_block").SetMember("input", []byte("{}"))}
}

func (c claudeSays) note(dst []byte, index int64, text string, begun bool) []byte {
	if !begun {
		dst = appendChunk(dst, []byte(`{"type":"content_block_start","index":`+strconv.FormatInt(index, 10)+`,"content_block":{"type":"text","text":""}}`))
	}
	return c.delta(dst, index, "text", text)
}

func (claudeSays) invoked() bool { return true }

func (c claudeSays) intervened(dst []byte, r *relay, begun, stopped bool, index int64, d gateway.Declined) []byte {
	event := func(o object) {
		dst = appendChunk(dst, marshal(o))
	}
	counts := object{"input_tokens": r.usage.InputTokens - r.usage.CachedTokens - r.usage.CachingTokens, "output_tokens": r.usage.OutputTokens}
	if !begun {
		event(object{"type": "message_start", "message": object{
			"id": "msg_" + d.ID, "type": "message", "role": "assistant", "model": "", "content": []object{}, "stop_reason": nil, "stop_sequence": nil, "usage": counts,
		}})
	}
	if !stopped {
		event(object{"type": "content_block_start", "index": index, "content_block": object{"type": "text", "text": ""}})
		dst = c.stop(c.delta(dst, index, "text", d.Message), index)
		event(object{"type": "message_delta", "delta": object{"stop_reason": "end_turn", "stop_sequence": nil}, "usage": counts})
	}
	event(actionOf(object{"type": "message_stop"}, r.named, d))
	return dst
}

// message is Event for the events of Anthropic's messages.
func (r *relay) message(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := r.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	root, before := r.doc.Root(), len(dst)
	r.edits = r.edits[:0]
	says, err := true, error(nil)
	switch root.Get("type").Text() {
	case "message_start":
		if r.judge != nil && len(dialect.MessagesAsked(root.Get("message"))) > 0 {
			return dst, errors.New("reading the model's stream: a tool call stands in its beginning")
		}
		r.begun.written = true
		r.whole(ctx, root, "", "")
	case "content_block_start", "content_block_delta", "content_block_stop":
		dst, says, err = r.part(ctx, dst, root)
	case "message_delta":
		dst = r.ends(ctx, dst)
		r.stopped.written = true
		r.whole(ctx, root, "", "")
		r.stops(root.Get("delta").Get("stop_reason"), "end_turn")
	case "error":
		err = errors.New("reading the model's stream: the model reports an error")
	case "message_stop":
		for key, v := range root.Members() {
			if !r.named.ours(key, true) {
				r.whole(ctx, v, "/"+dialect.Pointer(key), key)
			}
		}
		r.edits = append(r.edits, actionEdits(root, r.named, r.did)...)
	default: // ping, and what nobody knows yet
		r.whole(ctx, root, "", "")
	}
	if err != nil {
		return dst[:before], err
	}
	r.usage = counted(r.usage, root)
	if says {
		dst = r.say.event(dst, "", r.payload(root))
	}
	return r.leave(dst, before), nil
}

// part reads an event that is about a block, and reports whether it goes out.
func (r *relay) part(ctx context.Context, dst []byte, root jsonedit.Value) (_ []byte, says bool, err error) {
	b, err := r.block(root)
	if err != nil {
		return dst, false, err
	}
	delta := root.Get("delta")
	switch kind := root.Get("type").Text() + " " + delta.Get("type").Text(); kind {
	case "content_block_start ":
		if v := root.Get("content_block"); v.Get("input").Exists() || r.judge != nil && strings.HasSuffix(v.Get("type").Text(), "tool_use") {
			b.tool, b.calls = bytes.Clone(root.Raw()), true
			return dst, false, nil
		}
		r.whole(ctx, root, "", "")
		says = true
	case "content_block_stop ":
		dst = r.held(ctx, dst, b)
		if b.ended.written = true; b.gone {
			return dst, false, nil
		}
		r.whole(ctx, root, "", "")
		r.renumber(b, root)
		return dst, true, nil
	case "content_block_delta text_delta":
		if b.text == nil {
			b.text = r.open(r.say.path(b.index, "text"))
		}
		says = delta.Get("text").Kind() == jsonedit.String && r.piece(b.text, delta.Get("text"))
	case "content_block_delta thinking_delta":
		if b.reasoning == nil {
			b.reasoning = r.open(r.say.path(b.index, "reasoning"))
		}
		says = delta.Get("thinking").Kind() == jsonedit.String && r.piece(b.reasoning, delta.Get("thinking"))
	case "content_block_delta signature_delta":
		b.signature = append(b.signature, delta.Get("signature").Text()...)
	case "content_block_delta input_json_delta":
		b.calls = true
		b.arguments = append(b.arguments, delta.Get("partial_json").Text()...)
	default:
		r.whole(ctx, root, "", "")
		says = true
	}
	if len(b.arguments) > maxArguments || len(b.signature) > maxSignature {
		return dst, false, errors.New("reading the model's stream: a block is too long")
	}
	if says {
		r.renumber(b, root)
		b.out.written = true
		if s := delta.Get("type").Text(); s == "text_delta" || s == "thinking_delta" {
			r.others(ctx, b, root, "delta")
			r.others(ctx, b, delta, "text", "thinking")
		}
	}
	return dst, says, nil
}
