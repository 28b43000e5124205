package matrix

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	runtime "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"

	"github.com/ringwall/ringwall/suites/go/stage"
)

// converser is Amazon Bedrock's Converse and ConverseStream.
var converser = &dialect{
	name: "bedrock-converse", title: "Amazon Bedrock Converse", module: "github.com/aws/aws-sdk-go-v2/service/bedrockruntime", lacks: "image URL, JSON",
	ask: askConverse, kind: kindOfBedrock, count: countConverse,
}

// pair makes a pair of keys of AWS's kind, once.
var pair = sync.OnceValues(func() (aws.Credentials, error) {
	file := filepath.Join(filepath.Dir(h.Scenes.Data), filepath.Base(h.Scenes.Data)+".yaml")
	out, err := exec.Command(h.Ringwall, "keys", "create", "matrix", "--aws", "--config", file).Output()
	found := regexp.MustCompile(`(?i)aws_access_key_id=(\S+)\s+\S*aws_secret_access_key=(\S+)`).FindSubmatch(out)
	if err != nil || found == nil {
		return aws.Credentials{}, fmt.Errorf("keys create --aws: %w: %s", err, out)
	}
	return aws.Credentials{AccessKeyID: string(found[1]), SecretAccessKey: string(found[2])}, nil
})

func bedrockOf(w *wire, t talk) (*bedrockruntime.Client, error) {
	o := bedrockruntime.Options{Region: "us-east-1", HTTPClient: w.client()}
	if t.signed {
		keys, err := pair()
		if err != nil {
			return nil, err
		}
		o.BaseEndpoint = aws.String(w.url)
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })
	} else {
		// Amazon's clients show bearer tokens to nobody without TLS.
		w.plain = true
		o.BaseEndpoint = aws.String("https" + strings.TrimPrefix(w.url, "http"))
		o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: w.key}}
		o.AuthSchemePreference = []string{"httpBearerAuth"}
	}
	if !t.retries {
		o.Retryer = aws.NopRetryer{}
	}
	return bedrockruntime.New(o), nil
}

func kindOfBedrock(err error) kind {
	var e smithy.APIError
	var limit *runtime.ThrottlingException
	var invalid *runtime.ValidationException
	switch {
	case !errors.As(err, &e):
		return strange
	case errors.As(err, &limit):
		return tooOften
	case errors.As(err, &invalid) && strings.Contains(e.ErrorMessage(), uncarried):
		return refused
	case e.ErrorCode() == "UnknownError":
		return strange
	}
	return otherwise
}

// traced are the scenes in which policy acts, of which the client wants to know
// how.
func traced(t talk) bool {
	return strings.HasSuffix(t.model, "-declined") || strings.HasSuffix(t.model, "-withheld")
}

