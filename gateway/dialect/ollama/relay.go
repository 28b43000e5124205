package ollama

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

// relay implements gateway.Relay: the lines of a stream, re-cut.
//
// Each string that lines add to goes through a Channel of its own, and what the
// Channel lets go takes its place in the line; a line that says nothing any more
// is dropped. Before the last line, what the channels held back goes out in a line
// of its own.
//
// Calls come whole, and are looked at so. The log probabilities of tokens are left
// away.
type relay struct {
	generate bool
	open     gateway.Open
	doc      jsonedit.Doc
	head     []byte // the last line, whose names lines of our own take over
	fields   []*field
	blocked  bool
	said     bool // some text went out
	done     bool
	edits    []jsonedit.Edit
	usage    ringwall.Usage

	judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling // nil: calls go out as they come
	calls [][]byte                                                              // that wait to be judged
	size  int                                                                   // of them
	mute  bool                                                                  // there were some, and none runs
}

// field is a string that lines add to.
type field struct {
	key  string
	ch   gateway.Channel
	out  int    // bytes that went out
	last []byte // what goes out of the piece that came with the end
}

// Relay implements gateway.Dialect.
func (d Dialect) Relay(_ gateway.Request, open gateway.Open) gateway.Relay {
	return &relay{generate: d.Generate, open: open}
}

func (r *relay) Blocked() bool         { return r.blocked }
func (r *relay) Usage() ringwall.Usage { return r.usage }

func (r *relay) Event(ctx context.Context, dst, data []byte) ([]byte, error) {
	err := r.doc.Parse(data, dialect.AnswerLimits)
	root := r.doc.Root()
	if err == nil {
		err = check(root)
	}
	if err == nil && r.done {
		err = errors.New("it goes on behind its end")
	}
	if err != nil {
		return dst, fmt.Errorf("reading the model's stream: %w", err)
	}
	r.head = append(r.head[:0], data...)
	r.edits = root.Remove(func(key string) bool { return key == "context" || key == "logprobs" })
	r.done = root.Get("done").True()
	useful := r.done
	for key, v := range root.Members() {
		switch {
		case key == "model", key == "context", key == "logprobs", grammar.Silent(key, v):
		case key == "message" && v.Kind() == jsonedit.Object:
			if r.judge != nil {
				if err := r.gather(ctx, v); err != nil {
					return dst, fmt.Errorf("reading the model's stream: %w", err)
				}
			}
			useful = r.message(ctx, v) || useful
		case (key == "response" || key == "thinking") && v.Kind() == jsonedit.String:
			useful = r.text("/", key, v) || useful
		default:
			l := dialect.Locator{Grammar: grammar}
			l.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
			useful = r.look(ctx, &l) || useful
		}
	}
	var before []byte
	if r.done {
		r.usage = usage(root)
		before = r.held(ctx)
		if end := root.Get("done_reason"); r.mute && end.Is("tool_calls") {
			r.edits = append(r.edits, end.Set("stop"))
		}
	}
	if r.blocked {
		return dst, nil
	}
	dst = append(dst, before...)
	r.said = r.said || len(before) > 0
	if useful {
		r.said = true
		slices.SortFunc(r.edits, dialect.ByStart)
		dst = append(jsonedit.Splice(dst, data, r.edits), '\n')
	}
	return dst, nil
}

// message passes on what a message adds, and reports whether that is anything.
func (r *relay) message(ctx context.Context, v jsonedit.Value) (says bool) {
	l := dialect.Locator{Grammar: grammar}
	for key, m := range v.Members() {
		switch {
		case r.judge != nil && isCalls(key): // they wait
		case (key == "content" || key == "thinking") && m.Kind() == jsonedit.String:
			says = r.text("/message/", key, m) || says
		case grammar.Silent(key, m):
			says = says || key == "tool_calls"
		default:
			says = says || key == "tool_calls"
			ofMessage(&l, key, m, "/message", ringwall.Assistant)
		}
	}
	return r.look(ctx, &l) || says
}

