package openai

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
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// Bounds on what a provider can make us hold.
const (
	maxChoices   = 128
	maxToolCalls = 256
	maxArguments = 4 << 20 // bytes of one tool call
)

// relay implements gateway.Relay: the frames of a stream, re-cut.
//
// Each string that a delta adds to goes through a Channel of its own, and what
// the Channel lets go takes its place in the frame; a frame that says nothing any
// more is dropped. Before the frame that ends a choice, what its channels held
// back goes out in a frame of its own.
//
// Tool calls are held until their choice ends: no client acts on half of one.
// The log probabilities of tokens wait until the tokens are out, and stay away
// once a part of the text was masked.
type relay struct {
	open    gateway.Open
	doc     jsonedit.Doc
	head    []byte // the first frame: what frames of our own are made from
	choices []*choice
	blocked bool
	said    bool // some text went out
	edits   []jsonedit.Edit
	usage   ringwall.Usage

	frameBuf []byte // an edited frame
}

// choice is the state of one choice of the answer.
type choice struct {
	index    int64
	path     string // its JSON pointer
	texts    []field
	tools    []*tool
	probs    []token
	finished bool
}

// field is a string that deltas add to.
type field struct {
	key  string
	ch   gateway.Channel
	in   int    // bytes so far
	last []byte // what goes out of the piece that came with the end
}

// tool is a tool call that is being put together.
type tool struct {
	index     int64
	head      []byte // its first fragment
	arguments []byte
}

// token is an element of logprobs.content and where the text ends whose frame it
// came with.
type token struct {
	raw []byte
	end int
}

// Relay implements gateway.Dialect.
func (Chat) Relay(open gateway.Open) gateway.Relay { return &relay{open: open} }

func (r *relay) Blocked() bool         { return r.blocked }
func (r *relay) Usage() ringwall.Usage { return r.usage }

func (r *relay) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := r.doc.Parse(data, answerLimits); err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	root := r.doc.Root()
	if e := root.Get("error"); e.Exists() && e.Kind() != jsonedit.Null {
		return dst, errors.New("reading the model's stream: the model reports an error")
	}
	choices := root.Get("choices")
	if choices.Kind() != jsonedit.Array {
		return dst, errors.New("reading the model's stream: a frame has no choices")
	}
	if r.head == nil {
		r.head = slices.Clone(data)
	}
	r.edits = r.edits[:0]
	useful := false // the frame says something
	for key, v := range root.Members() {
		switch key {
		case "choices", "model":
		case "usage":
			if v.Kind() == jsonedit.Object {
				r.usage, useful = usage(root), true
			}
		default:
			useful = r.whole(ctx, v, "", key) || useful
		}
	}
	var before []byte // the frame that must stand before this one
	for _, v := range choices.Elems() {
		c, err := r.choice(v)
		if err != nil {
			return dst, err
		}
		says, err := r.delta(ctx, c, v)
		if err != nil {
			return dst, err
		}
		if fin := v.Get("finish_reason"); fin.Kind() == jsonedit.String && !c.finished {
			c.finished, says = true, true
			before = r.held(ctx, before, c)
		}
		useful = says || useful
	}
	if r.blocked {
		return dst, nil
	}
	if len(before) > 0 {
		dst = r.frame(dst, before)
	}
	if useful {
		r.said = true
		if len(r.edits) > 0 {
			slices.SortFunc(r.edits, byStart)
			r.frameBuf = jsonedit.Splice(r.frameBuf[:0], data, r.edits)
			data = r.frameBuf
		}
		dst = sse.Append(dst, data)
	}
	return dst, nil
}

func (r *relay) choice(v jsonedit.Value) (*choice, error) {
	index, _ := v.Get("index").Int()
	for _, c := range r.choices {
		if c.index == index {
			return c, nil
		}
	}
	if len(r.choices) == maxChoices {
		return nil, errors.New("reading the model's stream: too many choices")
	}
	c := &choice{index: index, path: "/choices/" + strconv.FormatInt(index, 10)}
	r.choices = append(r.choices, c)
	return c, nil
}

