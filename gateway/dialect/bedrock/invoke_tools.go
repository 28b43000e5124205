package bedrock

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Models of families that have no words of their own here are asked with messages as
// OpenAI's chat completions have them, or as Cohere's chat has them. What is in neither
// is nobody's word.

// plainTools are the tools that a body offers.
func plainTools(root jsonedit.Value) (tools []ringwall.ToolSpec) {
	for _, t := range root.Get("tools").Elems() {
		f := t.Get("function")
		if !f.Exists() {
			f = t
		}
		spec := ringwall.ToolSpec{Name: cmp.Or(f.Get("name").Text(), t.Get("type").Text()), Description: f.Get("description").Text(), Schema: dialect.Raw(f.Get("parameters"))}
		for key := range t.Members() {
			spec.Name = cmp.Or(spec.Name, strings.Clone(key))
		}
		tools = append(tools, spec)
	}
	return tools
}

func plainForced(root jsonedit.Value, hidden dialect.Places) bool {
	choice, tools := root.Get("tool_choice"), plainTools(root)
	if len(hidden) == 0 {
		return false
	}
	if name := choice.Get("function").Get("name"); name.Exists() {
		for i, t := range tools {
			if !hidden[i] && name.Is(t.Name) {
				return false
			}
		}
		return true
	}
	return len(hidden) == len(tools) && (choice.Is("any") || choice.Is("required") || choice.Is("REQUIRED"))
}

func hidePlain(root jsonedit.Value, hidden dialect.Places, forced bool) []jsonedit.Edit {
	edits, left := hidden.Elems(root.Get("tools"))
	if left {
		return append(edits, root.Remove(func(key string) bool { return forced && key == "tool_choice" })...)
	}
	return root.Remove(func(key string) bool { return key == "tools" || key == "tool_choice" || key == "parallel_tool_calls" })
}

// wished are the members under which calls stand, in whatever words.
var wished = dialect.NameSet("tool_calls", "tool_call", "function_call", "function_calls", "tool_use", "toolUse")

// wish is a call of a tool.
type wish struct {
	parents []jsonedit.Value // the objects that it is in, outermost first
	list    jsonedit.Value   // the member that it is, or is an element of
	at      int              // its place in a list; -1: it is the member itself
	v       jsonedit.Value
}

// wishes finds the calls in v, wherever they stand.
func wishes(v jsonedit.Value, parents []jsonedit.Value) (all []wish) {
	parents = append(parents[:len(parents):len(parents)], v)
	for key, m := range v.Members() {
		switch {
		case !wished[key]:
			for _, e := range m.Elems() {
				all = append(all, wishes(e, parents)...)
			}
			all = append(all, wishes(m, parents)...)
		case m.Kind() == jsonedit.Array:
			for i, e := range m.Elems() {
				all = append(all, wish{parents, m, i, e})
			}
		case m.Kind() != jsonedit.Null:
			all = append(all, wish{parents, m, -1, m})
		}
	}
	return all
}

// function returns what names the tool, and the arguments.
func (w wish) function() (f jsonedit.Value, key string) {
	if f = w.v.Get("function"); !f.Exists() {
		f = w.v
	}
	for _, key := range []string{"arguments", "parameters", "input"} {
		if f.Get(key).Exists() {
			return f, key
		}
	}
	return f, "arguments"
}

func (w wish) call() ringwall.ToolCall {
	f, key := w.function()
	id := cmp.Or(w.v.Get("id").Text(), w.v.Get("toolUseId").Text())
	c := ringwall.ToolCall{ID: id, Name: f.Get("name").Text(), Arguments: dialect.ArgumentsOf(f.Get(key))}
	if s := f.Get(key); s.Kind() == jsonedit.String {
		c.Arguments = s.Text()
	}
	return c
}

func plainCalls(root jsonedit.Value) (calls []ringwall.ToolCall) {
	for _, w := range wishes(root, nil) {
		calls = append(calls, w.call())
	}
	return calls
}

// plainEnds are reasons to stop for tools, and what stands there without any.
var plainEnds = map[string]string{"tool_calls": "stop", "function_call": "stop", "TOOL_CALL": "COMPLETE", "tool_use": "end_turn"}

