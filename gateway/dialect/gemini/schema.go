package gemini

import (
	"strings"

	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// jsonSchema turns a schema of the Gemini API, which is OpenAPI's with types in
// capitals, into JSON Schema; nil when there is none. The other way nothing needs
// to be turned: the API takes JSON Schema beside its own.
func jsonSchema(v jsonedit.Value) []byte {
	raw := dialect.Raw(v)
	if raw == nil || v.Kind() != jsonedit.Object {
		return raw
	}
	start, _ := v.Span()
	edits := schemaEdits(v)
	for i := range edits {
		edits[i].Start -= start
		edits[i].End -= start
	}
	return dialect.Splice(raw, edits)
}

func schemaEdits(v jsonedit.Value) (edits []jsonedit.Edit) {
	if v.Kind() != jsonedit.Object {
		return nil
	}
	null := member(v, "nullable").True()
	for key, m := range v.Members() {
		switch dialect.FoldProto(key) {
		case "type":
			if m.Kind() != jsonedit.String {
				continue
			}
			word := strings.ToLower(m.Text())
			if null {
				start, end := m.Span()
				edits = append(edits, jsonedit.Edit{Start: start, End: end, New: append(jsonedit.AppendQuote([]byte{'['}, word), `,"null"]`...)})
			} else {
				edits = append(edits, m.Set(word))
			}
		case "minitems", "maxitems", "minlength", "maxlength", "minproperties", "maxproperties":
			// Numbers of 64 bits are strings in JSON of protocol buffers.
			if start, end := m.Span(); m.Kind() == jsonedit.String && strings.Trim(m.Text(), "0123456789") == "" && m.Text() != "" {
				edits = append(edits, jsonedit.Edit{Start: start, End: end, New: []byte(m.Text())})
			}
		case "properties", "$defs", "defs":
			for _, m := range m.Members() {
				edits = append(edits, schemaEdits(m)...)
			}
		case "items", "additionalproperties":
			edits = append(edits, schemaEdits(m)...)
		case "anyof", "oneof", "prefixitems":
			for _, m := range m.Elems() {
				edits = append(edits, schemaEdits(m)...)
			}
		}
	}
	return append(edits, v.Remove(func(key string) bool {
		return key == "nullable" || dialect.FoldProto(key) == "propertyordering"
	})...)
}
