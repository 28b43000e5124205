package rule

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// speaker is whose turn it is.
type speaker uint8

const (
	user speaker = iota
	system
	assistant
	results // of tools, where they have turns of their own
)

// turn is what somebody says.
type turn struct {
	who     speaker
	v       jsonedit.Value
	list    string // in which it stands
	at      int
	joins   bool // it is part of a turn of the assistant, which may have several
	calls   []ref
	results []ref
}

func (t *turn) path() string { return t.list + "/" + strconv.Itoa(t.at) }

// ref names a call of a tool: by an id where the API has ids.
type ref struct{ id, name string }

// same reports whether two may mean one call.
func (r ref) same(other ref) bool {
	if r.id != "" && other.id != "" {
		return r.id == other.id
	}
	return r.name == "" || other.name == "" || r.name == other.name
}

// taken returns the turns of the request.
func (l *look) taken() []turn {
	if !l.seen && l.words.turns != nil {
		l.words.turns(l)
	}
	l.seen = true
	return l.turns
}

// order holds who speaks after whom against r.
func (l *look) order(r *ready) error {
	if r.Roles != strict {
		return nil
	}
	var pending []ref
	var last *turn
	goesOn := l.goesOn()
	all := l.taken()
	for i := range all {
		t := &all[i]
		for _, ref := range t.results {
			at := -1
			for j, c := range pending {
				if c.same(ref) {
					at = j
					break
				}
			}
			if at < 0 && !(goesOn && (last == nil || last.who == results)) {
				return l.refuse(t.v, t.path(), "it holds the result of a call that the turn before does not make: send it right behind its call, once")
			}
			if at >= 0 {
				pending = append(pending[:at:at], pending[at+1:]...)
			}
		}
		switch t.who {
		case system:
			if last != nil {
				return l.refuse(t.v, t.path(), "instructions stand before the first turn")
			}
			continue
		case results:
		case user:
			if len(pending) > 0 {
				return l.refuse(t.v, t.path(), "the turn before calls tools whose results do not stand here: send them first")
			}
			if last != nil && last.who == user {
				return l.refuse(t.v, t.path(), "the user speaks twice in a row: join the two turns")
			}
		case assistant:
			inner := last != nil && last.who == assistant && (t.joins || last.joins)
			switch {
			case len(pending) > 0 && !inner:
				return l.refuse(t.v, t.path(), "the turn before calls tools whose results do not stand here: send them first")
			case last == nil && !goesOn:
				return l.refuse(t.v, t.path(), "the user has the first turn")
			case last != nil && last.who == assistant && !inner:
				return l.refuse(t.v, t.path(), "the assistant speaks twice in a row: join the two turns")
			}
			pending = append(pending, t.calls...)
		}
		last = t
	}
	if len(pending) > 0 {
		return l.refuse(last.v, last.path(), "it is the last, and calls tools whose results do not follow: send them")
	}
	return nil
}

// goesOn reports whether a request goes on from what a provider or the gateway keeps.
func (l *look) goesOn() bool {
	if l.API != "openai-responses" {
		return false
	}
	for _, key := range []string{"previous_response_id", "conversation", "prompt"} {
		if v := l.root.Get(key); v.Exists() && v.Kind() != jsonedit.Null {
			return true
		}
	}
	for _, it := range l.root.Get("input").Elems() {
		if it.Get("type").Is("item_reference") {
			return true
		}
	}
	return false
}

// add notes a turn.
func (l *look) add(t turn) { l.turns = append(l.turns, t) }

// chatTurns are those of chat completions.
func chatTurns(l *look) {
	for i, m := range l.root.Get("messages").Elems() {
		t := turn{v: m, list: "/messages", at: i}
		switch role := m.Get("role"); {
		case role.Is("system"), role.Is("developer"):
			t.who = system
		case role.Is("assistant"):
			t.who = assistant
			for _, c := range m.Get("tool_calls").Elems() {
				t.calls = append(t.calls, ref{id: c.Get("id").Text()})
			}
			if f := m.Get("function_call"); f.Kind() == jsonedit.Object {
				t.calls = append(t.calls, ref{name: f.Get("name").Text()})
			}
		case role.Is("tool"):
			t.who, t.results = results, []ref{{id: m.Get("tool_call_id").Text()}}
		case role.Is("function"):
			t.who, t.results = results, []ref{{name: m.Get("name").Text()}}
		}
		l.add(t)
	}
}

