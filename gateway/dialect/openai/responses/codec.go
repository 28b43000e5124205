package responses

import (
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Codec translates the responses API. It implements dialect.Codec.
type Codec struct{}

var _ dialect.Codec = Codec{}

// tunes are members of a request that change how it is served and nothing that is
// said.
var tunes = dialect.NameSet(
	"model", "stream", "stream_options", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key",
	"prompt_cache_retention", "parallel_tool_calls", "tool_choice", "background", "truncation",
)

// ReadRequest implements dialect.Codec.
func (Codec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	c := &ringwall.Conversation{Model: call.Model, Stream: call.Stream}
	root := doc.Root()
	if s := root.Get("instructions"); s.Kind() == jsonedit.String {
		c.System = append(c.System, ringwall.Part{Text: s.Text()})
	}
	for key, v := range root.Members() {
		if v.Kind() == jsonedit.Null || tunes[key] {
			continue
		}
		if err := readMember(c, key, v); err != nil {
			return nil, err
		}
	}
	var err error
	if c.Choice, err = readChoice(root.Get("tool_choice")); err != nil {
		return nil, err
	}
	if p := root.Get("parallel_tool_calls"); p.Kind() == jsonedit.Bool && !p.True() {
		c.Choice.Single = true
	}
	return c, nil
}

func readMember(c *ringwall.Conversation, key string, v jsonedit.Value) (err error) {
	switch s := &c.Sampling; key {
	case "instructions":
		if v.Kind() != jsonedit.String {
			err = dialect.Uncarried("instructions that are no string")
		}
	case "input":
		if v.Kind() == jsonedit.String {
			c.Turns = dialect.AppendTurn(c.Turns, ringwall.RoleUser, []ringwall.Part{{Text: v.Text()}})
			return nil
		}
		for i, it := range v.Elems() {
			if err := readItem(c, i, it); err != nil {
				return err
			}
		}
	case "tools":
		c.Tools, err = readTools(v)
	case "max_output_tokens":
		s.MaxTokens = dialect.Int(v)
	case "temperature":
		s.Temperature = dialect.Float(v)
	case "top_p":
		s.TopP = dialect.Float(v)
	case "text":
		if w := v.Get("verbosity"); w.Exists() && w.Kind() != jsonedit.Null && !w.Is("medium") {
			return dialect.Uncarried("text.verbosity")
		}
		c.Format, err = readFormat(v.Get("format"))
	case "reasoning":
		c.Effort = v.Get("effort").Text()
	case "user":
		c.User = v.Text()
	case "include":
		for _, e := range v.Elems() {
			if !e.Is("reasoning.encrypted_content") {
				return dialect.Uncarried(fmt.Sprintf("include %.60q", e.Text()))
			}
		}
	case "top_logprobs":
		if n, ok := v.Int(); !ok || n != 0 {
			err = dialect.Uncarried(key)
		}
	default:
		err = dialect.Uncarried(key)
	}
	return err
}

func readItem(c *ringwall.Conversation, i int, it jsonedit.Value) error {
	role := ringwall.RoleAssistant
	var parts []ringwall.Part
	var err error
	switch kind := it.Get("type").Text(); {
	case kind == "message" || kind == "" && it.Get("role").Exists():
		if parts, err = readContent(it.Get("content")); err != nil {
			return err
		}
		switch it.Get("role").Text() {
		case "system", "developer":
			if len(c.Turns) == 0 {
				c.System = append(c.System, parts...)
				return nil
			}
			role = ringwall.RoleSystem
		case "user":
			role = ringwall.RoleUser
		}
	case kind == "function_call":
		parts = []ringwall.Part{{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{
			ID: it.Get("call_id").Text(), Name: it.Get("name").Text(), Arguments: it.Get("arguments").Text(),
		}}}
	case kind == "function_call_output":
		if parts, err = readContent(it.Get("output")); err != nil {
			return err
		}
		role, parts = ringwall.RoleUser, []ringwall.Part{{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{ID: it.Get("call_id").Text(), Parts: parts}}}
	case kind == "reasoning":
		parts = readReasoning(it)
	case kind == "item_reference" || kind == "":
		return dialect.Uncarried(fmt.Sprintf("input[%d]: a reference to an item that the API keeps", i))
	default:
		return dialect.Uncarried(fmt.Sprintf("input[%d]: an item of type %.40q", i, kind))
	}
	c.Turns = dialect.AppendTurn(c.Turns, role, parts)
	return nil
}

// readReasoning reads what a model thought. What only its provider can read stands
// where we write signatures, too.
func readReasoning(it jsonedit.Value) []ringwall.Part {
	text := ""
	for _, list := range []string{"summary", "content"} {
		for _, s := range it.Get(list).Elems() {
			text += s.Get("text").Text()
		}
	}
	sealed := it.Get("encrypted_content").Text()
	switch {
	case text != "":
		return []ringwall.Part{{Kind: ringwall.PartReasoning, Text: text, Signature: sealed}}
	case sealed != "":
		return []ringwall.Part{{Kind: ringwall.PartRedacted, Text: sealed}}
	}
	return nil
}

func readContent(v jsonedit.Value) (parts []ringwall.Part, err error) {
	if v.Kind() == jsonedit.String {
		return []ringwall.Part{{Text: v.Text()}}, nil
	}
	for _, p := range v.Elems() {
		part, err := readPart(p.Get("type").Text(), p)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// readPart reads a part of a content.
func readPart(kind string, p jsonedit.Value) (ringwall.Part, error) {
	var m *ringwall.Media
	switch kind {
	case "input_text", "output_text", "text":
		return ringwall.Part{Text: p.Get("text").Text()}, nil
	case "refusal":
		return ringwall.Part{Kind: ringwall.PartRefusal, Text: p.Get("refusal").Text()}, nil
	case "input_image":
		if url := p.Get("image_url"); url.Kind() == jsonedit.String {
			m = dialect.FromURL(ringwall.Image, url.Text())
		}
	case "input_file":
		if data := p.Get("file_data"); data.Kind() == jsonedit.String {
			m = dialect.FromURL(ringwall.Document, data.Text())
		} else if url := p.Get("file_url"); url.Kind() == jsonedit.String {
			m = &ringwall.Media{Kind: ringwall.Document, URL: url.Text()}
		}
		if m != nil {
			m.Name = p.Get("filename").Text()
		}
	case "input_audio":
		a := p.Get("input_audio")
		m = &ringwall.Media{Kind: ringwall.Audio, MIME: "audio/" + a.Get("format").Text(), Data: a.Get("data").Text()}
	default:
		return ringwall.Part{}, dialect.Uncarried(fmt.Sprintf("a content part of type %.40q", kind))
	}
	if m == nil {
		return ringwall.Part{}, dialect.Uncarried("a file by its id")
	}
	return ringwall.Part{Kind: ringwall.PartMedia, Media: m}, nil
}

func readTools(list jsonedit.Value) (tools []ringwall.ToolSpec, err error) {
	for _, t := range list.Elems() {
		if !t.Get("type").Is("function") {
			return nil, dialect.Uncarried(fmt.Sprintf("a tool of type %.40q", t.Get("type").Text()))
		}
		tools = append(tools, ringwall.ToolSpec{
			Name: t.Get("name").Text(), Description: t.Get("description").Text(), Schema: dialect.Raw(t.Get("parameters")), Strict: t.Get("strict").True(),
		})
	}
	return tools, nil
}

func readChoice(v jsonedit.Value) (c ringwall.ToolChoice, err error) {
	switch v.Text() {
	case "auto":
		c.Mode = ringwall.ChoiceAuto
	case "none":
		c.Mode = ringwall.ChoiceNone
	case "required":
		c.Mode = ringwall.ChoiceRequired
	}
	if v.Kind() == jsonedit.Object {
		if !v.Get("type").Is("function") {
			return c, dialect.Uncarried(fmt.Sprintf("a tool_choice of type %.40q", v.Get("type").Text()))
		}
		c.Mode, c.Name = ringwall.ChoiceNamed, v.Get("name").Text()
	}
	return c, nil
}

func readFormat(v jsonedit.Value) (*ringwall.Format, error) {
	switch kind := v.Get("type").Text(); kind {
	case "text", "":
		return nil, nil
	case "json_object":
		return &ringwall.Format{}, nil
	case "json_schema":
		return &ringwall.Format{Name: v.Get("name").Text(), Description: v.Get("description").Text(), Schema: dialect.Raw(v.Get("schema")), Strict: v.Get("strict").True()}, nil
	default:
		return nil, dialect.Uncarried(fmt.Sprintf("a text.format of type %.40q", kind))
	}
}
