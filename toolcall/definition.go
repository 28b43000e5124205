package toolcall

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Definition is what whoever offers a tool says of it. All of it is somebody else's
// text: a model reads the description as it reads the user.
type Definition struct {
	Server        string // that offers it; "" where clients bring it along
	Name, Title   string
	Description   string
	Input, Output []byte // JSON Schemas of the arguments and of the result; nil: none
	Hints         []byte // what MCP calls annotations: a server's own word about its tool, which is not believed; nil: none
}

// Pin is how a definition was when somebody looked at it: SHA-256 over its canonical
// form, in hexadecimal digits. The zero Pin pins nothing.
type Pin struct {
	Model string // what a model reads of it: name, description, schema of the arguments
	Whole string // all of it, the server included
}

// Spec returns d as a request of a model offers it.
func (d *Definition) Spec() ringwall.ToolSpec {
	return ringwall.ToolSpec{Name: d.Name, Description: d.Description, Schema: d.Input}
}

// DefinitionOf returns what a request of a model says of a tool.
func DefinitionOf(t ringwall.ToolSpec) Definition {
	return Definition{Name: t.Name, Description: t.Description, Input: t.Schema}
}

// Pin returns the pin of d. Schemas that are not JSON count as the bytes that they are.
func (d *Definition) Pin() Pin {
	model := appendField(nil, "name", d.Name)
	model = appendField(model, "description", d.Description)
	model = appendField(model, "input", string(canonical(d.Input)))
	whole := appendField(slices.Clone(model), "title", d.Title)
	whole = appendField(whole, "output", string(canonical(d.Output)))
	whole = appendField(whole, "annotations", string(canonical(d.Hints)))
	whole = appendField(whole, "server", d.Server)
	return Pin{Model: digest(model), Whole: digest(whole)}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// appendField appends a name and a value so that no two lists of them look alike.
func appendField(dst []byte, name, value string) []byte {
	return fmt.Appendf(dst, "%s %d\n%s\n", name, len(value), value)
}

// canonical returns a JSON document in the one form that all documents have that say
// the same: members in the order of their names, no spaces, texts with the least
// escapes. Numbers stay as they are written. No document is the empty object: clients
// write the one for the other where a tool takes no arguments.
func canonical(src []byte) []byte {
	if len(bytes.TrimSpace(src)) == 0 {
		return []byte("{}")
	}
	var doc jsonedit.Doc
	if doc.Parse(src, jsonedit.Limits{Bytes: maxDefinition}) != nil {
		return src
	}
	return doc.Root().AppendCanonical(nil)
}
