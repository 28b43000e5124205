package bedrock

import (
	"encoding/json"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
)

type object = map[string]any

// set gives o a member, unless v is nil.
func set[T any](o object, key string, v *T) {
	if v != nil {
		o[key] = *v
	}
}

type message struct {
	Content []object `json:"content"`
	Role    string   `json:"role"`
}

// WriteRequest implements dialect.Codec.
func (Codec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	q, inference, more, output := object{}, object{}, object{}, object{}
	s := &c.Sampling
	switch {
	case s.Seed != nil:
		return ringwall.Call{}, dialect.Uncarried("seed")
	case s.Presence != nil && *s.Presence != 0 || s.Frequency != nil && *s.Frequency != 0:
		return ringwall.Call{}, dialect.Uncarried("penalties of presence and frequency")
	case c.Choice.Single:
		return ringwall.Call{}, dialect.Uncarried("one tool at a time")
	}
	set(inference, "maxTokens", s.MaxTokens)
	set(inference, "temperature", s.Temperature)
	set(inference, "topP", s.TopP)
	if len(s.Stop) > 0 {
		inference["stopSequences"] = s.Stop
	}
	if strings.Contains(c.Model, "amazon.nova") && s.TopK != nil {
		more["inferenceConfig"] = object{"topK": *s.TopK}
	} else {
		set(more, "top_k", s.TopK)
	}
	if c.Thinking > 0 {
		more["thinking"] = object{"type": "enabled", "budget_tokens": c.Thinking}
	}
	switch c.Effort {
	case "", "none":
	case "minimal":
		output["effort"] = "low"
	default:
		output["effort"] = c.Effort
	}
	if f := c.Format; f != nil {
		output["textFormat"] = writeFormat(f)
	}
	tools, err := writeTools(c)
	if err != nil {
		return ringwall.Call{}, err
	}
	for key, o := range map[string]object{"inferenceConfig": inference, "additionalModelRequestFields": more, "outputConfig": output, "toolConfig": tools} {
		if len(o) > 0 {
			q[key] = o
		}
	}
	if system, err := writeBlocks(c.System); err != nil {
		return ringwall.Call{}, err
	} else if len(system) > 0 {
		q["system"] = system
	}
	messages := []message{}
	for _, t := range c.Turns {
		blocks, err := writeBlocks(t.Parts)
		if err != nil {
			return ringwall.Call{}, err
		}
		role, err := dialect.Speaker(t.Role, "user", "assistant", "")
		if err != nil {
			return ringwall.Call{}, err
		}
		// A turn of which nothing can be said leaves its neighbours side by side.
		if n := len(messages); n > 0 && messages[n-1].Role == role {
			messages[n-1].Content = append(messages[n-1].Content, blocks...)
		} else if len(blocks) > 0 {
			messages = append(messages, message{blocks, role})
		}
	}
	q["messages"] = messages
	body, err := json.Marshal(q)
	return ringwall.Call{API: API, Model: c.Model, Stream: c.Stream, Body: body}, err
}

func writeFormat(f *ringwall.Format) object {
	schema := object{"name": "answer", "schema": `{"type":"object"}`}
	if f.Schema != nil {
		schema["schema"] = string(f.Schema)
	}
	if f.Name != "" {
		schema["name"] = f.Name
	}
	if f.Description != "" {
		schema["description"] = f.Description
	}
	return object{"type": "json_schema", "structure": object{"jsonSchema": schema}}
}

// writeTools writes the tools and which of them may be asked for. Converse has no
// word for "none" but naming none, which it takes only while nobody spoke of any.
func writeTools(c *ringwall.Conversation) (object, error) {
	if len(c.Tools) == 0 {
		return nil, nil
	}
	if c.Choice.Mode == ringwall.ChoiceNone {
		for _, t := range c.Turns {
			for _, p := range t.Parts {
				if p.Kind == ringwall.PartCall || p.Kind == ringwall.PartResult {
					return nil, dialect.Uncarried("a choice of no tool, behind calls of some")
				}
			}
		}
		return nil, nil
	}
	var tools []object
	for _, t := range c.Tools {
		schema := json.RawMessage(`{"type":"object"}`)
		if len(t.Schema) > 0 {
			schema = t.Schema
		}
		spec := object{"name": t.Name, "inputSchema": object{"json": schema}}
		if t.Description != "" {
			spec["description"] = t.Description
		}
		if t.Strict {
			spec["strict"] = true
		}
		tools = append(tools, object{"toolSpec": spec})
		if t.Cache != ringwall.CacheUnsaid {
			tools = append(tools, cachePoint(t.Cache))
		}
	}
	out := object{"tools": tools}
	switch c.Choice.Mode {
	case ringwall.ChoiceAuto:
		out["toolChoice"] = object{"auto": object{}}
	case ringwall.ChoiceRequired:
		out["toolChoice"] = object{"any": object{}}
	case ringwall.ChoiceNamed:
		out["toolChoice"] = object{"tool": object{"name": c.Choice.Name}}
	case ringwall.ChoiceUnsaid, ringwall.ChoiceNone:
	}
	return out, nil
}