func converseOf(t talk) (*bedrockruntime.ConverseInput, error) {
	in := &bedrockruntime.ConverseInput{ModelId: aws.String(t.model), InferenceConfig: &runtime.InferenceConfiguration{MaxTokens: aws.Int32(int32(t.MaxTokens))}}
	if t.System != "" {
		in.System = []runtime.SystemContentBlock{&runtime.SystemContentBlockMemberText{Value: t.System}}
	}
	for _, turn := range t.Turns {
		var blocks []runtime.ContentBlock
		for _, image := range turn.Images {
			data, err := base64.StdEncoding.DecodeString(image)
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, &runtime.ContentBlockMemberImage{Value: runtime.ImageBlock{Format: runtime.ImageFormatPng, Source: &runtime.ImageSourceMemberBytes{Value: data}}})
		}
		for _, file := range turn.Files {
			data, err := base64.StdEncoding.DecodeString(file)
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, &runtime.ContentBlockMemberDocument{Value: runtime.DocumentBlock{Name: aws.String("a"), Format: runtime.DocumentFormatPdf, Source: &runtime.DocumentSourceMemberBytes{Value: data}}})
		}
		if turn.Text != "" {
			blocks = append(blocks, &runtime.ContentBlockMemberText{Value: turn.Text})
		}
		for i, c := range turn.Calls {
			blocks = append(blocks, &runtime.ContentBlockMemberToolUse{Value: runtime.ToolUseBlock{ToolUseId: aws.String(t.ids[i]), Name: aws.String(c.Name), Input: document.NewLazyDocument(c.Arguments)}})
		}
		for _, r := range turn.Results {
			blocks = append(blocks, &runtime.ContentBlockMemberToolResult{Value: runtime.ToolResultBlock{
				ToolUseId: aws.String(t.ids[r.Call]), Content: []runtime.ToolResultContentBlock{&runtime.ToolResultContentBlockMemberText{Value: r.Text}},
			}})
		}
		role := runtime.ConversationRoleUser
		if turn.Role == "assistant" {
			role = runtime.ConversationRoleAssistant
		}
		in.Messages = append(in.Messages, runtime.Message{Role: role, Content: blocks})
	}
	for _, tool := range t.Tools {
		if in.ToolConfig == nil {
			in.ToolConfig = &runtime.ToolConfiguration{}
		}
		in.ToolConfig.Tools = append(in.ToolConfig.Tools, &runtime.ToolMemberToolSpec{Value: runtime.ToolSpecification{
			Name: aws.String(tool.Name), Description: aws.String(tool.Description), InputSchema: &runtime.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(tool.Schema)},
		}})
	}
	if t.Choice != "" {
		in.ToolConfig.ToolChoice = &runtime.ToolChoiceMemberTool{Value: runtime.SpecificToolChoice{Name: aws.String(t.Choice)}}
	}
	in.InferenceConfig.StopSequences = t.Stop
	if t.Temperature != 0 {
		in.InferenceConfig.Temperature = aws.Float32(float32(t.Temperature))
	}
	if t.Thinks {
		in.OutputConfig = &runtime.OutputConfig{Effort: aws.String("low")}
	}
	if t.Schema != nil {
		in.OutputConfig = &runtime.OutputConfig{TextFormat: &runtime.OutputFormat{Type: runtime.OutputFormatTypeJsonSchema, Structure: &runtime.OutputFormatStructureMemberJsonSchema{
			Value: runtime.JsonSchemaDefinition{Name: aws.String("weather"), Schema: aws.String(written(t.Schema))},
		}}}
	}
	return in, nil
}

func askConverse(ctx context.Context, w *wire, t talk) (heard, error) {
	c, err := bedrockOf(w, t)
	if err != nil {
		return heard{}, err
	}
	in, err := converseOf(t)
	if err != nil {
		return heard{}, err
	}
	if t.Stream {
		return streamConverse(ctx, c, in, t)
	}
	if traced(t) {
		in.GuardrailConfig = &runtime.GuardrailConfiguration{Trace: runtime.GuardrailTraceEnabled}
	}
	out, err := c.Converse(ctx, in)
	if err != nil {
		return heard{}, err
	}
	m, ok := out.Output.(*runtime.ConverseOutputMemberMessage)
	if !ok {
		return heard{}, fmt.Errorf("the output is %T", out.Output)
	}
	got := heard{in: int64(*out.Usage.InputTokens), out: int64(*out.Usage.OutputTokens)}
	for _, b := range m.Value.Content {
		switch b := b.(type) {
		case *runtime.ContentBlockMemberText:
			got.Text += b.Value
		case *runtime.ContentBlockMemberReasoningContent:
			if text, ok := b.Value.(*runtime.ReasoningContentBlockMemberReasoningText); ok {
				got.Thought += *text.Value.Text
			}
		case *runtime.ContentBlockMemberToolUse:
			args := map[string]any{}
			if err := b.Value.Input.UnmarshalSmithyDocument(&args); err != nil {
				return heard{}, err
			}
			got.Calls, got.ids = append(got.Calls, stage.Call{Name: *b.Value.Name, Arguments: args}), append(got.ids, *b.Value.ToolUseId)
		default:
			return heard{}, fmt.Errorf("a block that is %T", b)
		}
	}
	var trace *runtime.GuardrailTraceAssessment
	if out.Trace != nil {
		trace = out.Trace.Guardrail
	}
	got.stop, err = converseStop(out.StopReason, trace)
	return got, err
}

