package completions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// maxChoices bounds what a provider can make us hold.
const maxChoices = 128

// relay implements gateway.Relay. The pieces of each choice go through a Channel;
// before the frame that ends a choice, what was held back goes out in one of its
// own. The tokens of pieces stay away.
type relay struct {
	open    gateway.Open
	doc     jsonedit.Doc
	head    []byte // the first frame
	choices []*choice
	blocked bool
	said    bool
	usage   ringwall.Usage

	edits    []jsonedit.Edit
	frameBuf []byte // an edited frame
}

type choice struct {
	index    int64
	ch       gateway.Channel
	finished bool
}

// Relay implements gateway.Dialect.
func (Dialect) Relay(_ gateway.Request, open gateway.Open) gateway.Relay { return &relay{open: open} }

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
	edits := r.edits[:0]
	useful := false
	l := dialect.Locator{Grammar: grammar}
	for key, v := range root.Members() {
		switch key {
		case "choices", "model":
		case "usage":
			if v.Kind() == jsonedit.Object {
				r.usage, useful = openai.Usage(root), true
			}
		default:
			if grammar.Silent(key, v) {
				continue
			}
			l.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	var before []byte // what stands before this frame
	for _, v := range choices.Elems() {
		c, err := r.choice(v)
		if err != nil {
			return dst, err
		}
		piece, out := pieceOf(v.Get("text")), []byte(nil)
		if len(piece) > 0 {
			out = c.ch.Write(piece)
			r.blocked = r.blocked || c.ch.Blocked()
		}
		if fin := v.Get("finish_reason"); fin.Kind() == jsonedit.String && !c.finished {
			c.finished, useful = true, true
			before = r.held(ctx, before, c, slices.Clone(out))
			out = nil
		}
		useful = useful || len(out) > 0
		if text := v.Get("text"); text.Kind() == jsonedit.String && !bytes.Equal(out, piece) {
			edits = append(edits, text.Set(string(out)))
		}
		edits = append(edits, tokenless(v)...)
		for key, m := range v.Members() {
			if key != "text" && key != "logprobs" && !grammar.Silent(key, m) {
				l.All(m, c.path()+"/"+dialect.Pointer(key), key, ringwall.Assistant)
			}
		}
	}
	edits = append(edits, r.whole(ctx, &l)...)
	if r.blocked {
		return dst, nil
	}
	if len(before) > 0 {
		dst = r.frame(dst, before)
	}
	if useful || len(l.Texts()) > 0 {
		slices.SortFunc(edits, dialect.ByStart)
		r.frameBuf = jsonedit.Splice(r.frameBuf[:0], data, edits)
		dst = sse.Append(dst, r.frameBuf)
	}
	r.edits = edits
	r.said = r.said || useful
	return dst, nil
}

// pieceOf returns the piece of a text that v is.
func pieceOf(v jsonedit.Value) []byte {
	if v.Kind() != jsonedit.String {
		return nil
	}
	raw := v.Raw()
	if raw = raw[1 : len(raw)-1]; bytes.IndexByte(raw, '\\') >= 0 {
		return []byte(v.Text())
	}
	return raw
}

func (c *choice) path() string { return "/choices/" + strconv.FormatInt(c.index, 10) }

func (r *relay) choice(v jsonedit.Value) (*choice, error) {
	index, _ := v.Get("index").Int()
	for _, c := range r.choices {
		if c.index == index {
			if c.finished && v.Get("text").Text() != "" {
				return nil, errors.New("reading the model's stream: a choice goes on behind its end")
			}
			return c, nil
		}
	}
	if len(r.choices) == maxChoices {
		return nil, errors.New("reading the model's stream: too many choices")
	}
	c := &choice{index: index}
	c.ch = r.open(c.path() + "/text")
	r.choices = append(r.choices, c)
	return c, nil
}

// whole looks at texts that come in one piece.
func (r *relay) whole(ctx context.Context, l *dialect.Locator) (edits []jsonedit.Edit) {
	for i, t := range l.Texts() {
		ch := r.open(t.Path)
		out := slices.Clone(ch.Write([]byte(t.Value))) // which is valid until Close
		out = append(out, ch.Close(ctx)...)
		r.blocked = r.blocked || ch.Blocked()
		if ch.Masked() {
			edits = append(edits, l.Set(i, string(out)))
		}
	}
	return edits
}

// held appends, as an element of choices, what of a choice is still to go out.
func (r *relay) held(ctx context.Context, dst []byte, c *choice, last []byte) []byte {
	rest := append(last, c.ch.Close(ctx)...)
	r.blocked = r.blocked || c.ch.Blocked()
	if len(rest) == 0 {
		return dst
	}
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return appendChoice(dst, c.index, string(rest), "null")
}

// frame appends a frame of our own.
func (r *relay) frame(dst, choices []byte) []byte {
	var doc jsonedit.Doc
	if doc.Parse(r.head, dialect.AnswerLimits) != nil { // it was parsed before
		return dst
	}
	return sse.Append(dst, append(append(appendHead(nil, doc.Root()), choices...), "]}"...))
}

var done = []byte("[DONE]")

// End implements gateway.Relay.
func (r *relay) End(ctx context.Context, dst []byte) []byte {
	var rest []byte
	for _, c := range r.choices {
		if !c.finished {
			c.finished = true
			rest = r.held(ctx, rest, c, nil)
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

// Withhold implements gateway.Relay.
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
		choices = appendChoice(choices, c.index, message, `"content_filter"`)
	}
	if len(choices) > 0 {
		dst = r.frame(dst, choices)
	}
	return sse.Append(dst, done)
}

// Fail implements gateway.Relay.
func (r *relay) Fail(dst []byte, refusal *ringwall.Refusal, id string) []byte {
	return sse.Append(dst, Dialect{}.AppendError(nil, nil, refusal, id))
}
