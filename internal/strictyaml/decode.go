package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Limits on a file.
const (
	MaxSize     = 1 << 20 // bytes
	MaxDepth    = 32      // maps and lists inside each other
	MaxProblems = 100     // reported; of more, the number is told
)

// Decode reads src, the content of file, into the struct that v points to.
// Fields that the file does not name keep their value or, when that is zero,
// get their default; maps and lists that it names are replaced as a whole.
//
// The error is [Problems], all there are, and *v is then as it was; nothing of
// file is opened, its name is only for messages. The positions are never nil.
// Decode panics when v is not a pointer to a struct that can be read.
func Decode(file string, src []byte, v any) (*Positions, error) {
	dst := reflect.ValueOf(v)
	s := structOf(v)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		bug(dst.Type(), "is not a pointer to decode into")
	}
	dst = dst.Elem()
	d := &decoder{file: file}
	pos := &Positions{file: file, root: d.parse(src)}
	fresh := reflect.New(s.typ).Elem()
	fresh.Set(dst)
	defaults(s, fresh)
	if pos.root != nil {
		d.lint(pos.root, nil, 0)
		d.fill(pos.root, s, nil, fresh)
	}
	if err := d.err(); err != nil {
		return pos, err
	}
	dst.Set(fresh)
	return pos, nil
}

// Defaults gives the fields of the struct that v points to their defaults where
// they are zero, as [Decode] does for a file that names none.
func Defaults(v any) {
	s, dst := structOf(v), reflect.ValueOf(v)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		bug(dst.Type(), "is not a pointer to decode into")
	}
	defaults(s, dst.Elem())
}

// decoder collects the problems of one file.
type decoder struct {
	file     string
	problems Problems
	more     int // problems not kept
}

// step is the way to a value, from the inside out: problems are rare, so paths
// are put together only for them.
type step struct {
	up    *step
	key   string
	index int // of a list, when key is ""
}

func (s *step) path() string {
	switch {
	case s == nil:
		return ""
	case s.key != "":
		return Key(s.up.path(), s.key)
	}
	return Index(s.up.path(), s.index)
}

func (d *decoder) problem(n *yaml.Node, at *step, format string, args ...any) {
	const kept = 10 * MaxProblems // of which the first in the file are told
	if len(d.problems) >= kept {
		d.more++
		return
	}
	d.problems = append(d.problems, &Problem{
		File: d.file, Line: n.Line, Column: n.Column, Path: at.path(), Err: fmt.Errorf(format, args...),
	})
}

// err returns the problems in the order of the file, or nil.
func (d *decoder) err() error {
	if len(d.problems) == 0 {
		return nil
	}
	d.problems.sort()
	if n := len(d.problems) - MaxProblems; n > 0 {
		d.more += n
		d.problems = d.problems[:MaxProblems]
	}
	if d.more > 0 {
		d.problems = append(d.problems, &Problem{File: d.file, Err: fmt.Errorf("and %d more problems", d.more)})
	}
	return d.problems
}

// parse returns the one document of src, or nil after a problem.
func (d *decoder) parse(src []byte) (root *yaml.Node) {
	whole := &yaml.Node{}
	switch {
	case len(src) > MaxSize:
		d.problem(whole, nil, "has %d bytes, at most %d are read", len(src), MaxSize)
		return nil
	case !utf8.Valid(src):
		d.problem(whole, nil, "is not UTF-8")
		return nil
	}
	d.tabs(src)
	root, err := load(src)
	if err == nil {
		return root
	}
	problem := &Problem{File: d.file, Err: err}
	var bad *yaml.LoadError
	if errors.As(err, &bad) {
		problem.Line, problem.Column = bad.Mark.Line, bad.Mark.Column
		problem.Err = errors.New(bad.Message)
		if bad.ContextMsg != "" {
			problem.Err = fmt.Errorf("%s: %s", bad.ContextMsg, bad.Message)
		}
	}
	if len(d.problems) == 0 { // else it is the tabs that the parser stumbled over
		d.problems = append(d.problems, problem)
	}
	return nil
}

// tabs reports lines that a tab indents: how wide it is, nobody can see.
func (d *decoder) tabs(src []byte) {
	number := 0
	for line := range bytes.Lines(src) {
		number++
		blank := len(line) - len(bytes.TrimLeft(line, " \t"))
		if tab := bytes.IndexByte(line[:blank], '\t'); tab >= 0 && len(bytes.TrimSpace(line)) > 0 {
			d.problem(&yaml.Node{Line: number, Column: tab + 1}, nil, "a tab indents this line: use spaces")
		}
	}
}

// limits are those of this package, in place of the parser's own.
type limits struct{}

func (limits) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > MaxDepth {
		return fmt.Errorf("nested more than %d deep", MaxDepth)
	}
	return nil
}

// CheckAlias is never asked about an alias that counts: nodes keep their aliases
// unexpanded, and lint refuses them by name and place.
func (limits) CheckAlias(int, int) error { return nil }

// load parses src. A panic of the parser is an error: a file that breaks it must
// not end a program that is serving.
func load(src []byte) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("cannot be parsed: %v", r)
		}
	}()
	l, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithPlugin(limits{}))
	if err != nil {
		return nil, err
	}
	var doc, next yaml.Node
	switch err := l.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("is empty: write {} when that is meant")
	case err != nil:
		return nil, err
	}
	switch err := l.Load(&next); {
	case err == nil:
		return nil, &yaml.LoadError{
			Mark:    yaml.Mark{Line: next.Line, Column: next.Column},
			Message: "a second document begins: one file holds one",
		}
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("is no document")
	}
	return doc.Content[0], nil
}

// lint reports what no file may hold, whatever it is decoded into.
func (d *decoder) lint(n *yaml.Node, at *step, depth int) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.problem(n, at, "is an alias: write the value out")
		return
	case n.Anchor != "":
		d.problem(n, at, "has an anchor: anchors and aliases are refused")
	case n.Style&yaml.TaggedStyle != 0:
		d.problem(n, at, "has a tag: types come from the program")
	case depth > MaxDepth:
		d.problem(n, at, "nested more than %d deep", MaxDepth)
		return
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, v := range n.Content {
			d.lint(v, &step{up: at, index: i}, depth+1)
		}
	case yaml.MappingNode:
		seen := make(map[string]int, len(n.Content)/2)
		for k, v := range pairs(n) {
			if !d.key(k, at) {
				continue
			}
			in := &step{up: at, key: k.Value}
			if line, ok := seen[k.Value]; ok {
				d.problem(k, in, "written twice, first in line %d", line)
				continue
			}
			seen[k.Value] = k.Line
			d.lint(v, in, depth+1)
		}
	}
}

// key reports what no key may be; at is the way to its map.
func (d *decoder) key(k *yaml.Node, at *step) bool {
	switch {
	case k.Kind == yaml.AliasNode:
		d.problem(k, at, "has an alias for a key: write it out")
	case k.Kind != yaml.ScalarNode:
		d.problem(k, at, "has %s for a key: want text", describe(k))
	case k.Tag == "!!merge":
		d.problem(k, at, "has a merge key: write the fields out")
	case k.Anchor != "":
		d.problem(k, at, "has an anchor: anchors and aliases are refused")
	case k.Style&yaml.TaggedStyle != 0:
		d.problem(k, at, "has a tag: types come from the program")
	case !isText(k):
		d.problem(k, at, "has %s for a key: quote it, %s", describe(k), strconv.Quote(clip(k.Value)))
	case k.Value == "":
		d.problem(k, at, "has an empty key")
	default:
		return true
	}
	return false
}
