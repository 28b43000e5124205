package bedrock

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Acting = (*request)(nil)

// Conversation implements gateway.Acting.
func (r *request) Conversation() (c *ringwall.Conversation, err error) {
	root := r.doc.Root()
	switch r.family {
	case anthropic:
		c, err = dialect.TellMessages(r.src, root)
	case nova:
		c, err = tellConverse(r.src, root)
	case titan, llama, unknown:
		c, err = r.tellPlain(root)
	}
	if err != nil {
		return nil, err
	}
	c.Model, c.Stream = r.model, r.stream
	return c, nil
}

// Offer implements gateway.Acting. Tools of the service's own have the names by which
// it knows them.
func (r *request) Offer(keep func(name string) bool) (forced bool) {
	root := r.doc.Root()
	switch r.family {
	case anthropic:
		r.hidden = dialect.Hide(dialect.MessagesTools(root), r.hidden, keep)
		r.forced = dialect.MessagesForced(root, r.hidden)
	case nova:
		tools, _ := offered(root.Get("toolConfig").Get("tools"))
		r.hidden = dialect.Hide(tools, r.hidden, keep)
		r.forced = forcedOf(root.Get("toolConfig"), tools, r.hidden)
	case titan, llama, unknown:
		r.hidden = dialect.Hide(plainTools(root), r.hidden, keep)
		r.forced = plainForced(root, r.hidden)
	}
	return r.forced
}

// hide returns the edits that take the hidden tools out.
func (r *request) hide(root jsonedit.Value) []jsonedit.Edit {
	switch r.family {
	case anthropic:
		return dialect.HideMessages(root, r.hidden, r.forced)
	case nova:
		return hideConverse(root, r.hidden, r.forced)
	case titan, llama, unknown:
	}
	return hidePlain(root, r.hidden, r.forced)
}

// offered returns the tools of a list, and where in it they stand: between them stand
// places up to which the prompt may be kept.
func offered(list jsonedit.Value) (tools []ringwall.ToolSpec, at []int) {
	for i, t := range list.Elems() {
		s := t.Get("toolSpec")
		switch {
		case s.Exists():
			tools = append(tools, ringwall.ToolSpec{
				Name: s.Get("name").Text(), Description: s.Get("description").Text(), Schema: dialect.Raw(s.Get("inputSchema").Get("json")), Strict: s.Get("strict").True(),
			})
		case isCachePoint(t):
			if n := len(tools); n > 0 {
				tools[n-1].Cache = dialect.CacheFor(t.Get("cachePoint"))
			}
			continue
		case t.Get("systemTool").Get("name").Kind() == jsonedit.String:
			tools = append(tools, ringwall.ToolSpec{Name: t.Get("systemTool").Get("name").Text()})
		default:
			kind := ""
			for key := range t.Members() {
				kind = strings.Clone(key)
				break
			}
			tools = append(tools, ringwall.ToolSpec{Name: kind})
		}
		at = append(at, i)
	}
	return tools, at
}

func isCachePoint(t jsonedit.Value) bool { return t.Get("cachePoint").Exists() }

// forcedOf reports whether the model must call one of the hidden tools.
func forcedOf(config jsonedit.Value, tools []ringwall.ToolSpec, hidden dialect.Places) bool {
	choice := config.Get("toolChoice")
	if len(hidden) == 0 {
		return false
	}
	if named := choice.Get("tool").Get("name"); choice.Get("tool").Exists() {
		for i, t := range tools {
			if !hidden[i] && named.Is(t.Name) {
				return false
			}
		}
		return true
	}
	return len(hidden) == len(tools) && choice.Get("any").Exists()
}

// noTool is [dialect.NoTool] as the only tool.
const noTool = `[{"toolSpec":{"name":"` + dialect.NoTool + `","description":"` + dialect.NoToolSays + `","inputSchema":{"json":{"type":"object","properties":{}}}}}]`

