package responses

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// locator finds the texts of the responses API.
type locator struct {
	dialect.Locator
	probs []probs // logprobs that were come by
}

// probs are the tokens of a text, which spell it out.
type probs struct {
	path  string // of the text
	value jsonedit.Value
}

func located() locator { return locator{Locator: dialect.Locator{Grammar: grammar}} }

// roles are the roles that a message may have, and whose words it holds.
var roles = map[string]ringwall.Origin{
	"system":    ringwall.System,
	"developer": ringwall.System,
	"user":      ringwall.User,
	"assistant": ringwall.Assistant,
}

// brings are the members of items in which stands what tools found, by the type of
// the item.
var brings = map[string]map[string]ringwall.Origin{
	"mcp_call":              {"output": ringwall.Tool, "error": ringwall.Tool},
	"mcp_list_tools":        {"tools": ringwall.Tool, "error": ringwall.Tool},
	"code_interpreter_call": {"outputs": ringwall.Tool},
	"file_search_call":      {"results": ringwall.Retrieved},
	"web_search_call":       {"results": ringwall.Retrieved},
}

// origin says whose words an item of that type holds, where none of its members
// says something else.
func origin(kind, role string) ringwall.Origin {
	switch {
	case kind == "" || kind == "message":
		return roles[role]
	case strings.HasSuffix(kind, "_output"):
		return ringwall.Tool
	case strings.HasSuffix(kind, "_call"), kind == "reasoning", kind == "mcp_approval_request", kind == "item_reference", kind == "mcp_list_tools":
		return ringwall.Assistant
	case kind == "mcp_approval_response":
		return ringwall.User
	}
	return ringwall.Unverified
}

// item adds the texts of an item. Those of an answer are all the model's.
func (l *locator) item(v jsonedit.Value, path string, of ringwall.Origin, asked bool) {
	kind := v.Get("type").Text()
	for key, m := range v.Members() {
		if grammar.Silent(key, m) {
			continue
		}
		o := of
		if from, ok := brings[kind][key]; ok && asked {
			o = from
		}
		l.part(m, path+"/"+dialect.Pointer(key), key, o)
	}
}

// part adds the texts of a value that is a part of an item.
func (l *locator) part(v jsonedit.Value, path, key string, o ringwall.Origin) {
	switch v.Kind() {
	case jsonedit.Array:
		for i, e := range v.Elems() {
			l.part(e, path+"/"+strconv.Itoa(i), key, o)
		}
	case jsonedit.Object:
		for k, m := range v.Members() {
			if grammar.Silent(k, m) {
				continue
			}
			p := path + "/" + dialect.Pointer(k)
			if k == "logprobs" && m.Kind() == jsonedit.Array {
				l.probs = append(l.probs, probs{path + "/text", m})
				continue
			}
			l.part(m, p, k, o)
		}
	case jsonedit.String:
		if key == "arguments" {
			l.Arguments(v, path, o)
			return
		}
		l.All(v, path, key, o)
	}
}
