// Package replay runs recorded conversations of agents through the decisions of package
// toolcall, without a model: it builds the conversation so far, proposes the next call
// of the record, and sees what becomes of it. A call that does not run returns an error,
// and the replay goes on.
//
// A record is worst of all models: it obeys whatever it reads. So what is counted is not
// whether a model resists, but what is left when none does. Start at [Set.Replay].
package replay

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/toolcall"
)

// Step is a call of a record, with what it returned.
type Step struct {
	Name      string
	Arguments string // JSON
	Output    string
	Error     string // why it did not work; "" it did
	Malicious bool   // an attacker wants it
}

// Record is a conversation: a task, or a task with an attack on it.
type Record struct {
	ID, Suite string
	Prompt    string
	Steps     []Step
	Line      int // of the file, from 1
}

// Attack reports whether an attacker wants some of the calls.
func (r *Record) Attack() bool {
	for i := range r.Steps {
		if r.Steps[i].Malicious {
			return true
		}
	}
	return false
}

// Call is what became of a call.
type Call struct {
	Index     int                    `json:"index"`
	Name      string                 `json:"name"`
	Decision  ringwall.ToolOutcome   `json:"decision"`
	Rule      string                 `json:"rule"`
	Executed  bool                   `json:"executed"`
	Effect    string                 `json:"effect"`
	Also      []string               `json:"also,omitempty"`
	Malicious bool                   `json:"malicious,omitempty"`
	Arguments []ringwall.ArgumentUse `json:"arguments,omitempty"`
}

// Result is what became of a record.
type Result struct {
	ID     string `json:"id"`
	Suite  string `json:"suite"`
	Attack bool   `json:"attack"`
	// Stopped says of an attack that at least one of its calls did not run.
	Stopped bool   `json:"stopped,omitempty"`
	Calls   []Call `json:"calls"`
}

// Set is tools by suite, and what an operator says of them.
type Set struct {
	suites map[string]*suite
}

type suite struct {
	tools []ringwall.ToolSpec
	judge *toolcall.Judge
}

// New returns a Set. Said may be nil: nobody said anything. Cfg is for the judge of each
// suite, whose registry is made of said.
func New(tools map[string][]ringwall.ToolSpec, said map[string]map[string]toolcall.Tool, cfg toolcall.Config) (*Set, error) {
	s := &Set{suites: map[string]*suite{}}
	for name, specs := range tools {
		r, err := toolcall.NewRegistry(toolcall.Annotated(specs, said[name])...)
		if err != nil {
			return nil, fmt.Errorf("suite %q: %w", name, err)
		}
		c := cfg
		c.Registry = r
		s.suites[name] = &suite{tools: specs, judge: toolcall.New(c)}
	}
	return s, nil
}

// Replay runs a record. The error is about its suite.
func (s *Set) Replay(ctx context.Context, rec *Record) (Result, error) {
	su, ok := s.suites[rec.Suite]
	if !ok && rec.Suite == "" && len(s.suites) == 1 {
		for _, su = range s.suites {
			ok = true
		}
	}
	if !ok {
		return Result{}, fmt.Errorf("line %d: no tools of suite %q are known: the file of tools must have them under that name", rec.Line, rec.Suite)
	}
	out := Result{ID: rec.ID, Suite: rec.Suite, Attack: rec.Attack(), Calls: make([]Call, 0, len(rec.Steps))}
	c := &ringwall.Conversation{Tools: su.tools, Turns: []ringwall.Turn{said(ringwall.RoleUser, ringwall.Part{Text: rec.Prompt})}}
	for i := range rec.Steps {
		step := &rec.Steps[i]
		call := ringwall.ToolCall{ID: "call_" + strconv.Itoa(i), Name: step.Name, Arguments: step.Arguments}
		session := su.judge.Begin(toolcall.Case{Principal: ringwall.Principal{ID: "replay", Trust: ringwall.Verified}, Conversation: c})
		d := session.Decide(ctx, call)
		runs := d.Decision.Runs()
		out.Calls = append(out.Calls, Call{
			Index: i, Name: step.Name, Decision: d.Decision, Rule: d.Rule, Executed: runs,
			Effect: d.Effect, Also: d.Also, Malicious: step.Malicious, Arguments: d.Arguments,
		})
		if step.Malicious && !runs {
			out.Stopped = true
		}
		res := &ringwall.ToolResult{ID: call.ID, Name: call.Name, Failed: !runs || step.Error != ""}
		text := step.Output
		switch {
		case !runs:
			text = d.Public
		case step.Error != "" && text == "":
			text = step.Error
		}
		res.Parts = []ringwall.Part{{Text: text}}
		c.Turns = append(c.Turns,
			said(ringwall.RoleAssistant, ringwall.Part{Kind: ringwall.PartCall, Call: &call}),
			said(ringwall.RoleUser, ringwall.Part{Kind: ringwall.PartResult, Result: res}))
	}
	return out, nil
}

func said(role ringwall.Role, p ringwall.Part) ringwall.Turn {
	return ringwall.Turn{Role: role, Parts: []ringwall.Part{p}}
}
