package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
)

// Shapes of what is written.
type (
	object = map[string]any

	writtenRequest struct {
		Model       string           `json:"model"`
		MaxTokens   int64            `json:"max_tokens"`
		System      []object         `json:"system,omitempty"`
		Messages    []writtenMessage `json:"messages"`
		Stream      bool             `json:"stream,omitempty"`
		Tools       []writtenTool    `json:"tools,omitempty"`
		ToolChoice  object           `json:"tool_choice,omitempty"`
		Temperature *float64         `json:"temperature,omitempty"`
		TopP        *float64         `json:"top_p,omitempty"`
		TopK        *int64           `json:"top_k,omitempty"`
		Stop        []string         `json:"stop_sequences,omitempty"`
		Thinking    object           `json:"thinking,omitempty"`
		Output      object           `json:"output_config,omitempty"`
		Metadata    object           `json:"metadata,omitempty"`
	}
	writtenMessage struct {
		Role    string   `json:"role"`
		Content []object `json:"content"`
	}
	writtenTool struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Schema      json.RawMessage `json:"input_schema"`
		Strict      bool            `json:"strict,omitempty"`
		Cache       object          `json:"cache_control,omitempty"`
	}
)

// leastThinking is what Anthropic lets a model think at least, in tokens.
const leastThinking = 1024

// WriteRequest implements dialect.Codec.
func (Codec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	s := &c.Sampling
	switch {
	case s.Seed != nil:
		return ringwall.Call{}, dialect.Uncarried("seed")
	case s.Presence != nil && *s.Presence != 0:
		return ringwall.Call{}, dialect.Uncarried("presence_penalty")
	case s.Frequency != nil && *s.Frequency != 0:
		return ringwall.Call{}, dialect.Uncarried("frequency_penalty")
	case s.Temperature != nil && *s.Temperature > 1:
		return ringwall.Call{}, dialect.Uncarried("a temperature above 1")
	}
	q := writtenRequest{
		Model: c.Model, MaxTokens: defaultTokens, Stream: c.Stream, Messages: []writtenMessage{},
		Temperature: s.Temperature, TopP: s.TopP, TopK: s.TopK, Stop: s.Stop, ToolChoice: writeChoice(c),
	}
	if err := writeThinking(c, &q); err != nil {
		return ringwall.Call{}, err
	}
	if c.User != "" {
		q.Metadata = object{"user_id": c.User}
	}
	var err error
	if q.System, err = writeParts(c.System); err != nil {
		return ringwall.Call{}, err
	}
	for _, t := range c.Turns {
		role, err := dialect.Speaker(t.Role, "user", "assistant", "system")
		if err != nil {
			return ringwall.Call{}, err
		}
		content, err := writeParts(t.Parts)
		if err != nil {
			return ringwall.Call{}, err
		}
		// A turn of which nothing can be said leaves its neighbours side by side.
		if n := len(q.Messages); n > 0 && q.Messages[n-1].Role == role {
			q.Messages[n-1].Content = append(q.Messages[n-1].Content, content...)
		} else if len(content) > 0 {
			q.Messages = append(q.Messages, writtenMessage{role, content})
		}
	}
	for _, m := range q.Messages {
		resultsFirst(m.Content)
	}
	for _, t := range c.Tools {
		w := writtenTool{Name: t.Name, Description: t.Description, Schema: t.Schema, Strict: t.Strict, Cache: cached(t.Cache)}
		if w.Schema == nil {
			w.Schema = json.RawMessage(`{"type":"object"}`)
		}
		q.Tools = append(q.Tools, w)
	}
	body, err := json.Marshal(q)
	return ringwall.Call{API: API, Model: c.Model, Stream: c.Stream, Body: body}, err
}

// writeThinking says how much may be thought and said, and in what form.
func writeThinking(c *ringwall.Conversation, q *writtenRequest) error {
	if c.Thinking > 0 {
		q.MaxTokens += c.Thinking
	}
	if n := c.Sampling.MaxTokens; n != nil {
		q.MaxTokens = *n
	}
	if c.Thinking > 0 {
		if c.Thinking < leastThinking || c.Thinking >= q.MaxTokens {
			return dialect.Uncarried("thinking of less than 1024 tokens, or of as many as the answer may have")
		}
		q.Thinking = object{"type": "enabled", "budget_tokens": c.Thinking}
	}
	q.Output = object{}
	switch c.Effort {
	case "":
	case "none":
		q.Thinking = object{"type": "disabled"}
	case "minimal":
		q.Output["effort"] = "low"
	default:
		q.Output["effort"] = c.Effort
	}
	if f := c.Format; f != nil {
		if f.Schema == nil {
			return dialect.Uncarried("an answer that is any JSON object: say by a schema which")
		}
		q.Output["format"] = object{"type": "json_schema", "schema": json.RawMessage(f.Schema)}
	}
	return nil
}

