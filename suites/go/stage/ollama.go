package stage

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// ollama is Ollama's own API. Its results of tools are told apart by the name of
// the tool, and by their order.
type ollama struct{}

func (ollama) authentic(r *http.Request, _ []byte) bool { return r.URL.Path == "/api/chat" }

func (ollama) read(_ *http.Request, body []byte) (string, *Asked, error) {
	var req struct {
		Model    string
		Stream   *bool
		Think    any
		Format   json.RawMessage
		Messages []struct {
			Role, Content string
			Images        []string
			ToolName      string `json:"tool_name"`
			ToolCalls     []struct {
				Function struct {
					Name      string
					Arguments map[string]any
				}
			} `json:"tool_calls"`
		}
		Tools   []struct{ Function function }
		Options struct {
			NumPredict  int `json:"num_predict"`
			Temperature float64
			Stop        []string
		}
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return "", nil, err
	}
	a := &Asked{MaxTokens: req.Options.NumPredict, Stream: req.Stream == nil || *req.Stream, Thinks: req.Think != nil && req.Think != false}
	if a.Object = string(req.Format) == `"json"`; len(req.Format) > 0 && !a.Object {
		a.Schema = object(string(req.Format))
	}
	a.Temperature, a.Stop = req.Options.Temperature, req.Options.Stop
	for _, t := range req.Tools {
		a.Tools = append(a.Tools, Tool{t.Function.Name, t.Function.Description, t.Function.Parameters})
	}
	var ts turns
	for _, m := range req.Messages {
		switch m.Role {
		case "system":
			a.System += m.Content
		case "tool":
			ts.result(m.ToolName, m.Content)
		default:
			ts.text(m.Role, m.Content)
			for _, image := range m.Images {
				ts.image(image)
			}
			for _, c := range m.ToolCalls {
				ts.call(c.Function.Name, c.Function.Name, c.Function.Arguments)
			}
		}
	}
	a.Turns = ts.all
	return req.Model, a, nil
}

func (ollama) content() (whole, stream string) {
	return "application/json; charset=utf-8", "application/x-ndjson"
}

func (ollama) line(model, message, more string) []byte {
	return fmt.Appendf(nil, `{"model":%q,"created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant"%s}%s}`+"\n", model, message, more)
}

func (ollama) end(r Reply) string {
	return fmt.Sprintf(`,"done":true,"done_reason":%q,"total_duration":1000,"load_duration":1,"prompt_eval_count":11,"prompt_eval_duration":1,"eval_count":7,"eval_duration":1`, finish(r, "stop", "stop", "length"))
}

func ollamaCalls(r Reply) string {
	if len(r.Calls) == 0 {
		return ""
	}
	var calls []any
	for _, c := range r.Calls {
		calls = append(calls, map[string]any{"function": map[string]any{"name": c.Name, "arguments": c.Arguments}})
	}
	return `,"tool_calls":` + quote(calls)
}

func (p ollama) whole(model string, r Reply) []byte {
	message := `,"content":` + quote(r.Text)
	if r.Thought != "" {
		message += `,"thinking":` + quote(r.Thought)
	}
	return p.line(model, message+ollamaCalls(r), p.end(r))
}

func (p ollama) stream(model string, r Reply) (pieces [][]byte) {
	for _, s := range cut(r.Thought) {
		pieces = append(pieces, p.line(model, `,"content":"","thinking":`+quote(s), `,"done":false`))
	}
	for _, s := range cut(r.Text) {
		pieces = append(pieces, p.line(model, `,"content":`+quote(s), `,"done":false`))
	}
	if calls := ollamaCalls(r); calls != "" {
		pieces = append(pieces, p.line(model, `,"content":""`+calls, `,"done":false`))
	}
	return append(pieces, p.line(model, `,"content":""`, p.end(r)))
}

func (ollama) failureHeader(http.Header, int) {}

func (ollama) failure(_ int, message string) []byte {
	return fmt.Appendf(nil, `{"error":%s}`, quote(message))
}

// generate is Ollama's generate: one prompt, and one answer.
type generate struct{ ollama }

func (generate) authentic(r *http.Request, _ []byte) bool { return r.URL.Path == "/api/generate" }

func (generate) read(r *http.Request, body []byte) (string, *Asked, error) {
	var req struct {
		Prompt, System string
		Images         []string
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return "", nil, err
	}
	model, a, err := ollama{}.read(r, body)
	if err != nil {
		return "", nil, err
	}
	a.System, a.Turns = req.System, []Turn{{Role: "user", Text: req.Prompt, Images: req.Images}}
	return model, a, nil
}

func (generate) line(model, message, more string) []byte {
	return fmt.Appendf(nil, `{"model":%q,"created_at":"2026-01-01T00:00:00Z"%s%s}`+"\n", model, message, more)
}

func (p generate) whole(model string, r Reply) []byte {
	message := `,"response":` + quote(r.Text)
	if r.Thought != "" {
		message += `,"thinking":` + quote(r.Thought)
	}
	return p.line(model, message, p.end(r))
}

func (p generate) stream(model string, r Reply) (pieces [][]byte) {
	for _, s := range cut(r.Thought) {
		pieces = append(pieces, p.line(model, `,"response":"","thinking":`+quote(s), `,"done":false`))
	}
	for _, s := range cut(r.Text) {
		pieces = append(pieces, p.line(model, `,"response":`+quote(s), `,"done":false`))
	}
	return append(pieces, p.line(model, `,"response":""`, p.end(r)))
}
