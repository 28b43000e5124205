package strictyaml

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// Positions knows where the fields of a decoded file stand. Paths read as they
// do in problems: "providers.openai.base_url", "rules[2].name"; keys that would
// be hard to read are quoted, see [Key]. A nil *Positions stands for a value
// that came from no file. It is safe for concurrent use.
type Positions struct {
	file string
	root *yaml.Node // nil when the file could not be parsed
}

// At returns the line and column, from 1 and in characters, of the value at
// path, or of its key when the value is a map or a list. What the file does not
// name stands at the nearest thing around it that the file does name. Both are
// 0 when there is no file.
func (p *Positions) At(path string) (line, column int) {
	if p == nil || p.root == nil {
		return 0, 0
	}
	n, _, _ := find(p.root, p.root, path)
	return n.Line, n.Column
}

// Keys returns the keys of the map at path in the order of the file, and nil
// when there is no map.
func (p *Positions) Keys(path string) []string {
	if p == nil || p.root == nil {
		return nil
	}
	_, n, left := find(p.root, p.root, path)
	if left != "" || n.Kind != yaml.MappingNode {
		return nil
	}
	var keys []string
	for k := range pairs(n) {
		keys = append(keys, k.Value)
	}
	return keys
}

// Errorf returns a *[Problem] about the value at path; format and args are
// those of [fmt.Errorf], %w included.
func (p *Positions) Errorf(path, format string, args ...any) error {
	line, column := p.At(path)
	out := &Problem{Line: line, Column: column, Path: path, Err: fmt.Errorf(format, args...)}
	if p != nil {
		out.File = p.file
	}
	return out
}

// Key returns the path of an entry of the map at path, or of a field of a
// struct. A key that holds spaces, quotes, brackets or what cannot be printed
// is quoted as in Go, and one longer than 64 characters is cut, so that a path
// is always one short readable word.
func Key(path, key string) string {
	if path == "" {
		return bare(key)
	}
	return path + "." + bare(key)
}

// Index returns the path of element i, from 0, of the list at path.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func bare(key string) string {
	key = clip(key)
	odd := func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune("[]\"'`", r)
	}
	if key == "" || strings.ContainsFunc(key, odd) {
		return strconv.Quote(key)
	}
	return key
}

// clip keeps what is quoted from a file short.
func clip(s string) string {
	const most = 64
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// find follows path down from value, which stands where shown does. It returns
// the deepest node that path reaches, and what is left of path there. Keys may
// hold dots, so every key that could begin the path is tried; the first in the
// file wins.
func find(shown, value *yaml.Node, path string) (at, reached *yaml.Node, left string) {
	at, reached, left = shown, value, path
	try := func(shown, value *yaml.Node, rest string) {
		rest = strings.TrimPrefix(rest, ".")
		if a, r, l := find(shown, value, rest); len(l) < len(left) {
			at, reached, left = a, r, l
		}
	}
	switch value.Kind {
	case yaml.MappingNode:
		for k, v := range pairs(value) {
			rest, ok := strings.CutPrefix(path, bare(k.Value))
			if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				try(face(k, v), v, rest)
			}
		}
	case yaml.SequenceNode:
		for i, v := range value.Content {
			if rest, ok := strings.CutPrefix(path, Index("", i)); ok {
				try(v, v, rest)
			}
		}
	}
	return at, reached, left
}

// pairs yields the keys and values of a map.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// face is the node that stands for an entry of a map: a scalar for itself, a
// map or a list by its key, because it may begin lines further down.
func face(k, v *yaml.Node) *yaml.Node {
	if v.Kind == yaml.ScalarNode && v.Value != "" {
		return v
	}
	return k
}
