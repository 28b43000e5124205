package guardapi

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Harm is Azure AI Content Safety's text:analyze, which tells how much a text is
// of four categories of harm, whatever a guardrail does about it.
type Harm struct{ parser }

// Name implements gateway.Inquirer.
func (Harm) Name() string { return "azure-content-safety" }

// Credential implements gateway.Inquirer.
func (Harm) Credential(r *http.Request) (string, error) { return Shield{}.Credential(r) }

// AppendError implements gateway.Inquirer.
func (Harm) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	return Shield{}.AppendError(dst, h, r, id)
}

// azureCategory is one of Azure's, and the scores of ours that it takes the worst of.
type azureCategory struct {
	name   string
	scores []string
}

// azureCategories are in the order in which Azure tells of them.
var azureCategories = []azureCategory{
	{"Hate", []string{ringwall.ScoreHate, ringwall.ScoreInsult}},
	{"SelfHarm", []string{ringwall.ScoreSelfHarm}},
	{"Sexual", []string{ringwall.ScoreSexual}},
	{"Violence", []string{ringwall.ScoreViolence}},
}

// harmed is a request to tell how much a text is of categories.
type harmed struct {
	question   gateway.Question
	categories map[string]bool // none: all
	eight      bool            // levels from 0 to 7, else 0, 2, 4 and 6
}

// Read implements gateway.Inquirer.
func (a Harm) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := a.object(body)
	if err != nil {
		return nil, err
	}
	value, err := required(body, root.Get("text"), "text")
	if err != nil {
		return nil, err
	}
	q := &harmed{question: gateway.Question{Guardrail: named(r), Prompt: []ringwall.Text{{Path: "/text", Origin: ringwall.User, Value: value}}}, categories: map[string]bool{}}
	for _, key := range []string{"categories", "blocklistNames"} {
		if err := list(body, root.Get(key), key); err != nil {
			return nil, err
		}
	}
	for i, c := range root.Get("categories").Elems() {
		name := c.Text()
		if !slices.ContainsFunc(azureCategories, func(a azureCategory) bool { return a.name == name }) {
			return nil, dialect.Invalid(body, c, "categories["+strconv.Itoa(i)+"]", "want Hate, SelfHarm, Sexual or Violence")
		}
		q.categories[name] = true
	}
	for _, b := range root.Get("blocklistNames").Elems() {
		return nil, dialect.Invalid(body, b, "blocklistNames", "there is no blocklist %.80q: words are listed in a guardrail", b.Text())
	}
	switch v := root.Get("haltOnBlocklistHit"); v.Kind() {
	case jsonedit.Bool, jsonedit.Missing, jsonedit.Null:
	case jsonedit.String, jsonedit.Number, jsonedit.Object, jsonedit.Array:
		return nil, dialect.Invalid(body, v, "haltOnBlocklistHit", "want true or false")
	}
	switch v := root.Get("outputType"); {
	case v.Is("EightSeverityLevels"):
		q.eight = true
	case v.Is("FourSeverityLevels"), !v.Exists(), v.Kind() == jsonedit.Null:
	default:
		return nil, dialect.Invalid(body, v, "outputType", "want FourSeverityLevels or EightSeverityLevels")
	}
	return q, nil
}

// Question implements gateway.Inquiry.
func (q *harmed) Question() gateway.Question { return q.question }

// harmLevel is a score as a level from 0 to 7: the strengths of filters draw the lines
// between the even ones, and an odd one is the upper half of what is below the next.
func harmLevel(score float64) int {
	lines := []float64{0, guardrail.High.Least(), guardrail.Medium.Least(), guardrail.Low.Least(), 1}
	at := 0
	for at < len(lines)-2 && score >= lines[at+1] {
		at++
	}
	level := 2 * at
	if score >= (lines[at]+lines[at+1])/2 {
		level++
	}
	return level
}

// Answer implements gateway.Inquiry.
func (q *harmed) Answer(j *gateway.Judgement) ([]byte, error) {
	type analysis struct {
		Category string `json:"category"`
		Severity int    `json:"severity"`
	}
	out := struct {
		Blocklists []string   `json:"blocklistsMatch"`
		Categories []analysis `json:"categoriesAnalysis"`
	}{Blocklists: []string{}, Categories: []analysis{}}
	for _, c := range azureCategories {
		if len(q.categories) > 0 && !q.categories[c.name] {
			continue
		}
		worst := 0.0
		for _, name := range c.scores {
			score, judged := j.In.Scores.Of(ringwall.Input, name)
			if !judged || !j.Ran(ringwall.Input, content) {
				return nil, unlookedFor("harmful content")
			}
			worst = max(worst, score)
		}
		level := harmLevel(worst)
		if !q.eight {
			level -= level % 2
		}
		out.Categories = append(out.Categories, analysis{c.name, level})
	}
	return encode(out)
}
