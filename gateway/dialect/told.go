package dialect

import (
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Told tells the calls and results of a conversation apart while it is read. The zero
// Told is ready. It is owned by one goroutine.
type Told struct {
	Src []byte // that is read, for where an error is
	// Beyond says that the provider knows turns that the request does not hold: a
	// result may be for one of their calls.
	Beyond bool

	names map[string]string // of the tools, by the id of the last call that has it
	turn  map[string]bool   // ids of this turn
}

// Turn says that another turn begins: ids are told apart within one.
func (t *Told) Turn() { clear(t.turn) }

// Call notes the call at v. The error is a *ringwall.Refusal of one that has no name
// or no id, or whose id is another's in the same turn.
func (t *Told) Call(v jsonedit.Value, at string, c *ringwall.ToolCall) error {
	switch {
	case c.Name == "":
		return Invalid(t.Src, v, at, "a call without the name of its tool")
	case c.ID == "":
		return Invalid(t.Src, v, at, "a call without an id, so that no result can be told to be its own")
	case t.turn[c.ID]:
		return Invalid(t.Src, v, at, "two calls of one turn have the id %.64q; give each its own", c.ID)
	}
	if t.names == nil {
		t.names, t.turn = map[string]string{}, map[string]bool{}
	}
	t.names[c.ID], t.turn[c.ID] = c.Name, true
	return nil
}

// Result completes the result at v with the name of the tool. The error is a
// *ringwall.Refusal of one that names no call.
func (t *Told) Result(v jsonedit.Value, at string, r *ringwall.ToolResult) error {
	if r.ID == "" {
		return Invalid(t.Src, v, at, "a result without the id of the call that it is for")
	}
	name, known := t.names[r.ID]
	if !known && !t.Beyond {
		return Invalid(t.Src, v, at, "a result for the call %.64q, which stands nowhere before it; send the call, too", r.ID)
	}
	if known {
		r.Name = name
	}
	return nil
}

// Other is a part of which nothing is known but what it is called.
func Other(kind string) ringwall.Part {
	return ringwall.Part{Kind: ringwall.PartMedia, Media: &ringwall.Media{Kind: ringwall.Document, Name: strings.Clone(kind)}}
}

// Typed adds a tool that has no name but its type: a request that has several of one
// type offers one.
func Typed(tools []ringwall.ToolSpec, kind string) []ringwall.ToolSpec {
	for _, t := range tools {
		if t.Name == kind {
			return tools
		}
	}
	return append(tools, ringwall.ToolSpec{Name: strings.Clone(kind)})
}

// Freely returns the arguments of a tool that takes a text and no JSON: an object
// whose one member, input, is the text.
func Freely(input string) string {
	return string(append(jsonedit.AppendQuote([]byte(`{"input":`), input), '}'))
}

// FreeSchema is the schema of what Freely returns.
var FreeSchema = []byte(`{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`)

// Unfreely is the inverse of Freely; what Freely did not make is a text itself.
func Unfreely(arguments string) string {
	var doc jsonedit.Doc
	if doc.Parse([]byte(arguments), AnswerLimits) == nil {
		if in := doc.Root().Get("input"); in.Kind() == jsonedit.String {
			return in.Text()
		}
	}
	return arguments
}

// Noted returns what the model said with notes about its calls behind it, each a
// paragraph; those that say nothing are left away.
func Noted(said string, notes ...string) string {
	for _, n := range notes {
		if said != "" && n != "" {
			said += "\n\n"
		}
		said += n
	}
	return said
}

// Redo makes the edits that change finds in a document that was read before. What it
// returns is nil, which nobody takes for one, if it cannot be read again.
func Redo(src []byte, change func(root jsonedit.Value) []jsonedit.Edit) []byte {
	var doc jsonedit.Doc
	if doc.Parse(src, jsonedit.Limits{Bytes: max(len(src), 1), Depth: 1 << 12, AllowNUL: true}) != nil {
		return nil
	}
	return Splice(src, change(doc.Root()))
}

// Places are which elements of a list something is about.
type Places map[int]bool

// Take adds the places of the elements that keep does not keep, and returns how many
// it keeps.
func (p *Places) Take(list jsonedit.Value, keep func(v jsonedit.Value) bool) (kept int) {
	for i, v := range list.Elems() {
		if keep(v) {
			kept++
			continue
		}
		if *p == nil {
			*p = Places{}
		}
		(*p)[i] = true
	}
	return kept
}

// Elems returns the edits that take the elements at p out of a list, and whether any
// is left.
func (p Places) Elems(list jsonedit.Value) (edits []jsonedit.Edit, left bool) {
	return list.RemoveElems(func(i int, _ jsonedit.Value) bool {
		left = left || !p[i]
		return p[i]
	}), left
}
