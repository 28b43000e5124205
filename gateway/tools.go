package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/toolcall"
)

// ToolControl is the control that decides about calls of tools, in records.
const ToolControl = "inference/tool-call"

// Rules about calls that the gateway knows alone, beside those of package toolcall.
const (
	ruleNotOffered = "not-offered"    // the model asks for a tool that it was not offered, or that is hidden from the caller
	ruleTwice      = "call-id-twice"  // two calls have one id: nobody could tell their results apart
	ruleUntold     = "untold"         // nobody can tell the conversation that the call is of
	ruleQuota      = "tool-quota"     // a limit for the tool is used up
	ruleUncounted  = "tool-uncounted" // nobody can tell whether a limit is
)

// ToolRules are the ids of those rules.
func ToolRules() []string {
	return []string{ruleNotOffered, ruleTwice, ruleUntold, ruleQuota, ruleUncounted}
}

// Bounds on what a request may say of tools.
const (
	maxTools    = 512
	maxToolName = 256 // bytes
	maxSchema   = 256 << 10
	maxCalls    = 10_000 // in a transcript
)

// calling is what an exchange knows of the calls of tools in it.
type calling struct {
	speaks  bool                   // the request may be about tools
	told    *ringwall.Conversation // nil: nobody asked yet
	passed  []bool                 // of each turn, whether it went through here; nil: nobody looked
	hidden  []string               // tools that the caller may not see, sorted
	unfit   []string               // those of them that are hidden for what they are: calls are judged all the same, for the rule
	session *toolcall.Session
	ids     map[string]bool   // of the calls of the answer
	used    map[string]string // approvals that were taken for this exchange, by digest
	counted map[string]bool   // calls that limits were asked about, by digest
	judged  bool              // calls of the answer were decided about
}

// speaksOfTools reports whether a body may say anything of tools, so that a request
// that does not costs nothing: all APIs have the word tool or function in the names of
// what is about them. A letter of it may be written as an escape.
func speaksOfTools(body []byte) bool {
	return bytes.Contains(body, []byte("ool")) || bytes.Contains(body, []byte("unction")) ||
		bytes.Contains(body, []byte(`\u006`)) || bytes.Contains(body, []byte(`\u007`))
}

// offer refuses a request whose calls and results nobody can tell apart, and takes the
// tools out of it that the caller may not call. Hiding saves the model from asking; each
// call is decided about all the same.
func (x *exchange) offer(ctx context.Context) error {
	if x.world.Tools == nil || !x.calls.speaks && !x.goesOn() {
		return nil
	}
	a, ok := x.req.(Acting)
	if !ok {
		return nil
	}
	c, err := x.conversation()
	if err != nil {
		return err
	}
	if err := x.checkTools(c); err != nil {
		return err
	}
	offers := x.world.Tools.Offers(x.Principal, c.Tools)
	for i, t := range c.Tools {
		if offers[i].Hide() {
			x.calls.hidden, x.calls.unfit = append(x.calls.hidden, t.Name), append(x.calls.unfit, t.Name)
			continue
		}
		if x.world.Policy == nil {
			continue
		}
		p, err := x.mayCall(ctx, x.world.Tools.Tool(t.Name))
		if err != nil {
			return err
		}
		if p.Outcome == ringwall.ToolDeny {
			x.calls.hidden = append(x.calls.hidden, t.Name)
		}
	}
	if len(x.calls.hidden) == 0 {
		return nil
	}
	slices.Sort(x.calls.hidden)
	if a.Offer(func(name string) bool { return !x.hides(name) }) {
		x.Verdict = ringwall.Verdict{Action: ringwall.Block, Reasons: []string{"policy"}}
		return &ringwall.Refusal{
			Status: http.StatusForbidden, Code: "forbidden",
			Public: "The request has the model call a tool that you may not use here. Name this exchange when you ask your operator.",
			Err:    fmt.Errorf("%w: a tool is forced that is hidden: %.200q", ringwall.ErrForbidden, x.calls.hidden),
		}
	}
	return nil
}

// goesOn reports whether the request goes on from what was said before, which it does
// not say itself.
func (x *exchange) goesOn() bool {
	c, ok := x.req.(Continuing)
	return ok && c.Previous() != ""
}

func (x *exchange) hides(tool string) bool {
	_, hidden := slices.BinarySearch(x.calls.hidden, tool)
	return hidden
}

