// Package ollama speaks Ollama's own API, as clients and providers of it do:
// /api/chat and /api/generate.
//
// Ollama reads the keys of requests without regard to case, so a member that is
// given twice that way is refused. A stream is one JSON document a line, and what
// a request asks for when it does not say. The tokens of a conversation (context)
// are neither taken nor given: nobody can look at them.
package ollama

import (
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Names of the dialects.
const (
	API         = "ollama"          // POST /api/chat
	GenerateAPI = "ollama-generate" // POST /api/generate
)

// Dialect is the dialect of POST /api/chat.
type Dialect struct {
	gateway.Common
	Limits   jsonedit.Limits // of requests
	Generate bool            // that of POST /api/generate
}

var (
	_ gateway.Dialect = Dialect{}
	_ gateway.Lister  = Dialect{}
)

// Name implements gateway.Dialect.
func (d Dialect) Name() string {
	if d.Generate {
		return GenerateAPI
	}
	return API
}

// ContentType implements gateway.Dialect.
func (Dialect) ContentType(stream bool) string {
	if stream {
		return "application/x-ndjson"
	}
	return "application/json"
}

// AppendError implements gateway.Dialect, in the shape of Ollama's errors.
func (Dialect) AppendError(dst []byte, _ http.Header, r *ringwall.Refusal, id string) []byte {
	dst = append(dst, `{"error":`...)
	return append(jsonedit.AppendQuote(dst, r.Public+" (reference "+id+")"), '}')
}

// AppendModels implements gateway.Lister, as GET /api/tags answers.
func (Dialect) AppendModels(dst []byte, names []string) []byte {
	dst = append(dst, `{"models":[`...)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":`...)
		dst = jsonedit.AppendQuote(dst, name)
		dst = append(dst, `,"model":`...)
		dst = jsonedit.AppendQuote(dst, name)
		dst = append(dst, `,"modified_at":"`+epoch+`","size":0,"digest":"","details":{"parent_model":"","format":"","family":"","families":[],"parameter_size":"","quantization_level":""}}`...)
	}
	return append(dst, `]}`...)
}

// epoch is the time of what has none.
const epoch = "1970-01-01T00:00:00Z"

// spoken is the version of Ollama whose API this is.
const spoken = "0.13.0"

// Version answers GET /api/version with the version of the API.
func Version(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"version":"` + spoken + `"}`)) // who does not read it misses nothing
}

// grammar is that of Ollama's API.
var grammar = dialect.Grammar{
	Names:  dialect.NameSet("role", "type", "format", "done_reason", "created_at", "think", "keep_alive", "id", "tool_call_id", "object"),
	Medium: medium,
}

func medium(key string, v jsonedit.Value) string {
	if key == "images" && dialect.IsBase64(v) {
		return "image-part"
	}
	return ""
}

// free are the members, folded, whose keys are the caller's own.
var free = dialect.NameSet("arguments", "properties", "$defs", "definitions")

// member returns the member of v whose key folds to key.
func member(v jsonedit.Value, key string) jsonedit.Value {
	for k, m := range v.Members() {
		if dialect.FoldCase(k) == key {
			return m
		}
	}
	return jsonedit.Value{}
}
