package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// keyword reads what the schema v says by one of its members. What is not known here
// demands nothing.
func (b *builder) keyword(n *node, v jsonedit.Value, key string, m jsonedit.Value, closed bool) error {
	at := n.where + "/" + escape.Replace(key)
	switch key {
	case "$ref":
		return b.ref(n, m, closed)
	case "$dynamicRef", "$recursiveRef":
		return fmt.Errorf("%s: references that depend on where they come from are not followed: want $ref", at)
	case "type":
		return b.types(n, m, at)
	case "enum":
		return b.enum(n, m, at)
	case "const":
		if len(m.Raw()) > maxPattern {
			b.values += len(m.Raw())
		}
		n.out[key] = plain(m)
		return nil
	case "allOf", "anyOf", "oneOf":
		return b.several(n, key, m, at, closed, &n.here)
	case "if", "then", "else", "not":
		list := &n.here
		if key == "not" {
			list = &n.not
		}
		sub, err := b.at(m, at, closed && (key == "then" || key == "else"))
		n.out[key] = sub.said()
		*list = append(*list, sub)
		b.inplace++
		return err
	case "dependentSchemas", "dependencies":
		return b.dependent(n, m, at, closed)
	case "properties":
		n.declares, n.props = true, map[string]*node{}
		return b.members(n, key, m, at, closed, func(name string, sub *node) { n.props[name] = sub })
	case "patternProperties":
		return b.patternProperties(n, m, at, closed)
	case "additionalProperties", "unevaluatedProperties", "propertyNames", "contains", "unevaluatedItems", "additionalItems", "items":
		return b.rest(n, v, key, m, at, closed)
	case "prefixItems":
		return b.several(n, key, m, at, closed, &n.prefix)
	case "pattern", "format":
		return b.textual(n, key, m, at)
	}
	return b.plainKeyword(n, v, key, m, at)
}

// plainKeyword reads what has no schemas in it.
func (b *builder) plainKeyword(n *node, v jsonedit.Value, key string, m jsonedit.Value, at string) error {
	switch key {
	case "required":
		if m.Kind() == jsonedit.Bool && b.o.Lenient { // of the third draft
			return nil
		}
		for _, e := range m.Elems() {
			n.required = append(n.required, e.Text())
		}
		n.out[key] = plain(m)
	case "exclusiveMinimum", "exclusiveMaximum":
		if m.Kind() == jsonedit.Bool { // of the fourth draft
			limit := strings.ToLower(strings.TrimPrefix(key, "exclusive"))
			if l := v.Get(limit); m.True() && l.Kind() == jsonedit.Number {
				n.out[key] = plain(l)
			}
			return nil
		}
		n.out[key] = plain(m)
	case "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties":
		if b.o.Lenient && m.Kind() == jsonedit.String { // Gemini's int64 are strings
			if i, err := strconv.ParseInt(m.Text(), 10, 64); err == nil {
				n.out[key] = i
				return nil
			}
		}
		if m.Kind() == jsonedit.Null && b.o.Lenient {
			return nil
		}
		n.out[key] = plain(m)
	case "uniqueItems", "dependentRequired":
		n.weight += len(m.Raw())
		n.out[key] = plain(m)
	}
	return nil
}

// typeNames are types by what clients call them that write no JSON Schema.
var typeNames = map[string]string{
	"dict": "object", "map": "object", "list": "array", "tuple": "array", "float": "number", "double": "number", "int": "integer", "long": "integer", "bool": "boolean", "str": "string", "text": "string",
}

func (b *builder) types(n *node, m jsonedit.Value, at string) error {
	known := []string{"object", "array", "string", "number", "integer", "boolean", "null"}
	var out []any
	add := func(v jsonedit.Value) error {
		name := v.Text()
		if b.o.Lenient {
			name = strings.ToLower(name)
			if other, ok := typeNames[name]; ok {
				name = other
			}
		}
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s: want one of %s", at, strings.Join(known, ", "))
		}
		if !slices.Contains(out, any(name)) {
			out = append(out, name)
		}
		return nil
	}
	var err error
	if m.Kind() == jsonedit.Array {
		for _, e := range m.Elems() {
			err = errors.Join(err, add(e))
		}
	} else {
		err = add(m)
	}
	if err != nil && b.o.Lenient {
		return nil // "any", "file": it demands nothing
	}
	n.out["type"] = out
	return err
}

func (b *builder) enum(n *node, m jsonedit.Value, at string) error {
	if m.Kind() != jsonedit.Array {
		return fmt.Errorf("%s: want a list, not %s", at, m.Kind())
	}
	count := 0
	for range m.Elems() {
		count++
	}
	if count == 0 && b.o.Lenient {
		return nil
	}
	n.weight += count
	if b.values += count; b.values > maxValues {
		return fmt.Errorf("%s: all enumerations have more than %d values", at, maxValues)
	}
	n.out["enum"] = plain(m)
	return nil
}

// several reads a list of schemas.
func (b *builder) several(n *node, key string, m jsonedit.Value, at string, closed bool, to *[]*node) error {
	if m.Kind() != jsonedit.Array {
		return fmt.Errorf("%s: want a list of schemas, not %s", at, m.Kind())
	}
	var out []any
	for i, e := range m.Elems() {
		read := b.at
		if key == "prefixItems" {
			read = b.value
		}
		sub, err := read(e, at+"/"+strconv.Itoa(i), closed)
		if err != nil {
			return err
		}
		out = append(out, sub.said())
		*to = append(*to, sub)
	}
	if key != "prefixItems" {
		b.inplace += len(out)
	}
	if len(out) > 0 {
		n.out[key] = out
	}
	return nil
}

