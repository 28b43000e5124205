package rule

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Schema is a JSON Schema (2020-12, and older drafts that name themselves) that is
// ready to be met. It is safe for concurrent use.
type Schema struct{ made *jsonschema.Schema }

// maxSchema bounds the text of a schema.
const maxSchema = 1 << 20

// Compile reads a schema. References lead to places in it alone: nothing is fetched.
func Compile(src []byte) (*Schema, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(src, jsonedit.Limits{Bytes: maxSchema}); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(alone{})
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	const here = "https://schema.invalid/" // RFC 6761 §6.4: nobody is there
	if err := c.AddResource(here, parsed); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	made, err := c.Compile(here)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %s", strings.ReplaceAll(strings.ReplaceAll(err.Error(), here, ""), "\n", " "))
	}
	return &Schema{made}, nil
}

// alone loads nothing.
type alone struct{}

// Load implements jsonschema.URLLoader.
func (alone) Load(string) (any, error) {
	return nil, errors.New("a schema is whole in its file: nothing is fetched; put what it refers to under $defs")
}

// Validate reports whether v meets the schema, else where it does not, as a JSON
// pointer, and what should stand there. What is said holds nothing of v but the names
// of its members.
func (s *Schema) Validate(v jsonedit.Value) (where, what string, ok bool) {
	err := s.made.Validate(plain(v))
	var bad *jsonschema.ValidationError
	if err == nil {
		return "", "", true
	}
	if !errors.As(err, &bad) {
		return "", "the schema cannot be applied to it", false
	}
	for len(bad.Causes) > 0 { // the deepest says most
		deepest := bad.Causes[0]
		for _, c := range bad.Causes[1:] {
			if len(c.InstanceLocation) > len(deepest.InstanceLocation) {
				deepest = c
			}
		}
		bad = deepest
	}
	for _, key := range bad.InstanceLocation {
		where += "/" + dialect.Pointer(key)
	}
	return where, told(bad.ErrorKind), false
}

// plain returns v as encoding/json would. Numbers are such that nothing is dear to
// reckon with: integers that fit, and floats.
func plain(v jsonedit.Value) any {
	switch v.Kind() {
	case jsonedit.Object:
		out := map[string]any{}
		for key, m := range v.Members() {
			out[key] = plain(m)
		}
		return out
	case jsonedit.Array:
		out := []any{}
		for _, e := range v.Elems() {
			out = append(out, plain(e))
		}
		return out
	case jsonedit.String:
		return v.Text()
	case jsonedit.Number:
		if n, ok := v.Int(); ok {
			return n
		}
		f, err := strconv.ParseFloat(string(v.Raw()), 64)
		if err != nil || math.IsInf(f, 0) {
			return math.Copysign(math.MaxFloat64, f)
		}
		return f
	case jsonedit.Bool:
		return v.True()
	case jsonedit.Null, jsonedit.Missing:
	}
	return nil
}

// told says what a schema wants, without what it found.
func told(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "the schema wants " + strings.Join(k.Want, " or ") + " here, not " + k.Got
	case *kind.Enum:
		return "the schema wants one of " + literals(k.Want) + " here"
	case *kind.Const:
		return "the schema wants " + literals([]any{k.Want}) + " here"
	case *kind.Required:
		return "the schema requires " + quoted(k.Missing)
	case *kind.DependentRequired:
		return "beside " + strconv.Quote(k.Prop) + " the schema requires " + quoted(k.Missing)
	case *kind.AdditionalProperties:
		return "the schema has no " + quoted(k.Properties) + ": leave it away"
	case *kind.Maximum:
		return "the schema wants at most " + k.Want.RatString() + " here"
	case *kind.Minimum:
		return "the schema wants at least " + k.Want.RatString() + " here"
	case *kind.ExclusiveMaximum:
		return "the schema wants less than " + k.Want.RatString() + " here"
	case *kind.ExclusiveMinimum:
		return "the schema wants more than " + k.Want.RatString() + " here"
	case *kind.MultipleOf:
		return "the schema wants a multiple of " + k.Want.RatString() + " here"
	case *kind.MaxLength:
		return fmt.Sprintf("the schema wants at most %d characters here", k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("the schema wants at least %d characters here", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("the schema wants at most %d elements here", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("the schema wants at least %d elements here", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("the schema wants at most %d members here", k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("the schema wants at least %d members here", k.Want)
	case *kind.Pattern:
		return fmt.Sprintf("the schema wants a string here that matches %.80q", k.Want)
	case *kind.Format:
		return "the schema wants the format " + k.Want + " here"
	case *kind.UniqueItems:
		return "the schema wants no element twice here"
	case *kind.FalseSchema:
		return "the schema allows nothing here: leave it away"
	}
	if path := k.KeywordPath(); len(path) > 0 {
		return "the schema does not allow this: see its " + strconv.Quote(path[0])
	}
	return "the schema does not allow this"
}

// literals writes values of a schema.
func literals(values []any) string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if len(out) == 8 {
			out = append(out, "…")
			break
		}
		if s, ok := v.(string); ok {
			out = append(out, strconv.Quote(s))
		} else {
			out = append(out, fmt.Sprint(v))
		}
	}
	return strings.Join(out, ", ")
}

// quoted lists names of members, which may be the caller's.
func quoted(names []string) string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if len(out) == 8 {
			out = append(out, "…")
			break
		}
		out = append(out, fmt.Sprintf("%.40q", n))
	}
	return strings.Join(out, ", ")
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// at returns the value to which a JSON pointer (RFC 6901) leads.
func at(v jsonedit.Value, pointer string) jsonedit.Value {
	for _, key := range strings.Split(pointer, "/")[1:] {
		if v.Kind() == jsonedit.Array {
			var found jsonedit.Value
			for i, e := range v.Elems() {
				if strconv.Itoa(i) == key {
					found = e
					break
				}
			}
			v = found
			continue
		}
		v = v.Get(unescape.Replace(key))
	}
	return v
}
