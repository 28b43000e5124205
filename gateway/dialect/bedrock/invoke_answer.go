package bedrock

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// invoked implements gateway.Answer for an answer in the words of a model.
type invoked struct {
	*locator
	doc    jsonedit.Doc
	src    []byte
	family family
	named  guardrail
	did    func() gateway.Declined
	ruling
}

// Tell implements gateway.Telling.
func (a *invoked) Tell(did func() gateway.Declined) { a.did = did }

var _ gateway.Telling = (*invoked)(nil)

// Answer implements gateway.Dialect.
func (Invoke) Answer(req gateway.Request, body []byte) (gateway.Answer, error) {
	f := familyBy(req)
	if f == nova {
		return readAnswer(&answer{locator: located(), src: body, named: namedBy(req), inner: true})
	}
	a := &invoked{locator: invokeLocated(), src: body, family: f, named: namedBy(req)}
	if err := a.doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", err)
	}
	root := a.doc.Root()
	if f == anthropic && root.Get("content").Kind() != jsonedit.Array && !root.Get("completion").Exists() {
		return nil, errors.New("reading the model's answer: it has no content")
	}
	for key, v := range root.Members() {
		path := "/" + dialect.Pointer(key)
		switch {
		case f == anthropic && key == "content":
			a.said(v, path, ringwall.Assistant)
		case key == "usage", a.named.ours(key, true):
		default:
			a.All(v, path, key, ringwall.Assistant)
		}
	}
	if root.Kind() != jsonedit.Object {
		a.All(root, "", "", ringwall.Assistant)
	}
	return a, nil
}

func familyBy(req gateway.Request) family {
	if r, ok := req.(*request); ok {
		return r.family
	}
	return unknown
}

func (a *invoked) Edit(changed []guard.Changed) []byte {
	out := a.edit(changed)
	if a.ruled {
		return dialect.Redo(out, a.rule)
	}
	return out
}

func (a *invoked) edit(changed []guard.Changed) []byte {
	edits := actionEdits(a.doc.Root(), a.named, a.did)
	if len(changed) == 0 && len(edits) == 0 {
		return a.src
	}
	edits = append(edits, a.Edits(changed)...)
	return dialect.Splice(a.src, append(edits, unproven(a.locator, a.family, changed, a.doc.Root().Get("content"), "/content")...))
}

func (a *invoked) Withhold(d gateway.Declined) []byte {
	return withheldBy(a.family, a.Usage(), a.named, d)
}

func (a *invoked) Usage() ringwall.Usage { return counted(ringwall.Usage{}, a.doc.Root()) }

// counted returns u with what a body of any family says that was counted.
func counted(u ringwall.Usage, root jsonedit.Value) ringwall.Usage {
	take := func(n *int64, v jsonedit.Value) {
		if got, ok := v.Int(); ok {
			*n = got
		}
	}
	for _, v := range []jsonedit.Value{root.Get("message").Get("usage"), root.Get("usage")} {
		take(&u.CachedTokens, v.Get("cache_read_input_tokens"))
		take(&u.CachingTokens, v.Get("cache_creation_input_tokens"))
		if n, ok := v.Get("input_tokens").Int(); ok {
			u.InputTokens = n + u.CachedTokens + u.CachingTokens
		}
		take(&u.OutputTokens, v.Get("output_tokens"))
		take(&u.InputTokens, v.Get("prompt_tokens"))
		take(&u.OutputTokens, v.Get("completion_tokens"))
	}
	take(&u.InputTokens, root.Get("prompt_token_count"))
	take(&u.OutputTokens, root.Get("generation_token_count"))
	take(&u.InputTokens, root.Get("inputTextTokenCount"))
	take(&u.OutputTokens, root.Get("totalOutputTextTokenCount"))
	for _, r := range root.Get("results").Elems() {
		take(&u.OutputTokens, r.Get("tokenCount"))
	}
	m := root.Get("amazon-bedrock-invocationMetrics")
	if u.InputTokens == 0 {
		take(&u.InputTokens, m.Get("inputTokenCount"))
	}
	take(&u.OutputTokens, m.Get("outputTokenCount"))
	return u
}

// actionOf adds to a body what a guardrail did, as Bedrock says it there.
func actionOf(o object, g guardrail, d gateway.Declined) object {
	o["amazon-bedrock-guardrailAction"] = "INTERVENED"
	if t := traceInvoked(g, d, true); t != nil {
		o["amazon-bedrock-trace"] = object{"guardrail": json.RawMessage(t)}
	}
	return o
}

// withheldBy returns an answer in the words of a family that says only the message
// of d.
func withheldBy(f family, u ringwall.Usage, g guardrail, d gateway.Declined) []byte {
	var o object
	switch f {
	case nova:
		b := appendWithheld(nil, u, g, d)
		return append(b[:len(b)-1], `,"amazon-bedrock-guardrailAction":"INTERVENED"}`...)
	case anthropic:
		o = object{
			"id": "msg_" + d.ID, "type": "message", "role": "assistant", "model": "", "stop_reason": "end_turn", "stop_sequence": nil,
			"content": []object{{"type": "text", "text": d.Message}},
			"usage":   object{"input_tokens": u.InputTokens - u.CachedTokens - u.CachingTokens, "output_tokens": u.OutputTokens},
		}
	case titan:
		o = object{"inputTextTokenCount": u.InputTokens, "results": []object{{"tokenCount": u.OutputTokens, "outputText": d.Message, "completionReason": "CONTENT_FILTERED"}}}
	case llama:
		o = object{"generation": d.Message, "prompt_token_count": u.InputTokens, "generation_token_count": u.OutputTokens, "stop_reason": "stop"}
	case unknown:
		o = object{"message": d.Message}
	}
	return marshal(actionOf(o, g, d))
}

// marshal writes what is of strings, numbers and JSON.
func marshal(o object) []byte {
	b, _ := json.Marshal(o) // which cannot fail
	return b
}

// Declined implements gateway.Decliner.
func (Invoke) Declined(req gateway.Request, d gateway.Declined) []byte {
	if !req.Stream() {
		return withheldBy(familyBy(req), ringwall.Usage{}, namedBy(req), d)
	}
	return Invoke{}.Relay(req, nil).Withhold(nil, d)
}
