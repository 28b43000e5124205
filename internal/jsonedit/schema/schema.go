// Package schema compiles JSON Schemas and holds JSON documents against them: as they
// are written, or as those of the arguments of tools, whose writer is not believed.
//
// References lead to places in the document alone, nothing is fetched, and numbers are
// read so that none is dear to reckon with. Of a document that does not meet a schema
// nothing is told but where, and what should stand there. Start reading at [Compile],
// then [Arguments].
package schema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Schema is a JSON Schema (2020-12, and older drafts that name themselves) that is
// ready to be met. It is safe for concurrent use.
type Schema struct {
	made *jsonschema.Schema
	root *node // of arguments; nil otherwise
	dear bool  // looking may cost more than reading
}

// maxSchema bounds the text of a schema.
const maxSchema = 1 << 20

// Compile reads a schema. References lead to places in it alone: nothing is fetched.
func Compile(src []byte) (*Schema, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(src, jsonedit.Limits{Bytes: maxSchema}); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	made, err := compile(parsed, nil)
	if err != nil {
		return nil, err
	}
	return &Schema{made: made}, nil
}

func compile(parsed any, also func(*jsonschema.Compiler)) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(alone{})
	if also != nil {
		also(c)
	}
	const here = "https://schema.invalid/" // RFC 6761 §6.4: nobody is there
	if err := c.AddResource(here, parsed); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	made, err := c.Compile(here)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %.400s", strings.ReplaceAll(strings.ReplaceAll(err.Error(), here, ""), "\n", " "))
	}
	return made, nil
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
	if s.root != nil && s.dear && !s.root.bounded(v) {
		return "", "looking at it would take too long: say it with less", false
	}
	err := s.made.Validate(plain(v))
	if err != nil && s.root != nil {
		if spare, some := s.root.withoutNulls(v); some {
			err = s.made.Validate(spare)
		}
	}
	if err == nil {
		return "", "", true
	}
	var bad *jsonschema.ValidationError
	if !errors.As(err, &bad) {
		return "", "the schema cannot be applied to it", false
	}
	bad = deepest(bad)
	for _, key := range bad.InstanceLocation {
		where += "/" + escape.Replace(key)
	}
	return where, told(bad.ErrorKind), false
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// deepest returns the cause that says most: the one deepest in the document, and there
// not one that only follows from another. The same document has the same cause.
func deepest(bad *jsonschema.ValidationError) *jsonschema.ValidationError {
	if len(bad.Causes) == 0 {
		return bad
	}
	best := deepest(bad.Causes[0])
	for _, c := range bad.Causes[1:] {
		if c = deepest(c); before(c, best) {
			best = c
		}
	}
	return best
}

func before(a, b *jsonschema.ValidationError) bool {
	if c := cmp.Compare(len(a.InstanceLocation), len(b.InstanceLocation)); c != 0 {
		return c > 0
	}
	_, follows := a.ErrorKind.(*kind.FalseSchema)
	if _, other := b.ErrorKind.(*kind.FalseSchema); follows != other {
		return other
	}
	return slices.Compare(a.InstanceLocation, b.InstanceLocation) < 0
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
		return "the schema requires " + Names(k.Missing)
	case *kind.DependentRequired:
		return "beside " + strconv.Quote(k.Prop) + " the schema requires " + Names(k.Missing)
	case *kind.AdditionalProperties:
		return "the schema has no " + Names(k.Properties) + ": leave it away"
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

// Names lists names of members, which may be the caller's.
func Names(names []string) string {
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
