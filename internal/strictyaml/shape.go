package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// form is how a value is written.
type form uint8

const (
	inStruct form = iota
	inMap
	inList
	inText
	inBool
	inInt
	inUint
	inFloat
	inDuration
	inSize
	inSecret
	inOwnText // by its encoding.TextUnmarshaler
)

// shape describes a Go type to the decoder, the example and the schema.
type shape struct {
	form     form
	typ      reflect.Type // without the pointer
	nullable bool         // the Go type is a pointer
	fields   []field      // of a struct, inline ones included
	elem     *shape       // of a map or a list
	enum     []string     // of a scalar
	instead  string       // what to write in the place of a value of another kind, as tagged
}

type field struct {
	name, doc  string
	def        string // as tagged; hasDef tells "" from none
	example    string
	hasDef     bool
	hasExample bool
	index      []int // as reflect.Value.FieldByIndex takes it
	shape      *shape
}

// scalar reports whether s is written as one word, not as a map or a list.
func (s *shape) scalar() bool { return s.form > inList }

// quotable reports whether the tags of s are texts as they stand, not YAML.
func (s *shape) quotable() bool { return s.form == inText || s.form >= inDuration }

func (s *shape) field(name string) *field {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	return nil
}

func (s *shape) names() []string {
	out := make([]string, len(s.fields))
	for i, f := range s.fields {
		out[i] = f.name
	}
	return out
}

// leaf is the scalar that a list or map, of any depth, is made of.
func (s *shape) leaf() *shape {
	for s.elem != nil {
		s = s.elem
	}
	return s
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	secretType   = reflect.TypeFor[Secret]()
	unmarshaler  = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// shapeOf describes t. It panics on a type that cannot be read from a file.
func shapeOf(t reflect.Type, within ...reflect.Type) *shape {
	if t.Kind() == reflect.Pointer {
		s := shapeOf(t.Elem(), within...)
		if s.nullable {
			bug(t, "is a pointer to a pointer")
		}
		s.nullable = true
		return s
	}
	s := &shape{typ: t}
	switch {
	case t == durationType:
		s.form = inDuration
		return s
	case t == sizeType:
		s.form = inSize
		return s
	case t == secretType:
		s.form = inSecret
		return s
	case reflect.PointerTo(t).Implements(unmarshaler):
		s.form = inOwnText
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		if slices.Contains(within, t) {
			bug(t, "contains itself")
		}
		s.form = inStruct
		s.addFields(t, nil, append(slices.Clip(within), t))
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			bug(t, "has keys that are not strings")
		}
		s.form, s.elem = inMap, shapeOf(t.Elem(), within...)
	case reflect.Slice:
		s.form, s.elem = inList, shapeOf(t.Elem(), within...)
	case reflect.String:
		s.form = inText
	case reflect.Bool:
		s.form = inBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.form = inInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.form = inUint
	case reflect.Float32, reflect.Float64:
		s.form = inFloat
	default:
		bug(t, "cannot be read from a file")
	}
	return s
}

func (s *shape) addFields(t reflect.Type, index []int, within []reflect.Type) {
	for sf := range t.Fields() {
		name, option, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		at := append(slices.Clip(index), sf.Index...)
		switch {
		case option == "inline" && name == "" && sf.Type.Kind() == reflect.Struct && sf.IsExported():
			if slices.Contains(within, sf.Type) {
				bug(sf.Type, "contains itself")
			}
			s.addFields(sf.Type, at, append(slices.Clip(within), sf.Type))
			if def, ok := sf.Tag.Lookup("default"); ok {
				s.retag(def)
			}
			continue
		case option == "inline":
			bug(t, "has a field %s that is inline and no exported struct", sf.Name)
		case name == "" || name == "-":
			continue
		case !sf.IsExported():
			bug(t, "has a field %s with a yaml tag that is not exported", sf.Name)
		case s.field(name) != nil:
			bug(t, "has two fields named %s", name)
		}
		f := field{name: name, doc: sf.Tag.Get("doc"), index: at, shape: shapeOf(sf.Type, within...)}
		f.shape.instead = sf.Tag.Get("instead")
		f.def, f.hasDef = sf.Tag.Lookup("default")
		f.example, f.hasExample = sf.Tag.Lookup("example")
		if f.hasDef && f.shape.form == inStruct {
			f.shape.retag(f.def)
			f.def, f.hasDef = "", false
		}
		if enum := sf.Tag.Get("enum"); enum != "" {
			leaf := f.shape.leaf()
			if !leaf.quotable() {
				bug(t, "has a field %s with an enum but no text", sf.Name)
			}
			leaf.enum = strings.Split(enum, "|")
		}
		s.fields = append(s.fields, f)
	}
}

// retag gives fields of the struct s other defaults than their own: those of the
// map in text, as a tag of a field that is such a struct has it. So one type can
// serve where defaults differ.
func (s *shape) retag(text string) {
	n, err := load([]byte(text))
	if err != nil || n.Kind != yaml.MappingNode {
		bug(s.typ, "has a default that is no map: %q", text)
	}
	for k, v := range pairs(n) {
		f := s.field(k.Value)
		switch {
		case f == nil:
			bug(s.typ, "has no field %s, for which there is a default", k.Value)
		case v.Kind == yaml.ScalarNode:
			f.def, f.hasDef = v.Value, true
		default:
			bug(s.typ, "has a default of %s that is more than one word", k.Value)
		}
	}
}

// bug ends the program over a type, or its tags, that no file can be read into.
func bug(t reflect.Type, format string, args ...any) {
	// bug: the types and tags are ours, and any test that decodes one ends here
	panic(fmt.Sprintf("strictyaml: type %v %s", t, fmt.Sprintf(format, args...)))
}

// structOf checks that v is a struct or points to one, and describes it.
func structOf(v any) *shape {
	t := reflect.TypeOf(v)
	if t == nil {
		bug(t, "has no fields")
	}
	s := shapeOf(t)
	if s.form != inStruct {
		bug(t, "is not a struct")
	}
	s.nullable = false
	return s
}
