package bedrock

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

// Converse is the dialect of POST /model/{modelId}/converse and converse-stream.
type Converse struct {
	common
	Limits jsonedit.Limits // of requests
}

var (
	_ gateway.Dialect  = Converse{}
	_ gateway.Decliner = Converse{}
)

// Name implements gateway.Dialect.
func (Converse) Name() string { return API }

// origins are the roles that a message may have, and whose words it holds.
var origins = map[string]ringwall.Origin{"user": ringwall.User, "assistant": ringwall.Assistant}

// request implements gateway.Request.
type request struct {
	*locator
	doc    jsonedit.Doc
	src    []byte
	model  string
	stream bool
	named  guardrail
	ours   string // the member that is for us and for nobody behind us
	family family // of the model, whose own words are asked in
	header map[string]string
	hidden dialect.Places // tools that are not offered
	forced bool           // one of them is forced
}

// Document implements gateway.Parsed.
func (r *request) Document() jsonedit.Value { return r.doc.Root() }

func (r *request) Model() string             { return r.model }
func (r *request) Stream() bool              { return r.stream }
func (r *request) Header() map[string]string { return r.header }
func (r *request) WithModel(string)          {} // it stands in the path, which is the call's

// Guardrail implements gateway.Named.
func (r *request) Guardrail() string { return r.named.ref }

// Sync implements gateway.Patient.
func (r *request) Sync() bool { return r.named.sync }

// Query implements gateway.Qualified.
func (r *request) Query() []int { return r.queries }

var (
	_ gateway.Named     = (*request)(nil)
	_ gateway.Patient   = (*request)(nil)
	_ gateway.Qualified = (*request)(nil)
)

// guardrail is what a request says of guardrails.
type guardrail struct {
	ref   string // "shop" or "shop@2"; "" when it names none
	trace string // "enabled", "enabled_full", else none
	sync  bool   // a streamed answer waits for it, whatever it does else
}

// traced reports whether the client wants to know what was found.
func (g guardrail) traced() bool { return g.trace == "enabled" || g.trace == "enabled_full" }

// ours reports whether a member of an answer says what a guardrail did, in whose
// place stands what ours did.
func (g guardrail) ours(key string, invoked bool) bool {
	return g.traced() && (key == "trace" && !invoked || key == "amazon-bedrock-trace" && invoked)
}

// mode reads how a streamed answer is to wait: as sync, or as async, which is how
// the guardrail itself has it.
func (g *guardrail) mode(body []byte, v jsonedit.Value, path, sync, async string) error {
	switch {
	case v.Is(sync):
		g.sync = true
	case v.Exists() && !v.Is(async):
		return dialect.Invalid(body, v, path, "want %s or %s", sync, async)
	}
	return nil
}

// guardrailOf reads names as Bedrock has them: an id or an ARN, and DRAFT or a
// number.
func guardrailOf(id, version, trace string) guardrail {
	if at := strings.LastIndex(id, ":guardrail/"); at >= 0 && strings.HasPrefix(id, "arn:") {
		id = id[at+len(":guardrail/"):]
	}
	if id != "" && version != "" {
		id += "@" + strings.ToLower(version)
	}
	return guardrail{ref: id, trace: strings.ToLower(trace)}
}

// Read implements gateway.Dialect.
func (c Converse) Read(h *http.Request, body []byte) (gateway.Request, error) {
	r := &request{locator: located(), src: body, ours: "guardrailConfig", family: nova}
	model, operation, err := target(h)
	if err != nil {
		return nil, err
	}
	r.model, r.stream = model, operation == "converse-stream"
	root, err := parse(&r.doc, body, c.Limits)
	if err != nil {
		return nil, err
	}
	if err := r.members(root); err != nil {
		return nil, err
	}
	return r, nil
}

