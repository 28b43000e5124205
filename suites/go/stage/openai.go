package stage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// chat is OpenAI's chat completions API, and Azure's, which shows its key another
// way.
type chat struct{ azure bool }

func (c chat) authentic(r *http.Request, _ []byte) bool {
	if c.azure {
		return r.Header.Get("Api-Key") == Key && r.URL.Path == "/openai/v1/chat/completions"
	}
	return r.Header.Get("Authorization") == "Bearer "+Key && r.URL.Path == "/v1/chat/completions"
}

// content of messages is a string, or parts.
type chatPart struct {
	Type     string
	Text     string
	ImageURL struct{ URL string } `json:"image_url"`
	File     struct {
		FileData string `json:"file_data"`
	}
}

type function struct {
	Name        string
	Description string
	Arguments   string
	Parameters  map[string]any
}

func (chat) read(_ *http.Request, body []byte) (string, *Asked, error) {
	var req struct {
		Model               string
		Stream              bool
		MaxTokens           int    `json:"max_tokens"`
		MaxCompletionTokens int    `json:"max_completion_tokens"`
		ReasoningEffort     string `json:"reasoning_effort"`
		Temperature         float64
		Stop                any
		ToolChoice          json.RawMessage `json:"tool_choice"`
		Messages            []struct {
			Role       string
			Content    json.RawMessage
			ToolCallID string `json:"tool_call_id"`
			ToolCalls  []struct {
				ID       string
				Function function
			} `json:"tool_calls"`
		}
		Tools []struct {
			Type     string
			Function function
		}
		ResponseFormat struct {
			Type       string
			JSONSchema struct{ Schema map[string]any } `json:"json_schema"`
		} `json:"response_format"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return "", nil, err
	}
	a := &Asked{MaxTokens: req.MaxTokens + req.MaxCompletionTokens, Stream: req.Stream, Schema: req.ResponseFormat.JSONSchema.Schema}
	a.Thinks = req.ReasoningEffort != "" && req.ReasoningEffort != "none"
	a.Temperature, a.Object, a.Choice = req.Temperature, req.ResponseFormat.Type == "json_object", chosen(req.ToolChoice)
	switch stop := req.Stop.(type) {
	case string:
		a.Stop = []string{stop}
	case []any:
		for _, s := range stop {
			a.Stop = append(a.Stop, fmt.Sprint(s))
		}
	}
	for _, t := range req.Tools {
		a.Tools = append(a.Tools, Tool{t.Function.Name, t.Function.Description, t.Function.Parameters})
	}
	var ts turns
	for _, m := range req.Messages {
		var text string
		var parts []chatPart
		if len(m.Content) > 0 && json.Unmarshal(m.Content, &text) != nil {
			if err := json.Unmarshal(m.Content, &parts); err != nil {
				return "", nil, fmt.Errorf("content: %w", err)
			}
		}
		for _, p := range parts {
			text += p.Text
			if p.Type == "image_url" {
				ts.image(base64Of(p.ImageURL.URL))
			}
			if p.Type == "file" {
				ts.file(base64Of(p.File.FileData))
			}
		}
		switch m.Role {
		case "system", "developer":
			a.System += text
		case "tool":
			ts.result(m.ToolCallID, text)
		default:
			ts.text(m.Role, text)
		}
		for _, c := range m.ToolCalls {
			ts.call(c.ID, c.Function.Name, object(c.Function.Arguments))
		}
	}
	a.Turns = ts.all
	return req.Model, a, nil
}

// chosen reads a choice of tools: the name of one, or a word for "any or none".
func chosen(raw json.RawMessage) string {
	var v struct {
		Name     string
		Function struct{ Name string }
	}
	var word string
	switch {
	case len(raw) == 0:
		return ""
	case json.Unmarshal(raw, &word) == nil:
		return strings.TrimSuffix(word, "auto")
	case json.Unmarshal(raw, &v) != nil:
		return string(raw)
	}
	return v.Name + v.Function.Name
}

func (chat) content() (whole, stream string) { return "application/json", "text/event-stream" }

const chatUsage = `"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}`

func finish(r Reply, end, calls, long string) string {
	switch {
	case r.Long:
		return long
	case len(r.Calls) > 0:
		return calls
	}
	return end
}

func (chat) whole(model string, r Reply) []byte {
	message := map[string]any{"role": "assistant", "content": nil, "refusal": nil}
	if r.Text != "" {
		message["content"] = r.Text
	}
	if r.Thought != "" {
		message["reasoning_content"] = r.Thought // as DeepSeek, vLLM and others call it
	}
	var calls []any
	for i, c := range r.Calls {
		calls = append(calls, map[string]any{"id": fmt.Sprint("call_", i), "type": "function", "function": map[string]any{"name": c.Name, "arguments": quote(c.Arguments)}})
	}
	if len(calls) > 0 {
		message["tool_calls"] = calls
	}
	return fmt.Appendf(nil, `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":%q,"choices":[{"index":0,"message":%s,"logprobs":null,"finish_reason":%q}],%s}`,
		model, quote(message), finish(r, "stop", "tool_calls", "length"), chatUsage)
}

func (chat) stream(model string, r Reply) (pieces [][]byte) {
	head := fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":%q,`, model)
	add := func(delta, reason string) {
		pieces = append(pieces, event("", head+`"choices":[{"index":0,"delta":`+delta+`,"logprobs":null,"finish_reason":`+reason+`}]}`))
	}
	add(`{"role":"assistant","content":"","refusal":null}`, "null")
	for _, p := range cut(r.Thought) {
		add(`{"reasoning_content":`+quote(p)+`}`, "null")
	}
	for _, p := range cut(r.Text) {
		add(`{"content":`+quote(p)+`}`, "null")
	}
	for i, c := range r.Calls {
		add(fmt.Sprintf(`{"tool_calls":[{"index":%d,"id":"call_%d","type":"function","function":{"name":%q,"arguments":""}}]}`, i, i, c.Name), "null")
		for _, p := range cut(quote(c.Arguments)) {
			add(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(p)), "null")
		}
	}
	add(`{}`, `"`+finish(r, "stop", "tool_calls", "length")+`"`)
	return append(pieces, event("", head+`"choices":[],`+chatUsage+`}`), event("", "[DONE]"))
}

func (chat) failureHeader(http.Header, int) {}

func (chat) failure(status int, message string) []byte {
	kind := map[int]string{429: "rate_limit_error", 500: "server_error", 503: "server_error"}[status]
	if kind == "" {
		kind = "invalid_request_error"
	}
	return fmt.Appendf(nil, `{"error":{"message":%s,"type":%q,"param":null,"code":null}}`, quote(message), kind)
}

// responses is OpenAI's responses API.
type responses struct{}

func (responses) authentic(r *http.Request, _ []byte) bool {
	return r.Header.Get("Authorization") == "Bearer "+Key && r.URL.Path == "/v1/responses"
}

func (responses) read(_ *http.Request, body []byte) (string, *Asked, error) {
	var req struct {
		Model           string
		Stream          bool
		Instructions    string
		MaxOutputTokens int `json:"max_output_tokens"`
		Reasoning       struct{ Effort string }
		Input           json.RawMessage
		Tools           []function
		Temperature     float64
		ToolChoice      json.RawMessage `json:"tool_choice"`
		Text            struct {
			Format struct {
				Type   string
				Schema map[string]any
			}
		}
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return "", nil, err
	}
	a := &Asked{System: req.Instructions, MaxTokens: req.MaxOutputTokens, Stream: req.Stream, Schema: req.Text.Format.Schema}
	a.Thinks = req.Reasoning.Effort != "" && req.Reasoning.Effort != "none"
	a.Temperature, a.Object, a.Choice = req.Temperature, req.Text.Format.Type == "json_object", chosen(req.ToolChoice)
	for _, t := range req.Tools {
		a.Tools = append(a.Tools, Tool{t.Name, t.Description, t.Parameters})
	}
	var ts turns
	var said string
	var items []struct {
		Type, Role, Name, Arguments string
		CallID                      string `json:"call_id"`
		Content, Output             json.RawMessage
	}
	if json.Unmarshal(req.Input, &said) == nil {
		ts.text("user", said)
	} else if err := json.Unmarshal(req.Input, &items); err != nil {
		return "", nil, fmt.Errorf("input: %w", err)
	}
	for _, item := range items {
		switch item.Type {
		case "function_call":
			ts.call(item.CallID, item.Name, object(item.Arguments))
			continue
		case "function_call_output":
			text, _, _, err := partsOf(item.Output)
			if err != nil {
				return "", nil, fmt.Errorf("output: %w", err)
			}
			ts.result(item.CallID, text)
			continue
		case "reasoning":
			continue
		}
		text, images, files, err := partsOf(item.Content)
		if err != nil {
			return "", nil, fmt.Errorf("content: %w", err)
		}
		if item.Role == "system" || item.Role == "developer" {
			a.System += text
			continue
		}
		ts.text(item.Role, text)
		for _, image := range images {
			ts.image(image)
		}
		for _, file := range files {
			ts.file(file)
		}
	}
	a.Turns = ts.all
	return req.Model, a, nil
}

// partsOf reads content of the responses API: a string, or parts.
func partsOf(raw json.RawMessage) (text string, images, files []string, err error) {
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text, nil, nil, nil
	}
	var parts []struct {
		Type, Text string
		ImageURL   string `json:"image_url"`
		FileData   string `json:"file_data"`
	}
	err = json.Unmarshal(raw, &parts)
	for _, p := range parts {
		text += p.Text
		if p.Type == "input_image" {
			images = append(images, base64Of(p.ImageURL))
		}
		if p.Type == "input_file" {
			files = append(files, base64Of(p.FileData))
		}
	}
	return text, images, files, err
}

