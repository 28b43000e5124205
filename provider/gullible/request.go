package gullible

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is a request that cannot be answered, in OpenAI's words.
type Error struct {
	Status  int    // HTTP status
	Type    string // "invalid_request_error"
	Code    string // "" is written as null
	Param   string // "" is written as null
	Message string // what the client reads
}

func (e *Error) Error() string { return "gullible: " + e.Message }

// Body is the JSON document that tells a client of e.
func (e *Error) Body() []byte {
	optional := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	type inner struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	return encode(struct {
		Error inner `json:"error"`
	}{inner{e.Message, e.Type, optional(e.Param), optional(e.Code)}})
}

func invalid(param, format string, args ...any) error {
	return &Error{
		Status: http.StatusBadRequest, Type: "invalid_request_error", Param: param,
		Message: fmt.Sprintf(format, args...),
	}
}

// Bounds of requests.
const (
	maxBody     = 8 << 20
	maxMessages = 4096
	maxTools    = 512
	maxChoices  = 4
	maxStops    = 4
)

// request is what the model reads of a chat completion request; fields that it
// does not know are none of its business.
type request struct {
	Model               string          `json:"model"`
	Messages            []message       `json:"messages"`
	Tools               []tool          `json:"tools"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	Stream              bool            `json:"stream"`
	StreamOptions       *streamOptions  `json:"stream_options"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	N                   *int            `json:"n"`
	Stop                json.RawMessage `json:"stop"`
	ResponseFormat      *struct {
		Type string `json:"type"`
	} `json:"response_format"`

	stops  []string
	choice string // of tools: "auto", "none", "required", or the name of one
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	ToolCalls []toolCall      `json:"tool_calls"`

	text string // all of Content
}

type toolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type tool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// parse reads and checks a request.
func parse(body []byte) (*request, error) {
	if len(body) > maxBody {
		return nil, &Error{
			Status: http.StatusRequestEntityTooLarge, Type: "invalid_request_error",
			Message: fmt.Sprintf("The request is longer than %d bytes.", maxBody),
		}
	}
	if !utf8.Valid(body) {
		return nil, invalid("", "We could not parse the JSON body of your request: it is not UTF-8.")
	}
	var q request
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&q); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, invalid(wrong.Field, "Invalid type for '%s': got %s.", wrong.Field, wrong.Value)
		}
		return nil, invalid("", "We could not parse the JSON body of your request: %v.", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, invalid("", "We could not parse the JSON body of your request: it goes on after its end.")
	}
	for _, check := range []func(*request) error{checkMessages, checkTools, checkNumbers, checkStop} {
		if err := check(&q); err != nil {
			return nil, err
		}
	}
	return &q, nil
}

func checkMessages(q *request) error {
	switch {
	case q.Model == "":
		return invalid("model", "You must provide a model parameter.")
	case len(q.Messages) == 0:
		return invalid("messages", "Invalid 'messages': empty array. Expected an array with minimum length 1.")
	case len(q.Messages) > maxMessages:
		return invalid("messages", "Invalid 'messages': array too long. Expected at most %d.", maxMessages)
	}
	for i := range q.Messages {
		msg := &q.Messages[i]
		switch msg.Role {
		case "system", "developer", "user", "assistant", "tool", "function":
		default:
			return invalid(fmt.Sprintf("messages[%d].role", i), "Invalid value: '%s'. Supported values are: "+
				"'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", msg.Role)
		}
		text, ok := contentText(msg.Content)
		if !ok || text == "" && isNull(msg.Content) && msg.Role != "assistant" {
			param := fmt.Sprintf("messages[%d].content", i)
			return invalid(param, "Invalid value for '%s': expected a string or an array of parts.", param)
		}
		msg.text = text
	}
	return nil
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null"
}

// contentText joins the texts of a message's content.
func contentText(raw json.RawMessage) (string, bool) {
	if isNull(raw) {
		return "", true
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	var parts []struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Refusal string `json:"refusal"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return "", false
	}
	var b strings.Builder
	for _, p := range parts {
		if p.Type == "" {
			return "", false
		}
		if b.Len() > 0 && p.Text+p.Refusal != "" {
			b.WriteByte('\n')
		}
		b.WriteString(p.Text + p.Refusal)
	}
	return b.String(), true
}

func checkTools(q *request) error {
	if len(q.Tools) > maxTools {
		return invalid("tools", "Invalid 'tools': array too long. Expected at most %d.", maxTools)
	}
	for i, t := range q.Tools {
		if t.Type != "function" || t.Function.Name == "" {
			return invalid(fmt.Sprintf("tools[%d]", i), "Invalid 'tools[%d]': expected a function with a name.", i)
		}
	}
	q.choice = "auto"
	if isNull(q.ToolChoice) {
		return nil
	}
	var named struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(q.ToolChoice, &q.choice) == nil {
		switch q.choice {
		case "auto", "none", "required":
			return nil
		}
	} else if json.Unmarshal(q.ToolChoice, &named) == nil && q.tool(named.Function.Name) != nil {
		q.choice = named.Function.Name
		return nil
	}
	return invalid("tool_choice", "Invalid value for 'tool_choice': expected 'none', 'auto', 'required' or one of the tools.")
}

// tool returns the tool of that name, nil when there is none.
func (q *request) tool(name string) *tool {
	for i := range q.Tools {
		if q.Tools[i].Function.Name == name {
			return &q.Tools[i]
		}
	}
	return nil
}

func checkNumbers(q *request) error {
	if n := q.N; n != nil && (*n < 1 || *n > maxChoices) {
		return invalid("n", "Invalid 'n': expected 1 to %d, got %d.", maxChoices, *n)
	}
	if n := q.MaxTokens; n != nil && *n < 1 {
		return invalid("max_tokens", "Invalid 'max_tokens': expected at least 1, got %d.", *n)
	}
	if n := q.MaxCompletionTokens; n != nil && *n < 1 {
		return invalid("max_completion_tokens", "Invalid 'max_completion_tokens': expected at least 1, got %d.", *n)
	}
	return nil
}

func checkStop(q *request) error {
	if isNull(q.Stop) {
		return nil
	}
	var one string
	if json.Unmarshal(q.Stop, &one) == nil {
		q.stops = []string{one}
	} else if json.Unmarshal(q.Stop, &q.stops) != nil || len(q.stops) > maxStops {
		return invalid("stop", "Invalid 'stop': expected a string or an array of at most %d.", maxStops)
	}
	if slices.Contains(q.stops, "") {
		return invalid("stop", "Invalid 'stop': empty string.")
	}
	return nil
}

// choices is how many answers are asked for.
func (q *request) choices() int {
	if q.N == nil {
		return 1
	}
	return *q.N
}

// limit is how many tokens an answer may have; 0: as many as it likes.
func (q *request) limit() int {
	switch {
	case q.MaxCompletionTokens != nil:
		return *q.MaxCompletionTokens
	case q.MaxTokens != nil:
		return *q.MaxTokens
	}
	return 0
}
