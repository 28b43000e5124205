package builtin

import (
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/gateway/dialect/openai/completions"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
)

// Codecs is the table of what translates, by the name of the dialect.
var Codecs = map[string]dialect.Codec{
	openai.API:      openai.Codec{},
	responses.API:   responses.Codec{},
	completions.API: completions.Codec{},
}

// Translate returns p as a provider that is asked in the words of api, nil when
// nobody translates between the two.
func Translate(api string, p gateway.Provider) gateway.Provider {
	from, ok := Codecs[api]
	if !ok {
		return nil
	}
	for _, name := range p.APIs() {
		if to, ok := Codecs[name]; ok {
			return &dialect.Translated{API: api, From: from, To: to, Provider: p}
		}
	}
	return nil
}
