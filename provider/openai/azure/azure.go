// Package azure asks models of Azure OpenAI. Its API is OpenAI's, at other paths
// and with another header for the key: below a deployment where the version of the
// API is named, and as OpenAI's own (/openai/v1) where it is not.
package azure

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/openai"
)

// Config configures a Provider.
type Config struct {
	provider.Config                        // BaseURL is the resource: "https://NAME.openai.azure.com"
	Key             func() (string, error) // nil: none is sent
	Bearer          bool                   // the key is a token of Microsoft Entra ID
	Version         string                 // "2024-10-21"; "": the v1 API
	APIs            []string               // that are spoken; default: all
}

// Provider asks models. It is safe for concurrent use.
type Provider struct {
	cfg    Config
	client *provider.Client
}

// New returns a Provider.
func New(cfg Config) (*Provider, error) {
	if len(cfg.APIs) == 0 {
		cfg.APIs = openai.Known()
	}
	apis, err := openai.Speaks(cfg.APIs, "")
	if err != nil {
		return nil, err
	}
	cfg.APIs = apis
	cfg.Code = func(body jsonedit.Value) string {
		if body.Get("error").Get("code").Is("content_filter") {
			return "content_policy_violation" // Azure's own filter, and not ours
		}
		return openai.Code(body)
	}
	switch {
	case cfg.Key == nil:
	case cfg.Bearer:
		cfg.Sign = provider.Bearer(cfg.Key)
	default:
		cfg.Sign = provider.KeyHeader("Api-Key", "", cfg.Key)
	}
	c, err := provider.New(cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Provider{cfg, c}, nil
}

// Close closes idle connections.
func (p *Provider) Close() { p.client.Close() }

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string { return slices.Clone(p.cfg.APIs) }

// request is where a call goes. With a version of the API, models are deployments
// and have paths of their own, save those of the responses API.
func (p *Provider) request(call ringwall.Call) provider.Request {
	path := openai.Paths[call.API]
	switch {
	case p.cfg.Version == "":
		path = "/openai/v1" + path
	case call.API == "openai-responses":
		path = "/openai" + path + p.version()
	default:
		path = "/openai/deployments/" + url.PathEscape(call.Model) + path + p.version()
	}
	return provider.Request{Path: path, Header: call.Header, Body: call.Body}
}

func (p *Provider) version() string { return "?api-version=" + url.QueryEscape(p.cfg.Version) }

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	return p.client.Whole(ctx, p.request(call))
}

// Events implements gateway.Provider.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return p.client.Events(ctx, p.request(call), openai.Last(call.API))
}

// Pass implements gateway.Passer, by the v1 API.
func (p *Provider) Pass(r *http.Request) (*http.Response, error) {
	r.URL.Path = "/openai" + r.URL.Path
	return p.client.Pass(r)
}

// Models implements gateway.Provider.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	path := "/openai/v1/models"
	if p.cfg.Version != "" {
		path = "/openai/models" + p.version()
	}
	return openai.List(ctx, p.client, path)
}
