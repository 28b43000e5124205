package anthropic

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// origins are the roles that a message may have, and whose words it holds.
var origins = map[string]ringwall.Origin{
	"system":    ringwall.System,
	"user":      ringwall.User,
	"assistant": ringwall.Assistant,
}

// passed are the headers of a client that belong to the request.
var passed = []string{"anthropic-version", "anthropic-beta"}

// request implements gateway.Request.
type request struct {
	locator
	doc    jsonedit.Doc
	src    []byte
	model  jsonedit.Value
	rename string
	stream bool
	header map[string]string
	hidden dialect.Places // tools that are not offered
	forced bool           // one of them is forced
}

// Read implements gateway.Dialect.
func (m Messages) Read(h *http.Request, body []byte) (gateway.Request, error) {
	r, err := m.read(h, body)
	if err != nil {
		return nil, err
	}
	switch s := r.doc.Root().Get("stream"); s.Kind() {
	case jsonedit.Bool:
		r.stream = s.True()
	case jsonedit.Missing, jsonedit.Null:
	default:
		return nil, dialect.Invalid(body, s, "stream", "true or false should stand here")
	}
	return r, nil
}

// Read implements gateway.Dialect.
func (c Counting) Read(h *http.Request, body []byte) (gateway.Request, error) {
	r, err := c.read(h, body)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (c common) read(h *http.Request, body []byte) (*request, error) {
	r := &request{locator: located(false), src: body}
	if err := r.doc.Parse(body, c.Limits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	root := r.doc.Root()
	if root.Kind() != jsonedit.Object {
		return nil, dialect.Invalid(body, root, "", "an object should stand here, not %s", root.Kind())
	}
	if r.model = root.Get("model"); r.model.Kind() != jsonedit.String || r.model.Text() == "" {
		return nil, dialect.Invalid(body, r.model, "model", "a string is required")
	}
	if len(r.model.Raw()) > dialect.LongestName*2 {
		return nil, dialect.Invalid(body, r.model, "model", "the name is too long")
	}
	if messages := root.Get("messages"); messages.Kind() != jsonedit.Array {
		return nil, dialect.Invalid(body, messages, "messages", "an array is required")
	}
	for key, v := range root.Members() {
		path := "/" + dialect.Pointer(key)
		switch key {
		case "model", "stream", "tool_choice", "stop_sequences":
		case "system":
			if err := r.blocks(v, "system", path, ringwall.System); err != nil {
				return nil, err
			}
		case "messages":
			if err := r.messages(v); err != nil {
				return nil, err
			}
		case "tools", "output_config", "output_format":
			r.All(v, path, key, ringwall.System)
		default:
			r.All(v, path, key, ringwall.Unverified)
		}
	}
	r.header = headers(h)
	return r, nil
}

func headers(h *http.Request) map[string]string {
	if h == nil {
		return nil
	}
	var out map[string]string
	for _, name := range passed {
		if v := strings.Join(h.Header.Values(name), ","); v != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = v
		}
	}
	return out
}

func (r *request) messages(list jsonedit.Value) error {
	n := 0
	for i, m := range list.Elems() {
		n++
		name, path := "messages["+strconv.Itoa(i)+"]", "/messages/"+strconv.Itoa(i)
		if m.Kind() != jsonedit.Object {
			return dialect.Invalid(r.src, m, name, "an object should stand here, not %s", m.Kind())
		}
		role := m.Get("role")
		origin, known := origins[role.Text()]
		if !known {
			return dialect.Invalid(r.src, role, name+".role", "want system, user or assistant, not %.40q", role.Text())
		}
		for key, v := range m.Members() {
			if key != "content" {
				r.All(v, path+"/"+dialect.Pointer(key), key, origin)
			} else if err := r.blocks(v, name+".content", path+"/content", origin); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return dialect.Invalid(r.src, list, "messages", "at least one message is required")
	}
	return nil
}

// blocks adds the texts of what somebody says: a string or a list of blocks.
func (r *request) blocks(v jsonedit.Value, name, path string, o ringwall.Origin) error {
	switch v.Kind() {
	case jsonedit.String, jsonedit.Null:
	case jsonedit.Array:
		for i, b := range v.Elems() {
			if b.Kind() != jsonedit.Object {
				return dialect.Invalid(r.src, b, name+"["+strconv.Itoa(i)+"]", "an object should stand here, not %s", b.Kind())
			}
			if t := b.Get("type"); t.Kind() != jsonedit.String {
				return dialect.Invalid(r.src, b, name+"["+strconv.Itoa(i)+"].type", "a string is required")
			}
		}
	default:
		return dialect.Invalid(r.src, v, name, "a string or an array of blocks should stand here, not %s", v.Kind())
	}
	r.turn(v, path, o)
	return nil
}

// Document implements gateway.Parsed.
func (r *request) Document() jsonedit.Value { return r.doc.Root() }

func (r *request) Model() string             { return r.model.Text() }
func (r *request) Stream() bool              { return r.stream }
func (r *request) Header() map[string]string { return r.header }
func (r *request) WithModel(name string)     { r.rename = name }

func (r *request) Edit(changed []guard.Changed) []byte {
	out := r.edit(changed)
	if len(r.hidden) > 0 {
		return dialect.Redo(out, func(root jsonedit.Value) []jsonedit.Edit { return dialect.HideMessages(root, r.hidden, r.forced) })
	}
	return out
}

func (r *request) edit(changed []guard.Changed) []byte {
	changed, edits := r.unproven(changed)
	if len(changed) == 0 && len(edits) == 0 && r.rename == "" {
		return r.src
	}
	edits = append(edits, r.Edits(changed)...)
	if r.rename != "" {
		edits = append(edits, r.model.Set(r.rename))
	}
	return dialect.Splice(r.src, edits)
}

// unproven returns the edits that leave out the thoughts whose signatures prove
// nothing, or nothing any more, and the changes that are still to be made.
func (r *request) unproven(changed []guard.Changed) ([]guard.Changed, []jsonedit.Edit) {
	var edits []jsonedit.Edit
	for at := 0; at < len(r.thoughts); {
		list := r.thoughts[at].list
		drop := map[jsonedit.Value]bool{}
		for ; at < len(r.thoughts) && r.thoughts[at].list == list; at++ {
			t := r.thoughts[at]
			var rest []guard.Changed
			for _, c := range changed {
				if c.Index < t.from || t.to <= c.Index {
					rest = append(rest, c)
				}
			}
			if len(rest) < len(changed) || t.block.Get("signature").Is(unsigned) {
				changed, drop[t.block] = rest, true
			}
		}
		if len(drop) > 0 {
			edits = append(edits, without(list, drop)...)
		}
	}
	return changed, edits
}

// without returns the edits that take blocks out of a list. One must stay, for a
// message that says nothing is refused.
func without(list jsonedit.Value, drop map[jsonedit.Value]bool) (edits []jsonedit.Edit) {
	kept, left := -1, false // where the last block that stays ends
	var before *jsonedit.Edit
	for _, b := range list.Elems() {
		start, end := b.Span()
		if before != nil {
			before.End = start
			edits, before = append(edits, *before), nil
		}
		switch {
		case !drop[b]:
			kept, left = end, true
		case kept >= 0:
			edits = append(edits, jsonedit.Edit{Start: kept, End: end})
			kept = end
		default:
			before = &jsonedit.Edit{Start: start}
		}
	}
	if left {
		return edits
	}
	start, end := list.Span()
	return []jsonedit.Edit{{Start: start, End: end, New: []byte(`[{"type":"text","text":"…"}]`)}}
}

// MostTokens implements gateway.Bounded.
func (r *request) MostTokens() int64 {
	return dialect.Most(jsonedit.Value{}, r.doc.Root().Get("max_tokens"))
}
