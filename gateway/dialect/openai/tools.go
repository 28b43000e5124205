package openai

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Acting = (*request)(nil)

// webSearch is the name of the tool that web_search_options offer, which the provider
// runs.
const webSearch = "web_search"

// Conversation implements gateway.Acting. A call of the old kind, function_call, has
// no id: it is given one, and the next result of its name is for it. What a custom
// tool is called with is the member input of an object.
func (r *request) Conversation() (*ringwall.Conversation, error) {
	root := r.doc.Root()
	c := &ringwall.Conversation{Model: r.Model(), Stream: r.stream, User: root.Get("user").Text(), Choice: readChoice(root.Get("tool_choice"))}
	t := teller{Told: dialect.Told{Src: r.src}, c: c}
	for i, m := range root.Get("messages").Elems() {
		if err := t.message(m, "messages["+strconv.Itoa(i)+"]"); err != nil {
			return nil, err
		}
	}
	for _, v := range root.Get("tools").Elems() {
		if s := toolOf(v); named[v.Get("type").Text()] {
			c.Tools = append(c.Tools, s)
		} else {
			c.Tools = dialect.Typed(c.Tools, s.Name)
		}
	}
	for _, v := range root.Get("functions").Elems() {
		c.Tools = append(c.Tools, specOf(v))
	}
	if searches(root.Get("web_search_options")) {
		c.Tools = dialect.Typed(c.Tools, webSearch)
	}
	return c, nil
}

func searches(v jsonedit.Value) bool { return v.Exists() && v.Kind() != jsonedit.Null }

// teller reads what was said, whether or not another API has a word for it.
type teller struct {
	dialect.Told
	c     *ringwall.Conversation
	calls int                  // of the old kind
	waits []*ringwall.ToolCall // those of them without a result
}

func (t *teller) message(m jsonedit.Value, at string) error {
	parts := tellContent(m.Get("content"))
	role := ringwall.RoleUser
	switch m.Get("role").Text() {
	case "system", "developer":
		if len(t.c.Turns) == 0 {
			t.c.System = append(t.c.System, parts...)
			return nil
		}
		role = ringwall.RoleSystem
	case "assistant":
		role = ringwall.RoleAssistant
		more, err := t.assistant(m, at)
		if err != nil {
			return err
		}
		parts = append(parts, more...)
	case "tool":
		res := &ringwall.ToolResult{ID: m.Get("tool_call_id").Text(), Parts: parts}
		if err := t.Result(m, at, res); err != nil {
			return err
		}
		parts = []ringwall.Part{{Kind: ringwall.PartResult, Result: res}}
	case "function":
		res := &ringwall.ToolResult{Name: m.Get("name").Text(), Parts: parts}
		if !t.answered(res) {
			return dialect.Invalid(t.Src, m, at, "a result of the function %.64q, which no function_call before it asks for", res.Name)
		}
		parts = []ringwall.Part{{Kind: ringwall.PartResult, Result: res}}
	}
	if role != ringwall.RoleAssistant {
		t.Turn()
	}
	t.c.Turns = dialect.AppendTurn(t.c.Turns, role, parts)
	return nil
}

// assistant returns what a message of the model says beside its content.
func (t *teller) assistant(m jsonedit.Value, at string) (parts []ringwall.Part, err error) {
	if no := m.Get("refusal"); no.Kind() == jsonedit.String {
		parts = append(parts, ringwall.Part{Kind: ringwall.PartRefusal, Text: no.Text()})
	}
	if a := m.Get("audio"); a.Kind() == jsonedit.Object {
		parts = append(parts, ringwall.Part{Kind: ringwall.PartMedia, Media: &ringwall.Media{Kind: ringwall.Audio, Name: a.Get("id").Text()}})
	}
	for _, w := range wishes(m) {
		call := w.call()
		where := at + "." + w.key
		if w.at >= 0 {
			where = fmt.Sprintf("%s[%d]", where, w.at)
		}
		if w.key == "function_call" {
			t.calls++
			call.ID = "function_call_" + strconv.Itoa(t.calls)
		}
		if err := t.Call(w.v, where, &call); err != nil {
			return nil, err
		}
		if w.key == "function_call" {
			t.waits = append(t.waits, &call)
		}
		parts = append(parts, ringwall.Part{Kind: ringwall.PartCall, Call: &call})
	}
	return parts, nil
}

// answered finds the call of the old kind that a result is for, and completes it.
func (t *teller) answered(res *ringwall.ToolResult) bool {
	for i, call := range t.waits {
		if call.Name == res.Name {
			res.ID, t.waits = call.ID, slices.Delete(t.waits, i, i+1)
			return true
		}
	}
	return false
}

// tellContent is readContent for what another API may have no word for.
func tellContent(v jsonedit.Value) (parts []ringwall.Part) {
	if v.Kind() != jsonedit.Array {
		parts, _ = readContent(v)
		return parts
	}
	for _, p := range v.Elems() {
		kind := p.Get("type").Text()
		switch text := p.Get("text"); kind {
		case "text", "refusal", "image_url", "input_audio", "file":
			if part, err := readPart(kind, p); err == nil {
				parts = append(parts, part)
				continue
			}
			parts = append(parts, dialect.Other(kind))
		default:
			if text.Kind() == jsonedit.String {
				parts = append(parts, ringwall.Part{Text: text.Text()})
			} else {
				parts = append(parts, dialect.Other(kind))
			}
		}
	}
	return parts
}

