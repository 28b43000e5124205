// Package anthropic asks models behind Anthropic's API: Anthropic itself, and
// whatever speaks as it does.
package anthropic

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

// BaseURL is where Anthropic is.
const BaseURL = "https://api.anthropic.com"

// Version is the version of the API that is asked for where the client names none.
const Version = "2023-06-01"

// Provider asks models. It is safe for concurrent use.
type Provider struct{ client *provider.Client }

// New returns a Provider. The base URL stands before /v1, or ends in it; without
// one it is BaseURL. Of a nil key none is sent.
func New(cfg provider.Config, key func() (string, error)) (*Provider, error) {
	cfg.BaseURL = strings.TrimSuffix(strings.TrimSuffix(cmp.Or(cfg.BaseURL, BaseURL), "/"), "/v1")
	cfg.Code = code
	cfg.Header = map[string]string{"anthropic-version": Version}
	if key != nil {
		cfg.Sign = provider.KeyHeader("x-api-key", "", key)
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
var paths = map[string]string{"anthropic": "/v1/messages", "anthropic-count-tokens": "/v1/messages/count_tokens"}

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string { return []string{"anthropic", "anthropic-count-tokens"} }

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.client.Whole(ctx, provider.Request{Path: paths[call.API], Header: call.Header, Body: call.Body})
}

// Events implements gateway.Provider.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		for ev, err := range p.client.Events(ctx, provider.Request{Path: paths[call.API], Header: call.Header, Body: call.Body}, last) {
			if err == nil && ev.Name == "error" {
				ev, err = sse.Event{}, reported(ev.Data)
			}
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// last reports whether an event is the one that ends a stream.
func last(ev sse.Event) (is, keep bool) { return ev.Name == "message_stop", true }

// reported is the error that a model reports inside a stream.
func reported(data []byte) error {
	var doc jsonedit.Doc
	kind := "none that can be read"
	if doc.Parse(data, jsonedit.Limits{AllowNUL: true}) == nil {
		kind = doc.Root().Get("error").Get("type").Text()
	}
	r := &ringwall.Refusal{Status: http.StatusBadGateway, Code: "upstream_error", Public: "The model could not go on."}
	switch kind {
	case "overloaded_error":
		r.Status, r.Code, r.Public = http.StatusServiceUnavailable, "upstream_overloaded", "The model is overloaded. Try again soon."
	case "rate_limit_error":
		r.Status, r.Code, r.Public = http.StatusTooManyRequests, "upstream_rate_limit", "The model is asked too often. Try again soon."
	case "timeout_error":
		r.Status, r.Code, r.Public = http.StatusGatewayTimeout, "upstream_timeout", "The model did not answer in time."
	}
	r.Err = fmt.Errorf("reading the model's stream: it reports the error %.40q", kind)
	return r
}

// told are the types of Anthropic's errors that say what is wrong with the
// request, and the codes for the client.
var told = map[string]string{"not_found_error": "model_not_found", "request_too_large": "request_too_large"}

// code finds a code for the client. That a prompt is too long has no type of its
// own, but clients shorten their history when they are told.
func code(body jsonedit.Value) string {
	e := body.Get("error")
	if strings.HasPrefix(e.Get("message").Text(), "prompt is too long") {
		return "context_length_exceeded"
	}
	return told[e.Get("type").Text()]
}

// maxPages bounds a list of models whose provider always says that there is more.
const maxPages = 20

// Models implements gateway.Provider.
func (p *Provider) Models(ctx context.Context) (names []string, err error) {
	query := url.Values{"limit": {"1000"}}
	for range maxPages {
		body, err := p.client.Whole(ctx, provider.Request{Method: http.MethodGet, Path: "/v1/models?" + query.Encode()})
		if err != nil {
			return nil, err
		}
		var doc jsonedit.Doc
		if err := doc.Parse(body, jsonedit.Limits{AllowNUL: true}); err != nil {
			return nil, fmt.Errorf("reading the list of models: %w", err)
		}
		for _, m := range doc.Root().Get("data").Elems() {
			names = append(names, m.Get("id").Text())
		}
		after := doc.Root().Get("last_id").Text()
		if !doc.Root().Get("has_more").True() || after == "" {
			break
		}
		query.Set("after_id", after)
	}
	return names, nil
}