// hideConverse returns the edits that take tools out of a request of Converse, by
// their places among those that are offered. Bedrock wants a toolConfig, with a tool,
// where calls or results are in the conversation: then none is offered under the name
// [dialect.NoTool].
func hideConverse(root jsonedit.Value, hidden dialect.Places, forced bool) (edits []jsonedit.Edit) {
	config := root.Get("toolConfig")
	list := config.Get("tools")
	tools, at := offered(list)
	if len(hidden) == 0 {
		return nil
	}
	unchosen := config.Remove(func(key string) bool { return key == "toolChoice" })
	switch {
	case len(hidden) < len(tools):
		places := dialect.Places{}
		for i := range hidden {
			places[at[i]] = true
		}
		alone := true // nothing is before it that could be kept
		for i, t := range list.Elems() {
			switch {
			case places[i]:
			case isCachePoint(t):
				places[i], alone = alone, true
			default:
				alone = false
			}
			if !places[i] {
				delete(places, i)
			}
		}
		edits, _ = places.Elems(list)
		if forced {
			edits = append(edits, unchosen...)
		}
		return edits
	case calledIn(root):
		return append(unchosen, dialect.Put(list, []byte(noTool)))
	}
	return root.Remove(func(key string) bool { return key == "toolConfig" })
}

// calledIn reports whether calls or results are in a conversation.
func calledIn(root jsonedit.Value) bool {
	for _, m := range root.Get("messages").Elems() {
		for _, b := range m.Get("content").Elems() {
			if b.Get("toolUse").Exists() || b.Get("toolResult").Exists() {
				return true
			}
		}
	}
	return false
}

// tellConverse tells a request in the words of Converse. What a document or a source
// in it says is a result of a tool: nobody who may be believed has said it.
func tellConverse(src []byte, root jsonedit.Value) (*ringwall.Conversation, error) {
	c := &ringwall.Conversation{}
	t := teller{Told: dialect.Told{Src: src}}
	var err error
	if c.System, err = t.content(root.Get("system"), "system"); err != nil {
		return nil, err
	}
	for i, m := range root.Get("messages").Elems() {
		role := ringwall.RoleUser
		if m.Get("role").Is("assistant") {
			role = ringwall.RoleAssistant
		} else {
			t.Turn()
		}
		parts, err := t.content(m.Get("content"), "messages["+strconv.Itoa(i)+"].content")
		if err != nil {
			return nil, err
		}
		c.Turns = dialect.AppendTurn(c.Turns, role, parts)
	}
	tools, _ := offered(root.Get("toolConfig").Get("tools"))
	c.Tools = dialect.Once(tools)
	for key, v := range root.Get("toolConfig").Get("toolChoice").Members() {
		switch key {
		case "auto":
			c.Choice.Mode = ringwall.ChoiceAuto
		case "any":
			c.Choice.Mode = ringwall.ChoiceRequired
		case "tool":
			c.Choice.Mode, c.Choice.Name = ringwall.ChoiceNamed, v.Get("name").Text()
		}
	}
	return c, nil
}

// teller reads what was said, whether or not another API has a word for it.
type teller struct{ dialect.Told }

func (t *teller) content(list jsonedit.Value, at string) (parts []ringwall.Part, err error) {
	for i, b := range list.Elems() {
		for key, v := range b.Members() {
			if key == "cachePoint" {
				if len(parts) > 0 {
					parts[len(parts)-1].Cache = dialect.CacheFor(v)
				}
				continue
			}
			p, err := t.block(key, v, at+"["+strconv.Itoa(i)+"]."+key)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p...)
		}
	}
	return parts, nil
}

