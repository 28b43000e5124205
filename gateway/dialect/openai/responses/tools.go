package responses

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Acting = (*request)(nil)

// Conversation implements gateway.Acting: all that was said, once the request goes on
// from an earlier answer ([request.Continue]). Of what only the provider keeps nothing
// is known: results may be for its calls.
func (r *request) Conversation() (*ringwall.Conversation, error) {
	root := r.doc.Root()
	c := &ringwall.Conversation{Model: r.Model(), Stream: r.stream, User: root.Get("user").Text()}
	c.Choice, _ = readChoice(root.Get("tool_choice"))
	t := teller{c: c, Told: dialect.Told{Src: r.src, Beyond: len(r.unseen) > 0}}
	if s := root.Get("instructions"); s.Kind() == jsonedit.String {
		c.System = append(c.System, ringwall.Part{Text: s.Text()})
	}
	for _, key := range []string{"instructions", "input"} { // in the order in which they are read
		v := root.Get(key)
		if key == "input" && v.Kind() == jsonedit.String {
			t.say(ringwall.RoleUser, ringwall.Part{Text: v.Text()})
		}
		for i, it := range v.Elems() {
			if err := t.item(it, key+"["+strconv.Itoa(i)+"]"); err != nil {
				return nil, err
			}
		}
	}
	for _, v := range root.Get("tools").Elems() {
		if specs := toolsOf(v); named[v.Get("type").Text()] {
			c.Tools = append(c.Tools, specs...)
		} else {
			c.Tools = dialect.Typed(c.Tools, specs[0].Name)
		}
	}
	return c, nil
}

// teller reads what was said, whether or not another API has a word for it.
type teller struct {
	dialect.Told
	c *ringwall.Conversation
}

func (t *teller) say(role ringwall.Role, parts ...ringwall.Part) {
	if role != ringwall.RoleAssistant {
		t.Turn()
	}
	t.c.Turns = dialect.AppendTurn(t.c.Turns, role, parts)
}

func (t *teller) item(it jsonedit.Value, at string) error {
	kind := it.Get("type").Text()
	switch {
	case kind == "message" || kind == "" && it.Get("role").Exists():
		parts := tellContent(it.Get("content"))
		switch it.Get("role").Text() {
		case "system", "developer":
			if len(t.c.Turns) == 0 {
				t.c.System = append(t.c.System, parts...)
			} else {
				t.say(ringwall.RoleSystem, parts...)
			}
		case "user":
			t.say(ringwall.RoleUser, parts...)
		default:
			t.say(ringwall.RoleAssistant, parts...)
		}
	case isCall(it):
		call := callOf(it)
		if err := t.Call(it, at, &call); err != nil {
			return err
		}
		t.say(ringwall.RoleAssistant, ringwall.Part{Kind: ringwall.PartCall, Call: &call})
	case isResult(it):
		res := &ringwall.ToolResult{ID: it.Get("call_id").Text(), Parts: tellContent(it.Get("output"))}
		if err := t.Result(it, at, res); err != nil {
			return err
		}
		t.say(ringwall.RoleUser, ringwall.Part{Kind: ringwall.PartResult, Result: res})
	case kind == "reasoning":
		t.say(ringwall.RoleAssistant, readReasoning(it)...)
	case brings[kind] != nil:
		t.brought(it, kind)
	case kind == "item_reference" || kind == "":
		t.Beyond = true // it may be a call
		t.say(ringwall.RoleAssistant, dialect.Other("item_reference"))
	case origin(kind, "") == ringwall.User:
		t.say(ringwall.RoleUser, dialect.Other(kind))
	default:
		t.say(ringwall.RoleAssistant, dialect.Other(kind))
	}
	return nil
}

