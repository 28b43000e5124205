package openai

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// locator finds the texts of a document and knows where they stand.
type locator struct {
	texts  []ringwall.Text
	places []place
	unseen []string
}

// place is where a text stands: a string of the document, or a string inside the
// JSON that a string of the document holds.
type place struct {
	value jsonedit.Value // the string of the document
	inner jsonedit.Value // the string inside it, if any
	doc   *innerDoc
}

// innerDoc is JSON inside a string.
type innerDoc struct {
	doc jsonedit.Doc
	src []byte
}

// structural reports whether the strings of members of this name are names of
// the format and no text: short words that a provider checks itself.
func structural(key string) bool {
	switch key {
	case "id", "type", "object", "role", "tool_call_id", "index", "call_id",
		"finish_reason", "service_tier", "system_fingerprint", "reasoning_effort", "verbosity",
		"detail", "format", "voice", "modalities", "encoding_format", "ttl", "native_finish_reason", "obfuscation":
		return true
	}
	return false
}

// longestName is how long a structural string may be: a longer one is text in
// disguise.
const longestName = 128

// isName reports whether the string v under key is a name of the format.
func isName(key string, v jsonedit.Value) bool {
	return structural(key) && len(v.Raw()) <= longestName
}

func (l *locator) add(v jsonedit.Value, path string, o ringwall.Origin) {
	l.texts = append(l.texts, ringwall.Text{Path: path, Origin: o, Value: v.Text()})
	l.places = append(l.places, place{value: v})
}

// all adds every string under v that is not structural.
func (l *locator) all(v jsonedit.Value, path, key string, o ringwall.Origin) {
	switch v.Kind() {
	case jsonedit.String:
		if isName(key, v) {
			return
		}
		if kind := medium(key, v); kind != "" {
			if !slices.Contains(l.unseen, kind) {
				l.unseen = append(l.unseen, kind)
			}
			return
		}
		l.add(v, path, o)
	case jsonedit.Array:
		for i, e := range v.Elems() {
			l.all(e, path+"/"+strconv.Itoa(i), key, o)
		}
	case jsonedit.Object:
		for k, m := range v.Members() {
			l.all(m, path+"/"+pointer(k), k, o)
		}
	}
}

// medium names what a string holds that is no text but an image, a sound or a
// file in base64; "" when it is text.
func medium(key string, v jsonedit.Value) string {
	raw := v.Raw()
	switch {
	case key == "url" && strings.HasPrefix(string(raw[1:min(len(raw), 12)]), "data:"):
		return "image-part"
	case key == "data" && len(raw) > longestName:
		return "audio-part"
	case key == "file_data":
		return "file-part"
	}
	return ""
}

// arguments adds the strings inside the JSON that the string v holds, or v as a
// text when it holds none.
func (l *locator) arguments(v jsonedit.Value, path string, o ringwall.Origin) {
	if v.Kind() != jsonedit.String {
		l.all(v, path, "", o)
		return
	}
	in := &innerDoc{src: []byte(v.Text())}
	if in.doc.Parse(in.src, answerLimits) != nil || in.doc.Root().Kind() == jsonedit.String {
		l.add(v, path, o)
		return
	}
	from := len(l.texts)
	sub := locator{}
	sub.every(in.doc.Root(), path+"#", o)
	l.texts = append(l.texts, sub.texts...)
	for _, p := range sub.places {
		l.places = append(l.places, place{value: v, inner: p.value, doc: in})
	}
	if len(l.texts) == from { // numbers only: look at them as they are written
		l.add(v, path, o)
	}
}

// every adds every string and every key under v: arguments have no structure of
// ours.
func (l *locator) every(v jsonedit.Value, path string, o ringwall.Origin) {
	switch v.Kind() {
	case jsonedit.String, jsonedit.Number:
		l.texts = append(l.texts, ringwall.Text{Path: path, Origin: o, Value: textOf(v)})
		l.places = append(l.places, place{value: v})
	case jsonedit.Array:
		for i, e := range v.Elems() {
			l.every(e, path+"/"+strconv.Itoa(i), o)
		}
	case jsonedit.Object:
		for k, m := range v.Members() {
			l.every(m, path+"/"+pointer(k), o)
		}
	}
}

func textOf(v jsonedit.Value) string {
	if v.Kind() == jsonedit.Number {
		return string(v.Raw())
	}
	return v.Text()
}

// edits returns what replaces the changed texts, in no order.
func (l *locator) edits(changed []guard.Changed) (edits []jsonedit.Edit) {
	type outer struct {
		value jsonedit.Value
		edits []jsonedit.Edit
	}
	inside := map[*innerDoc]*outer{}
	var order []*innerDoc
	for _, c := range changed {
		p := l.places[c.Index]
		if p.doc == nil {
			edits = append(edits, p.value.Set(c.Value))
			continue
		}
		o := inside[p.doc]
		if o == nil {
			o = &outer{value: p.value}
			inside[p.doc] = o
			order = append(order, p.doc)
		}
		o.edits = append(o.edits, p.inner.Set(c.Value))
	}
	for _, d := range order {
		o := inside[d]
		edits = append(edits, o.value.Set(string(splice(d.src, o.edits))))
	}
	return edits
}

// splice makes edits in any order.
func splice(src []byte, edits []jsonedit.Edit) []byte {
	slices.SortFunc(edits, byStart)
	return jsonedit.Splice(make([]byte, 0, len(src)+64), src, edits)
}

func byStart(a, b jsonedit.Edit) int { return a.Start - b.Start }

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// pointer escapes a key for a JSON pointer (RFC 6901 §3).
func pointer(key string) string {
	if strings.ContainsAny(key, "~/") {
		return pointerEscape.Replace(strings.Clone(key)) // a key of which nothing else is kept need not be on the heap
	}
	return key
}
