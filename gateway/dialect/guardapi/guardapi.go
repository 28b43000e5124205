// Package guardapi speaks the APIs that ask a guard and no model: Amazon
// Bedrock's ApplyGuardrail and InvokeGuardrailChecks and the operations that make
// guardrails there, Lakera Guard, Azure's Prompt Shields and its analysis of texts,
// Google's Model Armor, Presidio and LLM Guard. Who calls one of these today gets the same answers from
// the guardrails of this gateway by changing a base URL.
//
//	request ─▶ Read ─▶ gateway.Question ─▶ guard.Check ─▶ gateway.Judgement ─▶ Answer
//
// [APIs] is the table of routes. What an API has no field for is not dropped
// silently: findings of controls that Bedrock has not are among its regexes by
// their reasons, and so on; docs/guard-api.md says where.
//
// The guardrail is chosen in each API's way; where it has none, by the header
// [gateway.GuardrailHeader].
package guardapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// APIs is the table of APIs by the route that speaks them. Limits are those of
// requests.
func APIs(limits jsonedit.Limits) map[string]gateway.Inquirer {
	p := parser{limits}
	return map[string]gateway.Inquirer{
		applyRoute:                              Apply{parser: p},
		"POST /guardrail-checks/invoke":         Checks{parser: p},
		"POST /v2/guard/results":                Lakera{parser: p, results: true},
		"POST /contentsafety/text:analyze":      Harm{p},
		"POST /v2/guard":                        Lakera{parser: p},
		"POST /contentsafety/text:shieldPrompt": Shield{p},
		"POST /v1/projects/{project}/locations/{location}/templates/{call}": Armor{p},
		"POST /analyze":        Analyzer{p},
		"POST /anonymize":      Anonymizer{p},
		"POST /analyze/prompt": LLMGuard{parser: p},
		"POST /analyze/output": LLMGuard{parser: p, output: true},
	}
}

// Own are guardrails that belong to APIs which know none, by name.
func Own() map[string]*guardrail.Spec {
	return map[string]*guardrail.Spec{checksName: checksSpec(), personalName: personalSpec()}
}

// parser parses requests strictly.
type parser struct{ limits jsonedit.Limits }

// object parses a body that is a JSON object.
func (p parser) object(body []byte) (jsonedit.Value, error) {
	doc := new(jsonedit.Doc)
	if err := doc.Parse(body, p.limits); err != nil {
		return jsonedit.Value{}, dialect.Unparsed(err)
	}
	if doc.Root().Kind() != jsonedit.Object {
		return jsonedit.Value{}, dialect.Invalid(body, doc.Root(), "", "want an object, found %s", article(doc.Root().Kind()))
	}
	return doc.Root(), nil
}

func article(k jsonedit.Kind) string {
	switch k {
	case jsonedit.Array, jsonedit.Object:
		return "an " + k.String()
	case jsonedit.Missing, jsonedit.Null:
		return "nothing"
	case jsonedit.String, jsonedit.Number, jsonedit.Bool:
	}
	return "a " + k.String()
}

// text returns the string v, and whether it is there and not null. Anything else
// is refused.
func text(body []byte, v jsonedit.Value, path string) (string, bool, error) {
	switch v.Kind() {
	case jsonedit.String:
		return v.Text(), true, nil
	case jsonedit.Missing, jsonedit.Null:
		return "", false, nil
	case jsonedit.Object, jsonedit.Array, jsonedit.Number, jsonedit.Bool:
	}
	return "", false, dialect.Invalid(body, v, path, "want a string, found %s", article(v.Kind()))
}

// required is text that must be there.
func required(body []byte, v jsonedit.Value, path string) (string, error) {
	s, ok, err := text(body, v, path)
	if err == nil && !ok {
		err = dialect.Invalid(body, v, path, "it is required")
	}
	return s, err
}

// list refuses what is neither an array nor left away.
func list(body []byte, v jsonedit.Value, path string) error {
	if k := v.Kind(); k != jsonedit.Array && k != jsonedit.Missing && k != jsonedit.Null {
		return dialect.Invalid(body, v, path, "want an array, found %s", article(k))
	}
	return nil
}

