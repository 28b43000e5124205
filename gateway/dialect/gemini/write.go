package gemini

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Shapes of what is written.
type (
	genRequest struct {
		System   *genContent  `json:"systemInstruction,omitempty"`
		Contents []genContent `json:"contents"`
		Tools    []genTools   `json:"tools,omitempty"`
		Choice   any          `json:"toolConfig,omitempty"`
		Config   *genConfig   `json:"generationConfig,omitempty"`
	}
	genContent struct {
		Parts []genPart `json:"parts"`
		Role  string    `json:"role,omitempty"`
	}
	genPart struct {
		Text      *string      `json:"text,omitempty"`
		Thought   bool         `json:"thought,omitempty"`
		Inline    *genInline   `json:"inlineData,omitempty"`
		File      *genFile     `json:"fileData,omitempty"`
		Call      *genCall     `json:"functionCall,omitempty"`
		Result    *genResponse `json:"functionResponse,omitempty"`
		Signature string       `json:"thoughtSignature,omitempty"`
	}
	genInline struct {
		MIME string `json:"mimeType"`
		Data string `json:"data"`
	}
	genFile struct {
		MIME string `json:"mimeType,omitempty"`
		URI  string `json:"fileUri"`
	}
	genCall struct {
		ID   string          `json:"id,omitempty"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	}
	genResponse struct {
		ID       string    `json:"id,omitempty"`
		Name     string    `json:"name"`
		Response any       `json:"response"`
		Parts    []genPart `json:"parts,omitempty"`
	}
	genTools struct {
		Functions []genFunction `json:"functionDeclarations"`
	}
	genFunction struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Schema      json.RawMessage `json:"parametersJsonSchema,omitempty"`
	}
	genConfig struct {
		MaxTokens   *int64          `json:"maxOutputTokens,omitempty"`
		Temperature *float64        `json:"temperature,omitempty"`
		TopP        *float64        `json:"topP,omitempty"`
		TopK        *int64          `json:"topK,omitempty"`
		Seed        *int64          `json:"seed,omitempty"`
		Presence    *float64        `json:"presencePenalty,omitempty"`
		Frequency   *float64        `json:"frequencyPenalty,omitempty"`
		Stop        []string        `json:"stopSequences,omitempty"`
		MIME        string          `json:"responseMimeType,omitempty"`
		Schema      json.RawMessage `json:"responseJsonSchema,omitempty"`
		Thinking    *genThinking    `json:"thinkingConfig,omitempty"`
	}
	genThinking struct {
		Budget  *int64 `json:"thinkingBudget,omitempty"`
		Level   string `json:"thinkingLevel,omitempty"`
		Include bool   `json:"includeThoughts,omitempty"`
	}
)

type object = map[string]any

// unsigned stands, by Google's word, in the place of the signature of a call that
// another model made. Gemini 3 wants one of each.
const unsigned = "skip_thought_signature_validator"

// WriteRequest implements dialect.Codec. The user's name and the strictness of
// tools have no place here, save that strict tools are validated.
func (Codec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	q := genRequest{Contents: []genContent{}}
	if len(c.System) > 0 {
		parts, err := writeParts(c, c.System)
		if err != nil {
			return ringwall.Call{}, err
		}
		q.System = &genContent{Parts: parts}
	}
	for _, t := range c.Turns {
		parts, err := writeParts(c, t.Parts)
		if err != nil {
			return ringwall.Call{}, err
		}
		if len(parts) == 0 {
			continue // nothing but what only another provider can read
		}
		role, err := dialect.Speaker(t.Role, "user", "model", "")
		if err != nil {
			return ringwall.Call{}, err
		}
		// A turn of which nothing can be said leaves its neighbours side by side.
		if n := len(q.Contents); n > 0 && q.Contents[n-1].Role == role {
			q.Contents[n-1].Parts = append(q.Contents[n-1].Parts, parts...)
			continue
		}
		q.Contents = append(q.Contents, genContent{parts, role})
	}
	strict := false
	if len(c.Tools) > 0 {
		q.Tools = []genTools{{}}
		for _, t := range c.Tools {
			strict = strict || t.Strict
			q.Tools[0].Functions = append(q.Tools[0].Functions, genFunction{t.Name, t.Description, t.Schema})
		}
		if c.Choice.Single {
			return ringwall.Call{}, dialect.Uncarried("one call of a tool at a time (parallel_tool_calls, disable_parallel_tool_use)")
		}
	}
	if choice := writeChoice(c.Choice, strict); choice != nil {
		q.Choice = object{"functionCallingConfig": choice}
	}
	var err error
	if q.Config, err = writeConfig(c); err != nil {
		return ringwall.Call{}, err
	}
	body, err := json.Marshal(q)
	return ringwall.Call{API: API, Model: c.Model, Stream: c.Stream, Body: body}, err
}

func writeChoice(c ringwall.ToolChoice, strict bool) object {
	switch c.Mode {
	case ringwall.ChoiceNone:
		return object{"mode": "NONE"}
	case ringwall.ChoiceRequired:
		return object{"mode": "ANY"}
	case ringwall.ChoiceNamed:
		return object{"mode": "ANY", "allowedFunctionNames": []string{c.Name}}
	case ringwall.ChoiceAuto, ringwall.ChoiceUnsaid:
	}
	switch {
	case strict:
		return object{"mode": "VALIDATED"}
	case c.Mode == ringwall.ChoiceAuto:
		return object{"mode": "AUTO"}
	}
	return nil
}

// budgets are what Google's own OpenAI-compatible API makes of an effort, for
// models that know no levels.
var budgets = map[string]int64{"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}

func writeConfig(c *ringwall.Conversation) (*genConfig, error) {
	s := &c.Sampling
	g := &genConfig{
		MaxTokens: s.MaxTokens, Temperature: s.Temperature, TopP: s.TopP, TopK: s.TopK, Seed: s.Seed,
		Presence: s.Presence, Frequency: s.Frequency, Stop: s.Stop,
	}
	if f := c.Format; f != nil {
		g.MIME, g.Schema = "application/json", f.Schema
	}
	budget, known := budgets[c.Effort]
	switch {
	case c.Thinking > 0:
		g.Thinking = &genThinking{Budget: &c.Thinking, Include: true}
	case c.Effort == "":
	case !known:
		return nil, dialect.Uncarried(fmt.Sprintf("the effort %.40q", c.Effort))
	case levels(c.Model) && c.Effort != "none":
		g.Thinking = &genThinking{Level: c.Effort, Include: true}
	default:
		g.Thinking = &genThinking{Budget: &budget, Include: budget > 0}
	}
	return g, nil
}

// levels reports whether a model knows levels of thinking, and wants its calls
// signed.
func levels(model string) bool { return strings.HasPrefix(path.Base(model), "gemini-3") }

func writeParts(c *ringwall.Conversation, parts []ringwall.Part) (out []genPart, err error) {
	called := false
	for _, p := range parts {
		var g genPart
		switch p.Kind {
		case ringwall.PartText, ringwall.PartRefusal:
			g.Text = &p.Text
		case ringwall.PartReasoning, ringwall.PartRedacted:
			continue // signed by another provider
		case ringwall.PartMedia:
			if g, err = writeMedia(p.Media); err != nil {
				return nil, err
			}
		case ringwall.PartCall:
			if g.Call, err = writeCall(p.Call); err != nil {
				return nil, dialect.Uncarried("the arguments of a call of " + p.Call.Name + ", which are no JSON object")
			}
			if !called && levels(c.Model) {
				g.Signature = unsigned
			}
			called = true
		case ringwall.PartResult:
			if g.Result, err = writeResult(c, p.Result); err != nil {
				return nil, err
			}
		}
		out = append(out, g)
	}
	return out, nil
}

// types are the media types of files that a URL names and nobody else does.
var types = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif", ".heic": "image/heic",
	".pdf": "application/pdf", ".txt": "text/plain", ".mp3": "audio/mp3", ".wav": "audio/wav", ".mp4": "video/mp4", ".webm": "video/webm",
}

func writeMedia(m *ringwall.Media) (genPart, error) {
	switch {
	case m.Data != "":
		return genPart{Inline: &genInline{m.MIME, m.Data}}, nil
	case m.URL == "" || strings.HasPrefix(m.URL, "data:"):
		return genPart{}, dialect.Uncarried("a " + dialect.MediaNames[m.Kind] + " that is neither base64 nor at a URL")
	}
	mime := m.MIME
	if mime == "" {
		plain, _, _ := strings.Cut(m.URL, "?")
		mime = types[strings.ToLower(path.Ext(plain))]
	}
	return genPart{File: &genFile{mime, m.URL}}, nil
}

// writeCall writes a call, whose arguments are an object.
func writeCall(call *ringwall.ToolCall) (*genCall, error) {
	args := call.Arguments
	if strings.TrimSpace(args) == "" {
		args = "{}"
	}
	var doc jsonedit.Doc
	if err := doc.Parse([]byte(args), dialect.AnswerLimits); err != nil {
		return nil, err
	}
	if kind := doc.Root().Kind(); kind != jsonedit.Object {
		return nil, fmt.Errorf("an object should stand there, not %s", kind)
	}
	return &genCall{call.ID, call.Name, json.RawMessage(args)}, nil
}

// writeResult writes what a tool returned: an object as it is, anything else as
// the output, or as the error.
func writeResult(c *ringwall.Conversation, r *ringwall.ToolResult) (*genResponse, error) {
	out := &genResponse{ID: r.ID, Name: r.Name}
	if out.Name == "" {
		out.Name = dialect.CallName(c.Turns, r.ID)
	}
	if out.Name == "" {
		return nil, dialect.Uncarried("the result of a tool without the call that asked for it")
	}
	var text strings.Builder
	for _, p := range r.Parts {
		switch p.Kind {
		case ringwall.PartText:
			text.WriteString(p.Text)
		case ringwall.PartMedia:
			media, err := writeMedia(p.Media)
			if err != nil {
				return nil, err
			}
			out.Parts = append(out.Parts, media)
		default:
			return nil, dialect.Uncarried("a part of a tool's result that is neither text nor a medium")
		}
	}
	said := text.String()
	var doc jsonedit.Doc
	switch {
	case r.Failed:
		out.Response = object{"error": said}
	case doc.Parse([]byte(said), dialect.AnswerLimits) == nil && doc.Root().Kind() == jsonedit.Object:
		out.Response = json.RawMessage(said)
	default:
		out.Response = object{"output": said}
	}
	return out, nil
}
