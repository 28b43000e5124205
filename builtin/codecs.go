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

// invoke translates InvokeModel.
var invoke = bedrock.InvokeCodec{Codec: anthropic.Codec{}}

// Codecs is the table of what translates, by the name of the dialect.
var Codecs = map[string]dialect.Codec{
	gemini.API:         gemini.Codec{},
	ollama.API:         ollama.Codec{},
	ollama.GenerateAPI: ollama.Codec{Generate: true},
	anthropic.API:      anthropic.Codec{},
	bedrock.API:        bedrock.Codec{},
	bedrock.InvokeAPI:  invoke,
	openai.API:         openai.Codec{},
	responses.API:      responses.Codec{},
	completions.API:    completions.Codec{},
}

// Counters is the table of what translates requests that count the tokens of a
// prompt, which become no requests of other kinds.
var Counters = map[string]dialect.Codec{
	gemini.CountAPI:  gemini.CountCodec{},
	anthropic.Count:  anthropic.CountCodec{},
	bedrock.CountAPI: bedrock.CountCodec{Invoked: invoke},
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
	for _, table := range []map[string]dialect.Codec{Codecs, Counters} {
		from, ok := table[api]
		if !ok {
			continue
		}
		for _, name := range p.APIs() {
			if to, ok := table[name]; ok {
				return &dialect.Translated{API: api, From: from, To: to, Provider: p}
			}
		}
	}
	return nil
}
