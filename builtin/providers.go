package builtin

import (
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/gullible"
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
}

// Providers is the table of kinds of providers.
var Providers = map[string]func(ProviderSpec) (gateway.Provider, error){
	"builtin": func(ProviderSpec) (gateway.Provider, error) {
		return gullible.Provider{Model: gullible.New(gullible.Config{})}, nil
	},
	"openai": func(s ProviderSpec) (gateway.Provider, error) {
		return openai.New(openai.Config{Config: s.Config, Key: s.Key, APIs: s.APIs})
	},
	"azure": func(s ProviderSpec) (gateway.Provider, error) {
		return azure.New(azure.Config{Config: s.Config, Key: s.Key, Bearer: s.Bearer, Version: s.Version, APIs: s.APIs})
	},
}
