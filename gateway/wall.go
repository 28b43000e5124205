package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
)

// Patient is a Request whose caller may ask that nothing of a streamed answer
// leaves before it was looked at, whatever the guardrail in force does.
type Patient interface {
	Sync() bool
}

// wall is what looks at the texts of an exchange: the guardrail in force and, where
// the request names another, that one, too. Naming one only ever adds to what is
// looked for: both look at the texts as they came, and what either forbids is
// forbidden. What both let go is masked by both.
type wall struct {
	*guard.Guard              // in force
	also         *guard.Guard // nil: the request names no other
	sync         bool         // nothing leaves before it was looked at
}

// build builds the wall of what the request says of guardrails, in the way of its
// dialect or by [GuardrailHeader].
func (x *exchange) build(ctx context.Context) error {
	if p, ok := x.req.(Patient); ok {
		x.wall.sync = p.Sync()
	}
	name := x.r.Header.Get(GuardrailHeader)
	if n, ok := x.req.(Named); ok && n.Guardrail() != "" {
		name = n.Guardrail()
	}
	return x.named(ctx, name)
}

// named puts the guardrail that a request names beside the one in force, if it is
// another. One that there is not is refused: a protection that a caller asks for and
// does not get must not look as if it were there.
func (x *exchange) named(ctx context.Context, name string) error {
	force, _, _ := strings.Cut(x.Guardrail, "@")
	if name == "" || name == force || name == x.Guardrail {
		return nil
	}
	if x.world.Guardrails == nil {
		return unknownGuardrail(name, ErrNoGuardrail)
	}
	rail, err := x.find(ctx, ParseRef(name))
	if err == nil && rail.Guard.Name() != x.Guardrail {
		x.wall.also = rail.Guard
	}
	return err
}

func unknownGuardrail(name string, err error) error {
	return &ringwall.Refusal{
		Status: http.StatusNotFound, Code: "guardrail_not_found", Err: err,
		Public: fmt.Sprintf("The guardrail %.80q does not exist.", name),
	}
}

// mark says of what the other guardrail noticed that it is its.
func (w *wall) mark(fs []ringwall.Finding) []ringwall.Finding {
	for i := range fs {
		fs[i].Guardrail = w.also.Name()
	}
	return fs
}

func (w *wall) marked(looks []ringwall.Look) []ringwall.Look {
	for i := range looks {
		looks[i].Guardrail = w.also.Name()
	}
	return looks
}

// Check has both look at whole texts, as [guard.Guard.Check] does.
func (w *wall) Check(ctx context.Context, s guard.Session, texts []ringwall.Text) guard.Result {
	res := w.Guard.Check(ctx, s, texts)
	if w.also == nil {
		return res
	}
	other := w.also.Check(ctx, s, texts)
	out := guard.Result{
		Verdict:  res.Verdict.And(other.Verdict),
		Findings: slices.Concat(res.Findings, w.mark(other.Findings)),
		Looks:    slices.Concat(res.Looks, w.marked(other.Looks)),
		Scores:   res.Scores.Merge(other.Scores),
	}
	switch {
	case out.Verdict.Action < ringwall.Mask:
	case len(res.Texts) == 0:
		out.Texts = other.Texts
	default: // what is masked is masked again
		again := w.also.Check(ctx, s, apply(texts, res.Texts))
		out.Texts = merge(res.Texts, again.Texts)
		if again.Verdict.Action < ringwall.Mask {
			out.Verdict, out.Texts = out.Verdict.And(again.Verdict), nil
			out.Findings = append(out.Findings, w.mark(again.Findings)...)
		}
	}
	return out
}

// Decide turns findings about texts of one origin that go one way into a verdict,
// each by the guardrail that noticed it.
func (w *wall) Decide(way ringwall.Direction, o ringwall.Origin, fs []ringwall.Finding) ringwall.Verdict {
	v := ringwall.Verdict{Action: ringwall.Allow}
	for i := range fs {
		v = v.And(w.of(fs[i]).Decide(way, o, fs[i:i+1]))
	}
	return v
}

// of returns the guardrail that noticed f.
func (w *wall) of(f ringwall.Finding) *guard.Guard {
	if w.also != nil && f.Guardrail == w.also.Name() {
		return w.also
	}
	return w.Guard
}