func (responses) content() (whole, stream string) { return "application/json", "text/event-stream" }

// items are what an answer says, done.
func (responses) items(r Reply) (items []string) {
	if r.Thought != "" {
		items = append(items, fmt.Sprintf(`{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":%s}]}`, quote(r.Thought)))
	}
	if r.Text != "" {
		items = append(items, fmt.Sprintf(`{"id":"msg_1","type":"message","status":%q,"role":"assistant","content":[{"type":"output_text","text":%s,"annotations":[],"logprobs":[]}]}`,
			finish(r, "completed", "completed", "incomplete"), quote(r.Text)))
	}
	for i, c := range r.Calls {
		items = append(items, fmt.Sprintf(`{"id":"fc_%d","type":"function_call","status":"completed","call_id":"call_%d","name":%q,"arguments":%s}`, i, i, c.Name, quote(quote(c.Arguments))))
	}
	return items
}

func (responses) object(model, status string, items []string, more string) string {
	return fmt.Sprintf(`{"id":"resp_1","object":"response","created_at":1700000000,"status":%q,"error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":%q,"output":[%s],`+
		`"parallel_tool_calls":true,"temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0%s}`, status, model, strings.Join(items, ","), more)
}

const responseUsage = `,"usage":{"input_tokens":11,"input_tokens_details":{"cached_tokens":0},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":18}`

