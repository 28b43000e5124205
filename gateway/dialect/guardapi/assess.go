package guardapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard/guardrail"
)

// assessed gathers an assessment from findings.
type assessed struct {
	a    assessment
	j    *gateway.Judgement
	way  ringwall.Direction
	full bool
	fs   []noticed
	seen map[any]bool // entries that are there
}

// bedrockFilters are the categories of content by their names in Bedrock. It has
// none for self-harm.
var bedrockFilters = map[string]string{
	"hate": "HATE", "insult": "INSULTS", "sexual": "SEXUAL", "violence": "VIOLENCE", "misconduct": "MISCONDUCT", "self-harm": "SELF_HARM",
}

// contentScores are the names of scores by category.
var contentScores = map[string]string{
	"hate": ringwall.ScoreHate, "insult": ringwall.ScoreInsult, "sexual": ringwall.ScoreSexual, "violence": ringwall.ScoreViolence,
	"misconduct": ringwall.ScoreMisconduct, "self-harm": ringwall.ScoreSelfHarm,
}

// bedrockEntities are the types of sensitive information by control and reason.
var bedrockEntities = func() map[guardrail.BedrockReason]string {
	out := map[guardrail.BedrockReason]string{}
	for name, reasons := range guardrail.BedrockTypes {
		for _, r := range reasons {
			out[r] = name
		}
	}
	return out
}()

func bedrockAction(a ringwall.Action) string {
	switch a {
	case ringwall.Block, ringwall.Hold:
		return "BLOCKED"
	case ringwall.Mask:
		return "ANONYMIZED"
	case ringwall.Flag, ringwall.Allow:
	}
	return "NONE"
}

// sterner returns the stricter of two actions of Bedrock.
func sterner(a, b string) string {
	order := []string{"BLOCKED", "ANONYMIZED", "NONE"}
	return order[max(0, min(slices.Index(order, a), slices.Index(order, b)))]
}

// confidence names how sure a score is, by the lines that strengths draw.
func confidence(score float64) string {
	switch {
	case score >= guardrail.Low.Least():
		return "HIGH"
	case score >= guardrail.Medium.Least():
		return "MEDIUM"
	case score >= guardrail.High.Least():
		return "LOW"
	}
	return "NONE"
}

func (x *assessed) all() {
	for _, f := range x.fs {
		match := f.Match
		switch action := bedrockAction(f.Action); f.Control {
		case topic:
			x.topic(x.title(f.Reason), action, true)
		case content:
			x.filter(bedrockFilters[f.Reason], f.Reason, f.Score, action, true)
		case attack:
			x.filter("PROMPT_ATTACK", "", f.Score, action, true)
		case word:
			x.word(f.Reason, match, action)
		case grounding: // its filters have scores
		default:
			x.sensitive(f.Control, f.Reason, match, action)
		}
	}
	if x.full {
		x.rest()
	}
	x.grounding()
}

// first reports whether an entry is not there yet.
func (x *assessed) first(entry any) bool {
	was := x.seen[entry]
	x.seen[entry] = true
	return !was
}

// title is the name of a topic for people.
func (x *assessed) title(reason string) string {
	for _, t := range x.j.Guardrail.Spec.Topic.Topics {
		if t.Name == reason {
			return cmp.Or(t.Title, t.Name)
		}
	}
	return reason
}

func (x *assessed) topic(name, action string, detected bool) {
	if x.a.Topic == nil {
		x.a.Topic = &topicAssessment{}
	}
	for i := range x.a.Topic.Topics {
		if t := &x.a.Topic.Topics[i]; t.Name == name {
			t.Action = sterner(t.Action, action)
			return
		}
	}
	x.a.Topic.Topics = append(x.a.Topic.Topics, topicEntry{name, "DENY", action, detected})
}

func (x *assessed) filter(kind, category string, score float64, action string, detected bool) {
	if x.a.Content == nil {
		x.a.Content = &contentAssessment{}
	}
	if name := cmp.Or(contentScores[category], ringwall.ScoreAttack); score == 0 || detected {
		if all, ok := x.scores().Of(x.way, name); ok {
			score = max(score, all)
		}
	}
	for i := range x.a.Content.Filters {
		if f := &x.a.Content.Filters[i]; f.Type == kind {
			f.Action = sterner(f.Action, action)
			return
		}
	}
	sure := confidence(score)
	if detected && sure == "NONE" {
		sure = "LOW" // a guardrail's own threshold may lie below all strengths
	}
	x.a.Content.Filters = append(x.a.Content.Filters, filterEntry{kind, sure, x.strength(category), action, detected})
}

