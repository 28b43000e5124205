package bedrock

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/provider/tally"
)

// CountAPI is the name of the dialect of CountTokens.
const CountAPI = "bedrock-count-tokens"

// Count is the dialect of POST /model/{modelId}/count-tokens: what is counted is a
// request of Converse or of InvokeModel, and is looked at as that, for the provider
// reads it.
type Count struct {
	common
	Limits jsonedit.Limits // of requests
}

var _ gateway.Dialect = Count{}

// Name implements gateway.Dialect.
func (Count) Name() string { return CountAPI }

// counting implements gateway.Request around the request that is counted.
type counting struct {
	gateway.Request
	doc   jsonedit.Doc
	src   []byte
	place jsonedit.Value // of that request: a literal, or a string of base64
}

// Read implements gateway.Dialect.
func (c Count) Read(h *http.Request, body []byte) (gateway.Request, error) {
	r := &counting{src: body}
	root, err := parse(&r.doc, body, c.Limits)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, v := range []jsonedit.Value{root, root.Get("input")} {
		for range v.Members() {
			n++
		}
	}
	converse, invoke := root.Get("input").Get("converse"), root.Get("input").Get("invokeModel")
	switch {
	case n != 2:
	case converse.Kind() == jsonedit.Object:
		r.place = converse
		r.Request, err = Converse{Limits: c.Limits}.Read(h, converse.Raw())
		return r, err
	case invoke.Get("body").Kind() == jsonedit.String:
		r.place = invoke.Get("body")
		inner, bad := base64.StdEncoding.DecodeString(strings.TrimSpace(r.place.Text()))
		if bad != nil {
			return nil, dialect.Invalid(body, r.place, "input.invokeModel.body", "base64 should stand here")
		}
		r.Request, err = Invoke{Limits: c.Limits}.Read(h, inner)
		return r, err
	}
	return nil, dialect.Invalid(body, root, "input", "one of converse and invokeModel should stand here, and nothing else")
}

// Document implements gateway.Parsed.
func (r *counting) Document() jsonedit.Value { return r.Request.(*request).Document() }

// Edit implements gateway.Request.
func (r *counting) Edit(changed []guard.Changed) []byte {
	inner := r.Request.Edit(changed)
	start, end := r.place.Span()
	edit := jsonedit.Edit{Start: start, End: end, New: inner}
	if r.place.Kind() == jsonedit.String {
		edit = r.place.Set(base64.StdEncoding.EncodeToString(inner))
	}
	return jsonedit.Splice(nil, r.src, []jsonedit.Edit{edit})
}

// Answer implements gateway.Dialect: it is a number, and whatever else is said.
func (Count) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	return Invoke{}.Answer(nil, body)
}

// Relay implements gateway.Dialect. Nobody streams a number.
func (Count) Relay(_ gateway.Request, open gateway.Open) gateway.Relay {
	return Invoke{}.Relay(nil, open)
}

// Estimate answers a call of CountTokens by an estimate for its model. A body of
// InvokeModel may be in words that no codec knows: its texts are counted.
func Estimate(call ringwall.Call) ([]byte, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	input := doc.Root().Get("input")
	if input.Get("converse").Exists() {
		return dialect.Estimate(CountCodec{}, call)
	}
	body, err := base64.StdEncoding.DecodeString(strings.TrimSpace(input.Get("invokeModel").Get("body").Text()))
	if err != nil {
		return nil, dialect.Uncarried("a body that is no base64")
	}
	at := &url.URL{Path: "/model/" + call.Model + "/invoke", RawPath: "/model/" + url.PathEscape(call.Model) + "/invoke"}
	r, err := Invoke{}.Read(&http.Request{Header: http.Header{}, URL: at}, body)
	if err != nil {
		return nil, err
	}
	n := tally.Texts(call.Model, r.Texts())
	return CountCodec{}.WriteReply(nil, &ringwall.Reply{Usage: ringwall.Usage{InputTokens: n}})
}

// MostTokens implements gateway.Bounded: a number is no text of a model's.
func (*counting) MostTokens() int64 { return 0 }