func (t *teller) block(key string, v jsonedit.Value, at string) ([]ringwall.Part, error) {
	one := func(p ringwall.Part) []ringwall.Part { return []ringwall.Part{p} }
	switch key {
	case "text":
		return one(ringwall.Part{Text: v.Text()}), nil
	case "guardContent":
		source := false
		for _, q := range v.Get("text").Get("qualifiers").Elems() {
			source = source || q.Is("grounding_source")
		}
		if text := v.Get("text").Get("text"); text.Exists() && !source {
			return one(ringwall.Part{Text: text.Text()}), nil
		}
		return one(untold(key, v)), nil
	case "image", "audio", "video":
		return one(medium(key, v)), nil
	case "document":
		p := untold(key, v)
		if len(p.Result.Parts) == 0 || len(p.Result.Parts) == 1 && p.Result.Parts[0].Kind == ringwall.PartMedia {
			return one(medium(key, v)), nil
		}
		return one(p), nil
	case "toolUse":
		call := callOf(v)
		return one(ringwall.Part{Kind: ringwall.PartCall, Call: &call}), t.Call(v, at, &call)
	case "toolResult":
		r := &ringwall.ToolResult{ID: v.Get("toolUseId").Text(), Failed: v.Get("status").Is("error"), Parts: results(v.Get("content"))}
		if kind := v.Get("type").Text(); kind != "" && !t.Known(r.ID) { // of a tool that the service ran
			r.Name = kind
			return one(ringwall.Part{Kind: ringwall.PartResult, Result: r}), nil
		}
		return one(ringwall.Part{Kind: ringwall.PartResult, Result: r}), t.Result(v, at, r)
	case "reasoningContent":
		if text := v.Get("reasoningText"); text.Exists() {
			return one(ringwall.Part{Kind: ringwall.PartReasoning, Text: text.Get("text").Text(), Signature: text.Get("signature").Text()}), nil
		}
		return one(ringwall.Part{Kind: ringwall.PartRedacted, Text: v.Get("redactedContent").Text()}), nil
	}
	return one(untold(key, v)), nil
}

// callOf is the call that a toolUse is, with its arguments in one spelling.
func callOf(v jsonedit.Value) ringwall.ToolCall {
	return ringwall.ToolCall{ID: v.Get("toolUseId").Text(), Name: v.Get("name").Text(), Arguments: dialect.ArgumentsOf(v.Get("input"))}
}

// results are what a tool returned.
func results(list jsonedit.Value) (parts []ringwall.Part) {
	for _, b := range list.Elems() {
		if json := b.Get("json"); json.Exists() {
			parts = append(parts, ringwall.Part{Text: string(json.Raw())})
			continue
		}
		for key, v := range b.Members() {
			parts = leaves(parts, key, v)
		}
	}
	return parts
}

// untold is a block that says what nobody is known to have said.
func untold(key string, v jsonedit.Value) ringwall.Part {
	return ringwall.Part{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{Name: strings.Clone(key), Parts: leaves(nil, key, v)}}
}

// leaves appends every text of v, the member key of what it stands in, and its media.
func leaves(parts []ringwall.Part, key string, v jsonedit.Value) []ringwall.Part {
	switch v.Kind() {
	case jsonedit.String:
		if !names[key] && key != "signature" && key != "redactedContent" {
			parts = append(parts, ringwall.Part{Text: v.Text()})
		}
	case jsonedit.Array:
		for _, e := range v.Elems() {
			parts = leaves(parts, key, e)
		}
	case jsonedit.Object:
		bytes := v.Get("source").Get("bytes")
		switch {
		case key == "document" && bytes.Exists() && written[v.Get("format").Text()]:
			if b, err := base64.StdEncoding.DecodeString(bytes.Text()); err == nil && utf8.Valid(b) {
				parts = append(parts, ringwall.Part{Text: string(b)})
				break
			}
			fallthrough
		case media[key] != "" && (bytes.Exists() || v.Get("source").Get("s3Location").Exists()):
			parts = append(parts, medium(key, v))
		}
		for k, m := range v.Members() {
			if (k == "source" && media[key] != "" && !m.Get("text").Exists() && !m.Get("content").Exists()) || key == "document" && k == "name" {
				continue
			}
			parts = leaves(parts, k, m)
		}
	}
	return parts
}

// medium is what a block shows, as far as it can be told.
func medium(key string, v jsonedit.Value) ringwall.Part {
	s := v.Get("source")
	m := &ringwall.Media{Kind: kinds[key], MIME: key + "/" + v.Get("format").Text(), Name: v.Get("name").Text(), Data: s.Get("bytes").Text(), URL: s.Get("s3Location").Get("uri").Text()}
	if key == "document" {
		m.MIME = formats[v.Get("format").Text()]
	}
	return ringwall.Part{Kind: ringwall.PartMedia, Media: m}
}
