package toolcall

import (
	"fmt"

	"github.com/ringwall/ringwall"
)

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
