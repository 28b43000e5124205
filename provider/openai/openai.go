// Package openai asks models behind OpenAI's API: OpenAI itself, and whatever
// speaks as it does (vLLM, Ollama, Bedrock's OpenAI endpoint).
package openai

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

// Provider asks models. It is safe for concurrent use.
type Provider struct{ client *provider.Client }

// New returns a Provider. Of a nil key none is sent.
func New(cfg provider.Config, key func() (string, error)) (*Provider, error) {
	cfg.Code = code
	if key != nil {
		cfg.Sign = provider.Bearer(key)
	}
	c, err := provider.New(cfg)
	if err != nil {
		return nil, err
	}
	return &Provider{c}, nil
}

// Close closes idle connections.
func (p *Provider) Close() { p.client.Close() }

// paths are where the APIs stand below the base URL, by the name of the dialect.
var paths = map[string]string{"openai": "/chat/completions"}

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string { return []string{"openai"} }

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.client.Whole(ctx, provider.Request{Path: paths[call.API], Header: call.Header, Body: call.Body})
}

// Events implements gateway.Provider.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return p.client.Events(ctx, provider.Request{Path: paths[call.API], Header: call.Header, Body: call.Body}, last)
}

// last reports whether an event is the mark that ends a stream.
func last(ev sse.Event) (is, keep bool) { return string(ev.Data) == "[DONE]", false }

// told are the codes of OpenAI's errors that say what is wrong with the request,
// and so are for the client.
var told = []string{
	"context_length_exceeded", "model_not_found", "invalid_value", "unsupported_value", "unsupported_parameter",
	"string_above_max_length", "invalid_image", "content_policy_violation",
}

func code(body jsonedit.Value) string {
	if c := body.Get("error").Get("code").Text(); slices.Contains(told, c) {
		return c
	}
	return ""
}

// Models implements gateway.Provider.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	body, err := p.client.Whole(ctx, provider.Request{Method: http.MethodGet, Path: "/models"})
	if err != nil {
		return nil, err
	}
	var doc jsonedit.Doc
	if err := doc.Parse(body, jsonedit.Limits{AllowNUL: true}); err != nil {
		return nil, fmt.Errorf("reading the list of models: %w", err)
	}
	var names []string
	for _, m := range doc.Root().Get("data").Elems() {
		names = append(names, m.Get("id").Text())
	}
	return names, nil
}
