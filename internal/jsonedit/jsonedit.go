// Package jsonedit reads a JSON document strictly, to look at it, and replaces
// parts of it in place, leaving every other byte as it was.
//
// A gateway that decodes and encodes again loses the fields that it does not
// know, and one whose reader differs from the next one's can be smuggled past.
// So [Doc.Parse] accepts one document only if every reader must understand it
// alike: RFC 8259 to the letter, UTF-8 only, no duplicate keys, no lone
// surrogates, no NUL, bounded depth. [Splice] then writes the edits.
//
// The parse is one pass into a flat table of nodes that a Doc keeps and uses
// again: cost grows linearly with the document (duplicate keys are found by
// comparing within small objects and by a set in large ones), and a parse into
// a used Doc allocates nothing.
package jsonedit

import (
	"bytes"
	"iter"
)

// Kind is the kind of a value. The zero Kind is of a value that is not there.
type Kind uint8

// Kinds of values.
const (
	Missing Kind = iota
	Object
	Array
	String
	Number
	Bool
	Null
)

func (k Kind) String() string {
	return [...]string{"missing", "object", "array", "string", "number", "boolean", "null"}[k]
}

// node is a value in the table; siblings are linked, the first child stands
// right behind its parent.
type node struct {
	start, end       int32 // the literal, quotes and brackets included
	keyStart, keyEnd int32 // the key's literal without its quotes; 0, 0 outside objects
	next             int32 // the next sibling; 0: none
	kind             Kind
	full             bool // has children
	escaped          bool // the string holds escapes
	keyEscaped       bool
}

// Doc is a parsed document. The zero Doc is ready to parse into. A Doc must not
// be copied nor used by two goroutines while one of them parses.
type Doc struct {
	src   []byte
	nodes []node
	lim   Limits
	at    int
	seen  map[keyIn]struct{}
}

// keyIn is a key of one of the objects of a document.
type keyIn struct {
	object int
	key    string
}

// Root returns the document's value.
func (d *Doc) Root() Value {
	if len(d.nodes) == 0 {
		return Value{}
	}
	return Value{d, 0}
}

// Value is a value of a Doc, valid until the Doc parses again. The zero Value is
// of Kind Missing and has no members, so that lookups can be chained.
type Value struct {
	d *Doc
	i int32
}

func (v Value) node() *node { return &v.d.nodes[v.i] }

// Kind returns the kind of v.
func (v Value) Kind() Kind {
	if v.d == nil {
		return Missing
	}
	return v.node().kind
}

// Exists reports whether v is there, be it null.
func (v Value) Exists() bool { return v.d != nil }

// Span returns the byte range of v's literal, quotes and brackets included.
func (v Value) Span() (start, end int) {
	n := v.node()
	return int(n.start), int(n.end)
}

// Raw returns v's literal. It aliases the document.
func (v Value) Raw() []byte {
	n := v.node()
	return v.d.src[n.start:n.end]
}

// Source returns the document that v is part of.
func (v Value) Source() []byte { return v.d.src }

// Text returns the decoded string, or "" when v is not a string.
func (v Value) Text() string {
	if v.Kind() != String {
		return ""
	}
	n := v.node()
	return unquote(v.d.src[n.start+1:n.end-1], n.escaped)
}

// Is reports whether v is the string s, without decoding it where that can be
// told.
func (v Value) Is(s string) bool {
	if v.Kind() != String {
		return false
	}
	n := v.node()
	if n.escaped {
		return v.Text() == s
	}
	return string(v.d.src[n.start+1:n.end-1]) == s
}

// True reports whether v is the literal true.
func (v Value) True() bool { return v.Kind() == Bool && v.Raw()[0] == 't' }

// Int returns v as an integer, and whether it is one that fits.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	return atoi(v.Raw())
}

// Get returns the member of v named key, or the zero Value.
func (v Value) Get(key string) Value {
	for k, m := range v.members() {
		if string(k) == key {
			return m
		}
	}
	return Value{}
}

// Members yields the keys and values of an object in their order; of anything
// else, nothing.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for k, m := range v.members() {
			if !yield(string(k), m) {
				return
			}
		}
	}
}

func (v Value) members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for m := v.first(); m.d != nil; m = m.sibling() {
			n := m.node()
			key := v.d.src[n.keyStart:n.keyEnd]
			if n.keyEscaped {
				key = []byte(unquote(key, true))
			}
			if !yield(key, m) {
				return
			}
		}
	}
}

