package ollama

import (
	"errors"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Calling = (*answer)(nil)

// wish is a call that a message asks for. Whatever stands where calls stand is one.
type wish struct {
	at int // its place in tool_calls; -1: tool_calls itself
	v  jsonedit.Value
}

// isCalls reports whether key is the member of a message that holds calls.
func isCalls(key string) bool {
	return len(key) >= len("tool_calls") && dialect.FoldCase(key) == "tool_calls" // no fold makes a key longer
}

// errTwice refuses a message of which clients that fold keys read other calls than
// those that do not.
var errTwice = errors.New("it has two lists of tool calls")

// twice reports whether there are several such members.
func twice(message jsonedit.Value) bool {
	n := 0
	for key := range message.Members() {
		if isCalls(key) {
			n++
		}
	}
	return n > 1
}

// wishes returns the calls of a message.
func wishes(message jsonedit.Value) (ws []wish) {
	var list jsonedit.Value
	for key, m := range message.Members() {
		if isCalls(key) {
			list = m
			break
		}
	}
	switch list.Kind() {
	case jsonedit.Missing, jsonedit.Null:
	case jsonedit.Array:
		for i, v := range list.Elems() {
			ws = append(ws, wish{i, v})
		}
	default:
		ws = append(ws, wish{-1, list})
	}
	return ws
}

// call reads a call; its arguments are compact JSON.
func (w wish) call() ringwall.ToolCall {
	c := *readCall(w.v)
	f := member(w.v, "function")
	switch args := member(f, "arguments"); {
	case !f.Exists():
		c.Name, c.Arguments = member(w.v, "type").Text(), string(w.v.AppendCompact(nil))
	case args.Kind() == jsonedit.String, args.Kind() == jsonedit.Null, !args.Exists():
	default:
		c.Arguments = string(args.AppendCompact(nil))
	}
	return c
}

// become returns the edits that give a call other arguments: JSON where they are an
// object.
func (w wish) become(arguments string) []jsonedit.Edit {
	f := member(w.v, "function")
	if f.Kind() != jsonedit.Object {
		return nil
	}
	args := member(f, "arguments")
	literal := []byte(arguments)
	var doc jsonedit.Doc
	if args.Kind() == jsonedit.String || doc.Parse(literal, dialect.AnswerLimits) != nil {
		literal = jsonedit.AppendQuote(nil, arguments)
	}
	if !args.Exists() {
		return []jsonedit.Edit{f.SetMember("arguments", literal)}
	}
	start, end := args.Span()
	return []jsonedit.Edit{{Start: start, End: end, New: literal}}
}

// Calls implements gateway.Calling. A call of a server that gives calls no ids has
// none.
func (a *answer) Calls() (calls []ringwall.ToolCall) {
	for _, w := range wishes(a.doc.Root().Get("message")) {
		calls = append(calls, w.call())
	}
	return calls
}

// Rule implements gateway.Calling.
func (a *answer) Rule(rulings []gateway.Ruling) { a.rulings, a.ruled = rulings, true }

// rule returns the edits that put rulings in force. A call without one does not run.
func rule(root jsonedit.Value, rulings []gateway.Ruling) (edits []jsonedit.Edit) {
	m := root.Get("message")
	ws := wishes(m)
	own := make([]gateway.Ruling, len(ws))
	copy(own, rulings)
	var notes []string
	var gone dialect.Places
	for i, w := range ws {
		switch r := own[i]; {
		case !r.Runs:
			if gone == nil {
				gone = dialect.Places{}
			}
			gone[w.at] = true
			notes = append(notes, r.Note)
		case r.Arguments != "":
			edits = append(edits, w.become(r.Arguments)...)
		}
	}
	if len(gone) == 0 {
		return edits
	}
	all := len(gone) == len(ws)
	note, content, calls := dialect.Noted("", notes...), member(m, "content"), member(m, "tool_calls")
	switch {
	case note != "" && content.Exists():
		edits = append(edits, content.Set(dialect.Noted(content.Text(), note)))
	case note != "" && all: // in the place of the calls
		edits = append(edits, calls.SetKey("content"), calls.Set(note))
	case note != "":
		edits = append(edits, m.SetMember("content", jsonedit.AppendQuote(nil, note)))
	}
	switch {
	case !all:
		es, _ := gone.Elems(calls)
		edits = append(edits, es...)
	case note == "" || content.Exists():
		edits = append(edits, m.Remove(isCalls)...)
	}
	if end := root.Get("done_reason"); all && end.Is("tool_calls") {
		edits = append(edits, end.Set("stop"))
	}
	return edits
}
