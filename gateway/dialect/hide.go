package dialect

import (
	"encoding/json"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Hide returns which of tools keep does not keep, beside those that are hidden already.
func Hide(tools []ringwall.ToolSpec, hidden Places, keep func(name string) bool) Places {
	out := Places{}
	for i, t := range tools {
		if hidden[i] || !keep(t.Name) {
			out[i] = true
		}
	}
	return out
}

// Once leaves one of several tools of which nothing is known but one type, as several
// servers of tools are.
func Once(tools []ringwall.ToolSpec) (out []ringwall.ToolSpec) {
	have := make(map[string]bool, len(tools))
	for _, t := range tools {
		if have[t.Name] && t.Schema == nil && t.Description == "" {
			continue
		}
		have[t.Name], out = true, append(out, t)
	}
	return out
}

// NoTool stands where an API wants a tool, for calls of tools are in the conversation,
// and none is left. NoToolSays is its description.
const (
	NoTool     = "unavailable"
	NoToolSays = "There is no tool here. Never call this."
)

// Put returns the edit that puts a literal into the place of v.
func Put(v jsonedit.Value, literal []byte) jsonedit.Edit {
	start, end := v.Span()
	return jsonedit.Edit{Start: start, End: end, New: literal}
}

// Rulings returns rulings that can be put in force for n calls: one for each, and none
// that gives a call arguments that are no JSON object.
func Rulings(rulings []gateway.Ruling, n int) []gateway.Ruling {
	out := make([]gateway.Ruling, n)
	copy(out, rulings)
	for i, r := range out {
		if r.Runs && r.Arguments != "" && (r.Arguments[0] != '{' || !json.Valid([]byte(r.Arguments))) {
			out[i] = gateway.Ruling{Note: r.Note}
		}
	}
	return out
}

// Asking is a call in a list of blocks of an answer.
type Asking struct {
	ringwall.ToolCall
	List, Block jsonedit.Value
	In          jsonedit.Value // the object of which the arguments are a member
	Key         string         // their name there
}

// Ruled returns the edits that put rulings in force for calls in lists of blocks, and
// whether any call runs. Say is the block that says a note.
func Ruled(calls []Asking, rulings []gateway.Ruling, say func(note string) []byte) (edits []jsonedit.Edit, runs bool) {
	gone := map[jsonedit.Value]bool{}
	var lists []jsonedit.Value
	for i, r := range Rulings(rulings, len(calls)) {
		c := calls[i]
		switch {
		case r.Runs && (r.Arguments == "" || c.In.Kind() == jsonedit.Object):
			if runs = true; r.Arguments != "" {
				edits = append(edits, c.In.SetMember(c.Key, []byte(r.Arguments)))
			}
		case r.Note != "":
			edits = append(edits, Put(c.Block, say(r.Note)))
		default:
			if gone[c.Block] = true; len(lists) == 0 || lists[len(lists)-1] != c.List {
				lists = append(lists, c.List)
			}
		}
	}
	for _, list := range lists {
		if list.Kind() != jsonedit.Array { // one block in the place of a list
			edits = append(edits, Put(list, []byte("[]")))
			continue
		}
		edits = append(edits, list.RemoveElems(func(_ int, b jsonedit.Value) bool { return gone[b] })...)
	}
	return edits, runs
}