// named are the types of tools that have names of their own.
var named = dialect.NameSet("function", "custom", "")

// toolOf reads a tool; one that the provider runs itself has its type for a name.
func toolOf(t jsonedit.Value) ringwall.ToolSpec {
	switch t.Get("type").Text() {
	case "function", "": // as some write it
		spec := specOf(t.Get("function"))
		spec.Cache = dialect.CacheFor(t.Get("cache_control"))
		return spec
	case "custom":
		f := t.Get("custom")
		return ringwall.ToolSpec{Name: f.Get("name").Text(), Description: f.Get("description").Text(), Schema: dialect.FreeSchema}
	}
	return ringwall.ToolSpec{Name: t.Get("type").Text()}
}

func specOf(f jsonedit.Value) ringwall.ToolSpec {
	return ringwall.ToolSpec{Name: f.Get("name").Text(), Description: f.Get("description").Text(), Schema: dialect.Raw(f.Get("parameters")), Strict: f.Get("strict").True()}
}

// Offer is what of a request's tools is taken away: which elements of its lists. The
// zero Offer takes nothing.
type Offer struct {
	Tools              dialect.Places
	functions, allowed dialect.Places
	search             bool   // web_search_options go, too
	choice, call       string // what tool_choice and function_call are instead; "" as they are
}

// Offer implements gateway.Acting.
func (r *request) Offer(keep func(name string) bool) (forced bool) {
	root := r.doc.Root()
	o := &Offer{}
	keep = Both(r.keep, keep)
	left := o.Tools.Take(root.Get("tools"), func(v jsonedit.Value) bool { return keep(toolOf(v).Name) })
	o.functions.Take(root.Get("functions"), func(v jsonedit.Value) bool { return keep(specOf(v).Name) })
	o.search = searches(root.Get("web_search_options")) && !keep(webSearch)
	if len(o.Tools) == 0 && len(o.functions) == 0 && !o.search {
		return false
	}
	r.keep, r.offer = keep, o
	if len(o.Tools) > 0 {
		forced = o.Choose(root.Get("tool_choice"), keep, left)
	}
	if name := root.Get("function_call").Get("name"); len(o.functions) > 0 && name.Exists() && !keep(name.Text()) {
		forced, o.call = true, `"auto"`
	}
	return forced
}

// Both keeps what both keep; nil keeps all.
func Both(a, b func(name string) bool) func(name string) bool {
	if a == nil {
		return b
	}
	return func(name string) bool { return a(name) && b(name) }
}

// Choose reports whether a choice forces a call of a tool that is gone, where left are
// not. What no longer can be chosen is the model's choice.
func (o *Offer) Choose(choice jsonedit.Value, keep func(string) bool, left int) (forced bool) {
	if choice.Kind() != jsonedit.Object {
		return left == 0 && choice.Is("required")
	}
	if choice.Get("type").Is("allowed_tools") {
		list := allowed(choice)
		if o.allowed.Take(list.Get("tools"), func(t jsonedit.Value) bool { return keep(chosen(t)) }) > 0 {
			return false
		}
		o.choice = `"none"`
		return list.Get("mode").Is("required")
	}
	if keep(chosen(choice)) {
		return false
	}
	o.choice = `"auto"`
	return true
}

// allowed returns what holds the mode and the tools of a choice among some: in chat
// completions a member of it, in responses itself.
func allowed(choice jsonedit.Value) jsonedit.Value {
	if in := choice.Get("allowed_tools"); in.Exists() {
		return in
	}
	return choice
}

// chosen returns the name of the tool that a choice names.
func chosen(choice jsonedit.Value) string {
	for _, in := range []jsonedit.Value{choice.Get("function"), choice.Get("custom")} {
		if in.Exists() {
			return in.Get("name").Text()
		}
	}
	if t := choice.Get("type").Text(); t != "function" && t != "custom" {
		return ToolName(t)
	}
	return choice.Get("name").Text()
}

// ToolName returns the name of a tool that has none but its type.
func ToolName(kind string) string {
	if kind == "computer_use_preview" { // as it is called since
		return "computer"
	}
	return kind
}

// Edits returns those that put an offer into force.
func (o *Offer) Edits(root jsonedit.Value) (edits []jsonedit.Edit) {
	gone := map[string]bool{"web_search_options": o.search}
	list := func(key string, places dialect.Places, with ...string) {
		es, left := places.Elems(root.Get(key))
		if left || len(places) == 0 {
			edits = append(edits, es...)
			return
		}
		for _, k := range append(with, key) {
			gone[k] = true
		}
	}
	list("tools", o.Tools, "tool_choice", "parallel_tool_calls")
	list("functions", o.functions, "function_call")
	for _, c := range []struct{ key, literal string }{{"tool_choice", o.choice}, {"function_call", o.call}} {
		if v := root.Get(c.key); c.literal != "" && v.Exists() && !gone[c.key] {
			edits = append(edits, put(v, c.literal))
		}
	}
	if o.choice == "" && !gone["tool_choice"] {
		es, _ := o.allowed.Elems(allowed(root.Get("tool_choice")).Get("tools"))
		edits = append(edits, es...)
	}
	return append(edits, root.Remove(func(key string) bool { return gone[key] })...)
}

// put returns the edit that puts a literal into the place of v.
func put(v jsonedit.Value, literal string) jsonedit.Edit {
	start, end := v.Span()
	return jsonedit.Edit{Start: start, End: end, New: []byte(literal)}
}
