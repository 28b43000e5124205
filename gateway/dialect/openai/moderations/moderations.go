// Package moderations speaks OpenAI's moderations API. No model is asked: what the
// guardrail in force says of a text is the answer.
package moderations

import (
	"encoding/json"
	"errors"
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

// Dialect is the dialect of POST /v1/moderations.
type Dialect struct {
	openai.Common
	Limits jsonedit.Limits // of requests
}

// Name implements gateway.Dialect.
func (Dialect) Name() string { return API }

var _ gateway.Dialect = Dialect{}

// request implements gateway.Judged.
type request struct {
	*openai.Plain
	cuts []int // where in the texts each question ends
}

var _ gateway.Judged = (*request)(nil)

// Read implements gateway.Dialect.
func (d Dialect) Read(_ *http.Request, body []byte) (gateway.Request, error) {
	plain, root, err := openai.ReadJudged(body, d.Limits)
	if err != nil {
		return nil, err
	}
	r := &request{Plain: plain}
	input := root.Get("input")
	first := jsonedit.Value{}
	for _, e := range input.Elems() {
		first = e
		break
	}
	if first.Kind() != jsonedit.Object {
		if err := r.Prompt(input, "input"); err != nil {
			return nil, err
		}
		for i := range r.Texts() {
			r.cuts = append(r.cuts, i+1)
		}
		return r, nil
	}
	for i, e := range input.Elems() {
		at := "input[" + strconv.Itoa(i) + "]"
		if e.Kind() != jsonedit.Object {
			return nil, dialect.Invalid(body, e, at, "strings and parts do not go together")
		}
		if kind := e.Get("type"); !kind.Is("text") && !kind.Is("image_url") {
			return nil, dialect.Invalid(body, kind, at+".type", "want text or image_url, not %.40q", kind.Text())
		}
		r.All(e, "/input/"+strconv.Itoa(i), "", ringwall.User)
	}
	r.cuts = []int{len(r.Texts())}
	return r, nil
}

// Passages implements gateway.Judged.
func (r *request) Passages() (out []gateway.Passage) {
	from := 0
	for _, to := range r.cuts {
		out = append(out, gateway.Passage{Way: ringwall.Input, Texts: r.Texts()[from:to]})
		from = to
	}
	return out
}

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

// Judgement implements gateway.Judged. A text is flagged when it is of a category,
// and when the guardrail would not let it pass, whatever the reason.
func (r *request) Judgement(id string, results []guard.Result) []byte {
	out := struct {
		ID      string   `json:"id"`
		Model   string   `json:"model"`
		Results []result `json:"results"`
	}{ID: "modr-" + id, Model: "ringwall", Results: []result{}}
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
	if err != nil { // of these types there is none
		return []byte(`{}`)
	}
	return b
}

var errNoModel = errors.New("reading the model's answer: no model is asked")

// Answer implements gateway.Dialect. No model is asked.
func (Dialect) Answer(gateway.Request, []byte) (gateway.Answer, error) { return nil, errNoModel }

// Relay implements gateway.Dialect. No request is streamed.
func (Dialect) Relay(gateway.Request, gateway.Open) gateway.Relay { return openai.Unstreamed{} }
