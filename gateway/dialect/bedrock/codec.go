package bedrock

import (
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Codec translates Converse. It implements dialect.Codec.
type Codec struct{}

var _ dialect.Codec = Codec{}

// tunes are members of a request that change how it is served and nothing that is
// said.
var tunes = dialect.NameSet("requestMetadata", "performanceConfig", "serviceTier", "guardrailConfig")

// ReadRequest implements dialect.Codec.
func (Codec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	c := &ringwall.Conversation{Model: call.Model, Stream: call.Stream}
	for key, v := range doc.Root().Members() {
		if v.Kind() == jsonedit.Null || tunes[key] {
			continue
		}
		var err error
		switch key {
		case "messages":
			err = readMessages(c, v)
		case "system":
			c.System, err = readBlocks(v, "system")
		case "inferenceConfig":
			err = readInference(&c.Sampling, v)
		case "toolConfig":
			err = readTools(c, v)
		case "additionalModelRequestFields":
			err = readMore(c, v)
		case "outputConfig":
			err = readOutput(c, v)
		default:
			err = dialect.Uncarried(key)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readInference(s *ringwall.Sampling, v jsonedit.Value) error {
	for key, m := range v.Members() {
		switch key {
		case "maxTokens":
			s.MaxTokens = dialect.Int(m)
		case "temperature":
			s.Temperature = dialect.Float(m)
		case "topP":
			s.TopP = dialect.Float(m)
		case "topK":
			s.TopK = dialect.Int(m)
		case "stopSequences":
			s.Stop = dialect.Strings(m)
		default:
			return dialect.Uncarried("inferenceConfig." + key)
		}
	}
	return nil
}

// readMore reads what Converse has no word for and its models have.
func readMore(c *ringwall.Conversation, v jsonedit.Value) error {
	for key, m := range v.Members() {
		switch {
		case key == "top_k":
			c.Sampling.TopK = dialect.Int(m)
		case key == "thinking" || key == "reasoning_config" || key == "reasoningConfig":
			readThinking(c, m)
		case key == "reasoning_effort":
			c.Effort = m.Text()
		case key == "output_config" && m.Get("effort").Exists():
			c.Effort = m.Get("effort").Text()
		case key == "inferenceConfig" && m.Get("topK").Exists():
			c.Sampling.TopK = dialect.Int(m.Get("topK"))
		default:
			return dialect.Uncarried("additionalModelRequestFields." + key)
		}
	}
	return nil
}

// readThinking reads how much may be thought, in the words of Anthropic's models and
// of Amazon's. What is adaptive or disabled says no more.
func readThinking(c *ringwall.Conversation, v jsonedit.Value) {
	if !v.Get("type").Is("enabled") {
		return
	}
	if n := dialect.Int(v.Get("budget_tokens")); n != nil {
		c.Thinking = *n
	}
	if e := v.Get("maxReasoningEffort"); e.Exists() {
		c.Effort = e.Text()
	}
}

func readOutput(c *ringwall.Conversation, v jsonedit.Value) error {
	for key, m := range v.Members() {
		switch {
		case key == "effort":
			c.Effort = m.Text()
		case key == "textFormat" && m.Get("type").Is("json_schema"):
			s := m.Get("structure").Get("jsonSchema")
			c.Format = &ringwall.Format{Name: s.Get("name").Text(), Description: s.Get("description").Text(), Schema: []byte(s.Get("schema").Text()), Strict: true}
		default:
			return dialect.Uncarried("outputConfig." + key)
		}
	}
	return nil
}

func readTools(c *ringwall.Conversation, v jsonedit.Value) error {
	for _, t := range v.Get("tools").Elems() {
		s := t.Get("toolSpec")
		switch {
		case s.Exists():
			c.Tools = append(c.Tools, ringwall.ToolSpec{
				Name: s.Get("name").Text(), Description: s.Get("description").Text(), Schema: dialect.Raw(s.Get("inputSchema").Get("json")), Strict: s.Get("strict").True(),
			})
		case t.Get("cachePoint").Exists() && len(c.Tools) > 0:
			c.Tools[len(c.Tools)-1].Cache = true
		default:
			return dialect.Uncarried("toolConfig.tools: a tool that is no toolSpec")
		}
	}
	for key, m := range v.Get("toolChoice").Members() {
		switch key {
		case "auto":
			c.Choice.Mode = ringwall.ChoiceAuto
		case "any":
			c.Choice.Mode = ringwall.ChoiceRequired
		case "tool":
			c.Choice.Mode, c.Choice.Name = ringwall.ChoiceNamed, m.Get("name").Text()
		default:
			return dialect.Uncarried("toolConfig.toolChoice." + key)
		}
	}
	return nil
}

func readMessages(c *ringwall.Conversation, list jsonedit.Value) error {
	for i, m := range list.Elems() {
		parts, err := readBlocks(m.Get("content"), fmt.Sprintf("messages[%d].content", i))
		if err != nil {
			return err
		}
		role := ringwall.RoleUser
		if m.Get("role").Is("assistant") {
			role = ringwall.RoleAssistant
		}
		c.Turns = dialect.AppendTurn(c.Turns, role, parts)
	}
	return nil
}

// readBlocks reads content blocks; at is where they stand.
func readBlocks(list jsonedit.Value, at string) (parts []ringwall.Part, err error) {
	for i, b := range list.Elems() {
		n := 0
		for key, v := range b.Members() {
			if n++; n > 1 {
				return nil, dialect.Uncarried(fmt.Sprintf("%s[%d]: a block that is two", at, i))
			}
			if key == "cachePoint" {
				if len(parts) > 0 {
					parts[len(parts)-1].Cache = true
				}
				continue
			}
			p, err := readBlock(key, v, fmt.Sprintf("%s[%d]", at, i))
			if err != nil {
				return nil, err
			}
			parts = append(parts, p...)
		}
	}
	return parts, nil
}

func readBlock(key string, v jsonedit.Value, at string) ([]ringwall.Part, error) {
	one := func(p ringwall.Part) []ringwall.Part { return []ringwall.Part{p} }
	switch key {
	case "text":
		return one(ringwall.Part{Text: v.Text()}), nil
	case "guardContent":
		if t := v.Get("text"); t.Exists() {
			return one(ringwall.Part{Text: t.Get("text").Text()}), nil
		}
		return readMedium("image", v.Get("image"), at)
	case "image", "document", "audio", "video":
		return readMedium(key, v, at)
	case "toolUse":
		input := "{}"
		if raw := dialect.Raw(v.Get("input")); raw != nil {
			input = string(raw)
		}
		return one(ringwall.Part{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{ID: v.Get("toolUseId").Text(), Name: v.Get("name").Text(), Arguments: input}}), nil
	case "toolResult":
		return readResult(v, at)
	case "reasoningContent":
		if t := v.Get("reasoningText"); t.Exists() {
			return one(ringwall.Part{Kind: ringwall.PartReasoning, Text: t.Get("text").Text(), Signature: t.Get("signature").Text()}), nil
		}
		return one(ringwall.Part{Kind: ringwall.PartRedacted, Text: v.Get("redactedContent").Text()}), nil
	case "citationsContent":
		// What was said stays; where it was read is for who reads it.
		return readBlocks(v.Get("content"), at+".citationsContent.content")
	}
	return nil, dialect.Uncarried(at + "." + key)
}

func readResult(v jsonedit.Value, at string) ([]ringwall.Part, error) {
	r := &ringwall.ToolResult{ID: v.Get("toolUseId").Text(), Failed: v.Get("status").Is("error")}
	for _, b := range v.Get("content").Elems() {
		if json := b.Get("json"); json.Exists() {
			r.Parts = append(r.Parts, ringwall.Part{Text: string(json.Raw())})
			continue
		}
		for key, m := range b.Members() {
			parts, err := readBlock(key, m, at+".toolResult.content")
			if err != nil {
				return nil, err
			}
			r.Parts = append(r.Parts, parts...)
		}
	}
	return []ringwall.Part{{Kind: ringwall.PartResult, Result: r}}, nil
}

// kinds are the kinds of media by their blocks.
var kinds = map[string]ringwall.MediaKind{
	"image": ringwall.Image, "document": ringwall.Document, "audio": ringwall.Audio, "video": ringwall.Video,
}

// formats are the formats of documents, and their media types.
var formats = map[string]string{
	"pdf": "application/pdf", "csv": "text/csv", "html": "text/html", "txt": "text/plain", "md": "text/markdown",
	"doc": "application/msword", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xls": "application/vnd.ms-excel", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func readMedium(key string, v jsonedit.Value, at string) ([]ringwall.Part, error) {
	format, source := v.Get("format").Text(), v.Get("source")
	m := &ringwall.Media{Kind: kinds[key], MIME: key + "/" + format, Name: v.Get("name").Text()}
	if key == "document" {
		if v.Get("context").Exists() || v.Get("citations").Get("enabled").True() {
			return nil, dialect.Uncarried(at + ".document: its context or citations")
		}
		m.MIME = formats[format]
		if text := source.Get("text"); text.Exists() {
			return []ringwall.Part{{Text: text.Text()}}, nil
		}
		if content := source.Get("content"); content.Exists() {
			return readBlocks(content, at+".document.source.content")
		}
	}
	switch {
	case source.Get("bytes").Kind() == jsonedit.String:
		m.Data = source.Get("bytes").Text()
	case source.Get("s3Location").Get("uri").Kind() == jsonedit.String:
		m.URL = source.Get("s3Location").Get("uri").Text()
	default:
		return nil, dialect.Uncarried(at + "." + key + ": its source")
	}
	return []ringwall.Part{{Kind: ringwall.PartMedia, Media: m}}, nil
}

// formatOf returns the format of a medium, "" when Bedrock has none for it.
func formatOf(m *ringwall.Media) string {
	if m.Kind == ringwall.Document {
		for format, mime := range formats {
			if mime == m.MIME {
				return format
			}
		}
		return ""
	}
	_, format, _ := strings.Cut(m.MIME, "/")
	switch format {
	case "jpg":
		return "jpeg"
	case "quicktime":
		return "mov"
	case "x-matroska":
		return "mkv"
	case "3gpp":
		return "three_gp"
	}
	return format
}
