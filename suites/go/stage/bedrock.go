package stage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// bedrock is Amazon Bedrock's Converse and ConverseStream.
type bedrock struct{}

// target is the model and the operation of a request.
func target(r *http.Request) (model, operation string, err error) {
	id, operation, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/model/"), "/")
	model, err = url.PathUnescape(id)
	return model, operation, err
}

// authentic signs the request anew with Amazon's own signer.
func (bedrock) authentic(r *http.Request, body []byte) bool {
	_, fields, ok := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ := strings.Cut(fields, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if !ok || err != nil {
		return false
	}
	again := &http.Request{Method: r.Method, Host: r.Host, URL: &url.URL{Scheme: "http", Host: r.Host, Path: "/bedrock" + r.URL.Path, RawPath: "/bedrock" + r.URL.EscapedPath()}, Header: http.Header{}}
	for _, name := range strings.Split(signed, ";") {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = int64(len(body))
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: KeyID, SecretAccessKey: Secret}, again, hex.EncodeToString(sum[:]), "bedrock", Region, at)
	return err == nil && again.Header.Get("Authorization") == r.Header.Get("Authorization")
}

type converseBlock struct {
	Text  *string
	Image *struct {
		Format string
		Source struct{ Bytes string }
	}
	Document *struct {
		Format string
		Source struct{ Bytes string }
	}
	ToolUse *struct {
		ToolUseID string `json:"toolUseId"`
		Name      string
		Input     map[string]any
	} `json:"toolUse"`
	ToolResult *struct {
		ToolUseID string `json:"toolUseId"`
		Content   []struct {
			Text string
			JSON any
		}
	} `json:"toolResult"`
	ReasoningContent any `json:"reasoningContent"`
}

