// Package moderations speaks OpenAI's moderations API. No model is asked: what the
// guardrail in force, or the one that a header names, says of a text is the answer.
package moderations

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// API is the name of the dialect.
const API = "openai-moderations"

// Dialect implements gateway.Inquirer for POST /v1/moderations.
type Dialect struct {
	openai.Common
	Limits jsonedit.Limits // of requests
}

var _ gateway.Inquirer = Dialect{}

// Name implements gateway.Inquirer.
func (Dialect) Name() string { return API }

// inquiry implements gateway.Inquiry: its inputs have nothing to do with each
// other, unless they are the parts of one.
type inquiry struct{ question gateway.Question }

// Read implements gateway.Inquirer.
func (d Dialect) Read(h *http.Request, body []byte) (gateway.Inquiry, error) {
	r, root, err := openai.ReadUnnamed(body, d.Limits)
	if err != nil {
		return nil, err
	}
	input := root.Get("input")
	first := jsonedit.Value{}
	for _, e := range input.Elems() {
		first = e
		break
	}
	apart := first.Kind() != jsonedit.Object
	if apart {
		if err := r.Prompt(input, "input"); err != nil {
			return nil, err
		}
	} else if err := parts(r, body, input); err != nil {
		return nil, err
	}
	return inquiry{gateway.Question{
		Guardrail: gateway.ParseRef(h.Header.Get(gateway.GuardrailHeader)), Prompt: r.Texts(), Unseen: r.Unseen(), Apart: apart,
	}}, nil
}

// parts adds the texts of one input that has several parts.
func parts(r *openai.Plain, body []byte, input jsonedit.Value) error {
	for i, e := range input.Elems() {
		at := "input[" + strconv.Itoa(i) + "]"
		if e.Kind() != jsonedit.Object {
			return dialect.Invalid(body, e, at, "strings and parts do not go together")
		}
		if kind := e.Get("type"); !kind.Is("text") && !kind.Is("image_url") {
			return dialect.Invalid(body, kind, at+".type", "want text or image_url, not %.40q", kind.Text())
		}
		r.All(e, "/input/"+strconv.Itoa(i), "", ringwall.User)
	}
	return nil
}

// Question implements gateway.Inquiry.
func (q inquiry) Question() gateway.Question { return q.question }

// category is one of OpenAI's: the classes of ours that it takes, all of them
// together. One that takes none is not judged.
type category struct {
	name  string
	takes []class
}

// of says whether a text is of the category, how much, and whether that was judged.
func (c *category) of(noticed map[string]bool, scores ringwall.Scores) (is bool, score float64, judged bool) {
	is, score, judged = true, 1, len(c.takes) > 0
	for _, k := range c.takes {
		s, ok := scores.Of(ringwall.Input, k.score)
		is, score, judged = is && noticed[k.reason], min(score, s), judged && ok
	}
	if !judged {
		return false, 0, false
	}
	return is, score, true
}

type class struct{ score, reason string }

var (
	hate       = class{ringwall.ScoreHate, "hate"}
	insult     = class{ringwall.ScoreInsult, "insult"}
	sexual     = class{ringwall.ScoreSexual, "sexual"}
	violence   = class{ringwall.ScoreViolence, "violence"}
	misconduct = class{ringwall.ScoreMisconduct, "misconduct"}
	selfHarm   = class{ringwall.ScoreSelfHarm, "self-harm"}
)

var categories = []category{
	{"harassment", []class{insult}},
	{"harassment/threatening", []class{insult, violence}},
	{"sexual", []class{sexual}},
	{"sexual/minors", nil},
	{"hate", []class{hate}},
	{"hate/threatening", []class{hate, violence}},
	{"illicit", []class{misconduct}},
	{"illicit/violent", []class{misconduct, violence}},
	{"self-harm", []class{selfHarm}},
	{"self-harm/intent", nil},
	{"self-harm/instructions", nil},
	{"violence", []class{violence}},
	{"violence/graphic", nil},
}

// result is what is said of one input.
type result struct {
	Flagged    bool                `json:"flagged"`
	Categories map[string]bool     `json:"categories"`
	Scores     map[string]float64  `json:"category_scores"`
	Applied    map[string][]string `json:"category_applied_input_types"`
}

// control is the id of the control whose findings put a text into a category.
const control = "inference/content"

// Answer implements gateway.Inquiry. A text is flagged when it is of a category,
// and when the guardrail would not let it pass, whatever the reason.
func (q inquiry) Answer(j *gateway.Judgement) ([]byte, error) {
	out := struct {
		ID      string   `json:"id"`
		Model   string   `json:"model"`
		Results []result `json:"results"`
	}{ID: "modr-" + j.ID, Model: "ringwall", Results: []result{}}
	results := j.Each
	if !q.question.Apart {
		results = []guard.Result{j.In}
	}
	for _, res := range results {
		noticed := map[string]bool{}
		for _, f := range res.Findings {
			if f.Control == control && f.Excepted == "" {
				noticed[f.Reason] = true
			}
		}
		one := result{Flagged: res.Verdict.Action < ringwall.Mask, Categories: map[string]bool{}, Scores: map[string]float64{}, Applied: map[string][]string{}}
		for _, c := range categories {
			is, score, judged := c.of(noticed, res.Scores)
			one.Categories[c.name], one.Scores[c.name], one.Applied[c.name] = is, score, []string{}
			if judged {
				one.Applied[c.name] = []string{"text"}
			}
			one.Flagged = one.Flagged || is
		}
		out.Results = append(out.Results, one)
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("writing the answer: %w", err)
	}
	return b, nil
}
