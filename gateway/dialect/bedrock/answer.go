package bedrock

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

// contentPath is where the blocks of an answer stand.
const contentPath = "/output/message/content"

// answer implements gateway.Answer.
type answer struct {
	*locator
	doc   jsonedit.Doc
	src   []byte
	named guardrail
	did   func() gateway.Declined
	inner bool // of InvokeModel
	ruling
}

// Tell implements gateway.Telling.
func (a *answer) Tell(did func() gateway.Declined) { a.did = did }

var (
	_ gateway.Telling = (*answer)(nil)
	_ gateway.Telling = (*relay)(nil)
)

// Answer implements gateway.Dialect.
func (Converse) Answer(req gateway.Request, body []byte) (gateway.Answer, error) {
	return readAnswer(&answer{locator: located(), src: body, named: namedBy(req)})
}

func readAnswer(a *answer) (gateway.Answer, error) {
	if err := a.doc.Parse(a.src, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	if root.Get("output").Get("message").Get("content").Kind() != jsonedit.Array {
		return nil, errors.New("reading the model's answer: it has no message")
	}
	for key, v := range root.Members() {
		switch {
		case key == "usage", key == "metrics":
		case a.named.ours(key, a.inner): // in its place stands ours
		case key == "output":
			a.output(v)
		default:
			a.All(v, "/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	return a, nil
}

func (a *answer) output(v jsonedit.Value) {
	for key, m := range v.Members() {
		path := "/output/" + dialect.Pointer(key)
		if key != "message" {
			a.All(m, path, key, ringwall.Assistant)
			continue
		}
		for k, c := range m.Members() {
			if k == "content" {
				a.content(c, contentPath, ringwall.Assistant)
			} else {
				a.All(c, path+"/"+dialect.Pointer(k), k, ringwall.Assistant)
			}
		}
	}
}

func namedBy(req gateway.Request) guardrail {
	if r, ok := req.(*request); ok {
		return r.named
	}
	return guardrail{}
}

func (a *answer) Edit(changed []guard.Changed) []byte {
	out := a.edit(changed)
	if a.ruled {
		return dialect.Redo(out, a.rule)
	}
	return out
}

func (a *answer) edit(changed []guard.Changed) []byte {
	edits := a.told()
	if len(changed) == 0 && len(edits) == 0 {
		return a.src
	}
	edits = append(edits, a.Edits(changed)...)
	edits = append(edits, unproven(a.locator, nova, changed, a.doc.Root().Get("output").Get("message").Get("content"), contentPath)...)
	return dialect.Splice(a.src, edits)
}

// told returns the edits that say what policy did, to a client that named a
// guardrail or asked for a trace.
func (a *answer) told() []jsonedit.Edit {
	if a.inner {
		return actionEdits(a.doc.Root(), a.named, a.did)
	}
	return append(stopEdits(a.doc.Root(), a.named, a.did), traceEdits(a.doc.Root(), a.named, a.did)...)
}

// done is what did says was done; nothing, where nobody says it.
func done(did func() gateway.Declined) gateway.Declined {
	if did == nil {
		return gateway.Declined{}
	}
	return did()
}

// stopEdits returns the edit that gives the reason for which Bedrock's answers end of
// which something was masked. One that calls a tool keeps its own: who reads it
// goes on by it.
func stopEdits(v jsonedit.Value, g guardrail, did func() gateway.Declined) []jsonedit.Edit {
	if reason := v.Get("stopReason"); g.ref != "" && reason.Kind() == jsonedit.String && !reason.Is("tool_use") {
		if d := done(did); masked(d, d.Inputs) {
			return []jsonedit.Edit{reason.Set("guardrail_intervened")}
		}
	}
	return nil
}

// traceEdits returns the edit that puts the trace into an object.
func traceEdits(v jsonedit.Value, g guardrail, did func() gateway.Declined) []jsonedit.Edit {
	t := trace(g, done(did), false)
	if t == nil {
		return nil
	}
	return []jsonedit.Edit{v.SetMember("trace", slices.Concat([]byte(`{"guardrail":`), t, []byte{'}'}))}
}

// actionEdits returns the edits that say in a body of InvokeModel what policy did.
func actionEdits(v jsonedit.Value, g guardrail, did func() gateway.Declined) (edits []jsonedit.Edit) {
	if g.ref == "" && !g.traced() || v.Kind() != jsonedit.Object {
		return nil
	}
	d := done(did)
	if t := traceInvoked(g, d, false); t != nil {
		edits = append(edits, v.SetMember("amazon-bedrock-trace", slices.Concat([]byte(`{"guardrail":`), t, []byte{'}'})))
	}
	if g.ref == "" {
		return edits
	}
	action := `"NONE"`
	if masked(d, 0) {
		action = `"INTERVENED"`
	}
	edit := v.SetMember("amazon-bedrock-guardrailAction", []byte(action))
	for range v.Members() {
		return append(edits, edit)
	}
	if len(edits) > 0 { // members of an object that had none
		edit.New = slices.Concat(edit.New, []byte{','}, edits[0].New)
	}
	return []jsonedit.Edit{edit}
}

func (a *answer) Withhold(d gateway.Declined) []byte {
	return appendWithheld(nil, a.Usage(), a.named, d)
}

func (a *answer) Usage() ringwall.Usage { return usage(a.doc.Root()) }

// usage reads what the model counted. Bedrock counts what comes from the cache and
// goes to it beside the rest of the input.
func usage(root jsonedit.Value) (u ringwall.Usage) {
	v := root.Get("usage")
	u.InputTokens, _ = v.Get("inputTokens").Int()
	u.OutputTokens, _ = v.Get("outputTokens").Int()
	u.CachedTokens, _ = v.Get("cacheReadInputTokens").Int()
	u.CachingTokens, _ = v.Get("cacheWriteInputTokens").Int()
	u.InputTokens += u.CachedTokens + u.CachingTokens
	return u
}

func appendUsage(dst []byte, u ringwall.Usage) []byte {
	field := func(name string, n int64) {
		dst = append(dst, name...)
		dst = strconv.AppendInt(dst, n, 10)
	}
	field(`{"inputTokens":`, u.InputTokens-u.CachedTokens-u.CachingTokens)
	field(`,"outputTokens":`, u.OutputTokens)
	field(`,"totalTokens":`, u.InputTokens+u.OutputTokens)
	if u.CachedTokens > 0 {
		field(`,"cacheReadInputTokens":`, u.CachedTokens)
	}
	if u.CachingTokens > 0 {
		field(`,"cacheWriteInputTokens":`, u.CachingTokens)
	}
	return append(dst, '}')
}

// appendWithheld appends an answer that says only the message of d.
func appendWithheld(dst []byte, u ringwall.Usage, g guardrail, d gateway.Declined) []byte {
	dst = append(dst, `{"output":{"message":{"role":"assistant","content":[{"text":`...)
	dst = jsonedit.AppendQuote(dst, d.Message)
	dst = append(dst, `}]}},"stopReason":"guardrail_intervened",`...)
	return appendCounts(dst, u, g, d)
}

// appendCounts appends the end of an answer, which is that of a stream, too.
func appendCounts(dst []byte, u ringwall.Usage, g guardrail, d gateway.Declined) []byte {
	dst = append(dst, `"usage":`...)
	dst = appendUsage(dst, u)
	dst = append(dst, `,"metrics":{"latencyMs":0}`...)
	if t := trace(g, d, true); t != nil {
		dst = append(dst, `,"trace":{"guardrail":`...)
		dst = append(dst, t...)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// Declined implements gateway.Decliner.
func (Converse) Declined(req gateway.Request, d gateway.Declined) []byte {
	if !req.Stream() {
		return appendWithheld(nil, ringwall.Usage{}, namedBy(req), d)
	}
	return intervened(nil, conversing{}, &relay{named: namedBy(req)}, false, false, 0, d)
}

func stopOfBlock(index int64) []byte {
	return []byte(`{"contentBlockIndex":` + strconv.FormatInt(index, 10) + `}`)
}

// deltaOf is a delta of one string, which stands at one of "text", "reasoning",
// "signature" and "input".
func deltaOf(index int64, at, s string) []byte {
	shape := deltas[at]
	b := append([]byte(`{"contentBlockIndex":`), strconv.FormatInt(index, 10)...)
	b = append(b, `,"delta":`+shape[0]...)
	b = jsonedit.AppendQuote(b, s)
	return append(b, shape[1]+`}`...)
}

var deltas = map[string][2]string{
	"text":      {`{"text":`, `}`},
	"reasoning": {`{"reasoningContent":{"text":`, `}}`},
	"signature": {`{"reasoningContent":{"signature":`, `}}`},
	"input":     {`{"toolUse":{"input":`, `}}`},
}
