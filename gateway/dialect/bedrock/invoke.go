package bedrock

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Invoke is the dialect of POST /model/{modelId}/invoke and
// invoke-with-response-stream, whose bodies are in the words of the model that is
// asked. Which these are is told by its id. Of a model that nobody here knows every
// string is a text of nobody, and is looked at.
type Invoke struct {
	common
	Limits jsonedit.Limits // of requests
}

var (
	_ gateway.Dialect  = Invoke{}
	_ gateway.Decliner = Invoke{}
)

// Name implements gateway.Dialect.
func (Invoke) Name() string { return InvokeAPI }

// bodyConfig is the member of a body that is for guardrails.
const bodyConfig = "amazon-bedrock-guardrailConfig"

// family is a family of models with the same words.
type family uint8

const (
	unknown   family = iota
	anthropic        // Anthropic's messages
	nova             // as Converse, and Converse itself
	titan
	llama
)

// families are told by what their ids contain, also in ARNs and behind a Region.
var families = []struct {
	mark   string
	family family
}{
	{"anthropic.claude", anthropic}, {"amazon.nova", nova}, {"amazon.titan-text", titan}, {"amazon.titan-tg1", titan}, {"meta.llama", llama},
}

func familyOf(model string) family {
	for _, f := range families {
		if strings.Contains(model, f.mark) {
			return f.family
		}
	}
	return unknown
}

// invokeNames are the members of the bodies of all families whose strings are names
// of a format.
var invokeNames = dialect.NameSet(
	"type", "role", "id", "model", "object", "stop_reason", "finish_reason", "completionReason", "stopReason", "tool_use_id", "toolUseId",
	"media_type", "anthropic_version", "anthropic_beta", "ttl", "format", "status", "service_tier", "schemaVersion", "latency",
	"amazon-bedrock-guardrailAction",
)

func invokeLocated() *locator { return locatedBut(invokeNames) }

// locatorOf returns how texts of a family are found.
func locatorOf(f family) func() *locator {
	if f == nova {
		return located
	}
	return invokeLocated
}

// passed are the headers that belong to the request, and how they are called.
var passed = []string{"X-Amzn-Bedrock-Performanceconfig-Latency", "X-Amzn-Bedrock-Service-Tier"}

