// Package ollama asks models behind Ollama's own API.
package ollama

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

// BaseURL is where Ollama listens.
const BaseURL = "http://127.0.0.1:11434"

// Provider asks models. It is safe for concurrent use.
type Provider struct{ client *provider.Client }

// New returns a Provider. Of a nil key none is sent.
func New(cfg provider.Config, key func() (string, error)) (*Provider, error) {
	cfg.BaseURL = strings.TrimSuffix(cmp.Or(cfg.BaseURL, BaseURL), "/")
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
var paths = map[string]string{"ollama": "/api/chat", "ollama-generate": "/api/generate"}

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string { return []string{"ollama", "ollama-generate"} }

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.client.Whole(ctx, provider.Request{Path: paths[call.API], Header: call.Header, Body: call.Body})
}

// Events implements gateway.Provider: one for each line, up to the one that says
// that it is the last.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		stream, err := p.client.Open(ctx, provider.Request{Path: paths[call.API], Header: call.Header, Body: call.Body}, "application/x-ndjson")
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		defer func() { _ = stream.Close() }() // what was read is read
		var doc jsonedit.Doc
		for ev, err := range Lines(stream) {
			if err == nil {
				err = doc.Parse(ev.Data, jsonedit.Limits{AllowNUL: true, Depth: 128})
			}
			if err != nil {
				yield(sse.Event{}, stream.Fault(err))
				return
			}
			last := doc.Root().Get("done").True()
			ev.More = ev.More && !last
			if !ev.More {
				stream.Came()
			}
			if !yield(ev, nil) || last {
				return
			}
		}
		yield(sse.Event{}, stream.Fault(fmt.Errorf("it ends before it is done: %w", io.ErrUnexpectedEOF)))
	}
}

// Models implements gateway.Provider.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	body, err := p.client.Whole(ctx, provider.Request{Method: http.MethodGet, Path: "/api/tags"})
	if err != nil {
		return nil, err
	}
	var doc jsonedit.Doc
	if err := doc.Parse(body, jsonedit.Limits{AllowNUL: true}); err != nil {
		return nil, fmt.Errorf("reading the list of models: %w", err)
	}
	var names []string
	for _, m := range doc.Root().Get("models").Elems() {
		names = append(names, m.Get("name").Text())
	}
	return names, nil
}
