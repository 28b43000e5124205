package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// fill reads n into dst, which has the shape s. What lint reports is passed
// over here, so that nothing is told twice.
func (d *decoder) fill(n *yaml.Node, s *shape, at *step, dst reflect.Value) {
	if n.Kind == yaml.AliasNode || n.Style&yaml.TaggedStyle != 0 {
		return
	}
	if s.nullable {
		if isNull(n) {
			dst.SetZero()
			return
		}
		inner := *s
		inner.nullable = false
		fresh := reflect.New(s.typ)
		if dst.Kind() == reflect.Pointer && !dst.IsNil() {
			fresh.Elem().Set(dst.Elem())
		}
		defaults(&inner, fresh.Elem())
		d.fill(n, &inner, at, fresh.Elem())
		dst.Set(fresh)
		return
	}
	switch s.form {
	case inStruct:
		d.fillStruct(n, s, at, dst)
	case inMap:
		d.fillMap(n, s, at, dst)
	case inList:
		d.fillList(n, s, at, dst)
	default:
		if n.Kind != yaml.ScalarNode || isNull(n) {
			d.wrong(n, s, at)
			return
		}
		if err := scalar(n, s, dst); err != nil {
			d.problem(n, at, "%w", err)
		}
	}
}

func (d *decoder) fillStruct(n *yaml.Node, s *shape, at *step, dst reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, s, at)
		return
	}
	done := make(map[string]bool, len(n.Content)/2)
	for k, v := range pairs(n) {
		if !plainKey(k) || done[k.Value] {
			continue
		}
		done[k.Value] = true
		in := &step{up: at, key: k.Value}
		f := s.field(k.Value)
		if f == nil {
			d.problem(k, in, "%s", unknown("field", k.Value, s.names()))
			continue
		}
		d.fill(placed(k, v), f.shape, in, dst.FieldByIndex(f.index))
	}
}

func (d *decoder) fillMap(n *yaml.Node, s *shape, at *step, dst reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, s, at)
		return
	}
	m := reflect.MakeMapWithSize(s.typ, len(n.Content)/2)
	for k, v := range pairs(n) {
		key := reflect.ValueOf(k.Value).Convert(s.typ.Key())
		if !plainKey(k) || m.MapIndex(key).IsValid() {
			continue
		}
		elem := reflect.New(s.typ.Elem()).Elem()
		defaults(s.elem, elem)
		d.fill(placed(k, v), s.elem, &step{up: at, key: k.Value}, elem)
		m.SetMapIndex(key, elem)
	}
	dst.Set(m)
}

func (d *decoder) fillList(n *yaml.Node, s *shape, at *step, dst reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, s, at)
		return
	}
	list := reflect.MakeSlice(s.typ, len(n.Content), len(n.Content))
	for i, v := range n.Content {
		defaults(s.elem, list.Index(i))
		d.fill(v, s.elem, &step{up: at, index: i}, list.Index(i))
	}
	dst.Set(list)
}

// mismatch is the error of a value of another kind. It never shows the value: it
// may be a secret in the wrong place.
func mismatch(n *yaml.Node, s *shape) error {
	return fmt.Errorf("want %s, found %s", s.describe(), describe(n))
}

// wrong reports a mismatch, with a way out of an empty one.
func (d *decoder) wrong(n *yaml.Node, s *shape, at *step) {
	hint := ""
	switch {
	case s.instead != "":
		hint = ": " + s.instead
	case isNull(n) && s.form == inMap:
		hint = ": write {} for none, or leave it out"
	case isNull(n) && s.form == inList:
		hint = ": write [] for none, or leave it out"
	}
	d.problem(n, at, "%w%s", mismatch(n, s), hint)
}

// scalar reads the scalar n, which is not null, into dst.
func scalar(n *yaml.Node, s *shape, dst reflect.Value) error {
	if s.quotable() {
		if !isText(n) && (s.form != inSize || n.Tag != "!!int") {
			if s.form == inText || s.form == inOwnText {
				return fmt.Errorf("%w: quote it", mismatch(n, s))
			}
			return mismatch(n, s)
		}
		if len(s.enum) > 0 && !slices.Contains(s.enum, n.Value) {
			return errors.New(strconv.Quote(clip(n.Value)) + " is an " + unknown("value", n.Value, s.enum))
		}
	}
	switch s.form {
	case inText:
		dst.SetString(n.Value)
	case inBool:
		if n.Tag != "!!bool" {
			return mismatch(n, s)
		}
		if n.Value != "true" && n.Value != "false" {
			return errors.New("want true or false in lower case")
		}
		dst.SetBool(n.Value == "true")
	case inInt, inUint, inFloat:
		return number(n, s, dst)
	case inDuration:
		v, err := time.ParseDuration(n.Value)
		if err != nil {
			return fmt.Errorf("want a duration such as 30s or 1h30m, found %q", clip(n.Value))
		}
		dst.SetInt(int64(v))
	default:
		return dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value))
	}
	return nil
}

