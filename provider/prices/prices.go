// Package prices knows what well-known models cost, and how much they read and write
// at once.
//
// The list is prices.json: our own compilation of the public list prices of providers
// on its [Date], in US dollars for a million tokens, without discounts for batches,
// volume or hours and without the higher prices that some have for very long prompts.
// It is a help to plan with, no bill. A model that is not on it has no price, and is
// not taken for a free one. [Of] is where to start reading.
package prices

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/ringwall/ringwall"
)

//go:embed prices.json
var list []byte

// Price is what a model costs, in US dollars for a million tokens, and its limits in
// tokens. A limit that is 0 is not known.
type Price struct {
	Input   float64 `json:"input"`
	Cached  float64 `json:"cached,omitempty"`  // of the input, read from the provider's cache; 0: as other input
	Caching float64 `json:"caching,omitempty"` // of the input, written to it; 0: as other input
	Output  float64 `json:"output,omitempty"`  // reasoning included
	Context int64   `json:"context,omitempty"` // that it reads and writes together
	Longest int64   `json:"longest,omitempty"` // that it writes
}

// Cost returns what u costs, in US dollars.
func (p Price) Cost(u ringwall.Usage) float64 {
	part := func(tokens int64, price float64) float64 {
		if price == 0 {
			price = p.Input
		}
		return float64(max(0, tokens)) * price
	}
	plain := u.InputTokens - u.CachedTokens - u.CachingTokens
	return (part(plain, p.Input) + part(u.CachedTokens, p.Cached) + part(u.CachingTokens, p.Caching) + float64(max(0, u.OutputTokens))*p.Output) / 1e6
}

type table struct {
	Date   string           `json:"date"`
	Models map[string]Price `json:"models"`
}

var read = sync.OnceValue(func() (t table) {
	if err := json.Unmarshal(list, &t); err != nil {
		// bug: the list is embedded, and a test reads it
		panic(err)
	}
	return t
})

// Date returns the day of the list, as 2025-11-30.
func Date() string { return read().Date }

// Of returns the price of a model by the name that a provider has for it. Dates,
// versions, regions and the names of vendors in it do not matter: that of
// us.anthropic.claude-sonnet-4-20250514-v1:0 is that of claude-sonnet-4. Ok is false for
// a model that is not on the list.
func Of(model string) (p Price, ok bool) {
	models := read().Models
	if p, ok = models[model]; ok {
		return p, true
	}
	p, ok = models[bare(model)]
	return p, ok
}

var (
	vendor  = regexp.MustCompile(`^((us|eu|apac|jp|au|ca|global)\.)?((anthropic|amazon|mistral|meta|google|openai|xai|azure|bedrock|models)[./])*`)
	version = regexp.MustCompile(`(-latest|-preview|-v[0-9]+(:[0-9]+)?|[-@](20)?[0-9]{2}-?[0-9]{2}(-?[0-9]{2})?|-001|:0)+$`)
)

// bare returns the name of a model without what providers put around it.
func bare(model string) string {
	model = vendor.ReplaceAllString(strings.ToLower(model), "")
	return version.ReplaceAllString(model, "")
}
