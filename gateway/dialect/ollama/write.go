package ollama

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// WriteRequest implements dialect.Codec: a chat, of which everything else is a
// case. A budget of thinking becomes the wish to think; the user's name has no
// place.
func (Codec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	fail := func(what string) (ringwall.Call, error) { return ringwall.Call{}, dialect.Uncarried(what) }
	s := &c.Sampling
	q := chatRequest{Model: c.Model, Messages: []chatMessage{}, Stream: c.Stream}
	q.Options = &chatOptions{s.MaxTokens, s.Temperature, s.TopP, s.TopK, s.Seed, s.Presence, s.Frequency, s.Stop}
	if len(c.System) > 0 {
		m, err := writeMessage("system", c.System)
		if err != nil {
			return ringwall.Call{}, err
		}
		q.Messages = append(q.Messages, m)
	}
	for _, t := range c.Turns {
		ms, err := writeTurn(c, t)
		if err != nil {
			return ringwall.Call{}, err
		}
		q.Messages = append(q.Messages, ms...)
	}
	if c.Choice.Mode != ringwall.ChoiceNone {
		for _, t := range c.Tools {
			if t.Schema == nil {
				t.Schema = []byte(`{"type":"object","properties":{}}`)
			}
			q.Tools = append(q.Tools, chatTool{"function", chatSpec{t.Name, t.Description, t.Schema}})
		}
	}
	switch {
	case c.Choice.Mode == ringwall.ChoiceRequired || c.Choice.Mode == ringwall.ChoiceNamed:
		return fail("a tool that must be used (tool_choice)")
	case c.Choice.Single && len(q.Tools) > 0:
		return fail("one call of a tool at a time (parallel_tool_calls, disable_parallel_tool_use)")
	}
	if f := c.Format; f != nil {
		if q.Format = f.Schema; f.Schema == nil {
			q.Format = json.RawMessage(`"json"`)
		}
	}
	switch c.Effort {
	case "":
		if c.Thinking > 0 {
			q.Think = true
		}
	case "none":
		q.Think = false
	case "minimal", "low":
		q.Think = "low"
	case "medium", "high":
		q.Think = c.Effort
	default:
		return fail(fmt.Sprintf("the effort %.40q", c.Effort))
	}
	body, err := json.Marshal(q)
	return ringwall.Call{API: API, Model: c.Model, Stream: c.Stream, Body: body}, err
}

// writeTurn writes the messages of a turn: results of tools stand in some of their
// own.
func writeTurn(c *ringwall.Conversation, t ringwall.Turn) (ms []chatMessage, err error) {
	role, err := dialect.Speaker(t.Role, "user", "assistant", "system")
	if err != nil {
		return nil, err
	}
	var said []ringwall.Part
	for _, p := range t.Parts {
		if p.Kind != ringwall.PartResult {
			said = append(said, p)
			continue
		}
		r := p.Result
		m, err := writeMessage("tool", r.Parts)
		if err != nil {
			return nil, err
		}
		if m.ToolID, m.ToolName = r.ID, r.Name; m.ToolName == "" {
			m.ToolName = dialect.CallName(c.Turns, r.ID)
		}
		if r.Failed && m.Content == "" {
			m.Content = "error"
		}
		ms = append(ms, m)
	}
	if len(said) == 0 {
		return ms, nil
	}
	m, err := writeMessage(role, said)
	return append(ms, m), err
}

func writeMessage(role string, parts []ringwall.Part) (m chatMessage, err error) {
	m.Role = role
	for _, p := range parts {
		switch p.Kind {
		case ringwall.PartText, ringwall.PartRefusal:
			m.Content += p.Text
		case ringwall.PartReasoning:
			m.Thinking += p.Text
		case ringwall.PartRedacted: // for its own provider alone
		case ringwall.PartMedia:
			if p.Media.Kind != ringwall.Image || p.Media.Data == "" {
				return m, dialect.Uncarried("a " + dialect.MediaNames[p.Media.Kind] + " part that is no image in base64")
			}
			m.Images = append(m.Images, p.Media.Data)
		case ringwall.PartCall:
			call, err := writeCall(p.Call)
			if err != nil {
				return m, dialect.Uncarried("the arguments of a call of " + p.Call.Name + ", which are no JSON object")
			}
			m.ToolCalls = append(m.ToolCalls, call)
		case ringwall.PartResult:
			return m, dialect.Uncarried("the result of a tool inside another")
		}
	}
	return m, nil
}

// writeCall writes a call, whose arguments are an object.
func writeCall(c *ringwall.ToolCall) (out chatCall, err error) {
	args := c.Arguments
	if strings.TrimSpace(args) == "" {
		args = "{}"
	}
	var doc jsonedit.Doc
	if err := doc.Parse([]byte(args), dialect.AnswerLimits); err != nil {
		return out, err
	}
	if kind := doc.Root().Kind(); kind != jsonedit.Object {
		return out, fmt.Errorf("an object should stand there, not %s", kind)
	}
	return chatCall{c.ID, chatArgs{c.Name, json.RawMessage(args)}}, nil
}
