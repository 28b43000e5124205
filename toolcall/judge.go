package toolcall

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Bounds on arguments of a call.
const (
	maxArguments = 1 << 20 // bytes
	maxDepth     = 32
)

// Config configures a Judge.
type Config struct {
	Registry *Registry
	Rules    Rules
	Unknown  Unknown // what becomes of tools that Registry does not know

	// Inject says whether a value, which is no prose, holds code that breaks out of it,
	// and of which kind: sql-injection or cross-site-scripting. Nil: nobody looks.
	Inject func(value string) (kind string, found bool)
	// Leak says which parts of a text are secrets that are known. Nil: nobody looks.
	Leak    func(text string) []ringwall.Span
	Secrets Secrets // what becomes of a call with one
}

// Judge decides about calls. It is safe for concurrent use.
type Judge struct {
	cfg      Config
	profiles profiles
	memory   *memory
}

// New returns a Judge.
func New(cfg Config) *Judge { return &Judge{cfg: cfg, memory: newMemory()} }

// Case is a conversation in which a model is about to ask for tools.
type Case struct {
	Principal    ringwall.Principal
	Conversation *ringwall.Conversation // up to the answer
	// Passed says of each turn whether it went through here, as it stands, in this
	// conversation; nil: nobody looked, and all are believed. What the person says is
	// believed in any case.
	Passed []bool
	// Permit asks policies about a call; nil: nobody wrote any.
	Permit func(ctx context.Context, t *Tool, call ringwall.ToolCall) Permission
	// Data are the classes of sensitive data that were found in what the session read.
	Data []string
	Now  time.Time
}

// Permission is what policies say of a call. The zero value denies.
type Permission struct {
	Outcome ringwall.ToolOutcome // ToolDeny, ToolHold or ToolAllow
	Why     []string             // ids of the policies that decided
}

// Session decides about the calls of one answer, in order. One goroutine owns it.
type Session struct {
	j *Judge
	Case
	known *reading            // of Conversation; nil: not yet
	ran   []ringwall.ToolCall // calls of this answer that go on
}

// Begin begins the calls of an answer. Its cost grows with the number of turns, not
// with their length: texts are read when a value is looked for.
func (j *Judge) Begin(c Case) *Session {
	if c.Conversation == nil {
		c.Conversation = &ringwall.Conversation{}
	}
	return &Session{j: j, Case: c}
}

// Call is a call that is being decided about.
type Call struct {
	ringwall.ToolCall
	Tool      *Tool
	Arguments jsonedit.Value // an object
	doc       jsonedit.Doc
}

// Decision is what becomes of a call.
type Decision struct {
	ringwall.ToolUse
	// Arguments are what the call goes on with, where something was masked.
	Masked string
	// Public says, in words for the client and the model, why a call does not run. It
	// names neither a rule nor what would have helped.
	Public string
}

// against makes the decision at least as strict as o, for a rule. Public is for the
// client.
func (d *Decision) against(o ringwall.ToolOutcome, rule, public string) {
	if o >= d.Decision {
		if d.Rule != "" && d.Rule != rule {
			d.Also = append(d.Also, rule)
		} else if d.Rule == "" {
			d.Decision, d.Rule, d.Public = o, rule, public
		}
		return
	}
	if d.Rule != "" {
		d.Also = append(d.Also, d.Rule)
	}
	d.Decision, d.Rule, d.Public = o, rule, public
}

// step looks at a call and may make the decision stricter, by [Decision.against].
type step func(ctx context.Context, s *Session, c *Call, d *Decision)

// steps are what a call goes through until one denies it.
var steps = []step{
	called,
	schemaMet,
	meant,
	permitted,
	again,
	sourced,
	labelled,
	flowing,
	asked,
}

// Decide decides about the next call of the answer. Calls that run count as made for
// those behind them.
func (s *Session) Decide(ctx context.Context, call ringwall.ToolCall) Decision {
	c := &Call{ToolCall: call, Tool: s.j.cfg.Registry.Find(call.Name)}
	d := Decision{ToolUse: ringwall.ToolUse{
		ID: call.ID, Tool: call.Name, Effect: c.Tool.Effect.String(), Decision: ringwall.ToolAllow,
		Digest: Digest(call),
	}}
	if err := c.doc.Parse([]byte(call.Arguments), jsonedit.Limits{Bytes: maxArguments, Depth: maxDepth}); err != nil || c.doc.Root().Kind() != jsonedit.Object {
		d.against(ringwall.ToolDeny, RuleArguments, "Its arguments cannot be read: they must be one JSON object.")
		return d
	}
	c.Arguments = c.doc.Root()
	for _, look := range steps {
		if look(ctx, s, c, &d); d.Decision == ringwall.ToolDeny {
			break
		}
	}
	if d.Arguments == nil { // a rule denied it before anybody asked where they come from
		var there Decision
		sourced(ctx, s, c, &there)
		d.Arguments = there.Arguments
	}
	if d.Decision.Runs() {
		s.ran = append(s.ran, call)
	}
	return d
}

// permitted asks policies.
func permitted(ctx context.Context, s *Session, c *Call, d *Decision) {
	if s.Permit == nil {
		return
	}
	p := s.Permit(ctx, c.Tool, c.ToolCall)
	if p.Outcome != ringwall.ToolAllow {
		d.against(p.Outcome, RulePolicy, "The caller may not do this here.")
	}
}

// Digest returns the SHA-256 of a tool's name and exact arguments, in hexadecimal
// digits: that which approvals are for.
func Digest(call ringwall.ToolCall) string {
	h := sha256.New()
	_, _ = io.WriteString(h, strconv.Itoa(len(call.Name))+":"+call.Name) // a hash takes all
	_, _ = io.WriteString(h, call.Arguments)
	return hex.EncodeToString(h.Sum(nil))
}
