package provenance

import (
	"errors"
	"slices"
	"strconv"
	"strings"

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

// leaf is a text or a number in an output.
type leaf struct {
	sheet
	trusted bool
	at      int // index into places
}

// place is a member or an element of an output.
type place struct {
	token string // of a JSON pointer (RFC 6901)
	up    int    // index of what it is in; -1: the output
}

// outline is what an output says in which field.
type outline struct {
	leaves []leaf
	places []place
}

// path returns the JSON pointer to a leaf.
func (o *outline) path(l *leaf) string {
	p := ""
	for i := l.at; i >= 0; i = o.places[i].up {
		p = "/" + o.places[i].token + p
	}
	return p
}

// outline returns the values in an output, read by what it is written in: JSON, Python
// literals or YAML. Who writes a text into one field cannot make up another by it. Where
// it can be read in two ways, or not at all, it has none.
func (x *Index) outline(t *text) *outline {
	if t.outline == nil {
		r := reader{at: -1}
		for _, p := range x.o.Trusted(t.tool) {
			r.patterns = append(r.patterns, strings.Split(strings.TrimPrefix(p, "/"), "/"))
		}
		if r.read(t.raw) != nil {
			r.outline = outline{}
		}
		t.outline = &r.outline
	}
	return t.outline
}

// reader reads an output.
type reader struct {
	outline
	patterns [][]string // tokens of JSON pointers
	path     []string   // of where it is
	at       int        // the same, as an index into places
	trusted  bool       // all that is here
}

var errNoFields = errors.New("not written in a way that has fields")

func (r *reader) read(s string) error {
	bare := strings.TrimSpace(s)
	if bare == "" {
		return errNoFields
	}
	if bare[0] != '{' && bare[0] != '[' {
		if r.simpleYAML(s) == nil {
			return nil
		}
		*r = reader{at: -1, patterns: r.patterns}
		return r.anyYAML(s)
	}
	var doc jsonedit.Doc
	if err := doc.Parse([]byte(bare), jsonedit.Limits{Bytes: maxJSON, Depth: maxDepth}); err == nil {
		return r.json(doc.Root())
	}
	return r.python(bare)
}

// enter goes to a member or an element; leave, given what it returns, goes back.
func (r *reader) enter(token string) (was bool, err error) {
	if len(r.path) >= maxDepth || len(r.places) >= 2*maxLeaves {
		return false, errNoFields
	}
	was = r.trusted
	r.path = append(r.path, token)
	r.places = append(r.places, place{token, r.at})
	r.at = len(r.places) - 1
	r.trusted = was || slices.ContainsFunc(r.patterns, func(p []string) bool { return matches(p, r.path) })
	return was, nil
}

func (r *reader) leave(was bool) {
	r.path = r.path[:len(r.path)-1]
	r.at = r.places[r.at].up
	r.trusted = was
}

// member reads a member or an element.
func (r *reader) member(token string, read func() error) error {
	was, err := r.enter(token)
	if err == nil {
		err = read()
		r.leave(was)
	}
	return err
}

func (r *reader) add(value string) error {
	if len(r.leaves) >= maxLeaves {
		return errNoFields
	}
	r.leaves = append(r.leaves, leaf{sheet: sheet{raw: value, strange: !r.trusted}, trusted: r.trusted, at: r.at})
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

// token makes a key a token of a JSON pointer (RFC 6901 §4).
func token(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return escape.Replace(key)
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func (r *reader) json(v jsonedit.Value) error {
	switch v.Kind() {
	case jsonedit.Object:
		for k, m := range v.Members() {
			if err := r.member(token(k), func() error { return r.json(m) }); err != nil {
				return err
			}
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			if err := r.member(strconv.Itoa(i), func() error { return r.json(e) }); err != nil {
				return err
			}
		}
	case jsonedit.String:
		return r.add(v.Text())
	case jsonedit.Number:
		return r.add(string(v.Raw()))
	}
	return nil
}
