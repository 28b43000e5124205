package toolcall

import (
	"fmt"
	"slices"

	"github.com/ringwall/ringwall"
)

// Rules are what an operator may change about decisions. The zero Rules are strict.
type Rules struct {
	// Strict takes tools that are not declared for external, whatever their definitions
	// say that they do.
	Strict       bool
	Two          Two
	Confidential []string // tools whose output is sensitive
	Flows        []Flow
	Repeats      int // calls of a tool with the same arguments since the person last spoke; 0: 8
	Calls        int // calls since the person last spoke; 0: 200
	Limits       map[string]Limit
}

// Limit is how often a tool may be called; 0: as often as one likes.
type Limit struct{ Conversation, Answer int }

// Two says for which calls the rule of two counts.
type Two uint8

// For which calls.
const (
	TwoReaching Two = iota // those that reach others than the person named
	TwoActing              // all that change something
	TwoOff                 // none
)

// Flow says that what some tools return must not be carried to others.
type Flow struct {
	Name  string   // of the flow, for operators
	From  []string // tools; "confidential": those that are; "untrusted": those whose output anybody may have written
	To    []string // tools or effects
	Then  ringwall.ToolOutcome
	Named bool // unless the person named all that the call acts on
	Least int  // characters that must be the same; 0: 24
}

// Check says what is wrong with f.
func (f *Flow) Check() error {
	switch {
	case len(f.From) == 0 || len(f.To) == 0:
		return fmt.Errorf("the flow needs tools that it comes from, and tools or effects that it goes to")
	case f.Then > ringwall.ToolHold:
		return fmt.Errorf("then: want deny, strip or hold, not %s", f.Then)
	case f.Least != 0 && f.Least < 8:
		return fmt.Errorf("least: %d characters are the same by chance: want 8 or more", f.Least)
	}
	return nil
}

func (r *Rules) repeats() int {
	if r.Repeats > 0 {
		return r.Repeats
	}
	return 8
}

func (r *Rules) calls() int {
	if r.Calls > 0 {
		return r.Calls
	}
	return 200
}

// confidential reports whether the output of a tool is sensitive.
func (r *Rules) confidential(tool string) bool { return slices.Contains(r.Confidential, tool) }