func (x *assessed) scores() ringwall.Scores {
	if x.way == ringwall.Output {
		return x.j.Out.Scores
	}
	return x.j.In.Scores
}

// strength is that of the filter of a category, of attacks where it is "".
func (x *assessed) strength(category string) string {
	s := x.j.Guardrail.Spec
	strength, by := guardrail.Medium, s.Content.InStrength
	if x.way == ringwall.Output {
		by = s.Content.OutStrength
	}
	if own, ok := by[category]; ok {
		strength = own
	}
	if category == "" {
		strength = s.Attack.Strength
	}
	return strings.ToUpper(strength.String())
}

func (x *assessed) word(reason, match, action string) {
	if x.a.Word == nil {
		x.a.Word = &wordAssessment{Custom: []wordEntry{}, Managed: []wordEntry{}}
	}
	e, list := wordEntry{Match: match, Action: action, Detected: true}, &x.a.Word.Custom
	if strings.HasSuffix(reason, "profanity") {
		e.Type, list = "PROFANITY", &x.a.Word.Managed
	}
	if x.first(e) {
		*list = append(*list, e)
	}
}

// sensitive adds what was found by its type in Bedrock, else by its pattern, and
// what Bedrock does not look for as if it were a pattern of that name.
func (x *assessed) sensitive(control, reason, match, action string) {
	if x.a.Sensitive == nil {
		x.a.Sensitive = &sensitiveAssessment{PII: []entityEntry{}, Regexes: []regexEntry{}}
	}
	s := x.a.Sensitive
	key := strings.TrimPrefix(control, "inference/")
	if kind, ok := bedrockEntities[guardrail.BedrockReason{Control: key, Reason: reason}]; ok {
		if e := (entityEntry{match, kind, action, true}); x.first(e) {
			s.PII = append(s.PII, e)
		}
		return
	}
	e := regexEntry{Name: reason, Match: match, Action: action, Detected: true}
	for _, r := range x.j.Guardrail.Spec.PII.Recognizers {
		if control == personal && r.Name == reason {
			e.Name = cmp.Or(r.Title, r.Name)
			if len(r.Patterns) > 0 {
				e.Regex = r.Patterns[0].Regex
			}
		}
	}
	if x.first(e) {
		s.Regexes = append(s.Regexes, e)
	}
}

// rest adds what was looked for and not found.
func (x *assessed) rest() {
	s := x.j.Guardrail.Spec
	if x.j.Ran(x.way, topic) {
		for _, t := range s.Topic.Topics {
			x.topic(cmp.Or(t.Title, t.Name), "NONE", false)
		}
	}
	if x.j.Ran(x.way, content) {
		for _, category := range slices.Sorted(maps.Keys(bedrockFilters)) {
			if x.looks(content, category) {
				x.filter(bedrockFilters[category], category, 0, "NONE", false)
			}
		}
	}
	if x.j.Ran(x.way, attack) {
		x.filter("PROMPT_ATTACK", "", 0, "NONE", false)
	}
	for _, kind := range slices.Sorted(maps.Keys(guardrail.BedrockTypes)) {
		if r := guardrail.BedrockTypes[kind][0]; !x.looks("inference/"+r.Control, r.Reason) {
			continue
		}
		if x.a.Sensitive == nil {
			x.a.Sensitive = &sensitiveAssessment{PII: []entityEntry{}, Regexes: []regexEntry{}}
		}
		if !slices.ContainsFunc(x.a.Sensitive.PII, func(e entityEntry) bool { return e.Type == kind }) {
			x.a.Sensitive.PII = append(x.a.Sensitive.PII, entityEntry{Type: kind, Action: "NONE"})
		}
	}
}

// looks reports whether the guardrail looks for a reason and says so when it
// finds it.
func (x *assessed) looks(control, reason string) bool {
	origin := ringwall.User
	if x.way == ringwall.Output {
		origin = ringwall.Assistant
	}
	g := x.j.Guardrail.Guard
	least, ok := g.Least(x.way, origin, control, reason)
	sure := ringwall.Finding{Control: control, Reason: reason, Score: 1}
	return ok && least <= 1 && g.Decide(x.way, origin, []ringwall.Finding{sure}).Action != ringwall.Allow
}

