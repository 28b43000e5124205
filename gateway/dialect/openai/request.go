package openai

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
	"system":    ringwall.System,
	"developer": ringwall.System,
	"user":      ringwall.User,
	"assistant": ringwall.Assistant,
	"tool":      ringwall.Tool,
	"function":  ringwall.Tool,
}

// locator finds the texts of chat completions.
type locator struct{ dialect.Locator }

func located() locator { return locator{dialect.Locator{Grammar: grammar}} }

// request implements gateway.Request.
type request struct {
	locator
	doc    jsonedit.Doc
	src    []byte
	model  jsonedit.Value
	rename string
	stream bool
	offer  *Offer // nil: all tools stay
	keep   func(name string) bool
}

// Read implements gateway.Dialect.
func (c Chat) Read(_ *http.Request, body []byte) (gateway.Request, error) {
	r := &request{locator: located(), src: body}
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
	switch s := root.Get("stream"); s.Kind() {
	case jsonedit.Bool:
		r.stream = s.True()
	case jsonedit.Missing, jsonedit.Null:
	default:
		return nil, dialect.Invalid(body, s, "stream", "true or false should stand here")
	}
	messages := root.Get("messages")
	if messages.Kind() != jsonedit.Array {
		return nil, dialect.Invalid(body, messages, "messages", "an array is required")
	}
	for key, v := range root.Members() {
		path := "/" + dialect.Pointer(key)
		switch key {
		case "model", "stream", "tool_choice", "function_call", "stop":
		case "messages":
			if err := r.messages(v); err != nil {
				return nil, err
			}
		case "tools", "functions", "response_format", "web_search_options":
			r.All(v, path, "tools", ringwall.System)
		case "prediction":
			r.All(v, path, key, ringwall.User)
		default:
			r.All(v, path, key, ringwall.Unverified)
		}
	}
	return r, nil
}

func (r *request) messages(list jsonedit.Value) error {
	n := 0
	for i, m := range list.Elems() {
		n++
		path := "/messages/" + strconv.Itoa(i)
		if m.Kind() != jsonedit.Object {
			return dialect.Invalid(r.src, m, "messages["+strconv.Itoa(i)+"]", "an object should stand here, not %s", m.Kind())
		}
		role := m.Get("role")
		origin, known := origins[role.Text()]
		if !known {
			return dialect.Invalid(r.src, role, "messages["+strconv.Itoa(i)+"].role", "want system, developer, user, assistant, tool or function, not %.40q", role.Text())
		}
		for key, v := range m.Members() {
			switch key {
			case "role", "tool_call_id":
				r.All(v, path+"/"+key, key, origin)
			case "content":
				if err := r.content(v, i, path+"/content", origin); err != nil {
					return err
				}
			case "tool_calls":
				r.toolCalls(v, path+"/tool_calls")
			case "function_call":
				r.toolCall(v, path+"/function_call")
			default:
				r.All(v, path+"/"+dialect.Pointer(key), key, origin)
			}
		}
	}
	if n == 0 {
		return dialect.Invalid(r.src, list, "messages", "at least one message is required")
	}
	return nil
}

func (r *request) content(v jsonedit.Value, i int, path string, origin ringwall.Origin) error {
	switch v.Kind() {
	case jsonedit.String:
		r.Add(v, path, origin)
	case jsonedit.Null:
	case jsonedit.Array:
		for j, part := range v.Elems() {
			if part.Kind() != jsonedit.Object {
				return dialect.Invalid(r.src, part, "messages["+strconv.Itoa(i)+"].content["+strconv.Itoa(j)+"]", "an object should stand here, not %s", part.Kind())
			}
			r.All(part, path+"/"+strconv.Itoa(j), "", origin)
		}
	default:
		return dialect.Invalid(r.src, v, "messages["+strconv.Itoa(i)+"].content", "a string or an array of parts should stand here, not %s", v.Kind())
	}
	return nil
}

func (l *locator) toolCalls(v jsonedit.Value, path string) {
	if v.Kind() != jsonedit.Array {
		l.All(v, path, "tool_calls", ringwall.Assistant)
		return
	}
	for i, call := range v.Elems() {
		p := path + "/" + strconv.Itoa(i)
		for key, m := range call.Members() {
			if key == "function" || key == "custom" {
				l.toolCall(m, p+"/"+key)
			} else {
				l.All(m, p+"/"+dialect.Pointer(key), key, ringwall.Assistant)
			}
		}
	}
}

// toolCall adds the texts of {"name":…,"arguments":"{…}"}.
func (l *locator) toolCall(v jsonedit.Value, path string) {
	if v.Kind() != jsonedit.Object {
		l.All(v, path, "", ringwall.Assistant)
		return
	}
	for key, m := range v.Members() {
		if key == "arguments" {
			l.Arguments(m, path+"/arguments", ringwall.Assistant)
		} else {
			l.All(m, path+"/"+dialect.Pointer(key), key, ringwall.Assistant)
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
	out := r.edit(changed)
	if r.offer != nil { // by their places, which no edit of a text moves
		out = dialect.Redo(out, r.offer.Edits)
	}
	return out
}

func (r *request) edit(changed []guard.Changed) []byte {
	if len(changed) == 0 && r.rename == "" {
		return r.src
	}
	edits := r.Edits(changed)
	if r.rename != "" {
		edits = append(edits, r.model.Set(r.rename))
	}
	return dialect.Splice(r.src, edits)
}

// MostTokens implements gateway.Bounded.
func (r *request) MostTokens() int64 {
	root := r.doc.Root()
	return dialect.Most(root.Get("n"), root.Get("max_completion_tokens"), root.Get("max_tokens"))
}
