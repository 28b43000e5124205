package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/quota"
	"github.com/ringwall/ringwall/redact"
	"github.com/ringwall/ringwall/toolcall"
)

// ApprovalHeader is the response header with the ids of approvals that calls in the
// answer wait for. A stream that has begun has none: there only the text says so.
const ApprovalHeader = "X-Ringwall-Approval"

// Held is a call that takes somebody's approval.
type Held struct {
	Principal    ringwall.Principal
	Conversation string // that it is asked for in; an approval is good for that one only
	Exchange     string
	Model        string
	Call         ringwall.ToolCall // with its exact arguments
	Use          ringwall.ToolUse  // what was decided, with the digest that the approval is of
}

// Approval is what a call waits for.
type Approval struct {
	ID      string
	Given   bool   // it can be used
	Refused bool   // it is not to be had: somebody said no, or too many wait
	Where   string // where people find it, in words; "" where nobody says
}

// Approvals keeps who may let a held call go. Implementations are safe for concurrent
// use. An error holds the call.
type Approvals interface {
	// Use takes the approval of a call, exactly once over all replicas, and returns its
	// id; "" when there is none.
	Use(ctx context.Context, h Held) (id string, err error)
	// Ask asks for one, or returns the one that was asked for before.
	Ask(ctx context.Context, h Held) (Approval, error)
}

// ruled decides about the calls of a whole answer as it would go out, and returns it
// with those taken out that do not run. An answer of a dialect in which nobody reads
// calls, and that has some, is withheld.
func (x *exchange) ruled(ctx context.Context, a Answer, out []byte) []byte {
	if x.world.Tools == nil {
		return out
	}
	c, ok := a.(Calling)
	switch {
	case !ok && calls(x.Answer) == 0, ok && len(c.Calls()) == 0:
		return out
	case !ok:
		return x.unjudged(a)
	}
	again, err := x.d.Answer(x.req, out) // as hooks and masks left it
	if err != nil {
		return x.unjudged(a)
	}
	if c, ok = again.(Calling); !ok {
		return x.unjudged(a)
	}
	rulings := x.rule(ctx, c.Calls())
	if !slices.ContainsFunc(rulings, func(r Ruling) bool { return r != Ruling{Runs: true} }) {
		return out
	}
	c.Rule(rulings)
	return c.Edit(nil)
}

// unjudged withholds an answer with calls that nobody can decide about.
func (x *exchange) unjudged(a Answer) []byte {
	x.cannotJudge()
	return a.Withhold(x.withheld(ringwall.Output))
}

func (x *exchange) cannotJudge() {
	x.outcome, x.detail = ringwall.Cut, "calls of tools that nobody can read"
	x.Verdict = x.Verdict.And(ringwall.Verdict{Action: ringwall.Block, Reasons: []string{ruleUntold}})
	x.Looks = append(x.Looks, ringwall.Look{Control: ToolControl, Way: ringwall.Output, State: ringwall.Failed, Why: ruleUntold})
	x.calls.judged = true
}

// judges has the calls of a stream decided about, and reports whether its dialect can.
func (x *exchange) judges(relay Relay) bool {
	j, ok := relay.(Judging)
	if ok && x.world.Tools != nil {
		j.Judge(x.rule)
	}
	return ok
}

// shuts returns a Channel that lets nothing go for a text of a call in a stream whose
// dialect nobody judges, else nil.
func (x *exchange) shuts(judging bool, path string) Channel {
	if x.world.Tools == nil || judging || calls([]ringwall.Text{{Path: path}}) == 0 {
		return nil
	}
	x.cannotJudge()
	return &fixed{blocked: true}
}

