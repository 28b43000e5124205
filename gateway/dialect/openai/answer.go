package openai

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// answer implements gateway.Answer.
type answer struct {
	locator
	doc    jsonedit.Doc
	src    []byte
	choice []int // index into texts where each choice begins

	rulings []gateway.Ruling // of its calls, where there are any
	ruled   bool
}

// Answer implements gateway.Dialect.
func (Chat) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{locator: located(), src: body}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	choices := root.Get("choices")
	if choices.Kind() != jsonedit.Array {
		return nil, fmt.Errorf("reading the model's answer: it has no choices")
	}
	for key, v := range root.Members() {
		if key != "choices" && key != "model" && key != "usage" {
			a.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	for i, c := range choices.Elems() {
		a.choice = append(a.choice, len(a.Texts()))
		for key, v := range c.Members() {
			path := "/choices/" + strconv.Itoa(i) + "/" + dialect.Pointer(key)
			switch key {
			case "message", "delta":
				a.message(v, path)
			case "logprobs":
			default:
				a.All(v, path, key, ringwall.Assistant)
			}
		}
	}
	return a, nil
}

func (l *locator) message(v jsonedit.Value, path string) {
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		switch key {
		case "tool_calls":
			l.toolCalls(m, p)
		case "function_call":
			l.toolCall(m, p)
		default:
			l.All(m, p, key, ringwall.Assistant)
		}
	}
}

func (a *answer) Edit(changed []guard.Changed) []byte {
	out := a.edit(changed)
	if a.ruled { // by their places, which no edit of a text moves
		out = dialect.Redo(out, func(root jsonedit.Value) []jsonedit.Edit { return rule(root, a.rulings) })
	}
	return out
}

func (a *answer) edit(changed []guard.Changed) []byte {
	edits := a.Edits(changed)
	for i, c := range a.doc.Root().Get("choices").Elems() {
		end := len(a.Texts())
		if i+1 < len(a.choice) {
			end = a.choice[i+1]
		}
		begin := a.choice[i]
		if !spelt(c) || slices.ContainsFunc(changed, func(ch guard.Changed) bool { return begin <= ch.Index && ch.Index < end }) {
			edits = append(edits, withoutLogprobs(c)...)
		}
	}
	if len(edits) == 0 {
		return a.src
	}
	return dialect.Splice(a.src, edits)
}

// spelt reports whether the tokens of a choice say what it says.
func spelt(choice jsonedit.Value) bool {
	lp, m := choice.Get("logprobs"), choice.Get("message")
	return dialect.Spells(lp.Get("content"), m.Get("content").Text()) && dialect.Spells(lp.Get("refusal"), m.Get("refusal").Text())
}

// withoutLogprobs returns the edit that takes the tokens of a choice away: they
// spell out what was masked.
func withoutLogprobs(choice jsonedit.Value) []jsonedit.Edit {
	if lp := choice.Get("logprobs"); lp.Exists() && lp.Kind() != jsonedit.Null {
		return []jsonedit.Edit{put(lp, "null")}
	}
	return nil
}

func (a *answer) Withhold(d gateway.Declined) []byte {
	return withheld(a.doc.Root(), d.Message)
}

// withheld builds an answer that says only message: what is taken over from the
// model's is its id, its model and its usage.
func withheld(root jsonedit.Value, message string) []byte {
	out := appendHead(nil, root, "chat.completion")
	for i := range root.Get("choices").Elems() {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendWithheld(out, i, "message", message)
	}
	out = append(out, ']')
	if u := root.Get("usage"); u.Kind() == jsonedit.Object {
		out = append(out, `,"usage":`...)
		out = append(out, u.Raw()...)
	}
	return append(out, '}')
}

// appendHead appends the beginning of an answer, or of a frame, up to the bracket
// of its choices, with the names that the model's has.
func appendHead(out []byte, root jsonedit.Value, object string) []byte {
	out = append(out, `{"id":`...)
	out = appendOr(out, root.Get("id"), `"chatcmpl-ringwall"`)
	out = append(out, `,"object":"`+object+`","created":`...)
	out = appendOr(out, root.Get("created"), "0")
	out = append(out, `,"model":`...)
	out = appendOr(out, root.Get("model"), `""`)
	return append(out, `,"choices":[`...)
}

func appendOr(dst []byte, v jsonedit.Value, or string) []byte {
	if v.Kind() == jsonedit.String || v.Kind() == jsonedit.Number {
		return append(dst, v.Raw()...)
	}
	return append(dst, or...)
}

func appendWithheld(dst []byte, index int, part, message string) []byte {
	dst = append(dst, `{"index":`...)
	dst = strconv.AppendInt(dst, int64(index), 10)
	dst = append(dst, `,"`+part+`":{`...)
	if message != "" {
		dst = append(dst, `"role":"assistant","content":`...)
		dst = jsonedit.AppendQuote(dst, message)
		if part == "message" {
			dst = append(dst, `,"refusal":null`...)
		}
	}
	return append(dst, `},"logprobs":null,"finish_reason":"content_filter"}`...)
}

func (a *answer) Usage() ringwall.Usage { return Usage(a.doc.Root()) }

// Usage reads what an answer of chat completions or completions took.
func Usage(root jsonedit.Value) (u ringwall.Usage) {
	v := root.Get("usage")
	u.InputTokens, _ = v.Get("prompt_tokens").Int()
	u.OutputTokens, _ = v.Get("completion_tokens").Int()
	u.CachedTokens, _ = v.Get("prompt_tokens_details").Get("cached_tokens").Int()
	u.ReasoningTokens, _ = v.Get("completion_tokens_details").Get("reasoning_tokens").Int()
	return u
}