// members reads schemas by name.
func (b *builder) members(n *node, key string, m jsonedit.Value, at string, closed bool, each func(name string, sub *node)) error {
	if m.Kind() != jsonedit.Object {
		return fmt.Errorf("%s: want schemas by name, not %s", at, m.Kind())
	}
	out := map[string]any{}
	for name, e := range m.Members() {
		sub, err := b.value(e, at+"/"+escape.Replace(name), closed)
		if err != nil {
			return err
		}
		out[name] = sub.said()
		each(name, sub)
	}
	n.out[key] = out
	return nil
}

func (b *builder) patternProperties(n *node, m jsonedit.Value, at string, closed bool) error {
	n.declares = true
	err := b.members(n, "patternProperties", m, at, closed, func(_ string, sub *node) { n.patterns = append(n.patterns, sub); n.regexps++ })
	if err != nil {
		return err
	}
	out, _ := n.out["patternProperties"].(map[string]any)
	for p := range out {
		if _, err := b.regexp(p); err != nil {
			if !b.o.Lenient || !foreign(p) {
				return fmt.Errorf("%s/%s: %w", at, escape.Replace(p), err)
			}
			delete(out, p)
			n.says = true // nobody knows which members it declares
		}
	}
	return nil
}

// dependent reads what is demanded where members are there.
func (b *builder) dependent(n *node, m jsonedit.Value, at string, closed bool) error {
	if m.Kind() != jsonedit.Object {
		return fmt.Errorf("%s: want schemas by name, not %s", at, m.Kind())
	}
	schemas, required := map[string]any{}, map[string]any{}
	for name, e := range m.Members() {
		if e.Kind() == jsonedit.Array {
			required[name] = plain(e)
			continue
		}
		sub, err := b.at(e, at+"/"+escape.Replace(name), closed)
		if err != nil {
			return err
		}
		schemas[name] = sub.said()
		n.here = append(n.here, sub)
		b.inplace++
	}
	n.out["dependentSchemas"] = schemas
	if _, said := n.out["dependentRequired"]; !said && len(required) > 0 {
		n.out["dependentRequired"] = required
	}
	return nil
}

// rest reads schemas of what no other is about. Those of older drafts for arrays are
// called by the names of 2020-12.
func (b *builder) rest(n *node, v jsonedit.Value, key string, m jsonedit.Value, at string, closed bool) error {
	tuple := v.Get("items").Kind() == jsonedit.Array
	switch {
	case key == "items" && tuple:
		return b.several(n, "prefixItems", m, at, closed, &n.prefix)
	case key == "additionalItems" && !tuple:
		return nil // it says nothing then
	case key == "additionalItems":
		key = "items"
	}
	if m.Kind() == jsonedit.Null && b.o.Lenient {
		return nil
	}
	sub, err := b.value(m, at, closed && key != "contains" && key != "propertyNames")
	if err != nil {
		return err
	}
	n.out[key] = sub.said()
	switch key {
	case "items", "contains", "unevaluatedItems":
		n.items = append(n.items, sub)
	default:
		n.others = append(n.others, sub)
		n.says = n.says || key != "propertyNames"
	}
	return nil
}

func (b *builder) textual(n *node, key string, m jsonedit.Value, at string) error {
	if m.Kind() != jsonedit.String {
		if b.o.Lenient && m.Kind() == jsonedit.Null {
			return nil
		}
		return fmt.Errorf("%s: want a string, not %s", at, m.Kind())
	}
	if key == "pattern" {
		if _, err := b.regexp(m.Text()); err != nil {
			if b.o.Lenient && foreign(m.Text()) {
				return nil
			}
			return fmt.Errorf("%s: %w", at, err)
		}
		n.regexps++
	}
	n.out[key] = m.Text()
	return nil
}

// foreign reports whether a pattern is of ECMA-262 and not of RE2: it looks around, refers
// back, or escapes in a way of its own.
func foreign(pattern string) bool {
	_, err := syntax.Parse(pattern, syntax.Perl)
	var bad *syntax.Error
	if !errors.As(err, &bad) || len(pattern) > maxPattern {
		return false
	}
	return bad.Code == syntax.ErrInvalidPerlOp || bad.Code == syntax.ErrInvalidEscape || bad.Code == syntax.ErrInvalidCharRange || bad.Code == syntax.ErrInvalidNamedCapture
}

// regexp compiles a pattern within bounds.
func (b *builder) regexp(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("a pattern has at most %d bytes", maxPattern)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if b.programs += size(tree); b.programs > maxPrograms {
		return nil, errors.New("the patterns repeat too much")
	}
	return regexp.Compile(pattern)
}

// pattern implements jsonschema.RegexpEngine. What it is given was read before, and is
// counted twice.
func (b *builder) pattern(p string) (jsonschema.Regexp, error) { return regexp.Compile(p) }

// size estimates the instructions of a pattern.
func size(t *syntax.Regexp) int {
	n := 1 + len(t.Rune)/2
	for _, s := range t.Sub {
		n += size(s)
	}
	if t.Op == syntax.OpRepeat {
		n *= max(t.Max, t.Min, 1)
	}
	return min(n, 1<<30)
}

// dateTime is RFC 3339, whose zone may be missing, and with a space for the T: so models
// write it.
func dateTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	for _, form := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04"} {
		if _, err := time.Parse(form, strings.Replace(strings.ToUpper(s), " ", "T", 1)); err == nil {
			return nil
		}
	}
	return errors.New("no date and time")
}
