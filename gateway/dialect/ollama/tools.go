package ollama

import (
	"fmt"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Acting = (*request)(nil)

// Conversation implements gateway.Acting. Calls without an id are given one; a result
// without one is for the first call of its name that has no result, or of any where it
// names none. A prompt alone has no tools.
func (r *request) Conversation() (*ringwall.Conversation, error) {
	root := r.doc.Root()
	c := &ringwall.Conversation{Model: r.Model(), Stream: r.stream}
	if r.generate {
		if s := member(root, "system").Text(); s != "" {
			c.System = []ringwall.Part{{Text: s}}
		}
		parts := append([]ringwall.Part{{Text: member(root, "prompt").Text()}}, images(member(root, "images"))...)
		c.Turns = []ringwall.Turn{{Parts: parts}}
		return c, nil
	}
	t := teller{c: c, Told: dialect.Told{Src: r.src}}
	for i, m := range member(root, "messages").Elems() {
		if err := t.message(m, "messages["+strconv.Itoa(i)+"]"); err != nil {
			return nil, err
		}
	}
	for _, v := range member(root, "tools").Elems() {
		if s := toolOf(v); member(v, "function").Kind() == jsonedit.Object {
			c.Tools = append(c.Tools, s)
		} else {
			c.Tools = dialect.Typed(c.Tools, s.Name)
		}
	}
	return c, nil
}

// toolOf reads a tool; one that is no function has its type for a name.
func toolOf(v jsonedit.Value) ringwall.ToolSpec {
	f := member(v, "function")
	if f.Kind() != jsonedit.Object {
		return ringwall.ToolSpec{Name: member(v, "type").Text()}
	}
	return ringwall.ToolSpec{Name: member(f, "name").Text(), Description: member(f, "description").Text(), Schema: dialect.Raw(member(f, "parameters"))}
}

// teller reads what was said, whether or not another API has a word for it.
type teller struct {
	dialect.Told
	c     *ringwall.Conversation
	calls dialect.Calls
	n     int // calls so far
}

func (t *teller) message(m jsonedit.Value, at string) error {
	parts := said(m)
	role := ringwall.RoleUser
	switch member(m, "role").Text() {
	case "system":
		if len(t.c.Turns) == 0 {
			t.c.System = append(t.c.System, parts...)
			return nil
		}
		role = ringwall.RoleSystem
	case "assistant":
		role = ringwall.RoleAssistant
		for _, w := range wishes(m) {
			call := w.call()
			if t.n++; call.ID == "" {
				call.ID = "tool_call_" + strconv.Itoa(t.n)
			}
			if err := t.Call(w.v, fmt.Sprintf("%s.tool_calls[%d]", at, max(w.at, 0)), &call); err != nil {
				return err
			}
			t.calls.Asked(&call)
			parts = append(parts, ringwall.Part{Kind: ringwall.PartCall, Call: &call})
		}
	case "tool":
		res := &ringwall.ToolResult{ID: member(m, "tool_call_id").Text(), Name: member(m, "tool_name").Text(), Parts: parts}
		if !t.calls.Answered(res) {
			return dialect.Invalid(t.Src, m, at, "the result of a tool that no call before it asks for")
		}
		parts = []ringwall.Part{{Kind: ringwall.PartResult, Result: res}}
	}
	if role != ringwall.RoleAssistant {
		t.Turn()
	}
	t.c.Turns = dialect.AppendTurn(t.c.Turns, role, parts)
	return nil
}

// Offer implements gateway.Acting.
func (r *request) Offer(keep func(name string) bool) (forced bool) {
	if r.generate {
		return false
	}
	if before := r.keep; before != nil {
		own := keep
		keep = func(name string) bool { return before(name) && own(name) }
	}
	var gone dialect.Places
	if gone.Take(member(r.doc.Root(), "tools"), func(v jsonedit.Value) bool { return keep(toolOf(v).Name) }); len(gone) > 0 {
		r.keep, r.gone = keep, gone
	}
	return false // nobody can force a call here
}

// offered returns the edits that take the tools away that are gone.
func (r *request) offered(root jsonedit.Value) []jsonedit.Edit {
	if edits, left := r.gone.Elems(member(root, "tools")); left {
		return edits
	}
	return root.Remove(func(key string) bool { return dialect.FoldCase(key) == "tools" })
}
