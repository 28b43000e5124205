package guardapi

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Anonymizer is Presidio's anonymizer, POST /anonymize. Where a request brings no
// results of an analyzer, what the guardrail notices is taken.
type Anonymizer struct{ parser }

// Name implements gateway.Inquirer.
func (Anonymizer) Name() string { return "presidio-anonymizer" }

// Credential implements gateway.Inquirer. Presidio has none.
func (Anonymizer) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "X-Api-Key") }

// AppendError implements gateway.Inquirer.
func (Anonymizer) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	return Analyzer{}.AppendError(dst, h, r, id)
}

// anonymized is a request to take personal data out of a text.
type anonymized struct {
	question  gateway.Question
	text      []rune
	operators map[string]operator
	given     bool // spans came with the request
	spans     []span
}

// span is a stretch of characters and what stands there.
type span struct {
	start, end int
	kind       string
}

// operator says what stands for what was found.
type operator struct {
	name  string // replace, redact, mask, hash, keep
	value *string
	char  string
	chars int
	end   bool // mask from the end
	sum   string
	salt  string
}

// Read implements gateway.Inquirer.
func (a Anonymizer) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := a.object(body)
	if err != nil {
		return nil, err
	}
	s, err := required(body, root.Get("text"), "text")
	if err != nil {
		return nil, err
	}
	q := &anonymized{text: []rune(s), operators: map[string]operator{}}
	q.question = gateway.Question{Guardrail: named(r), Prompt: []ringwall.Text{{Path: "/text", Origin: ringwall.User, Value: s}}}
	if q.question.Guardrail.Name == "" {
		q.question.Guardrail.Name = personalName
	}
	for kind, v := range root.Get("anonymizers").Members() {
		if q.operators[kind], err = readOperator(body, v, "anonymizers."+kind); err != nil {
			return nil, err
		}
	}
	results := root.Get("analyzer_results")
	if err := list(body, results, "analyzer_results"); err != nil {
		return nil, err
	}
	q.given = results.Kind() == jsonedit.Array
	for i, e := range results.Elems() {
		path := "analyzer_results[" + strconv.Itoa(i) + "]"
		kind := e.Get("entity_type").Text()
		start, ok1 := e.Get("start").Int()
		end, ok2 := e.Get("end").Int()
		if kind == "" || !ok1 || !ok2 || start < 0 || end < start || end > int64(len(q.text)) {
			return nil, dialect.Invalid(body, e, path, "want an entity_type, and a start and an end in the text")
		}
		q.spans = append(q.spans, span{int(start), int(end), kind})
	}
	return q, nil
}

func readOperator(body []byte, v jsonedit.Value, path string) (op operator, err error) {
	op = operator{name: v.Get("type").Text(), char: "*", sum: "sha256"}
	switch op.name {
	case "replace":
		value, there, err := text(body, v.Get("new_value"), path+".new_value")
		if there {
			op.value = &value
		}
		return op, err
	case "redact", "keep":
		return op, nil
	case "mask":
		if c := v.Get("masking_char"); c.Exists() {
			if op.char = c.Text(); utf8.RuneCountInString(op.char) != 1 {
				return op, dialect.Invalid(body, c, path+".masking_char", "want one character")
			}
		}
		n, ok := v.Get("chars_to_mask").Int()
		if !ok || n < 0 {
			return op, dialect.Invalid(body, v.Get("chars_to_mask"), path+".chars_to_mask", "how many?")
		}
		op.chars, op.end = int(min(n, 1<<30)), v.Get("from_end").True()
		return op, nil
	case "hash":
		if h := v.Get("hash_type"); h.Exists() {
			if op.sum = h.Text(); op.sum != "sha256" && op.sum != "sha512" {
				return op, dialect.Invalid(body, h, path+".hash_type", "want sha256 or sha512")
			}
		}
		op.salt, _, err = text(body, v.Get("salt"), path+".salt")
		return op, err
	}
	return op, dialect.Invalid(body, v.Get("type"), path+".type", "want replace, redact, mask, hash or keep")
}

// Question implements gateway.Inquiry.
func (q *anonymized) Question() gateway.Question { return q.question }

type anonymizedItem struct {
	Start    int    `json:"start"`
	End      int    `json:"end"`
	Type     string `json:"entity_type"`
	Text     string `json:"text"`
	Operator string `json:"operator"`
}

// Answer implements gateway.Inquiry.
func (q *anonymized) Answer(j *gateway.Judgement) ([]byte, error) {
	spans := q.spans
	if !q.given {
		if !j.Ran(ringwall.Input, personal) {
			return nil, unlookedFor("personal data")
		}
		for _, f := range all(j) {
			if f.Control == personal || f.Control == secret {
				spans = append(spans, span{f.Start, f.End, presidioName(f.Reason)})
			}
		}
	}
	var b strings.Builder
	items := []anonymizedItem{}
	at, written := 0, 0
	write := func(s string) {
		b.WriteString(s)
		written += utf8.RuneCountInString(s)
	}
	for _, s := range apart(spans) {
		write(string(q.text[at:s.start]))
		op, ok := q.operators[s.kind]
		if !ok {
			op, ok = q.operators["DEFAULT"]
		}
		if !ok {
			op = operator{name: "replace"}
		}
		item := anonymizedItem{Start: written, Type: s.kind, Operator: op.name, Text: op.apply(q.text[s.start:s.end], s.kind)}
		write(item.Text)
		item.End, at = written, s.end
		items = append(items, item)
	}
	write(string(q.text[at:]))
	slices.Reverse(items) // Presidio writes from the end
	return encode(map[string]any{"text": b.String(), "items": items})
}

// apart returns spans in their order, none of which overlaps another: nothing that
// any of them covers is left out.
func apart(spans []span) (out []span) {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	at := 0
	for _, s := range spans {
		s.start = max(s.start, at)
		if s.end <= s.start {
			continue
		}
		out = append(out, s)
		at = s.end
	}
	return out
}

func (o *operator) apply(text []rune, kind string) string {
	switch o.name {
	case "keep":
		return string(text)
	case "redact":
		return ""
	case "mask":
		n := min(o.chars, len(text))
		if o.end {
			return string(text[:len(text)-n]) + strings.Repeat(o.char, n)
		}
		return strings.Repeat(o.char, n) + string(text[n:])
	case "hash":
		if o.sum == "sha512" {
			sum := sha512.Sum512([]byte(o.salt + string(text)))
			return hex.EncodeToString(sum[:])
		}
		sum := sha256.Sum256([]byte(o.salt + string(text)))
		return hex.EncodeToString(sum[:])
	}
	if o.value != nil {
		return *o.value
	}
	return "<" + kind + ">"
}
