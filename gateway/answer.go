package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/hook"
	"github.com/ringwall/ringwall/internal/admit"
)

// withheld says what policy did about what goes that way.
func (x *exchange) withheld(way ringwall.Direction) Declined {
	fs := slices.Clone(x.Findings)
	for _, c := range x.channels {
		fs = append(fs, c.Findings()...)
	}
	actions := x.actions(fs)
	return Declined{
		ID: x.ID, Guardrail: x.Guardrail, Message: x.wall.told(way, fs, actions), Way: way,
		Findings: fs, Inputs: x.inputs, Actions: actions,
	}
}

// tell lets an answer or a relay say what policy does.
func (x *exchange) tell(to any) {
	if t, ok := to.(Telling); ok {
		t.Tell(func() Declined { return x.withheld(ringwall.Output) })
	}
}

// actions says what each finding alone would have led to.
func (x *exchange) actions(fs []ringwall.Finding) []ringwall.Action {
	out := make([]ringwall.Action, len(fs))
	for i, f := range fs {
		way, origin := ringwall.Output, ringwall.Assistant
		if i < x.inputs {
			way, origin = ringwall.Input, ringwall.User
			for _, t := range x.Prompt {
				if t.Path == f.Path {
					origin = t.Origin
					break
				}
			}
		}
		out[i] = x.wall.Decide(way, origin, fs[i:i+1]).Action
	}
	return out
}

// system returns the operator's instructions in the request.
func (x *exchange) system() (texts []string) {
	for _, t := range x.Prompt {
		if t.Origin == ringwall.System {
			texts = append(texts, t.Value)
		}
	}
	return texts
}

// complete asks for a whole answer and answers with it.
func (x *exchange) complete(ctx context.Context, p Provider, call ringwall.Call) error {
	raw, err := p.Complete(ringwall.WithHold(ctx, x.holdAnswer), call)
	x.upstream = time.Since(x.asked)
	if err != nil {
		return upstreamFailed(err)
	}
	if call.Asked.Estimated {
		x.Estimated = true
		x.w.Header().Set(EstimateHeader, "tokens")
	}
	a, err := x.d.Answer(x.req, raw)
	if err != nil {
		return upstreamFailed(err)
	}
	x.Answer, x.Usage = a.Texts(), a.Usage()
	res := x.wall.Check(ctx, x.answering(ctx), x.Answer)
	x.Findings = append(x.Findings, res.Findings...)
	x.Looks = append(x.Looks, res.Looks...)
	x.Scores = x.Scores.Merge(res.Scores)
	x.Verdict = x.Verdict.And(res.Verdict)
	var out []byte
	if res.Verdict.Action < ringwall.Mask {
		if err := x.declined(ringwall.Output, res.Findings); errors.Is(err, ringwall.ErrUnavailable) {
			return err
		}
		x.outcome = ringwall.Cut
		out = a.Withhold(x.withheld(ringwall.Output))
	} else {
		changed, err := x.hooked(ctx, hook.BeforeOutput, ringwall.Output, apply(x.Answer, res.Texts))
		switch {
		case err == nil:
			x.outcome = ringwall.Answered
			x.tell(a)
			out = x.ruled(ctx, a, a.Edit(x.restoreAll(x.Answer, merge(res.Texts, changed))))
		case isPolicy(err):
			x.outcome = ringwall.Cut
			out = a.Withhold(x.withheld(ringwall.Output))
		default:
			return err
		}
	}
	x.remember(ctx, call.Body, out)
	x.toldWhole(out)
	x.w.Header().Set("Content-Type", x.contentType(false))
	x.status(http.StatusOK)
	return x.write(out)
}

