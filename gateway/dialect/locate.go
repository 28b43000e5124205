// Package dialect holds what all dialects share: finding the texts of a request or
// an answer and putting others in their places, refusing what cannot be read, and
// translating between dialects that are not the same.
package dialect

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Locator finds the texts of a document and knows where they stand.
type Locator struct {
	Grammar Grammar
	texts   []ringwall.Text
	unseen  []string
	places  []place
}

// Grammar says which strings of a dialect are no texts.
type Grammar struct {
	// Names holds the members whose strings are names of the format: short words
	// that a provider checks itself.
	Names map[string]bool
	// Medium names what a string holds that is no text but an image, a sound or a
	// file in base64; "" when it is text.
	Medium func(key string, v jsonedit.Value) string
}

// place is where a text stands: a string of the document, or a string inside the
// JSON that a string of the document holds.
type place struct {
	value jsonedit.Value // the string of the document
	inner jsonedit.Value // the string inside it, if any
	doc   *innerDoc
	coded bool // the string of the document is the text in base64
	key   bool // the text is not the value but its key
}

// set returns the edit that puts s there.
func (p *place) set(s string) jsonedit.Edit {
	if p.coded {
		s = base64.StdEncoding.EncodeToString([]byte(s))
	}
	return at(p.value, p.key, s)
}

// innerDoc is JSON inside a string.
type innerDoc struct {
	doc jsonedit.Doc
	src []byte
}

// LongestName is how long a structural string may be: a longer one is text in
// disguise.
const LongestName = 128

// IsName reports whether the string v under key is a name of the format.
func (g *Grammar) IsName(key string, v jsonedit.Value) bool {
	return g.Names[key] && len(v.Raw()) <= LongestName
}

// Silent reports whether there is no text in v, which stands under key: it is a
// number or a word of JSON, or a name of the format.
func (g *Grammar) Silent(key string, v jsonedit.Value) bool {
	switch v.Kind() {
	case jsonedit.String:
		return g.IsName(key, v)
	case jsonedit.Object, jsonedit.Array:
		return false
	}
	return true
}

// Texts returns the texts that were found, in the order of the document.
func (l *Locator) Texts() []ringwall.Text { return l.texts }

// Unseen names, in kebab-case, the kinds of parts that are no text.
func (l *Locator) Unseen() []string { return l.unseen }

// Set returns the edit that puts s into the place of text i, which stands in the
// document itself.
func (l *Locator) Set(i int, s string) jsonedit.Edit { return l.places[i].set(s) }

func (l *Locator) medium(key string, v jsonedit.Value) string {
	if l.Grammar.Medium == nil {
		return ""
	}
	return l.Grammar.Medium(strings.Clone(key), v) // else every key of every document would be on the heap
}

// Add adds the string v as a text.
func (l *Locator) Add(v jsonedit.Value, path string, o ringwall.Origin) {
	l.texts = append(l.texts, ringwall.Text{Path: path, Origin: o, Value: v.Text()})
	l.places = append(l.places, place{value: v})
}

// Base64 adds the text that the string v holds in base64 (RFC 4648 §4), and reports
// whether it holds one.
func (l *Locator) Base64(v jsonedit.Value, path string, o ringwall.Origin) bool {
	b, err := base64.StdEncoding.DecodeString(v.Text())
	if err != nil || len(b) == 0 || !utf8.Valid(b) {
		return false
	}
	l.texts = append(l.texts, ringwall.Text{Path: path, Origin: o, Value: string(b)})
	l.places = append(l.places, place{value: v, coded: true})
	return true
}

// All adds every string under v that is not structural.
func (l *Locator) All(v jsonedit.Value, path, key string, o ringwall.Origin) {
	switch v.Kind() {
	case jsonedit.String:
		if l.Grammar.IsName(key, v) {
			return
		}
		if kind := l.medium(key, v); kind != "" {
			if !slices.Contains(l.unseen, kind) {
				l.unseen = append(l.unseen, kind)
			}
			return
		}
		l.Add(v, path, o)
	case jsonedit.Array:
		for i, e := range v.Elems() {
			l.All(e, path+"/"+strconv.Itoa(i), key, o)
		}
	case jsonedit.Object:
		for k, m := range v.Members() {
			l.All(m, path+"/"+Pointer(k), k, o)
		}
	}
}

