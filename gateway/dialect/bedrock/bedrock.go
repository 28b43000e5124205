// Package bedrock speaks the runtime API of Amazon Bedrock, as clients and
// providers of it do: Converse and InvokeModel, whole and streamed.
//
// The model is named in the path, whose segments are percent-encoded: an ARN is
// one of them. Streams are binary frames (package internal/eventstream) on both
// sides; between a provider and a relay an event is JSON, a union with one member
// that is named for the event.
//
// What policy does is said in Bedrock's own words: the stop reason
// guardrail_intervened, the message of the guardrail as the answer, and, where a
// request asks for a trace, assessments.
package bedrock

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Names of the dialects.
const (
	API       = "bedrock-converse"
	InvokeAPI = "bedrock-invoke"
)

// common is what the dialects of Bedrock do alike.
type common struct {
	gateway.Common
	dialect.Signed
}

// ContentType implements gateway.Dialect.
func (common) ContentType(stream bool) string {
	if stream {
		return eventstream.ContentType
	}
	return "application/json"
}

// AppendError implements gateway.Dialect: the kind of an error stands in a header,
// as AWS's protocol restJson1 has it.
func (common) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	if h != nil {
		h.Set("X-Amzn-Errortype", errorType(r.Status))
		h.Set("X-Amzn-Requestid", id)
	}
	return appendMessage(dst, r, id)
}

func appendMessage(dst []byte, r *ringwall.Refusal, id string) []byte {
	dst = append(dst, `{"message":`...)
	dst = jsonedit.AppendQuote(dst, r.Public+" (reference "+id+")")
	return append(dst, '}')
}

// errorType returns the kind of error for a status.
func errorType(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "AccessDeniedException"
	case http.StatusNotFound:
		return "ResourceNotFoundException"
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return "ModelTimeoutException"
	case http.StatusTooManyRequests:
		return "ThrottlingException"
	case http.StatusFailedDependency, http.StatusBadGateway:
		return "ModelErrorException"
	case http.StatusServiceUnavailable:
		return "ServiceUnavailableException"
	}
	if status >= 500 {
		return "InternalServerException"
	}
	return "ValidationException"
}

// appendFailure appends the frame of an error inside a stream.
func appendFailure(dst []byte, r *ringwall.Refusal, id string) []byte {
	name := "modelStreamErrorException"
	switch errorType(r.Status) {
	case "ThrottlingException":
		name = "throttlingException"
	case "ServiceUnavailableException":
		name = "serviceUnavailableException"
	case "ValidationException":
		name = "validationException"
	case "InternalServerException":
		name = "internalServerException"
	}
	return eventstream.AppendException(dst, name, appendMessage(nil, r, id))
}

const longestModel = 2048 // bytes of an id or ARN

// target reads the model and the operation of a path /model/{modelId}/operation.
func target(r *http.Request) (model, operation string, err error) {
	rest, _ := strings.CutPrefix(r.URL.EscapedPath(), "/model/")
	at := strings.LastIndexByte(rest, '/')
	if at > 0 {
		model, err = url.PathUnescape(rest[:at])
	}
	if err != nil || model == "" || len(model) > longestModel {
		return "", "", dialect.Invalid(nil, jsonedit.Value{}, "modelId", "the path should read /model/{modelId}/…, with slashes and colons of the model encoded")
	}
	for i := range len(model) {
		if c := model[i]; c <= ' ' || c >= 0x7f {
			return "", "", dialect.Invalid(nil, jsonedit.Value{}, "modelId", "an id or ARN of visible ASCII characters should stand here")
		}
	}
	return model, rest[at+1:], nil
}

// parse parses a body that should be an object.
func parse(doc *jsonedit.Doc, body []byte, limits jsonedit.Limits) (jsonedit.Value, error) {
	if err := doc.Parse(body, limits); err != nil {
		return jsonedit.Value{}, dialect.Unparsed(err)
	}
	root := doc.Root()
	if root.Kind() != jsonedit.Object {
		return root, dialect.Invalid(body, root, "", "an object should stand here, not %s", root.Kind())
	}
	return root, nil
}