// rulePlain returns the edits that put rulings in force in an answer. Notes stand
// behind what else is said.
func rulePlain(root jsonedit.Value, rulings []gateway.Ruling) (edits []jsonedit.Edit) {
	all := wishes(root, nil)
	var messages []*ruledMessage
	for i, r := range dialect.Rulings(rulings, len(all)) {
		w := all[i]
		var m *ruledMessage
		for _, other := range messages {
			if other.parents[len(other.parents)-1] == w.parents[len(w.parents)-1] {
				m = other
			}
		}
		if m == nil {
			m = &ruledMessage{parents: w.parents, gone: map[jsonedit.Value]dialect.Places{}, left: map[jsonedit.Value]int{}}
			messages = append(messages, m)
		}
		edits = append(edits, m.rule(w, r)...)
	}
	ends := map[jsonedit.Value]string{}
	for _, m := range messages {
		edits = append(edits, m.edits(ends)...)
	}
	for v, to := range ends {
		edits = append(edits, v.Set(to))
	}
	return edits
}

// ruledMessage is an object that holds calls.
type ruledMessage struct {
	parents []jsonedit.Value // outermost first; the last is the object
	gone    map[jsonedit.Value]dialect.Places
	left    map[jsonedit.Value]int
	runs    bool
	note    string
}

// rule notes what becomes of a call, and returns what changes its arguments.
func (m *ruledMessage) rule(w wish, r gateway.Ruling) []jsonedit.Edit {
	f, key := w.function()
	if r.Runs && (r.Arguments == "" || f.Kind() == jsonedit.Object) {
		m.runs = true
		m.left[w.list]++
		if r.Arguments == "" {
			return nil
		}
		literal := []byte(r.Arguments)
		if f.Get(key).Kind() == jsonedit.String {
			literal = jsonedit.AppendQuote(nil, r.Arguments)
		}
		return []jsonedit.Edit{f.SetMember(key, literal)}
	}
	if m.gone[w.list] == nil {
		m.gone[w.list] = dialect.Places{}
	}
	m.gone[w.list][w.at] = true
	m.note = dialect.Noted(m.note, r.Note)
	return nil
}

// edits returns those that take calls out and say notes; ends are reasons to stop that
// are others then.
func (m *ruledMessage) edits(ends map[jsonedit.Value]string) (edits []jsonedit.Edit) {
	holder := m.parents[len(m.parents)-1]
	drop := map[string]bool{}
	var instead jsonedit.Value // a member in whose place the note can stand
	for key, list := range holder.Members() {
		switch {
		case m.gone[list] == nil:
		case m.left[list] > 0:
			es, _ := m.gone[list].Elems(list)
			edits = append(edits, es...)
		default:
			drop[key], instead = true, list
		}
	}
	if len(m.gone) > 0 && !m.runs {
		for _, p := range m.parents {
			for _, key := range []string{"finish_reason", "stop_reason"} {
				if to, ok := plainEnds[p.Get(key).Text()]; ok {
					ends[p.Get(key)] = to
				}
			}
		}
	}
	if said := holder.Get("content").Exists() || holder.Get("text").Exists(); !said && m.note != "" && instead.Exists() {
		edits = append(edits, instead.SetKey("content"), dialect.Put(instead, jsonedit.AppendQuote(nil, m.note)))
		for key := range drop {
			if holder.Get(key) == instead {
				delete(drop, key)
			}
		}
	} else {
		edits = append(edits, noteIn(holder, m.note)...)
	}
	return append(edits, holder.Remove(func(key string) bool { return drop[key] })...)
}

// noteIn returns the edit that adds a note to what a message says.
func noteIn(message jsonedit.Value, note string) []jsonedit.Edit {
	said := message.Get("content")
	if text := message.Get("text"); !said.Exists() && text.Exists() {
		said = text
	}
	switch {
	case note == "":
		return nil
	case !said.Exists():
		return []jsonedit.Edit{message.SetMember("content", jsonedit.AppendQuote(nil, note))}
	case said.Kind() == jsonedit.Array:
		return []jsonedit.Edit{said.Append(append(jsonedit.AppendQuote([]byte(`{"type":"text","text":`), note), '}'))}
	}
	return []jsonedit.Edit{said.Set(dialect.Noted(said.Text(), note))}
}

