package openai

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// API is the name of the dialect of chat completions.
const API = "openai"

// Codec translates chat completions. It implements dialect.Codec.
type Codec struct{}

var _ dialect.Codec = Codec{}

// tunes are members of a request that change how it is served and nothing that is
// said: what another API has no word for among them is left away.
var tunes = dialect.NameSet(
	"model", "stream", "stream_options", "store", "metadata", "service_tier", "safety_identifier",
	"prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls", "tool_choice", "prediction",
)

// plain reports whether a member says what is the case anyway, as clients write it
// that spell all their settings out.
func plain(key string, v jsonedit.Value) bool {
	raw := string(v.Raw())
	switch key {
	case "logprobs":
		return raw == "false"
	case "top_logprobs":
		return raw == "0"
	case "logit_bias":
		return raw == "{}"
	case "verbosity":
		return v.Is("medium")
	case "modalities":
		words := dialect.Strings(v)
		return len(words) == 1 && words[0] == "text"
	}
	return false
}

// ReadRequest implements dialect.Codec.
func (Codec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	c := &ringwall.Conversation{Model: call.Model, Stream: call.Stream}
	root := doc.Root()
	for key, v := range root.Members() {
		if v.Kind() == jsonedit.Null || tunes[key] || plain(key, v) {
			continue
		}
		var err error
		switch s := &c.Sampling; key {
		case "messages":
			err = readMessages(c, v)
		case "tools":
			c.Tools, err = readTools(v)
		case "max_tokens", "max_completion_tokens":
			s.MaxTokens = dialect.Int(v)
		case "temperature":
			s.Temperature = dialect.Float(v)
		case "top_p":
			s.TopP = dialect.Float(v)
		case "top_k":
			s.TopK = dialect.Int(v)
		case "seed":
			s.Seed = dialect.Int(v)
		case "presence_penalty":
			s.Presence = dialect.Float(v)
		case "frequency_penalty":
			s.Frequency = dialect.Float(v)
		case "stop":
			s.Stop = dialect.Strings(v)
		case "response_format":
			c.Format, err = readFormat(v)
		case "reasoning_effort":
			c.Effort = v.Text()
		case "user":
			c.User = v.Text()
		case "n":
			if n := dialect.Int(v); n == nil || *n != 1 {
				err = dialect.Uncarried("n, several answers to one request")
			}
		default:
			err = dialect.Uncarried(key)
		}
		if err != nil {
			return nil, err
		}
	}
	c.Choice = readChoice(root.Get("tool_choice"))
	if p := root.Get("parallel_tool_calls"); p.Kind() == jsonedit.Bool && !p.True() {
		c.Choice.Single = true
	}
	return c, nil
}

func readMessages(c *ringwall.Conversation, list jsonedit.Value) error {
	for i, m := range list.Elems() {
		parts, err := readContent(m.Get("content"))
		if err != nil {
			return err
		}
		role := ringwall.RoleUser
		switch name := m.Get("role").Text(); name {
		case "system", "developer":
			if len(c.Turns) == 0 {
				c.System = append(c.System, parts...)
				continue
			}
			role = ringwall.RoleSystem
		case "user":
		case "assistant":
			role = ringwall.RoleAssistant
			if more := m.Get("refusal"); more.Kind() == jsonedit.String {
				parts = append(parts, ringwall.Part{Kind: ringwall.PartRefusal, Text: more.Text()})
			}
			for _, t := range m.Get("tool_calls").Elems() {
				f := t.Get("function")
				if !f.Exists() {
					return dialect.Uncarried(fmt.Sprintf("messages[%d]: a tool call of type %.40q", i, t.Get("type").Text()))
				}
				parts = append(parts, ringwall.Part{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{
					ID: t.Get("id").Text(), Name: f.Get("name").Text(), Arguments: f.Get("arguments").Text(),
				}})
			}
			for _, key := range []string{"function_call", "audio"} {
				if v := m.Get(key); v.Exists() && v.Kind() != jsonedit.Null {
					return dialect.Uncarried(fmt.Sprintf("messages[%d].%s", i, key))
				}
			}
		case "tool":
			parts = []ringwall.Part{{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{ID: m.Get("tool_call_id").Text(), Parts: parts}}}
		default:
			return dialect.Uncarried(fmt.Sprintf("messages[%d]: the role %.40q", i, name))
		}
		c.Turns = dialect.AppendTurn(c.Turns, role, parts)
	}
	return nil
}

