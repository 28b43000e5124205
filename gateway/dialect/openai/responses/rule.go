package responses

import (
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Calling = (*answer)(nil)

// isCall reports whether an item is a call that the client is to run: of those that
// the provider runs itself none has a call_id.
func isCall(it jsonedit.Value) bool {
	t := it.Get("type").Text()
	return t == "function_call" || t == "custom_tool_call" || strings.HasSuffix(t, "_call") && said(it.Get("call_id"))
}

// isResult reports whether an item is what a call that the client ran returned.
func isResult(it jsonedit.Value) bool {
	t := it.Get("type").Text()
	return strings.HasSuffix(t, "_call_output") || strings.HasSuffix(t, "_output") && said(it.Get("call_id"))
}

// framing are the members of a call that say nothing of what it asks for.
var framing = dialect.NameSet("type", "id", "call_id", "status", "name")

// rest returns an object of what an item says beside its frame and what drop names.
func rest(it jsonedit.Value, drop func(key string) bool) []byte {
	picked := dialect.Pick(it, func(key string) bool { return !framing[key] && !drop(key) })
	var doc jsonedit.Doc
	if doc.Parse(picked, dialect.AnswerLimits) != nil {
		return picked
	}
	return doc.Root().AppendCompact(nil)
}

// callOf reads a call. The input of a custom tool is the member input of an object;
// tools that have no name but their type, such as local_shell, have that, and for
// arguments all that their call says.
func callOf(it jsonedit.Value) ringwall.ToolCall {
	kind := it.Get("type").Text()
	c := ringwall.ToolCall{ID: it.Get("call_id").Text(), Name: it.Get("name").Text()}
	switch args := it.Get("arguments"); {
	case kind == "function_call" && args.Kind() == jsonedit.String:
		c.Arguments = args.Text()
	case kind == "function_call":
		c.Arguments = string(args.AppendCompact(nil))
	case kind == "custom_tool_call":
		c.Arguments = dialect.Freely(it.Get("input").Text())
	default:
		if c.Name == "" {
			c.Name = openai.ToolName(strings.TrimSuffix(kind, "_call"))
		}
		c.Arguments = string(rest(it, func(string) bool { return false }))
	}
	return c
}

// become returns the edits that give a call other arguments.
func become(it jsonedit.Value, arguments string) (edits []jsonedit.Edit) {
	switch it.Get("type").Text() {
	case "function_call":
		return []jsonedit.Edit{it.SetMember("arguments", jsonedit.AppendQuote(nil, arguments))}
	case "custom_tool_call":
		return []jsonedit.Edit{it.SetMember("input", jsonedit.AppendQuote(nil, dialect.Unfreely(arguments)))}
	}
	var doc jsonedit.Doc
	if doc.Parse([]byte(arguments), dialect.AnswerLimits) != nil {
		return nil
	}
	for key, v := range doc.Root().Members() {
		if !framing[key] {
			edits = append(edits, it.SetMember(key, v.Raw()))
		}
	}
	return edits
}

// wish is a call in an output.
type wish struct {
	at   int // its place in the output
	item jsonedit.Value
}

// wishes returns the calls of an output. One whose result stands there, too, the
// provider has run.
func wishes(output jsonedit.Value) (ws []wish) {
	var ran map[string]bool
	for i, it := range output.Elems() {
		switch {
		case isCall(it):
			ws = append(ws, wish{i, it})
		case isResult(it):
			if ran == nil {
				ran = map[string]bool{}
			}
			ran[it.Get("call_id").Text()] = true
		}
	}
	if ran == nil {
		return ws
	}
	left := ws[:0]
	for _, w := range ws {
		if !ran[w.item.Get("call_id").Text()] {
			left = append(left, w)
		}
	}
	return left
}

// Calls implements gateway.Calling.
func (a *answer) Calls() (calls []ringwall.ToolCall) {
	for _, w := range wishes(a.doc.Root().Get("output")) {
		calls = append(calls, callOf(w.item))
	}
	return calls
}

// Rule implements gateway.Calling.
func (a *answer) Rule(rulings []gateway.Ruling) { a.rulings, a.ruled = rulings, true }

// rule returns the edits that put rulings on the calls of a response in force. A call
// without one does not run; in its place stands a message with the note, or nothing.
func rule(response jsonedit.Value, rulings []gateway.Ruling) (edits []jsonedit.Edit) {
	output, gone := response.Get("output"), dialect.Places{}
	var notes []string
	for i, w := range wishes(output) {
		var r gateway.Ruling
		if i < len(rulings) {
			r = rulings[i]
		}
		switch {
		case r.Runs && r.Arguments != "":
			edits = append(edits, become(w.item, r.Arguments)...)
		case r.Runs:
		case r.Note == "":
			gone[w.at] = true
		default:
			id := noteID(response.Get("id").Text(), w.at, callOf(w.item))
			edits = append(edits, put(w.item, string(appendMessage(nil, id, "completed", r.Note))))
			notes = append(notes, r.Note)
		}
	}
	if len(gone) > 0 {
		es, _ := gone.Elems(output)
		edits = append(edits, es...)
	}
	if text := response.Get("output_text"); text.Kind() == jsonedit.String && len(notes) > 0 {
		edits = append(edits, text.Set(dialect.Noted(text.Text(), notes...)))
	}
	return edits
}

// noteID is the id of the message in the place of a call: for the same call of the
// same answer always the same, and another for each.
func noteID(response string, at int, c ringwall.ToolCall) string {
	return "msg_" + strings.TrimPrefix(dialect.CallID(response, at, c.Name, c.ID), "call_")
}
