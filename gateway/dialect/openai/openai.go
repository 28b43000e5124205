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
	"errors"
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Chat is the dialect of POST /v1/chat/completions.
type Chat struct {
	Limits jsonedit.Limits // of requests
}

// Name implements gateway.Dialect.
func (Chat) Name() string { return "openai" }

// answerLimits are those of what providers send: our own side, so looser.
var answerLimits = jsonedit.Limits{Bytes: 64 << 20, Depth: 128, AllowNUL: true}

// AppendError implements gateway.Dialect, in the shape of OpenAI's errors.
func (Chat) AppendError(dst []byte, r *ringwall.Refusal, id string) []byte {
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

// invalid refuses a request for what stands at v.
func invalid(src []byte, v jsonedit.Value, path, format string, args ...any) *ringwall.Refusal {
	what := fmt.Sprintf(format, args...)
	where := ""
	if v.Exists() {
		start, _ := v.Span()
		line, col := 1, start+1
		for i, c := range src[:start] {
			if c == '\n' {
				line, col = line+1, start-i
			}
		}
		where = fmt.Sprintf(" at line %d, column %d", line, col)
	}
	if path != "" {
		what = path + ": " + what
	}
	return &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "invalid_request",
		Public: "The request cannot be read: " + what + where + ".",
		Err:    errors.New(what + where),
	}
}

// unparsed refuses a request that is not JSON as everybody reads it.
func unparsed(err error) *ringwall.Refusal {
	r := &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "invalid_json",
		Public: "The request body is refused: " + err.Error() + ".", Err: err,
	}
	if errors.Is(err, jsonedit.ErrTooLarge) {
		r.Status, r.Code = http.StatusRequestEntityTooLarge, "request_too_large"
	}
	return r
}

var _ gateway.Dialect = Chat{}
