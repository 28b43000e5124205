package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/provider/prices"
	"github.com/ringwall/ringwall/provider/tally"
	"github.com/ringwall/ringwall/quota"
)

// Bounded is a Request that says how long its answer may be.
type Bounded interface {
	// MostTokens is how many tokens the answer may have, all that are asked for
	// together; 0: it has none, -1: the request does not say.
	MostTokens() int64
}

// Leveled is a Dialect whose answers say in headers of its own how much is left.
type Leveled interface {
	// SetLevels sets them. Levels are the caller's own, now is when they were read.
	SetLevels(h http.Header, levels []quota.Level, now time.Time)
}

// WarningHeader is the response header that names limits of which more is used than
// the share to warn from, with how much of them is: "monthly;used=0.83".
const WarningHeader = "X-Ringwall-Quota-Warning"

// spending is what a request may cost, and what it did.
type spending struct {
	lease    *quota.Lease
	claim    quota.Claim
	estimate int64 // of the tokens that the model reads
	asked    int64 // that the answer may have, by the request
	said     int64 // tokens of the answer so far, about
	seen     int   // bytes of the answer that are in said
	cut      bool  // the stream ended because no more could be had
}

// afford sets aside what the request may cost, or refuses it. What it did cost is
// settled with the exchange.
func (x *exchange) afford(ctx context.Context) error {
	if err := x.loops(); err != nil {
		return err
	}
	plan := x.world.Quota
	if !plan.Any() {
		return nil
	}
	s := &x.spending
	s.claim = quota.Claim{Principal: x.Principal, Addr: ringwall.ClientOf(ctx).Addr, Route: x.Route}
	if x.req != nil && x.Model != "" {
		s.claim.Model = x.Model
		s.estimate, s.asked = tally.Texts("", x.Prompt)+unseenTokens*int64(len(x.req.Unseen())), -1
		if b, ok := x.req.(Bounded); ok {
			s.asked = b.MostTokens()
		}
		s.claim.Input, s.claim.Output, s.claim.Calls = plan.Quota().Expect(x.Model, s.estimate, s.asked)
		if plan.Priced() {
			if p, ok := x.price(x.Model); ok {
				s.claim.Price = quota.PriceOf(max(p.Input, p.Cached, p.Caching), p.Output, true)
			}
		}
	}
	lease, err := plan.Reserve(ctx, &s.claim)
	var full *quota.Exceeded
	switch {
	case err == nil:
		s.lease = lease
		x.levels(lease.Levels())
		return nil
	case errors.As(err, &full):
		x.levels(full.Levels)
		return x.exceeded(full)
	case errors.Is(err, quota.ErrUnpriced):
		return &ringwall.Refusal{
			Status: http.StatusForbidden, Code: "model_not_priced", Err: fmt.Errorf("%w: %w", ringwall.ErrRefused, err),
			Public: fmt.Sprintf("A budget of money applies, and nobody knows what the model %.80q costs: an operator can add it to the list of prices.", x.Model),
		}
	case ctx.Err() != nil:
		return err
	}
	return &ringwall.Refusal{
		Status: http.StatusServiceUnavailable, Code: "quota_unavailable", Public: "What may be used cannot be counted at the moment. Try again soon.",
		Err: fmt.Errorf("%w: %w", ringwall.ErrUnavailable, err), After: time.Second,
	}
}

// unseenTokens is what an image or another part that is no text may have.
const unseenTokens = 1600

// price is what a model costs, as clients name it: of those that may serve it the most.
func (x *exchange) price(model string) (prices.Price, bool) {
	if x.world.Price == nil {
		return prices.Of(model)
	}
	return x.world.Price(model)
}

// exceeded is the refusal of a request for which a limit has no room. It names no
// limit that is not the caller's own.
func (x *exchange) exceeded(e *quota.Exceeded) error {
	r := &ringwall.Refusal{Status: http.StatusTooManyRequests, Code: "rate_limit_exceeded", Err: e}
	// By the second, as Retry-After counts, and never too early.
	r.After = (e.After + time.Second - 1).Truncate(time.Second)
	name := "A limit of this gateway"
	if e.Own {
		name = fmt.Sprintf("Your limit %s of %s", e.Limit.Name, most(e.Limit))
	}
	again := "."
	switch {
	case e.Never:
		r.After = -1
		name, again = "The request is larger than "+strings.ToLower(name[:1])+name[1:], ": make it smaller."
		r.Public = name + again
	case e.After > 0:
		again = fmt.Sprintf(". Try again in %s.", r.After)
		fallthrough
	default:
		r.Public = name + " is used up" + again
	}
	h := x.w.Header()
	if e.Limit.Window.Calendar != quota.None {
		r.Code = "insufficient_quota"
	}
	if e.Never || e.Limit.Window.Calendar != quota.None {
		h.Set("X-Should-Retry", "false") // to the clients of OpenAI and Anthropic
	}
	if e.After > 0 {
		h.Set("Retry-After-Ms", fmt.Sprint(r.After.Milliseconds()))
	}
	return r
}

