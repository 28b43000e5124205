package builtin

import (
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/anthropic"
	"github.com/ringwall/ringwall/provider/bedrock"
	"github.com/ringwall/ringwall/provider/gemini"
	"github.com/ringwall/ringwall/provider/gullible"
	"github.com/ringwall/ringwall/provider/ollama"
	"github.com/ringwall/ringwall/provider/openai"
	"github.com/ringwall/ringwall/provider/openai/azure"
)

// ProviderSpec says where a provider is asked, and with what. What a kind of
// provider does not use is empty.
type ProviderSpec struct {
	provider.Config
	Key     func() (string, error) // nil: none is shown
	Bearer  bool                   // the key is a bearer token, where the kind has a header of its own for keys
	APIs    []string               // that it speaks; default: what its kind does
	Version string                 // of its API
	Region  string                 // of AWS
}

// Providers is the table of kinds of providers.
var Providers = map[string]func(ProviderSpec) (gateway.Provider, error){
	"anthropic": func(s ProviderSpec) (gateway.Provider, error) { return anthropic.New(s.Config, s.Key) },
	"builtin": func(ProviderSpec) (gateway.Provider, error) {
		return gullible.Provider{Model: gullible.New(gullible.Config{})}, nil
	},
	"gemini": func(s ProviderSpec) (gateway.Provider, error) { return gemini.New(s.Config, s.Key) },
	"ollama": func(s ProviderSpec) (gateway.Provider, error) { return ollama.New(s.Config, s.Key) },
	"bedrock": func(s ProviderSpec) (gateway.Provider, error) {
		return bedrock.New(bedrock.Config{Config: s.Config, Region: s.Region, Key: s.Key})
	},
	"openai": func(s ProviderSpec) (gateway.Provider, error) {
		return openai.New(openai.Config{Config: s.Config, Key: s.Key, APIs: s.APIs})
	},
	"azure": func(s ProviderSpec) (gateway.Provider, error) {
		return azure.New(azure.Config{Config: s.Config, Key: s.Key, Bearer: s.Bearer, Version: s.Version, APIs: s.APIs})
	},
}
