package openai

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// tool is a tool call that is being put together.
type tool struct {
	index     int64
	head      []byte // its first fragment
	arguments []byte

	whole []byte // as it goes out
	gone  bool   // it does not
}

// isCall reports whether key is a member of a delta that holds tool calls.
func isCall(key string) bool { return key == "tool_calls" || key == "function_call" }

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

// calls puts the tool calls of a choice together and has them judged. It returns the
// notes on those that do not go out.
func (r *relay) calls(ctx context.Context, c *choice) (note string) {
	for _, legacy := range [...]bool{false, true} { // as they go out
		for _, t := range c.tools {
			if t.index < 0 == legacy {
				t.whole = r.call(ctx, c, t)
			}
		}
	}
	if r.judge == nil || len(c.tools) == 0 || r.blocked {
		return ""
	}
	return r.ruled(ctx, c)
}

// call returns a whole tool call with its texts looked at.
func (r *relay) call(ctx context.Context, c *choice, t *tool) []byte {
	var doc jsonedit.Doc
	if doc.Parse(t.head, dialect.AnswerLimits) != nil { // a part of a frame that was parsed
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
	whole := dialect.Splice(t.head, []jsonedit.Edit{part.SetMember(key, jsonedit.AppendQuote(nil, string(t.arguments)))})
	if doc.Parse(whole, dialect.AnswerLimits) != nil {
		r.blocked = true
		return nil
	}
	l := located()
	if t.index >= 0 {
		for k, m := range doc.Root().Members() {
			if k == "function" || k == "custom" {
				l.toolCall(m, path)
			} else {
				l.All(m, path+"/"+dialect.Pointer(k), k, ringwall.Assistant)
			}
		}
	} else {
		l.toolCall(doc.Root(), path)
	}
	var changed []guard.Changed
	for i, text := range l.Texts() {
		ch := r.open(text.Path)
		out := wholly(ctx, ch, text.Value)
		r.blocked = r.blocked || ch.Blocked()
		if ch.Masked() {
			changed = append(changed, guard.Changed{Index: i, Value: string(out)})
		}
	}
	return dialect.Splice(whole, l.Edits(changed))
}
