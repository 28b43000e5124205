package config

import (
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/toolcall"
)

// ToolDecisions configures how calls are decided about by where their values come from.
type ToolDecisions struct {
	Definitions  string      `yaml:"definitions" doc:"of tools that are not declared: what they do is read from the definitions that come with a request, or they are taken for tools that reach others" enum:"read|ignore" default:"read"`
	RuleOfTwo    string      `yaml:"rule_of_two" doc:"calls that are held once a session has read untrusted text and confidential data: those that reach others than the person named, all that change something, or none" enum:"reaching|acting|off" default:"reaching"`
	Confidential []string    `yaml:"confidential" doc:"tools whose output is confidential" example:"[]"`
	Flows        []ToolFlow  `yaml:"flows" doc:"what some tools return must not be carried to others"`
	Repeats      int         `yaml:"repeats" doc:"calls of a tool with the same arguments since the person last spoke" default:"8"`
	Calls        int         `yaml:"calls" doc:"calls of all tools since the person last spoke" default:"200"`
	Limits       []ToolLimit `yaml:"limits" doc:"how often tools may be called"`
}

// ToolFlow says that what some tools return must not be carried to others.
type ToolFlow struct {
	Name   string   `yaml:"name" doc:"for operators" example:"payroll-stays"`
	From   []string `yaml:"from" doc:"tools; confidential: those that are; untrusted: those whose output anybody may have written" example:"[confidential]"`
	To     []string `yaml:"to" doc:"tools, or effects: external, destructive, write" example:"[external]"`
	Then   string   `yaml:"then" doc:"what becomes of the call" enum:"deny|hold" default:"deny"`
	Unless string   `yaml:"unless" doc:"named: the person named all that the call acts on" enum:"never|named" default:"never"`
	Least  int      `yaml:"least" doc:"letters and digits in a row that must be the same, 8 or more" default:"24"`
}

// ToolLimit is how often a tool may be called.
type ToolLimit struct {
	Tool            string `yaml:"tool" doc:"its name" example:"send_mail"`
	PerConversation int    `yaml:"per_conversation" doc:"in a conversation; 0: as often as one likes" default:"0"`
	PerAnswer       int    `yaml:"per_answer" doc:"in an answer of a model; 0: as often as one likes" default:"0"`
}

// Rules returns how calls are decided about.
func (d *ToolDecisions) Rules() toolcall.Rules {
	two := map[string]toolcall.Two{"acting": toolcall.TwoActing, "off": toolcall.TwoOff}[d.RuleOfTwo]
	r := toolcall.Rules{
		Strict: d.Definitions == "ignore", Two: two, Confidential: slices.Clone(d.Confidential),
		Repeats: d.Repeats, Calls: d.Calls, Limits: map[string]toolcall.Limit{},
	}
	for i := range d.Flows {
		r.Flows = append(r.Flows, d.Flows[i].flow())
	}
	for _, l := range d.Limits {
		r.Limits[l.Tool] = toolcall.Limit{Conversation: l.PerConversation, Answer: l.PerAnswer}
	}
	return r
}

func (f *ToolFlow) flow() toolcall.Flow {
	then := ringwall.ToolDeny
	if f.Then == "hold" {
		then = ringwall.ToolHold
	}
	return toolcall.Flow{Name: f.Name, From: f.From, To: f.To, Then: then, Named: f.Unless == "named", Least: f.Least}
}

// check finds what is wrong with d.
func (d *ToolDecisions) check(pos *strictyaml.Positions) (errs []error) {
	const at = "tools.decisions"
	for i := range d.Flows {
		f := d.Flows[i].flow()
		if err := f.Check(); err != nil {
			errs = append(errs, pos.Errorf(strictyaml.Index(at+".flows", i), "%w", err))
		}
	}
	if d.Repeats < 0 || d.Calls < 0 {
		errs = append(errs, pos.Errorf(at, "repeats and calls are numbers above 0, or left out"))
	}
	seen := map[string]bool{}
	for i, l := range d.Limits {
		where := strictyaml.Index(at+".limits", i)
		switch {
		case l.Tool == "":
			errs = append(errs, pos.Errorf(where, "tool: the limit needs the name of a tool"))
		case seen[l.Tool]:
			errs = append(errs, pos.Errorf(where, "tool: %q has a limit already", l.Tool))
		case l.PerConversation < 0 || l.PerAnswer < 0:
			errs = append(errs, pos.Errorf(where, "a tool cannot be called fewer than 0 times"))
		}
		seen[l.Tool] = true
	}
	return errs
}
