package judge

import (
	"context"
	"math"
	"strings"

	"github.com/ringwall/ringwall"
)

// chat asks a model behind an OpenAI-compatible chat API: POST URL/chat/completions.
type chat struct {
	*client
	url    string
	model  string
	labels *labels
	shape  shape
}

// shape is how one kind of guard model is asked and read.
type shape struct {
	// fill writes the messages, and what else the request needs, and returns what
	// read is to look for in the answer.
	fill func(r *chatRequest, q question) (mark string)
	// read makes findings of what the model said.
	read func(said completion, mark string) ([]ringwall.Finding, error)
}

// chatRequest is the body of POST /chat/completions.
type chatRequest struct {
	Model       string         `json:"model"`
	Messages    []message      `json:"messages"`
	Temperature *float64       `json:"temperature,omitempty"`
	MaxTokens   int            `json:"max_tokens,omitempty"`
	MaxAnswer   int            `json:"max_completion_tokens,omitempty"`
	Logprobs    bool           `json:"logprobs,omitempty"`
	TopLogprobs int            `json:"top_logprobs,omitempty"`
	Format      map[string]any `json:"response_format,omitempty"`
	Template    map[string]any `json:"chat_template_kwargs,omitempty"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// completion is what a model said: its words, and how likely the tokens were.
type completion struct {
	text   string
	tokens []token
}

type token struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Top     []struct {
		Token   string  `json:"token"`
		Logprob float64 `json:"logprob"`
	} `json:"top_logprobs"`
}

func newChat(cfg *Config, l *labels, s shape) (asker, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	return &chat{client: c, url: strings.TrimSuffix(cfg.URL, "/") + "/chat/completions", model: cfg.Model, labels: l, shape: s}, nil
}

func (c *chat) ask(ctx context.Context, q question) ([]ringwall.Finding, error) {
	req := chatRequest{Model: c.model}
	mark := c.shape.fill(&req, q)
	answer, err := c.post(ctx, c.url, req, nil)
	if err != nil {
		return nil, err
	}
	said, err := readCompletion(answer)
	if err != nil {
		return nil, err
	}
	return c.shape.read(said, mark)
}

// readCompletion reads the answer of POST /chat/completions. One that broke off
// or that the provider refused is none.
func readCompletion(answer []byte) (said completion, err error) {
	var body struct {
		Choices []struct {
			Message struct {
				Content *string `json:"content"`
				Refusal *string `json:"refusal"`
			} `json:"message"`
			Finish   string `json:"finish_reason"`
			Logprobs *struct {
				Content []token `json:"content"`
			} `json:"logprobs"`
		} `json:"choices"`
	}
	if err := into(answer, &body); err != nil {
		return said, err
	}
	if len(body.Choices) != 1 {
		return said, unreadable("the answer has %d choices, not one", len(body.Choices))
	}
	one := body.Choices[0]
	switch {
	case one.Message.Refusal != nil && *one.Message.Refusal != "":
		return said, unreadable("the model refused")
	case one.Message.Content == nil:
		return said, unreadable("the answer has no content")
	case one.Finish != "" && one.Finish != "stop":
		return said, unreadable("the answer broke off")
	}
	said.text = *one.Message.Content
	if one.Logprobs != nil {
		said.tokens = one.Logprobs.Content
	}
	return said, nil
}

// turns are the messages that a guard model's own template makes its prompt of:
// a text on the way in is the user's, one on the way out the assistant's, which
// answers a question that is not shown.
func turns(q question) []message {
	if q.way == ringwall.Output {
		return []message{{"user", "(not shown)"}, {"assistant", inert(q.text)}}
	}
	return []message{{"user", inert(q.text)}}
}

// terse makes a request for a short answer of a guard model, the likeliest one.
func (r *chatRequest) terse(tokens int, logprobs bool) {
	r.Temperature, r.MaxTokens = new(float64), tokens
	if logprobs {
		r.Logprobs, r.TopLogprobs = true, 5
	}
}

// likely returns the share of each of the words among the likeliest tokens at
// the place of the first token behind prefix that is no blank; nil where the
// server gave none. Words are told by how they begin, in lower case: models cut
// them in different places.
func (c completion) likely(prefix string, words ...string) []float64 {
	before := ""
	for _, t := range c.tokens {
		if strings.TrimSpace(before) != prefix || strings.TrimSpace(t.Token) == "" {
			before += t.Token
			continue
		}
		shares, sum := make([]float64, len(words)), 0.0
		seen := t.Top
		if len(seen) == 0 {
			seen = append(seen, struct {
				Token   string  `json:"token"`
				Logprob float64 `json:"logprob"`
			}{t.Token, t.Logprob})
		}
		for _, alt := range seen {
			text := strings.ToLower(strings.TrimSpace(alt.Token))
			for i, w := range words {
				p := math.Exp(min(alt.Logprob, 0))
				if text != "" && strings.HasPrefix(w, text) && !math.IsNaN(p) {
					shares[i] += p
					sum += p
					break
				}
			}
		}
		if sum == 0 {
			return nil
		}
		for i := range shares {
			shares[i] /= sum
		}
		return shares
	}
	return nil
}
