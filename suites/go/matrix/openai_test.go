package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/ringwall/ringwall/suites/go/stage"
)

// chats is OpenAI's chat completions.
var chats = &dialect{
	name: "openai", title: "OpenAI chat completions", module: "github.com/openai/openai-go/v3", lacks: "count, SigV4",
	ask: askChat, kind: kindOfOpenAI,
}

// prompts is OpenAI's completions.
var prompts = &dialect{
	name: "openai-completions", title: "OpenAI completions", module: "github.com/openai/openai-go/v3",
	lacks: "system, turns, tools, parallel, tools streamed, image, image URL, PDF, reasoning, schema, JSON, choice, count, SigV4",
	ask:   askPrompt, kind: kindOfOpenAI,
}

func openaiOf(w *wire, t talk) openai.Client {
	opts := []option.RequestOption{option.WithBaseURL(w.url + "/v1"), option.WithAPIKey(w.key), option.WithHTTPClient(w.client())}
	if !t.retries {
		opts = append(opts, option.WithMaxRetries(0))
	}
	return openai.NewClient(opts...)
}

func kindOfOpenAI(err error) kind {
	var e *openai.Error
	switch {
	case !errors.As(err, &e):
		return strange
	case e.Code == "content_filter":
		return policy
	case e.Code == "unsupported_by_model":
		return refused
	}
	return kindOf(e.StatusCode, e.Message)
}

// arguments reads those of a call.
func arguments(doc string) (m map[string]any, err error) {
	err = json.Unmarshal([]byte(doc), &m)
	return m, err
}

// written writes those of a call.
func written(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // what scenes hold can be written
	}
	return string(b)
}

func chatOf(t talk) openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{Model: t.model, MaxCompletionTokens: openai.Int(int64(t.MaxTokens))}
	if t.System != "" {
		p.Messages = append(p.Messages, openai.SystemMessage(t.System))
	}
	for _, turn := range t.Turns {
		switch {
		case turn.Role == "tool":
			for _, r := range turn.Results {
				p.Messages = append(p.Messages, openai.ToolMessage(r.Text, t.ids[r.Call]))
			}
		case turn.Role == "assistant":
			m := openai.AssistantMessage(turn.Text)
			for i, c := range turn.Calls {
				m.OfAssistant.ToolCalls = append(m.OfAssistant.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
					ID: t.ids[i], Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: c.Name, Arguments: written(c.Arguments)},
				}})
			}
			p.Messages = append(p.Messages, m)
		case len(turn.Images)+len(turn.Files) > 0:
			parts := []openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(turn.Text)}
			for _, image := range turn.Images {
				parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: pictureURL(image)}))
			}
			for _, file := range turn.Files {
				parts = append(parts, openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{Filename: openai.String("a.pdf"), FileData: openai.String("data:application/pdf;base64," + file)}))
			}
			p.Messages = append(p.Messages, openai.UserMessage(parts))
		default:
			p.Messages = append(p.Messages, openai.UserMessage(turn.Text))
		}
	}
	for _, tool := range t.Tools {
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: tool.Name, Description: openai.String(tool.Description), Parameters: tool.Schema}))
	}
	if t.Choice != "" {
		p.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: t.Choice})
	}
	p.Stop.OfStringArray = t.Stop
	if t.Temperature != 0 {
		p.Temperature = openai.Float(t.Temperature)
	}
	if t.Object {
		p.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	}
	if t.Thinks {
		p.ReasoningEffort = shared.ReasoningEffortLow
	}
	if t.Schema != nil {
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "weather", Schema: t.Schema, Strict: openai.Bool(true)}}
	}
	return p
}

// pictureURL is where a picture of a scene is, or the picture as a URL.
func pictureURL(image string) string {
	if strings.HasPrefix(image, "https:") {
		return image
	}
	return "data:image/png;base64," + image
}

// thoughtOf is what servers beside OpenAI's say of reasoning in chats.
func thoughtOf(raw string) string {
	var m struct {
		ReasoningContent string `json:"reasoning_content"`
	}
	if json.Unmarshal([]byte(raw), &m) != nil {
		return ""
	}
	return m.ReasoningContent
}

func askChat(ctx context.Context, w *wire, t talk) (heard, error) {
	c, p := openaiOf(w, t), chatOf(t)
	if !t.Stream {
		a, err := c.Chat.Completions.New(ctx, p)
		if err != nil {
			return heard{}, err
		}
		return chatHeard(a, "")
	}
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	s := c.Chat.Completions.NewStreaming(ctx, p)
	defer s.Close()
	var acc openai.ChatCompletionAccumulator
	thought := ""
	for s.Next() {
		t.came()
		chunk := s.Current()
		if !acc.AddChunk(chunk) {
			return heard{}, fmt.Errorf("the client does not take %s", chunk.RawJSON())
		}
		for _, ch := range chunk.Choices {
			thought += thoughtOf(ch.Delta.RawJSON())
		}
	}
	if s.Err() != nil {
		return heard{}, s.Err()
	}
	return chatHeard(&acc.ChatCompletion, thought)
}

func chatHeard(a *openai.ChatCompletion, thought string) (heard, error) {
	if len(a.Choices) != 1 {
		return heard{}, fmt.Errorf("there are %d choices", len(a.Choices))
	}
	ch := a.Choices[0]
	got := heard{Reply: stage.Reply{Text: ch.Message.Content, Thought: thought + thoughtOf(ch.Message.RawJSON())}, in: a.Usage.PromptTokens, out: a.Usage.CompletionTokens}
	for _, c := range ch.Message.ToolCalls {
		m, err := arguments(c.Function.Arguments)
		if err != nil {
			return heard{}, err
		}
		got.Calls, got.ids = append(got.Calls, stage.Call{Name: c.Function.Name, Arguments: m}), append(got.ids, c.ID)
	}
	got.stop = map[string]stop{"stop": ended, "tool_calls": calls, "length": long, "content_filter": withheld}[ch.FinishReason]
	return got, nil
}

func askPrompt(ctx context.Context, w *wire, t talk) (heard, error) {
	c := openaiOf(w, t)
	p := openai.CompletionNewParams{
		Model: openai.CompletionNewParamsModel(t.model), MaxTokens: openai.Int(int64(t.MaxTokens)),
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(t.Turns[0].Text)},
	}
	p.Stop.OfStringArray = t.Stop
	if t.Temperature != 0 {
		p.Temperature = openai.Float(t.Temperature)
	}
	var got heard
	take := func(a *openai.Completion) {
		for _, ch := range a.Choices {
			got.Text += ch.Text
			if ch.FinishReason != "" {
				got.stop = map[openai.CompletionChoiceFinishReason]stop{"stop": ended, "length": long, "content_filter": withheld}[ch.FinishReason]
			}
		}
		if a.Usage.PromptTokens > 0 {
			got.in, got.out = a.Usage.PromptTokens, a.Usage.CompletionTokens
		}
	}
	if !t.Stream {
		a, err := c.Completions.New(ctx, p)
		if err != nil {
			return heard{}, err
		}
		take(a)
		return got, nil
	}
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	s := c.Completions.NewStreaming(ctx, p)
	defer s.Close()
	for s.Next() {
		t.came()
		a := s.Current()
		take(&a)
	}
	return got, s.Err()
}