// Bounds on the buffer of a stream.
const (
	burst      = 16 << 10 // bytes that leave together at most
	keepBuffer = 64 << 10 // a buffer larger than this is not kept
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// relay asks for a streamed answer and passes on what may go out.
func (x *exchange) relay(ctx context.Context, p Provider, call ringwall.Call) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a cut stream stops the model
	looks := x.wall.looks(ringwall.Output)
	s := x.answering(ctx)
	var hold *held // for hooks, who are asked about all of it
	if x.hookAt(hook.BeforeOutput) {
		hold = &held{}
	}
	judging := false
	relay := x.d.Relay(x.req, func(path string) Channel {
		if shut := x.shuts(judging, path); shut != nil {
			return shut
		}
		c := &heard{noticing: x.wall.channel(s, ringwall.Text{Path: path, Origin: ringwall.Assistant}, looks), path: path, keeps: hold != nil}
		x.channels = append(x.channels, c)
		if !x.restores() {
			return c
		}
		return &restoring{heard: c, r: x.book.Restorer(form(path))}
	})
	x.tell(relay)
	judging = x.judges(relay)
	defer func() {
		x.upstream = time.Since(x.asked)
		x.Usage = relay.Usage()
		var fs []ringwall.Finding
		for _, c := range x.channels {
			fs = append(fs, c.Findings()...)
			x.Scores = x.Scores.Merge(c.Scores())
			x.Answer = append(x.Answer, ringwall.Text{Path: c.path, Origin: ringwall.Assistant, Value: string(c.said)})
			c.Free()
		}
		x.channels = nil
		x.Findings = append(x.Findings, fs...)
		x.Looks = append(x.Looks, looks.list()...)
		x.Verdict = x.Verdict.And(x.wall.Decide(ringwall.Output, ringwall.Assistant, fs))
	}()
	pooled := buffers.Get().(*[]byte)
	buf := (*pooled)[:0] // what may go out and has not yet
	defer func() {
		if *pooled = buf; cap(buf) <= keepBuffer {
			buffers.Put(pooled)
		}
	}()
	var failed error
	said := 0 // bytes of events that are not counted so far
	for ev, err := range p.Events(ctx, call) {
		if said += len(ev.Data); err == nil && said >= burst {
			err = x.holdAnswer(int64(said))
			said = 0
		}
		if err == nil && hold != nil {
			err = hold.add(ev)
		}
		if err == nil {
			buf, err = relay.Event(ctx, buf, ev.Data)
		}
		if err != nil {
			failed = err
			break
		}
		if relay.Blocked() || !x.within(ctx) {
			break
		}
		x.rememberFinal(ctx, call.Body, relay)
		if hold != nil || ev.More && len(buf) < burst {
			continue
		}
		if err := x.send(buf); err != nil {
			return err
		}
		buf = buf[:0]
	}
	if x.spending.cut && failed == nil && !relay.Blocked() {
		cancel()
		x.outcome, x.detail = ringwall.Cut, "quota"
		if hold != nil {
			buf = buf[:0] // which nobody was asked about
		}
		return x.send(relay.Withhold(buf, Declined{ID: x.ID, Guardrail: x.Guardrail, Message: usedUp, Way: ringwall.Output}))
	}
	if failed == nil && !relay.Blocked() {
		buf = relay.End(ctx, buf)
	}
	if relay.Blocked() {
		cancel()
		x.outcome, x.detail = ringwall.Cut, "policy"
		if hold != nil { // what is there already, hooks were not asked about
			out, blocked, err := x.retell(ctx, hold, buf, nil, true)
			if err == nil && blocked {
				return x.send(out)
			}
			buf = buf[:0]
		}
		buf = relay.Withhold(buf, x.withheld(ringwall.Output))
		x.rememberFinal(ctx, call.Body, relay)
		return x.send(buf)
	}
	if failed != nil {
		err := upstreamFailed(failed)
		if hold != nil {
			buf = buf[:0] // which nobody was asked about
		}
		if (x.written || len(buf) > 0) && ctx.Err() == nil {
			x.outcome, x.detail = ringwall.UpstreamFail, failed.Error()
			if errors.Is(failed, admit.ErrShed) {
				x.outcome = ringwall.Overloaded
			}
			var r *ringwall.Refusal
			errors.As(err, &r)
			buf = relay.Fail(buf, r, x.ID)
			return x.send(buf)
		}
		return err
	}
	x.outcome = ringwall.Answered
	if hold != nil {
		out, err := x.release(ctx, hold, buf)
		if err != nil {
			return err
		}
		return x.send(out)
	}
	return x.send(buf)
}

// heard is a Channel that remembers for the record what the model said.
type heard struct {
	noticing
	path  string
	said  []byte
	let   []byte // what the guard let go, where it is kept
	keeps bool

	count   int64 // tokens of what is said, about
	counted int   // bytes of it that are in count
}

func (c *heard) Write(p []byte) []byte {
	c.said = append(c.said, p...)
	return c.keep(c.noticing.Write(p))
}

// Close implements Channel.
func (c *heard) Close(ctx context.Context) []byte { return c.keep(c.noticing.Close(ctx)) }

func (c *heard) keep(let []byte) []byte {
	if c.keeps {
		c.let = append(c.let, let...)
	}
	return let
}

// send writes a piece of a stream and has it leave at once.
func (x *exchange) send(frames []byte) error {
	if !x.written {
		h := x.w.Header()
		h.Set("Content-Type", x.contentType(true))
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no")
		h.Set(ReleaseHeader, x.wall.Release())
		x.status(http.StatusOK)
	}
	if len(frames) == 0 {
		return nil
	}
	x.told(frames)
	from := time.Now()
	if err := x.write(frames); err != nil {
		return err
	}
	if err := x.rc.Flush(); err != nil {
		return err
	}
	return x.accepted(len(frames), from)
}

// write writes to the client, who may take a bounded time to accept it.
func (x *exchange) write(b []byte) error {
	// Not before each piece: setting it costs as much as reading one.
	if now := time.Now(); now.Sub(x.limited) > x.g.cfg.Limits.Write/16 {
		x.limited = now
		x.rc.SetWriteDeadline(now.Add(x.g.cfg.Limits.Write))
	}
	if _, err := x.w.Write(b); err != nil {
		return &clientGone{fmt.Errorf("writing the answer: %w", err)}
	}
	return nil
}