// told returns what a client reads instead of what was withheld: the message of the
// guardrail in force, unless only the other would have withheld it.
func (w *wall) told(way ringwall.Direction, fs []ringwall.Finding, actions []ringwall.Action) string {
	by := w.Guard
	for i := range fs {
		if actions[i] >= ringwall.Mask {
			continue
		}
		if by = w.of(fs[i]); by == w.Guard {
			break
		}
	}
	return by.Message(way)
}

// Release names how a streamed answer waits: the weakest way of both.
func (w *wall) Release() string {
	ways := []string{"strict", "window", "buffer", "cut-off"}
	at := slices.Index(ways, w.Guard.Release())
	if w.also != nil {
		at = max(at, slices.Index(ways, w.also.Release()))
	}
	if w.sync && ways[at] == "cut-off" {
		at = slices.Index(ways, "window")
	}
	return ways[at]
}

// looked gathers how both looked at what goes one way.
type looked struct {
	w            *wall
	force        *guard.Looks
	other, again *guard.Looks
}

// looks returns an empty record.
func (w *wall) looks(way ringwall.Direction) *looked {
	l := &looked{w: w, force: w.Guard.Looks(way)}
	if w.also != nil {
		l.other, l.again = w.also.Looks(way), w.also.Looks(way)
	}
	return l
}

// list returns the record.
func (l *looked) list() []ringwall.Look {
	if l.other == nil {
		return l.force.List()
	}
	return slices.Concat(l.force.List(), l.w.marked(l.other.List()))
}

// noticing is a Channel that says what was noticed.
type noticing interface {
	Channel
	Findings() []ringwall.Finding
	Scores() ringwall.Scores
	Free()
}

// channel returns a Channel for a text of an answer.
func (w *wall) channel(s guard.Session, at ringwall.Text, l *looked) noticing {
	s.Sync = w.sync
	force := w.Channel(s, at, l.force)
	if w.also == nil {
		return force
	}
	return &pair{w: w, gate: w.also.Channel(s, at, l.other), force: force, again: w.also.Channel(s, at, l.again)}
}

// pair is a Channel of both guardrails. The other one looks at the text as it
// comes, and what it lets go the one in force looks at; what that one lets go is
// masked by the other.
//
//	text ─▶ gate ─(as it came)─▶ force ─▶ again ─▶
type pair struct {
	w                  *wall
	gate, force, again *guard.Channel
	waits              []byte // for the gate
	passed             int    // bytes that it let go
}

// Write implements Channel.
func (p *pair) Write(text []byte) []byte {
	if p.Blocked() {
		return nil
	}
	p.waits = append(p.waits, text...)
	p.gate.Write(text)
	if p.gate.Blocked() {
		return nil
	}
	n := min(max(p.gate.Settled()-p.passed, 0), len(p.waits))
	p.passed += n
	out := p.force.Write(p.waits[:n])
	p.waits = append(p.waits[:0], p.waits[n:]...)
	if len(out) == 0 {
		return nil
	}
	return p.again.Write(out)
}

// Close implements Channel.
func (p *pair) Close(ctx context.Context) []byte {
	if p.Blocked() {
		return nil
	}
	if p.gate.Close(ctx); p.gate.Blocked() {
		return nil
	}
	out := bytes.Clone(p.force.Write(p.waits))
	if !p.force.Blocked() {
		out = append(out, p.force.Close(ctx)...)
	}
	out = bytes.Clone(p.again.Write(out))
	if p.force.Blocked() || p.again.Blocked() {
		return out
	}
	return append(out, p.again.Close(ctx)...)
}

// Blocked implements Channel.
func (p *pair) Blocked() bool { return p.gate.Blocked() || p.force.Blocked() || p.again.Blocked() }

// Masked implements Channel.
func (p *pair) Masked() bool { return p.gate.Masked() || p.force.Masked() || p.again.Masked() }

// Settled implements Channel. Where something was masked it means nothing.
func (p *pair) Settled() int {
	return min(p.gate.Settled(), p.force.Settled(), p.again.Settled())
}

// Findings implements noticing.
func (p *pair) Findings() []ringwall.Finding {
	fs := slices.Concat(p.force.Findings(), p.w.mark(p.gate.Findings()))
	if p.again.Blocked() {
		fs = append(fs, p.w.mark(p.again.Findings())...)
	}
	return fs
}

// Scores implements noticing.
func (p *pair) Scores() ringwall.Scores { return p.force.Scores().Merge(p.gate.Scores()) }

// Free implements noticing.
func (p *pair) Free() {
	p.gate.Free()
	p.force.Free()
	p.again.Free()
}