// Read implements gateway.Dialect.
func (c Invoke) Read(h *http.Request, body []byte) (gateway.Request, error) {
	model, operation, err := target(h)
	if err != nil {
		return nil, err
	}
	r := &request{src: body, model: model, stream: operation == "invoke-with-response-stream", ours: bodyConfig}
	r.named = guardrailOf(h.Header.Get("X-Amzn-Bedrock-Guardrailidentifier"), h.Header.Get("X-Amzn-Bedrock-Guardrailversion"), h.Header.Get("X-Amzn-Bedrock-Trace"))
	for _, name := range passed {
		if v := h.Header.Get(name); v != "" {
			if r.header == nil {
				r.header = map[string]string{}
			}
			r.header[name] = v
		}
	}
	root, err := parse(&r.doc, body, c.Limits)
	if err != nil {
		return nil, err
	}
	if err := r.named.mode(body, root.Get(bodyConfig).Get("streamProcessingMode"), bodyConfig+".streamProcessingMode", "SYNCHRONOUS", "ASYNCHRONOUS"); err != nil {
		return nil, err
	}
	if r.family = familyOf(model); r.family == unknown {
		r.family = wordsOf(root)
	}
	r.locator = locatorOf(r.family)()
	switch r.family {
	case nova:
		err = r.members(root)
	case anthropic:
		err = r.anthropic(root)
	case titan, llama, unknown:
		r.plain(root)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// plain adds the texts of a request that is a prompt with settings, or anything.
func (r *request) plain(root jsonedit.Value) {
	for key, v := range root.Members() {
		path := "/" + dialect.Pointer(key)
		switch {
		case key == bodyConfig:
		case r.family == titan && key == "inputText", r.family == llama && key == "prompt":
			r.All(v, path, "", ringwall.User)
		case r.family == llama && key == "images":
			r.within(media["image"], v, path, "data", ringwall.User)
		case r.family == titan && key == "textGenerationConfig":
			r.sampling(v, path)
		default:
			r.All(v, path, key, ringwall.Unverified)
		}
	}
}

// anthropic adds the texts of a request in the words of Anthropic's messages.
func (r *request) anthropic(root jsonedit.Value) error {
	if !root.Get("messages").Exists() && !root.Get("prompt").Exists() {
		return dialect.Invalid(r.src, root, "messages", "an array is required")
	}
	for key, v := range root.Members() {
		path := "/" + dialect.Pointer(key)
		switch key {
		case "messages":
			if err := r.turns(v); err != nil {
				return err
			}
		case "system", "tools", "tool_choice", "output_config", "output_format":
			r.All(v, path, "tools", ringwall.System)
		case "prompt":
			r.All(v, path, "", ringwall.User)
		case "stop_sequences", bodyConfig:
		default:
			r.All(v, path, key, ringwall.Unverified)
		}
	}
	return nil
}

func (r *request) turns(list jsonedit.Value) error {
	if list.Kind() != jsonedit.Array {
		return dialect.Invalid(r.src, list, "messages", "an array should stand here, not %s", list.Kind())
	}
	for i, m := range list.Elems() {
		at, path := "messages["+strconv.Itoa(i)+"]", "/messages/"+strconv.Itoa(i)
		origin, known := origins[m.Get("role").Text()]
		if m.Get("role").Is("system") {
			origin, known = ringwall.System, true
		}
		if !known {
			return dialect.Invalid(r.src, m.Get("role"), at+".role", "want user or assistant, not %.40q", m.Get("role").Text())
		}
		for key, v := range m.Members() {
			if key == "content" {
				r.said(v, path+"/content", origin)
			} else {
				r.All(v, path+"/"+dialect.Pointer(key), key, origin)
			}
		}
	}
	return nil
}

// said adds the texts of content in the words of Anthropic's messages: a string, or
// blocks.
func (l *locator) said(v jsonedit.Value, path string, o ringwall.Origin) {
	if v.Kind() != jsonedit.Array {
		l.All(v, path, "", o)
		return
	}
	for i, b := range v.Elems() {
		p := path + "/" + strconv.Itoa(i)
		switch kind := b.Get("type").Text(); kind {
		case "image":
			l.within(media["image"], b, p, "", o)
		case "document":
			l.paper(b, p, o)
		case "thinking", "redacted_thinking":
			l.within(signed, b, p, "", o)
		case "search_result":
			l.All(b, p, "", ringwall.Retrieved)
		default:
			l.saidBlock(b, p, o)
		}
	}
}

// paper adds the texts of a document, whose data may be a text.
func (l *locator) paper(b jsonedit.Value, path string, o ringwall.Origin) {
	for key, v := range b.Members() {
		p := path + "/" + dialect.Pointer(key)
		switch {
		case key == "context":
			l.All(v, p, key, o)
		case key == "source" && v.Get("type").Is("base64"):
			l.within(media["document"], v, p, key, ringwall.Retrieved)
		case key == "source" && v.Get("type").Is("content"):
			for k, m := range v.Members() {
				if k == "content" {
					l.said(m, p+"/content", ringwall.Retrieved)
				} else {
					l.All(m, p+"/"+dialect.Pointer(k), k, ringwall.Retrieved)
				}
			}
		default:
			l.All(v, p, key, ringwall.Retrieved)
		}
	}
}

// saidBlock adds the texts of a call, a result, or any other block.
func (l *locator) saidBlock(b jsonedit.Value, path string, o ringwall.Origin) {
	if b.Kind() != jsonedit.Object {
		l.All(b, path, "", o)
		return
	}
	result := strings.HasSuffix(b.Get("type").Text(), "tool_result")
	if result {
		o = ringwall.Tool
	}
	for key, v := range b.Members() {
		switch p := path + "/" + dialect.Pointer(key); {
		case key == "input":
			l.Every(v, p, o)
		case key == "content" && result:
			l.said(v, p, o)
		default:
			l.All(v, p, key, o)
		}
	}
}