func readContent(v jsonedit.Value) (parts []ringwall.Part, err error) {
	switch v.Kind() {
	case jsonedit.String:
		return []ringwall.Part{{Text: v.Text()}}, nil
	case jsonedit.Array:
	default:
		return nil, nil
	}
	for _, p := range v.Elems() {
		part, err := readPart(p.Get("type").Text(), p)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// readPart reads a part of a content.
func readPart(kind string, p jsonedit.Value) (part ringwall.Part, err error) {
	switch kind {
	case "text":
		part.Text = p.Get("text").Text()
	case "refusal":
		part.Kind, part.Text = ringwall.PartRefusal, p.Get("refusal").Text()
	case "image_url":
		part.Kind, part.Media = ringwall.PartMedia, dialect.FromURL(ringwall.Image, p.Get("image_url").Get("url").Text())
	case "input_audio":
		a := p.Get("input_audio")
		part.Kind, part.Media = ringwall.PartMedia, &ringwall.Media{Kind: ringwall.Audio, MIME: "audio/" + a.Get("format").Text(), Data: a.Get("data").Text()}
	case "file":
		f := p.Get("file")
		data := f.Get("file_data")
		if data.Kind() != jsonedit.String {
			return part, dialect.Uncarried("a file by its id")
		}
		part.Kind, part.Media = ringwall.PartMedia, dialect.FromURL(ringwall.Document, data.Text())
		part.Media.Name = f.Get("filename").Text()
	default:
		return part, dialect.Uncarried(fmt.Sprintf("a content part of type %.40q", kind))
	}
	// No word of OpenAI's own, but of many that speak its API.
	part.Cache = dialect.CacheFor(p.Get("cache_control"))
	return part, nil
}

func readTools(list jsonedit.Value) (tools []ringwall.ToolSpec, err error) {
	for _, t := range list.Elems() {
		f := t.Get("function")
		if t.Get("type").Text() != "function" {
			return nil, dialect.Uncarried(fmt.Sprintf("a tool of type %.40q", t.Get("type").Text()))
		}
		tools = append(tools, ringwall.ToolSpec{
			Name: f.Get("name").Text(), Description: f.Get("description").Text(), Schema: dialect.Raw(f.Get("parameters")), Strict: f.Get("strict").True(),
			Cache: dialect.CacheFor(t.Get("cache_control")),
		})
	}
	return tools, nil
}

func readChoice(v jsonedit.Value) (c ringwall.ToolChoice) {
	switch v.Text() {
	case "auto":
		c.Mode = ringwall.ChoiceAuto
	case "none":
		c.Mode = ringwall.ChoiceNone
	case "required":
		c.Mode = ringwall.ChoiceRequired
	}
	if name := v.Get("function").Get("name"); name.Exists() {
		c.Mode, c.Name = ringwall.ChoiceNamed, name.Text()
	}
	return c
}

func readFormat(v jsonedit.Value) (*ringwall.Format, error) {
	switch kind := v.Get("type").Text(); kind {
	case "text":
		return nil, nil
	case "json_object":
		return &ringwall.Format{}, nil
	case "json_schema":
		s := v.Get("json_schema")
		return &ringwall.Format{Name: s.Get("name").Text(), Description: s.Get("description").Text(), Schema: dialect.Raw(s.Get("schema")), Strict: s.Get("strict").True()}, nil
	default:
		return nil, dialect.Uncarried(fmt.Sprintf("a response_format of type %.40q", kind))
	}
}

// Shapes of what is written.
type (
	chatRequest struct {
		Model         string        `json:"model"`
		Messages      []chatMessage `json:"messages"`
		Stream        bool          `json:"stream,omitempty"`
		StreamOptions any           `json:"stream_options,omitempty"`
		Tools         []chatTool    `json:"tools,omitempty"`
		ToolChoice    any           `json:"tool_choice,omitempty"`
		Parallel      *bool         `json:"parallel_tool_calls,omitempty"`
		MaxTokens     *int64        `json:"max_completion_tokens,omitempty"`
		Temperature   *float64      `json:"temperature,omitempty"`
		TopP          *float64      `json:"top_p,omitempty"`
		TopK          *int64        `json:"top_k,omitempty"`
		Seed          *int64        `json:"seed,omitempty"`
		Presence      *float64      `json:"presence_penalty,omitempty"`
		Frequency     *float64      `json:"frequency_penalty,omitempty"`
		Stop          []string      `json:"stop,omitempty"`
		Format        any           `json:"response_format,omitempty"`
		Effort        string        `json:"reasoning_effort,omitempty"`
		User          string        `json:"user,omitempty"`
	}
	chatMessage struct {
		Role       string     `json:"role"`
		Content    any        `json:"content"`
		Refusal    string     `json:"refusal,omitempty"`
		ToolCalls  []chatCall `json:"tool_calls,omitempty"`
		ToolCallID string     `json:"tool_call_id,omitempty"`
	}
	chatCall struct {
		Index    *int         `json:"index,omitempty"`
		ID       string       `json:"id,omitempty"`
		Type     string       `json:"type,omitempty"`
		Function chatFunction `json:"function"`
	}
	chatFunction struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	}
	chatTool struct {
		Type     string   `json:"type"`
		Function chatSpec `json:"function"`
	}
	chatSpec struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters,omitempty"`
		Strict      bool            `json:"strict,omitempty"`
	}
)

