// Package gemini speaks Google's Gemini API, as clients and providers of it do:
// generateContent and streamGenerateContent.
//
// A request is JSON of protocol buffers, whose members have two spellings,
// camelCase and snake_case; one given in both is refused, for readers differ on
// which one counts. The model and the method stand in the path. A stream is
// server-sent events where the query says alt=sse, and else one JSON array.
//
// The texts of an answer are runs: parts of text that follow one another are one
// text, whole or streamed, for clients put them together. Streams are in [relay].
package gemini

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// API is the name of the dialect.
const API = "gemini"

// Dialect is the dialect of POST /v1beta/models/{call}.
type Dialect struct {
	gateway.Common
	Limits jsonedit.Limits // of requests
}

var (
	_ gateway.Dialect  = Dialect{}
	_ gateway.Decliner = Dialect{}
)

// Name implements gateway.Dialect.
func (Dialect) Name() string { return API }

// Credential implements gateway.Dialect: a key in the header X-Goog-Api-Key or in
// the query, or a bearer token. Several must be one.
func (Dialect) Credential(r *http.Request) (string, error) {
	key, err := gateway.Shown(r, "X-Goog-Api-Key")
	if err != nil {
		return "", err
	}
	for _, other := range r.URL.Query()["key"] {
		switch other = strings.TrimSpace(other); {
		case other == "" || other == key:
		case key != "":
			return "", errors.New("several different keys are given; send one, in the header x-goog-api-key")
		default:
			key = other
		}
	}
	return key, nil
}

// statuses are the words of google.rpc.Code for HTTP's.
var statuses = map[int]string{
	http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED", http.StatusNotFound: "NOT_FOUND",
	http.StatusRequestTimeout: "DEADLINE_EXCEEDED", http.StatusTooManyRequests: "RESOURCE_EXHAUSTED",
	http.StatusNotImplemented: "UNIMPLEMENTED", http.StatusBadGateway: "UNAVAILABLE", http.StatusServiceUnavailable: "UNAVAILABLE",
	http.StatusGatewayTimeout: "DEADLINE_EXCEEDED",
}

func statusWord(status int) string {
	switch word, ok := statuses[status]; {
	case ok:
		return word
	case status >= 500:
		return "INTERNAL"
	}
	return "INVALID_ARGUMENT"
}

// AppendError implements gateway.Dialect, in the shape of Google's errors.
func (Dialect) AppendError(dst []byte, _ http.Header, r *ringwall.Refusal, id string) []byte {
	dst = append(dst, `{"error":{"code":`...)
	dst = appendInt(dst, int64(r.Status))
	dst = append(dst, `,"message":`...)
	dst = jsonedit.AppendQuote(dst, r.Public+" (reference "+id+")")
	dst = append(dst, `,"status":"`+statusWord(r.Status)+`","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":`...)
	dst = jsonedit.AppendQuote(dst, strings.ToUpper(r.Code))
	return append(dst, `,"domain":"ringwall"}]}}`...)
}

// grammar is that of the Gemini API. Keys stand in it in both spellings.
var grammar = dialect.Grammar{
	Names: dialect.NameSet(
		"role", "type", "format", "mode", "mimeType", "mime_type", "language", "outcome", "category", "threshold", "probability", "severity",
		"finishReason", "blockReason", "responseMimeType", "response_mime_type", "responseModalities", "response_modalities",
		"mediaResolution", "media_resolution", "thinkingLevel", "thinking_level", "voiceName", "voice_name", "languageCode", "language_code",
		"behavior", "modality", "modelVersion", "responseId", "createTime", "trafficType", "serviceTier", "service_tier",
	),
	Medium: medium,
}

// medium names a string that only its own provider can read.
func medium(key string, v jsonedit.Value) string {
	if (key == "thoughtSignature" || key == "thought_signature") && dialect.IsBase64(v) {
		return "thought-signature"
	}
	return ""
}

// free are the members, folded, whose keys are the caller's own.
var free = dialect.NameSet("args", "response", "properties", "defs", "$defs", "parametersjsonschema", "responsejsonschema", "labels", "partialargs")

// AppendModels implements gateway.Lister.
func (Dialect) AppendModels(dst []byte, names []string) []byte {
	dst = append(dst, `{"models":[`...)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":`...)
		dst = jsonedit.AppendQuote(dst, "models/"+name)
		dst = append(dst, `,"displayName":`...)
		dst = jsonedit.AppendQuote(dst, name)
		dst = append(dst, `,"supportedGenerationMethods":["generateContent"]}`...)
	}
	return append(dst, `]}`...)
}