// named is the guardrail that a header names.
func named(r *http.Request) gateway.Ref {
	return gateway.ParseRef(r.Header.Get(gateway.GuardrailHeader))
}

// refused is a refusal of what a request asks for.
func refused(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	what := strings.ReplaceAll(err.Error(), "\n", "; ")
	return &ringwall.Refusal{Status: http.StatusBadRequest, Code: "invalid_request", Public: strings.ToUpper(what[:1]) + what[1:] + ".", Err: err}
}

// noticed is a finding, what is done about it, and what it is about.
type noticed struct {
	ringwall.Finding
	Way        ringwall.Direction
	Action     ringwall.Action
	Match      string // the part of the text; "" where it is all of it
	Start, End int    // of the part, in characters
}

// all returns the findings that count, those about the prompt first: none that an
// exception excuses or the guardrail allows.
func all(j *gateway.Judgement) (out []noticed) {
	for _, w := range []struct {
		way ringwall.Direction
		fs  []ringwall.Finding
	}{{ringwall.Input, j.In.Findings}, {ringwall.Output, j.Out.Findings}} {
		counts := map[string]*count{}
		for _, f := range w.fs {
			t := j.Text(w.way, f.Path)
			if t == nil || f.Excepted != "" || f.Unlooked() {
				continue
			}
			n := noticed{Finding: f, Way: w.way, Action: j.Action(w.way, f)}
			if n.Action == ringwall.Allow {
				continue
			}
			c := counts[f.Path]
			if c == nil {
				c = &count{text: t.Value}
				counts[f.Path] = c
			}
			if f.Where.Empty() || f.Where.Start < 0 || f.Where.End > len(t.Value) {
				n.Where = ringwall.Span{}
				n.End = c.to(len(t.Value))
			} else {
				n.Match = t.Value[f.Where.Start:f.Where.End]
				n.Start, n.End = c.to(f.Where.Start), c.to(f.Where.End)
			}
			out = append(out, n)
		}
	}
	return out
}

// count counts the characters before places of a text, from the place that it
// counted last.
type count struct {
	text         string
	bytes, runes int
}

func (c *count) to(at int) int {
	if at < c.bytes {
		c.runes -= utf8.RuneCountInString(c.text[at:c.bytes])
	} else {
		c.runes += utf8.RuneCountInString(c.text[c.bytes:at])
	}
	c.bytes = at
	return c.runes
}

// acted reports whether the guardrail would not let the texts go as they are.
func acted(j *gateway.Judgement) bool { return j.Verdict().Action <= ringwall.Mask }

// changed returns the i-th text as it may go on.
func changed(j *gateway.Judgement, way ringwall.Direction, i int) string {
	res, texts := &j.In, j.Question.Prompt
	if way == ringwall.Output {
		res, texts = &j.Out, j.Question.Answer
	}
	for _, c := range res.Texts {
		if c.Index == i {
			return c.Value
		}
	}
	return texts[i].Value
}

// unlookedFor refuses where the guardrail does not look for what the API is
// about: "nothing found" would be a lie.
func unlookedFor(what string) error {
	return &ringwall.Refusal{
		Status: http.StatusConflict, Code: "not_looked_for", Public: "The guardrail does not look for " + what + ".",
		Err: errors.New("the guardrail does not look for " + what),
	}
}

// encode writes an answer.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("writing the answer: %w", err)
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// errorBody writes the body of an error.
func errorBody(dst []byte, v any) []byte {
	out, err := encode(v)
	if err != nil {
		panic(err) // bug: errors are strings and numbers
	}
	return append(dst, out...)
}

// Controls whose findings APIs have names for.
const (
	attack    = "inference/prompt-attack"
	content   = "inference/content"
	topic     = "inference/topic"
	word      = "inference/word"
	personal  = "inference/pii"
	secret    = "inference/secret"
	grounding = "inference/grounding"
	links     = "inference/link"
)
