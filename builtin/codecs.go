package builtin

import (
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/gateway/dialect/openai/completions"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/provider/route"
)

// Codecs is the table of what translates, by the name of the dialect.
var Codecs = map[string]dialect.Codec{
	gemini.API:         gemini.Codec{},
	ollama.API:         ollama.Codec{},
	ollama.GenerateAPI: ollama.Codec{Generate: true},
	anthropic.API:      anthropic.Codec{},
	bedrock.API:        bedrock.Codec{},
	openai.API:         openai.Codec{},
	responses.API:      responses.Codec{},
	completions.API:    completions.Codec{},
}

// Fronts is the table of what translates from the words of clients alone, by the name
// of the dialect. No provider is asked in them that is not asked in others as well.
var Fronts = map[string]dialect.Front{
	bedrock.InvokeAPI: bedrock.InvokeCodec{Messages: anthropic.Codec{}},
}

// Translate returns p as a provider that is asked in the words of api, nil when
// nobody translates between the two. The targets of a route are translated each for
// itself.
func Translate(api string, p gateway.Provider) gateway.Provider {
	if r, ok := p.(*route.Route); ok {
		if r = r.In(api, func(p route.Provider) route.Provider { return Translate(api, p) }); r == nil {
			return nil
		}
		return r
	}
	var from dialect.Front
	if c, ok := Codecs[api]; ok {
		from = c
	} else if from, ok = Fronts[api]; !ok {
		return nil
	}
	for _, name := range p.APIs() {
		if to, ok := Codecs[name]; ok {
			return &dialect.Translated{API: api, From: from, To: to, Provider: p}
		}
	}
	return nil
}
