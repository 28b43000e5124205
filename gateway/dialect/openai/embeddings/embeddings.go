// Package embeddings speaks OpenAI's embeddings API. What is asked are texts; the
// answer says nothing but numbers.
package embeddings

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// API is the name of the dialect.
const API = "openai-embeddings"

// Dialect is the dialect of POST /v1/embeddings.
type Dialect struct {
	openai.Common
	Limits jsonedit.Limits // of requests
}

// Name implements gateway.Dialect.
func (Dialect) Name() string { return API }

var _ gateway.Dialect = Dialect{}

// Read implements gateway.Dialect.
func (d Dialect) Read(_ *http.Request, body []byte) (gateway.Request, error) {
	r, root, err := openai.ReadPlain(body, d.Limits)
	if err != nil {
		return nil, err
	}
	for key, v := range root.Members() {
		switch key {
		case "model":
		case "input":
			if err := r.Prompt(v, key); err != nil {
				return nil, err
			}
		default:
			r.All(v, "/"+dialect.Pointer(key), key, ringwall.Unverified)
		}
	}
	if !root.Get("input").Exists() {
		return nil, dialect.Invalid(body, jsonedit.Value{}, "input", "a string or an array of strings is required")
	}
	if r.Stream() {
		return nil, dialect.Invalid(body, root.Get("stream"), "stream", "embeddings are not streamed")
	}
	return openai.Mute{Plain: r}, nil
}

// answer implements gateway.Answer.
type answer struct {
	dialect.Locator
	doc jsonedit.Doc
	src []byte
}

// grammar is that of answers: an embedding may be base64.
var grammar = dialect.Grammar{Names: openai.Names(), Medium: func(key string, v jsonedit.Value) string {
	if key == "embedding" {
		return "embedding"
	}
	return openai.Medium(key, v)
}}

// Answer implements gateway.Dialect.
func (Dialect) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{Locator: dialect.Locator{Grammar: grammar}, src: body}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	if root.Get("data").Kind() != jsonedit.Array {
		return nil, errors.New("reading the model's answer: it has no data")
	}
	for key, v := range root.Members() {
		if key != "model" && key != "usage" {
			a.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	return a, nil
}

func (a *answer) Edit(changed []guard.Changed) []byte {
	return dialect.Splice(a.src, a.Edits(changed))
}

// Withhold implements gateway.Answer: an answer that says what it must not has no
// embeddings.
func (a *answer) Withhold(gateway.Declined) []byte {
	return []byte(`{"object":"list","data":[],"model":"","usage":{"prompt_tokens":0,"total_tokens":0}}`)
}

func (a *answer) Usage() (u ringwall.Usage) {
	u.InputTokens, _ = a.doc.Root().Get("usage").Get("prompt_tokens").Int()
	return u
}

// Relay implements gateway.Dialect. No request is streamed.
func (Dialect) Relay(gateway.Request, gateway.Open) gateway.Relay { return openai.Unstreamed{} }
