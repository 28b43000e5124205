package provenance

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Bounds on outputs that are read for their fields. What is beyond has none, and is
// trusted nowhere.
const (
	maxJSON   = 1 << 20 // bytes
	maxYAML   = 1 << 18
	maxDepth  = 64
	maxLeaves = 1 << 16
)

// leaf is a value in an output.
type leaf struct {
	text
	path    string // of a trusted one
	trusted bool
}

// outline returns the values in an output, read by what it is written in: JSON, Python
// literals or YAML. Who writes a text into one field cannot make up another by it. Where
// it can be read in two ways, or not at all, it has none.
func (x *Index) outline(t *text) []leaf {
	if t.outlined {
		return t.outline
	}
	t.outlined = true
	o := outliner{}
	for _, p := range x.o.Trusted(t.tool) {
		o.patterns = append(o.patterns, strings.Split(strings.TrimPrefix(p, "/"), "/"))
	}
	if err := o.read(strings.TrimSpace(t.raw)); err != nil {
		return nil
	}
	t.outline = o.leaves
	return t.outline
}

// outliner collects the values of an output.
type outliner struct {
	patterns [][]string // tokens of JSON pointers, escaped
	path     []string   // of where it is, the same
	trusted  bool       // all that is here
	leaves   []leaf
}

var errNoFields = errors.New("not written in a way that has fields")

func (o *outliner) read(s string) error {
	if s == "" {
		return errNoFields
	}
	if s[0] != '{' && s[0] != '[' {
		return o.readYAML(s)
	}
	var doc jsonedit.Doc
	if err := doc.Parse([]byte(s), jsonedit.Limits{Bytes: maxJSON, Depth: maxDepth}); err == nil {
		return o.json(doc.Root())
	}
	return o.readPython(s)
}

// enter goes to a member or an element, and returns the way back.
func (o *outliner) enter(token string) (leave func(), err error) {
	if len(o.path) >= maxDepth {
		return nil, errNoFields
	}
	before := o.trusted
	o.path = append(o.path, token)
	o.trusted = before || slices.ContainsFunc(o.patterns, func(p []string) bool { return matches(p, o.path) })
	return func() {
		o.path = o.path[:len(o.path)-1]
		o.trusted = before
	}, nil
}

func (o *outliner) add(value string) error {
	if len(o.leaves) >= maxLeaves {
		return errNoFields
	}
	l := leaf{trusted: o.trusted, text: text{raw: value, source: ringwall.SourceUntrusted}}
	if o.trusted {
		l.source, l.path = ringwall.SourceMinted, "/"+strings.Join(o.path, "/")
	}
	o.leaves = append(o.leaves, l)
	return nil
}

// matches says whether a pattern is of a path: * is any token, ** any number of them.
func matches(pattern, path []string) bool {
	for i, p := range pattern {
		if p == "**" {
			for n := 0; n <= len(path)-i; n++ {
				if matches(pattern[i+1:], path[i+n:]) {
					return true
				}
			}
			return false
		}
		if i >= len(path) || p != "*" && p != path[i] {
			return false
		}
	}
	return len(pattern) == len(path)
}

func (o *outliner) json(v jsonedit.Value) error {
	switch v.Kind() {
	case jsonedit.Object:
		for k, m := range v.Members() {
			leave, err := o.enter(escape.Replace(k))
			if err != nil {
				return err
			}
			if err := o.json(m); err != nil {
				return err
			}
			leave()
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			leave, err := o.enter(strconv.Itoa(i))
			if err != nil {
				return err
			}
			if err := o.json(e); err != nil {
				return err
			}
			leave()
		}
	case jsonedit.String:
		return o.add(v.Text())
	case jsonedit.Number:
		return o.add(string(v.Raw()))
	}
	return nil
}

// readYAML reads one document without aliases, tags and keys that come twice.
func (o *outliner) readYAML(s string) (err error) {
	if len(s) > maxYAML {
		return errNoFields
	}
	defer func() {
		if recover() != nil {
			err = errNoFields
		}
	}()
	d := yaml.NewDecoder(strings.NewReader(s))
	var n, more yaml.Node
	if err := d.Decode(&n); err != nil || n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return errNoFields
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) || n.Content[0].Kind == yaml.ScalarNode {
		return errNoFields
	}
	return o.yaml(n.Content[0])
}

func (o *outliner) yaml(n *yaml.Node) error {
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return errNoFields
	}
	switch n.Kind {
	case yaml.MappingNode:
		seen := make(map[string]bool, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode || seen[k.Value] || k.Value == "<<" || k.Anchor != "" || k.Style&yaml.TaggedStyle != 0 {
				return errNoFields
			}
			seen[k.Value] = true
			leave, err := o.enter(escape.Replace(k.Value))
			if err != nil {
				return err
			}
			if err := o.yaml(n.Content[i+1]); err != nil {
				return err
			}
			leave()
		}
		return nil
	case yaml.SequenceNode:
		for i, e := range n.Content {
			leave, err := o.enter(strconv.Itoa(i))
			if err != nil {
				return err
			}
			if err := o.yaml(e); err != nil {
				return err
			}
			leave()
		}
		return nil
	case yaml.ScalarNode:
		return o.add(n.Value)
	}
	return errNoFields
}