// members adds the texts of a request of Converse.
func (r *request) members(root jsonedit.Value) (err error) {
	body := r.src
	if messages := root.Get("messages"); messages.Kind() != jsonedit.Array {
		return dialect.Invalid(body, messages, "messages", "an array is required")
	}
	for key, v := range root.Members() {
		path := "/" + dialect.Pointer(key)
		switch key {
		case "messages":
			err = r.messages(v)
		case "system":
			if v.Kind() != jsonedit.Array {
				return dialect.Invalid(body, v, "system", "an array of blocks should stand here, not %s", v.Kind())
			}
			r.content(v, path, ringwall.System)
		case "toolConfig", "outputConfig":
			err = r.config(v, path)
		case "inferenceConfig":
			r.sampling(v, path)
		case r.ours:
			if key == "guardrailConfig" {
				err = r.guardrail(v)
			}
		default:
			r.All(v, path, key, ringwall.Unverified)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sampling adds what texts there are among settings. Nobody reads the sequences at
// which a model stops.
func (r *request) sampling(v jsonedit.Value, path string) {
	if v.Kind() != jsonedit.Object {
		r.All(v, path, "", ringwall.Unverified)
	}
	for k, m := range v.Members() {
		if k != "stopSequences" {
			r.All(m, path+"/"+dialect.Pointer(k), k, ringwall.Unverified)
		}
	}
}

func (r *request) messages(list jsonedit.Value) error {
	n := 0
	for i, m := range list.Elems() {
		n++
		at, path := "messages["+strconv.Itoa(i)+"]", "/messages/"+strconv.Itoa(i)
		if m.Kind() != jsonedit.Object {
			return dialect.Invalid(r.src, m, at, "an object should stand here, not %s", m.Kind())
		}
		role := m.Get("role")
		origin, known := origins[role.Text()]
		if !known {
			return dialect.Invalid(r.src, role, at+".role", "want user or assistant, not %.40q", role.Text())
		}
		content := m.Get("content")
		if content.Kind() != jsonedit.Array {
			return dialect.Invalid(r.src, content, at+".content", "an array of blocks is required")
		}
		for j, b := range content.Elems() {
			if b.Kind() != jsonedit.Object {
				return dialect.Invalid(r.src, b, at+".content["+strconv.Itoa(j)+"]", "an object should stand here, not %s", b.Kind())
			}
		}
		for key, v := range m.Members() {
			switch key {
			case "role":
			case "content":
				r.content(v, path+"/content", origin)
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

// config adds the texts of what tells the model which tools there are, and what an
// answer should look like, whose schema is JSON inside a string.
func (r *request) config(v jsonedit.Value, path string) error {
	if v.Kind() != jsonedit.Object {
		return dialect.Invalid(r.src, v, path[1:], "an object should stand here, not %s", v.Kind())
	}
	schema := v.Get("textFormat").Get("structure").Get("jsonSchema").Get("schema")
	if schema.Kind() == jsonedit.String {
		r.Arguments(schema, path+"/textFormat/structure/jsonSchema/schema", ringwall.System)
	}
	r.but(v, path, "tools", schema)
	return nil
}

// but adds every text under v, as the operator's, but for one.
func (r *request) but(v jsonedit.Value, path, key string, not jsonedit.Value) {
	switch {
	case v == not:
	case v.Kind() == jsonedit.Object:
		for k, m := range v.Members() {
			r.but(m, path+"/"+dialect.Pointer(k), k, not)
		}
	case v.Kind() == jsonedit.Array:
		for i, e := range v.Elems() {
			r.but(e, path+"/"+strconv.Itoa(i), key, not)
		}
	default:
		r.All(v, path, key, ringwall.System)
	}
}

func (r *request) guardrail(v jsonedit.Value) error {
	if v.Kind() != jsonedit.Object {
		return dialect.Invalid(r.src, v, "guardrailConfig", "an object should stand here, not %s", v.Kind())
	}
	for key, m := range v.Members() {
		switch key {
		case "guardrailIdentifier", "guardrailVersion", "trace", "streamProcessingMode":
			if m.Kind() != jsonedit.String {
				return dialect.Invalid(r.src, m, "guardrailConfig."+key, "a string should stand here, not %s", m.Kind())
			}
		default:
			return dialect.Invalid(r.src, m, "guardrailConfig", "there is no %.40q", key)
		}
	}
	r.named = guardrailOf(v.Get("guardrailIdentifier").Text(), v.Get("guardrailVersion").Text(), v.Get("trace").Text())
	return r.named.mode(r.src, v.Get("streamProcessingMode"), "guardrailConfig.streamProcessingMode", "sync", "async")
}

// Edit implements gateway.Request. The guardrail that a request names is ours, and
// nobody behind us knows it.
func (r *request) Edit(changed []guard.Changed) []byte {
	out := r.edit(changed)
	if len(r.hidden) > 0 {
		return dialect.Redo(out, r.hide)
	}
	return out
}

func (r *request) edit(changed []guard.Changed) []byte {
	edits := r.Edits(changed)
	edits = append(edits, r.doc.Root().Remove(func(key string) bool { return key == r.ours })...)
	edits = append(edits, r.unproven(changed, r.doc.Root().Get("messages"))...)
	if len(edits) == 0 {
		return r.src
	}
	return dialect.Splice(r.src, edits)
}

// unproven returns the edits that take the proofs of changed reasoning away: they
// prove what was said.
func (r *request) unproven(changed []guard.Changed, messages jsonedit.Value) (edits []jsonedit.Edit) {
	for i, m := range messages.Elems() {
		edits = append(edits, unproven(r.locator, r.family, changed, m.Get("content"), "/messages/"+strconv.Itoa(i)+"/content")...)
	}
	return edits
}

func unproven(l *locator, f family, changed []guard.Changed, content jsonedit.Value, path string) (edits []jsonedit.Edit) {
	for i, b := range content.Elems() {
		text := b.Get("reasoningContent").Get("reasoningText")
		if f == anthropic {
			if text = b; !b.Get("type").Is("thinking") {
				continue
			}
		}
		if f == titan || f == llama || f == unknown || !text.Get("signature").Exists() {
			continue
		}
		at := path + "/" + strconv.Itoa(i) + "/"
		for _, ch := range changed {
			if strings.HasPrefix(l.Texts()[ch.Index].Path, at) {
				edits = append(edits, text.Remove(func(key string) bool { return key == "signature" })...)
				break
			}
		}
	}
	return edits
}

// MostTokens implements gateway.Bounded, in the words of all families of models.
func (r *request) MostTokens() int64 {
	root := r.doc.Root()
	config := root.Get("inferenceConfig")
	return dialect.Most(jsonedit.Value{}, config.Get("maxTokens"), config.Get("max_new_tokens"), root.Get("max_tokens"), root.Get("max_tokens_to_sample"),
		root.Get("max_gen_len"), root.Get("textGenerationConfig").Get("maxTokenCount"))
}
