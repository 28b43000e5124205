package gemini

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// answer implements gateway.Answer.
type answer struct {
	locator
	doc   jsonedit.Doc
	src   []byte
	texts []ringwall.Text
	spots []spot
	taken int // texts of the locator

	req     *request
	ruled   bool
	rulings []gateway.Ruling
}

// spot is where a text of an answer stands.
type spot struct {
	candidate int              // -1: in none
	run       []jsonedit.Value // the strings of a run
	located   int              // index into the locator's texts, where there is no run
}

// Answer implements gateway.Dialect.
func (Dialect) Answer(req gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{locator: located(), src: body}
	a.req, _ = req.(*request)
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	candidates := root.Get("candidates")
	if candidates.Kind() != jsonedit.Array && root.Get("promptFeedback").Kind() != jsonedit.Object {
		return nil, errors.New("reading the model's answer: it has no candidates")
	}
	for key, v := range root.Members() {
		if key != "candidates" && key != "usageMetadata" {
			a.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	a.take(-1)
	for i, c := range candidates.Elems() {
		path := "/candidates/" + strconv.Itoa(i)
		for key, v := range c.Members() {
			p := path + "/" + dialect.Pointer(key)
			switch key {
			case "content":
				if err := a.content(v, p, i); err != nil {
					return nil, err
				}
			case "logprobsResult":
			default:
				a.All(v, p, key, ringwall.Assistant)
			}
		}
		a.take(i)
	}
	return a, nil
}

// take takes over the texts that were located since, which stand in a candidate.
func (a *answer) take(candidate int) {
	for _, t := range a.locator.Texts()[a.taken:] {
		a.texts, a.spots = append(a.texts, t), append(a.spots, spot{candidate: candidate, located: a.taken})
		a.taken++
	}
}

func (a *answer) content(v jsonedit.Value, path string, candidate int) error {
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		if key != "parts" {
			a.All(m, p, key, ringwall.Assistant)
			continue
		}
		var run []jsonedit.Value
		thought := false
		for p, part := range each(m, p) {
			if err := complete(part); err != nil {
				return err
			}
			text := part.Get("text")
			if text.Kind() != jsonedit.String {
				run = nil
				a.part(part, p, ringwall.Assistant)
				continue
			}
			a.take(candidate)
			if run != nil && thought == part.Get("thought").True() {
				last := len(a.texts) - 1
				for a.spots[last].run == nil {
					last-- // what the part before had beside its text
				}
				run = append(run, text)
				a.spots[last].run = run
				a.texts[last].Value += text.Text()
			} else {
				run, thought = []jsonedit.Value{text}, part.Get("thought").True()
				a.texts = append(a.texts, ringwall.Text{Path: p + "/text", Origin: ringwall.Assistant, Value: text.Text()})
				a.spots = append(a.spots, spot{candidate: candidate, run: run})
			}
			for k, m := range part.Members() {
				if k != "text" {
					a.ofPart(k, m, p, ringwall.Assistant)
				}
			}
		}
	}
	return nil
}

// complete refuses a call that comes in pieces, which was not asked for.
func complete(part jsonedit.Value) error {
	if call := part.Get("functionCall"); call.Get("willContinue").True() || call.Get("partialArgs").Exists() {
		return errors.New("reading the model's answer: a call comes in pieces")
	}
	return nil
}

// Texts implements gateway.Answer.
func (a *answer) Texts() []ringwall.Text { return a.texts }

func (a *answer) Edit(changed []guard.Changed) []byte {
	out := a.edit(changed)
	if a.ruled {
		return dialect.Redo(out, a.rule)
	}
	return out
}

func (a *answer) edit(changed []guard.Changed) []byte {
	if len(changed) == 0 {
		return a.src
	}
	touched := map[int]bool{}
	var edits, gone []jsonedit.Edit
	var plain []guard.Changed
	for _, c := range changed {
		s := a.spots[c.Index]
		touched[s.candidate] = true
		if s.run == nil {
			plain = append(plain, guard.Changed{Index: s.located, Value: c.Value})
			continue
		}
		value := c.Value
		for _, v := range s.run {
			edits = append(edits, v.Set(value))
			value = ""
		}
	}
	for i, c := range a.doc.Root().Get("candidates").Elems() {
		if touched[i] {
			gone = append(gone, giveaways(c)...)
		}
	}
	return dialect.Splice(a.src, without(append(edits, a.Edits(plain)...), gone))
}

// giveaways returns the edits that take out of a candidate what repeats its text:
// tokens, and segments that are grounded.
func giveaways(candidate jsonedit.Value) []jsonedit.Edit {
	return append(tokens(candidate), candidate.Get("groundingMetadata").Remove(func(key string) bool { return key == "groundingSupports" })...)
}

// tokens removes the log probabilities of tokens, which spell the text out.
func tokens(candidate jsonedit.Value) []jsonedit.Edit {
	return candidate.Remove(func(key string) bool { return key == "logprobsResult" })
}

// without adds edits that take something out, and leaves those away that change
// what is gone.
func without(edits, gone []jsonedit.Edit) []jsonedit.Edit {
	edits = slices.DeleteFunc(edits, func(e jsonedit.Edit) bool {
		return slices.ContainsFunc(gone, func(g jsonedit.Edit) bool { return g.Start <= e.Start && e.End <= g.End })
	})
	return append(edits, gone...)
}

func (a *answer) Withhold(d gateway.Declined) []byte {
	root := a.doc.Root()
	out := []byte(`{"candidates":[`)
	n := 0
	for i := range root.Get("candidates").Elems() {
		n++
		out = appendWithheld(out, i, d.Message)
	}
	if n == 0 {
		out = appendWithheld(out, 0, d.Message)
	}
	return appendTail(append(out, ']'), root)
}

// appendWithheld appends the candidate at index, behind others or as the first, with
// a message in the place of what it said.
func appendWithheld(dst []byte, index int, message string) []byte {
	if len(dst) > 0 && dst[len(dst)-1] == '}' {
		dst = append(dst, ',')
	}
	dst = append(dst, '{')
	if message != "" {
		dst = append(dst, `"content":{"parts":[{"text":`...)
		dst = jsonedit.AppendQuote(dst, message)
		dst = append(dst, `}],"role":"model"},`...)
	}
	dst = append(dst, `"finishReason":"SAFETY","index":`...)
	return append(appendInt(dst, int64(index)), '}')
}

// appendTail appends the end of an answer: what a model's says about itself.
func appendTail(dst []byte, root jsonedit.Value) []byte {
	for _, key := range []string{"usageMetadata", "modelVersion", "responseId"} {
		if v := root.Get(key); v.Exists() {
			dst = append(dst, `,"`+key+`":`...)
			dst = append(dst, v.Raw()...)
		}
	}
	return append(dst, '}')
}

// Declined implements gateway.Decliner: the prompt is blocked.
func (Dialect) Declined(req gateway.Request, d gateway.Declined) []byte {
	out := []byte(`{"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":`)
	out = jsonedit.AppendQuote(out, d.Message)
	out = append(out, `,"safetyRatings":[]},"usageMetadata":{"promptTokenCount":0,"totalTokenCount":0},"modelVersion":`...)
	out = jsonedit.AppendQuote(out, strings.TrimPrefix(req.Model(), "models/"))
	out = append(out, `,"responseId":`...)
	out = append(jsonedit.AppendQuote(out, d.ID), '}')
	r, ok := req.(*request)
	if !ok || !r.stream {
		return out
	}
	f := framing{array: !r.events}
	return f.end(f.append(nil, out))
}

func (a *answer) Usage() ringwall.Usage { return usage(a.doc.Root()) }

func usage(root jsonedit.Value) (u ringwall.Usage) {
	v := root.Get("usageMetadata")
	said, _ := v.Get("candidatesTokenCount").Int()
	used, _ := v.Get("toolUsePromptTokenCount").Int()
	u.InputTokens, _ = v.Get("promptTokenCount").Int()
	u.CachedTokens, _ = v.Get("cachedContentTokenCount").Int()
	u.ReasoningTokens, _ = v.Get("thoughtsTokenCount").Int()
	u.InputTokens += used
	u.OutputTokens = said + u.ReasoningTokens
	return u
}
