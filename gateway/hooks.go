package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/hook"
	"github.com/ringwall/ringwall/internal/sse"
)

// hookAt reports whether a hook is asked at a stage.
func (x *exchange) hookAt(stage hook.Stage) bool {
	return slices.ContainsFunc(x.world.Hooks, func(h *hook.Hook) bool { return h.At(stage) })
}

// hooked asks the hooks of a stage about texts, one after another, each about what
// those before it left, and returns what they changed. A refusal is one of policy, or
// says that a hook gave no answer.
func (x *exchange) hooked(ctx context.Context, stage hook.Stage, way ringwall.Direction, texts []ringwall.Text) (changed []guard.Changed, err error) {
	if len(texts) == 0 {
		return nil, nil
	}
	resume := x.ticket.Pause() // others may work while they are asked
	defer resume()
	for _, h := range x.world.Hooks {
		if !h.At(stage) {
			continue
		}
		q := hook.Question{Stage: stage, Exchange: x.ID, Principal: x.Principal, Model: x.Model, Dialect: x.Dialect}
		for i, t := range apply(texts, changed) {
			q.Texts = append(q.Texts, hook.Text{Index: i, Path: t.Path, Origin: t.Origin, Text: t.Value})
		}
		look := ringwall.Look{Control: hook.Control, By: h.Name(), Way: way, State: ringwall.Ran, Why: string(stage)}
		a, err := h.Ask(ctx, q)
		if err != nil {
			look.State = ringwall.Failed
			x.Looks = append(x.Looks, look)
			x.g.cfg.Log.Warn("a hook gave no answer", "exchange", x.ID, "hook", h.Name(), "error", err.Error())
			if h.FailOpen() {
				continue
			}
			return nil, &ringwall.Refusal{
				Status: http.StatusServiceUnavailable, Code: "guard_unavailable", Public: "The request could not be checked. Try again soon.",
				Err: fmt.Errorf("%w: %v", ringwall.ErrUnavailable, err),
			}
		}
		x.Looks = append(x.Looks, look)
		switch a.Action {
		case hook.Block:
			x.Findings = append(x.Findings, ringwall.Finding{Control: hook.Control, Reason: a.Reason, Severity: ringwall.High, Score: 1, Via: h.Name()})
			x.Verdict = x.Verdict.And(ringwall.Verdict{Action: ringwall.Block, Reasons: []string{a.Reason}})
			return nil, &ringwall.Refusal{
				Status: http.StatusBadRequest, Code: codeFiltered, Public: x.wall.Message(way),
				Err: fmt.Errorf("%w: hook %s: %s", ringwall.ErrRefused, h.Name(), a.Reason),
			}
		case hook.ReplaceText:
			var more []guard.Changed
			for _, r := range a.Texts {
				more = append(more, guard.Changed{Index: r.Index, Value: r.Text})
			}
			if len(more) > 0 {
				changed = merge(changed, more)
				x.Verdict = x.Verdict.And(ringwall.Verdict{Action: ringwall.Mask, Reasons: []string{"hook"}})
			}
		case hook.Allow:
		}
	}
	return changed, nil
}

// apply returns texts as they are changed.
func apply(texts []ringwall.Text, changed []guard.Changed) []ringwall.Text {
	if len(changed) == 0 {
		return texts
	}
	out := slices.Clone(texts)
	for _, c := range changed {
		out[c.Index].Value = c.Value
	}
	return out
}

// merge returns what was changed first and then again, in the order of the texts.
func merge(first, then []guard.Changed) []guard.Changed {
	out := slices.Clone(then)
	for _, c := range first {
		if !slices.ContainsFunc(then, func(t guard.Changed) bool { return t.Index == c.Index }) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b guard.Changed) int { return a.Index - b.Index })
	return out
}

// mostHeld is how many bytes of a stream are held for hooks.
const mostHeld = 32 << 20

// held is a streamed answer that hooks are asked about before any of it goes out.
type held struct {
	events [][]byte
	bytes  int
}

func (h *held) add(ev sse.Event) error {
	if h.bytes += len(ev.Data); h.bytes > mostHeld {
		return fmt.Errorf("the answer is longer than %d bytes, which hooks are asked about at once", mostHeld)
	}
	h.events = append(h.events, slices.Clone(ev.Data))
	return nil
}

// release asks the hooks about what the guard let go of a stream, and returns the
// frames that may go out: those of the stream, or those of one that says what the hooks
// left of it.
func (x *exchange) release(ctx context.Context, h *held, frames []byte) ([]byte, error) {
	var texts []ringwall.Text
	for _, c := range x.channels {
		texts = append(texts, ringwall.Text{Path: c.path, Origin: ringwall.Assistant, Value: string(c.let)})
	}
	changed, refused := x.hooked(ctx, hook.BeforeOutput, ringwall.Output, texts)
	if refused != nil && !isPolicy(refused) {
		return nil, refused
	}
	if refused == nil && len(changed) == 0 {
		return frames, nil
	}
	now := map[string]string{}
	for _, t := range apply(texts, changed) {
		if now[t.Path] = t.Value; x.restores() {
			now[t.Path] = x.book.Restore(t.Value, form(t.Path))
		}
	}
	frames, blocked, err := x.retell(ctx, h, frames, now, refused != nil)
	switch {
	case err != nil:
		return nil, err
	case refused != nil && !blocked:
		return nil, refused
	case refused != nil:
		x.outcome = ringwall.Cut
	}
	return frames, nil
}

// retell returns the frames of a held stream in which the texts are others, or that
// policy ended before it said anything.
func (x *exchange) retell(ctx context.Context, h *held, frames []byte, now map[string]string, withheld bool) (out []byte, blocked bool, err error) {
	frames = frames[:0]
	again := x.d.Relay(x.req, func(path string) Channel { return &fixed{text: now[path], blocked: withheld} })
	x.tell(again)
	x.rejudge()
	x.judges(again)
	for _, data := range h.events {
		if frames, err = again.Event(ctx, frames, data); err != nil {
			return nil, false, upstreamFailed(err)
		}
		if again.Blocked() {
			return again.Withhold(frames, x.withheld(ringwall.Output)), true, nil
		}
	}
	return again.End(ctx, frames), false, nil
}

// fixed is a Channel of a text that is decided.
type fixed struct {
	text    string
	blocked bool
	n       int
}

func (c *fixed) Write(p []byte) []byte { c.n += len(p); return nil }

func (c *fixed) Close(context.Context) []byte {
	text := c.text
	if c.text = ""; c.blocked {
		return nil
	}
	return []byte(text)
}

func (c *fixed) Blocked() bool { return c.blocked }
func (c *fixed) Masked() bool  { return true }
func (c *fixed) Settled() int  { return c.n }