// delta replaces what the choice v adds by what may go out, and reports whether
// that is anything.
func (r *relay) delta(ctx context.Context, c *choice, v jsonedit.Value) (says bool, err error) {
	last := v.Get("finish_reason").Kind() == jsonedit.String
	for key, m := range v.Members() {
		switch key {
		case "index", "finish_reason", "logprobs":
			continue
		case "delta":
		default:
			says = r.whole(ctx, m, c.path, key) || says
			continue
		}
		called := false
		delta := m
		for key, m := range delta.Members() {
			switch {
			case key == "tool_calls":
				if err := r.gather(c, m); err != nil {
					return says, err
				}
				called = true
			case key == "function_call":
				if err := r.fragment(c, m, -1, m); err != nil {
					return says, err
				}
				called = true
			case m.Kind() == jsonedit.String && !isName(key, m):
				says = r.text(c, key, m, last) || says
			default:
				says = r.whole(ctx, m, c.path+"/message", key) || says
			}
		}
		if called {
			r.edits = append(r.edits, delta.Remove(isCall)...)
		}
	}
	if lp := v.Get("logprobs"); lp.Kind() == jsonedit.Object {
		r.logprobs(c, lp)
	}
	return says, nil
}

// isCall reports whether key is a member of a delta that holds tool calls.
func isCall(key string) bool { return key == "tool_calls" || key == "function_call" }

// text passes a piece of a text through its Channel and reports whether anything
// of it goes out. The last piece of a choice waits for what was held back, which
// must stand right behind it.
func (r *relay) text(c *choice, key string, v jsonedit.Value, last bool) (says bool) {
	f := c.field(key)
	if f == nil {
		c.texts = append(c.texts, field{key: strings.Clone(key), ch: r.open(c.path + "/message/" + pointer(key))})
		f = &c.texts[len(c.texts)-1]
	}
	piece := v.Raw()
	if piece = piece[1 : len(piece)-1]; bytes.IndexByte(piece, '\\') >= 0 {
		piece = []byte(v.Text())
	}
	out := f.ch.Write(piece)
	f.in += len(piece)
	r.blocked = r.blocked || f.ch.Blocked()
	if last {
		f.last, out = slices.Clone(out), nil
	}
	if !bytes.Equal(out, piece) {
		r.edits = append(r.edits, v.Set(string(out)))
	}
	return len(out) > 0
}

func (c *choice) field(key string) *field {
	for i := range c.texts {
		if c.texts[i].key == key {
			return &c.texts[i]
		}
	}
	return nil
}

// whole looks at the strings of a value that comes in one piece, the member key
// of what stands at path, and reports whether the value says something that a
// client waits for.
func (r *relay) whole(ctx context.Context, v jsonedit.Value, path, key string) (says bool) {
	switch v.Kind() {
	case jsonedit.String:
		if isName(key, v) {
			return key == "role"
		}
	case jsonedit.Null, jsonedit.Number, jsonedit.Bool:
		return false
	}
	var l locator
	l.all(v, path+"/"+pointer(key), key, ringwall.Assistant)
	for i, t := range l.texts {
		ch := r.open(t.Path)
		out := slices.Concat(ch.Write([]byte(t.Value)), ch.Close(ctx))
		r.blocked = r.blocked || ch.Blocked()
		if ch.Masked() {
			r.edits = append(r.edits, l.places[i].value.Set(string(out)))
		}
	}
	return len(l.texts) > 0
}

// gather takes the fragments of tool calls.
func (r *relay) gather(c *choice, list jsonedit.Value) error {
	for _, v := range list.Elems() {
		index, _ := v.Get("index").Int()
		part := v.Get("function")
		if !part.Exists() {
			part = v.Get("custom")
		}
		if err := r.fragment(c, v, index, part); err != nil {
			return err
		}
	}
	return nil
}

func (r *relay) fragment(c *choice, v jsonedit.Value, index int64, part jsonedit.Value) error {
	var t *tool
	for _, have := range c.tools {
		if have.index == index {
			t = have
		}
	}
	if t == nil {
		if len(c.tools) == maxToolCalls {
			return errors.New("reading the model's stream: too many tool calls")
		}
		t = &tool{index: index, head: slices.Clone(v.Raw())}
		c.tools = append(c.tools, t)
	}
	arguments := part.Get("arguments")
	if !arguments.Exists() {
		arguments = part.Get("input")
	}
	t.arguments = append(t.arguments, arguments.Text()...)
	if len(t.arguments) > maxArguments {
		return errors.New("reading the model's stream: the arguments of a tool call are too long")
	}
	return nil
}

