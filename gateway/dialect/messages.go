package dialect

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// The words of Anthropic's Messages API, which more than one API speaks, as far as
// they are about tools. Conversations are told, not translated: nothing is refused
// that another API has no word for.

// remoteTools are tools of servers that the provider asks itself, which a request may
// name without a tool of that type.
const remoteTools = "mcp_toolset"

// MessagesCall reports whether a block of that type is a call that the client is to
// run. The provider runs those of its own tools, and of servers that it asks.
func MessagesCall(kind string) bool {
	return strings.HasSuffix(kind, "tool_use") && kind != "server_tool_use" && kind != "mcp_tool_use"
}

// TellMessages tells a request in the words of Anthropic's messages. What a document
// or a search result in it says, and what the provider's own tools returned, are
// results of tools: nobody who may be believed has said it.
func TellMessages(src []byte, root jsonedit.Value) (*ringwall.Conversation, error) {
	c := &ringwall.Conversation{Choice: messagesChoice(root.Get("tool_choice"))}
	t := messagesTeller{Told: Told{Src: src}}
	var err error
	if c.System, err = t.content(root.Get("system"), "system"); err != nil {
		return nil, err
	}
	if p := root.Get("prompt"); p.Kind() == jsonedit.String { // as the first models were asked
		c.Turns = []ringwall.Turn{{Parts: []ringwall.Part{{Text: p.Text()}}}}
	}
	for i, m := range root.Get("messages").Elems() {
		parts, err := t.content(m.Get("content"), "messages["+strconv.Itoa(i)+"].content")
		if err != nil {
			return nil, err
		}
		role := ringwall.RoleUser
		switch m.Get("role").Text() {
		case "assistant":
			role = ringwall.RoleAssistant
		case "system":
			if len(c.Turns) == 0 {
				c.System = append(c.System, parts...)
				continue
			}
			role = ringwall.RoleSystem
		}
		if role != ringwall.RoleAssistant {
			t.Turn()
		}
		c.Turns = AppendTurn(c.Turns, role, parts)
	}
	c.Tools = Once(MessagesTools(root))
	return c, nil
}

// MessagesTools returns the tools that a request in those words offers.
func MessagesTools(root jsonedit.Value) (tools []ringwall.ToolSpec) {
	for _, v := range root.Get("tools").Elems() {
		tools = append(tools, messagesTool(v))
	}
	if remote(root) {
		tools = append(tools, ringwall.ToolSpec{Name: remoteTools})
	}
	return tools
}

// remote reports whether a request has the provider ask servers of tools, of which
// none of its tools speaks.
func remote(root jsonedit.Value) bool {
	for range root.Get("mcp_servers").Elems() {
		for _, v := range root.Get("tools").Elems() {
			if v.Get("type").Is(remoteTools) {
				return false
			}
		}
		return true
	}
	return false
}

// messagesTeller reads what was said.
type messagesTeller struct{ Told }

