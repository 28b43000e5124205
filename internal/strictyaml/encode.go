package strictyaml

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Encode returns v, a struct or a pointer to one, as a file that Decode reads
// back to the same value: its fields in their order, the keys of maps sorted.
// Fields that have their default are left out unless all is set. A [Secret] is
// written as its reference.
func Encode(v any, all bool) []byte {
	s := structOf(v)
	val := reflect.ValueOf(v)
	for val.Kind() == reflect.Pointer {
		val = val.Elem()
	}
	e := &encoder{all: all}
	e.fields(s, val, 0)
	if e.out.Len() == 0 {
		return []byte("{}\n")
	}
	return e.out.Bytes()
}

type encoder struct {
	out bytes.Buffer
	all bool
}

// fields writes the fields of a struct.
func (e *encoder) fields(s *shape, v reflect.Value, depth int) {
	usual := reflect.New(s.typ).Elem()
	defaults(s, usual)
	for _, f := range s.fields {
		val := v.FieldByIndex(f.index)
		if f.shape.unwritten(val) {
			continue
		}
		if !e.all && reflect.DeepEqual(val.Interface(), usual.FieldByIndex(f.index).Interface()) {
			continue
		}
		e.entry(strings.Repeat("  ", depth)+f.name+":", f.shape, val, depth)
	}
}

// unwritten reports whether v is a zero that no text stands for.
func (s *shape) unwritten(v reflect.Value) bool {
	return (s.form == inSecret || s.form == inOwnText) && !s.nullable && v.IsZero() && s.text(v) == `""`
}

// entry writes head, a key or the dash of a list, and v behind it.
func (e *encoder) entry(head string, s *shape, v reflect.Value, depth int) {
	if s.nullable {
		if v.Kind() == reflect.Pointer && v.IsNil() {
			e.out.WriteString(head + " null\n")
			return
		}
		inner := *s
		inner.nullable = false
		s, v = &inner, v.Elem()
	}
	switch s.form {
	case inStruct:
		e.nested(head, func(b *encoder) { b.fields(s, v, depth+1) })
	case inMap:
		e.nested(head, func(b *encoder) {
			keys := v.MapKeys()
			slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
			for _, k := range keys {
				b.entry(strings.Repeat("  ", depth+1)+quote(k.String())+":", s.elem, v.MapIndex(k), depth+1)
			}
		})
	case inList:
		e.list(head, s, v, depth)
	default:
		e.out.WriteString(head + " " + s.text(v) + "\n")
	}
}

// nested writes what write does in the lines behind head.
func (e *encoder) nested(head string, write func(*encoder)) {
	in := &encoder{all: e.all}
	write(in)
	if in.out.Len() == 0 {
		e.out.WriteString(head + " {}\n")
		return
	}
	e.out.WriteString(head + "\n")
	e.out.Write(in.out.Bytes())
}

func (e *encoder) list(head string, s *shape, v reflect.Value, depth int) {
	if s.elem.scalar() || v.Len() == 0 {
		words := make([]string, v.Len())
		for i := range words {
			words[i] = s.elem.text(v.Index(i))
		}
		if line := head + " [" + strings.Join(words, ", ") + "]\n"; len(line) < 120 || v.Len() == 0 {
			e.out.WriteString(line)
			return
		}
	}
	e.out.WriteString(head + "\n")
	dash := strings.Repeat("  ", depth+1) + "-"
	for i := range v.Len() {
		in := &encoder{all: e.all}
		in.entry(dash, s.elem, v.Index(i), depth+1)
		text := in.out.Bytes()
		if rest, ok := bytes.CutPrefix(text, []byte(dash+"\n")); ok { // its first line goes behind the dash
			text = append([]byte(dash+" "), bytes.TrimLeft(rest, " ")...)
		}
		e.out.Write(text)
	}
}

// text writes a scalar.
func (s *shape) text(v reflect.Value) string {
	switch s.form {
	case inText:
		return quote(v.String())
	case inBool:
		return strconv.FormatBool(v.Bool())
	case inInt:
		return strconv.FormatInt(v.Int(), 10)
	case inUint:
		return strconv.FormatUint(v.Uint(), 10)
	case inFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case inDuration:
		return quote(time.Duration(v.Int()).String())
	}
	if s.form == inSecret {
		return quote(v.Interface().(Secret).ref)
	}
	m, ok := v.Interface().(encoding.TextMarshaler)
	if !ok {
		return quote(fmt.Sprint(v.Interface()))
	}
	text, err := m.MarshalText()
	if err != nil {
		bug(s.typ, "has a value that cannot be written: %v", err)
	}
	return quote(string(text))
}