// rule decides about calls that come out together, in order.
func (x *exchange) rule(ctx context.Context, list []ringwall.ToolCall) []Ruling {
	out := make([]Ruling, len(list))
	x.calls.judged = x.calls.judged || len(list) > 0
	resume := x.ticket.Pause() // approvals and limits may be in another place
	defer resume()
	for i, call := range list {
		d := x.decide(ctx, call)
		x.Tools = append(x.Tools, d.ToolUse)
		out[i] = Ruling{Runs: d.Decision.Runs()}
		switch {
		case !out[i].Runs:
			out[i].Note = note(&d)
			act := ringwall.Mask // the answer goes on, without something of it
			if d.Decision == ringwall.ToolHold {
				act = ringwall.Hold
			}
			x.Verdict = x.Verdict.And(ringwall.Verdict{Action: act, Reasons: []string{d.Rule}})
		case d.Masked != "":
			out[i].Arguments = d.Masked
			x.Verdict = x.Verdict.And(ringwall.Verdict{Action: ringwall.Mask, Reasons: []string{d.Rule}})
		}
	}
	return out
}

// note is what stands in the place of a call that does not run.
func note(d *toolcall.Decision) string {
	name := clip(strings.ToValidUTF8(strings.Map(printable, d.Tool), ""), 80)
	return fmt.Sprintf("[%s did not run. %s]", name, d.Public)
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f || r == '[' || r == ']' {
		return -1
	}
	return r
}

// decide decides about one call.
func (x *exchange) decide(ctx context.Context, call ringwall.ToolCall) toolcall.Decision {
	refused := func(o ringwall.ToolOutcome, rule, public string) toolcall.Decision {
		return toolcall.Decision{Public: public, ToolUse: ringwall.ToolUse{
			ID: clip(call.ID, 256), Tool: clip(call.Name, maxToolName), Effect: x.world.Tools.Tool(call.Name).Effect.String(),
			Decision: o, Rule: rule, Digest: toolcall.Digest(call),
		}}
	}
	c, err := x.conversation()
	if err != nil {
		x.g.cfg.Log.Warn("nobody can tell what a call of a tool is about", "exchange", x.ID, "error", err.Error())
		return refused(ringwall.ToolDeny, ruleUntold, "Nobody could tell what it is about.")
	}
	if x.calls.session == nil {
		x.begin(c)
	}
	if !slices.ContainsFunc(c.Tools, func(t ringwall.ToolSpec) bool { return t.Name == call.Name }) || x.hides(call.Name) && !slices.Contains(x.calls.unfit, call.Name) {
		return refused(ringwall.ToolStrip, ruleNotOffered, "There is no such tool here.")
	}
	if call.ID != "" {
		if x.calls.ids[call.ID] {
			return refused(ringwall.ToolDeny, ruleTwice, "Another call has the same id.")
		}
		if x.calls.ids == nil {
			x.calls.ids = map[string]bool{}
		}
		x.calls.ids[call.ID] = true
	}
	d := x.calls.session.Decide(ctx, call)
	d.ID, d.Tool = clip(d.ID, 256), clip(d.Tool, maxToolName)
	if d.Decision == ringwall.ToolHold {
		x.approve(ctx, call, &d)
	}
	if d.Decision.Runs() {
		x.count(ctx, &d)
	}
	return d
}

// begin begins the decisions about the calls of an answer.
func (x *exchange) begin(c *ringwall.Conversation) {
	cs := toolcall.Case{Principal: x.Principal, Conversation: c, Passed: x.calls.passed, Data: x.noticed(), Now: x.g.cfg.Now()}
	if x.world.Policy != nil {
		cs.Permit = func(ctx context.Context, t *toolcall.Tool, _ ringwall.ToolCall) toolcall.Permission {
			p, err := x.mayCall(ctx, t)
			if err != nil {
				return toolcall.Permission{}
			}
			return p
		}
	}
	x.calls.session = x.world.Tools.Begin(cs)
}

// rejudge forgets what was decided about the calls of an answer that is about to be
// told again. What was spent on them stays spent, and is not spent twice.
func (x *exchange) rejudge() {
	x.calls.session, x.calls.ids, x.Tools = nil, nil, nil
}