// converseStop tells by the trace of a guardrail what it was that was stopped.
func converseStop(reason runtime.StopReason, trace *runtime.GuardrailTraceAssessment) (stop, error) {
	if reason != runtime.StopReasonGuardrailIntervened {
		return map[runtime.StopReason]stop{"end_turn": ended, "tool_use": calls, "max_tokens": long}[reason], nil
	}
	switch {
	case trace == nil:
		return "", errors.New("the guardrail intervened and left no trace")
	case len(trace.OutputAssessments) > 0:
		return withheld, nil
	case len(trace.InputAssessment) > 0:
		return declined, nil
	}
	return "", errors.New("the trace says nothing")
}

func streamConverse(ctx context.Context, c *bedrockruntime.Client, in *bedrockruntime.ConverseInput, t talk) (heard, error) {
	ask := &bedrockruntime.ConverseStreamInput{
		ModelId: in.ModelId, InferenceConfig: in.InferenceConfig, System: in.System, Messages: in.Messages, ToolConfig: in.ToolConfig, OutputConfig: in.OutputConfig,
	}
	if traced(t) {
		ask.GuardrailConfig = &runtime.GuardrailStreamConfiguration{Trace: runtime.GuardrailTraceEnabled}
	}
	out, err := c.ConverseStream(ctx, ask)
	if err != nil {
		return heard{}, err
	}
	s := out.GetStream()
	defer s.Close()
	var got heard
	var reason runtime.StopReason
	var trace *runtime.GuardrailTraceAssessment
	args := map[int32]string{}
	at := map[int32]int{}
	for ev := range s.Events() {
		t.came()
		switch ev := ev.(type) {
		case *runtime.ConverseStreamOutputMemberContentBlockStart:
			if start, ok := ev.Value.Start.(*runtime.ContentBlockStartMemberToolUse); ok {
				at[*ev.Value.ContentBlockIndex] = len(got.Calls)
				got.Calls, got.ids = append(got.Calls, stage.Call{Name: *start.Value.Name}), append(got.ids, *start.Value.ToolUseId)
			}
		case *runtime.ConverseStreamOutputMemberContentBlockDelta:
			switch d := ev.Value.Delta.(type) {
			case *runtime.ContentBlockDeltaMemberText:
				got.Text += d.Value
			case *runtime.ContentBlockDeltaMemberToolUse:
				args[*ev.Value.ContentBlockIndex] += *d.Value.Input
			case *runtime.ContentBlockDeltaMemberReasoningContent:
				if text, ok := d.Value.(*runtime.ReasoningContentBlockDeltaMemberText); ok {
					got.Thought += text.Value
				}
			}
		case *runtime.ConverseStreamOutputMemberMessageStop:
			reason = ev.Value.StopReason
		case *runtime.ConverseStreamOutputMemberMetadata:
			got.in, got.out = int64(*ev.Value.Usage.InputTokens), int64(*ev.Value.Usage.OutputTokens)
			if ev.Value.Trace != nil {
				trace = ev.Value.Trace.Guardrail
			}
		}
	}
	if err := s.Err(); err != nil {
		return heard{}, err
	}
	for i, doc := range args {
		if got.Calls[at[i]].Arguments, err = arguments(doc); err != nil {
			return heard{}, err
		}
	}
	got.stop, err = converseStop(reason, trace)
	return got, err
}

func countConverse(ctx context.Context, w *wire, t talk) (int64, error) {
	c, err := bedrockOf(w, t)
	if err != nil {
		return 0, err
	}
	in, err := converseOf(t)
	if err != nil {
		return 0, err
	}
	out, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{
		ModelId: in.ModelId, Input: &runtime.CountTokensInputMemberConverse{Value: runtime.ConverseTokensRequest{System: in.System, Messages: in.Messages}},
	})
	if err != nil {
		return 0, err
	}
	return int64(*out.InputTokens), nil
}