// text passes a piece of a text through its Channel and reports whether anything
// of it goes out. The last piece waits for what was held back, which must stand
// right behind it.
func (r *relay) text(path, key string, v jsonedit.Value) (says bool) {
	i := slices.IndexFunc(r.fields, func(f *field) bool { return f.key == key })
	if i < 0 {
		i = len(r.fields)
		r.fields = append(r.fields, &field{key: strings.Clone(key), ch: r.open(path + key)})
	}
	f := r.fields[i]
	piece := v.Raw()
	if piece = piece[1 : len(piece)-1]; bytes.IndexByte(piece, '\\') >= 0 {
		piece = []byte(v.Text())
	}
	out := f.ch.Write(piece)
	r.blocked = r.blocked || f.ch.Blocked()
	if r.done {
		f.last, out = slices.Clone(out), nil
	}
	f.out += len(out)
	if !bytes.Equal(out, piece) {
		r.edits = append(r.edits, v.Set(string(out)))
	}
	return len(out) > 0
}

// look passes the texts that were located through channels of their own, and
// reports whether there are any.
func (r *relay) look(ctx context.Context, l *dialect.Locator) bool {
	edits, blocked := dialect.Look(ctx, l, r.open, r.blocked)
	r.blocked, r.edits = blocked, append(r.edits, edits...)
	return len(l.Texts()) > 0
}

// held returns a line with what the channels held back, if anything.
func (r *relay) held(ctx context.Context) []byte {
	var said []byte
	spoken, content := false, false
	for _, f := range r.fields {
		f.last = append(f.last, f.ch.Close(ctx)...)
		r.blocked = r.blocked || f.ch.Blocked()
		spoken = spoken || f.key == "content" && f.out+len(f.last) > 0
	}
	run, note := r.ruled(ctx)
	if note != "" && spoken {
		note = "\n\n" + note
	}
	member := func(key string, rest []byte) {
		if len(rest) > 0 {
			said = append(jsonedit.AppendQuote(append(said, ','), key), ':')
			said = jsonedit.AppendQuote(said, string(rest))
			content = content || key == "content"
		}
	}
	for _, f := range r.fields {
		if f.key == "content" {
			f.last, note = append(f.last, note...), ""
		}
		member(f.key, f.last)
	}
	member("content", []byte(note))
	r.fields = nil
	for i, call := range run {
		if i == 0 {
			said = append(said, `,"tool_calls":[`...)
		} else {
			said = append(said, ',')
		}
		said = append(said, call...)
		if i == len(run)-1 {
			said = append(said, ']')
		}
	}
	if len(said) == 0 {
		return nil
	}
	out := appendHead(nil, r.names())
	if r.generate {
		if !bytes.Contains(said, []byte(`,"response":`)) {
			out = append(out, `,"response":""`...)
		}
		return append(append(out, said...), ",\"done\":false}\n"...)
	}
	out = append(out, `,"message":{"role":"assistant"`...)
	if !content {
		out = append(out, `,"content":""`...)
	}
	return append(append(out, said...), "},\"done\":false}\n"...)
}

// names returns the last line, or an empty value.
func (r *relay) names() jsonedit.Value {
	var doc jsonedit.Doc
	if len(r.head) == 0 || doc.Parse(r.head, dialect.AnswerLimits) != nil {
		return jsonedit.Value{}
	}
	return doc.Root()
}

func (r *relay) End(ctx context.Context, dst []byte) []byte {
	rest := r.held(ctx)
	if r.blocked {
		return dst
	}
	return append(dst, rest...)
}

func (r *relay) Withhold(dst []byte, d gateway.Declined) []byte {
	message := d.Message
	if r.said {
		message = ""
	}
	root := r.names()
	if r.generate && !root.Exists() {
		return append(dst, `{"model":"","created_at":"`+epoch+`","response":`+string(jsonedit.AppendQuote(nil, message))+`,"done":true,"done_reason":"content_filter"}`+"\n"...)
	}
	return append(appendWithheld(dst, root, message), '\n')
}

func (r *relay) Fail(dst []byte, refusal *ringwall.Refusal, id string) []byte {
	return append(Dialect{}.AppendError(dst, nil, refusal, id), '\n')
}
