package gemini

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Acting = (*request)(nil)

// whole is the request for an answer in a document, which may be one that has its
// tokens counted.
func (r *request) whole(root jsonedit.Value) jsonedit.Value {
	if inner := member(root, "generatecontentrequest"); r.count && inner.Exists() {
		return inner
	}
	return root
}

// Conversation implements gateway.Acting. Calls without ids are given some, and a
// result without one is for the first call of its name that waits.
func (r *request) Conversation() (*ringwall.Conversation, error) {
	root := r.whole(r.doc.Root())
	c := &ringwall.Conversation{Model: r.name, Stream: r.stream}
	t := teller{src: r.src, beyond: member(root, "cachedcontent").Exists()}
	var err error
	switch v := member(root, "systeminstruction"); v.Kind() {
	case jsonedit.String:
		c.System = []ringwall.Part{{Text: v.Text()}}
	case jsonedit.Object:
		if c.System, err = t.content(v, "systemInstruction"); err != nil {
			return nil, err
		}
	}
	for path, v := range each(member(root, "contents"), "contents") {
		role := ringwall.RoleUser
		if member(v, "role").Text() == "model" {
			role = ringwall.RoleAssistant
		} else {
			clear(t.turn)
		}
		parts, err := t.content(v, path)
		if err != nil {
			return nil, err
		}
		c.Turns = dialect.AppendTurn(c.Turns, role, parts)
	}
	c.Tools, _ = offered(member(root, "tools"))
	config := callingConfig(root)
	switch names := dialect.Strings(member(config, "allowedfunctionnames")); member(config, "mode").Text() {
	case "ANY":
		c.Choice.Mode = ringwall.ChoiceRequired
		if len(names) == 1 {
			c.Choice = ringwall.ToolChoice{Mode: ringwall.ChoiceNamed, Name: names[0]}
		}
	case "NONE":
		c.Choice.Mode = ringwall.ChoiceNone
	case "AUTO", "VALIDATED":
		c.Choice.Mode = ringwall.ChoiceAuto
	}
	return c, nil
}

// callingConfig says which functions the model may call.
func callingConfig(root jsonedit.Value) jsonedit.Value {
	return member(member(root, "toolconfig"), "functioncallingconfig")
}

// teller reads what was said, whether or not another API has a word for it.
type teller struct {
	src    []byte
	calls  dialect.Calls
	turn   map[string]bool // ids of calls of this turn
	code   int             // how often the provider ran code
	beyond bool            // there are turns that the request does not hold
}

func (t *teller) content(v jsonedit.Value, at string) (parts []ringwall.Part, err error) {
	for path, p := range each(member(v, "parts"), at+"/parts") {
		for key, m := range p.Members() {
			part, says, err := t.part(dialect.FoldProto(key), m, p, path)
			if err != nil {
				return nil, err
			}
			if says {
				parts = append(parts, part)
			}
		}
	}
	return parts, nil
}

// part reads the member of a part whose key folds to key, and reports whether it says
// something by itself.
func (t *teller) part(key string, m, part jsonedit.Value, at string) (p ringwall.Part, says bool, err error) {
	switch key {
	case "text":
		p.Text = m.Text()
		if member(part, "thought").True() {
			p.Kind, p.Signature = ringwall.PartReasoning, member(part, "thoughtsignature").Text()
		}
	case "thought", "thoughtsignature", "videometadata", "partmetadata", "mediaresolution":
		return p, false, nil
	case "inlinedata", "filedata":
		return shown(m), true, nil
	case "functioncall":
		call := callOf(m)
		p.Kind, p.Call = ringwall.PartCall, &call
		err = t.called(m, at, &call)
	case "functionresponse":
		p.Kind, p.Result = ringwall.PartResult, resultOf(m)
		if r := p.Result; r.ID == "" && r.Name == "" {
			err = dialect.Invalid(t.src, m, at, "a functionResponse without the name of its function")
		} else if !t.answered(r) && !t.beyond {
			err = dialect.Invalid(t.src, m, at, "a functionResponse of %.64q, which no functionCall before it waits for; send the call, too", r.Name+r.ID)
		}
	case "executablecode": // by the provider
		t.code++
		p.Kind, p.Call = ringwall.PartCall, &ringwall.ToolCall{ID: t.codeID(), Name: "codeExecution", Arguments: dialect.ArgumentsOf(m)}
	case "codeexecutionresult":
		p.Kind, p.Result = ringwall.PartResult, &ringwall.ToolResult{
			ID: t.codeID(), Name: "codeExecution", Failed: member(m, "outcome").Exists() && !member(m, "outcome").Is("OUTCOME_OK"), Parts: leaves(nil, key, member(m, "output")),
		}
	case "toolcall":
		p.Kind, p.Call = ringwall.PartCall, &ringwall.ToolCall{ID: member(m, "id").Text(), Name: member(m, "tooltype").Text(), Arguments: dialect.ArgumentsOf(member(m, "args"))}
	default:
		inside := leaves(nil, key, m)
		if len(inside) == 0 {
			return dialect.Other(key), true, nil
		}
		p.Kind, p.Result = ringwall.PartResult, &ringwall.ToolResult{ID: member(m, "id").Text(), Name: key, Parts: inside}
	}
	return p, true, err
}

