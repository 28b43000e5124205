// Package openai asks models behind OpenAI's API: OpenAI itself, and whatever
// speaks as it does (vLLM, Ollama, Bedrock's OpenAI endpoint).
package openai

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

// Config configures a Provider.
type Config struct {
	provider.Config
	Key func() (string, error) // nil: none is sent
	// APIs are those that it speaks, by the names of their dialects; default: all
	// of them at OpenAI, and elsewhere those without the responses API, which few
	// others have.
	APIs []string
}

// Provider asks models. It is safe for concurrent use.
type Provider struct {
	client *provider.Client
	apis   []string
}

// New returns a Provider.
func New(cfg Config) (*Provider, error) {
	apis, err := Speaks(cfg.APIs, cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	cfg.Code = Code
	if cfg.Key != nil {
		cfg.Sign = provider.Bearer(cfg.Key)
	}
	c, err := provider.New(cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Provider{c, apis}, nil
}

// Known lists the APIs of OpenAI that are spoken here, the one that others are
// translated to first.
func Known() []string {
	return []string{"openai", "openai-responses", "openai-completions", "openai-embeddings"}
}

// Paths are where the APIs stand below the base URL, by the name of the dialect.
var Paths = map[string]string{
	"openai":             "/chat/completions",
	"openai-responses":   "/responses",
	"openai-completions": "/completions",
	"openai-embeddings":  "/embeddings",
}

// Speaks returns the APIs of a provider: those that are named, or what can be
// expected of its base URL.
func Speaks(named []string, baseURL string) ([]string, error) {
	for _, name := range named {
		if _, ok := Paths[name]; !ok {
			return nil, fmt.Errorf("there is no API %q: there are %s", name, strings.Join(Known(), ", "))
		}
	}
	all := func(name string) bool { return slices.Contains(named, name) }
	if len(named) == 0 {
		u, err := url.Parse(baseURL)
		own := err == nil && (u.Hostname() == "api.openai.com" || strings.HasSuffix(u.Hostname(), ".api.openai.com"))
		all = func(name string) bool { return own || name != "openai-responses" }
	}
	return slices.DeleteFunc(Known(), func(name string) bool { return !all(name) }), nil
}

// Close closes idle connections.
func (p *Provider) Close() { p.client.Close() }

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string { return p.apis }

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.client.Whole(ctx, provider.Request{Path: Paths[call.API], Header: call.Header, Body: call.Body})
}

// Events implements gateway.Provider.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return p.client.Events(ctx, provider.Request{Path: Paths[call.API], Header: call.Header, Body: call.Body}, Last(call.API))
}

// Pass implements gateway.Passer. The base URL ends with the version that paths begin
// with.
func (p *Provider) Pass(r *http.Request) (*http.Response, error) {
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/v1")
	return p.client.Pass(r)
}

// Last returns what tells the event that ends a stream of an API.
func Last(api string) func(sse.Event) (is, keep bool) {
	if api != "openai-responses" {
		return func(ev sse.Event) (is, keep bool) { return string(ev.Data) == "[DONE]", false }
	}
	return func(ev sse.Event) (is, keep bool) {
		// Some send the mark of the other APIs behind the event.
		if string(ev.Data) == "[DONE]" {
			return true, false
		}
		name := ev.Name
		if name == "" {
			var doc jsonedit.Doc
			if doc.Parse(ev.Data, jsonedit.Limits{Bytes: 64 << 20, Depth: 128, AllowNUL: true}) == nil {
				name = doc.Root().Get("type").Text()
			}
		}
		return slices.Contains(ends, name), true
	}
}

// ends are the events that end a stream of the responses API.
var ends = []string{"response.completed", "response.incomplete", "response.failed", "error"}

// told are the codes of OpenAI's errors that say what is wrong with the request,
// and so are for the client.
var told = []string{
	"context_length_exceeded", "model_not_found", "invalid_value", "unsupported_value", "unsupported_parameter",
	"string_above_max_length", "invalid_image", "content_policy_violation",
}

// Code finds in the body of an error the code that is for the client.
func Code(body jsonedit.Value) string {
	if c := body.Get("error").Get("code").Text(); slices.Contains(told, c) {
		return c
	}
	return ""
}

// Models implements gateway.Provider.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	return List(ctx, p.client, "/models")
}

// List asks for the names of the models that there are.
func List(ctx context.Context, c *provider.Client, path string) ([]string, error) {
	body, err := c.Whole(ctx, provider.Request{Method: http.MethodGet, Path: path})
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
