package matrix

import (
	"context"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/ringwall/ringwall/suites/go/stage"
)

// answers is OpenAI's responses.
var answers = &dialect{
	name: "openai-responses", title: "OpenAI responses", module: "github.com/openai/openai-go/v3", lacks: "stop, count, SigV4",
	ask: askResponse, kind: kindOfOpenAI,
}

func responseOf(t talk) responses.ResponseNewParams {
	p := responses.ResponseNewParams{Model: t.model, MaxOutputTokens: openai.Int(int64(t.MaxTokens))}
	if t.System != "" {
		p.Instructions = openai.String(t.System)
	}
	var input responses.ResponseInputParam
	for _, turn := range t.Turns {
		var content responses.ResponseInputMessageContentListParam
		for _, image := range turn.Images {
			part := responses.ResponseInputContentParamOfInputImage(responses.ResponseInputImageDetailAuto)
			part.OfInputImage.ImageURL = openai.String(pictureURL(image))
			content = append(content, part)
		}
		for _, file := range turn.Files {
			content = append(content, responses.ResponseInputContentUnionParam{OfInputFile: &responses.ResponseInputFileParam{Filename: openai.String("a.pdf"), FileData: openai.String("data:application/pdf;base64," + file)}})
		}
		switch {
		case len(content) > 0:
			content = append(content, responses.ResponseInputContentParamOfInputText(turn.Text))
			input = append(input, responses.ResponseInputItemParamOfMessage(content, responses.EasyInputMessageRoleUser))
		case turn.Text != "":
			input = append(input, responses.ResponseInputItemParamOfMessage(turn.Text, responses.EasyInputMessageRole(turn.Role)))
		}
		for i, c := range turn.Calls {
			input = append(input, responses.ResponseInputItemParamOfFunctionCall(written(c.Arguments), t.ids[i], c.Name))
		}
		for _, r := range turn.Results {
			item := responses.ResponseInputItemParamOfFunctionCallOutput(r.Text)
			item.OfFunctionCallOutput.CallID = openai.String(t.ids[r.Call])
			input = append(input, item)
		}
	}
	p.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: input}
	for _, tool := range t.Tools {
		f := responses.ToolParamOfFunction(tool.Name, tool.Schema, false)
		f.OfFunction.Description = openai.String(tool.Description)
		p.Tools = append(p.Tools, f)
	}
	if t.Choice != "" {
		p.ToolChoice.OfFunctionTool = &responses.ToolChoiceFunctionParam{Name: t.Choice}
	}
	if t.Temperature != 0 {
		p.Temperature = openai.Float(t.Temperature)
	}
	if t.Object {
		p.Text.Format.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	}
	if t.Thinks {
		p.Reasoning = shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto}
	}
	if t.Schema != nil {
		p.Text.Format = responses.ResponseFormatTextConfigParamOfJSONSchema("weather", t.Schema)
		p.Text.Format.OfJSONSchema.Strict = param.NewOpt(true)
	}
	return p
}

func askResponse(ctx context.Context, w *wire, t talk) (heard, error) {
	c, p := openaiOf(w, t), responseOf(t)
	if !t.Stream {
		r, err := c.Responses.New(ctx, p)
		if err != nil {
			return heard{}, err
		}
		return responseHeard(r)
	}
	s := c.Responses.NewStreaming(ctx, p)
	defer s.Close()
	var last *responses.Response
	var text, thought string
	args := map[int64]string{}
	for s.Next() {
		t.came()
		switch ev := s.Current(); ev.Type {
		case "response.output_text.delta":
			text += ev.Delta
		case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
			thought += ev.Delta
		case "response.function_call_arguments.delta":
			args[ev.OutputIndex] += ev.Delta
		case "response.completed", "response.incomplete", "response.failed":
			last = &ev.Response
		}
	}
	if s.Err() != nil {
		return heard{}, s.Err()
	}
	if last == nil {
		return heard{Reply: stage.Reply{Text: text}}, nil
	}
	got, err := responseHeard(last)
	if err == nil && (got.Text != text || got.Thought != thought) {
		err = fmt.Errorf("the pieces are %q and %q, the whole %q and %q", text, thought, got.Text, got.Thought)
	}
	for i, item := range last.Output {
		if item.Type == "function_call" && item.Arguments.OfString != args[int64(i)] {
			err = fmt.Errorf("the arguments are %q, the whole %q", args[int64(i)], item.Arguments.OfString)
		}
	}
	return got, err
}

func responseHeard(r *responses.Response) (heard, error) {
	if r.Error.Code != "" {
		return heard{}, fmt.Errorf("the response failed: %s", r.Error.RawJSON())
	}
	got := heard{in: r.Usage.InputTokens, out: r.Usage.OutputTokens}
	for _, item := range r.Output {
		switch item.Type {
		case "message":
			for _, c := range item.Content {
				got.Text += c.Text
			}
		case "reasoning":
			for _, s := range item.Summary {
				got.Thought += s.Text
			}
			for _, c := range item.Content {
				got.Thought += c.Text
			}
		case "function_call":
			m, err := arguments(item.Arguments.OfString)
			if err != nil {
				return heard{}, err
			}
			got.Calls, got.ids = append(got.Calls, stage.Call{Name: item.Name, Arguments: m}), append(got.ids, item.CallID)
		default:
			return heard{}, fmt.Errorf("an item of type %q", item.Type)
		}
	}
	switch {
	case r.Status == responses.ResponseStatusCompleted && len(got.Calls) > 0:
		got.stop = calls
	case r.Status == responses.ResponseStatusCompleted:
		got.stop = ended
	case r.IncompleteDetails.Reason == "max_output_tokens":
		got.stop = long
	case r.IncompleteDetails.Reason == "content_filter":
		got.stop = withheld
	}
	return got, nil
}
