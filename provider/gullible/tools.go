package gullible

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// schema is what the model understands of a tool's parameters.
type schema struct {
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
}

type property struct {
	Type    any   `json:"type"` // a name, or a list of names
	Enum    []any `json:"enum"`
	Default any   `json:"default"`
}

func (p property) is(names ...string) bool {
	switch t := p.Type.(type) {
	case string:
		return slices.Contains(names, t)
	case []any:
		return slices.ContainsFunc(t, func(v any) bool {
			name, ok := v.(string)
			return ok && slices.Contains(names, name)
		})
	}
	return false
}

func parameters(t *tool) schema {
	var sc schema
	if json.Unmarshal(t.Function.Parameters, &sc) != nil {
		return schema{} // a tool that says nothing of itself takes nothing
	}
	return sc
}

// takes reports whether a tool has one of the parameters.
func (s scene) takes(t *tool, names ...string) bool {
	props := parameters(t).Properties
	return slices.ContainsFunc(names, func(n string) bool { _, ok := props[n]; return ok })
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// fill writes a tool's arguments: what is known by the names of parameters,
// then what the text holds, then what tools returned before. It reports false
// when a required one is nowhere to be found.
func (s scene) fill(t *tool, text string, known map[string]any) (string, bool) {
	sc := parameters(t)
	args := map[string]any{}
	for _, name := range sortedKeys(sc.Properties) {
		p := sc.Properties[name]
		v, ok := known[strings.ToLower(name)]
		if !ok {
			v, ok = s.find(name, p, text)
		}
		if ok {
			args[name] = p.fit(v)
		}
	}
	for _, name := range sc.Required {
		if _, ok := args[name]; ok {
			continue
		}
		p := sc.Properties[name]
		switch {
		case p.Default != nil:
			args[name] = p.Default
		case len(p.Enum) > 0:
			args[name] = p.Enum[0]
		case p.is("boolean"):
			args[name] = false
		case p.is("array"):
			args[name] = []any{}
		case p.is("object"):
			args[name] = map[string]any{}
		case !acts(t) && (strings.EqualFold(name, "qty") || strings.EqualFold(name, "quantity")):
			args[name] = p.fit(json.Number("1"))
		case len(sc.Required) == 1 && p.is("string") && !isID(name) && !slices.Contains(entities, strings.ToLower(name)):
			args[name] = clip(strings.TrimSpace(text), 400)
		default:
			return "", false
		}
	}
	return string(encode(args)), true
}

// entities are parameters for which no other words will do.
var entities = []string{
	"sku", "product", "item", "article", "product_sku", "url", "uri", "link", "href", "to", "recipient", "email",
	"date", "site", "location", "warehouse", "city", "country",
}

// acts reports whether a tool does something, rather than tell something.
func acts(t *tool) bool {
	first, _, _ := strings.Cut(strings.ToLower(spread(t.Function.Name)), "_")
	return slices.Contains(deeds, first)
}

// fit brings a value to the type that the property wants, where it can.
func (p property) fit(v any) any {
	switch v := v.(type) {
	case json.Number:
		if p.is("string") {
			return v.String()
		}
	case string:
		if p.is("number", "integer") && !p.is("string") {
			if _, err := strconv.ParseFloat(v, 64); err == nil && json.Valid([]byte(v)) {
				return json.Number(v)
			}
		}
		if p.is("array") {
			return []any{v}
		}
	}
	return v
}

func isID(name string) bool {
	name = strings.ToLower(name)
	return name == "id" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "id") && len(name) > 4
}

// sameMeaning brings words of customers to words of tools.
var sameMeaning = map[string]string{
	"cost": "price", "quote": "price", "much": "price", "stock": "inventory", "availability": "inventory",
	"available": "inventory", "look": "search", "looking": "search", "find": "search", "searching": "search",
	"mail": "email", "purchase": "order", "buy": "order", "website": "page", "url": "page",
	"visit": "fetch", "browse": "fetch", "policy": "kb", "warranty": "kb", "faq": "kb", "knowledge": "kb",
	"sell": "search", "catalog": "product", "catalogue": "product", "item": "product",
	"articles": "product", "summarise": "get", "summarize": "get", "show": "get", "read": "get", "view": "get",
	"lookup": "search", "comment": "review", "rating": "review", "opinion": "review",
}

// deeds are words in names of tools that do something; a question must say one
// of them to have such a tool called.
var deeds = []string{
	"place", "create", "order", "cancel", "delete", "remove", "refund", "send", "transfer", "pay", "update", "set",
	"propose", "approve", "request", "open", "post", "write", "add", "message", "email", "reset", "grant", "invite",
}

// meanings are the words of a text, each as the word that tools use.
func meanings(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out[w] = true
		w = strings.TrimSuffix(w, "s")
		out[w] = true
		if same, ok := sameMeaning[w]; ok {
			out[same] = true
		}
	}
	return out
}

// pick chooses the tool that a question is about, and fills its arguments. It
// finds none where no word of a tool's name but its verb is spoken of.
func (s scene) pick(text string) (call, bool) {
	words := meanings(text)
	best, most := call{}, 0
	for i := range s.q.Tools {
		t := &s.q.Tools[i]
		score, ordered := 0, !acts(t)
		parts := meanings(strings.ReplaceAll(spread(t.Function.Name), "_", " "))
		for _, w := range sortedKeys(parts) {
			verb := w == "get" || w == "list" || w == "search" || w == "check"
			switch {
			case words[w] && verb:
				score++
			case words[w]:
				score += 4
			}
			ordered = ordered || w != "order" && words[w] && slices.Contains(deeds, w)
		}
		if score < 2 && !(words["search"] && parts["search"]) || !ordered {
			continue
		}
		args, ok := s.fill(t, text, nil)
		if !ok {
			continue
		}
		if score += min(3, strings.Count(args, `":`)); score > most {
			best, most = call{t.Function.Name, args}, score
		}
	}
	return best, most > 0
}

// spread writes camelCase as camel_case.
func spread(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		if r == '-' || r == '.' {
			r = '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// forced is the call that the request insists on.
func (s scene) forced() call {
	text := ""
	if i := s.asked(); i >= 0 {
		text = s.q.Messages[i].text
	}
	t := s.q.tool(s.q.choice)
	if t == nil {
		if c, ok := s.pick(text); ok {
			return c
		}
		t = &s.q.Tools[0]
	}
	args, ok := s.fill(t, text, nil)
	if !ok {
		args = "{}"
	}
	return call{t.Function.Name, args}
}

// again is the call that a looping model makes: its last one, or any.
func (s scene) again() call {
	for i := len(s.q.Messages) - 1; i >= 0; i-- {
		calls := s.q.Messages[i].ToolCalls
		if s.q.Messages[i].Role != "assistant" || len(calls) == 0 {
			continue
		}
		if c := calls[len(calls)-1].Function; s.q.tool(c.Name) != nil {
			return call{c.Name, c.Arguments}
		}
	}
	return s.forced()
}

// describe puts calls into words.
func describe(calls []call) string {
	var lines []string
	for _, c := range calls {
		lines = append(lines, "I would call "+c.name+" with "+c.args+".")
	}
	return strings.Join(lines, "\n")
}