func (bedrock) read(r *http.Request, body []byte) (string, *Asked, error) {
	model, operation, err := target(r)
	if err != nil {
		return "", nil, err
	}
	var req struct {
		System   []converseBlock
		Messages []struct {
			Role    string
			Content []converseBlock
		}
		InferenceConfig struct {
			MaxTokens     int `json:"maxTokens"`
			Temperature   float64
			StopSequences []string `json:"stopSequences"`
		} `json:"inferenceConfig"`
		ToolConfig struct {
			ToolChoice struct{ Tool struct{ Name string } } `json:"toolChoice"`
			Tools      []struct {
				ToolSpec struct {
					Name, Description string
					InputSchema       struct{ JSON map[string]any } `json:"inputSchema"`
				} `json:"toolSpec"`
			}
		} `json:"toolConfig"`
		AdditionalModelRequestFields struct {
			Thinking        struct{ Type string }
			ReasoningConfig struct{ Type string }   `json:"reasoning_config"`
			ReasoningEffort string                  `json:"reasoning_effort"`
			OutputConfig    struct{ Effort string } `json:"output_config"`
		} `json:"additionalModelRequestFields"`
		OutputConfig struct {
			Effort     string
			TextFormat struct {
				Structure struct {
					JSONSchema struct{ Schema string } `json:"jsonSchema"`
				}
			} `json:"textFormat"`
		} `json:"outputConfig"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return "", nil, err
	}
	more := req.AdditionalModelRequestFields
	a := &Asked{MaxTokens: req.InferenceConfig.MaxTokens, Stream: operation == "converse-stream"}
	a.Thinks = more.Thinking.Type == "enabled" || more.ReasoningConfig.Type == "enabled" || more.ReasoningEffort != "" || more.OutputConfig.Effort != "" || req.OutputConfig.Effort != ""
	if s := req.OutputConfig.TextFormat.Structure.JSONSchema.Schema; s != "" {
		a.Schema = object(s)
	}
	if len(a.Schema) == 1 && a.Schema["type"] == "object" {
		a.Schema, a.Object = nil, true
	}
	a.Temperature, a.Stop, a.Choice = req.InferenceConfig.Temperature, req.InferenceConfig.StopSequences, req.ToolConfig.ToolChoice.Tool.Name
	for _, b := range req.System {
		if b.Text != nil {
			a.System += *b.Text
		}
	}
	for _, t := range req.ToolConfig.Tools {
		a.Tools = append(a.Tools, Tool{t.ToolSpec.Name, t.ToolSpec.Description, t.ToolSpec.InputSchema.JSON})
	}
	var ts turns
	for _, m := range req.Messages {
		for _, b := range m.Content {
			switch {
			case b.Text != nil:
				ts.text(m.Role, *b.Text)
			case b.Image != nil:
				ts.image(b.Image.Source.Bytes)
			case b.Document != nil:
				ts.file(b.Document.Source.Bytes)
			case b.ToolUse != nil:
				ts.call(b.ToolUse.ToolUseID, b.ToolUse.Name, b.ToolUse.Input)
			case b.ToolResult != nil:
				text := ""
				for _, c := range b.ToolResult.Content {
					text += c.Text
				}
				ts.result(b.ToolResult.ToolUseID, text)
			case b.ReasoningContent != nil:
			default:
				return "", nil, fmt.Errorf("a block that the scene does not know in %s", body)
			}
		}
	}
	a.Turns = ts.all
	return model, a, nil
}

func (bedrock) content() (whole, stream string) {
	return "application/json", "application/vnd.amazon.eventstream"
}

const converseUsage = `"usage":{"inputTokens":11,"outputTokens":7,"totalTokens":18},"metrics":{"latencyMs":5}`

func (bedrock) whole(_ string, r Reply) []byte {
	var content []string
	if r.Thought != "" {
		content = append(content, fmt.Sprintf(`{"reasoningContent":{"reasoningText":{"text":%s,"signature":"c2lnbmVk"}}}`, quote(r.Thought)))
	}
	if r.Text != "" {
		content = append(content, `{"text":`+quote(r.Text)+`}`)
	}
	for i, c := range r.Calls {
		content = append(content, fmt.Sprintf(`{"toolUse":{"toolUseId":"tooluse_%d","name":%q,"input":%s}}`, i, c.Name, quote(c.Arguments)))
	}
	return fmt.Appendf(nil, `{"output":{"message":{"role":"assistant","content":[%s]}},"stopReason":%q,%s}`, strings.Join(content, ","), finish(r, "end_turn", "tool_use", "max_tokens"), converseUsage)
}

// frame is an event of Amazon's event streams.
func frame(kind, payload string) []byte {
	var b bytes.Buffer
	err := eventstream.NewEncoder().Encode(&b, eventstream.Message{
		Headers: eventstream.Headers{
			{Name: ":event-type", Value: eventstream.StringValue(kind)},
			{Name: ":content-type", Value: eventstream.StringValue("application/json")},
			{Name: ":message-type", Value: eventstream.StringValue("event")},
		}, Payload: []byte(payload),
	})
	if err != nil {
		panic(err) // what scenes say fits a frame
	}
	return b.Bytes()
}

func (bedrock) stream(_ string, r Reply) (pieces [][]byte) {
	add := func(kind, payload string) { pieces = append(pieces, frame(kind, payload)) }
	n := 0
	delta := func(d string) {
		add("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":%d,"delta":%s,"p":"abcdef"}`, n, d))
	}
	end := func() {
		add("contentBlockStop", fmt.Sprintf(`{"contentBlockIndex":%d,"p":"abc"}`, n))
		n++
	}
	add("messageStart", `{"role":"assistant","p":"abcd"}`)
	if r.Thought != "" {
		for _, s := range cut(r.Thought) {
			delta(`{"reasoningContent":{"text":` + quote(s) + `}}`)
		}
		delta(`{"reasoningContent":{"signature":"c2lnbmVk"}}`)
		end()
	}
	if r.Text != "" {
		for _, s := range cut(r.Text) {
			delta(`{"text":` + quote(s) + `}`)
		}
		end()
	}
	for i, c := range r.Calls {
		add("contentBlockStart", fmt.Sprintf(`{"contentBlockIndex":%d,"start":{"toolUse":{"toolUseId":"tooluse_%d","name":%q}}}`, n, i, c.Name))
		for _, s := range cut(quote(c.Arguments)) {
			delta(`{"toolUse":{"input":` + quote(s) + `}}`)
		}
		end()
	}
	add("messageStop", fmt.Sprintf(`{"stopReason":%q,"p":"ab"}`, finish(r, "end_turn", "tool_use", "max_tokens")))
	add("metadata", `{`+converseUsage+`,"p":"a"}`)
	return pieces
}

func (bedrock) failureHeader(h http.Header, status int) {
	h.Set("X-Amzn-ErrorType", bedrockError(status))
}

func bedrockError(status int) string {
	kind := map[int]string{404: "ResourceNotFoundException", 429: "ThrottlingException", 500: "InternalServerException", 503: "ServiceUnavailableException"}[status]
	if kind == "" {
		kind = "ValidationException"
	}
	return kind
}

// invoke is Bedrock's InvokeModel and InvokeModelWithResponseStream, in the words of
// Anthropic's models. The scene is what follows the names of those in an id.
type invoke struct{ bedrock }

func (invoke) read(r *http.Request, body []byte) (string, *Asked, error) {
	model, operation, err := target(r)
	if err != nil {
		return "", nil, err
	}
	_, a, err := anthropic{}.read(r, body)
	if err != nil {
		return "", nil, err
	}
	a.Stream = operation == "invoke-with-response-stream"
	return strings.TrimPrefix(model, "anthropic.claude-"), a, nil
}

func (invoke) whole(model string, r Reply) []byte { return anthropic{}.whole(model, r) }

// stream says Anthropic's events in frames.
func (invoke) stream(model string, r Reply) (pieces [][]byte) {
	for _, e := range (anthropic{}).stream(model, r) {
		_, data, _ := bytes.Cut(bytes.TrimSpace(e), []byte("data: "))
		pieces = append(pieces, frame("chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString(data)+`"}`))
	}
	return pieces
}

func (bedrock) failure(_ int, message string) []byte {
	return fmt.Appendf(nil, `{"message":%s}`, quote(message))
}
