package tools

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	claude "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	runtime "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

// offered are the tools of the agents: names, what they do, and their arguments.
var offered = []struct {
	name, does string
	arguments  []string
}{
	{"get_weather", "tells the weather of a city", []string{"city"}},
	{"send_message", "sends a message to a team", []string{"to", "text"}},
	{"drop_tables", "drops all tables", []string{"to"}},
}

func properties(arguments []string) map[string]any {
	p := map[string]any{}
	for _, name := range arguments {
		p[name] = map[string]any{"type": "string"}
	}
	return p
}

func openaiClient(t *testing.T, g *gateway) func(*testing.T, string, bool) answers {
	key := g.run("keys", "create", "openai")
	return func(t *testing.T, prompt string, stream bool) (a answers) {
		t.Helper()
		w := &wire{}
		c := openai.NewClient(option.WithBaseURL(g.url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0), option.WithHTTPClient(&http.Client{Transport: w}))
		p := openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)}}
		for _, o := range offered {
			p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
				Name: o.name, Description: openai.String(o.does), Parameters: shared.FunctionParameters{"type": "object", "properties": properties(o.arguments)},
			}))
		}
		var got *openai.ChatCompletion
		if stream {
			s := c.Chat.Completions.NewStreaming(t.Context(), p)
			acc := openai.ChatCompletionAccumulator{}
			for s.Next() {
				if !acc.AddChunk(s.Current()) {
					t.Fatal("the client cannot put the stream together")
				}
			}
			if err := s.Err(); err != nil {
				t.Fatal(err)
			}
			got = &acc.ChatCompletion
		} else {
			var err error
			if got, err = c.Chat.Completions.New(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		choice := got.Choices[0]
		a.text, a.stop = choice.Message.Content, choice.FinishReason
		for _, tc := range choice.Message.ToolCalls {
			a.calls = append(a.calls, call{tc.ID, tc.Function.Name, tc.Function.Arguments})
		}
		w.take(&a)
		return a
	}
}

func anthropicClient(t *testing.T, g *gateway) func(*testing.T, string, bool) answers {
	key := g.run("keys", "create", "anthropic")
	return func(t *testing.T, prompt string, stream bool) (a answers) {
		t.Helper()
		w := &wire{}
		c := anthropic.NewClient(claude.WithBaseURL(g.url), claude.WithAPIKey(key), claude.WithMaxRetries(0), claude.WithHTTPClient(&http.Client{Transport: w}))
		p := anthropic.MessageNewParams{Model: "m", MaxTokens: 256, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(prompt))}}
		for _, o := range offered {
			p.Tools = append(p.Tools, anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{
				Name: o.name, Description: anthropic.String(o.does), InputSchema: anthropic.ToolInputSchemaParam{Properties: properties(o.arguments)},
			}})
		}
		got := &anthropic.Message{}
		if stream {
			s := c.Messages.NewStreaming(t.Context(), p)
			for s.Next() {
				if err := got.Accumulate(s.Current()); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Err(); err != nil {
				t.Fatal(err)
			}
		} else {
			var err error
			if got, err = c.Messages.New(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		a.stop = string(got.StopReason)
		for _, b := range got.Content {
			switch b.Type {
			case "text":
				a.text += b.Text
			case "tool_use":
				a.calls = append(a.calls, call{b.ID, b.Name, canonical(t, b.Input)})
			}
		}
		w.take(&a)
		return a
	}
}

// canonical is JSON as Go writes it.
func canonical(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func bedrockClient(t *testing.T, g *gateway) func(*testing.T, string, bool) answers {
	out := g.run("keys", "create", "bedrock", "--aws")
	found := regexp.MustCompile(`(?i)aws_access_key_id=(\S+)\s+\S*aws_secret_access_key=(\S+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("keys create --aws: %s", out)
	}
	return func(t *testing.T, prompt string, stream bool) (a answers) {
		t.Helper()
		w := &wire{}
		c := bedrockruntime.New(bedrockruntime.Options{
			Region: "us-east-1", BaseEndpoint: aws.String(g.url), Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: w},
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: found[1], SecretAccessKey: found[2]}, nil
			}),
		})
		tools := &runtime.ToolConfiguration{}
		for _, o := range offered {
			schema := document.NewLazyDocument(map[string]any{"type": "object", "properties": properties(o.arguments)})
			tools.Tools = append(tools.Tools, &runtime.ToolMemberToolSpec{Value: runtime.ToolSpecification{
				Name: aws.String(o.name), Description: aws.String(o.does), InputSchema: &runtime.ToolInputSchemaMemberJson{Value: schema},
			}})
		}
		turns := []runtime.Message{{Role: runtime.ConversationRoleUser, Content: []runtime.ContentBlock{&runtime.ContentBlockMemberText{Value: prompt}}}}
		if stream {
			got, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m"), Messages: turns, ToolConfig: tools})
			if err != nil {
				t.Fatal(err)
			}
			s := got.GetStream()
			defer s.Close()
			for e := range s.Events() {
				switch e := e.(type) {
				case *runtime.ConverseStreamOutputMemberContentBlockStart:
					if use, ok := e.Value.Start.(*runtime.ContentBlockStartMemberToolUse); ok {
						a.calls = append(a.calls, call{aws.ToString(use.Value.ToolUseId), aws.ToString(use.Value.Name), ""})
					}
				case *runtime.ConverseStreamOutputMemberContentBlockDelta:
					switch d := e.Value.Delta.(type) {
					case *runtime.ContentBlockDeltaMemberText:
						a.text += d.Value
					case *runtime.ContentBlockDeltaMemberToolUse:
						a.calls[len(a.calls)-1].Arguments += aws.ToString(d.Value.Input)
					}
				case *runtime.ConverseStreamOutputMemberMessageStop:
					a.stop = string(e.Value.StopReason)
				}
			}
			if err := s.Err(); err != nil {
				t.Fatal(err)
			}
			w.take(&a)
			return a
		}
		got, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: turns, ToolConfig: tools})
		if err != nil {
			t.Fatal(err)
		}
		a.stop = string(got.StopReason)
		for _, b := range got.Output.(*runtime.ConverseOutputMemberMessage).Value.Content {
			switch b := b.(type) {
			case *runtime.ContentBlockMemberText:
				a.text += b.Value
			case *runtime.ContentBlockMemberToolUse:
				var input any
				if err := b.Value.Input.UnmarshalSmithyDocument(&input); err != nil {
					t.Fatal(err)
				}
				arguments, err := json.Marshal(input)
				if err != nil {
					t.Fatal(err)
				}
				a.calls = append(a.calls, call{aws.ToString(b.Value.ToolUseId), aws.ToString(b.Value.Name), string(arguments)})
			}
		}
		w.take(&a)
		return a
	}
}