// answered finds the call that a result is for: by its id, or by its name where the
// call has none.
func (t *teller) answered(r *ringwall.ToolResult) bool {
	if t.calls.Answered(r) {
		return true
	}
	byName := ringwall.ToolResult{Name: r.Name}
	if r.Name == "" || !t.calls.Answered(&byName) {
		return false
	}
	r.ID = byName.ID
	return true
}

func (t *teller) codeID() string { return "code_" + strconv.Itoa(t.code) }

// called notes a call.
func (t *teller) called(v jsonedit.Value, at string, c *ringwall.ToolCall) error {
	if c.Name == "" {
		return dialect.Invalid(t.src, v, at, "a functionCall without the name of its function")
	}
	given := c.ID
	t.calls.Asked(c)
	switch {
	case given == "":
		return nil
	case t.turn[given]:
		return dialect.Invalid(t.src, v, at, "two calls of one turn have the id %.64q; give each its own", given)
	case t.turn == nil:
		t.turn = map[string]bool{}
	}
	t.turn[given] = true
	return nil
}

// callOf is the call that a functionCall is, with its arguments in one spelling.
func callOf(v jsonedit.Value) ringwall.ToolCall {
	return ringwall.ToolCall{ID: member(v, "id").Text(), Name: member(v, "name").Text(), Arguments: dialect.ArgumentsOf(member(v, "args"))}
}

// resultOf is what a function returned: an object, which may hold the output or the
// error alone.
func resultOf(v jsonedit.Value) *ringwall.ToolResult {
	r := &ringwall.ToolResult{ID: member(v, "id").Text(), Name: member(v, "name").Text()}
	response, keys := member(v, "response"), 0
	var alone jsonedit.Value
	for key, m := range response.Members() {
		if keys++; (key == "output" || key == "error") && m.Kind() == jsonedit.String {
			alone, r.Failed = m, key == "error"
		}
	}
	switch {
	case keys == 1 && alone.Exists():
		r.Parts = []ringwall.Part{{Text: alone.Text()}}
	case response.Exists():
		r.Failed = false
		r.Parts = []ringwall.Part{{Text: string(response.Raw())}}
	}
	for _, p := range each(member(v, "parts"), "") {
		for key, m := range p.Members() {
			if k := dialect.FoldProto(key); k == "inlinedata" || k == "filedata" {
				r.Parts = append(r.Parts, shown(m))
			} else {
				r.Parts = leaves(r.Parts, k, m)
			}
		}
	}
	return r
}

func shown(v jsonedit.Value) ringwall.Part {
	mime := member(v, "mimetype").Text()
	return ringwall.Part{Kind: ringwall.PartMedia, Media: &ringwall.Media{
		Kind: kindOf(mime), MIME: mime, Name: member(v, "displayname").Text(), Data: standard(member(v, "data").Text()), URL: member(v, "fileuri").Text(),
	}}
}

// leaves appends every text of v, which stands under key.
func leaves(parts []ringwall.Part, key string, v jsonedit.Value) []ringwall.Part {
	switch v.Kind() {
	case jsonedit.String:
		if !grammar.IsName(key, v) && medium(key, v) == "" {
			parts = append(parts, ringwall.Part{Text: v.Text()})
		}
	case jsonedit.Array:
		for _, e := range v.Elems() {
			parts = leaves(parts, key, e)
		}
	case jsonedit.Object:
		for k, m := range v.Members() {
			parts = leaves(parts, strings.Clone(k), m)
		}
	}
	return parts
}

// offered returns the tools of a list in their order, and which are functions, that
// the client runs. What the provider runs has its type for a name, in one spelling.
func offered(list jsonedit.Value) (tools []ringwall.ToolSpec, functions []bool) {
	for _, t := range each(list, "") {
		for key, v := range t.Members() {
			if dialect.FoldProto(key) != "functiondeclarations" {
				tools, functions = append(tools, ringwall.ToolSpec{Name: camel(key)}), append(functions, false)
				continue
			}
			for _, f := range each(v, "") {
				spec := ringwall.ToolSpec{Name: member(f, "name").Text(), Description: member(f, "description").Text()}
				if spec.Schema = dialect.Raw(member(f, "parametersjsonschema")); spec.Schema == nil {
					spec.Schema = jsonSchema(member(f, "parameters"))
				}
				tools, functions = append(tools, spec), append(functions, true)
			}
		}
	}
	return tools, functions
}

// camel writes google_search as googleSearch.
func camel(key string) string {
	words := strings.Split(key, "_")
	for i, w := range words {
		if i > 0 && w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
