package guardapi

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Checks is Amazon Bedrock's InvokeGuardrailChecks, which only says what it
// notices and names no guardrail.
type Checks struct {
	dialect.AWS
	parser
}

// Name implements gateway.Inquirer.
func (Checks) Name() string { return "bedrock-checks" }

// Credential implements gateway.Inquirer.
func (Checks) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "X-Api-Key") }

// AppendError implements gateway.Inquirer.
func (Checks) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	return awsError(dst, h, r, id)
}

// checksName is the guardrail that is behind [Checks].
const checksName = "guardrail-checks"

// checksSpec flags everything that the checks can say, however unsure it is, and
// looks for nothing else.
func checksSpec() *guardrail.Spec {
	s := guardrail.Default()
	for _, n := range s.Rules() {
		n.Rule.Input, n.Rule.Output = guardrail.Act{Off: true}, guardrail.Act{Off: true}
	}
	flag := guardrail.Act{Action: ringwall.Flag}
	s.Description = "what InvokeGuardrailChecks looks for"
	s.Attack.Input, s.Attack.Least = flag, 0.1
	s.Content.Input, s.Content.Least = flag, 0.1
	s.PII.Reasons, s.PII.Least = map[string]guardrail.Act{}, 0.1
	s.Secret.Reasons, s.Secret.Least = map[string]guardrail.Act{}, 0.1
	for _, reasons := range guardrail.BedrockTypes {
		for _, r := range reasons {
			if r.Control == "secret" {
				s.Secret.Reasons[r.Reason] = flag
			} else {
				s.PII.Reasons[r.Reason] = flag
			}
		}
	}
	return &s
}

// checked is a request of InvokeGuardrailChecks. A check that is nil was not asked
// for.
type checked struct {
	texts     []ringwall.Text
	at        map[string][2]int // index of the message and of its block, by path
	content   []string
	attack    []string
	sensitive []string
}

// Most of what is read of a request.
const mostBlocks = 10

// attackChecks are the categories of attacks, and the reasons of findings that
// are of each alone.
var attackChecks = map[string][]string{
	"JAILBREAK":        {"jailbreak", "instruction-override", "chat-template-markers", "multi-turn"},
	"PROMPT_INJECTION": {"instruction-in-data", "prompt-injection", "instruction-override", "chat-template-markers"},
	"PROMPT_LEAKAGE":   {"prompt-leak-request"},
}

// Read implements gateway.Inquirer.
func (c Checks) Read(_ *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := c.object(body)
	if err != nil {
		return nil, err
	}
	q := &checked{at: map[string][2]int{}}
	if err := q.messages(body, root.Get("messages")); err != nil {
		return nil, err
	}
	checks := root.Get("checks")
	if checks.Kind() != jsonedit.Object {
		return nil, dialect.Invalid(body, checks, "checks", "which checks?")
	}
	var harms []string
	for category, name := range bedrockFilters {
		if category != "self-harm" {
			harms = append(harms, name)
		}
	}
	for name, v := range checks.Members() {
		var into *[]string
		var known func(string) bool
		members, key := "categories", "category"
		switch name {
		case "contentFilter":
			into, known = &q.content, func(s string) bool { return slices.Contains(harms, s) }
		case "promptAttack":
			into, known = &q.attack, func(s string) bool { return attackChecks[s] != nil }
		case "sensitiveInformation":
			into, known = &q.sensitive, func(s string) bool { return guardrail.BedrockTypes[s] != nil }
			members, key = "entities", "type"
		default:
			return nil, dialect.Invalid(body, v, "checks", "there is no check %.40q: there are contentFilter, promptAttack and sensitiveInformation", name)
		}
		if *into, err = wanted(body, v.Get(members), "checks."+name+"."+members, key, known); err != nil {
			return nil, err
		}
	}
	if q.content == nil && q.attack == nil && q.sensitive == nil {
		return nil, dialect.Invalid(body, checks, "checks", "at least one check is required")
	}
	return q, nil
}