// tellPlain tells a body of a family that has no words of its own here.
func (r *request) tellPlain(root jsonedit.Value) (*ringwall.Conversation, error) {
	c := &ringwall.Conversation{Tools: plainTools(root)}
	t := plainTeller{Told: dialect.Told{Src: r.src}, c: c}
	messages := root.Get("messages")
	if !messages.Exists() {
		messages = root.Get("chat_history")
	}
	for i, m := range messages.Elems() {
		if err := t.message(m, "["+strconv.Itoa(i)+"]"); err != nil {
			return nil, err
		}
	}
	for key, v := range root.Members() {
		switch key {
		case "messages", "chat_history", "tools", "tool_choice", "stop", "stop_sequences", bodyConfig:
		case "prompt", "inputText", "message":
			t.say(ringwall.RoleUser, ringwall.Part{Text: v.Text()})
		case "preamble", "system":
			c.System = append(c.System, leaves(nil, key, v)...)
		default:
			if p := untold(key, v); len(p.Result.Parts) > 0 {
				t.say(ringwall.RoleUser, p)
			}
		}
	}
	return c, nil
}

// plainTeller reads messages.
type plainTeller struct {
	dialect.Told
	c     *ringwall.Conversation
	calls int // without an id
}

func (t *plainTeller) say(role ringwall.Role, parts ...ringwall.Part) {
	t.c.Turns = dialect.AppendTurn(t.c.Turns, role, parts)
}

func (t *plainTeller) message(m jsonedit.Value, at string) error {
	said := m.Get("content")
	if !said.Exists() {
		said = m.Get("message")
	}
	parts := leaves(nil, "content", said)
	switch strings.ToLower(m.Get("role").Text()) {
	case "user":
		t.Turn()
		parts = plainContent(said)
		t.say(ringwall.RoleUser, parts...)
	case "system", "developer":
		t.Turn()
		if len(t.c.Turns) == 0 {
			t.c.System = append(t.c.System, parts...)
			return nil
		}
		t.say(ringwall.RoleSystem, parts...)
	case "assistant", "chatbot":
		for _, w := range wishes(m, nil) {
			call := w.call()
			if t.calls++; call.ID == "" {
				call.ID = "call_" + strconv.Itoa(t.calls)
			}
			if err := t.Call(w.v, at, &call); err != nil {
				return err
			}
			parts = append(parts, ringwall.Part{Kind: ringwall.PartCall, Call: &call})
		}
		t.say(ringwall.RoleAssistant, parts...)
	default: // a tool's, or nobody knows whose
		t.Turn()
		res := &ringwall.ToolResult{ID: m.Get("tool_call_id").Text(), Name: m.Get("name").Text(), Parts: append(parts, leaves(nil, "tool_results", m.Get("tool_results"))...)}
		if res.ID != "" {
			if err := t.Result(m, at, res); err != nil {
				return err
			}
		}
		t.say(ringwall.RoleUser, ringwall.Part{Kind: ringwall.PartResult, Result: res})
	}
	return nil
}

// plainContent is what a person says: texts are theirs, all else is not.
func plainContent(v jsonedit.Value) (parts []ringwall.Part) {
	if v.Kind() == jsonedit.String {
		return []ringwall.Part{{Text: v.Text()}}
	}
	for _, p := range v.Elems() {
		switch kind := p.Get("type").Text(); {
		case kind == "text":
			parts = append(parts, ringwall.Part{Text: p.Get("text").Text()})
		case strings.HasPrefix(kind, "image"):
			parts = append(parts, ringwall.Part{Kind: ringwall.PartMedia, Media: &ringwall.Media{Kind: ringwall.Image, URL: cmp.Or(p.Get("image_url").Get("url").Text(), p.Get("image_url").Text())}})
		default:
			parts = append(parts, untold(cmp.Or(kind, "part"), p))
		}
	}
	return parts
}
