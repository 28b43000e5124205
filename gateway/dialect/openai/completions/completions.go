// Package completions speaks OpenAI's older completions API, in which a model goes
// on with a prompt.
package completions

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// API is the name of the dialect.
const API = "openai-completions"

// Dialect is the dialect of POST /v1/completions.
type Dialect struct {
	openai.Common
	Limits jsonedit.Limits // of requests
}

// Name implements gateway.Dialect.
func (Dialect) Name() string { return API }

var _ gateway.Dialect = Dialect{}

var grammar = dialect.Grammar{Names: openai.Names(), Medium: openai.Medium}

// Read implements gateway.Dialect.
func (d Dialect) Read(_ *http.Request, body []byte) (gateway.Request, error) {
	r, root, err := openai.ReadPlain(body, d.Limits)
	if err != nil {
		return nil, err
	}
	for key, v := range root.Members() {
		switch key {
		case "model", "stream", "stop":
		case "prompt":
			if err := r.Prompt(v, key); err != nil {
				return nil, err
			}
		case "suffix":
			r.All(v, "/suffix", key, ringwall.User)
		default:
			r.All(v, "/"+dialect.Pointer(key), key, ringwall.Unverified)
		}
	}
	if !root.Get("prompt").Exists() {
		return nil, dialect.Invalid(body, jsonedit.Value{}, "prompt", "a string or an array of strings is required")
	}
	return r, nil
}

// answer implements gateway.Answer.
type answer struct {
	dialect.Locator
	doc    jsonedit.Doc
	src    []byte
	choice []int // index into texts where each choice begins
}

// Answer implements gateway.Dialect.
func (Dialect) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{Locator: dialect.Locator{Grammar: grammar}, src: body}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	if root.Get("choices").Kind() != jsonedit.Array {
		return nil, errors.New("reading the model's answer: it has no choices")
	}
	for key, v := range root.Members() {
		if key != "choices" && key != "model" && key != "usage" {
			a.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	for i, c := range root.Get("choices").Elems() {
		a.choice = append(a.choice, len(a.Texts()))
		for key, v := range c.Members() {
			if key != "logprobs" {
				a.All(v, "/choices/"+strconv.Itoa(i)+"/"+dialect.Pointer(key), key, ringwall.Assistant)
			}
		}
	}
	return a, nil
}

func (a *answer) Edit(changed []guard.Changed) []byte {
	edits := a.Edits(changed)
	for i, c := range a.doc.Root().Get("choices").Elems() {
		end := len(a.Texts())
		if i+1 < len(a.choice) {
			end = a.choice[i+1]
		}
		begin := a.choice[i]
		said := dialect.Spells(c.Get("logprobs").Get("tokens"), c.Get("text").Text())
		if !said || slices.ContainsFunc(changed, func(ch guard.Changed) bool { return begin <= ch.Index && ch.Index < end }) {
			edits = append(edits, tokenless(c)...)
		}
	}
	if len(edits) == 0 {
		return a.src
	}
	return dialect.Splice(a.src, edits)
}

// tokenless returns the edit that takes the tokens of a choice away: they spell out
// what was masked.
func tokenless(choice jsonedit.Value) []jsonedit.Edit {
	lp := choice.Get("logprobs")
	if !lp.Exists() || lp.Kind() == jsonedit.Null {
		return nil
	}
	start, end := lp.Span()
	return []jsonedit.Edit{{Start: start, End: end, New: []byte("null")}}
}

func (a *answer) Withhold(d gateway.Declined) []byte {
	root := a.doc.Root()
	out := appendHead(nil, root)
	for i := range root.Get("choices").Elems() {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendChoice(out, int64(i), d.Message, `"content_filter"`)
	}
	out = append(out, ']')
	if u := root.Get("usage"); u.Kind() == jsonedit.Object {
		out = append(append(out, `,"usage":`...), u.Raw()...)
	}
	return append(out, '}')
}

// appendHead appends the beginning of an answer, or of a frame, up to the bracket
// of its choices, with the names that the model's has.
func appendHead(out []byte, root jsonedit.Value) []byte {
	or := func(key, literal string) []byte {
		if v := root.Get(key); (v.Kind() == jsonedit.String || v.Kind() == jsonedit.Number) && len(v.Raw()) <= 2*dialect.LongestName {
			return v.Raw()
		}
		return []byte(literal)
	}
	out = append(append(out, `{"id":`...), or("id", `"cmpl-ringwall"`)...)
	out = append(append(out, `,"object":"text_completion","created":`...), or("created", "0")...)
	out = append(append(out, `,"model":`...), or("model", `""`)...)
	return append(out, `,"choices":[`...)
}

// appendChoice appends a choice that says text; finish is a literal.
func appendChoice(out []byte, index int64, text, finish string) []byte {
	out = strconv.AppendInt(append(out, `{"index":`...), index, 10)
	out = jsonedit.AppendQuote(append(out, `,"text":`...), text)
	return append(out, `,"logprobs":null,"finish_reason":`+finish+`}`...)
}

func (a *answer) Usage() ringwall.Usage { return openai.Usage(a.doc.Root()) }
