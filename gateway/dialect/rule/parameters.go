package rule

import (
	"math"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

// parameters holds the request against what r says in words of no API.
func (l *look) parameters(r *ready) error {
	for _, check := range []func(*ready) error{
		l.fields, l.counts, l.numbers, l.reasoning, l.labels, l.form, l.toolset, l.shown, l.order,
	} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

// fields refuses members that the API does not document.
func (l *look) fields(r *ready) error {
	if r.Fields != refused || l.words.fields == nil {
		return nil
	}
	for key, v := range l.root.Members() {
		if _, ok := l.words.fields[key]; ok || l.folded(key) {
			continue
		}
		return l.refuse(v, "/"+dialect.Pointer(key), "this API documents no such member: leave it away")
	}
	return nil
}

// folded reports whether key is a member in another spelling.
func (l *look) folded(key string) bool {
	if l.words.fold == nil {
		return false
	}
	for name := range l.words.fields {
		if l.words.fold(key, name) {
			return true
		}
	}
	return false
}

// counts holds messages, answers and tokens against r.
func (l *look) counts(r *ready) error {
	w := l.words
	if r.Messages > 0 {
		list := w.get(l.root, w.list)
		if n := length(list); n > r.Messages {
			return l.refuse(list, w.pointer(l.root, w.list), "%d stand here, and at most %d are taken: send fewer", n, r.Messages)
		}
	}
	if r.MaxTokens > 0 && len(w.tokens) > 0 {
		said := false
		for _, p := range w.tokens {
			v := w.get(l.root, p)
			if v.Kind() == jsonedit.Missing || v.Kind() == jsonedit.Null {
				continue
			}
			said = true
			n, ok := whole(v)
			switch {
			case !ok:
				return l.refuse(v, w.pointer(l.root, p), "a whole number should stand here")
			case r.Clamp: // all of them, in the end
			case n < 0:
				return l.refuse(v, w.pointer(l.root, p), "a number without end is not taken: ask for at most %d tokens", r.MaxTokens)
			case n > float64(r.MaxTokens):
				return l.refuse(v, w.pointer(l.root, p), "at most %d tokens may be asked for here", r.MaxTokens)
			}
		}
		if !said && !r.Clamp {
			return l.refuse(jsonedit.Value{}, w.pointer(l.root, w.fill), "say how many tokens the answer may have: at most %d", r.MaxTokens)
		}
		if r.Clamp && (l.mostTokens == 0 || r.MaxTokens < l.mostTokens) {
			l.mostTokens = r.MaxTokens
		}
	}
	for _, p := range w.choices {
		v := w.get(l.root, p)
		if r.Choices == 0 || v.Kind() == jsonedit.Missing || v.Kind() == jsonedit.Null {
			continue
		}
		n, ok := whole(v)
		if !ok || n < 0 {
			return l.refuse(v, w.pointer(l.root, p), "a whole number should stand here")
		}
		if n > float64(r.Choices) && !r.Clamp {
			return l.refuse(v, w.pointer(l.root, p), "at most %d answers may be asked for here", r.Choices)
		}
		if r.Clamp && (l.mostChoices == 0 || r.Choices < l.mostChoices) {
			l.mostChoices = r.Choices
		}
	}
	return nil
}

// lower makes the edits that rules with clamp ask for: the strictest of them counts.
func (l *look) lower() error {
	w := l.words
	if w == nil {
		return nil
	}
	if most := l.mostTokens; most > 0 {
		said := false
		for _, p := range w.tokens {
			v := w.get(l.root, p)
			n, ok := whole(v)
			if said = said || ok; ok && (n > float64(most) || n < 0) {
				l.put(v, w.pointer(l.root, p), most)
			}
		}
		if !said {
			if err := l.insert(l.root, w.fill, most); err != nil {
				return err
			}
		}
	}
	if most := l.mostChoices; most > 0 {
		for _, p := range w.choices {
			v := w.get(l.root, p)
			if n, ok := whole(v); ok && n > float64(most) {
				l.put(v, w.pointer(l.root, p), most)
			}
		}
	}
	return nil
}

// put makes n the value v.
func (l *look) put(v jsonedit.Value, path string, n int64) {
	start, end := v.Span()
	l.edits = append(l.edits, jsonedit.Edit{Start: start, End: end, New: strconv.AppendInt(nil, n, 10)})
	l.lowered = append(l.lowered, path)
}

// insert makes n the value at p, where there is none.
func (l *look) insert(v jsonedit.Value, p path, n int64) error {
	for i, word := range p {
		m := l.words.member(v, word)
		if m.Kind() == jsonedit.Object && i+1 < len(p) {
			v = m
			continue
		}
		literal := strconv.AppendInt(nil, n, 10)
		for j := len(p) - 1; j > i; j-- {
			literal = append(append(append(jsonedit.AppendQuote([]byte{'{'}, p[j]), ':'), literal...), '}')
		}
		switch m.Kind() {
		case jsonedit.Missing:
			l.edits = append(l.edits, v.SetMember(word, literal))
		case jsonedit.Null:
			start, end := m.Span()
			l.edits = append(l.edits, jsonedit.Edit{Start: start, End: end, New: literal})
		default:
			return l.refuse(m, l.words.pointer(l.root, p[:i+1]), "an object should stand here, not %s", m.Kind())
		}
		l.lowered = append(l.lowered, l.words.pointer(l.root, p))
		return nil
	}
	return nil
}

// numbers holds what is drawn against r.
func (l *look) numbers(r *ready) error {
	for _, n := range []struct {
		at    []path
		among Range
	}{{l.words.temperature, r.Temperature}, {l.words.topP, r.TopP}} {
		if !n.among.Set {
			continue
		}
		for _, p := range n.at {
			v := l.words.get(l.root, p)
			if v.Kind() == jsonedit.Missing || v.Kind() == jsonedit.Null {
				continue
			}
			f := dialect.Float(v)
			if f == nil {
				return l.refuse(v, l.words.pointer(l.root, p), "a number should stand here")
			}
			if !(n.among.Min <= *f && *f <= n.among.Max) {
				return l.refuse(v, l.words.pointer(l.root, p), "want a number in the range %s", n.among)
			}
		}
	}
	for _, p := range l.words.stops {
		v := l.words.get(l.root, p)
		if n := length(v); r.Stops > 0 && n > r.Stops {
			return l.refuse(v, l.words.pointer(l.root, p), "%d stand here, and at most %d are taken: send fewer", n, r.Stops)
		}
	}
	return nil
}

// reasoning holds how much is thought against r.
func (l *look) reasoning(r *ready) error {
	for _, p := range l.words.thinking {
		v := l.words.get(l.root, p)
		if r.Thinking == 0 || v.Kind() == jsonedit.Missing || v.Kind() == jsonedit.Null {
			continue
		}
		if n, ok := whole(v); !ok || n < 0 || n > float64(r.Thinking) {
			return l.refuse(v, l.words.pointer(l.root, p), "want a whole number, at most %d", r.Thinking)
		}
	}
	for _, p := range l.words.efforts {
		v := l.words.get(l.root, p)
		if len(r.Efforts) == 0 || v.Kind() == jsonedit.Missing || v.Kind() == jsonedit.Null || v.Kind() == jsonedit.Bool && !v.True() {
			continue
		}
		word := v.Text()
		if v.Kind() != jsonedit.String {
			word = clip(string(v.Raw()))
		}
		if !slices.ContainsFunc(r.Efforts, func(e string) bool { return lower(e) == lower(word) }) {
			return l.refuse(v, l.words.pointer(l.root, p), "want one of %s", schema.Names(r.Efforts))
		}
	}
	return nil
}

// labels holds metadata against r.
func (l *look) labels(r *ready) error {
	for _, p := range l.words.metadata {
		v := l.words.get(l.root, p)
		if len(r.Metadata) == 0 || v.Kind() == jsonedit.Missing || v.Kind() == jsonedit.Null {
			continue
		}
		if v.Kind() != jsonedit.Object {
			return l.refuse(v, l.words.pointer(l.root, p), "an object should stand here, not %s", v.Kind())
		}
		for key, m := range v.Members() {
			if !slices.Contains(r.Metadata, key) {
				return l.refuse(m, l.words.pointer(l.root, p)+"/"+dialect.Pointer(key), "such metadata is not taken: there may be %s", schema.Names(r.Metadata))
			}
		}
	}
	return nil
}

// form holds the form of the answer against r.
func (l *look) form(r *ready) error {
	if l.words.format == nil || len(r.Formats) == 0 && r.SchemaDepth == 0 {
		return nil
	}
	f := l.words.format(l.words, l)
	if len(r.Formats) > 0 && !slices.Contains(r.Formats, f.kind) {
		return l.refuse(f.v, f.path, "want an answer that is %s", schema.Names(r.Formats))
	}
	return l.shallow(r, f.schema, f.path)
}

// shallow refuses a schema that is nested too deeply.
func (l *look) shallow(r *ready, schema jsonedit.Value, path string) error {
	if r.SchemaDepth > 0 && depth(schema) > r.SchemaDepth {
		return l.refuse(schema, path, "its schema is nested too deeply: want at most %d levels", r.SchemaDepth)
	}
	return nil
}

// toolset holds tools against r.
func (l *look) toolset(r *ready) error {
	if r.Tools != refused && r.MostTools == 0 && len(r.ToolNames) == 0 && r.SchemaDepth == 0 || l.words.tools == nil {
		return nil
	}
	all := l.words.tools(l.words, l)
	switch {
	case r.Tools == refused && len(all) > 0:
		return l.refuse(all[0].def, all[0].path, "tools are not taken here: leave them away")
	case r.MostTools > 0 && len(all) > r.MostTools:
		return l.refuse(all[r.MostTools].def, all[r.MostTools].path, "%d tools are named, and at most %d are taken: name fewer", len(all), r.MostTools)
	}
	for _, t := range all {
		if len(r.ToolNames) > 0 && !slices.ContainsFunc(r.ToolNames, func(p string) bool { return matches(p, t.name) }) {
			return l.refuse(t.def, t.path, "the tool %.80q is not among those that may be named here", t.name)
		}
		if err := l.shallow(r, t.schema, t.path); err != nil {
			return err
		}
	}
	if r.Tools != refused {
		return nil
	}
	for _, t := range l.taken() {
		if len(t.calls)+len(t.results) > 0 {
			return l.refuse(t.v, t.path(), "calls of tools are not taken here")
		}
	}
	return nil
}

// shown holds what is shown beside text against r.
func (l *look) shown(r *ready) error {
	if len(r.Media) == 0 || l.words.media == nil {
		return nil
	}
	return l.words.media(l, func(kind string, v jsonedit.Value, path string) error {
		if slices.Contains(r.Media, kind) {
			return nil
		}
		if kind == other {
			return l.refuse(v, path, "a part of a kind that nobody knows here is not taken")
		}
		return l.refuse(v, path, "no %s is taken here: leave it away", kind)
	})
}

// whole returns a number without a fraction.
func whole(v jsonedit.Value) (float64, bool) {
	f := dialect.Float(v)
	if v.Kind() == jsonedit.Number && f == nil { // beyond floats
		return math.Inf(1), v.Raw()[0] != '-'
	}
	return deref(f), f != nil && *f == math.Trunc(*f)
}

func deref(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

// length is how many elements v has: one, where it is none that is missing, and where
// it is the tokens of one prompt.
func length(v jsonedit.Value) int {
	switch v.Kind() {
	case jsonedit.Missing, jsonedit.Null:
		return 0
	case jsonedit.Array:
	default:
		return 1
	}
	n := 0
	for _, e := range v.Elems() {
		if e.Kind() == jsonedit.Number {
			return 1
		}
		n++
	}
	return n
}

// depth is how deeply objects and arrays are nested in v.
func depth(v jsonedit.Value) int {
	most := 0
	switch v.Kind() {
	case jsonedit.Object:
		for _, m := range v.Members() {
			most = max(most, depth(m))
		}
	case jsonedit.Array:
		for _, e := range v.Elems() {
			most = max(most, depth(e))
		}
	default:
		return 0
	}
	return most + 1
}