func (t *messagesTeller) content(v jsonedit.Value, at string) (parts []ringwall.Part, err error) {
	if v.Kind() == jsonedit.String {
		return []ringwall.Part{{Text: v.Text()}}, nil
	}
	for i, b := range v.Elems() {
		p, err := t.block(b, at+"["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		p.Cache = CacheFor(b.Get("cache_control"))
		parts = append(parts, p)
	}
	return parts, nil
}

func (t *messagesTeller) block(b jsonedit.Value, at string) (p ringwall.Part, err error) {
	switch kind := b.Get("type").Text(); {
	case kind == "text":
		return ringwall.Part{Text: b.Get("text").Text()}, nil
	case kind == "image":
		return MessagesMedium(ringwall.Image, b), nil
	case kind == "document":
		if s := b.Get("source"); s.Get("type").Is("text") || s.Get("type").Is("content") || b.Get("context").Kind() == jsonedit.String {
			return untold(kind, b), nil
		}
		return MessagesMedium(ringwall.Document, b), nil
	case kind == "thinking":
		return ringwall.Part{Kind: ringwall.PartReasoning, Text: b.Get("thinking").Text(), Signature: b.Get("signature").Text()}, nil
	case kind == "redacted_thinking":
		return ringwall.Part{Kind: ringwall.PartRedacted, Text: b.Get("data").Text()}, nil
	case strings.HasSuffix(kind, "tool_use"):
		c := MessagesCallOf(b)
		return ringwall.Part{Kind: ringwall.PartCall, Call: &c}, t.Call(b, at, &c)
	case strings.HasSuffix(kind, "tool_result"):
		r := &ringwall.ToolResult{ID: b.Get("tool_use_id").Text(), Failed: b.Get("is_error").True(), Parts: leaves(nil, b.Get("content"))}
		if kind != "tool_result" { // of a tool that the provider ran: it knows for which call
			if r.ID != "" && t.Known(r.ID) {
				err = t.Result(b, at, r)
			}
			r.Name = cmp.Or(r.Name, strings.TrimSuffix(kind, "_tool_result"))
			return ringwall.Part{Kind: ringwall.PartResult, Result: r}, err
		}
		return ringwall.Part{Kind: ringwall.PartResult, Result: r}, t.Result(b, at, r)
	default:
		return untold(kind, b), nil
	}
}

// Known reports whether a call with that id was noted.
func (t *Told) Known(id string) bool { return t.names[id] != "" }

// untold is a block that says what nobody is known to have said: a document, a search
// result, whatever there will be.
func untold(kind string, b jsonedit.Value) ringwall.Part {
	inside := leaves(nil, b)
	if len(inside) == 0 {
		return Other(kind)
	}
	return ringwall.Part{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{Name: strings.Clone(kind), Parts: inside}}
}

// unread are the members of what a tool returned that say nothing to a model.
var unread = NameSet("type", "cache_control", "data", "signature", "media_type", "encrypted_content", "encrypted_index", "encrypted_stdout")

// leaves appends every text in v, each as a part, and its media.
func leaves(parts []ringwall.Part, v jsonedit.Value) []ringwall.Part {
	switch v.Kind() {
	case jsonedit.String:
		return append(parts, ringwall.Part{Text: v.Text()})
	case jsonedit.Array:
		for _, e := range v.Elems() {
			parts = leaves(parts, e)
		}
	case jsonedit.Object:
		if v.Get("type").Is("image") {
			return append(parts, MessagesMedium(ringwall.Image, v))
		}
		if v.Get("type").Is("text") && v.Get("data").Kind() == jsonedit.String { // the source of a document
			return append(parts, ringwall.Part{Text: v.Get("data").Text()})
		}
		if v.Get("type").Is("document") && v.Get("source").Get("type").Is("base64") {
			parts = append(parts, MessagesMedium(ringwall.Document, v))
		}
		for key, m := range v.Members() {
			if !unread[key] {
				parts = leaves(parts, m)
			}
		}
	}
	return parts
}

// MessagesMedium is the medium that a block shows, as far as it can be told.
func MessagesMedium(kind ringwall.MediaKind, b jsonedit.Value) ringwall.Part {
	s := b.Get("source")
	m := &ringwall.Media{Kind: kind, MIME: s.Get("media_type").Text(), Name: b.Get("title").Text(), Data: s.Get("data").Text(), URL: s.Get("url").Text()}
	if m.Data == "" && m.URL == "" {
		m.URL = s.Get("file_id").Text()
	}
	return ringwall.Part{Kind: ringwall.PartMedia, Media: m}
}

// MessagesCallOf is the call that a block is, with its arguments in one spelling. One
// without arguments has none: {}.
func MessagesCallOf(b jsonedit.Value) ringwall.ToolCall {
	return ringwall.ToolCall{ID: b.Get("id").Text(), Name: b.Get("name").Text(), Arguments: ArgumentsOf(b.Get("input"))}
}

// ArgumentsOf returns the arguments v in one spelling, {} where there are none.
func ArgumentsOf(v jsonedit.Value) string {
	if !v.Exists() || v.Kind() == jsonedit.Null {
		return "{}"
	}
	return string(v.AppendCompact(nil))
}

// messagesTool reads a tool; one that the provider made has its type for a name.
func messagesTool(v jsonedit.Value) ringwall.ToolSpec {
	if kind := v.Get("type"); kind.Kind() == jsonedit.String && !kind.Is("custom") {
		return ringwall.ToolSpec{Name: kind.Text(), Cache: CacheFor(v.Get("cache_control"))}
	}
	return ringwall.ToolSpec{
		Name: v.Get("name").Text(), Description: v.Get("description").Text(), Schema: Raw(v.Get("input_schema")),
		Strict: v.Get("strict").True(), Cache: CacheFor(v.Get("cache_control")),
	}
}

func messagesChoice(v jsonedit.Value) (c ringwall.ToolChoice) {
	switch v.Get("type").Text() {
	case "auto":
		c.Mode = ringwall.ChoiceAuto
	case "none":
		c.Mode = ringwall.ChoiceNone
	case "any":
		c.Mode = ringwall.ChoiceRequired
	case "tool":
		c.Mode, c.Name = ringwall.ChoiceNamed, v.Get("name").Text()
	}
	c.Single = v.Get("disable_parallel_tool_use").True()
	return c
}
