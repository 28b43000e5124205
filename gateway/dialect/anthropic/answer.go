package anthropic

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
	locator
	doc jsonedit.Doc
	src []byte

	ruled   bool
	rulings []gateway.Ruling
}

// Answer implements gateway.Dialect.
func (Messages) Answer(_ gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{locator: located(true), src: body}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	if root.Get("content").Kind() != jsonedit.Array {
		return nil, errors.New("reading the model's answer: it has no content")
	}
	for key, v := range root.Members() {
		switch key {
		case "content":
			a.turn(v, "/content", ringwall.Assistant)
		case "model", "usage":
		default:
			a.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	return a, nil
}

func (a *answer) Edit(changed []guard.Changed) []byte {
	out := a.edit(changed)
	if a.ruled {
		return dialect.Redo(out, func(root jsonedit.Value) []jsonedit.Edit { return dialect.RuleMessages(root, a.rulings) })
	}
	return out
}

func (a *answer) edit(changed []guard.Changed) []byte {
	if len(changed) == 0 {
		return a.src
	}
	edits := a.Edits(changed)
	for _, t := range a.thoughts {
		s := t.block.Get("signature")
		if s.Exists() && !opaque(s) {
			continue // no signature, but a text
		}
		for _, c := range changed {
			if t.from <= c.Index && c.Index < t.to {
				edits = append(edits, t.block.SetMember("signature", []byte(`"`+unsigned+`"`)))
				break
			}
		}
	}
	return dialect.Splice(a.src, edits)
}

func (a *answer) Withhold(d gateway.Declined) []byte {
	root := a.doc.Root()
	return appendDeclined(nil, text(root.Get("id"), "msg_"+d.ID), text(root.Get("model"), ""), d.Message, root.Get("usage"))
}

// Declined implements gateway.Decliner: the model refuses.
func (m Messages) Declined(req gateway.Request, d gateway.Declined) []byte {
	if req.Stream() {
		r := &relay{id: "msg_" + d.ID, model: req.Model()}
		return r.Withhold(nil, d)
	}
	return appendDeclined(nil, "msg_"+d.ID, req.Model(), d.Message, jsonedit.Value{})
}

// appendDeclined appends an answer that says only message.
func appendDeclined(dst []byte, id, model, message string, usage jsonedit.Value) []byte {
	dst = appendHead(dst, id, model)
	dst = append(dst, `,"content":[{"type":"text","text":`...)
	dst = jsonedit.AppendQuote(dst, message)
	dst = append(dst, `}],"stop_reason":"refusal","stop_sequence":null,"usage":`...)
	if usage.Kind() == jsonedit.Object {
		dst = append(dst, usage.Raw()...)
	} else {
		dst = append(dst, noUsage...)
	}
	return append(dst, '}')
}

const noUsage = `{"input_tokens":0,"output_tokens":0}`

// appendHead appends the beginning of an answer, up to its content.
func appendHead(dst []byte, id, model string) []byte {
	dst = append(dst, `{"id":`...)
	dst = jsonedit.AppendQuote(dst, id)
	dst = append(dst, `,"type":"message","role":"assistant","model":`...)
	return jsonedit.AppendQuote(dst, model)
}

func text(v jsonedit.Value, or string) string {
	if v.Kind() != jsonedit.String {
		return or
	}
	return v.Text()
}

func (a *answer) Usage() ringwall.Usage {
	var t tokens
	t.read(a.doc.Root().Get("usage"))
	return t.usage()
}

// tokens are the figures of a usage. Those of a stream are said more than once,
// each the sum so far.
type tokens struct{ input, output, cached, caching, thought int64 }

func (t *tokens) read(v jsonedit.Value) {
	set := func(to *int64, v jsonedit.Value) {
		if n, ok := v.Int(); ok {
			*to = n
		}
	}
	set(&t.input, v.Get("input_tokens"))
	set(&t.output, v.Get("output_tokens"))
	set(&t.cached, v.Get("cache_read_input_tokens"))
	set(&t.caching, v.Get("cache_creation_input_tokens"))
	set(&t.thought, v.Get("output_tokens_details").Get("thinking_tokens"))
}

// usage counts what was read from the cache, or written to it, as input.
func (t *tokens) usage() ringwall.Usage {
	return ringwall.Usage{
		InputTokens: t.input + t.cached + t.caching, OutputTokens: t.output,
		CachedTokens: t.cached, CachingTokens: t.caching, ReasoningTokens: t.thought,
	}
}
