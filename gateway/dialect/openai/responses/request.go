package responses

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// request implements gateway.Request and gateway.Continuing.
type request struct {
	locator
	limits jsonedit.Limits
	doc    jsonedit.Doc
	src    []byte
	model  jsonedit.Value
	rename string
	stream bool
	offer  *offer // nil: all tools stay
	keep   func(name string) bool
	unseen []string
	echoes map[string]bool // the texts as they went on, which answers repeat
}

var _ gateway.Continuing = (*request)(nil)

// Read implements gateway.Dialect.
func (d Dialect) Read(_ *http.Request, body []byte) (gateway.Request, error) {
	r := &request{limits: d.Limits}
	if err := r.read(body); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *request) read(body []byte) error {
	r.locator, r.src, r.unseen, r.echoes = located(), body, nil, nil
	if err := r.doc.Parse(body, r.limits); err != nil {
		return dialect.Unparsed(err)
	}
	root := r.doc.Root()
	if root.Kind() != jsonedit.Object {
		return dialect.Invalid(body, root, "", "an object should stand here, not %s", root.Kind())
	}
	if r.model = root.Get("model"); r.model.Kind() != jsonedit.String || r.model.Text() == "" {
		return dialect.Invalid(body, r.model, "model", "a string is required")
	}
	if len(r.model.Raw()) > dialect.LongestName*2 {
		return dialect.Invalid(body, r.model, "model", "the name is too long")
	}
	switch s := root.Get("stream"); s.Kind() {
	case jsonedit.Bool:
		r.stream = s.True()
	case jsonedit.Missing, jsonedit.Null:
	default:
		return dialect.Invalid(body, s, "stream", "true or false should stand here")
	}
	if b := root.Get("background"); b.Exists() && b.Kind() != jsonedit.Null && (b.Kind() != jsonedit.Bool || b.True()) {
		return dialect.Invalid(body, b, "background", "answers that are fetched later are not guarded here, so they are not asked for: leave it away, or stream the answer")
	}
	if p := root.Get("previous_response_id"); p.Exists() && p.Kind() != jsonedit.Null && (p.Kind() != jsonedit.String || p.Text() == "" || len(p.Raw()) > dialect.LongestName) {
		return dialect.Invalid(body, p, "previous_response_id", "the id of an answer should stand here")
	}
	for key, v := range root.Members() {
		if err := r.member(key, v); err != nil {
			return err
		}
	}
	if k := root.Get("input").Kind(); (k == jsonedit.Missing || k == jsonedit.Null) && r.Previous() == "" && len(r.unseen) == 0 {
		return dialect.Invalid(body, jsonedit.Value{}, "input", "a string or an array of items is required")
	}
	return nil
}

func (r *request) member(key string, v jsonedit.Value) error {
	path := "/" + dialect.Pointer(key)
	switch key {
	case "model", "stream", "tool_choice", "include":
	case "previous_response_id":
		if v.Kind() == jsonedit.String {
			r.unseen = append(r.unseen, "kept-conversation")
		}
	case "conversation":
		if v.Kind() != jsonedit.Null {
			r.unseen = append(r.unseen, "kept-conversation")
		}
	case "prompt":
		if v.Kind() != jsonedit.Null {
			r.unseen = append(r.unseen, "prompt-template")
		}
		r.part(v, path, key, ringwall.User)
	case "input":
		return r.input(v)
	case "instructions":
		if v.Kind() == jsonedit.Array {
			return r.items(v, path, key)
		}
		r.All(v, path, key, ringwall.System)
	case "tools", "text":
		r.All(v, path, key, ringwall.System)
	default:
		r.All(v, path, key, ringwall.Unverified)
	}
	return nil
}

func (r *request) input(v jsonedit.Value) error {
	switch v.Kind() {
	case jsonedit.String:
		r.Add(v, "/input", ringwall.User)
	case jsonedit.Null:
	case jsonedit.Array:
		return r.items(v, "/input", "input")
	default:
		return dialect.Invalid(r.src, v, "input", "a string or an array of items should stand here, not %s", v.Kind())
	}
	return nil
}

