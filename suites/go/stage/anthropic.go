package stage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// anthropic is Anthropic's Messages API.
type anthropic struct{}

func (anthropic) authentic(r *http.Request, _ []byte) bool {
	return r.Header.Get("X-Api-Key") == Key && r.Header.Get("Anthropic-Version") != "" && r.URL.Path == "/v1/messages"
}

type messageBlock struct {
	Type, Text, ID, Name string
	Input                map[string]any
	ToolUseID            string `json:"tool_use_id"`
	Content              json.RawMessage
	Source               struct {
		Type, Data, URL string
		MediaType       string `json:"media_type"`
	}
}

// blocks reads content: a string, or blocks.
func blocks(raw json.RawMessage) (all []messageBlock, err error) {
	var text string
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return []messageBlock{{Type: "text", Text: text}}, nil
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	return all, nil
}

func textOf(all []messageBlock) (text string) {
	for _, b := range all {
		text += b.Text
	}
	return text
}

func (anthropic) read(_ *http.Request, body []byte) (string, *Asked, error) {
	var req struct {
		Model     string
		Stream    bool
		MaxTokens int `json:"max_tokens"`
		System    json.RawMessage
		Messages  []struct {
			Role    string
			Content json.RawMessage
		}
		Tools []struct {
			Name, Description string
			InputSchema       map[string]any `json:"input_schema"`
		}
		Thinking      struct{ Type string }
		Temperature   float64
		StopSequences []string        `json:"stop_sequences"`
		ToolChoice    json.RawMessage `json:"tool_choice"`
		OutputConfig  struct {
			Effort string
			Format struct{ Schema map[string]any }
		} `json:"output_config"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return "", nil, err
	}
	system, err := blocks(req.System)
	if err != nil {
		return "", nil, err
	}
	a := &Asked{System: textOf(system), MaxTokens: req.MaxTokens, Stream: req.Stream, Schema: req.OutputConfig.Format.Schema}
	a.Thinks = req.Thinking.Type == "enabled" || req.Thinking.Type == "adaptive" || req.OutputConfig.Effort != ""
	a.Temperature, a.Stop, a.Choice = req.Temperature, req.StopSequences, chosen(req.ToolChoice)
	for _, t := range req.Tools {
		a.Tools = append(a.Tools, Tool{t.Name, t.Description, t.InputSchema})
	}
	var ts turns
	for _, m := range req.Messages {
		all, err := blocks(m.Content)
		if err != nil {
			return "", nil, err
		}
		for _, b := range all {
			switch b.Type {
			case "text":
				ts.text(m.Role, b.Text)
			case "image":
				ts.image(b.Source.Data + b.Source.URL)
			case "document":
				ts.file(b.Source.Data)
			case "tool_use":
				ts.call(b.ID, b.Name, b.Input)
			case "tool_result":
				inside, err := blocks(b.Content)
				if err != nil {
					return "", nil, err
				}
				ts.result(b.ToolUseID, textOf(inside))
			case "thinking":
			default:
				return "", nil, fmt.Errorf("a block of type %q", b.Type)
			}
		}
	}
	a.Turns = ts.all
	return req.Model, a, nil
}

func (anthropic) content() (whole, stream string) {
	return "application/json", "text/event-stream; charset=utf-8"
}

func (anthropic) message(model string, content []string, stop string, out int) string {
	return fmt.Sprintf(`{"id":"msg_1","type":"message","role":"assistant","model":%q,"content":[%s],"stop_reason":%s,"stop_sequence":null,"usage":{"input_tokens":11,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":%d}}`,
		model, strings.Join(content, ","), stop, out)
}

func (p anthropic) whole(model string, r Reply) []byte {
	var content []string
	if r.Thought != "" {
		content = append(content, fmt.Sprintf(`{"type":"thinking","thinking":%s,"signature":"c2lnbmVk"}`, quote(r.Thought)))
	}
	if r.Text != "" {
		content = append(content, fmt.Sprintf(`{"type":"text","text":%s}`, quote(r.Text)))
	}
	for i, c := range r.Calls {
		content = append(content, fmt.Sprintf(`{"type":"tool_use","id":"toolu_%d","name":%q,"input":%s}`, i, c.Name, quote(c.Arguments)))
	}
	return []byte(p.message(model, content, quote(finish(r, "end_turn", "tool_use", "max_tokens")), TokensOut))
}

func (p anthropic) stream(model string, r Reply) (pieces [][]byte) {
	add := func(name, more string) {
		pieces = append(pieces, event(name, fmt.Sprintf(`{"type":%q%s}`, name, more)))
	}
	n := 0
	block := func(open, kind, key, text string) {
		at := fmt.Sprintf(`,"index":%d`, n)
		add("content_block_start", at+`,"content_block":`+open)
		for _, s := range cut(text) {
			add("content_block_delta", fmt.Sprintf(`%s,"delta":{"type":%q,%q:%s}`, at, kind, key, quote(s)))
		}
		if kind == "thinking_delta" {
			add("content_block_delta", at+`,"delta":{"type":"signature_delta","signature":"c2lnbmVk"}`)
		}
		add("content_block_stop", at)
		n++
	}
	add("message_start", `,"message":`+p.message(model, nil, "null", 1))
	add("ping", "")
	if r.Thought != "" {
		block(`{"type":"thinking","thinking":"","signature":""}`, "thinking_delta", "thinking", r.Thought)
	}
	if r.Text != "" {
		block(`{"type":"text","text":""}`, "text_delta", "text", r.Text)
	}
	for i, c := range r.Calls {
		block(fmt.Sprintf(`{"type":"tool_use","id":"toolu_%d","name":%q,"input":{}}`, i, c.Name), "input_json_delta", "partial_json", quote(c.Arguments))
	}
	add("message_delta", fmt.Sprintf(`,"delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":%d}`, finish(r, "end_turn", "tool_use", "max_tokens"), TokensOut))
	add("message_stop", "")
	return pieces
}

func (anthropic) failureHeader(h http.Header, _ int) { h.Set("Request-Id", "req_1") }

func (anthropic) failure(status int, message string) []byte {
	kind := map[int]string{404: "not_found_error", 429: "rate_limit_error", 500: "api_error", 503: "overloaded_error"}[status]
	if kind == "" {
		kind = "invalid_request_error"
	}
	return fmt.Appendf(nil, `{"type":"error","error":{"type":%q,"message":%s},"request_id":"req_1"}`, kind, quote(message))
}
