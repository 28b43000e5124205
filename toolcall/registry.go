package toolcall

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

// Registry knows tools. It does not change and is safe for concurrent use. A nil
// *Registry knows none.
type Registry struct {
	tools  map[string]*Tool
	names  []string          // sorted
	shapes map[string]string // names by what they look like
	bodies map[string]string // names by what is said of them
}

// NewRegistry returns a Registry of tools, whose names differ. It compiles their schemas,
// and what their arguments must be.
func NewRegistry(tools ...Tool) (*Registry, error) {
	r := &Registry{tools: make(map[string]*Tool, len(tools)), shapes: map[string]string{}, bodies: map[string]string{}}
	for _, t := range tools {
		if _, twice := r.tools[t.Name]; twice {
			return nil, fmt.Errorf("the tool %q is declared twice: a call names no server, so that names must differ over all of them", t.Name)
		}
		if err := t.compile(); err != nil {
			return nil, fmt.Errorf("the tool %q: %w", t.Name, err)
		}
		t.Known = true
		r.tools[t.Name] = &t
		r.names = append(r.names, t.Name)
		r.shapes[shape(t.Name)] = t.Name
		if body, ok := bodyOf(t.Description, t.Input); ok {
			r.bodies[body] = t.Name
		}
	}
	slices.Sort(r.names)
	return r, nil
}

func (t *Tool) compile() (err error) {
	if len(t.Input) > 0 {
		if t.schema, err = schema.Arguments(t.Input, schema.Options{Open: t.Open, Lenient: true}); err != nil {
			return err
		}
	}
	t.meanings, err = meaningsOf(t.Arguments)
	return err
}

// Annotated returns tools of which somebody offers definitions and an operator said
// something, to be given to [NewRegistry]: those that were said something of. The others
// stay unknown, and are judged as such.
func Annotated(specs []ringwall.ToolSpec, said map[string]Tool) []Tool {
	var out []Tool
	seen := map[string]bool{}
	for _, s := range specs {
		t, ok := said[s.Name]
		if !ok || seen[s.Name] {
			continue
		}
		seen[s.Name] = true
		t.Name, t.Description, t.Input = s.Name, s.Description, s.Schema
		out = append(out, t)
	}
	return out
}

// Find returns the tool of that name: one of which nobody said anything where the
// registry does not have it.
func (r *Registry) Find(name string) *Tool {
	if r != nil {
		if t, ok := r.tools[name]; ok {
			return t
		}
	}
	return &Tool{Name: name}
}

// Tools returns the tools in the order of their names. They must not be changed.
func (r *Registry) Tools() []*Tool {
	if r == nil {
		return nil
	}
	out := make([]*Tool, len(r.names))
	for i, name := range r.names {
		out[i] = r.tools[name]
	}
	return out
}

// LookAlike returns the tool whose name looks like name and is another: in other letters
// that look the same, other case, with other signs between words or characters that show
// nothing.
func (r *Registry) LookAlike(name string) (*Tool, bool) {
	if r == nil {
		return nil, false
	}
	if like, ok := r.shapes[shape(name)]; ok && like != name {
		return r.tools[like], true
	}
	return nil, false
}

// Renamed returns the tool of which the same is said, word for word, as of d, by another
// name. Very short descriptions say nothing.
func (r *Registry) Renamed(d Definition) (*Tool, bool) {
	if r == nil {
		return nil, false
	}
	body, ok := bodyOf(d.Description, d.Input)
	if !ok {
		return nil, false
	}
	if like, ok := r.bodies[body]; ok && like != d.Name {
		return r.tools[like], true
	}
	return nil, false
}

// bodyOf returns what is said of a tool beside its name.
func bodyOf(description string, input []byte) (string, bool) {
	if len(description) < 24 {
		return "", false
	}
	return digest(appendField(appendField(nil, "description", description), "input", string(canonical(input)))), true
}