func (r *request) items(list jsonedit.Value, path, name string) error {
	for i, it := range list.Elems() {
		at := name + "[" + strconv.Itoa(i) + "]"
		if it.Kind() != jsonedit.Object {
			return dialect.Invalid(r.src, it, at, "an object should stand here, not %s", it.Kind())
		}
		kind, role := it.Get("type"), it.Get("role")
		if kind.Exists() && kind.Kind() != jsonedit.String {
			return dialect.Invalid(r.src, kind, at+".type", "a string should stand here, not %s", kind.Kind())
		}
		if k := kind.Text(); k == "" && !it.Get("id").Exists() || k == "message" || role.Exists() {
			if _, known := roles[role.Text()]; !known {
				return dialect.Invalid(r.src, role, at+".role", "want system, developer, user or assistant, not %.40q", role.Text())
			}
			if k != "" && k != "message" {
				return dialect.Invalid(r.src, role, at+".role", "an item of type %.40q has none", k)
			}
			switch c := it.Get("content"); c.Kind() {
			case jsonedit.String, jsonedit.Array, jsonedit.Null, jsonedit.Missing:
			default:
				return dialect.Invalid(r.src, c, at+".content", "a string or an array of parts should stand here, not %s", c.Kind())
			}
		}
		r.item(it, path+"/"+strconv.Itoa(i), origin(kind.Text(), role.Text()), true)
	}
	return nil
}

// Document implements gateway.Parsed.
func (r *request) Document() jsonedit.Value { return r.doc.Root() }

func (r *request) Model() string             { return r.model.Text() }
func (r *request) Stream() bool              { return r.stream }
func (r *request) Header() map[string]string { return nil }
func (r *request) WithModel(name string)     { r.rename = name }

// Unseen implements gateway.Request: beside media it names what the provider keeps
// and puts in front.
func (r *request) Unseen() []string {
	out := slices.Concat(r.locator.Unseen(), r.unseen)
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *request) Edit(changed []guard.Changed) []byte {
	r.echoes = map[string]bool{}
	for _, t := range r.Texts() {
		r.echoes[t.Value] = true
	}
	for _, c := range changed {
		r.echoes[c.Value] = true
	}
	out := r.src
	if len(changed) > 0 || r.rename != "" {
		edits := r.Edits(changed)
		if r.rename != "" {
			edits = append(edits, r.model.Set(r.rename))
		}
		out = dialect.Splice(r.src, edits)
	}
	if r.offer != nil { // by their places, which no edit of a text moves
		out = dialect.Redo(out, r.offer.edits)
	}
	return out
}

// echoed reports whether an answer that says s outside its output repeats the
// request.
func echoed(req gateway.Request, s string) bool {
	r, ok := req.(*request)
	return ok && r.echoes[s]
}

// Previous implements gateway.Continuing.
func (r *request) Previous() string { return r.doc.Root().Get("previous_response_id").Text() }

// Keeps implements gateway.Continuing: answers are kept unless store says no.
func (r *request) Keeps() bool {
	s := r.doc.Root().Get("store")
	return s.Kind() != jsonedit.Bool || s.True()
}

// Continue implements gateway.Continuing.
func (r *request) Continue(before gateway.Said) error {
	root := r.doc.Root()
	said := slices.Clone(before.Asked)
	var told jsonedit.Doc
	if err := told.Parse(before.Answer, dialect.AnswerLimits); err != nil {
		return fmt.Errorf("reading what was kept: %w", err)
	}
	if out := own(told.Root().Get("output")); len(out) > 0 {
		if len(said) > 0 {
			said = append(said, ',')
		}
		said = append(said, out...)
	}
	items := slices.Concat([]byte{'['}, said)
	if own := own(root.Get("input")); len(own) > 0 {
		if len(said) > 0 {
			items = append(items, ',')
		}
		items = append(items, own...)
	}
	edits := root.Remove(func(key string) bool { return key == "previous_response_id" || key == "input" })
	body := dialect.Splice(r.src, edits)
	var doc jsonedit.Doc
	if err := doc.Parse(body, r.limits); err != nil {
		return dialect.Unparsed(err)
	}
	return r.read(dialect.Splice(body, []jsonedit.Edit{doc.Root().SetMember("input", append(items, ']'))}))
}

// own returns the items of an input without their brackets.
func own(input jsonedit.Value) []byte {
	switch input.Kind() {
	case jsonedit.Array:
		raw := input.Raw()
		raw = raw[1 : len(raw)-1]
		for range input.Elems() {
			return raw
		}
	case jsonedit.String:
		out := []byte(`{"type":"message","role":"user","content":`)
		out = append(out, input.Raw()...)
		return append(out, '}')
	default:
	}
	return nil
}

// Said implements gateway.Continuing: what was asked is items, without brackets.
func (r *request) Said(sent, answer []byte) (id string, said gateway.Said) {
	var asked, told jsonedit.Doc
	if asked.Parse(sent, dialect.AnswerLimits) != nil || told.Parse(answer, dialect.AnswerLimits) != nil {
		return "", gateway.Said{}
	}
	return told.Root().Get("id").Text(), gateway.Said{Asked: slices.Clone(own(asked.Root().Get("input"))), Answer: slices.Clone(answer)}
}

// MostTokens implements gateway.Bounded.
func (r *request) MostTokens() int64 {
	return dialect.Most(jsonedit.Value{}, r.doc.Root().Get("max_output_tokens"))
}
