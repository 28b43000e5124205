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
	"github.com/ringwall/ringwall/gateway/dialect"
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
	judge   func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling // nil: all calls go out

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
	mute     bool // it asked for tools, and no call of it runs
}

// field is a string that deltas add to.
type field struct {
	key  string
	ch   gateway.Channel
	in   int    // bytes so far
	out  int    // of them those that went out
	last []byte // what goes out of the piece that came with the end
}

// Relay implements gateway.Dialect.
func (Chat) Relay(_ gateway.Request, open gateway.Open) gateway.Relay { return &relay{open: open} }

func (r *relay) Blocked() bool         { return r.blocked }
func (r *relay) Usage() ringwall.Usage { return r.usage }

func (r *relay) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	if err := r.doc.Parse(data, dialect.AnswerLimits); err != nil {
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
				r.usage, useful = Usage(root), true
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
		if c.mute {
			if fin := v.Get("finish_reason"); calling(fin) {
				r.edits = append(r.edits, fin.Set("stop"))
			}
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
			slices.SortFunc(r.edits, dialect.ByStart)
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
		case "message": // no client of streams reads it
			if r.judge != nil && len(wishes(m)) > 0 {
				r.edits = append(r.edits, v.Remove(func(key string) bool { return key == "message" })...)
				continue
			}
			fallthrough
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
			case m.Kind() == jsonedit.String && !grammar.IsName(key, m):
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
		r.logprobs(c, v.Get("delta").Get("content"), lp)
	}
	return says, nil
}

// text passes a piece of a text through its Channel and reports whether anything
// of it goes out. The last piece of a choice waits for what was held back, which
// must stand right behind it.
func (r *relay) text(c *choice, key string, v jsonedit.Value, last bool) (says bool) {
	f := c.field(key)
	if f == nil {
		c.texts = append(c.texts, field{key: strings.Clone(key), ch: r.open(c.path + "/message/" + dialect.Pointer(key))})
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
	f.out += len(out)
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
		if grammar.IsName(key, v) {
			return key == "role"
		}
	case jsonedit.Null, jsonedit.Number, jsonedit.Bool:
		return false
	}
	l := located()
	l.All(v, path+"/"+dialect.Pointer(key), key, ringwall.Assistant)
	for i, t := range l.Texts() {
		ch := r.open(t.Path)
		out := wholly(ctx, ch, t.Value)
		r.blocked = r.blocked || ch.Blocked()
		if ch.Masked() {
			r.edits = append(r.edits, l.Set(i, string(out)))
		}
	}
	return len(l.Texts()) > 0
}

// wholly passes a whole text through its Channel.
func wholly(ctx context.Context, ch gateway.Channel, text string) []byte {
	out := slices.Clone(ch.Write([]byte(text))) // which is valid until Close
	return append(out, ch.Close(ctx)...)
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
	for i := range c.texts {
		f := &c.texts[i]
		f.last = append(f.last, f.ch.Close(ctx)...)
		r.blocked = r.blocked || f.ch.Blocked()
	}
	note := r.calls(ctx, c)
	for _, f := range c.texts {
		if f.key == "content" {
			f.last, note = f.noted(note), ""
		}
		if len(f.last) > 0 {
			member(f.key)
			delta = jsonedit.AppendQuote(delta, string(f.last))
		}
	}
	if note != "" {
		member("content")
		delta = jsonedit.AppendQuote(delta, note)
	}
	calls := 0
	for _, t := range c.tools {
		if t.index < 0 || t.gone {
			continue
		}
		if calls++; calls == 1 {
			member("tool_calls")
			delta = append(delta, '[')
		} else {
			delta = append(delta, ',')
		}
		delta = append(delta, t.whole...)
	}
	if calls > 0 {
		delta = append(delta, ']')
	}
	for _, t := range c.tools {
		if t.index < 0 && !t.gone {
			member("function_call")
			delta = append(delta, t.whole...)
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

// frame appends a frame of our own with the given elements of choices. Of the
// first frame it takes over only what names the stream.
func (r *relay) frame(dst, choices []byte) []byte {
	var doc jsonedit.Doc
	if doc.Parse(r.head, dialect.AnswerLimits) != nil { // it was parsed before
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

func (r *relay) Withhold(dst []byte, d gateway.Declined) []byte {
	message := d.Message
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
	return sse.Append(dst, bytes.TrimSpace(Chat{}.AppendError(nil, nil, refusal, id)))
}