// approve lets a held call go for which somebody gave an approval, or asks for one.
func (x *exchange) approve(ctx context.Context, call ringwall.ToolCall, d *toolcall.Decision) {
	if id := x.calls.used[d.Digest]; id != "" {
		d.Decision, d.Approval = ringwall.ToolAllow, id
		return
	}
	switch {
	case x.world.Approvals == nil:
		d.Public = "It takes a person's approval, and nobody can give one here."
		return
	case x.Principal.ID == "":
		d.Public = "It takes a person's approval, which callers without a key cannot ask for."
		return
	}
	h := Held{Principal: x.Principal, Conversation: x.thread(), Exchange: x.ID, Model: x.Model, Call: call, Use: d.ToolUse}
	id, err := x.world.Approvals.Use(ctx, h)
	var a Approval
	if err == nil && id == "" {
		a, err = x.world.Approvals.Ask(ctx, h)
	}
	if err == nil && a.Given { // meanwhile
		id, err = x.world.Approvals.Use(ctx, h)
	}
	switch {
	case err == nil && id != "":
		if x.calls.used == nil {
			x.calls.used = map[string]string{}
		}
		x.calls.used[d.Digest] = id
		d.Decision, d.Approval = ringwall.ToolAllow, id
		if d.Masked != "" {
			d.Decision = ringwall.ToolMask
		}
	case err != nil:
		x.g.cfg.Log.Warn("an approval cannot be asked for", "exchange", x.ID, "error", err.Error())
		d.Public = "It takes a person's approval, which cannot be asked for now. Try again later."
	case a.Refused:
		d.Approval, d.Public = a.ID, "It takes a person's approval, which is not to be had. Do not ask for it again."
	default:
		d.Approval = a.ID
		d.Public = "It waits for a person's approval, " + a.ID
		if a.Where != "" {
			d.Public += " (" + a.Where + ")"
		}
		d.Public += ". Once that is given, ask for exactly the same again."
		if !x.written {
			x.w.Header().Add(ApprovalHeader, a.ID)
		}
	}
}

// lookedAtCalls says in the record how calls were decided about.
func (x *exchange) lookedAtCalls() {
	if x.asked.IsZero() || slices.ContainsFunc(x.Looks, func(l ringwall.Look) bool { return l.Control == ToolControl }) {
		return
	}
	look := ringwall.Look{Control: ToolControl, Way: ringwall.Output, State: ringwall.Ran}
	switch {
	case x.world.Tools == nil:
		look.State, look.Why = ringwall.Skipped, "off"
	case !x.calls.judged:
		look.State, look.Why = ringwall.Skipped, "no-calls"
	}
	x.Looks = append(x.Looks, look)
}

// thread names the conversation for approvals: by the header of the application, or by
// how it begins. One that goes on from what only the provider knows has no name.
func (x *exchange) thread() string {
	if named := x.r.Header.Get(ConversationHeader); named != "" {
		return redact.Named(x.Principal, named).ID()
	}
	if x.goesOn() {
		return ""
	}
	return conversation(x.Principal, x.Prompt).ID()
}

// count takes a call that is about to run from the limits for its tool. One that a limit
// has no room for does not run.
func (x *exchange) count(ctx context.Context, d *toolcall.Decision) {
	plan := x.world.Quota
	if !plan.Tools() || x.calls.counted[d.Digest+d.ID] {
		return
	}
	c := quota.Claim{Principal: x.Principal, Addr: ringwall.ClientOf(ctx).Addr, Route: x.Route, Model: x.Model, Tool: d.Tool, Calls: 1}
	lease, err := plan.Reserve(ctx, &c)
	if err == nil {
		lease.Settle(context.WithoutCancel(ctx), quota.Used{ToolCalls: 1})
		if x.calls.counted == nil {
			x.calls.counted = map[string]bool{}
		}
		x.calls.counted[d.Digest+d.ID] = true
		return
	}
	if d.Rule != "" {
		d.Also = append(d.Also, d.Rule)
	}
	d.Decision, d.Masked = ringwall.ToolStrip, ""
	var full *quota.Exceeded
	if !errors.As(err, &full) {
		x.g.cfg.Log.Warn("nobody can count a call of a tool", "exchange", x.ID, "error", err.Error())
		d.Rule, d.Public = ruleUncounted, "Calls cannot be counted at the moment. Try again soon."
		return
	}
	d.Rule, d.Public = ruleQuota, "As many calls of it as there may be were made."
	if full.After > 0 {
		d.Public += fmt.Sprintf(" Try again in %s.", (full.After + time.Second - 1).Truncate(time.Second))
	}
}
