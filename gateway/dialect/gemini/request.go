package gemini

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// origins are the roles that a content may have, and whose words it holds.
var origins = map[string]ringwall.Origin{
	"": ringwall.User, "user": ringwall.User, "model": ringwall.Assistant, "function": ringwall.Tool, "tool": ringwall.Tool,
}

// request implements gateway.Request.
type request struct {
	locator
	doc    jsonedit.Doc
	src    []byte
	name   string         // of the model, in the path
	model  jsonedit.Value // in the body, where it need not be
	rename string
	stream bool
	events bool // the stream is of server-sent events
	count  bool // its tokens are counted, or those of a request in it
	offer  offer
}

// unserved are methods that there are and that are not served, and what to do.
var unserved = map[string]string{
	"embedContent":       "ask POST /v1/embeddings",
	"batchEmbedContents": "ask POST /v1/embeddings",
}

// call splits the last segment of the path into a model and a method.
func call(segment string, count bool) (model, method string, err error) {
	at := strings.LastIndexByte(segment, ':')
	if at <= 0 {
		return "", "", unknownMethod(http.StatusNotFound, "The path should end in a model and a method, as in gemini-2.5-pro:generateContent.")
	}
	model, method = segment[:at], segment[at+1:]
	if len(model) > dialect.LongestName*2 || strings.IndexFunc(model, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return "", "", unknownMethod(http.StatusBadRequest, "The name of the model in the path is too long, or holds more than visible ASCII characters.")
	}
	if method == "generateContent" || method == "streamGenerateContent" || count && method == "countTokens" {
		return model, method, nil
	}
	if instead, known := unserved[method]; known {
		return "", "", unknownMethod(http.StatusNotImplemented, fmt.Sprintf("The method %s is not served: %s.", method, instead))
	}
	return "", "", unknownMethod(http.StatusNotFound, fmt.Sprintf("There is no method %.80q: there are generateContent, streamGenerateContent and countTokens.", method))
}

func unknownMethod(status int, public string) *ringwall.Refusal {
	return &ringwall.Refusal{Status: status, Code: "unsupported_method", Public: public, Err: fmt.Errorf("the path names no method that is served")}
}

// Read implements gateway.Dialect.
func (d Dialect) Read(hr *http.Request, body []byte) (gateway.Request, error) {
	return d.read(hr, body, false)
}

