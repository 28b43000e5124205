package strictyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
)

// durationPattern matches what time.ParseDuration reads.
const durationPattern = `^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`

// Schema returns the JSON Schema (draft 2020-12) of the files that decode into
// the struct v, or into what v points to: for editors that complete and check
// while a person writes. Decode is the judge; a schema cannot say all that it
// refuses. Only the type of v counts.
func Schema(v any) []byte {
	top := schemaOf(structOf(v))
	top.Dialect = "https://json-schema.org/draft/2020-12/schema"
	out, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		bug(reflect.TypeOf(v), "has no schema: %v", err)
	}
	return append(out, '\n')
}

type schema struct {
	Dialect              string            `json:"$schema,omitempty"`
	Description          string            `json:"description,omitempty"`
	Type                 any               `json:"type"` // a name, or several
	Enum                 []any             `json:"enum,omitempty"`
	Pattern              string            `json:"pattern,omitempty"`
	Minimum              json.Number       `json:"minimum,omitempty"`
	Maximum              json.Number       `json:"maximum,omitempty"`
	Default              json.RawMessage   `json:"default,omitempty"`
	Examples             []json.RawMessage `json:"examples,omitempty"`
	Properties           properties        `json:"properties,omitempty"`
	PropertyNames        *nameSchema       `json:"propertyNames,omitempty"`
	AdditionalProperties any               `json:"additionalProperties,omitempty"` // false, or a *schema
	Items                *schema           `json:"items,omitempty"`
}

type nameSchema struct {
	MinLength int `json:"minLength"`
}

// properties are written in the order of the fields.
type properties []property

type property struct {
	name   string
	schema *schema
}

// MarshalJSON writes an object.
func (ps properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func schemaOf(s *shape) *schema {
	out := &schema{}
	types := []string{"string"}
	for _, e := range s.enum {
		out.Enum = append(out.Enum, e)
	}
	switch s.form {
	case inStruct:
		types = []string{"object"}
		out.AdditionalProperties = false
		for i := range s.fields {
			out.Properties = append(out.Properties, property{s.fields[i].name, s.fields[i].schema()})
		}
	case inMap:
		types = []string{"object"}
		out.PropertyNames = &nameSchema{MinLength: 1}
		out.AdditionalProperties = schemaOf(s.elem)
	case inList:
		types = []string{"array"}
		out.Items = schemaOf(s.elem)
	case inBool:
		types = []string{"boolean"}
	case inInt, inUint:
		types = []string{"integer"}
		low, high := bounds(s)
		out.Minimum, out.Maximum = json.Number(low), json.Number(high)
	case inFloat:
		types = []string{"number"}
	case inDuration:
		out.Pattern = durationPattern
	case inSize:
		types = []string{"string", "integer"}
		out.Pattern, out.Minimum = sizePattern, "0"
	case inSecret:
		out.Pattern = secretPattern
	}
	if s.nullable {
		types = append(types, "null")
		if len(out.Enum) > 0 {
			out.Enum = append(out.Enum, nil)
		}
	}
	if out.Type = types; len(types) == 1 {
		out.Type = types[0]
	}
	return out
}

func (f *field) schema() *schema {
	out := schemaOf(f.shape)
	out.Description = f.doc
	if f.hasDef {
		out.Default = f.json(f.def)
	}
	if f.hasExample && (f.shape.form != inMap || f.example != "" && f.example[0] == '{') {
		out.Examples = []json.RawMessage{f.json(f.example)}
	}
	return out
}

// json is the text of a tag of f as JSON.
func (f *field) json(text string) json.RawMessage {
	var v any
	n, err := tagged(f.shape, text)
	if err == nil {
		err = n.Decode(&v)
	}
	out, jsonErr := json.Marshal(v)
	if err != nil || jsonErr != nil {
		bug(f.shape.typ, "has a tag that is not YAML, %q of %s: %v", text, f.name, errors.Join(err, jsonErr))
	}
	return out
}
