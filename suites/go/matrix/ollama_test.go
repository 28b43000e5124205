package matrix

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/ollama/ollama/api"

	"github.com/ringwall/ringwall/suites/go/stage"
)

// ollamas is Ollama's chat.
var ollamas = &dialect{
	name: "ollama", title: "Ollama chat", module: "github.com/ollama/ollama", lacks: "image URL, PDF, choice, count, SigV4, retries",
	ask: askOllama, kind: kindOfOllama,
}

// generators is Ollama's generate.
var generators = &dialect{
	name: "ollama-generate", title: "Ollama generate", module: "github.com/ollama/ollama",
	lacks: "turns, tools, parallel, tools streamed, choice, image URL, PDF, count, SigV4, retries",
	ask:   askGenerate, kind: kindOfOllama,
}

// bearing shows the key, for which Ollama's client has no place.
type bearing struct{ *wire }

func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return b.wire.RoundTrip(r)
}

func ollamaOf(w *wire) (*api.Client, error) {
	base, err := url.Parse(w.url)
	if err != nil {
		return nil, err
	}
	return api.NewClient(base, &http.Client{Transport: bearing{w}}), nil
}

// kindOfOllama knows errors by their status. Those of a stream have none and are
// plain words.
func kindOfOllama(err error) kind {
	var e api.StatusError
	switch {
	case !errors.As(err, &e):
		return strange
	case e.ErrorMessage == "":
		return strange
	case e.StatusCode == http.StatusBadRequest && kindOf(e.StatusCode, e.ErrorMessage) != refused:
		return policy
	}
	return kindOf(e.StatusCode, e.ErrorMessage)
}

func thinks(t talk) *api.ThinkValue {
	if !t.Thinks {
		return nil
	}
	return &api.ThinkValue{Value: true}
}

func schemaOf(t talk) json.RawMessage {
	switch {
	case t.Object:
		return json.RawMessage(`"json"`)
	case t.Schema == nil:
		return nil
	}
	return json.RawMessage(written(t.Schema))
}

func options(t talk) map[string]any {
	o := map[string]any{"num_predict": t.MaxTokens}
	if t.Temperature != 0 {
		o["temperature"] = t.Temperature
	}
	if t.Stop != nil {
		o["stop"] = t.Stop
	}
	return o
}

func pictures(turn stage.Turn) (all []api.ImageData, err error) {
	for _, image := range turn.Images {
		data, err := base64.StdEncoding.DecodeString(image)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// heardOllama takes what a piece of an answer says.
func (got *heard) heardOllama(done bool, reason string, m api.Metrics) {
	if !done {
		return
	}
	got.in, got.out = int64(m.PromptEvalCount), int64(m.EvalCount)
	got.stop = map[string]stop{"stop": ended, "length": long, "content_filter": withheld}[reason]
	if got.stop == ended && len(got.Calls) > 0 { // for which there is no word of its own
		got.stop = calls
	}
}

func askOllama(ctx context.Context, w *wire, t talk) (got heard, err error) {
	c, err := ollamaOf(w)
	if err != nil {
		return heard{}, err
	}
	req := &api.ChatRequest{Model: t.model, Stream: &t.Stream, Format: schemaOf(t), Think: thinks(t), Options: options(t)}
	if t.System != "" {
		req.Messages = append(req.Messages, api.Message{Role: "system", Content: t.System})
	}
	for _, turn := range t.Turns {
		m := api.Message{Role: turn.Role, Content: turn.Text}
		if m.Images, err = pictures(turn); err != nil {
			return heard{}, err
		}
		for i, c := range turn.Calls {
			args := api.NewToolCallFunctionArguments()
			for key, v := range c.Arguments {
				args.Set(key, v)
			}
			m.ToolCalls = append(m.ToolCalls, api.ToolCall{ID: t.ids[i], Function: api.ToolCallFunction{Index: i, Name: c.Name, Arguments: args}})
		}
		for _, r := range turn.Results {
			req.Messages = append(req.Messages, api.Message{Role: "tool", ToolName: stage.Weather.Name, ToolCallID: t.ids[r.Call], Content: r.Text})
		}
		if len(turn.Results) == 0 {
			req.Messages = append(req.Messages, m)
		}
	}
	for _, tool := range t.Tools {
		f := api.Tool{Type: "function", Function: api.ToolFunction{Name: tool.Name, Description: tool.Description}}
		if err := json.Unmarshal([]byte(written(tool.Schema)), &f.Function.Parameters); err != nil {
			return heard{}, err
		}
		req.Tools = append(req.Tools, f)
	}
	err = c.Chat(ctx, req, func(r api.ChatResponse) error {
		t.came()
		got.Text, got.Thought = got.Text+r.Message.Content, got.Thought+r.Message.Thinking
		for _, c := range r.Message.ToolCalls {
			got.Calls, got.ids = append(got.Calls, stage.Call{Name: c.Function.Name, Arguments: c.Function.Arguments.ToMap()}), append(got.ids, c.ID)
		}
		got.heardOllama(r.Done, r.DoneReason, r.Metrics)
		return nil
	})
	return got, err
}

func askGenerate(ctx context.Context, w *wire, t talk) (got heard, err error) {
	c, err := ollamaOf(w)
	if err != nil {
		return heard{}, err
	}
	req := &api.GenerateRequest{
		Model: t.model, Prompt: t.Turns[0].Text, System: t.System, Stream: &t.Stream, Format: schemaOf(t), Think: thinks(t), Options: options(t),
	}
	if req.Images, err = pictures(t.Turns[0]); err != nil {
		return heard{}, err
	}
	err = c.Generate(ctx, req, func(r api.GenerateResponse) error {
		t.came()
		got.Text, got.Thought = got.Text+r.Response, got.Thought+r.Thinking
		got.heardOllama(r.Done, r.DoneReason, r.Metrics)
		return nil
	})
	return got, err
}