// read reads a request for an answer, or for a count of its tokens.
func (d Dialect) read(hr *http.Request, body []byte, count bool) (gateway.Request, error) {
	r := &request{locator: located(), src: body, count: count}
	model, method, err := call(hr.PathValue("call"), count)
	if err != nil {
		return nil, err
	}
	r.name, r.stream = model, method == "streamGenerateContent"
	for _, alt := range hr.URL.Query()["alt"] {
		switch alt {
		case "sse":
			r.events = true
		case "json", "":
		default:
			return nil, dialect.Invalid(body, jsonedit.Value{}, "alt", "want sse or json, not %.40q", alt)
		}
	}
	if err := r.doc.Parse(body, d.Limits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	root := r.doc.Root()
	if root.Kind() != jsonedit.Object {
		return nil, dialect.Invalid(body, root, "", "an object should stand here, not %s", root.Kind())
	}
	if err := dialect.Spelled(body, root, dialect.FoldProto, free); err != nil {
		return nil, err
	}
	whole := root
	if inner := member(root, "generatecontentrequest"); count && inner.Exists() {
		whole = inner
	}
	if c := member(whole, "contents"); c.Kind() != jsonedit.Array && c.Kind() != jsonedit.Object {
		return nil, dialect.Invalid(body, c, "contents", "an array is required")
	}
	return r, r.members(root, "", count)
}

// members adds the texts of a request, or of the one that another has its tokens
// counted of.
func (r *request) members(v jsonedit.Value, path string, count bool) error {
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		var err error
		if count && dialect.FoldProto(key) == "generatecontentrequest" && m.Kind() == jsonedit.Object {
			err = r.members(m, p, false)
		} else {
			err = r.member(key, m, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// member adds the texts of a member of the request.
func (r *request) member(key string, v jsonedit.Value, path string) error {
	switch dialect.FoldProto(key) {
	case "model":
		if named := v.Text(); named != r.name && named != "models/"+r.name {
			return dialect.Invalid(r.src, v, "model", "the path names another model; leave it away here")
		}
		r.model = v
	case "contents":
		return r.contents(v, path)
	case "systeminstruction":
		if v.Kind() == jsonedit.String {
			r.Add(v, path, ringwall.System)
			return nil
		}
		return r.content(v, path, ringwall.System)
	case "tools":
		r.All(v, path, "tools", ringwall.System)
	case "toolconfig":
		if s := member(member(v, "functioncallingconfig"), "streamfunctioncallarguments"); s.True() {
			return dialect.Invalid(r.src, s, "streamFunctionCallArguments", "calls are not streamed in pieces here; leave it away")
		}
		r.All(v, path, "toolConfig", ringwall.System)
	case "generationconfig":
		for k, m := range v.Members() {
			p := path + "/" + dialect.Pointer(k)
			switch dialect.FoldProto(k) {
			case "stopsequences":
			case "responseschema", "responsejsonschema":
				r.All(m, p, "tools", ringwall.System)
			default:
				r.All(m, p, k, ringwall.Unverified)
			}
		}
	case "cachedcontent":
		r.unsee("cached-content")
		r.All(v, path, key, ringwall.Unverified)
	default:
		r.All(v, path, key, ringwall.Unverified)
	}
	return nil
}

func (r *request) contents(list jsonedit.Value, path string) error {
	n := 0
	for p, c := range each(list, path) {
		n++
		if c.Kind() != jsonedit.Object {
			return dialect.Invalid(r.src, c, p[1:], "an object should stand here, not %s", c.Kind())
		}
		role := member(c, "role")
		origin, known := origins[role.Text()]
		if !known || role.Exists() && role.Kind() != jsonedit.String && role.Kind() != jsonedit.Null {
			return dialect.Invalid(r.src, role, p[1:]+"/role", "want user, model or function, not %.40q", role.Text())
		}
		if err := r.content(c, p, origin); err != nil {
			return err
		}
	}
	if n == 0 {
		return dialect.Invalid(r.src, list, "contents", "at least one content is required")
	}
	return nil
}

// content adds the texts of {"role":…,"parts":[…]}.
func (r *request) content(v jsonedit.Value, path string, o ringwall.Origin) error {
	if v.Kind() != jsonedit.Object {
		return dialect.Invalid(r.src, v, path[1:], "an object should stand here, not %s", v.Kind())
	}
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		if dialect.FoldProto(key) != "parts" {
			r.All(m, p, key, o)
			continue
		}
		for p, part := range each(m, p) {
			if part.Kind() != jsonedit.Object {
				return dialect.Invalid(r.src, part, p[1:], "an object should stand here, not %s", part.Kind())
			}
			r.part(part, p, o)
		}
	}
	return nil
}

// Document implements gateway.Parsed.
func (r *request) Document() jsonedit.Value { return r.doc.Root() }

func (r *request) Model() string             { return r.name }
func (r *request) Stream() bool              { return r.stream }
func (r *request) Header() map[string]string { return nil }
func (r *request) WithModel(name string)     { r.rename = name }

// ContentType implements gateway.Typed: a stream may be one JSON array.
func (r *request) ContentType(stream bool) string {
	if stream && r.events {
		return "text/event-stream"
	}
	return "application/json"
}

func (r *request) Edit(changed []guard.Changed) []byte {
	out := r.edit(changed)
	if len(r.offer.tools) > 0 {
		return dialect.Redo(out, func(root jsonedit.Value) []jsonedit.Edit { return r.offer.edits(r.whole(root)) })
	}
	return out
}

func (r *request) edit(changed []guard.Changed) []byte {
	if len(changed) == 0 && (r.rename == "" || !r.model.Exists()) {
		return r.src
	}
	edits := r.Edits(changed)
	if r.rename != "" && r.model.Exists() {
		edits = append(edits, r.model.Set("models/"+strings.TrimPrefix(r.rename, "models/")))
	}
	return dialect.Splice(r.src, edits)
}

// MostTokens implements gateway.Bounded.
func (r *request) MostTokens() int64 {
	all := dialect.Most(jsonedit.Value{})
	for key, v := range r.doc.Root().Members() {
		if key == "generationConfig" || key == "generation_config" {
			times := v.Get("candidateCount")
			if !times.Exists() {
				times = v.Get("candidate_count")
			}
			all = max(all, dialect.Most(times, v.Get("maxOutputTokens"), v.Get("max_output_tokens")))
		}
	}
	return all
}