// brought tells a call of a tool that the provider ran, and what it found.
func (t *teller) brought(it jsonedit.Value, kind string) {
	call := &ringwall.ToolCall{ID: it.Get("id").Text(), Name: it.Get("name").Text(), Arguments: it.Get("arguments").Text()}
	if call.Name == "" {
		call.Name = strings.TrimSuffix(kind, "_call")
	}
	if call.Arguments == "" {
		call.Arguments = string(rest(it, func(key string) bool { return brings[kind][key] != 0 }))
	}
	res := &ringwall.ToolResult{ID: call.ID, Name: call.Name}
	for key, v := range it.Members() {
		if brings[kind][key] != 0 && said(v) {
			res.Parts = append(res.Parts, tellContent(v)...)
			res.Failed = res.Failed || key == "error"
		}
	}
	t.say(ringwall.RoleAssistant, ringwall.Part{Kind: ringwall.PartCall, Call: call})
	if len(res.Parts) > 0 {
		t.say(ringwall.RoleUser, ringwall.Part{Kind: ringwall.PartResult, Result: res})
	}
}

// tellContent is readContent for what another API may have no word for. What has no
// type at all, as the output of some tools, is read as it is written.
func tellContent(v jsonedit.Value) (parts []ringwall.Part) {
	switch v.Kind() {
	case jsonedit.String:
		return []ringwall.Part{{Text: v.Text()}}
	case jsonedit.Missing, jsonedit.Null:
		return nil
	case jsonedit.Array:
		for _, p := range v.Elems() {
			parts = append(parts, tellPart(p))
		}
		return parts
	default:
		return []ringwall.Part{tellPart(v)}
	}
}

func tellPart(p jsonedit.Value) ringwall.Part {
	kind := p.Get("type").Text()
	if part, err := readPart(kind, p); err == nil {
		return part
	}
	if text := p.Get("text"); text.Kind() == jsonedit.String {
		return ringwall.Part{Text: text.Text()}
	}
	if kind == "" {
		return ringwall.Part{Text: string(p.AppendCompact(nil))}
	}
	return dialect.Other(kind)
}

// named are the types of tools that have names of their own.
var named = dialect.NameSet("function", "custom", "namespace")

// toolsOf reads a tool, or those of a namespace. One that has no name but its type has
// that.
func toolsOf(t jsonedit.Value) []ringwall.ToolSpec {
	s := ringwall.ToolSpec{Name: t.Get("name").Text(), Description: t.Get("description").Text()}
	switch kind := t.Get("type").Text(); kind {
	case "function":
		s.Schema, s.Strict = dialect.Raw(t.Get("parameters")), t.Get("strict").True()
	case "custom":
		s.Schema = dialect.FreeSchema
	case "namespace":
		var specs []ringwall.ToolSpec
		for _, in := range t.Get("tools").Elems() {
			specs = append(specs, toolsOf(in)...)
		}
		return specs
	default:
		s = ringwall.ToolSpec{Name: openai.ToolName(kind)}
	}
	return []ringwall.ToolSpec{s}
}

// offer is what of a request's tools is taken away.
type offer struct {
	openai.Offer
	nested map[int]dialect.Places // of namespaces
}

// Offer implements gateway.Acting.
func (r *request) Offer(keep func(name string) bool) (forced bool) {
	root := r.doc.Root()
	keep = openai.Both(r.keep, keep)
	kept := func(v jsonedit.Value) bool {
		return slices.ContainsFunc(toolsOf(v), func(s ringwall.ToolSpec) bool { return keep(s.Name) })
	}
	o := &offer{nested: map[int]dialect.Places{}}
	left := o.Tools.Take(root.Get("tools"), kept)
	for i, v := range root.Get("tools").Elems() {
		if v.Get("type").Is("namespace") && !o.Tools[i] {
			var in dialect.Places
			if in.Take(v.Get("tools"), kept); len(in) > 0 {
				o.nested[i] = in
			}
		}
	}
	if len(o.Tools) == 0 && len(o.nested) == 0 {
		return false
	}
	r.keep, r.offer = keep, o
	return o.Choose(root.Get("tool_choice"), keep, left)
}

// edits returns those that put an offer into force.
func (o *offer) edits(root jsonedit.Value) []jsonedit.Edit {
	edits := o.Edits(root)
	for i, v := range root.Get("tools").Elems() {
		if in := o.nested[i]; in != nil {
			es, _ := in.Elems(v.Get("tools"))
			edits = append(edits, es...)
		}
	}
	return edits
}
