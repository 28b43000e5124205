package gateway

import (
	"context"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
)

// answering is the session in which an answer is looked at: what was asked, and
// what it is to follow from, as the model read them.
func (x *exchange) answering(ctx context.Context) guard.Session {
	s := guard.Session{Way: ringwall.Output, System: x.system(), Principal: x.Principal, Excuses: x.excuses(ctx), Context: ctx}
	s.Query, s.Sources = grounds(x.Prompt, x.changed)
	q, ok := x.req.(Qualified)
	if !ok {
		return s
	}
	sent := apply(x.Prompt, x.changed)
	var asked []string
	for _, i := range q.Query() {
		asked = append(asked, sent[i].Value)
	}
	if len(asked) > 0 {
		s.Query = strings.Join(asked, "\n")
	}
	return s
}

// grounds returns the question of a request, which is its last user turn, and the
// sources of its answer: what tools returned, what was retrieved, and what the
// operator's instructions mark as context. Texts that were masked are given as
// they went on.
func grounds(prompt []ringwall.Text, changed []guard.Changed) (query string, sources []string) {
	var turn string
	var asked []string
	for i, t := range prompt {
		value := t.Value
		if len(changed) > 0 && changed[0].Index == i {
			value, changed = changed[0].Value, changed[1:]
		}
		switch t.Origin {
		case ringwall.Tool, ringwall.Retrieved:
			sources = append(sources, value)
		case ringwall.System:
			sources = append(sources, marked(value)...)
		case ringwall.User:
			if at := segments(t.Path, 2); at != turn {
				turn, asked = at, nil
			}
			asked = append(asked, value)
		case ringwall.Unverified, ringwall.Assistant: // neither asks nor is to be followed
		}
	}
	return strings.Join(asked, "\n"), sources
}

// marks are the elements in which instructions give context.
var marks = []string{"context", "documents", "document", "sources", "source", "search_results", "search_result", "knowledge", "knowledge_base", "retrieved"}

// marked returns what stands in such elements of a text. One that is not closed
// goes on to the end.
func marked(text string) (out []string) {
	for rest := text; ; {
		at, name := -1, ""
		for i := 0; i < len(rest); {
			lt := strings.IndexByte(rest[i:], '<')
			if lt < 0 {
				break
			}
			i += lt + 1
			if name = markAt(rest[i:]); name != "" {
				at = i + len(name)
				break
			}
		}
		if at < 0 {
			return out
		}
		gt := strings.IndexByte(rest[at:], '>')
		if gt < 0 {
			return out
		}
		body := rest[at+gt+1:]
		end := strings.Index(body, "</"+name)
		if end < 0 {
			return append(out, body)
		}
		out = append(out, body[:end])
		rest = body[end+2:]
	}
}

// markAt returns the mark whose name stands at the beginning of s, "" if none
// does.
func markAt(s string) string {
	for _, m := range marks {
		if strings.HasPrefix(s, m) && len(s) > len(m) && strings.IndexByte("> \n\t", s[len(m)]) >= 0 {
			return m
		}
	}
	return ""
}