// wanted reads what a check is to look for.
func wanted(body []byte, v jsonedit.Value, path, key string, known func(string) bool) (out []string, err error) {
	if v.Kind() != jsonedit.Array {
		return nil, dialect.Invalid(body, v, path, "want a list")
	}
	for _, e := range v.Elems() {
		name := e.Get(key).Text()
		if !known(name) {
			return nil, dialect.Invalid(body, e, path, "there is no %s %.60q", key, name)
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, dialect.Invalid(body, v, path, "the list is empty")
	}
	return out, nil
}

func (q *checked) messages(body []byte, messages jsonedit.Value) error {
	if messages.Kind() != jsonedit.Array {
		return dialect.Invalid(body, messages, "messages", "want a list of messages")
	}
	for i, m := range messages.Elems() {
		path := "messages[" + strconv.Itoa(i) + "]"
		var origin ringwall.Origin
		if err := origin.UnmarshalText([]byte(m.Get("role").Text())); err != nil || origin != ringwall.System && origin != ringwall.User && origin != ringwall.Assistant {
			return dialect.Invalid(body, m.Get("role"), path+".role", "want system, user or assistant")
		}
		blocks := m.Get("content")
		if blocks.Kind() != jsonedit.Array {
			return dialect.Invalid(body, blocks, path+".content", "want a list of texts")
		}
		for k, b := range blocks.Elems() {
			if k == mostBlocks {
				return dialect.Invalid(body, b, path+".content", "at most %d blocks are read", mostBlocks)
			}
			s, err := required(body, b.Get("text"), path+".content["+strconv.Itoa(k)+"].text")
			if err != nil {
				return err
			}
			at := "/messages/" + strconv.Itoa(i) + "/content/" + strconv.Itoa(k) + "/text"
			q.texts = append(q.texts, ringwall.Text{Path: at, Origin: origin, Value: s})
			q.at[at] = [2]int{i, k}
		}
	}
	if len(q.texts) == 0 {
		return dialect.Invalid(body, messages, "messages", "there is no text")
	}
	return nil
}

// Question implements gateway.Inquiry.
func (q *checked) Question() gateway.Question {
	return gateway.Question{Guardrail: gateway.Ref{Name: checksName}, Prompt: q.texts}
}

// level is the nearest of the six levels that the API has: 0, 0.2, … 1.
func level(score float64) float64 { return math.Round(score*5) / 5 }

type severity struct {
	Category string  `json:"category"`
	Score    float64 `json:"severityScore"`
}

type severities struct {
	Results []severity `json:"results"`
}

type entity struct {
	Type    string  `json:"type"`
	Score   float64 `json:"confidenceScore"`
	Begin   int     `json:"beginOffset"`
	End     int     `json:"endOffset"`
	Message int     `json:"messageIndex"`
	Content int     `json:"contentIndex"`
}

type entities struct {
	Results   []entity `json:"results"`
	Truncated bool     `json:"truncated"`
}

type textUnits struct {
	Units int `json:"textUnits"`
}

// Answer implements gateway.Inquiry.
func (q *checked) Answer(j *gateway.Judgement) ([]byte, error) {
	var out struct {
		Results struct {
			Content   *severities `json:"contentFilter,omitempty"`
			Attack    *severities `json:"promptAttack,omitempty"`
			Sensitive *entities   `json:"sensitiveInformation,omitempty"`
		} `json:"results"`
		Usage struct {
			Content   *textUnits `json:"contentFilter,omitempty"`
			Attack    *textUnits `json:"promptAttack,omitempty"`
			Sensitive *textUnits `json:"sensitiveInformation,omitempty"`
		} `json:"usage"`
	}
	n := 0
	for _, t := range q.texts {
		n += utf8.RuneCountInString(t.Value)
	}
	used := &textUnits{units(n)}
	if q.content != nil {
		out.Usage.Content, out.Results.Content = used, &severities{}
		for _, name := range q.content {
			score, _ := j.In.Scores.Of(ringwall.Input, scoreOf(name))
			out.Results.Content.Results = append(out.Results.Content.Results, severity{name, level(score)})
		}
	}
	if q.attack != nil {
		out.Usage.Attack, out.Results.Attack = used, &severities{}
		for _, name := range q.attack {
			out.Results.Attack.Results = append(out.Results.Attack.Results, severity{name, level(attackScore(j, name))})
		}
	}
	if q.sensitive != nil {
		out.Usage.Sensitive, out.Results.Sensitive = used, q.entities(j)
	}
	return encode(out)
}

func scoreOf(filter string) string {
	for category, name := range bedrockFilters {
		if name == filter {
			return contentScores[category]
		}
	}
	return ""
}

// attackScore is how much texts look like one kind of attack: what findings say
// whose reason is of that kind, and what the classifier says, which tells no
// leakage apart.
func attackScore(j *gateway.Judgement, category string) (most float64) {
	if category != "PROMPT_LEAKAGE" {
		most, _ = j.In.Scores.Of(ringwall.Input, ringwall.ScoreAttack)
	}
	for _, f := range j.In.Findings {
		if f.Control == attack && slices.Contains(attackChecks[category], f.Reason) {
			most = max(most, f.Score)
		}
	}
	return most
}

func (q *checked) entities(j *gateway.Judgement) *entities {
	out := &entities{Results: []entity{}}
	for _, f := range all(j) {
		kind := bedrockEntities[guardrail.BedrockReason{Control: strings.TrimPrefix(f.Control, "inference/"), Reason: f.Reason}]
		if !slices.Contains(q.sensitive, kind) {
			continue
		}
		e := entity{kind, level(f.Score), f.Start, f.End, q.at[f.Path][0], q.at[f.Path][1]}
		out.Results = append(out.Results, e)
	}
	return out
}
