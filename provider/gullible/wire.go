package gullible

import (
	"context"
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf8"
)

// created is the time that every answer claims: an answer must be the same
// each time. It is the first second of 2025.
const created = 1735689600

// answer is a reply, cut to what the request allows, ready to be written.
type answer struct {
	id      string
	model   string
	choices int
	seed    uint64
	text    string
	calls   []call
	finish  string // "stop", "length" or "tool_calls"
	prompt  int    // tokens
	usage   bool   // a stream ends with its usage
}

// prepare thinks of a reply and cuts it to what the request allows.
func (m *Model) prepare(ctx context.Context, q *request) (*answer, error) {
	r, err := m.reply(ctx, q)
	if err != nil {
		return nil, err
	}
	seen := []string{q.Model}
	prompt := 0
	for _, msg := range q.Messages {
		seen = append(seen, msg.Role, msg.text)
		prompt += len(msg.Role) + len(msg.text)
		for _, c := range msg.ToolCalls {
			seen = append(seen, c.Function.Name, c.Function.Arguments)
			prompt += len(c.Function.Name) + len(c.Function.Arguments)
		}
	}
	for _, t := range q.Tools {
		prompt += len(t.Function.Name) + len(t.Function.Description) + len(t.Function.Parameters)
	}
	seed := m.hash(seen...)
	a := &answer{
		id: "chatcmpl-" + id(seed), model: q.Model, choices: q.choices(), seed: seed,
		text: r.text, calls: r.calls, finish: "stop", prompt: tokens(prompt + len(m.cfg.SystemSuffix)),
		usage: q.StreamOptions != nil && q.StreamOptions.IncludeUsage,
	}
	if len(a.calls) > 0 {
		a.finish = "tool_calls"
	}
	a.cut(q)
	return a, nil
}

// tokens is how many tokens so many bytes are, about.
func tokens(bytes int) int { return (bytes + 3) / 4 }

// id writes a number as the end of an id.
func id(n uint64) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, 24)
	for i := range b {
		n = mix(n + uint64(i)*0x9e3779b97f4a7c15)
		b[i] = letters[n%uint64(len(letters))]
	}
	return string(b)
}

// cut ends an answer at the request's stop sequences and limit of tokens.
func (a *answer) cut(q *request) {
	for _, stop := range q.stops {
		if i := strings.Index(a.text, stop); i >= 0 {
			a.text = a.text[:i]
			a.finish = "stop"
			a.calls = nil
		}
	}
	left := maxAnswer
	if n := q.limit(); n > 0 && n < maxAnswer/4 {
		left = 4 * n
	}
	if len(a.text) > left {
		a.text = clip(a.text, left)
		a.calls = nil
		a.finish = "length"
		return
	}
	left -= len(a.text)
	for i := range a.calls {
		c := &a.calls[i]
		if left < len(c.name)+len(c.args) {
			c.args = clip(c.args, max(0, left-len(c.name)))
			a.calls = a.calls[:i+1]
			a.finish = "length"
			return
		}
		left -= len(c.name) + len(c.args)
	}
}

// clip returns at most n bytes of s, in whole characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// The documents of the wire. Field order is that of the official API.
type (
	completion struct {
		ID          string   `json:"id"`
		Object      string   `json:"object"`
		Created     int64    `json:"created"`
		Model       string   `json:"model"`
		Choices     []choice `json:"choices"`
		Usage       *usage   `json:"usage,omitempty"`
		Fingerprint string   `json:"system_fingerprint"`
	}
	choice struct {
		Index        int     `json:"index"`
		Message      *spoken `json:"message,omitempty"`
		Delta        *delta  `json:"delta,omitempty"`
		Logprobs     *logs   `json:"logprobs"`
		FinishReason *string `json:"finish_reason"`
	}
	logs   struct{} // never there: written as null
	spoken struct {
		Role      string     `json:"role"`
		Content   *string    `json:"content"`
		Refusal   *string    `json:"refusal"`
		ToolCalls []toolCall `json:"tool_calls,omitempty"`
	}
	delta struct {
		Role      string      `json:"role,omitempty"`
		Content   *string     `json:"content,omitempty"`
		ToolCalls []callDelta `json:"tool_calls,omitempty"`
	}
	callDelta struct {
		Index    int           `json:"index"`
		ID       string        `json:"id,omitempty"`
		Type     string        `json:"type,omitempty"`
		Function functionDelta `json:"function"`
	}
	functionDelta struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	}
	usage struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		TotalTokens      int `json:"total_tokens"`
	}
)