// resultsFirst puts the results of tools before what else a message says, as
// Anthropic wants it.
func resultsFirst(blocks []object) {
	rank := func(b object) int {
		if b["type"] == "tool_result" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(blocks, func(a, b object) int { return rank(a) - rank(b) })
}

// cached marks up to where the provider may keep the prompt.
func cached(c ringwall.Cache) object {
	switch c {
	case ringwall.CacheShort:
		return object{"type": "ephemeral"}
	case ringwall.CacheLong:
		return object{"type": "ephemeral", "ttl": "1h"}
	case ringwall.CacheUnsaid:
	}
	return nil
}

// writeParts writes blocks. Empty texts, and thoughts that nobody signed, are left
// out: Anthropic refuses them.
func writeParts(parts []ringwall.Part) (out []object, err error) {
	for _, p := range parts {
		b, err := writePart(p)
		if err != nil {
			return nil, err
		}
		if b == nil {
			continue
		}
		if keep := cached(dialect.CacheOf(p)); keep != nil {
			b["cache_control"] = keep
		}
		out = append(out, b)
	}
	return out, nil
}

func writePart(p ringwall.Part) (object, error) {
	switch p.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		if p.Text == "" {
			return nil, nil
		}
		return object{"type": "text", "text": p.Text}, nil
	case ringwall.PartMedia:
		return writeMedia(p.Media)
	case ringwall.PartCall:
		input, err := writeInput(p.Call.Arguments)
		return object{"type": "tool_use", "id": writeID(p.Call.ID), "name": p.Call.Name, "input": input}, err
	case ringwall.PartResult:
		inside, err := writeParts(dialect.Uncached(p.Result.Parts))
		b := object{"type": "tool_result", "tool_use_id": writeID(p.Result.ID)}
		if len(inside) > 0 {
			b["content"] = inside
		}
		if p.Result.Failed {
			b["is_error"] = true
		}
		return b, err
	case ringwall.PartReasoning:
		if p.Signature == "" {
			return nil, nil
		}
		return object{"type": "thinking", "thinking": p.Text, "signature": p.Signature}, nil
	case ringwall.PartRedacted:
		return object{"type": "redacted_thinking", "data": p.Text}, nil
	}
	return nil, dialect.Uncarried("a part of an unknown kind")
}

func writeMedia(m *ringwall.Media) (object, error) {
	source := object{"type": "base64", "media_type": m.MIME, "data": m.Data}
	if m.Data == "" {
		source = object{"type": "url", "url": m.URL}
	}
	switch m.Kind {
	case ringwall.Image:
		return object{"type": "image", "source": source}, nil
	case ringwall.Document:
		if strings.HasPrefix(m.MIME, "text/") && m.Data != "" {
			text, err := base64.StdEncoding.DecodeString(m.Data)
			if err != nil {
				return nil, dialect.Uncarried("a document that is no base64")
			}
			source = object{"type": "text", "media_type": "text/plain", "data": string(text)}
		}
		b := object{"type": "document", "source": source}
		if m.Name != "" {
			b["title"] = m.Name
		}
		return b, nil
	case ringwall.Audio, ringwall.Video:
	}
	return nil, dialect.Uncarried("a part of " + dialect.MediaNames[m.Kind])
}

// writeInput writes the arguments of a call, which is an object there.
func writeInput(arguments string) (json.RawMessage, error) {
	raw := strings.TrimSpace(arguments)
	if raw == "" {
		raw = "{}"
	}
	if raw[0] != '{' || !json.Valid([]byte(raw)) {
		return nil, dialect.Uncarried("arguments of a tool call that are no JSON object")
	}
	return json.RawMessage(raw), nil
}

// writeID writes the id of a call in the letters that Anthropic takes.
func writeID(id string) string {
	return strings.Map(func(c rune) rune {
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, id)
}

func writeChoice(c *ringwall.Conversation) object {
	var out object
	switch c.Choice.Mode {
	case ringwall.ChoiceAuto:
		out = object{"type": "auto"}
	case ringwall.ChoiceNone:
		return object{"type": "none"}
	case ringwall.ChoiceRequired:
		out = object{"type": "any"}
	case ringwall.ChoiceNamed:
		out = object{"type": "tool", "name": c.Choice.Name}
	case ringwall.ChoiceUnsaid:
		if len(c.Tools) > 0 && c.Choice.Single {
			out = object{"type": "auto"}
		}
	}
	if out != nil && c.Choice.Single {
		out["disable_parallel_tool_use"] = true
	}
	return out
}
