package anthropic

import (
	"cmp"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Codec translates the Messages API. It implements dialect.Codec.
//
// Anthropic wants to be told how long an answer may be. Where a conversation does
// not say so, it is 8192 tokens, which is what every model since Claude 3.5 can
// say, and what they may think beside it.
//
// Documents that are plain text, and search results, become texts that say what
// they are, for no other API has a word for them. Server tools and citations
// cannot be carried.
type Codec struct{}

var _ dialect.Codec = Codec{}

// defaultTokens is how long an answer may be where nobody says it.
const defaultTokens = 8192

// tunes are members of a request that change how it is served and nothing that is
// said. What context_management and diagnostics ask for matters to whoever holds
// the history, which is the client.
var tunes = dialect.NameSet(
	"model", "stream", "service_tier", "inference_geo", "speed", "cache_control", "context_management", "diagnostics", "betas",
)

// efforts are the words for effort, and what is said for those that others do
// not have.
var efforts = map[string]string{"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}

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
		switch s := &c.Sampling; key {
		case "system":
			c.System, err = readContent(v)
		case "messages":
			err = readMessages(c, v)
		case "tools":
			c.Tools, err = readTools(v)
		case "tool_choice":
			c.Choice, err = readChoice(v)
		case "max_tokens":
			s.MaxTokens = dialect.Int(v)
		case "temperature":
			s.Temperature = dialect.Float(v)
		case "top_p":
			s.TopP = dialect.Float(v)
		case "top_k":
			s.TopK = dialect.Int(v)
		case "stop_sequences":
			s.Stop = dialect.Strings(v)
		case "thinking":
			if n := dialect.Int(v.Get("budget_tokens")); n != nil {
				c.Thinking = *n
			}
		case "output_config":
			err = readOutput(c, v)
		case "output_format":
			err = readFormat(c, v)
		case "metadata":
			c.User = v.Get("user_id").Text()
		case "mcp_servers", "container":
			if v.Kind() != jsonedit.Array || len(v.Raw()) > len("[]") {
				err = dialect.Uncarried(key)
			}
		default:
			err = dialect.Uncarried(key)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readOutput(c *ringwall.Conversation, v jsonedit.Value) error {
	for key, m := range v.Members() {
		switch {
		case m.Kind() == jsonedit.Null:
		case key == "effort":
			c.Effort = efforts[m.Text()]
		case key == "format":
			if err := readFormat(c, m); err != nil {
				return err
			}
		default:
			return dialect.Uncarried("output_config." + key)
		}
	}
	return nil
}

func readFormat(c *ringwall.Conversation, v jsonedit.Value) error {
	if kind := v.Get("type").Text(); kind != "json_schema" {
		return dialect.Uncarried(fmt.Sprintf("an output format of type %.40q", kind))
	}
	c.Format = &ringwall.Format{Schema: dialect.Raw(v.Get("schema")), Strict: true}
	return nil
}

func readMessages(c *ringwall.Conversation, list jsonedit.Value) error {
	for _, m := range list.Elems() {
		parts, err := readContent(m.Get("content"))
		if err != nil {
			return err
		}
		switch m.Get("role").Text() {
		case "assistant":
			c.Turns = dialect.AppendTurn(c.Turns, ringwall.RoleAssistant, parts)
		case "system":
			if len(c.Turns) == 0 {
				c.System = append(c.System, parts...)
				continue
			}
			c.Turns = dialect.AppendTurn(c.Turns, ringwall.RoleSystem, parts)
		default:
			c.Turns = dialect.AppendTurn(c.Turns, ringwall.RoleUser, parts)
		}
	}
	return nil
}

func readContent(v jsonedit.Value) (parts []ringwall.Part, err error) {
	if v.Kind() == jsonedit.String {
		return []ringwall.Part{{Text: v.Text()}}, nil
	}
	for _, b := range v.Elems() {
		from := len(parts)
		if parts, err = readBlock(parts, b); err != nil {
			return nil, err
		}
		if n := len(parts); n > from {
			parts[n-1].Cache = dialect.CacheFor(b.Get("cache_control"))
		}
	}
	return parts, nil
}

// readBlock appends the parts that a block is.
func readBlock(parts []ringwall.Part, b jsonedit.Value) ([]ringwall.Part, error) {
	switch kind := b.Get("type").Text(); kind {
	case "text":
		return append(parts, ringwall.Part{Text: b.Get("text").Text()}), nil
	case "image":
		m, err := readSource(ringwall.Image, b.Get("source"))
		return append(parts, ringwall.Part{Kind: ringwall.PartMedia, Media: m}), err
	case "document":
		return readDocument(parts, b)
	case "search_result":
		if b.Get("citations").Get("enabled").True() {
			return nil, dialect.Uncarried("citations")
		}
		inside, err := readContent(b.Get("content"))
		return appendMarked(parts, "search_result", []named{{"source", b.Get("source").Text()}, {"title", b.Get("title").Text()}}, inside), err
	case "tool_use":
		return append(parts, ringwall.Part{Kind: ringwall.PartCall, Call: readCall(b)}), nil
	case "tool_result":
		inside, err := readContent(b.Get("content"))
		return append(parts, ringwall.Part{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{
			ID: b.Get("tool_use_id").Text(), Parts: inside, Failed: b.Get("is_error").True(),
		}}), err
	case "thinking":
		p := ringwall.Part{Kind: ringwall.PartReasoning, Text: b.Get("thinking").Text(), Signature: b.Get("signature").Text()}
		if p.Signature == unsigned {
			p.Signature = ""
		}
		return append(parts, p), nil
	case "redacted_thinking":
		return append(parts, ringwall.Part{Kind: ringwall.PartRedacted, Text: b.Get("data").Text()}), nil
	default:
		return nil, dialect.Uncarried(fmt.Sprintf("a block of type %.40q", kind))
	}
}

func readCall(b jsonedit.Value) *ringwall.ToolCall {
	c := &ringwall.ToolCall{ID: b.Get("id").Text(), Name: b.Get("name").Text(), Arguments: "{}"}
	if in := b.Get("input"); in.Kind() == jsonedit.Object {
		c.Arguments = string(in.Raw())
	}
	return c
}

func readSource(kind ringwall.MediaKind, s jsonedit.Value) (*ringwall.Media, error) {
	switch from := s.Get("type").Text(); from {
	case "base64":
		return &ringwall.Media{Kind: kind, MIME: s.Get("media_type").Text(), Data: s.Get("data").Text()}, nil
	case "url":
		return &ringwall.Media{Kind: kind, URL: s.Get("url").Text()}, nil
	default:
		return nil, dialect.Uncarried(fmt.Sprintf("a source of type %.40q", from))
	}
}

func readDocument(parts []ringwall.Part, b jsonedit.Value) ([]ringwall.Part, error) {
	if b.Get("citations").Get("enabled").True() {
		return nil, dialect.Uncarried("citations")
	}
	title, context := b.Get("title").Text(), b.Get("context").Text()
	said := []named{{"title", title}, {"context", context}}
	s := b.Get("source")
	switch s.Get("type").Text() {
	case "text":
		return appendMarked(parts, "document", said, []ringwall.Part{{Text: s.Get("data").Text()}}), nil
	case "content":
		inside, err := readContent(s.Get("content"))
		return appendMarked(parts, "document", said, inside), err
	}
	m, err := readSource(ringwall.Document, s)
	if err != nil {
		return nil, err
	}
	m.Name = title
	if m.MIME = cmp.Or(m.MIME, "application/pdf"); context != "" {
		parts = append(parts, ringwall.Part{Text: context})
	}
	return append(parts, ringwall.Part{Kind: ringwall.PartMedia, Media: m}), nil
}

// named is a value and its name.
type named struct{ name, value string }

// appendMarked appends what has no word elsewhere: its names and values, and its
// parts, in an element called mark.
func appendMarked(parts []ringwall.Part, mark string, said []named, inside []ringwall.Part) []ringwall.Part {
	open := "<" + mark + ">\n"
	for _, s := range said {
		if s.value != "" {
			open += "<" + s.name + ">" + s.value + "</" + s.name + ">\n"
		}
	}
	parts = append(parts, ringwall.Part{Text: open})
	for _, p := range append(inside, ringwall.Part{Text: "\n</" + mark + ">"}) {
		if last := &parts[len(parts)-1]; p.Kind == ringwall.PartText && last.Kind == ringwall.PartText {
			last.Text += p.Text
			continue
		}
		parts = append(parts, p)
	}
	return parts
}

// toolTunes are members of a tool that change nothing that is said.
var toolTunes = dialect.NameSet("type", "eager_input_streaming")

func readTools(list jsonedit.Value) (tools []ringwall.ToolSpec, err error) {
	for _, t := range list.Elems() {
		if kind := t.Get("type"); kind.Kind() == jsonedit.String && !kind.Is("custom") {
			return nil, dialect.Uncarried(fmt.Sprintf("a tool of type %.40q", kind.Text()))
		}
		var tool ringwall.ToolSpec
		for key, v := range t.Members() {
			switch {
			case v.Kind() == jsonedit.Null || toolTunes[key]:
			case key == "name":
				tool.Name = v.Text()
			case key == "description":
				tool.Description = v.Text()
			case key == "input_schema":
				tool.Schema = dialect.Raw(v)
			case key == "strict":
				tool.Strict = v.True()
			case key == "cache_control":
				tool.Cache = dialect.CacheFor(v)
			case key == "defer_loading" && !v.True():
			default:
				return nil, dialect.Uncarried("tools[]." + key)
			}
		}
		tools = append(tools, tool)
	}
	return tools, nil
}

func readChoice(v jsonedit.Value) (c ringwall.ToolChoice, err error) {
	switch kind := v.Get("type").Text(); kind {
	case "auto":
		c.Mode = ringwall.ChoiceAuto
	case "none":
		c.Mode = ringwall.ChoiceNone
	case "any":
		c.Mode = ringwall.ChoiceRequired
	case "tool":
		c.Mode, c.Name = ringwall.ChoiceNamed, v.Get("name").Text()
	default:
		return c, dialect.Uncarried(fmt.Sprintf("a tool_choice of type %.40q", kind))
	}
	c.Single = v.Get("disable_parallel_tool_use").True()
	return c, nil
}
