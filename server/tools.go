package server

import (
	"context"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/toolcall"
	"github.com/ringwall/ringwall/waf"
)

// tools puts into w who decides about the calls of tools. There is always somebody: of
// what the configuration says nothing about the defaults are for.
func (s *Server) tools(c *config.Config, w *gateway.World) error {
	leak, err := leaks()
	if err != nil {
		return err
	}
	cfg := toolcall.Config{Registry: c.Tools.Open(), Rules: c.Tools.Decisions.Rules(), Inject: waf.Injection, Leak: leak}
	cfg.Unknown, cfg.Secrets = c.Tools.Treatment()
	w.Tools = toolcall.New(cfg)
	if s.approvals != nil {
		w.Approvals = pending{s.approvals, c.Approvals.Wait}
	}
	return nil
}

// leaks returns what finds secrets in arguments, whatever the guardrail in force lets go.
func leaks() (func(text string) []ringwall.Span, error) {
	act := &guard.Actions{Default: ringwall.Mask}
	g, err := guard.New(guard.Config{Name: "tools", Rules: []guard.Rule{{Control: secret.Control, Scanners: []stream.Scanner{secret.Scanner{}}, Input: act, Output: act}}})
	if err != nil {
		return nil, err
	}
	return func(text string) (spans []ringwall.Span) {
		s := guard.Session{Way: ringwall.Output, Context: context.Background()}
		for _, f := range g.Check(s.Context, s, []ringwall.Text{{Origin: ringwall.Assistant, Value: text}}).Findings {
			if f.Where.Empty() {
				f.Where = ringwall.Span{End: len(text)}
			}
			spans = append(spans, f.Where)
		}
		return spans
	}, nil
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
