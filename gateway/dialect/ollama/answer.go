package ollama

import (
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// answer implements gateway.Answer.
type answer struct {
	dialect.Locator
	doc jsonedit.Doc
	src []byte

	rulings []gateway.Ruling // of its calls, where there are any
	ruled   bool
}

// check refuses what is no answer, nor a piece of one.
func check(root jsonedit.Value) error {
	if e := root.Get("error"); e.Exists() && e.Kind() != jsonedit.Null {
		return errors.New("the model reports an error")
	}
	if root.Get("message").Kind() != jsonedit.Object && root.Get("response").Kind() != jsonedit.String {
		return errors.New("it has no message and no response")
	}
	return nil
}

// Answer implements gateway.Dialect.
func (Dialect) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{Locator: dialect.Locator{Grammar: grammar}, src: body}
	err := a.doc.Parse(body, dialect.AnswerLimits)
	if err == nil {
		err = check(a.doc.Root())
	}
	if err == nil && twice(a.doc.Root().Get("message")) {
		err = errTwice
	}
	if err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	for key, v := range a.doc.Root().Members() {
		switch key {
		case "model", "context", "logprobs":
		case "message":
			message(&a.Locator, v, "/message", ringwall.Assistant)
		default:
			a.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	return a, nil
}

// Edit implements gateway.Answer. The tokens of the conversation go, which spell
// out what was masked and what a next request may not say.
func (a *answer) Edit(changed []guard.Changed) []byte {
	out := a.edit(changed)
	if a.ruled { // by their places, which no edit of a text moves
		out = dialect.Redo(out, func(root jsonedit.Value) []jsonedit.Edit { return rule(root, a.rulings) })
	}
	return out
}

func (a *answer) edit(changed []guard.Changed) []byte {
	gone := a.doc.Root().Remove(func(key string) bool { return key == "context" || key == "logprobs" && len(changed) > 0 })
	if len(changed) == 0 && len(gone) == 0 {
		return a.src
	}
	return dialect.Splice(a.src, append(a.Edits(changed), gone...))
}

func (a *answer) Withhold(d gateway.Declined) []byte {
	return appendWithheld(nil, a.doc.Root(), d.Message)
}

// counts are the members by which the last piece of an answer says what it cost.
var counts = []string{"total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration"}

// appendWithheld appends the end of an answer that policy ended, with the names of
// the model's.
func appendWithheld(dst []byte, root jsonedit.Value, message string) []byte {
	dst = appendHead(dst, root)
	if root.Get("response").Exists() {
		dst = append(dst, `,"response":`...)
		dst = jsonedit.AppendQuote(dst, message)
	} else {
		dst = append(dst, `,"message":{"role":"assistant","content":`...)
		dst = append(jsonedit.AppendQuote(dst, message), '}')
	}
	dst = append(dst, `,"done":true,"done_reason":"content_filter"`...)
	for _, key := range counts {
		if v := root.Get(key); v.Kind() == jsonedit.Number {
			dst = append(dst, `,"`+key+`":`...)
			dst = append(dst, v.Raw()...)
		}
	}
	return append(dst, '}')
}

// appendHead appends the beginning of an answer.
func appendHead(dst []byte, root jsonedit.Value) []byte {
	dst = append(dst, `{"model":`...)
	dst = jsonedit.AppendQuote(dst, root.Get("model").Text())
	dst = append(dst, `,"created_at":`...)
	at := root.Get("created_at")
	if at.Kind() != jsonedit.String || len(at.Raw()) > dialect.LongestName {
		return append(dst, `"`+epoch+`"`...)
	}
	return append(dst, at.Raw()...)
}

func (a *answer) Usage() ringwall.Usage { return usage(a.doc.Root()) }

func usage(root jsonedit.Value) (u ringwall.Usage) {
	u.InputTokens, _ = root.Get("prompt_eval_count").Int()
	u.OutputTokens, _ = root.Get("eval_count").Int()
	return u
}