// cachePoint is the block behind what may be kept.
func cachePoint(c ringwall.Cache) object {
	point := object{"type": "default"}
	if c == ringwall.CacheLong {
		point["ttl"] = "1h"
	}
	return object{"cachePoint": point}
}

// writeBlocks writes parts; empty texts, which Converse refuses, say nothing.
func writeBlocks(parts []ringwall.Part) (out []object, err error) {
	for _, p := range parts {
		b, err := writeBlock(p)
		if err != nil {
			return nil, err
		}
		if b != nil {
			out = append(out, b)
		}
		if keep := dialect.CacheOf(p); keep != ringwall.CacheUnsaid && b != nil {
			out = append(out, cachePoint(keep))
		}
	}
	return out, nil
}

func writeBlock(p ringwall.Part) (object, error) {
	switch p.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		if p.Text == "" {
			return nil, nil
		}
		return object{"text": p.Text}, nil
	case ringwall.PartMedia:
		return writeMedium(p.Media)
	case ringwall.PartCall:
		input := json.RawMessage("{}")
		if strings.TrimSpace(p.Call.Arguments) != "" {
			input = json.RawMessage(p.Call.Arguments)
		}
		if !json.Valid(input) {
			return nil, dialect.Uncarried("a tool call whose arguments are no JSON")
		}
		return object{"toolUse": object{"toolUseId": p.Call.ID, "name": p.Call.Name, "input": input}}, nil
	case ringwall.PartReasoning:
		text := object{"text": p.Text}
		if p.Signature != "" {
			text["signature"] = p.Signature
		}
		return object{"reasoningContent": object{"reasoningText": text}}, nil
	case ringwall.PartRedacted:
		return object{"reasoningContent": object{"redactedContent": p.Text}}, nil
	case ringwall.PartResult:
		var content []object
		for _, inside := range p.Result.Parts {
			b, err := writeBlock(inside)
			if err != nil {
				return nil, err
			}
			if b != nil { // what may be kept ends behind the result: inside there is no word for it
				content = append(content, b)
			}
		}
		if content == nil {
			content = []object{{"text": "(empty)"}}
		}
		result := object{"toolUseId": p.Result.ID, "content": content}
		if p.Result.Failed {
			result["status"] = "error"
		}
		return object{"toolResult": result}, nil
	}
	return nil, dialect.Uncarried("a part of an unknown kind")
}

func writeMedium(m *ringwall.Media) (object, error) {
	kind := dialect.MediaNames[m.Kind]
	format := formatOf(m)
	if format == "" {
		return nil, dialect.Uncarried("a " + kind + " of the type " + m.MIME)
	}
	source := object{"bytes": m.Data}
	if m.Data == "" {
		if !strings.HasPrefix(m.URL, "s3://") {
			return nil, dialect.Uncarried("a " + kind + " by its URL; send its bytes")
		}
		source = object{"s3Location": object{"uri": m.URL}}
	}
	b := object{"format": format, "source": source}
	if m.Kind == ringwall.Document {
		b["name"] = documentName(m.Name)
	}
	return object{kind: b}, nil
}

// documentName makes a name one that Converse takes: letters, digits, single
// spaces, hyphens and brackets. It is what the model calls the document.
func documentName(name string) string {
	if at := strings.LastIndexByte(name, '.'); at > 0 {
		name = name[:at]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-()[]", r):
			return r
		}
		return ' '
	}, name)
	if name = strings.Join(strings.Fields(name), " "); name == "" {
		return "document"
	}
	return name
}