// itemTurns are those of the responses API.
func itemTurns(l *look) {
	input := l.root.Get("input")
	if input.Kind() == jsonedit.String {
		l.add(turn{v: input, list: "", at: 0})
		return
	}
	for i, it := range input.Elems() {
		t := turn{v: it, list: "/input", at: i}
		kind := it.Get("type").Text()
		switch role := it.Get("role"); {
		case role.Is("system"), role.Is("developer"):
			t.who = system
		case role.Is("user"):
		case strings.HasSuffix(kind, "_call_output"):
			t.who, t.results = results, []ref{{id: it.Get("call_id").Text()}}
		default: // the model's: a message, reasoning, a call, or what only looks like one
			t.who, t.joins = assistant, true
			if kind == "function_call" || kind == "custom_tool_call" || kind == "computer_call" || kind == "local_shell_call" || kind == "apply_patch_call" || kind == "shell_call" {
				t.calls = []ref{{id: it.Get("call_id").Text()}}
			}
		}
		l.add(t)
	}
}

// blockTurns are those of Anthropic's messages and of Converse.
func blockTurns(l *look) {
	for i, m := range l.root.Get("messages").Elems() {
		t := turn{v: m, list: "/messages", at: i}
		switch role := m.Get("role"); {
		case role.Is("assistant"):
			t.who = assistant
		case role.Is("system"):
			t.who = system
		}
		for _, b := range m.Get("content").Elems() {
			use, result := b.Get("toolUse"), b.Get("toolResult")
			switch kind := b.Get("type"); {
			case kind.Is("tool_use"):
				t.calls = append(t.calls, ref{id: b.Get("id").Text()})
			case kind.Is("tool_result"):
				t.results = append(t.results, ref{id: b.Get("tool_use_id").Text()})
			case use.Exists() && !use.Get("type").Is("server_tool_use"):
				t.calls = append(t.calls, ref{id: use.Get("toolUseId").Text()})
			case result.Exists() && t.who == user:
				t.results = append(t.results, ref{id: result.Get("toolUseId").Text()})
			}
		}
		l.add(t)
	}
}

// geminiTurns are those of the Gemini API.
func geminiTurns(l *look) {
	w := l.words
	contents := w.get(l.root, w.list)
	note := func(v jsonedit.Value, i int) {
		t := turn{v: v, list: w.pointer(l.root, w.list), at: i}
		switch role := w.member(v, "role"); {
		case role.Is("model"):
			t.who = assistant
		case role.Is("function"), role.Is("tool"):
			t.who = results
		}
		for _, p := range w.elems(w.member(v, "parts")) {
			if c := w.member(p, "functionCall"); c.Exists() {
				t.calls = append(t.calls, ref{w.member(c, "id").Text(), w.member(c, "name").Text()})
			}
			if c := w.member(p, "functionResponse"); c.Exists() {
				t.results = append(t.results, ref{w.member(c, "id").Text(), w.member(c, "name").Text()})
			}
		}
		l.add(t)
	}
	for i, v := range w.elems(contents) {
		note(v, i)
	}
}

// elems returns the elements of an array, or v, where one may stand alone.
func (w *vocabulary) elems(v jsonedit.Value) (out []jsonedit.Value) {
	switch v.Kind() {
	case jsonedit.Array:
		for _, e := range v.Elems() {
			out = append(out, e)
		}
	case jsonedit.Object:
		out = append(out, v)
	default:
	}
	return out
}

// ollamaTurns are those of Ollama's chat.
func ollamaTurns(l *look) {
	w := l.words
	list := w.pointer(l.root, w.list)
	for i, m := range w.get(l.root, w.list).Elems() {
		t := turn{v: m, list: list, at: i}
		switch role := w.member(m, "role"); {
		case role.Is("system"):
			t.who = system
		case role.Is("assistant"):
			t.who = assistant
			for _, c := range w.member(m, "tool_calls").Elems() {
				t.calls = append(t.calls, ref{w.member(c, "id").Text(), w.get(c, path{"function", "name"}).Text()})
			}
		case role.Is("tool"):
			name := w.member(m, "tool_name").Text()
			if name == "" {
				name = w.member(m, "name").Text()
			}
			t.who, t.results = results, []ref{{w.member(m, "tool_call_id").Text(), name}}
		}
		l.add(t)
	}
}