// Arguments adds the strings inside the JSON that the string v holds, or v as a
// text when it holds none.
func (l *Locator) Arguments(v jsonedit.Value, path string, o ringwall.Origin) {
	if v.Kind() != jsonedit.String {
		l.All(v, path, "", o)
		return
	}
	in := &innerDoc{src: []byte(v.Text())}
	if in.doc.Parse(in.src, AnswerLimits) != nil || in.doc.Root().Kind() == jsonedit.String {
		l.Add(v, path, o)
		return
	}
	from := len(l.texts)
	sub := Locator{}
	sub.Every(in.doc.Root(), path+"#", o)
	l.texts = append(l.texts, sub.texts...)
	for _, p := range sub.places {
		l.places = append(l.places, place{value: v, inner: p.value, doc: in, key: p.key})
	}
	if len(l.texts) == from { // numbers only: look at them as they are written
		l.Add(v, path, o)
	}
}

// Every adds every string under v, and every key that is more than a plain name:
// arguments have no structure of ours.
func (l *Locator) Every(v jsonedit.Value, path string, o ringwall.Origin) {
	switch v.Kind() {
	case jsonedit.String, jsonedit.Number:
		l.texts = append(l.texts, ringwall.Text{Path: path, Origin: o, Value: textOf(v)})
		l.places = append(l.places, place{value: v})
	case jsonedit.Array:
		for i, e := range v.Elems() {
			l.Every(e, path+"/"+strconv.Itoa(i), o)
		}
	case jsonedit.Object:
		for k, m := range v.Members() {
			p := path + "/" + Pointer(k)
			if !plainKey(k) {
				l.texts = append(l.texts, ringwall.Text{Path: p, Origin: o, Value: k})
				l.places = append(l.places, place{value: m, key: true})
			}
			l.Every(m, p, o)
		}
	}
}

// plainKey reports whether a key is the name of a parameter, as programmers give
// them, and says nothing of its own.
func plainKey(k string) bool {
	if len(k) > 32 {
		return false
	}
	for _, c := range []byte(k) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func textOf(v jsonedit.Value) string {
	if v.Kind() == jsonedit.Number {
		return string(v.Raw())
	}
	return v.Text()
}

// Edits returns what replaces the changed texts, in no order.
func (l *Locator) Edits(changed []guard.Changed) (edits []jsonedit.Edit) {
	type outer struct {
		value jsonedit.Value
		edits []jsonedit.Edit
	}
	inside := map[*innerDoc]*outer{}
	var order []*innerDoc
	for _, c := range changed {
		p := l.places[c.Index]
		if p.doc == nil {
			edits = append(edits, p.set(c.Value))
			continue
		}
		o := inside[p.doc]
		if o == nil {
			o = &outer{value: p.value}
			inside[p.doc] = o
			order = append(order, p.doc)
		}
		o.edits = append(o.edits, at(p.inner, p.key, c.Value))
	}
	for _, d := range order {
		o := inside[d]
		edits = append(edits, o.value.Set(string(Splice(d.src, o.edits))))
	}
	return edits
}

// at returns the edit that puts s in the place of v or of its key.
func at(v jsonedit.Value, key bool, s string) jsonedit.Edit {
	if key {
		return v.SetKey(s)
	}
	return v.Set(s)
}

// Splice makes edits in any order.
func Splice(src []byte, edits []jsonedit.Edit) []byte {
	slices.SortFunc(edits, ByStart)
	return jsonedit.Splice(make([]byte, 0, len(src)+64), src, edits)
}

// NameSet makes a set of names.
func NameSet(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// AnswerLimits are those of what providers send: our own side, so looser.
var AnswerLimits = jsonedit.Limits{Bytes: 64 << 20, Depth: 128, AllowNUL: true}

// ByStart compares edits by where they begin.
func ByStart(a, b jsonedit.Edit) int { return a.Start - b.Start }

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// Pointer escapes a key for a JSON pointer (RFC 6901 §3).
func Pointer(key string) string {
	if strings.ContainsAny(key, "~/") {
		return pointerEscape.Replace(strings.Clone(key)) // a key of which nothing else is kept need not be on the heap
	}
	return key
}
