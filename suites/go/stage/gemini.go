package stage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// gemini is Google's Gemini API. Its calls have no ids, so those of one name are
// told apart by their order.
type gemini struct{}

func (gemini) authentic(r *http.Request, _ []byte) bool {
	return r.Header.Get("X-Goog-Api-Key") == Key
}

type geminiPart struct {
	Text       string
	Thought    bool
	InlineData *struct {
		MimeType, Data string
	} `json:"inlineData"`
	FileData *struct {
		FileURI string `json:"fileUri"`
	} `json:"fileData"`
	FunctionCall *struct {
		ID, Name string
		Args     map[string]any
	} `json:"functionCall"`
	FunctionResponse *struct {
		ID, Name string
		Response map[string]any
	} `json:"functionResponse"`
}

func (gemini) read(r *http.Request, body []byte) (string, *Asked, error) {
	var req struct {
		SystemInstruction struct{ Parts []geminiPart } `json:"systemInstruction"`
		Contents          []struct {
			Role  string
			Parts []geminiPart
		}
		Tools []struct {
			FunctionDeclarations []struct {
				Name, Description    string
				ParametersJSONSchema map[string]any `json:"parametersJsonSchema"`
				Parameters           map[string]any
			} `json:"functionDeclarations"`
		}
		ToolConfig struct {
			FunctionCallingConfig struct {
				AllowedFunctionNames []string `json:"allowedFunctionNames"`
			} `json:"functionCallingConfig"`
		} `json:"toolConfig"`
		GenerationConfig struct {
			MaxOutputTokens    int      `json:"maxOutputTokens"`
			ResponseMIMEType   string   `json:"responseMimeType"`
			StopSequences      []string `json:"stopSequences"`
			Temperature        float64
			ResponseJSONSchema map[string]any `json:"responseJsonSchema"`
			ResponseSchema     map[string]any `json:"responseSchema"`
			ThinkingConfig     *struct {
				ThinkingBudget *int   `json:"thinkingBudget"`
				ThinkingLevel  string `json:"thinkingLevel"`
			} `json:"thinkingConfig"`
		} `json:"generationConfig"`
	}
	name, method, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1beta/models/"), ":")
	if !ok {
		return "", nil, fmt.Errorf("the path %s", r.URL.Path)
	}
	if err := json.Unmarshal([]byte(spellings.Replace(string(body))), &req); err != nil {
		return "", nil, err
	}
	c := req.GenerationConfig
	a := &Asked{MaxTokens: c.MaxOutputTokens, Schema: c.ResponseJSONSchema, Stream: method == "streamGenerateContent" && r.URL.Query().Get("alt") == "sse"}
	if a.Schema == nil {
		a.Schema = lower(c.ResponseSchema)
	}
	if t := c.ThinkingConfig; t != nil {
		a.Thinks = t.ThinkingLevel != "" || t.ThinkingBudget != nil && *t.ThinkingBudget != 0
	}
	a.Object = a.Schema == nil && c.ResponseMIMEType == "application/json"
	a.Temperature, a.Stop = c.Temperature, c.StopSequences
	a.Choice = strings.Join(req.ToolConfig.FunctionCallingConfig.AllowedFunctionNames, " ")
	for _, t := range req.Tools {
		for _, f := range t.FunctionDeclarations {
			schema := f.ParametersJSONSchema
			if schema == nil {
				schema = lower(f.Parameters)
			}
			a.Tools = append(a.Tools, Tool{f.Name, f.Description, schema})
		}
	}
	for _, p := range req.SystemInstruction.Parts {
		a.System += p.Text
	}
	var ts turns
	for _, content := range req.Contents {
		role := map[string]string{"model": "assistant", "user": "user", "": "user"}[content.Role]
		for _, p := range content.Parts {
			switch {
			case p.Thought:
			case p.FileData != nil:
				ts.image(p.FileData.FileURI)
			case p.InlineData != nil && p.InlineData.MimeType == "application/pdf":
				ts.file(p.InlineData.Data)
			case p.InlineData != nil:
				ts.image(strings.NewReplacer("-", "+", "_", "/").Replace(p.InlineData.Data)) // of either alphabet
			case p.FunctionCall != nil:
				ts.call(p.FunctionCall.Name, p.FunctionCall.Name, p.FunctionCall.Args)
			case p.FunctionResponse != nil:
				text, ok := p.FunctionResponse.Response["output"].(string)
				if !ok {
					text = quote(p.FunctionResponse.Response)
				}
				ts.result(p.FunctionResponse.Name, text)
			default:
				ts.text(role, p.Text)
			}
		}
	}
	a.Turns = ts.all
	return name, a, nil
}

// spellings are members that clients also write with underscores, as Google reads
// them.
var spellings = strings.NewReplacer(
	`"parameters_json_schema"`, `"parametersJsonSchema"`, `"thinking_budget"`, `"thinkingBudget"`, `"thinking_level"`, `"thinkingLevel"`,
	`"mime_type"`, `"mimeType"`,
)

// lower turns a schema in Google's words, which shout its types, into JSON Schema.
func lower(schema map[string]any) map[string]any {
	if schema == nil {
		return nil
	}
	out := map[string]any{}
	for k, v := range schema {
		switch v := v.(type) {
		case string:
			if k == "type" {
				out[k] = strings.ToLower(v)
				continue
			}
			out[k] = v
		case map[string]any:
			out[k] = lower(v)
		default:
			out[k] = v
		}
	}
	return out
}

func (gemini) content() (whole, stream string) {
	return "application/json; charset=UTF-8", "text/event-stream"
}

const geminiUsage = `"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":7,"totalTokenCount":18}`

func (gemini) response(model, parts, finish, more string) string {
	if finish != "" {
		finish = `,"finishReason":` + quote(finish)
	}
	return fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}],"modelVersion":%q,"responseId":"r1"%s}`, parts, finish, model, more)
}

func geminiCalls(r Reply) (parts []string) {
	for _, c := range r.Calls {
		parts = append(parts, fmt.Sprintf(`{"functionCall":{"name":%q,"args":%s}}`, c.Name, quote(c.Arguments)))
	}
	return parts
}

func (p gemini) whole(model string, r Reply) []byte {
	var parts []string
	if r.Thought != "" {
		parts = append(parts, `{"text":`+quote(r.Thought)+`,"thought":true}`)
	}
	if r.Text != "" {
		parts = append(parts, `{"text":`+quote(r.Text)+`}`)
	}
	parts = append(parts, geminiCalls(r)...)
	return []byte(p.response(model, strings.Join(parts, ","), finish(r, "STOP", "STOP", "MAX_TOKENS"), ","+geminiUsage))
}

func (p gemini) stream(model string, r Reply) (pieces [][]byte) {
	add := func(part, finish string) {
		pieces = append(pieces, event("", p.response(model, part, finish, ","+geminiUsage)))
	}
	for _, s := range cut(r.Thought) {
		add(`{"text":`+quote(s)+`,"thought":true}`, "")
	}
	for _, s := range cut(r.Text) {
		add(`{"text":`+quote(s)+`}`, "")
	}
	for _, call := range geminiCalls(r) {
		add(call, "")
	}
	add(`{"text":""}`, finish(r, "STOP", "STOP", "MAX_TOKENS"))
	return pieces
}

func (gemini) failureHeader(http.Header, int) {}

func (gemini) failure(status int, message string) []byte {
	word := map[int]string{404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}[status]
	if word == "" {
		word = "INVALID_ARGUMENT"
	}
	return fmt.Appendf(nil, `{"error":{"code":%d,"message":%s,"status":%q}}`, status, quote(message), word)
}
