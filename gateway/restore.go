package gateway

import (
	"context"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/redact"
)

// ConversationHeader is the request header by which an application names the
// conversation that a request belongs to.
const ConversationHeader = "Ringwall-Conversation"

// Restore says where values are kept from models, and who is given them back.
type Restore struct {
	Vault  *redact.Vault
	Policy redact.Policy
}

// converse finds the conversation that the request belongs to, and opens its
// book where values are restored.
func (x *exchange) converse() error {
	named := x.r.Header.Values(ConversationHeader)
	if len(named) > 1 || len(named) == 1 && redact.CheckID(named[0]) != nil {
		return &ringwall.Refusal{
			Status: http.StatusBadRequest, Code: "invalid_conversation",
			Public: "The header " + ConversationHeader + " should be there once, with 1 to 128 visible ASCII characters.",
			Err:    redact.ErrID,
		}
	}
	if x.world.Restore == nil {
		return nil
	}
	var c redact.Conversation
	if len(named) == 1 {
		c = redact.Named(x.Principal, named[0])
	} else {
		c = conversation(x.Principal, x.Prompt)
	}
	x.book = x.world.Restore.Vault.Book(x.Principal, c, x.world.Restore.Policy)
	return nil
}

// conversationPath is where OpenAI's clients may name a conversation.
const conversationPath = "/metadata/conversation_id"

// conversation tells a conversation that no header names: by the request's
// metadata, or else by how it begins, which is the same in every turn of a
// client that sends its history again. A request in which no user speaks is
// alone.
func conversation(p ringwall.Principal, prompt []ringwall.Text) redact.Conversation {
	first := -1
	for i, t := range prompt {
		if t.Path == conversationPath && t.Value != "" {
			return redact.Named(p, t.Value)
		}
		if first < 0 && t.Origin == ringwall.User && t.Path != "/prediction" {
			first = i
		}
	}
	if first < 0 {
		return redact.Conversation{}
	}
	// What the operator says before the first turn, and all parts of that turn.
	// Not the tools, which come and go.
	list, turn := segments(prompt[first].Path, 1), segments(prompt[first].Path, 2)
	var texts []string
	for i, t := range prompt {
		switch top := segments(t.Path, 1); {
		case t.Origin == ringwall.System && (i < first && top == list || top == "/system" || top == "/instructions" || top == "/systemInstruction" || top == "/system_instruction"),
			t.Origin == ringwall.User && segments(t.Path, 2) == turn:
			texts = append(texts, t.Origin.String(), t.Value)
		}
	}
	return redact.Derived(p, texts...)
}

// segments returns the first n segments of a JSON pointer.
func segments(path string, n int) string {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			if n--; n == 0 {
				return path[:i]
			}
		}
	}
	return path
}

// tokenise has the texts of the request looked at until every placeholder in
// them stands for one value. More than once is all but impossible: two values
// must have equal hashes of 48 bits.
func (x *exchange) tokenise(ctx context.Context, s guard.Session) guard.Result {
	s.Token = x.book.Token
	for _, t := range x.Prompt {
		x.book.Seen(t.Value)
	}
	for {
		res := x.wall.Check(ctx, s, x.Prompt)
		// Of a request that goes nowhere nothing is kept.
		if res.Verdict.Action < ringwall.Mask || !x.book.Settle(ctx) {
			return res
		}
	}
}

// restores reports whether anything may come back in the answer.
func (x *exchange) restores() bool { return x.book != nil && !x.book.Empty() }

// restoreAll puts values back into the texts of an answer, changed or not.
func (x *exchange) restoreAll(texts []ringwall.Text, changed []guard.Changed) []guard.Changed {
	if !x.restores() {
		return changed
	}
	var out []guard.Changed
	for i, t := range texts {
		now := t.Value
		if len(changed) > 0 && changed[0].Index == i {
			now, changed = changed[0].Value, changed[1:]
		}
		if back := x.book.Restore(now, form(t.Path)); back != t.Value {
			out = append(out, guard.Changed{Index: i, Value: back})
		}
	}
	return out
}

// form says how a value is written into the text at path. Arguments of tool calls
// are texts of their own, string by string, behind a "#"; those that are no JSON
// are one text, in which a value must not end a string: OpenAI's "/arguments", and
// Anthropic's "/content/…/input".
func form(path string) redact.Form {
	switch block, at, _ := strings.Cut(path, "/input"); {
	case strings.Contains(path, "#"):
		return redact.Argument
	case isCall(block) && at == "":
		return redact.JSON
	case isCall(block):
		return redact.Argument
	case !strings.Contains(path, "/tool_calls/") && !strings.Contains(path, "/function_call") && !strings.Contains(path, "/functionCall") &&
		!(strings.HasPrefix(path, "/output/") && strings.Contains(path, "/arguments")):
		return redact.Plain
	case strings.HasSuffix(path, "/arguments"):
		return redact.JSON
	}
	return redact.Argument
}

// isCall reports whether a tool call of Bedrock or Anthropic stands at path, whose
// input is JSON of its own.
func isCall(path string) bool {
	return strings.HasSuffix(path, "/toolUse") || strings.HasPrefix(path, "/content/") && strings.Count(path, "/") == 2
}

// restoring is a Channel that puts values back into what the guard lets go.
type restoring struct {
	*heard
	r *redact.Restorer
}

func (c *restoring) Write(p []byte) []byte { return c.r.Write(c.heard.Write(p), false) }

func (c *restoring) Close(ctx context.Context) []byte {
	return c.r.Write(c.heard.Close(ctx), true)
}

func (c *restoring) Masked() bool { return c.heard.Masked() || c.r.Restored() }

// restored is what the record says of values, counts alone, before detail.
func (x *exchange) restored(detail string) string {
	if x.book == nil {
		return detail
	}
	said := x.book.Report().String()
	if said == "" || detail == "" {
		return said + detail
	}
	return said + "; " + detail
}
