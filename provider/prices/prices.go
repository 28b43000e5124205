// Package prices knows what well-known models cost, and how much they read and write
// at once.
//
// The list is prices.json: our own compilation of the public list prices of providers
// on its [Date], in US dollars for a million tokens, without discounts for batches,
// volume or hours and without the higher prices that some have for very long prompts,
// or for a cache of an hour. Each entry names the page that it is of; nobody has held
// them against those pages since. It is a help to plan with, no bill. A model that is
// not on it has no price, and is not taken for a free one. A [List] of one's own goes
// before it. [Of] is where to start reading.
package prices

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

//go:embed prices.json
var list []byte

// Price is what a model costs, in US dollars for a million tokens, and its limits in
// tokens. A limit that is 0 is not known.
type Price struct {
	Input   float64 `json:"input" yaml:"input"`
	Cached  float64 `json:"cached,omitempty" yaml:"cached"`   // of the input, read from the provider's cache; 0: as other input
	Caching float64 `json:"caching,omitempty" yaml:"caching"` // of the input, written to it; 0: as other input
	Output  float64 `json:"output,omitempty" yaml:"output"`   // reasoning included
	Context int64   `json:"context,omitempty" yaml:"context"` // that it reads and writes together
	Longest int64   `json:"longest,omitempty" yaml:"longest"` // that it writes
	Source  string  `json:"source,omitempty" yaml:"source"`   // where the figures are from
	Date    string  `json:"date,omitempty" yaml:"date"`       // since when, or on which day they were listed
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

// List is a list of prices, by the names that providers have for models. What it does
// not name is taken from the list of the program; so is all of a nil List.
type List struct {
	Date   string           `json:"date" yaml:"date"`               // of entries that have none
	Source string           `json:"source,omitempty" yaml:"source"` // of entries that have none
	Models map[string]Price `json:"models" yaml:"models"`
}

// most is the size in bytes of the largest list.
const most = 4 << 20

// Load reads a list in the form of prices.json, as YAML or JSON, strictly: an unknown
// member, a price below zero and a date that is none are errors, with their line.
func Load(file string) (*List, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	if len(src) > most {
		return nil, fmt.Errorf("reading prices: %s has more than %d bytes", file, most)
	}
	l := &List{}
	pos, err := strictyaml.Decode(file, src, l)
	if err != nil {
		return nil, err
	}
	var errs []error
	day := func(path, date string) {
		if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
			errs = append(errs, pos.Errorf(path, "want a day, as 2026-01-31"))
		}
	}
	day("date", l.Date)
	for _, name := range slices.Sorted(maps.Keys(l.Models)) {
		p, path := l.Models[name], strictyaml.Key("models", name)
		if min(p.Input, p.Cached, p.Caching, p.Output) < 0 || min(p.Context, p.Longest) < 0 {
			errs = append(errs, pos.Errorf(path, "prices and limits are not negative"))
		}
		day(path+".date", p.Date)
	}
	return l, strictyaml.Join(errs...)
}

var builtin = sync.OnceValue(func() *List {
	l := &List{}
	if err := json.Unmarshal(list, l); err != nil {
		// bug: the list is embedded, and a test reads it
		panic(err)
	}
	return l
})

// Date returns the day of the list, as 2025-11-30.
func Date() string { return builtin().Date }

// Of returns the price of a model by the name that a provider has for it. Dates,
// versions, regions and the names of vendors in it do not matter: that of
// us.anthropic.claude-sonnet-4-20250514-v1:0 is that of claude-sonnet-4. Ok is false for
// a model that is not on the list.
func Of(model string) (p Price, ok bool) { return (*List)(nil).Of(model) }

// Of returns the price of a model, as the function does: of l where l has one.
func (l *List) Of(model string) (p Price, ok bool) {
	for _, from := range []*List{l, builtin()} {
		if from == nil {
			continue
		}
		if p, ok = from.Models[model]; !ok {
			p, ok = from.Models[bare(model)]
		}
		if ok {
			p.Source, p.Date = cmp.Or(p.Source, from.Source), cmp.Or(p.Date, from.Date)
			return p, true
		}
	}
	return Price{}, false
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
