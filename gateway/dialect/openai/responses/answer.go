package responses

import (
	"errors"
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
	doc jsonedit.Doc
	src []byte

	rulings []gateway.Ruling // of its calls, where there are any
	ruled   bool
}

// Answer implements gateway.Dialect.
func (Dialect) Answer(req gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{locator: located(), src: body}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	if root.Get("output").Kind() != jsonedit.Array {
		return nil, errors.New("reading the model's answer: it has no output")
	}
	if e := root.Get("error"); e.Exists() && e.Kind() != jsonedit.Null {
		return nil, errors.New("reading the model's answer: the model reports an error")
	}
	a.response(req, root)
	return a, nil
}

// response adds the texts of a response: its output, and what else it says that
// only repeats nothing of the request.
func (l *locator) response(req gateway.Request, v jsonedit.Value) {
	for key, m := range v.Members() {
		switch key {
		case "model", "usage", "error":
		case "output":
			for i, it := range m.Elems() {
				l.item(it, "/output/"+strconv.Itoa(i), ringwall.Assistant, false)
			}
		default:
			if grammar.Silent(key, m) {
				continue
			}
			l.rest(req, m, "/"+dialect.Pointer(key), key)
		}
	}
}

// rest adds the strings of a value that the request does not hold.
func (l *locator) rest(req gateway.Request, v jsonedit.Value, path, key string) {
	switch v.Kind() {
	case jsonedit.String:
		if !echoed(req, v.Text()) {
			l.All(v, path, key, ringwall.Assistant)
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			l.rest(req, e, path+"/"+strconv.Itoa(i), key)
		}
	case jsonedit.Object:
		for k, m := range v.Members() {
			if !grammar.Silent(k, m) {
				l.rest(req, m, path+"/"+dialect.Pointer(k), k)
			}
		}
	default:
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
	masked := map[string]bool{}
	for _, c := range changed {
		masked[a.Texts()[c.Index].Path] = true
	}
	edits := append(a.Edits(changed), a.tokenless(masked)...)
	if len(edits) == 0 {
		return a.src
	}
	return dialect.Splice(a.src, edits)
}

// tokenless returns the edits that take the tokens of masked texts away, and those
// that say another thing than their text.
func (l *locator) tokenless(masked map[string]bool) (edits []jsonedit.Edit) {
	for _, p := range l.probs {
		said := slices.ContainsFunc(l.Texts(), func(t ringwall.Text) bool { return t.Path == p.path && dialect.Spells(p.value, t.Value) })
		if masked[p.path] || !said {
			edits = append(edits, put(p.value, "[]"))
		}
	}
	return edits
}

// put returns the edit that puts a literal into the place of v.
func put(v jsonedit.Value, literal string) jsonedit.Edit {
	start, end := v.Span()
	return jsonedit.Edit{Start: start, End: end, New: []byte(literal)}
}

func (a *answer) Withhold(d gateway.Declined) []byte {
	root := a.doc.Root()
	out := incomplete(root, appendMessage(nil, messageID, "incomplete", d.Message))
	if u := root.Get("usage"); u.Kind() == jsonedit.Object {
		out = with(out, "usage", u.Raw())
	}
	return out
}

func (a *answer) Usage() ringwall.Usage { return usage(a.doc.Root()) }

func usage(response jsonedit.Value) (u ringwall.Usage) {
	v := response.Get("usage")
	u.InputTokens, _ = v.Get("input_tokens").Int()
	u.OutputTokens, _ = v.Get("output_tokens").Int()
	u.CachedTokens, _ = v.Get("input_tokens_details").Get("cached_tokens").Int()
	u.ReasoningTokens, _ = v.Get("output_tokens_details").Get("reasoning_tokens").Int()
	return u
}

// messageID is the id of a message of our own.
const messageID = "msg_ringwall"

// appendMessage appends a message of the model as an item of the output.
func appendMessage(dst []byte, id, status, text string) []byte {
	dst = append(dst, `{"type":"message","id":`...)
	dst = jsonedit.AppendQuote(dst, id)
	dst = append(dst, `,"status":"`+status+`","role":"assistant","content":[`...)
	dst = appendText(dst, text)
	return append(dst, `]}`...)
}

func appendText(dst []byte, text string) []byte {
	dst = append(dst, `{"type":"output_text","annotations":[],"logprobs":[],"text":`...)
	return append(jsonedit.AppendQuote(dst, text), '}')
}

// incomplete builds a response that policy ended: what is taken over from the
// model's is what names it.
func incomplete(response jsonedit.Value, items []byte) []byte {
	out := append([]byte(`{"id":`), or(response.Get("id"), `"resp_ringwall"`)...)
	out = append(out, `,"object":"response","created_at":`...)
	out = append(out, or(response.Get("created_at"), "0")...)
	out = append(out, `,"status":"incomplete","error":null,"incomplete_details":{"reason":"content_filter"},"instructions":null,"max_output_tokens":null,"model":`...)
	out = append(out, or(response.Get("model"), `""`)...)
	out = append(out, `,"output":[`...)
	out = append(out, items...)
	out = append(out, `],"parallel_tool_calls":true,"previous_response_id":`...)
	out = append(out, or(response.Get("previous_response_id"), "null")...)
	return append(out, `,"temperature":null,"tool_choice":"auto","tools":[],"top_p":null,"metadata":{},"usage":null}`...)
}

// or returns the literal of v, when it is a string or a number that is no longer
// than a name.
func or(v jsonedit.Value, literal string) []byte {
	if (v.Kind() == jsonedit.String || v.Kind() == jsonedit.Number) && len(v.Raw()) <= 2*dialect.LongestName {
		return v.Raw()
	}
	return []byte(literal)
}

// with gives an object of our own another member.
func with(object []byte, key string, literal []byte) []byte {
	var doc jsonedit.Doc
	if doc.Parse(object, dialect.AnswerLimits) != nil {
		return object
	}
	return dialect.Splice(object, []jsonedit.Edit{doc.Root().SetMember(key, literal)})
}
