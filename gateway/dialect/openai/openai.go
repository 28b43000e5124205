// Package openai speaks OpenAI's chat completions API, as clients and providers
// of it do.
//
// Requests and answers are parsed once, strictly (package internal/jsonedit);
// every string in them is a text that is looked at, unless the format says that
// it is a name or a number in disguise ([structural]). So a field that nobody
// knew when this was written is guarded as well, and it survives. Changed texts
// are replaced at their byte offsets.
//
// Arguments of tool calls are JSON inside a string: they are read as JSON, so
// that an escape cannot hide what they say, and edited inside the string.
//
// Streams are in [relay].
package openai

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Chat is the dialect of POST /v1/chat/completions.
type Chat struct {
	Common
	Limits jsonedit.Limits // of requests
}

// Name implements gateway.Dialect.
func (Chat) Name() string { return API }

// Common is what OpenAI's dialects do alike, for embedding.
type Common struct{ gateway.Common }

// AppendError implements gateway.Dialect, in the shape of OpenAI's errors.
func (Common) AppendError(dst []byte, _ http.Header, r *ringwall.Refusal, id string) []byte {
	dst = append(dst, `{"error":{"message":`...)
	dst = jsonedit.AppendQuote(dst, r.Public+" (reference "+id+")")
	dst = append(dst, `,"type":`...)
	dst = jsonedit.AppendQuote(dst, errorType(r.Status))
	dst = append(dst, `,"param":null,"code":`...)
	dst = jsonedit.AppendQuote(dst, r.Code)
	return append(dst, `}}`...)
}

func errorType(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= 500:
		return "server_error"
	}
	return "invalid_request_error"
}

// names are the members whose strings are names in all of OpenAI's APIs.
var names = []string{
	"id", "type", "object", "role", "tool_call_id", "index", "call_id",
	"finish_reason", "service_tier", "system_fingerprint", "reasoning_effort", "verbosity",
	"detail", "format", "voice", "modalities", "encoding_format", "ttl", "native_finish_reason", "obfuscation",
}

// Names returns the members whose strings are names in all of OpenAI's APIs, and
// those of one of them.
func Names(more ...string) map[string]bool {
	return dialect.NameSet(slices.Concat(names, more)...)
}

// grammar is that of chat completions.
var grammar = dialect.Grammar{Names: Names(), Medium: Medium}

// Medium names what a string holds that is no text but an image, a sound or a
// file in base64; "" when it is text.
func Medium(key string, v jsonedit.Value) string {
	raw := v.Raw()
	switch {
	case key == "url" && strings.HasPrefix(string(raw[1:min(len(raw), 12)]), "data:"):
		return "image-part"
	case key == "data" && len(raw) > dialect.LongestName:
		return "audio-part"
	case key == "file_data":
		return "file-part"
	}
	return ""
}

var _ gateway.Dialect = Chat{}
