package toolcall

import (
	"fmt"
	"slices"
)

// Effect is what a tool does to the world. The zero value is External, the effect of a
// tool of which nobody said anything.
type Effect uint8

// Effects.
const (
	External    Effect = iota // carries something to others: mail, a payment, a request to any host
	Destructive               // takes away what cannot be had back
	Write                     // changes something of the principal's own
	Read                      // changes nothing
)

var effectNames = []string{"external", "destructive", "write", "read"}

// Effects returns their names.
func Effects() []string { return slices.Clone(effectNames) }

func (e Effect) String() string {
	if int(e) < len(effectNames) {
		return effectNames[e]
	}
	return fmt.Sprintf("unknown(%d)", uint8(e))
}

// MarshalText encodes e as its lower-case name.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText accepts the names of the effects.
func (e *Effect) UnmarshalText(b []byte) error {
	i := slices.Index(effectNames, string(b))
	if i < 0 {
		return fmt.Errorf("unknown effect %q: want one of %v", b, effectNames)
	}
	*e = Effect(i)
	return nil
}

// Tool is what the operator declares of a tool. The zero Tool, but for its name, is one
// of which nobody said anything: external, and its output untrusted.
type Tool struct {
	Name   string
	Server string // that offers it; "" where clients bring it along
	Known  bool   // the registry has it
	Effect Effect
	// Sensitive are the arguments that name who or what is acted on; their values need
	// a source that is trusted. Nil where Annotated is false: then every value counts
	// that can name somebody or something.
	Sensitive []string
	Payload   []string // arguments that can carry data out
	Annotated bool     // the operator said which arguments are sensitive
	// Trusted are the fields of the output that systems of the operator's make and
	// nobody else can write: JSON pointers, in which * is any member or element. "" is
	// all of it.
	Trusted []string
}

// Registry knows tools. It does not change and is safe for concurrent use. A nil
// *Registry knows none.
type Registry struct {
	tools map[string]*Tool
}

// NewRegistry returns a Registry of tools, whose names differ.
func NewRegistry(tools ...Tool) (*Registry, error) {
	r := &Registry{tools: make(map[string]*Tool, len(tools))}
	for _, t := range tools {
		if _, twice := r.tools[t.Name]; twice {
			return nil, fmt.Errorf("the tool %q is declared twice", t.Name)
		}
		t.Known = true
		r.tools[t.Name] = &t
	}
	return r, nil
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