// Elems yields the elements of an array with their indices; of anything else,
// nothing.
func (v Value) Elems() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != Array {
			return
		}
		i := 0
		for e := v.first(); e.d != nil; e = e.sibling() {
			if !yield(i, e) {
				return
			}
			i++
		}
	}
}

func (v Value) first() Value {
	if !v.node().full {
		return Value{}
	}
	return Value{v.d, v.i + 1}
}

func (v Value) sibling() Value {
	if next := v.node().next; next != 0 {
		return Value{v.d, next}
	}
	return Value{}
}

// Edit replaces the bytes [Start, End) of a document by New.
type Edit struct {
	Start, End int
	New        []byte
}

// Set returns the edit that makes v the string s.
func (v Value) Set(s string) Edit {
	start, end := v.Span()
	return Edit{start, end, AppendQuote(make([]byte, 0, len(s)+len(`""`)), s)}
}

// SetKey returns the edit that makes s the key of v, which is a member of an object.
func (v Value) SetKey(s string) Edit {
	n := v.node()
	return Edit{int(n.keyStart) - 1, int(n.keyEnd) + 1, AppendQuote(nil, s)}
}

// Splice appends src to dst with the edits made. The edits are in ascending
// order; of one that begins inside the one before, the rest is made.
func Splice(dst, src []byte, edits []Edit) []byte {
	at := 0
	for _, e := range edits {
		dst = append(dst, src[at:max(at, e.Start)]...)
		dst = append(dst, e.New...)
		at = max(at, e.End)
	}
	return append(dst, src[at:]...)
}

// SetMember returns the edit that gives the object v a member key with the given
// literal: in the place of the member that it has, else before its first.
func (v Value) SetMember(key string, literal []byte) Edit {
	if m := v.Get(key); m.Exists() {
		start, end := m.Span()
		return Edit{start, end, literal}
	}
	at := int(v.node().start) + 1
	var b bytes.Buffer
	b.Write(AppendQuote(nil, key))
	b.WriteByte(':')
	b.Write(literal)
	if v.node().full {
		b.WriteByte(',')
	}
	return Edit{at, at, b.Bytes()}
}

// Remove returns the edits that take the members of the object v out whose keys
// drop names, each with one comma.
func (v Value) Remove(drop func(key string) bool) (edits []Edit) {
	kept := -1 // where the last kept member ends
	for key, m := range v.Members() {
		n := m.node()
		start, end := int(n.keyStart)-1, int(n.end)
		switch {
		case !drop(key):
			kept = end
			continue
		case kept >= 0:
			start = kept
			kept = end
		case m.sibling().Exists():
			end = int(m.sibling().node().keyStart) - 1
		}
		edits = append(edits, Edit{Start: start, End: end})
	}
	return edits
}

// RemoveElems returns the edits that take the elements of the array v out that drop
// names, each with one comma.
func (v Value) RemoveElems(drop func(i int, e Value) bool) (edits []Edit) {
	kept := -1 // where the last kept element ends
	for i, e := range v.Elems() {
		start, end := e.Span()
		switch {
		case !drop(i, e):
			kept = end
			continue
		case kept >= 0:
			start, kept = kept, end
		case e.sibling().Exists():
			end, _ = e.sibling().Span()
		}
		edits = append(edits, Edit{Start: start, End: end})
	}
	return edits
}

// Append returns the edit that adds an element with the given literal to the array v.
func (v Value) Append(literal []byte) Edit {
	at := int(v.node().end) - 1
	if v.node().full {
		literal = append([]byte{','}, literal...)
	}
	return Edit{at, at, literal}
}

// AppendCompact appends v's literal to dst without the space between its tokens: the
// same for every spelling of its brackets and commas.
func (v Value) AppendCompact(dst []byte) []byte {
	switch v.Kind() {
	case Missing:
		return dst
	case Object, Array:
	default:
		return append(dst, v.Raw()...)
	}
	keyed := v.Kind() == Object
	brackets := [...]byte{'[', ']'}
	if keyed {
		brackets = [...]byte{'{', '}'}
	}
	dst = append(dst, brackets[0])
	for m := v.first(); m.d != nil; m = m.sibling() {
		if keyed {
			n := m.node()
			dst = append(append(dst, v.d.src[n.keyStart-1:n.keyEnd+1]...), ':')
		}
		dst = m.AppendCompact(dst)
		if m.sibling().d != nil {
			dst = append(dst, ',')
		}
	}
	return append(dst, brackets[1])
}