// number reads a number in decimal, the one way in which all readers of YAML
// agree.
func number(n *yaml.Node, s *shape, dst reflect.Value) error {
	if n.Tag != "!!int" && (n.Tag != "!!float" || s.form != inFloat) {
		return mismatch(n, s)
	}
	if digits := strings.TrimLeft(n.Value, "+-"); n.Tag == "!!int" &&
		(strings.Trim(digits, "0123456789") != "" || len(digits) > 1 && digits[0] == '0') {
		return errors.New("want a decimal number without leading zeros or underscores")
	}
	var err error
	switch s.form {
	case inInt:
		var v int64
		v, err = strconv.ParseInt(n.Value, 10, s.typ.Bits())
		dst.SetInt(v)
	case inUint:
		var v uint64
		v, err = strconv.ParseUint(strings.TrimPrefix(n.Value, "+"), 10, s.typ.Bits())
		dst.SetUint(v)
	case inFloat:
		var v float64
		v, err = strconv.ParseFloat(n.Value, s.typ.Bits())
		if err != nil || v-v != 0 {
			return errors.New("want a finite number that fits")
		}
		dst.SetFloat(v)
	}
	if err != nil {
		low, high := bounds(s)
		return fmt.Errorf("%s is out of range: want %s to %s", clip(n.Value), low, high)
	}
	return nil
}

// bounds are the least and greatest integer of a shape, in decimal.
func bounds(s *shape) (low, high string) {
	bits := uint(s.typ.Bits())
	if s.form == inUint {
		return "0", strconv.FormatUint(1<<(bits-1)<<1-1, 10)
	}
	return strconv.FormatInt(-1<<(bits-1), 10), strconv.FormatInt(1<<(bits-1)-1, 10)
}

// defaults gives the zero fields of dst their defaults. It panics on a default
// that its field refuses.
func defaults(s *shape, dst reflect.Value) {
	if s.form != inStruct || s.nullable {
		return
	}
	for _, f := range s.fields {
		v := dst.FieldByIndex(f.index)
		if f.hasDef && v.IsZero() {
			set(f.shape, v, f.def, "default of "+f.name)
		}
		defaults(f.shape, v)
	}
}

// set reads text, of a tag, into dst.
func set(s *shape, dst reflect.Value, text, what string) {
	n, err := tagged(s, text)
	d := &decoder{}
	if err == nil {
		d.fill(n, s, nil, dst)
		err = d.err()
	}
	if err != nil {
		bug(s.typ, "refuses the %s, %q: %v", what, text, err)
	}
}

// tagged returns the node that the text of a tag stands for: texts are taken as
// they are, everything else is YAML. A list may name its only element.
func tagged(s *shape, text string) (*yaml.Node, error) {
	if s.quotable() {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, nil
	}
	if s.form == inList && s.elem.scalar() && !strings.HasPrefix(text, "[") {
		elem, err := tagged(s.elem, text)
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{elem}}, err
	}
	return load([]byte(text))
}

// placed is v, standing at its key where it has no text of its own.
func placed(k, v *yaml.Node) *yaml.Node {
	if !isNull(v) {
		return v
	}
	out := *v
	out.Line, out.Column = face(k, v).Line, face(k, v).Column
	return &out
}

func plainKey(k *yaml.Node) bool {
	return k.Kind == yaml.ScalarNode && isText(k) && k.Value != "" && k.Style&yaml.TaggedStyle == 0
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// isText reports whether n is text. A date is: YAML 1.2 knows no dates.
func isText(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!timestamp")
}

// describe says what a person would call n.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number"
	}
	return "text"
}

// describe says what a person would write for s.
func (s *shape) describe() string {
	switch s.form {
	case inStruct, inMap:
		return "a map"
	case inList:
		return "a list"
	case inBool:
		return "true or false"
	case inInt, inUint:
		return "a whole number"
	case inFloat:
		return "a number"
	case inDuration:
		return "a duration such as 30s"
	case inSize:
		return "a size such as 10MB"
	case inSecret:
		return "a reference to a secret, env:NAME, file:/path, aws-secret:NAME#key or vault:path#key"
	}
	return "text"
}
