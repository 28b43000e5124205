// Package anthropic speaks Anthropic's Messages API, as clients and providers of
// it do.
//
// Requests and answers are parsed once, strictly (package internal/jsonedit);
// every string in them is a text that is looked at, unless the format says that
// it is a name or, as a signature, only for the provider to read ([locator]).
// Changed texts are replaced at their byte offsets.
//
// What a model thought is signed. A thought whose text was changed proves nothing
// any more: its signature is replaced by [unsigned], and where a client sends such
// a thought back, it is left out, for the provider would refuse it.
//
// Streams are in [relay], translation to other dialects in [Codec].
package anthropic

import (
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Names of the dialects of this package.
const (
	API   = "anthropic"
	Count = "anthropic-count-tokens"
)

// common is what both dialects of this package do alike.
type common struct {
	gateway.Common
	Limits jsonedit.Limits // of requests
}

// Messages is the dialect of POST /v1/messages.
type Messages struct{ common }

// Counting is the dialect of POST /v1/messages/count_tokens: requests are those of
// Messages, the answer is a number, whole.
type Counting struct{ common }

// New returns the dialects of this package, whose requests have those limits.
func New(limits jsonedit.Limits) (Messages, Counting) {
	c := common{Limits: limits}
	return Messages{c}, Counting{c}
}

var (
	_ gateway.Dialect  = Messages{}
	_ gateway.Decliner = Messages{}
	_ gateway.Lister   = Messages{}
	_ gateway.Dialect  = Counting{}
)

// Name implements gateway.Dialect.
func (Messages) Name() string { return API }

// Name implements gateway.Dialect.
func (Counting) Name() string { return Count }

// Credential implements gateway.Dialect: it is the header x-api-key, or a bearer
// token.
func (common) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "X-Api-Key") }

// AppendError implements gateway.Dialect, in the shape of Anthropic's errors.
func (common) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	if h != nil {
		h.Set("request-id", id)
	}
	dst = append(dst, `{"type":"error","error":{"type":`...)
	dst = jsonedit.AppendQuote(dst, errorType(r))
	dst = append(dst, `,"message":`...)
	public := r.Public
	if r.Code == "context_length_exceeded" {
		public = tooLong
	}
	dst = jsonedit.AppendQuote(dst, public+" (reference "+id+")")
	dst = append(dst, `},"request_id":`...)
	dst = jsonedit.AppendQuote(dst, id)
	return append(dst, '}')
}

// tooLong are the words by which Anthropic's clients know that they should shorten
// their history.
const tooLong = "prompt is too long"

// statusOverloaded is Anthropic's own: the service, not the caller, does too much.
const statusOverloaded = 529

func errorType(r *ringwall.Refusal) string {
	switch {
	case r.Status == statusOverloaded, r.Code == "overloaded", r.Code == "upstream_overloaded":
		return "overloaded_error"
	case r.Status == http.StatusUnauthorized:
		return "authentication_error"
	case r.Status == http.StatusPaymentRequired:
		return "billing_error"
	case r.Status == http.StatusForbidden:
		return "permission_error"
	case r.Status == http.StatusNotFound, r.Code == "model_not_found":
		return "not_found_error"
	case r.Status == http.StatusRequestEntityTooLarge, r.Code == "request_too_large":
		return "request_too_large"
	case r.Status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case r.Status == http.StatusGatewayTimeout:
		return "timeout_error"
	case r.Status >= 500:
		return "api_error"
	}
	return "invalid_request_error"
}

// grammar is that of the Messages API.
var grammar = dialect.Grammar{
	Names: dialect.NameSet(
		"id", "type", "role", "tool_use_id", "tool_id", "file_id", "media_type", "ttl", "stop_reason", "error_code",
		"service_tier", "inference_geo", "speed", "effort", "display", "container", "category",
	),
	Medium: func(key string, v jsonedit.Value) string {
		if strings.HasPrefix(key, "encrypted_") && opaque(v) {
			return "encrypted-part"
		}
		return ""
	},
}

// opaque reports whether the string v looks as base64 does (RFC 4648 §4, §5), in
// which media and what only the provider can read are written.
func opaque(v jsonedit.Value) bool {
	if v.Kind() != jsonedit.String {
		return false
	}
	raw := v.Raw()
	for _, c := range raw[1 : len(raw)-1] {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if strings.IndexByte("0123456789+/-_=", c) < 0 {
				return false
			}
		}
	}
	return true
}
