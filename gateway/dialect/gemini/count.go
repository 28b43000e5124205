package gemini

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// CountAPI is the name of the dialect of countTokens.
const CountAPI = "gemini-count-tokens"

// count is the dialect of countTokens. A prompt that is declined has no answer in
// it but an error.
type count struct {
	gateway.Dialect
	inner Dialect
}

// Split implements gateway.Splitter: the last segment of the path names the method.
func (d Dialect) Split(r *http.Request) gateway.Dialect {
	if strings.HasSuffix(r.PathValue("call"), ":countTokens") {
		return count{Dialect: d, inner: d}
	}
	return d
}

// Name implements gateway.Dialect.
func (count) Name() string { return CountAPI }

// Read implements gateway.Dialect.
func (c count) Read(r *http.Request, body []byte) (gateway.Request, error) {
	return c.inner.read(r, body, true)
}

// Answer implements gateway.Dialect.
func (count) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	a := &counted{answer{locator: located(), src: body}}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	if n := a.doc.Root().Get("totalTokens"); n.Exists() && n.Kind() != jsonedit.Number {
		return nil, fmt.Errorf("reading the model's answer: %s tokens are counted", n.Kind())
	}
	a.All(a.doc.Root(), "", "", ringwall.Assistant)
	a.take(-1)
	return a, nil
}

// counted is an answer that counts.
type counted struct{ answer }

// Withhold implements gateway.Answer.
func (*counted) Withhold(gateway.Declined) []byte { return []byte(`{"totalTokens":0}`) }
