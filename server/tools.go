package server

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/toolcall"
)

// tools puts into w who decides about the calls of tools. There is always somebody: of
// what the configuration says nothing about the defaults are for.
func (s *Server) tools(c *config.Config, w *gateway.World) error {
	w.Tools = toolcall.New(toolcall.Config{Registry: c.Tools.Declared})
	if s.approvals != nil {
		w.Approvals = pending{s.approvals, c.Approvals.Wait}
	}
	return nil
}

// called counts the calls of tools.
type called struct {
	calls *telemetry.Counter
	rules *telemetry.Counter
}

func newCalled(m *telemetry.Metrics) *called {
	outcomes := telemetry.Label{Name: "decision"}
	for o := ringwall.ToolDeny; o <= ringwall.ToolAllow; o++ {
		outcomes.Values = append(outcomes.Values, o.String())
	}
	return &called{
		calls: m.Counter("ringwall_tool_calls_total", "Calls of tools that models asked for, by what was decided and by what the tool does.",
			outcomes, telemetry.Label{Name: "effect", Values: toolcall.Effects()}),
		rules: m.Counter("ringwall_tool_rules_total", "Rules that were against calls of tools.",
			telemetry.Label{Name: "rule", Values: append(toolcall.RuleIDs(), gateway.ToolRules()...)}),
	}
}

// Ended counts those of an exchange.
func (c *called) Ended(x *ringwall.Exchange) {
	for i := range x.Tools {
		t := &x.Tools[i]
		c.calls.Inc(t.Decision.String(), t.Effect)
		if t.Rule != "" {
			c.rules.Inc(t.Rule)
		}
		for _, rule := range t.Also {
			c.rules.Inc(rule)
		}
	}
}