// held appends, as an element of choices, what the choice still held back.
func (r *relay) held(ctx context.Context, dst []byte, c *choice) []byte {
	var delta []byte
	member := func(key string) {
		if len(delta) > 0 {
			delta = append(delta, ',')
		}
		delta = jsonedit.AppendQuote(delta, key)
		delta = append(delta, ':')
	}
	for _, f := range c.texts {
		rest := append(f.last, f.ch.Close(ctx)...)
		r.blocked = r.blocked || f.ch.Blocked()
		if len(rest) > 0 {
			member(f.key)
			delta = jsonedit.AppendQuote(delta, string(rest))
		}
	}
	calls := 0
	for _, t := range c.tools {
		if t.index < 0 {
			continue
		}
		if calls++; calls == 1 {
			member("tool_calls")
			delta = append(delta, '[')
		} else {
			delta = append(delta, ',')
		}
		delta = append(delta, r.call(ctx, c, t)...)
	}
	if calls > 0 {
		delta = append(delta, ']')
	}
	for _, t := range c.tools {
		if t.index < 0 {
			member("function_call")
			delta = append(delta, r.call(ctx, c, t)...)
		}
	}
	probs := c.settled(true)
	if len(delta) == 0 && len(probs) == 0 {
		return dst
	}
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	dst = append(dst, `{"index":`...)
	dst = strconv.AppendInt(dst, c.index, 10)
	dst = append(dst, `,"delta":{`...)
	dst = append(dst, delta...)
	dst = append(dst, `},"logprobs":`...)
	dst = appendProbs(dst, probs)
	return append(dst, `,"finish_reason":null}`...)
}

// call returns a whole tool call with its texts looked at.
func (r *relay) call(ctx context.Context, c *choice, t *tool) []byte {
	var doc jsonedit.Doc
	if doc.Parse(t.head, answerLimits) != nil { // a part of a frame that was parsed
		r.blocked = true
		return nil
	}
	root, path := doc.Root(), "/choices/"+strconv.FormatInt(c.index, 10)+"/message/function_call"
	part := root
	if t.index >= 0 {
		path = path[:len(path)-len("function_call")] + "tool_calls/" + strconv.FormatInt(t.index, 10) + "/function"
		if part = root.Get("function"); !part.Exists() {
			part = root.Get("custom")
		}
	}
	if part.Kind() != jsonedit.Object {
		return t.head
	}
	key := "arguments"
	if part.Get("input").Exists() {
		key = "input"
	}
	whole := splice(t.head, []jsonedit.Edit{part.SetMember(key, jsonedit.AppendQuote(nil, string(t.arguments)))})
	if doc.Parse(whole, answerLimits) != nil {
		r.blocked = true
		return nil
	}
	var l locator
	if t.index >= 0 {
		for k, m := range doc.Root().Members() {
			if k == "function" || k == "custom" {
				l.toolCall(m, path)
			} else {
				l.all(m, path+"/"+pointer(k), k, ringwall.Assistant)
			}
		}
	} else {
		l.toolCall(doc.Root(), path)
	}
	var changed []guard.Changed
	for i, text := range l.texts {
		ch := r.open(text.Path)
		out := slices.Concat(ch.Write([]byte(text.Value)), ch.Close(ctx))
		r.blocked = r.blocked || ch.Blocked()
		if ch.Masked() {
			changed = append(changed, guard.Changed{Index: i, Value: string(out)})
		}
	}
	return splice(whole, l.edits(changed))
}

// logprobs queues the tokens of a frame and puts in their place those whose text
// is out.
func (r *relay) logprobs(c *choice, lp jsonedit.Value) {
	end := 0
	if f := c.field("content"); f != nil {
		end = f.in
	}
	for _, e := range lp.Get("content").Elems() {
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

// frame appends a frame of our own with the given elements of choices. Of the
// first frame it takes over only what names the stream.
func (r *relay) frame(dst, choices []byte) []byte {
	var doc jsonedit.Doc
	if doc.Parse(r.head, answerLimits) != nil { // it was parsed before
		return dst
	}
	out := appendHead(nil, doc.Root(), "chat.completion.chunk")
	out = append(out, choices...)
	return sse.Append(dst, append(out, "]}"...))
}

var done = []byte("[DONE]")

func (r *relay) End(ctx context.Context, dst []byte) []byte {
	var rest []byte
	for _, c := range r.choices {
		if !c.finished {
			c.finished = true
			rest = r.held(ctx, rest, c)
		}
	}
	if r.blocked {
		return dst
	}
	if len(rest) > 0 {
		dst = r.frame(dst, rest)
	}
	return sse.Append(dst, done)
}

func (r *relay) Withhold(dst []byte, message string) []byte {
	if r.said {
		message = ""
	}
	var choices []byte
	for i, c := range r.choices {
		if i > 0 {
			choices = append(choices, ',')
		}
		choices = appendWithheld(choices, int(c.index), "delta", message)
	}
	if len(choices) > 0 {
		dst = r.frame(dst, choices)
	}
	return sse.Append(dst, done)
}

func (r *relay) Fail(dst []byte, refusal *ringwall.Refusal, id string) []byte {
	return sse.Append(dst, bytes.TrimSpace(Chat{}.AppendError(nil, refusal, id)))
}