func (a *answer) counted() *usage {
	bytes := len(a.text)
	for _, c := range a.calls {
		bytes += len(c.name) + len(c.args)
	}
	out := a.choices * tokens(bytes)
	return &usage{PromptTokens: a.prompt, CompletionTokens: out, TotalTokens: a.prompt + out}
}

func (a *answer) callID(choice, i int) string {
	return "call_" + id(mix(a.seed^uint64(choice)<<32^uint64(i+1)))
}

func (a *answer) document(object string) completion {
	return completion{
		ID: a.id, Object: object, Created: created, Model: a.model, Choices: []choice{},
		Fingerprint: "fp_gullible",
	}
}

// whole is the answer as one document.
func (a *answer) whole() completion {
	doc := a.document("chat.completion")
	doc.Usage = a.counted()
	for n := range a.choices {
		said := &spoken{Role: "assistant"}
		if a.text != "" || len(a.calls) == 0 {
			said.Content = &a.text
		}
		for i, c := range a.calls {
			said.ToolCalls = append(said.ToolCalls, toolCall{
				ID: a.callID(n, i), Type: "function", Function: function{Name: c.name, Arguments: c.args},
			})
		}
		doc.Choices = append(doc.Choices, choice{Index: n, Message: said, FinishReason: &a.finish})
	}
	return doc
}

// chunk is a completion of which usage is null, not absent, where a stream
// tells its usage at the end.
type chunk struct {
	completion
	Usage *usage `json:"usage"`
}

// events are the documents of a stream. The choices take turns.
func (a *answer) events() iter.Seq[any] {
	return func(yield func(any) bool) {
		emit := func(c []choice, u *usage) bool {
			doc := a.document("chat.completion.chunk")
			doc.Choices = c
			if a.usage {
				return yield(chunk{doc, u})
			}
			return yield(doc)
		}
		var next []func() (delta, bool)
		for n := range a.choices {
			pull, stop := iter.Pull(a.deltas(n))
			defer stop()
			next = append(next, pull)
		}
		for open := a.choices; open > 0; {
			for n, pull := range next {
				if pull == nil {
					continue
				}
				d, ok := pull()
				c := choice{Index: n, Delta: &d}
				if !ok {
					c.FinishReason = &a.finish
					next[n] = nil
					open--
				}
				if !emit([]choice{c}, nil) {
					return
				}
			}
		}
		if a.usage {
			emit([]choice{}, a.counted())
		}
	}
}

// deltas are the pieces of one choice: its role, its text, its calls.
func (a *answer) deltas(n int) iter.Seq[delta] {
	return func(yield func(delta) bool) {
		random := rand.New(rand.NewPCG(a.seed, uint64(n))) //nolint:gosec // the same sizes for the same seed
		empty := ""
		if !yield(delta{Role: "assistant", Content: &empty}) {
			return
		}
		for piece := range pieces(a.text, random) {
			if !yield(delta{Content: &piece}) {
				return
			}
		}
		for i, c := range a.calls {
			first := callDelta{Index: i, ID: a.callID(n, i), Type: "function", Function: functionDelta{Name: c.name}}
			if !yield(delta{ToolCalls: []callDelta{first}}) {
				return
			}
			for piece := range pieces(c.args, random) {
				if !yield(delta{ToolCalls: []callDelta{{Index: i, Function: functionDelta{Arguments: piece}}}}) {
					return
				}
			}
		}
	}
}

// pieces cuts s into one to seven bytes each, wherever that is, save within a
// character: JSON cannot say half of one.
func pieces(s string, random *rand.Rand) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s != "" {
			n := min(1+random.IntN(7), len(s))
			for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
				n--
			}
			if n == 0 {
				_, n = utf8.DecodeRuneInString(s)
			}
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
