package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	claude "github.com/anthropics/anthropic-sdk-go/option"

	"github.com/ringwall/ringwall/suites/go/stage"
)

// claudes is Anthropic's Messages API.
var claudes = &dialect{
	name: "anthropic", title: "Anthropic messages", module: "github.com/anthropics/anthropic-sdk-go", lacks: "JSON, SigV4",
	ask: askMessage, kind: kindOfAnthropic, count: countMessage,
}

func anthropicOf(w *wire, t talk) anthropic.Client {
	opts := []claude.RequestOption{claude.WithBaseURL(w.url), claude.WithAPIKey(w.key), claude.WithHTTPClient(w.client())}
	if !t.retries {
		opts = append(opts, claude.WithMaxRetries(0))
	}
	return anthropic.NewClient(opts...)
}

func kindOfAnthropic(err error) kind {
	var e *anthropic.Error
	if !errors.As(err, &e) {
		return strange
	}
	k := kindOf(e.StatusCode, e.Error())
	if (k == tooOften) != (e.Type() == "rate_limit_error") {
		return strange
	}
	return k
}

func messageOf(t talk) anthropic.MessageNewParams {
	p := anthropic.MessageNewParams{Model: anthropic.Model(t.model), MaxTokens: int64(t.MaxTokens)}
	if t.System != "" {
		p.System = []anthropic.TextBlockParam{{Text: t.System}}
	}
	for _, turn := range t.Turns {
		var blocks []anthropic.ContentBlockParamUnion
		for _, image := range turn.Images {
			if strings.HasPrefix(image, "https:") {
				blocks = append(blocks, anthropic.NewImageBlock(anthropic.URLImageSourceParam{URL: image}))
				continue
			}
			blocks = append(blocks, anthropic.NewImageBlockBase64("image/png", image))
		}
		for _, file := range turn.Files {
			blocks = append(blocks, anthropic.NewDocumentBlock(anthropic.Base64PDFSourceParam{Data: file}))
		}
		for _, r := range turn.Results {
			blocks = append(blocks, anthropic.NewToolResultBlock(t.ids[r.Call], r.Text, false))
		}
		if turn.Text != "" {
			blocks = append(blocks, anthropic.NewTextBlock(turn.Text))
		}
		for i, c := range turn.Calls {
			blocks = append(blocks, anthropic.NewToolUseBlock(t.ids[i], c.Arguments, c.Name))
		}
		if turn.Role == "assistant" {
			p.Messages = append(p.Messages, anthropic.NewAssistantMessage(blocks...))
		} else {
			p.Messages = append(p.Messages, anthropic.NewUserMessage(blocks...))
		}
	}
	for _, tool := range t.Tools {
		u := anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: tool.Schema["properties"], Required: []string{"town"}}, tool.Name)
		u.OfTool.Description = anthropic.String(tool.Description)
		p.Tools = append(p.Tools, u)
	}
	if t.Choice != "" {
		p.ToolChoice = anthropic.ToolChoiceParamOfTool(t.Choice)
	}
	p.StopSequences = t.Stop
	if t.Temperature != 0 {
		p.Temperature = anthropic.Float(t.Temperature)
	}
	if t.Thinks {
		p.Thinking.OfAdaptive = &anthropic.ThinkingConfigAdaptiveParam{Display: anthropic.ThinkingConfigAdaptiveDisplaySummarized}
		p.OutputConfig.Effort = anthropic.OutputConfigEffortLow
	}
	if t.Schema != nil {
		p.OutputConfig.Format = anthropic.JSONOutputFormatParam{Schema: t.Schema}
	}
	return p
}

func askMessage(ctx context.Context, w *wire, t talk) (heard, error) {
	c, p := anthropicOf(w, t), messageOf(t)
	if !t.Stream {
		m, err := c.Messages.New(ctx, p)
		if err != nil {
			return heard{}, err
		}
		return messageHeard(m)
	}
	s := c.Messages.NewStreaming(ctx, p)
	defer s.Close()
	var m anthropic.Message
	for s.Next() {
		t.came()
		if err := m.Accumulate(s.Current()); err != nil {
			return heard{}, fmt.Errorf("the client does not take %s: %w", s.Current().RawJSON(), err)
		}
	}
	if s.Err() != nil {
		return heard{}, s.Err()
	}
	return messageHeard(&m)
}

func messageHeard(m *anthropic.Message) (heard, error) {
	got := heard{in: m.Usage.InputTokens, out: m.Usage.OutputTokens}
	for _, b := range m.Content {
		switch b.Type {
		case "text":
			got.Text += b.Text
		case "thinking":
			got.Thought += b.Thinking
		case "tool_use":
			input := map[string]any{}
			if err := json.Unmarshal(b.Input, &input); err != nil {
				return heard{}, err
			}
			got.Calls, got.ids = append(got.Calls, stage.Call{Name: b.Name, Arguments: input}), append(got.ids, b.ID)
		default:
			return heard{}, fmt.Errorf("a block of type %q", b.Type)
		}
	}
	// A refusal is the word for both: the prompt's and the answer's.
	got.stop = map[anthropic.StopReason]stop{"end_turn": ended, "tool_use": calls, "max_tokens": long, "refusal": withheld}[m.StopReason]
	if got.stop == withheld && got.Text == declinedWords {
		got.stop = declined
	}
	return got, nil
}

func countMessage(ctx context.Context, w *wire, t talk) (int64, error) {
	c, p := anthropicOf(w, t), messageOf(t)
	n, err := c.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{Model: p.Model, Messages: p.Messages, System: anthropic.MessageCountTokensParamsSystemUnion{OfTextBlockArray: p.System}})
	if err != nil {
		return 0, err
	}
	return n.InputTokens, nil
}

// declinedWords is what is read in the place of an answer to a prompt that policy
// declines.
const declinedWords = "This request was declined by policy."
