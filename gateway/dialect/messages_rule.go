package dialect

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// MessagesForced reports whether a request in the words of Anthropic's messages forces
// the model to call one of the tools that are hidden.
func MessagesForced(root jsonedit.Value, hidden Places) bool {
	choice := root.Get("tool_choice")
	left, named := len(MessagesTools(root))-len(hidden), false
	for i, v := range root.Get("tools").Elems() {
		named = named || !hidden[i] && v.Get("name").Text() == choice.Get("name").Text()
	}
	switch {
	case len(hidden) == 0:
		return false
	case choice.Get("type").Is("tool"):
		return !named
	}
	return left == 0 && choice.Get("type").Is("any")
}

// noMessagesTool is [NoTool] as a tool.
const noMessagesTool = `[{"name":"` + NoTool + `","description":"` + NoToolSays + `","input_schema":{"type":"object","properties":{}}}]`

// HideMessages returns the edits that take tools out of a request in the words of
// Anthropic's messages, by their places among [MessagesTools]. Anthropic wants tools
// where the conversation has calls of some: then none is offered under the name
// [NoTool]. Forced says that one of them is forced.
func HideMessages(root jsonedit.Value, hidden Places, forced bool) (edits []jsonedit.Edit) {
	tools, choice := root.Get("tools"), root.Get("tool_choice")
	n, gone, servers := 0, 0, false // hidden ones of the list, and those of servers
	for i, v := range tools.Elems() {
		n++
		if hidden[i] {
			gone++
			servers = servers || v.Get("type").Is(remoteTools)
		}
	}
	servers = servers || hidden[n]
	drop := map[string]bool{"mcp_servers": servers}
	switch {
	case gone == 0:
	case gone < n:
		edits, _ = hidden.Elems(tools)
		if forced {
			edits = append(edits, choice.Get("type").Set("auto"))
			edits = append(edits, choice.Remove(func(key string) bool { return key == "name" })...)
		}
	case called(root) && (servers || !remote(root)):
		edits = append(edits, Put(tools, []byte(noMessagesTool)), root.SetMember("tool_choice", []byte(`{"type":"none"}`)))
	default:
		drop["tools"], drop["tool_choice"] = true, true
	}
	return append(edits, root.Remove(func(key string) bool { return drop[key] })...)
}

// called reports whether calls or results are in a conversation.
func called(root jsonedit.Value) bool {
	for _, m := range root.Get("messages").Elems() {
		for _, b := range m.Get("content").Elems() {
			if t := b.Get("type"); t.Is("tool_use") || t.Is("tool_result") {
				return true
			}
		}
	}
	return false
}

// MessagesAsked returns the calls that the client is to run in an answer in the words
// of Anthropic's messages.
func MessagesAsked(root jsonedit.Value) (calls []Asking) {
	list := root.Get("content")
	for _, b := range list.Elems() {
		if MessagesCall(b.Get("type").Text()) {
			calls = append(calls, Asking{ToolCall: MessagesCallOf(b), List: list, Block: b, In: b, Key: "input"})
		}
	}
	return calls
}

// RuleMessages returns the edits that put rulings in force in such an answer.
func RuleMessages(root jsonedit.Value, rulings []gateway.Ruling) []jsonedit.Edit {
	calls := MessagesAsked(root)
	edits, runs := Ruled(calls, rulings, func(note string) []byte {
		return append(jsonedit.AppendQuote([]byte(`{"type":"text","text":`), note), '}')
	})
	if reason := root.Get("stop_reason"); len(calls) > 0 && !runs && reason.Is("tool_use") {
		edits = append(edits, reason.Set("end_turn"))
	}
	return edits
}

// ToolCalls returns the calls alone.
func ToolCalls(asked []Asking) (calls []ringwall.ToolCall) {
	for _, a := range asked {
		calls = append(calls, a.ToolCall)
	}
	return calls
}