// most says how much a limit allows.
func most(l *quota.Limit) string {
	if l.Measure == quota.Money {
		return fmt.Sprintf("%.2f US dollars per %s", float64(l.Most)/float64(quota.Dollar), l.Window)
	}
	if l.Measure == quota.Concurrent {
		return fmt.Sprintf("%d requests at a time", l.Most)
	}
	return fmt.Sprintf("%d %s per %s", l.Most, strings.ReplaceAll(string(l.Measure), "_", " "), l.Window)
}

// usedUp is what the client reads of an answer that ends before it said anything.
const usedUp = "The answer ends here, for a limit of what may be used is used up."

// grown is how many tokens are set aside at a time for a stream that goes on.
const grown = 512

// within reports whether the stream may go on: what was said of the answer is within
// what was set aside, or more could be had.
func (x *exchange) within(ctx context.Context) bool {
	s := &x.spending
	allowed, limited := s.lease.Allowance()
	if !limited {
		return true
	}
	bytes := 0
	for _, c := range x.channels {
		bytes += len(c.said)
	}
	if int64(bytes) <= allowed { // no token is less than a byte
		return true
	}
	if bytes == s.seen {
		return true
	}
	s.said, s.seen = 0, bytes
	for _, c := range x.channels {
		s.said += c.tokens()
	}
	for s.said > allowed {
		if s.lease.Grow(ctx, max(grown, s.said-allowed)) == 0 {
			s.cut = true
			return false
		}
		allowed, _ = s.lease.Allowance()
	}
	return true
}

// tokens is about how many tokens a text has so far. Each piece is counted once.
func (c *heard) tokens() int64 {
	c.count += int64(tally.Estimate(string(c.said[c.counted:])))
	c.counted = len(c.said)
	return c.count
}

// repay settles what was set aside, whatever happened.
func (x *exchange) repay() {
	s := &x.spending
	if s.lease == nil {
		return
	}
	u := x.used()
	s.lease.Settle(context.WithoutCancel(x.r.Context()), u)
	if x.outcome == ringwall.Answered && !x.Cached && s.claim.Model != "" {
		x.world.Quota.Quota().Saw(x.Model, s.estimate, s.asked, u)
	}
}

// used is what the request did use. Nothing is used where no model was asked, where it
// failed before it said anything, and where the answer was kept of another request.
func (x *exchange) used() (u quota.Used) {
	s := &x.spending
	if x.asked.IsZero() || x.Cached || s.claim.Model == "" {
		return u
	}
	u.Usage = x.Usage
	if x.outcome != ringwall.Answered || u.Usage == (ringwall.Usage{}) {
		// The provider did not come to say what it counts.
		said := int64(0)
		for i := range x.Answer {
			said += int64(tally.Estimate(x.Answer[i].Value))
		}
		if said > 0 {
			u.Usage.InputTokens, u.Usage.OutputTokens = max(u.Usage.InputTokens, s.estimate), max(u.Usage.OutputTokens, said)
		}
		if said == 0 && (x.outcome == ringwall.ClientGone || x.outcome == ringwall.Broken) {
			// It may have written all of it when nobody was there to read it.
			allowed, limited := s.lease.Allowance()
			if !limited {
				allowed = s.claim.Output
			}
			u.Usage.InputTokens, u.Usage.OutputTokens = max(u.Usage.InputTokens, s.claim.Input), max(u.Usage.OutputTokens, allowed)
		}
	}
	u.ToolCalls = calls(x.Answer)
	if x.world.Quota.Priced() {
		p, ok := prices.Price{}, false
		if x.Target != "" {
			p, ok = x.price(x.Target)
		}
		if !ok {
			p, _ = x.price(x.Model)
		}
		u.Money = quota.Dollars(p.Cost(u.Usage))
	}
	return u
}

// calls counts the tool calls of an answer, by where their texts stand.
func calls(texts []ringwall.Text) (n int64) {
	last := ""
	for _, t := range texts {
		at := ""
		for _, mark := range []string{"/tool_calls/", "/toolUse", "/functionCall", "/function_call", "/arguments", "/input"} {
			if i := strings.Index(t.Path, mark); i >= 0 {
				at = t.Path[:i]
				if rest := t.Path[i+len(mark):]; mark == "/tool_calls/" {
					index, _, _ := strings.Cut(rest, "/")
					at += mark + index
				}
				break
			}
		}
		if at != "" && at != last {
			n++
		}
		last = cmp.Or(at, last)
	}
	return n
}
