package openai

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Calling = (*answer)(nil)

// wish is a call that a message asks for. Whatever stands where calls stand is one:
// of a kind that nobody knew when this was written its type is the name.
type wish struct {
	key string         // the member of the message: tool_calls, function_call
	at  int            // its place in tool_calls; -1: the member itself
	v   jsonedit.Value // the call
}

// wishes returns the calls of a message, in the order of the document.
func wishes(message jsonedit.Value) (ws []wish) {
	for key, m := range message.Members() {
		switch {
		case !isCall(key) || m.Kind() == jsonedit.Null:
		case key == "tool_calls" && m.Kind() == jsonedit.Array:
			for i, v := range m.Elems() {
				ws = append(ws, wish{"tool_calls", i, v})
			}
		case key == "tool_calls":
			ws = append(ws, wish{"tool_calls", -1, m})
		default:
			ws = append(ws, wish{"function_call", -1, m})
		}
	}
	return ws
}

// function returns what holds the name and the arguments of a call, and the name of
// the member that the arguments are.
func (w wish) function() (f jsonedit.Value, arguments string) {
	if w.key == "function_call" {
		return w.v, "arguments"
	}
	if f := w.v.Get("custom"); f.Exists() && !w.v.Get("function").Exists() {
		return f, "input"
	}
	return w.v.Get("function"), "arguments"
}

func (w wish) call() ringwall.ToolCall {
	f, key := w.function()
	c := ringwall.ToolCall{ID: w.v.Get("id").Text(), Name: f.Get("name").Text()}
	args := f.Get(key)
	switch {
	case !f.Exists():
		c.Name, c.Arguments = w.v.Get("type").Text(), string(w.v.AppendCompact(nil))
	case args.Kind() == jsonedit.String && key == "input":
		c.Arguments = dialect.Freely(args.Text())
	case args.Kind() == jsonedit.String:
		c.Arguments = args.Text()
	default: // as some write them that speak this API
		c.Arguments = string(args.AppendCompact(nil))
	}
	return c
}

// become returns the edits that give a call other arguments. One that has no place for
// them has none to change.
func (w wish) become(arguments string) []jsonedit.Edit {
	f, key := w.function()
	if f.Kind() != jsonedit.Object {
		return nil
	}
	if key == "input" {
		arguments = dialect.Unfreely(arguments)
	}
	return []jsonedit.Edit{f.SetMember(key, jsonedit.AppendQuote(nil, arguments))}
}

// heard are the members of a choice that hold what the model says.
var heard = [...]string{"message", "delta"}

// Calls implements gateway.Calling.
func (a *answer) Calls() (calls []ringwall.ToolCall) {
	for _, c := range a.doc.Root().Get("choices").Elems() {
		for _, key := range heard {
			for _, w := range wishes(c.Get(key)) {
				calls = append(calls, w.call())
			}
		}
	}
	return calls
}

// Rule implements gateway.Calling.
func (a *answer) Rule(rulings []gateway.Ruling) { a.rulings, a.ruled = rulings, true }

// rule returns the edits that put rulings in force, one for each call. A call without
// one does not run.
func rule(root jsonedit.Value, rulings []gateway.Ruling) (edits []jsonedit.Edit) {
	for _, c := range root.Get("choices").Elems() {
		left, gone := 0, 0
		for _, key := range heard {
			m := c.Get(key)
			ws := wishes(m)
			own := make([]gateway.Ruling, len(ws))
			rulings = rulings[copy(own, rulings):]
			es, runs := ruleMessage(m, ws, own)
			edits = append(edits, es...)
			left, gone = left+runs, gone+len(ws)-runs
		}
		if fin := c.Get("finish_reason"); left == 0 && gone > 0 && calling(fin) {
			edits = append(edits, fin.Set("stop"))
		}
	}
	return edits
}

// calling reports whether an answer ended so that tools are called.
func calling(finish jsonedit.Value) bool {
	return finish.Is("tool_calls") || finish.Is("function_call")
}

// ruleMessage is rule for a message, and says how many of its calls run.
func ruleMessage(m jsonedit.Value, ws []wish, rulings []gateway.Ruling) (edits []jsonedit.Edit, runs int) {
	var notes []string
	places, left := dialect.Places{}, 0
	gone := map[string]bool{}
	for i, w := range ws {
		r := rulings[i]
		switch {
		case r.Runs:
			runs++
			if w.at >= 0 {
				left++
			}
			if r.Arguments != "" {
				edits = append(edits, w.become(r.Arguments)...)
			}
			continue
		case w.at >= 0:
			places[w.at] = true
		default:
			gone[w.key] = true
		}
		notes = append(notes, r.Note)
	}
	if runs == len(ws) {
		return edits, runs
	}
	list := m.Get("tool_calls")
	if len(places) > 0 && left == 0 {
		gone["tool_calls"] = true
	} else if len(places) > 0 {
		es, _ := places.Elems(list)
		edits = append(edits, es...)
	}
	note := dialect.Noted("", notes...)
	content := m.Get("content")
	switch {
	case note == "":
	case content.Kind() == jsonedit.String:
		edits = append(edits, content.Set(dialect.Noted(content.Text(), note)))
	case content.Kind() == jsonedit.Array:
		part := jsonedit.AppendQuote([]byte(`{"type":"text","text":`), note)
		edits = append(edits, content.Append(append(part, '}')))
	case content.Exists():
		edits = append(edits, content.Set(note))
	case gone["tool_calls"] || gone["function_call"]: // in their place
		key := "tool_calls"
		if !gone[key] {
			key = "function_call"
		}
		delete(gone, key)
		edits = append(edits, m.Get(key).SetKey("content"), m.Get(key).Set(note))
	default:
		edits = append(edits, m.SetMember("content", jsonedit.AppendQuote(nil, note)))
	}
	return append(edits, m.Remove(func(key string) bool { return gone[key] })...), runs
}
