package ollama

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Codec translates chats. It implements dialect.Codec.
type Codec struct {
	Generate bool // requests and answers of /api/generate are read and written
}

var _ dialect.Codec = Codec{}

// tunes are options that change how a request is served and nothing that is said.
var tunes = dialect.NameSet(
	"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep", "use_mmap", "use_mlock", "low_vram", "numa", "f16_kv", "vocab_only",
)

// ReadRequest implements dialect.Codec.
func (k Codec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	c := &ringwall.Conversation{Model: call.Model, Stream: call.Stream}
	root := doc.Root()
	for key, v := range root.Members() {
		if v.Kind() == jsonedit.Null {
			continue
		}
		var err error
		switch key = dialect.FoldCase(key); {
		case key == "model" || key == "stream" || key == "keep_alive" || key == "truncate" || key == "shift" || key == "top_logprobs": // how it is served
		case key == "messages" && !k.Generate:
			err = readMessages(c, v)
		case key == "prompt" && k.Generate:
			parts := []ringwall.Part{{Text: v.Text()}}
			parts = append(parts, images(member(root, "images"))...)
			c.Turns = []ringwall.Turn{{Parts: parts}}
		case key == "images" && k.Generate, key == "context" && k.Generate: // with the prompt; none
		case key == "system" && k.Generate:
			if v.Text() != "" {
				c.System = []ringwall.Part{{Text: v.Text()}}
			}
		case key == "tools" && !k.Generate:
			c.Tools, err = readTools(v)
		case key == "format":
			c.Format, err = readFormat(v)
		case key == "options":
			err = readOptions(c, v)
		case key == "think":
			c.Effort, err = readThink(v)
		case (key == "raw" || key == "logprobs") && !v.True():
		case (key == "suffix" || key == "template") && v.Text() == "":
		default:
			err = dialect.Uncarried(key)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readMessages(c *ringwall.Conversation, list jsonedit.Value) error {
	var calls dialect.Calls
	for i, m := range list.Elems() {
		parts := said(m)
		role := ringwall.RoleUser
		switch member(m, "role").Text() {
		case "system":
			if len(c.Turns) == 0 {
				c.System = append(c.System, parts...)
				continue
			}
			role = ringwall.RoleSystem
		case "assistant":
			role = ringwall.RoleAssistant
			for _, t := range member(m, "tool_calls").Elems() {
				call := readCall(t)
				calls.Asked(call)
				parts = append(parts, ringwall.Part{Kind: ringwall.PartCall, Call: call})
			}
		case "tool":
			r := &ringwall.ToolResult{ID: member(m, "tool_call_id").Text(), Name: member(m, "tool_name").Text(), Parts: parts}
			if !calls.Answered(r) {
				return dialect.Uncarried(fmt.Sprintf("messages[%d]: the result of a tool that no call before it asks for", i))
			}
			parts = []ringwall.Part{{Kind: ringwall.PartResult, Result: r}}
		}
		c.Turns = dialect.AppendTurn(c.Turns, role, parts)
	}
	return nil
}

// said returns what a message says beside its calls.
func said(m jsonedit.Value) (parts []ringwall.Part) {
	if thought := member(m, "thinking").Text(); thought != "" {
		parts = append(parts, ringwall.Part{Kind: ringwall.PartReasoning, Text: thought})
	}
	if text := member(m, "content").Text(); text != "" {
		parts = append(parts, ringwall.Part{Text: text})
	}
	return append(parts, images(member(m, "images"))...)
}

func readCall(v jsonedit.Value) *ringwall.ToolCall {
	f := member(v, "function")
	call := &ringwall.ToolCall{ID: member(v, "id").Text(), Name: member(f, "name").Text(), Arguments: "{}"}
	switch args := member(f, "arguments"); args.Kind() {
	case jsonedit.String:
		call.Arguments = args.Text()
	case jsonedit.Object:
		call.Arguments = string(args.Raw())
	default: // none
	}
	return call
}

// signs are how the base64 of an image begins.
var signs = map[string]string{"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lG": "image/gif", "UklG": "image/webp", "Qk": "image/bmp"}

func images(list jsonedit.Value) (parts []ringwall.Part) {
	for _, v := range list.Elems() {
		m := &ringwall.Media{Kind: ringwall.Image, MIME: "image/png", Data: v.Text()}
		for sign, mime := range signs { // of which one at most fits
			if strings.HasPrefix(m.Data, sign) {
				m.MIME = mime
			}
		}
		parts = append(parts, ringwall.Part{Kind: ringwall.PartMedia, Media: m})
	}
	return parts
}

func readTools(list jsonedit.Value) (tools []ringwall.ToolSpec, err error) {
	for _, t := range list.Elems() {
		f := member(t, "function")
		if f.Kind() != jsonedit.Object {
			return nil, dialect.Uncarried(fmt.Sprintf("a tool of type %.40q", member(t, "type").Text()))
		}
		tools = append(tools, ringwall.ToolSpec{Name: member(f, "name").Text(), Description: member(f, "description").Text(), Schema: dialect.Raw(member(f, "parameters"))})
	}
	return tools, nil
}

func readFormat(v jsonedit.Value) (*ringwall.Format, error) {
	switch {
	case v.Kind() == jsonedit.Object:
		return &ringwall.Format{Schema: dialect.Raw(v)}, nil
	case v.Is("json"):
		return &ringwall.Format{}, nil
	case v.Is(""):
		return nil, nil
	}
	return nil, dialect.Uncarried("a format that is neither json nor a schema")
}

func readThink(v jsonedit.Value) (string, error) {
	switch {
	case v.True():
		return "medium", nil
	case v.Kind() == jsonedit.Bool:
		return "none", nil
	case v.Kind() == jsonedit.String:
		return v.Text(), nil
	}
	return "", dialect.Uncarried("think, which is neither true, false nor a level")
}

func readOptions(c *ringwall.Conversation, options jsonedit.Value) error {
	for key, v := range options.Members() {
		s := &c.Sampling
		switch key {
		case "num_predict":
			if n := dialect.Int(v); n != nil && *n > 0 { // else as much as the model likes
				s.MaxTokens = n
			}
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
		default:
			if !tunes[key] {
				return dialect.Uncarried("options." + key)
			}
		}
	}
	return nil
}

// Shapes of what is written.
type (
	chatRequest struct {
		Model    string          `json:"model"`
		Messages []chatMessage   `json:"messages"`
		Stream   bool            `json:"stream"`
		Tools    []chatTool      `json:"tools,omitempty"`
		Format   json.RawMessage `json:"format,omitempty"`
		Options  *chatOptions    `json:"options,omitempty"`
		Think    any             `json:"think,omitempty"`
	}
	chatMessage struct {
		Role      string     `json:"role"`
		Content   string     `json:"content"`
		Thinking  string     `json:"thinking,omitempty"`
		Images    []string   `json:"images,omitempty"`
		ToolCalls []chatCall `json:"tool_calls,omitempty"`
		ToolName  string     `json:"tool_name,omitempty"`
		ToolID    string     `json:"tool_call_id,omitempty"`
	}
	chatCall struct {
		ID       string   `json:"id,omitempty"`
		Function chatArgs `json:"function"`
	}
	chatArgs struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	chatTool struct {
		Type     string   `json:"type"`
		Function chatSpec `json:"function"`
	}
	chatSpec struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	}
	chatOptions struct {
		MaxTokens   *int64   `json:"num_predict,omitempty"`
		Temperature *float64 `json:"temperature,omitempty"`
		TopP        *float64 `json:"top_p,omitempty"`
		TopK        *int64   `json:"top_k,omitempty"`
		Seed        *int64   `json:"seed,omitempty"`
		Presence    *float64 `json:"presence_penalty,omitempty"`
		Frequency   *float64 `json:"frequency_penalty,omitempty"`
		Stop        []string `json:"stop,omitempty"`
	}
)
