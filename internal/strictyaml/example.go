package strictyaml

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
)

// Example returns a file with every field of the struct v, or that v points to:
// its help as a comment and, as its value, its example, else its default, else
// its zero. Maps and lists of structs show one entry. A field that has no value
// to show, such as a type of its own without an example, is commented out.
//
// Only the type of v counts. Whatever Example returns can be decoded again: it
// tries, and panics over tags that would spoil it.
func Example(v any) []byte {
	s := structOf(v)
	w := &exampleWriter{}
	w.fields(s, 0)
	if len(s.fields) == 0 {
		w.line(0, "{}")
	}
	if _, err := Decode("example", w.out.Bytes(), reflect.New(s.typ).Interface()); err != nil {
		bug(s.typ, "has tags that make no example: %v", err)
	}
	return w.out.Bytes()
}

type exampleWriter struct {
	out bytes.Buffer
}

func (w *exampleWriter) line(depth int, text string) {
	w.out.WriteString(strings.Repeat("  ", depth) + text + "\n")
}

func (w *exampleWriter) fields(s *shape, depth int) {
	for i, f := range s.fields {
		if i > 0 && depth == 0 {
			w.out.WriteByte('\n')
		}
		w.comment(f.help(), depth)
		w.entry(f.name, f.shape, &f, depth)
	}
}

// help is the doc of a field with what else its writer must know.
func (f *field) help() string {
	var more []string
	if enum := f.shape.leaf().enum; len(enum) > 0 {
		more = append(more, "one of "+strings.Join(enum, ", "))
	}
	if f.hasDef {
		more = append(more, "default "+cmp.Or(f.def, `""`))
	}
	if len(more) == 0 {
		return f.doc
	}
	return strings.TrimSpace(f.doc + " (" + strings.Join(more, "; ") + ")")
}

// comment writes text in lines that fit a terminal.
func (w *exampleWriter) comment(text string, depth int) {
	const width = 78
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if line != "#" && 2*depth+len(line)+1+len(word) > width {
			w.line(depth, line)
			line = "#"
		}
		line += " " + word
	}
	if line != "#" {
		w.line(depth, line)
	}
}

// entry writes one key and what it holds. f is the field that it is, or that it
// is an element of.
func (w *exampleWriter) entry(key string, s *shape, f *field, depth int) {
	text, has := f.example, f.hasExample
	if !has {
		text, has = f.def, f.hasDef
	}
	switch {
	case s.form == inStruct && len(s.fields) == 0:
		w.line(depth, key+": {}")
	case s.form == inStruct:
		w.line(depth, key+":")
		w.fields(s, depth+1)
	case s.form == inMap && has && strings.HasPrefix(text, "{"):
		w.line(depth, key+": "+text)
	case s.form == inMap:
		name := "name"
		if f.hasExample {
			name = f.example
		}
		elem := &field{name: name, shape: s.elem}
		w.line(depth, key+":")
		w.entry(quote(name), s.elem, elem, depth+1)
	case s.form == inList && has && strings.HasPrefix(text, "["):
		w.line(depth, key+": "+text)
	case s.form == inList && has && s.elem.scalar():
		w.line(depth, key+": ["+s.elem.write(text)+"]")
	case s.form == inList && s.elem.form == inStruct && len(s.elem.fields) > 0:
		w.line(depth, key+":")
		w.line(depth+1, "-")
		w.fields(s.elem, depth+2)
	case s.form == inList:
		w.line(depth, key+": []")
	case has:
		w.line(depth, key+": "+s.write(text))
	default:
		if text, ok := s.zero(f.name); ok {
			w.line(depth, key+": "+text)
		} else {
			w.line(depth, "# "+key+":")
		}
	}
}

// write is the text of a tag as YAML.
func (s *shape) write(text string) string {
	if s.quotable() {
		return quote(text)
	}
	return text
}

// zero is a value of a scalar that nobody gave an example of, as YAML.
func (s *shape) zero(name string) (string, bool) {
	switch {
	case len(s.enum) > 0:
		return quote(s.enum[0]), true
	case s.nullable:
		return "null", true
	}
	switch s.form {
	case inText:
		return `""`, true
	case inBool:
		return "false", true
	case inInt, inUint, inFloat:
		return "0", true
	case inDuration:
		return "0s", true
	case inSize:
		return "0B", true
	case inSecret:
		return "env:" + envNameOf(name), true
	}
	v := reflect.New(s.typ)
	m, ok := v.Interface().(encoding.TextMarshaler)
	if !ok {
		return "", false
	}
	text, err := m.MarshalText()
	if err != nil || v.Interface().(encoding.TextUnmarshaler).UnmarshalText(text) != nil {
		return "", false
	}
	return quote(string(text)), true
}

var notEnv = regexp.MustCompile(`[^A-Z0-9]+`)

func envNameOf(name string) string {
	name = strings.Trim(notEnv.ReplaceAllString(strings.ToUpper(name), "_"), "_")
	if !envName.MatchString(name) {
		return "NAME"
	}
	return name
}

// plain matches texts that YAML reads as text without quotes, but for words that
// mean something else.
var plain = regexp.MustCompile(`^[A-Za-z/]([A-Za-z0-9_./:@*+=-]*[A-Za-z0-9_./*+=-])?$`)

var reserved = map[string]bool{
	"true": true, "false": true, "yes": true, "no": true, "on": true, "off": true,
	"y": true, "n": true, "null": true, "nan": true, "inf": true,
}

// quote writes text as a YAML scalar: as it is where that is safe, also inside
// brackets, else as a JSON string, which YAML reads.
func quote(text string) string {
	if measure.MatchString(text) || plain.MatchString(text) && !reserved[strings.ToLower(text)] {
		return text
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic(err) // bug: a string always marshals
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// measure matches durations and sizes, which begin with a digit and are text all
// the same.
var measure = regexp.MustCompile(`^[0-9]+(ns|us|ms|s|m|h|[KMGT]i?B|B)$`)
