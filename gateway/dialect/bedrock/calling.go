package bedrock

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var (
	_ gateway.Calling = (*answer)(nil)
	_ gateway.Calling = (*invoked)(nil)
)

// ruling is what becomes of the calls of an answer.
type ruling struct {
	ruled   bool
	rulings []gateway.Ruling
}

// Rule implements gateway.Calling.
func (r *ruling) Rule(rulings []gateway.Ruling) { r.ruled, r.rulings = true, rulings }

// serves reports whether a call is of a tool that the service runs itself.
func serves(toolUse jsonedit.Value) bool { return toolUse.Get("type").Is("server_tool_use") }

// asked returns the calls that the client is to run in an answer of Converse.
func asked(root jsonedit.Value) (calls []dialect.Asking) {
	list := root.Get("output").Get("message").Get("content")
	for _, b := range list.Elems() {
		if v := b.Get("toolUse"); v.Exists() && !serves(v) {
			calls = append(calls, dialect.Asking{ToolCall: callOf(v), List: list, Block: b, In: v, Key: "input"})
		}
	}
	return calls
}

// Calls implements gateway.Calling.
func (a *answer) Calls() []ringwall.ToolCall { return dialect.ToolCalls(asked(a.doc.Root())) }

// rule returns the edits that put rulings in force.
func (a *answer) rule(root jsonedit.Value) []jsonedit.Edit {
	calls := asked(root)
	edits, runs := dialect.Ruled(calls, a.rulings, func(note string) []byte {
		return append(jsonedit.AppendQuote([]byte(`{"text":`), note), '}')
	})
	if reason := root.Get("stopReason"); len(calls) > 0 && !runs && reason.Is("tool_use") {
		edits = append(edits, reason.Set(endedBy(a.named, a.did, a.inner)))
	}
	return edits
}

// endedBy is why an answer ended of which no call is left.
func endedBy(g guardrail, did func() gateway.Declined, invoked bool) string {
	if g.ref != "" && !invoked {
		if d := done(did); masked(d, d.Inputs) {
			return "guardrail_intervened"
		}
	}
	return "end_turn"
}

// Calls implements gateway.Calling.
func (a *invoked) Calls() []ringwall.ToolCall {
	if a.family == anthropic {
		return dialect.ToolCalls(dialect.MessagesAsked(a.doc.Root()))
	}
	return plainCalls(a.doc.Root())
}

// rule returns the edits that put rulings in force.
func (a *invoked) rule(root jsonedit.Value) []jsonedit.Edit {
	if a.family == anthropic {
		return dialect.RuleMessages(root, a.rulings)
	}
	return rulePlain(root, a.rulings)
}
