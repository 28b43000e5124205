package bedrock

import (
	"errors"
	"fmt"
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
}

// Answer implements gateway.Dialect.
func (Converse) Answer(req gateway.Request, body []byte) (gateway.Answer, error) {
	a := &answer{locator: located(), src: body, named: namedBy(req)}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	if root.Get("output").Get("message").Get("content").Kind() != jsonedit.Array {
		return nil, errors.New("reading the model's answer: it has no message")
	}
	for key, v := range root.Members() {
		switch key {
		case "usage", "metrics":
		case "output":
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
	if len(changed) == 0 {
		return a.src
	}
	edits := a.Edits(changed)
	edits = append(edits, unproven(a.locator, nova, changed, a.doc.Root().Get("output").Get("message").Get("content"), contentPath)...)
	return dialect.Splice(a.src, edits)
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
	if t := trace(g, d); t != nil {
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