// shape returns what a name looks like: its letters and digits, folded.
func shape(name string) string {
	var b strings.Builder
	for _, r := range normalize.Fold(name) {
		if to, ok := twins[r]; ok {
			r = to
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// twins are letters and digits that look like others, folded: Cyrillic and Greek ones
// like Latin ones, and digits like letters (Unicode Technical Standard #39).
var twins = func() map[rune]rune {
	m := map[rune]rune{}
	for to, alike := range map[rune]string{
		'a': "аαɑ", 'b': "βвьƅ", 'c': "сϲ", 'd': "ԁđ", 'e': "еεєҽ", 'g': "ɡց", 'h': "һнհ", 'i': "іιıl1|ⅼӏłɩ", 'j': "јϳ", 'k': "кκ", 'm': "м", 'n': "ոп",
		'o': "оοσ0øօ", 'p': "рρ", 'q': "ԛ", 'r': "гᴦ", 's': "ѕꜱ", 't': "тτ", 'u': "υսᴜ", 'v': "νѵ", 'w': "ԝωѡ", 'x': "хχ", 'y': "уγү",
	} {
		for _, r := range alike {
			m[r] = to
		}
	}
	return m
}()

// Offer is what becomes of a tool that is offered to a model.
type Offer struct {
	Tool *Tool
	Rule string // that is against it; "" where none is
	// Outcome is what its calls get at best.
	Outcome ringwall.ToolOutcome
	// Like is the name of the tool that it looks like, of RuleLookAlike.
	Like string
}

// Hide reports whether the model must not see the tool.
func (o *Offer) Hide() bool { return o.Outcome < ringwall.ToolHold }

// Unknown is what becomes of tools that nobody declared.
type Unknown uint8

// What becomes of them.
const (
	UnknownJudged Unknown = iota // as tools that reach others, and return what anybody may have written
	UnknownHeld                  // each call waits for an approval
	UnknownHidden                // models do not see them
	UnknownDenied
)

// Offers says of each of the tools that a request offers what becomes of it for a caller.
// Of several by one name the strictest counts for all.
func (j *Judge) Offers(p ringwall.Principal, specs []ringwall.ToolSpec) []Offer {
	out := make([]Offer, len(specs))
	at := make(map[string]int, len(specs)) // the first of that name
	for i, s := range specs {
		out[i] = j.offer(&p, j.cfg.Registry.Find(s.Name), &s)
		first, twice := at[s.Name]
		if !twice {
			at[s.Name] = i
		} else if out[i].Outcome < out[first].Outcome {
			out[first] = out[i]
		}
	}
	for i, s := range specs {
		out[i] = out[at[s.Name]]
	}
	return out
}

// offer says what becomes of a tool, offered as s says; nil: it is not.
func (j *Judge) offer(p *ringwall.Principal, t *Tool, s *ringwall.ToolSpec) Offer {
	o := Offer{Tool: t, Outcome: ringwall.ToolAllow}
	switch {
	case t.Known && (p.Trust < t.Least || len(t.Roles) > 0 && !slices.ContainsFunc(t.Roles, func(r string) bool { return slices.Contains(p.Roles, r) })):
		o.Rule, o.Outcome = RuleCaller, ringwall.ToolDeny
	case t.Known && s != nil && t.Pin.Model != "" && j.pinOf(s) != t.Pin.Model:
		o.Rule, o.Outcome = RuleChanged, ringwall.ToolDeny
	case t.Known:
	default:
		j.stranger(&o, s)
	}
	return o
}

// stranger says what becomes of a tool that nobody declared.
func (j *Judge) stranger(o *Offer, s *ringwall.ToolSpec) {
	switch j.cfg.Unknown {
	case UnknownJudged:
	case UnknownHeld:
		o.Rule, o.Outcome = RuleUnknown, ringwall.ToolHold
	case UnknownHidden:
		o.Rule, o.Outcome = RuleUnknown, ringwall.ToolStrip
	default:
		o.Rule, o.Outcome = RuleUnknown, ringwall.ToolDeny
	}
	if like, ok := j.cfg.Registry.LookAlike(o.Tool.Name); ok {
		o.Rule, o.Outcome, o.Like = RuleLookAlike, ringwall.ToolDeny, like.Name
		return
	}
	if s == nil || o.Outcome <= ringwall.ToolHold || j.cfg.Registry == nil || len(j.cfg.Registry.bodies) == 0 {
		return
	}
	if like, ok := j.cfg.Registry.Renamed(DefinitionOf(*s)); ok {
		o.Rule, o.Outcome, o.Like = RuleLookAlike, ringwall.ToolHold, like.Name
	}
}

// called is the step that looks at what is called.
func called(_ context.Context, s *Session, c *Call, d *Decision) {
	specs := s.named(c.Name)
	best := s.j.offer(&s.Principal, c.Tool, nil)
	for _, spec := range specs {
		if o := s.j.offer(&s.Principal, c.Tool, spec); o.Outcome < best.Outcome {
			best = o
		}
	}
	if best.Rule == "" && len(specs) == 0 && !c.Tool.Known && len(s.Conversation.Tools) > 0 {
		best.Rule, best.Outcome = RuleNotOffered, ringwall.ToolDeny
	}
	if best.Rule == "" {
		return
	}
	public := "There is no such tool here."
	switch best.Rule {
	case RuleCaller:
		public = "The caller may not use this tool."
	case RuleChanged:
		public = "The tool is not what it was when it was admitted, and is not used until somebody has looked at it."
	}
	d.against(best.Outcome, best.Rule, public)
}

// named returns what the request says of the tools of a name.
func (s *Session) named(name string) (specs []*ringwall.ToolSpec) {
	for i := range s.Conversation.Tools {
		if t := &s.Conversation.Tools[i]; t.Name == name {
			specs = append(specs, t)
		}
	}
	return specs
}
