package ollama

import (
	"net/http"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// origins are the roles that a message may have, and whose words it holds.
var origins = map[string]ringwall.Origin{
	"system": ringwall.System, "user": ringwall.User, "assistant": ringwall.Assistant, "tool": ringwall.Tool,
}

// request implements gateway.Request.
type request struct {
	dialect.Locator
	doc      jsonedit.Doc
	src      []byte
	generate bool
	model    jsonedit.Value
	rename   string
	stream   bool
	gone     dialect.Places // of the tools
	keep     func(name string) bool
}

// Read implements gateway.Dialect.
func (d Dialect) Read(_ *http.Request, body []byte) (gateway.Request, error) {
	r := &request{Locator: dialect.Locator{Grammar: grammar}, src: body, generate: d.Generate}
	if err := r.doc.Parse(body, d.Limits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	root := r.doc.Root()
	if root.Kind() != jsonedit.Object {
		return nil, dialect.Invalid(body, root, "", "an object should stand here, not %s", root.Kind())
	}
	if err := dialect.Spelled(body, root, dialect.FoldCase, free); err != nil {
		return nil, err
	}
	if r.model = member(root, "model"); r.model.Kind() != jsonedit.String || r.model.Text() == "" {
		return nil, dialect.Invalid(body, r.model, "model", "a string is required")
	}
	if len(r.model.Raw()) > dialect.LongestName*2 {
		return nil, dialect.Invalid(body, r.model, "model", "the name is too long")
	}
	switch s := member(root, "stream"); s.Kind() {
	case jsonedit.Bool:
		r.stream = s.True()
	case jsonedit.Missing, jsonedit.Null:
		r.stream = true
	default:
		return nil, dialect.Invalid(body, s, "stream", "true or false should stand here")
	}
	if m := member(root, "messages"); !d.Generate && m.Kind() != jsonedit.Array {
		return nil, dialect.Invalid(body, m, "messages", "an array is required")
	}
	if p := member(root, "prompt"); d.Generate && p.Kind() != jsonedit.String {
		return nil, dialect.Invalid(body, p, "prompt", "a string is required")
	}
	for key, v := range root.Members() {
		if err := r.member(dialect.FoldCase(key), v, "/"+dialect.Pointer(key)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// member adds the texts of a member of the request.
func (r *request) member(key string, v jsonedit.Value, path string) error {
	switch key {
	case "model", "stream":
	case "messages":
		if r.generate {
			r.All(v, path, key, ringwall.Unverified)
			return nil
		}
		return r.messages(v, path)
	case "prompt", "suffix", "images":
		r.All(v, path, key, ringwall.User)
	case "system", "template":
		r.All(v, path, key, ringwall.System)
	case "tools", "format":
		r.All(v, path, key, ringwall.System)
	case "context":
		for range v.Elems() {
			return dialect.Invalid(r.src, v, "context", "the tokens of a conversation cannot be looked at; send its messages to /api/chat")
		}
		r.All(v, path, key, ringwall.Unverified)
	case "options":
		if v.Kind() != jsonedit.Object {
			r.All(v, path, key, ringwall.Unverified)
		}
		for k, m := range v.Members() {
			if k != "stop" {
				r.All(m, path+"/"+dialect.Pointer(k), k, ringwall.Unverified)
			}
		}
	default:
		r.All(v, path, key, ringwall.Unverified)
	}
	return nil
}

func (r *request) messages(list jsonedit.Value, path string) error {
	n := 0
	for i, m := range list.Elems() {
		n++
		name, p := "messages["+strconv.Itoa(i)+"]", path+"/"+strconv.Itoa(i)
		if m.Kind() != jsonedit.Object {
			return dialect.Invalid(r.src, m, name, "an object should stand here, not %s", m.Kind())
		}
		role := member(m, "role")
		origin, known := origins[role.Text()]
		if !known {
			return dialect.Invalid(r.src, role, name+".role", "want system, user, assistant or tool, not %.40q", role.Text())
		}
		if c := member(m, "content"); c.Exists() && c.Kind() != jsonedit.String && c.Kind() != jsonedit.Null {
			return dialect.Invalid(r.src, c, name+".content", "a string should stand here, not %s", c.Kind())
		}
		message(&r.Locator, m, p, origin)
	}
	if n == 0 {
		return dialect.Invalid(r.src, list, "messages", "at least one message is required")
	}
	return nil
}

// message adds the texts of a message.
func message(l *dialect.Locator, m jsonedit.Value, path string, o ringwall.Origin) {
	for k, v := range m.Members() {
		ofMessage(l, k, v, path, o)
	}
}

// ofMessage adds the texts of a member of the message at path.
func ofMessage(l *dialect.Locator, key string, v jsonedit.Value, path string, o ringwall.Origin) {
	path, key = path+"/"+dialect.Pointer(key), dialect.FoldCase(key)
	if key != "tool_calls" || v.Kind() != jsonedit.Array {
		l.All(v, path, key, o)
		return
	}
	for i, c := range v.Elems() {
		call(l, c, path+"/"+strconv.Itoa(i))
	}
}

// call adds the texts of {"function":{"name":…,"arguments":{…}}}.
func call(l *dialect.Locator, v jsonedit.Value, path string) {
	if v.Kind() != jsonedit.Object {
		l.All(v, path, "tool_calls", ringwall.Assistant)
	}
	for k, m := range v.Members() {
		p := path + "/" + dialect.Pointer(k)
		if dialect.FoldCase(k) != "function" || m.Kind() != jsonedit.Object {
			l.All(m, p, k, ringwall.Assistant)
			continue
		}
		for k, m := range m.Members() {
			p := p + "/" + dialect.Pointer(k)
			switch {
			case dialect.FoldCase(k) != "arguments":
				l.All(m, p, k, ringwall.Assistant)
			case m.Kind() == jsonedit.String:
				l.Arguments(m, p, ringwall.Assistant)
			default:
				l.Every(m, p, ringwall.Assistant)
			}
		}
	}
}

// Document implements gateway.Parsed.
func (r *request) Document() jsonedit.Value { return r.doc.Root() }

func (r *request) Model() string             { return r.model.Text() }
func (r *request) Stream() bool              { return r.stream }
func (r *request) Header() map[string]string { return nil }
func (r *request) WithModel(name string)     { r.rename = name }

func (r *request) Edit(changed []guard.Changed) []byte {
	out := r.src
	if len(changed) > 0 || r.rename != "" {
		edits := r.Edits(changed)
		if r.rename != "" {
			edits = append(edits, r.model.Set(r.rename))
		}
		out = dialect.Splice(r.src, edits)
	}
	if len(r.gone) > 0 { // by their places, which no edit of a text moves
		out = dialect.Redo(out, r.offered)
	}
	return out
}

// MostTokens implements gateway.Bounded.
func (r *request) MostTokens() int64 {
	return dialect.Most(jsonedit.Value{}, r.doc.Root().Get("options").Get("num_predict"))
}
