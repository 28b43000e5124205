package builtin

import (
	"github.com/ringwall/ringwall"
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

// invoke reads InvokeModel.
var invoke = bedrock.InvokeCodec{Messages: anthropic.Codec{}}

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
	bedrock.InvokeAPI: invoke,
}

// Estimates is the table of what counts tokens in the place of providers that cannot,
// by the name of the dialect.
var Estimates = map[string]func(ringwall.Call) ([]byte, error){
	anthropic.Count:  func(call ringwall.Call) ([]byte, error) { return dialect.Estimate(anthropic.CountCodec{}, call) },
	bedrock.CountAPI: bedrock.Estimate,
	gemini.CountAPI:  func(call ringwall.Call) ([]byte, error) { return dialect.Estimate(gemini.CountCodec{}, call) },
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
	estimate, counts := Estimates[api]
	if r, ok := p.(*route.Route); ok && counts {
		// Who counts is asked, and who cannot is not: an estimate says nothing about
		// whether a target answers.
		if in := r.In(api, func(p route.Provider) route.Provider { return translated(api, p) }); in != nil {
			return in
		}
		return &dialect.Estimated{API: api, Model: r.First(), Answer: estimate, Provider: p}
	} else if ok {
		if r = r.In(api, func(p route.Provider) route.Provider { return Translate(api, p) }); r == nil {
			return nil
		}
		return r
	}
	if to := translated(api, p); to != nil {
		return to
	}
	if counts {
		return &dialect.Estimated{API: api, Answer: estimate, Provider: p}
	}
	return nil
}

// Retell returns what reads an answer in the words of api again, as the client reads
// it, nil where nobody can.
func Retell(api, contentType string, stream bool) gateway.Retold {
	if c, ok := Codecs[api]; ok {
		return dialect.Retell(contentType, stream, c)
	}
	if api == bedrock.InvokeAPI { // whose words are those of the model
		return dialect.Retell(contentType, stream, anthropic.Codec{}, bedrock.Codec{})
	}
	return nil
}

// translated is Translate for a provider that is no route, and with no estimates.
func translated(api string, p gateway.Provider) gateway.Provider {
	var from dialect.Front
	to := Codecs
	if c, ok := Codecs[api]; ok {
		from = c
	} else if c, ok := Counters[api]; ok {
		from, to = c, Counters
	} else if from, ok = Fronts[api]; !ok {
		return nil
	}
	for _, name := range p.APIs() {
		if to, ok := to[name]; ok {
			return &dialect.Translated{API: api, From: from, To: to, Provider: p}
		}
	}
	return nil
}
