package responses

import (
	"encoding/json"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
)

type object = map[string]any

// WriteRequest implements dialect.Codec. The provider is asked to keep nothing.
func (Codec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	q := object{"model": c.Model, "store": false}
	set := func(key string, there bool, v any) {
		if there {
			q[key] = v
		}
	}
	s := &c.Sampling
	switch {
	case len(s.Stop) > 0:
		return ringwall.Call{}, dialect.Uncarried("stop sequences")
	case s.TopK != nil:
		return ringwall.Call{}, dialect.Uncarried("top_k")
	case s.Seed != nil:
		return ringwall.Call{}, dialect.Uncarried("seed")
	case s.Presence != nil && *s.Presence != 0 || s.Frequency != nil && *s.Frequency != 0:
		return ringwall.Call{}, dialect.Uncarried("presence and frequency penalties")
	}
	set("stream", c.Stream, c.Stream)
	set("max_output_tokens", s.MaxTokens != nil, s.MaxTokens)
	set("temperature", s.Temperature != nil, s.Temperature)
	set("top_p", s.TopP != nil, s.TopP)
	set("user", c.User != "", c.User)
	set("reasoning", dialect.Effort(c) != "", object{"effort": dialect.Effort(c)})
	var system []string
	for _, p := range c.System {
		if p.Kind != ringwall.PartText {
			return ringwall.Call{}, dialect.Uncarried("instructions that are no text")
		}
		system = append(system, p.Text)
	}
	set("instructions", len(system) > 0, strings.Join(system, "\n\n"))
	input := []object{}
	for _, t := range c.Turns {
		items, err := writeTurn(t)
		if err != nil {
			return ringwall.Call{}, err
		}
		input = append(input, items...)
	}
	q["input"] = input
	tools := []object{}
	for _, t := range c.Tools {
		tool := object{"type": "function", "name": t.Name, "parameters": json.RawMessage(`{"type":"object","properties":{}}`), "strict": t.Strict}
		if t.Schema != nil {
			tool["parameters"] = json.RawMessage(t.Schema)
		}
		if t.Description != "" {
			tool["description"] = t.Description
		}
		tools = append(tools, tool)
	}
	set("tools", len(tools) > 0, tools)
	choice := writeChoice(c.Choice)
	set("tool_choice", choice != nil, choice)
	set("parallel_tool_calls", c.Choice.Single, false)
	if f := c.Format; f != nil {
		q["text"] = object{"format": writeFormat(f)}
	}
	body, err := json.Marshal(q)
	return ringwall.Call{API: API, Model: c.Model, Stream: c.Stream, Body: body}, err
}

func writeFormat(f *ringwall.Format) object {
	if f.Schema == nil {
		return object{"type": "json_object"}
	}
	out := object{"type": "json_schema", "name": f.Name, "schema": json.RawMessage(f.Schema), "strict": f.Strict}
	if f.Name == "" {
		out["name"] = "answer"
	}
	if f.Description != "" {
		out["description"] = f.Description
	}
	return out
}

func writeChoice(c ringwall.ToolChoice) any {
	switch c.Mode {
	case ringwall.ChoiceAuto:
		return "auto"
	case ringwall.ChoiceNone:
		return "none"
	case ringwall.ChoiceRequired:
		return "required"
	case ringwall.ChoiceNamed:
		return object{"type": "function", "name": c.Name}
	case ringwall.ChoiceUnsaid:
	}
	return nil
}

// writeTurn writes the items of a turn, in the order in which things were said.
// Reasoning of another API's model has no place here.
func writeTurn(t ringwall.Turn) (items []object, err error) {
	role, text := "user", "input_text"
	if t.Role == ringwall.RoleAssistant {
		role, text = "assistant", "output_text"
	}
	var said []ringwall.Part
	flush := func() error {
		if len(said) == 0 {
			return nil
		}
		content, err := writeContent(said, text)
		items = append(items, object{"type": "message", "role": role, "content": content})
		said = nil
		return err
	}
	for _, p := range t.Parts {
		switch p.Kind {
		case ringwall.PartCall:
			err = flush()
			items = append(items, object{"type": "function_call", "call_id": p.Call.ID, "name": p.Call.Name, "arguments": p.Call.Arguments})
		case ringwall.PartResult:
			if err = flush(); err != nil {
				return nil, err
			}
			var output any
			if output, err = writeResult(p.Result); err != nil {
				return nil, err
			}
			items = append(items, object{"type": "function_call_output", "call_id": p.Result.ID, "output": output})
		case ringwall.PartReasoning, ringwall.PartRedacted:
		case ringwall.PartText, ringwall.PartMedia, ringwall.PartRefusal:
			said = append(said, p)
		}
		if err != nil {
			return nil, err
		}
	}
	return items, flush()
}

func writeResult(r *ringwall.ToolResult) (any, error) {
	switch {
	case len(r.Parts) == 0 && r.Failed:
		return "error", nil
	case len(r.Parts) == 0:
		return "", nil
	case len(r.Parts) == 1 && r.Parts[0].Kind == ringwall.PartText:
		return r.Parts[0].Text, nil
	}
	return writeContent(r.Parts, "input_text")
}

func writeContent(parts []ringwall.Part, text string) (out []object, err error) {
	for _, p := range parts {
		switch {
		case p.Kind == ringwall.PartText:
			out = append(out, object{"type": text, "text": p.Text})
		case p.Kind == ringwall.PartRefusal:
			out = append(out, object{"type": "refusal", "refusal": p.Text})
		case p.Kind != ringwall.PartMedia:
			return nil, dialect.Uncarried("a part that is neither text nor a medium there")
		case p.Media.Kind == ringwall.Image:
			out = append(out, object{"type": "input_image", "image_url": dialect.ToURL(p.Media)})
		case p.Media.Kind == ringwall.Document && p.Media.Data != "":
			name := p.Media.Name
			if name == "" {
				name = "document"
			}
			out = append(out, object{"type": "input_file", "filename": name, "file_data": dialect.ToURL(p.Media)})
		case p.Media.Kind == ringwall.Document:
			out = append(out, object{"type": "input_file", "file_url": p.Media.URL})
		default:
			return nil, dialect.Uncarried("a " + dialect.MediaNames[p.Media.Kind] + " part")
		}
	}
	return out, nil
}
