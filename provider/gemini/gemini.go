// Package gemini asks models behind Google's Gemini API.
package gemini

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

// BaseURL is where Google serves the API.
const BaseURL = "https://generativelanguage.googleapis.com"

// Provider asks models. It is safe for concurrent use.
type Provider struct{ client *provider.Client }

// New returns a Provider. Of a nil key none is sent. A base URL without a path is
// that of the API's version v1beta; one with a path stands before /models, as
// those of other services with this API do.
func New(cfg provider.Config, key func() (string, error)) (*Provider, error) {
	cfg.BaseURL = strings.TrimSuffix(cmp.Or(cfg.BaseURL, BaseURL), "/")
	if u, err := url.Parse(cfg.BaseURL); err == nil && u.Path == "" {
		cfg.BaseURL += "/v1beta"
	}
	cfg.Code = code
	if key != nil {
		cfg.Sign = provider.KeyHeader("X-Goog-Api-Key", "", key)
	}
	c, err := provider.New(cfg)
	if err != nil {
		return nil, err
	}
	return &Provider{c}, nil
}

// Close closes idle connections.
func (p *Provider) Close() { p.client.Close() }

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string { return []string{"gemini", "gemini-count-tokens"} }

// methods are what answers in one piece, by the name of the dialect.
var methods = map[string]string{"gemini": "generateContent", "gemini-count-tokens": "countTokens"}

// path is that of a method of a model. A name may say what kind of model it is:
// "tunedModels/mine".
func path(model, method string) string {
	kind, name, ok := strings.Cut(model, "/")
	if !ok || kind != "models" && kind != "tunedModels" {
		kind, name = "models", model
	}
	return "/" + kind + "/" + url.PathEscape(name) + ":" + method
}

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.client.Whole(ctx, provider.Request{Path: path(call.Model, methods[call.API]), Header: call.Header, Body: call.Body})
}

// Events implements gateway.Provider. Nothing marks the end of a stream, save that
// each answer says before why it ends.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		req := provider.Request{Path: path(call.Model, "streamGenerateContent") + "?alt=sse", Header: call.Header, Body: call.Body}
		stream, err := p.client.Open(ctx, req, "text/event-stream")
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		defer func() { _ = stream.Close() }() // what was read is read
		ended := false
		for ev, err := range sse.Events(stream) {
			if err != nil {
				yield(sse.Event{}, stream.Fault(err))
				return
			}
			if !ev.More {
				stream.Came()
			}
			ended = ended || ends(ev.Data)
			if !yield(ev, nil) {
				return
			}
		}
		if !ended {
			yield(sse.Event{}, stream.Fault(fmt.Errorf("it ends before it is done: %w", io.ErrUnexpectedEOF)))
		}
	}
}

// ends reports whether an event says why the answer ends. Inside a string the
// quotes would be escaped.
func ends(data []byte) bool {
	return bytes.Contains(data, []byte(`"finishReason"`)) || bytes.Contains(data, []byte(`"blockReason"`)) || bytes.Contains(data, []byte(`"error"`))
}

// code says of an error that there is no such model, which is for the client.
func code(body jsonedit.Value) string {
	if body.Get("error").Get("status").Is("NOT_FOUND") {
		return "model_not_found"
	}
	return ""
}

// pages bounds the pages of a list that are asked for.
const pages = 20

// Models implements gateway.Provider.
func (p *Provider) Models(ctx context.Context) (names []string, err error) {
	token := ""
	for range pages {
		query := "?pageSize=1000"
		if token != "" {
			query += "&pageToken=" + url.QueryEscape(token)
		}
		body, err := p.client.Whole(ctx, provider.Request{Method: http.MethodGet, Path: "/models" + query})
		if err != nil {
			return names, err
		}
		var doc jsonedit.Doc
		if err := doc.Parse(body, jsonedit.Limits{AllowNUL: true}); err != nil {
			return names, fmt.Errorf("reading the list of models: %w", err)
		}
		for _, m := range doc.Root().Get("models").Elems() {
			names = append(names, strings.TrimPrefix(m.Get("name").Text(), "models/"))
		}
		if token = doc.Root().Get("nextPageToken").Text(); token == "" {
			break
		}
	}
	return names, nil
}
