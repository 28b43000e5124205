// Package tally counts the tokens of prompts that no provider has counted.
//
// What is counted is an estimate for every model but OpenAI's, whose newer ones share
// a public vocabulary, o200k: the texts that those read are counted exactly. What
// stands around texts, the marks between messages, the form into which tools are
// brought, images, is known from documentation alone, or guessed.
//
//	Estimate      a text, by the classes of its characters: fast, for any model
//	Count         a text for a model, with its vocabulary where that is public
//	Conversation  all that a model is asked
//
// Other families of models have vocabularies of their own, which are not public or
// take megabytes each: for them the estimate stands. Start reading at [Conversation].
package tally

import (
	"strings"
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"
)

// Family is who made a model, as far as its tokens go.
type Family uint8

// Families.
const (
	Unknown Family = iota
	OpenAI
	Anthropic
	Gemini
)

// FamilyOf tells the family of a model by the name that a provider has for it.
func FamilyOf(model string) Family {
	m := strings.ToLower(model)
	if i := strings.LastIndexByte(m, '/'); i >= 0 {
		m = m[i+1:]
	}
	switch {
	case strings.Contains(m, "claude"):
		return Anthropic
	case strings.HasPrefix(m, "gemini"), strings.HasPrefix(m, "gemma"):
		return Gemini
	}
	m = strings.TrimPrefix(m, "openai.")
	for _, p := range []string{"gpt-", "chatgpt-", "o1", "o3", "o4"} {
		if rest, ok := strings.CutPrefix(m, p); ok && (strings.HasSuffix(p, "-") || rest == "" || rest[0] == '-') {
			return OpenAI
		}
	}
	return Unknown
}

// mostExact is how many bytes of a prompt are counted with a vocabulary, some tens of
// milliseconds; the rest is estimated.
const mostExact = 256 << 10

// o200k is the vocabulary of OpenAI's models since gpt-4o. It takes 7 MB once it is
// asked for.
var o200k = sync.OnceValue(codec.NewO200kBase)

// Count returns how many tokens a text has for a model: exactly, for the newer models
// of OpenAI and up to 256 KiB; else estimated.
func Count(model, text string) int {
	c := counter{family: FamilyOf(model), left: mostExact}
	return c.text(text)
}

// counter counts the texts of one prompt.
type counter struct {
	family Family
	left   int // bytes that may still be counted exactly
}

func (c *counter) text(text string) int {
	if c.family != OpenAI || text == "" {
		return Estimate(text)
	}
	exact := text[:min(len(text), c.left)]
	c.left -= len(exact)
	n, err := o200k().Count(exact)
	if err != nil {
		n = Estimate(exact)
	}
	return n + Estimate(text[len(exact):])
}
