package matrix

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"google.golang.org/genai"

	"github.com/ringwall/ringwall/suites/go/stage"
)

// geminis is Google's Gemini API.
var geminis = &dialect{
	name: "gemini", title: "Gemini", module: "google.golang.org/genai", lacks: "SigV4",
	ask: askGemini, kind: kindOfGemini, count: countGemini,
}

func geminiOf(ctx context.Context, w *wire, t talk) (*genai.Client, error) {
	cfg := &genai.ClientConfig{APIKey: w.key, Backend: genai.BackendGeminiAPI, HTTPClient: w.client(), HTTPOptions: genai.HTTPOptions{BaseURL: w.url}}
	if t.retries {
		attempts, delay := int32(3), 0.1
		cfg.HTTPOptions.RetryOptions = &genai.HTTPRetryOptions{Attempts: &attempts, InitialDelay: &delay}
	}
	return genai.NewClient(ctx, cfg)
}

func kindOfGemini(err error) kind {
	var e genai.APIError
	if !errors.As(err, &e) {
		return strange
	}
	k := kindOf(e.Code, e.Message)
	if (k == tooOften) != (e.Status == "RESOURCE_EXHAUSTED") {
		return strange
	}
	return k
}

func contentsOf(t talk) ([]*genai.Content, *genai.GenerateContentConfig, error) {
	cfg := &genai.GenerateContentConfig{MaxOutputTokens: int32(t.MaxTokens)}
	if t.System != "" {
		cfg.SystemInstruction = genai.NewContentFromText(t.System, genai.RoleUser)
	}
	var contents []*genai.Content
	for _, turn := range t.Turns {
		c := &genai.Content{Role: genai.RoleUser}
		if turn.Role == "assistant" {
			c.Role = genai.RoleModel
		}
		if turn.Text != "" {
			c.Parts = append(c.Parts, genai.NewPartFromText(turn.Text))
		}
		for _, image := range turn.Images {
			if strings.HasPrefix(image, "https:") {
				c.Parts = append(c.Parts, genai.NewPartFromURI(image, "image/png"))
				continue
			}
			data, err := base64.StdEncoding.DecodeString(image)
			if err != nil {
				return nil, nil, err
			}
			c.Parts = append(c.Parts, genai.NewPartFromBytes(data, "image/png"))
		}
		for _, file := range turn.Files {
			data, err := base64.StdEncoding.DecodeString(file)
			if err != nil {
				return nil, nil, err
			}
			c.Parts = append(c.Parts, genai.NewPartFromBytes(data, "application/pdf"))
		}
		for i, call := range turn.Calls {
			c.Parts = append(c.Parts, &genai.Part{FunctionCall: &genai.FunctionCall{ID: t.ids[i], Name: call.Name, Args: call.Arguments}})
		}
		for _, r := range turn.Results {
			c.Parts = append(c.Parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: t.ids[r.Call], Name: stage.Weather.Name, Response: map[string]any{"output": r.Text}}})
		}
		contents = append(contents, c)
	}
	for _, tool := range t.Tools {
		cfg.Tools = append(cfg.Tools, &genai.Tool{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: tool.Name, Description: tool.Description, ParametersJsonSchema: tool.Schema}}})
	}
	if t.Choice != "" {
		cfg.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{t.Choice}}}
	}
	cfg.StopSequences = t.Stop
	if t.Temperature != 0 {
		cfg.Temperature = genai.Ptr(float32(t.Temperature))
	}
	if t.Object {
		cfg.ResponseMIMEType = "application/json"
	}
	if t.Thinks {
		cfg.ThinkingConfig = &genai.ThinkingConfig{ThinkingLevel: genai.ThinkingLevelLow, IncludeThoughts: true}
	}
	if t.Schema != nil {
		cfg.ResponseMIMEType, cfg.ResponseJsonSchema = "application/json", t.Schema
	}
	return contents, cfg, nil
}

func askGemini(ctx context.Context, w *wire, t talk) (got heard, err error) {
	c, err := geminiOf(ctx, w, t)
	if err != nil {
		return heard{}, err
	}
	contents, cfg, err := contentsOf(t)
	if err != nil {
		return heard{}, err
	}
	take := func(r *genai.GenerateContentResponse) {
		if u := r.UsageMetadata; u != nil {
			got.in, got.out = int64(u.PromptTokenCount), int64(u.CandidatesTokenCount)
		}
		if f := r.PromptFeedback; f != nil && f.BlockReason == genai.BlockedReasonSafety {
			got.stop = declined
		}
		for _, c := range r.Candidates {
			switch {
			case c.FinishReason == genai.FinishReasonStop:
				got.stop = ended
			case c.FinishReason == genai.FinishReasonMaxTokens:
				got.stop = long
			case c.FinishReason == genai.FinishReasonSafety:
				got.stop = withheld
			}
			if c.Content == nil {
				continue
			}
			for _, p := range c.Content.Parts {
				switch {
				case p.FunctionCall != nil:
					got.Calls, got.ids = append(got.Calls, stage.Call{Name: p.FunctionCall.Name, Arguments: p.FunctionCall.Args}), append(got.ids, p.FunctionCall.ID)
				case p.Thought:
					got.Thought += p.Text
				default:
					got.Text += p.Text
				}
			}
		}
	}
	if t.Stream {
		for r, err := range c.Models.GenerateContentStream(ctx, t.model, contents, cfg) {
			if err != nil {
				return heard{}, err
			}
			t.came()
			take(r)
		}
	} else {
		r, err := c.Models.GenerateContent(ctx, t.model, contents, cfg)
		if err != nil {
			return heard{}, err
		}
		take(r)
	}
	if got.stop == ended && len(got.Calls) > 0 { // for which there is no word of its own
		got.stop = calls
	}
	return got, nil
}

func countGemini(ctx context.Context, w *wire, t talk) (int64, error) {
	c, err := geminiOf(ctx, w, t)
	if err != nil {
		return 0, err
	}
	contents, _, err := contentsOf(t)
	if err != nil {
		return 0, err
	}
	r, err := c.Models.CountTokens(ctx, t.model, contents, nil)
	if err != nil {
		return 0, err
	}
	return int64(r.TotalTokens), nil
}
