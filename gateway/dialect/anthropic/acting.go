package anthropic

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
)

var (
	_ gateway.Acting  = (*request)(nil)
	_ gateway.Calling = (*answer)(nil)
	_ gateway.Judging = (*relay)(nil)
)

// Conversation implements gateway.Acting.
func (r *request) Conversation() (*ringwall.Conversation, error) {
	c, err := dialect.TellMessages(r.src, r.doc.Root())
	if err != nil {
		return nil, err
	}
	c.Model, c.Stream = r.Model(), r.stream
	return c, nil
}

// Offer implements gateway.Acting. Tools that the provider made have their types for
// names.
func (r *request) Offer(keep func(name string) bool) (forced bool) {
	root := r.doc.Root()
	r.hidden = dialect.Hide(dialect.MessagesTools(root), r.hidden, keep)
	r.forced = dialect.MessagesForced(root, r.hidden)
	return r.forced
}

// Calls implements gateway.Calling.
func (a *answer) Calls() []ringwall.ToolCall {
	return dialect.ToolCalls(dialect.MessagesAsked(a.doc.Root()))
}

// Rule implements gateway.Calling.
func (a *answer) Rule(rulings []gateway.Ruling) { a.ruled, a.rulings = true, rulings }
