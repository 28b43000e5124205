package toolcall

import (
	"context"

	"github.com/ringwall/ringwall"
)

// Words about calls that come again.
const (
	publicDuplicate = "It was done already, with the same arguments. Do not do it again unless the user asks for it again."
	publicRepeated  = "It was called with the same arguments again and again; the answer will be the same. Go on without it."
	publicDepth     = "Too many tools were called for this request. Tell the user what was found so far, and ask how to go on."
	publicLimit     = "This tool was called as often as it may be. Go on without it."
)

// again looks at what was called before: the same thing done twice, a loop, too many
// calls.
func again(_ context.Context, s *Session, c *Call, d *Decision) {
	rules := &s.j.cfg.Rules
	r := s.read()
	same, since, all, worked := 0, 0, 0, false
	for i := range r.past {
		p := &r.past[i]
		if p.turn > r.spoke {
			since++
		}
		if p.Name != c.Name {
			continue
		}
		all++
		if p.turn > r.spoke && p.Arguments == c.ToolCall.Arguments {
			same++
			worked = worked || p.ok
		}
	}
	answer := 0
	for _, p := range s.ran {
		since++
		if p.Name == c.Name {
			answer++
			if p.Arguments == c.ToolCall.Arguments {
				same++
				worked = true
			}
		}
	}
	acts := s.semantics(r, c.Tool).effect != Read
	switch {
	case worked && acts && !s.semantics(r, c.Tool).outside:
		d.against(ringwall.ToolStrip, RuleDuplicate, publicDuplicate)
	case same >= rules.repeats():
		d.against(ringwall.ToolStrip, RuleRepeated, publicRepeated)
	}
	if since >= rules.calls() {
		d.against(ringwall.ToolHold, RuleDepth, publicDepth)
	}
	if l, ok := rules.Limits[c.Name]; ok && (l.Conversation > 0 && all+answer >= l.Conversation || l.Answer > 0 && answer >= l.Answer) {
		d.against(ringwall.ToolStrip, RuleLimit, publicLimit)
	}
}