func (x *assessed) grounding() {
	g := &x.j.Guardrail.Spec.Grounding
	for _, f := range []struct {
		kind, score string
		least       float64
	}{{"GROUNDING", ringwall.ScoreGrounding, g.Grounding}, {"RELEVANCE", ringwall.ScoreRelevance, g.Relevance}} {
		score, ok := x.scores().Of(x.way, f.score)
		if !ok || f.least == 0 {
			continue
		}
		e := groundingEntry{Type: f.kind, Threshold: f.least, Score: score, Action: "NONE"}
		for _, n := range x.fs {
			if n.Control == grounding && n.Reason == f.score {
				e.Action, e.Detected = sterner(e.Action, bedrockAction(n.Action)), true
			}
		}
		if x.a.Grounding == nil {
			x.a.Grounding = &groundingAssessment{}
		}
		x.a.Grounding.Filters = append(x.a.Grounding.Filters, e)
	}
}

// units is how many text units so many characters are.
func units(characters int) int { return (characters + 999) / 1000 }

// metrics says what looking took.
func (q *applied) metrics(j *gateway.Judgement) invocationMetrics {
	s := j.Guardrail.Spec
	n := units(q.guarded)
	m := invocationMetrics{Latency: j.Took.Milliseconds(), Coverage: coverage{Characters: covered{q.guarded, q.total}}}
	if q.images > 0 {
		m.Coverage.Images = &covered{0, q.images}
	}
	if j.Ran(q.way, topic) {
		m.Usage.Topic = n
	}
	if j.Ran(q.way, content) || j.Ran(q.way, attack) {
		m.Usage.Content = n
	}
	if j.Ran(q.way, word) {
		m.Usage.Word = n
	}
	if j.Ran(q.way, personal) || j.Ran(q.way, secret) {
		if rest, by := s.PII.On(q.way); !rest.Off || len(by) > 0 || j.Ran(q.way, secret) {
			m.Usage.Sensitive = n
		}
		if len(s.PII.Recognizers) > 0 {
			m.Usage.SensitiveFree = n
		}
	}
	if j.Ran(q.way, grounding) {
		all := utf8.RuneCountInString(q.question.Query)
		for _, t := range q.question.Sources {
			all += utf8.RuneCountInString(t)
		}
		for _, t := range q.texts() {
			all += utf8.RuneCountInString(t.Value)
		}
		m.Usage.Grounding = units(all)
	}
	return m
}

// Answer implements gateway.Inquiry.
func (q *applied) Answer(j *gateway.Judgement) ([]byte, error) {
	x := &assessed{j: j, way: q.way, full: q.full, fs: all(j), seen: map[any]bool{}}
	x.a.Metrics = q.metrics(j)
	version := j.Guardrail.Version
	if version == guardrail.Draft {
		version = "DRAFT"
	}
	origin := "REQUEST"
	if q.enforced {
		origin = "ACCOUNT_ENFORCED"
	}
	x.a.Applied = appliedGuardrail{j.Guardrail.Name, version, ARN(j.Guardrail.Name), []string{origin}, "SELF"}
	x.all()
	type text struct {
		Text string `json:"text"`
	}
	out := struct {
		Action      string       `json:"action"`
		Reason      string       `json:"actionReason"`
		Outputs     []text       `json:"outputs"`
		Assessments []assessment `json:"assessments"`
		Usage       usage        `json:"usage"`
		Coverage    coverage     `json:"guardrailCoverage"`
	}{"NONE", "No action.", []text{}, []assessment{x.a}, x.a.Metrics.Usage, x.a.Metrics.Coverage}
	switch j.Verdict().Action {
	case ringwall.Block, ringwall.Hold:
		out.Action, out.Reason = "GUARDRAIL_INTERVENED", "Guardrail blocked."
		out.Outputs = append(out.Outputs, text{j.Guardrail.Message(q.way)})
	case ringwall.Mask:
		out.Action, out.Reason = "GUARDRAIL_INTERVENED", "Guardrail masked."
		for i := range q.texts() {
			out.Outputs = append(out.Outputs, text{changed(j, q.way, i)})
		}
	case ringwall.Flag, ringwall.Allow:
	}
	return encode(out)
}

// ARN names a guardrail as Amazon does, in a Region and an account that it has
// not.
func ARN(id string) string { return "arn:aws:bedrock:ringwall:000000000000:guardrail/" + id }