// done is the whole answer.
func (p responses) done(model string, r Reply) (object, status string) {
	status = finish(r, "completed", "completed", "incomplete")
	object = p.object(model, status, p.items(r), responseUsage)
	if r.Long {
		object = strings.Replace(object, `"incomplete_details":null`, `"incomplete_details":{"reason":"max_output_tokens"}`, 1)
	}
	return object, status
}

func (p responses) whole(model string, r Reply) []byte {
	object, _ := p.done(model, r)
	return []byte(object)
}

func (p responses) stream(model string, r Reply) (pieces [][]byte) {
	add := func(name, more string) {
		pieces = append(pieces, event(name, fmt.Sprintf(`{"type":%q,"sequence_number":%d%s}`, name, len(pieces), more)))
	}
	add("response.created", `,"response":`+p.object(model, "in_progress", nil, `,"usage":null`))
	add("response.in_progress", `,"response":`+p.object(model, "in_progress", nil, `,"usage":null`))
	items, n := p.items(r), 0
	item := func(open string, inside func(at string)) {
		at := fmt.Sprintf(`,"output_index":%d`, n)
		add("response.output_item.added", at+`,"item":`+open)
		inside(at)
		add("response.output_item.done", at+`,"item":`+items[n])
		n++
	}
	if r.Thought != "" {
		item(`{"id":"rs_1","type":"reasoning","summary":[]}`, func(at string) {
			at += `,"item_id":"rs_1","summary_index":0`
			add("response.reasoning_summary_part.added", at+`,"part":{"type":"summary_text","text":""}`)
			for _, s := range cut(r.Thought) {
				add("response.reasoning_summary_text.delta", at+`,"delta":`+quote(s))
			}
			add("response.reasoning_summary_text.done", at+`,"text":`+quote(r.Thought))
			add("response.reasoning_summary_part.done", at+`,"part":{"type":"summary_text","text":`+quote(r.Thought)+`}`)
		})
	}
	if r.Text != "" {
		item(`{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}`, func(at string) {
			at += `,"item_id":"msg_1","content_index":0`
			add("response.content_part.added", at+`,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`)
			for _, s := range cut(r.Text) {
				add("response.output_text.delta", at+`,"logprobs":[],"delta":`+quote(s))
			}
			add("response.output_text.done", at+`,"logprobs":[],"text":`+quote(r.Text))
			add("response.content_part.done", at+`,"part":{"type":"output_text","text":`+quote(r.Text)+`,"annotations":[],"logprobs":[]}`)
		})
	}
	for i, c := range r.Calls {
		item(fmt.Sprintf(`{"id":"fc_%d","type":"function_call","status":"in_progress","call_id":"call_%d","name":%q,"arguments":""}`, i, i, c.Name), func(at string) {
			at += fmt.Sprintf(`,"item_id":"fc_%d"`, i)
			for _, s := range cut(quote(c.Arguments)) {
				add("response.function_call_arguments.delta", at+`,"delta":`+quote(s))
			}
			add("response.function_call_arguments.done", at+`,"name":`+quote(c.Name)+`,"arguments":`+quote(quote(c.Arguments)))
		})
	}
	object, status := p.done(model, r)
	add("response."+status, `,"response":`+object)
	return pieces
}

func (responses) failureHeader(http.Header, int) {}

func (responses) failure(status int, message string) []byte { return chat{}.failure(status, message) }