// conversation is what the client said, in the words of no API.
func (x *exchange) conversation() (*ringwall.Conversation, error) {
	if x.calls.told != nil {
		return x.calls.told, nil
	}
	a, ok := x.req.(Acting)
	if !ok {
		return nil, fmt.Errorf("requests to %s cannot be told", x.Dialect)
	}
	c, err := a.Conversation()
	if err != nil {
		return nil, err
	}
	x.calls.told = c
	return c, nil
}

// checkTools refuses what a request says of tools where two readers could read it two
// ways.
func (x *exchange) checkTools(c *ringwall.Conversation) error {
	if len(c.Tools) > maxTools {
		return badTools("it offers %d tools: at most %d are read", len(c.Tools), maxTools)
	}
	names := make(map[string]bool, len(c.Tools))
	for _, t := range c.Tools {
		switch {
		case !isToolName(t.Name):
			return badTools("%.80q is no name of a tool: want 1 to %d letters, digits and . _ : / @ $ - without spaces", t.Name, maxToolName)
		case names[t.Name]:
			return badTools("the tool %.80q is offered twice", t.Name)
		case len(t.Schema) > maxSchema:
			return badTools("the schema of the tool %.80q has %d bytes: at most %d are read", t.Name, len(t.Schema), maxSchema)
		}
		names[t.Name] = true
	}
	return x.checkCalls(c)
}

// checkCalls refuses a transcript in which calls and results do not find each other.
func (x *exchange) checkCalls(c *ringwall.Conversation) error {
	partial := x.goesOn()    // the calls are with the provider
	var open map[string]bool // calls that no result is known of
	n := 0
	for i := range c.Turns {
		for j := range c.Turns[i].Parts {
			p := &c.Turns[i].Parts[j]
			switch {
			case p.Kind == ringwall.PartCall && p.Call != nil:
				if n++; n > maxCalls {
					return badTools("it has more than %d calls of tools", maxCalls)
				}
				if p.Call.Name == "" {
					return badTools("turn %d calls a tool without a name", i+1)
				}
				if open == nil {
					open = map[string]bool{}
				}
				if id := p.Call.ID; id != "" {
					if open[id] {
						return badTools("two calls of tools have the id %.80q, and no result stands between them", id)
					}
					open[id] = true
				}
			case p.Kind == ringwall.PartResult && p.Result != nil:
				id := p.Result.ID
				switch {
				case partial:
				case n == 0:
					return badTools("turn %d has the result of a call %.80q that is nowhere before it", i+1, id)
				case id == "":
				case !open[id]:
					return badTools("turn %d has a result of the call %.80q, which is nowhere before it or has one", i+1, id)
				}
				delete(open, id)
			}
		}
	}
	return nil
}

func badTools(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	return &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "invalid_request",
		Public: "The request is refused for what it says of tools: " + what + ".",
		Err:    fmt.Errorf("what the request says of tools cannot be told: %s", what),
	}
}

// isToolName reports whether everybody reads name alike.
func isToolName(name string) bool {
	if name == "" || len(name) > maxToolName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("._:/@$-", c) >= 0) {
			return false
		}
	}
	return true
}

// mayCall asks policies whether the caller may have a tool called.
func (x *exchange) mayCall(ctx context.Context, t *toolcall.Tool) (p toolcall.Permission, err error) {
	if x.world.Policy == nil {
		return toolcall.Permission{Outcome: ringwall.ToolAllow}, nil
	}
	q, err := x.question(ctx, CallTool)
	if err != nil {
		return p, err
	}
	q.Resource = policy.Resource{Type: "Tool", ID: t.Name, Server: t.Server, Effect: t.Effect.String()}
	q.Context.Untrusted = x.readUntrusted()
	q.Context.Data = x.noticed()
	d := x.world.Policy.Decide(q)
	if len(d.Errors) > 0 {
		x.g.cfg.Log.Warn("a policy could not be evaluated", "exchange", x.ID, "error", strings.Join(d.Errors, "; "))
	}
	p.Why = d.Policies
	switch d.Effect {
	case policy.Allow:
		p.Outcome = ringwall.ToolAllow
	case policy.Hold:
		p.Outcome = ringwall.ToolHold
	case policy.Deny:
	}
	return p, nil
}

// readUntrusted reports whether the model reads text that anybody may have written.
func (x *exchange) readUntrusted() bool {
	return slices.ContainsFunc(x.Prompt, func(t ringwall.Text) bool { return t.Origin.Untrusted() && t.Value != "" })
}
