// Package responses speaks OpenAI's responses API, as clients and providers of it
// do.
//
// Requests and answers are looked at as those of chat completions are (package
// openai, above this one). What is different here is that an answer says
// everything several times: in pieces, at the end of a part, at the end of an item
// and in the event that ends the stream. Each text has its path in the whole
// answer, "/output/0/content/0/text"; what the guard let go of it is kept under
// that path, and wherever the text comes again, that stands in its place. See
// [relay].
//
// A request may go on from an earlier answer by its id. A provider that keeps its
// answers is sent the id; before others the gateway keeps what was said and puts
// it in front of the request, where the guard looks at it again: [request.Continue].
package responses

import (
	"strings"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// API is the name of the dialect.
const API = "openai-responses"

// Dialect is the dialect of POST /v1/responses.
type Dialect struct {
	openai.Common
	Limits jsonedit.Limits // of requests
}

// Name implements gateway.Dialect.
func (Dialect) Name() string { return API }

var _ gateway.Dialect = Dialect{}

// grammar is that of the responses API.
var grammar = dialect.Grammar{
	Names:  openai.Names("status", "truncation", "previous_response_id", "item_id", "container_id", "approval_request_id"),
	Medium: medium,
}

// medium names what a string holds that is no text.
func medium(key string, v jsonedit.Value) string {
	raw := v.Raw()
	switch {
	case key == "image_url" && strings.HasPrefix(string(raw[1:min(len(raw), 12)]), "data:"):
		return "image-part"
	case key == "result" && len(raw) > 8*dialect.LongestName && base64Only(raw[1:len(raw)-1]), key == "partial_image_b64":
		return "image-part"
	case key == "file_id":
		return "file-part"
	case key == "encrypted_content":
		return "encrypted-reasoning"
	}
	return openai.Medium(key, v)
}

// base64Only reports whether b may be base64 (RFC 4648 §4), and so is not made of
// words.
func base64Only(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '=') {
			return false
		}
	}
	return true
}