type object = map[string]any

// WriteRequest implements dialect.Codec.
func (Codec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	s := &c.Sampling
	q := chatRequest{
		Model: c.Model, Stream: c.Stream, MaxTokens: s.MaxTokens, Temperature: s.Temperature, TopP: s.TopP, TopK: s.TopK, Seed: s.Seed,
		Presence: s.Presence, Frequency: s.Frequency, Stop: s.Stop, Effort: dialect.Effort(c), User: c.User,
	}
	if c.Stream {
		q.StreamOptions = object{"include_usage": true}
	}
	if len(c.System) > 0 {
		content, err := writeContent(c.System)
		if err != nil {
			return ringwall.Call{}, err
		}
		q.Messages = append(q.Messages, chatMessage{Role: "system", Content: content})
	}
	for _, t := range c.Turns {
		ms, err := writeTurn(t)
		if err != nil {
			return ringwall.Call{}, err
		}
		q.Messages = append(q.Messages, ms...)
	}
	for _, t := range c.Tools {
		q.Tools = append(q.Tools, chatTool{"function", chatSpec{t.Name, t.Description, t.Schema, t.Strict}})
	}
	q.ToolChoice = writeChoice(c.Choice)
	if c.Choice.Single {
		q.Parallel = new(bool)
	}
	if f := c.Format; f != nil {
		q.Format = object{"type": "json_object"}
		if f.Schema != nil {
			schema := object{"name": f.Name, "schema": json.RawMessage(f.Schema), "strict": f.Strict}
			if f.Name == "" {
				schema["name"] = "answer"
			}
			if f.Description != "" {
				schema["description"] = f.Description
			}
			q.Format = object{"type": "json_schema", "json_schema": schema}
		}
	}
	body, err := json.Marshal(q)
	return ringwall.Call{API: API, Model: c.Model, Stream: c.Stream, Body: body}, err
}

// writeTurn writes the messages of a turn: results of tools stand in some of their
// own. What the model thought has no place here.
func writeTurn(t ringwall.Turn) (ms []chatMessage, err error) {
	var m chatMessage
	if m.Role, err = dialect.Speaker(t.Role, "user", "assistant", "system"); err != nil {
		return nil, err
	}
	var said []ringwall.Part
	for _, p := range t.Parts {
		switch p.Kind {
		case ringwall.PartResult:
			if p.Result.Failed && len(p.Result.Parts) == 0 {
				p.Result.Parts = []ringwall.Part{{Text: "error"}}
			}
			content, err := writeContent(p.Result.Parts)
			if err != nil {
				return nil, err
			}
			if content == nil {
				content = ""
			}
			ms = append(ms, chatMessage{Role: "tool", ToolCallID: p.Result.ID, Content: content})
		case ringwall.PartCall:
			m.ToolCalls = append(m.ToolCalls, chatCall{ID: p.Call.ID, Type: "function", Function: chatFunction{p.Call.Name, p.Call.Arguments}})
		case ringwall.PartRefusal:
			m.Refusal += p.Text
		case ringwall.PartReasoning, ringwall.PartRedacted:
		default:
			said = append(said, p)
		}
	}
	if m.Content, err = writeContent(said); err != nil {
		return nil, err
	}
	if m.Content != nil || len(m.ToolCalls) > 0 || m.Refusal != "" {
		ms = append(ms, m)
	}
	return ms, nil
}

// writeContent writes one text as a string and more as parts; nothing is null.
func writeContent(parts []ringwall.Part) (any, error) {
	switch {
	case len(parts) == 0:
		return nil, nil
	case len(parts) == 1 && parts[0].Kind == ringwall.PartText:
		return parts[0].Text, nil
	}
	var out []object
	for _, p := range parts {
		switch {
		case p.Kind == ringwall.PartText:
			out = append(out, object{"type": "text", "text": p.Text})
		case p.Kind != ringwall.PartMedia:
			return nil, dialect.Uncarried("a part that is neither text nor a medium there")
		case p.Media.Kind == ringwall.Image:
			out = append(out, object{"type": "image_url", "image_url": object{"url": dialect.ToURL(p.Media)}})
		case p.Media.Kind == ringwall.Audio && p.Media.Data != "":
			out = append(out, object{"type": "input_audio", "input_audio": object{"format": strings.TrimPrefix(p.Media.MIME, "audio/"), "data": p.Media.Data}})
		case p.Media.Kind == ringwall.Document && p.Media.Data != "":
			name := p.Media.Name
			if name == "" {
				name = "document"
			}
			out = append(out, object{"type": "file", "file": object{"filename": name, "file_data": dialect.ToURL(p.Media)}})
		default:
			return nil, dialect.Uncarried("a " + dialect.MediaNames[p.Media.Kind] + " part")
		}
	}
	return out, nil
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
		return object{"type": "function", "function": object{"name": c.Name}}
	case ringwall.ChoiceUnsaid:
	}
	return nil
}
