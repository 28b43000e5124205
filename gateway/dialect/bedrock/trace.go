package bedrock

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
)

// entities are the types of personal data that Bedrock knows.
var entities = []string{
	"ADDRESS", "AGE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CA_HEALTH_NUMBER", "CA_SOCIAL_INSURANCE_NUMBER", "CREDIT_DEBIT_CARD_CVV",
	"CREDIT_DEBIT_CARD_EXPIRY", "CREDIT_DEBIT_CARD_NUMBER", "DRIVER_ID", "EMAIL", "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "IP_ADDRESS",
	"LICENSE_PLATE", "MAC_ADDRESS", "NAME", "PASSWORD", "PHONE", "PIN", "SWIFT_CODE", "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
	"UK_NATIONAL_INSURANCE_NUMBER", "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "URL", "USERNAME", "US_BANK_ACCOUNT_NUMBER",
	"US_BANK_ROUTING_NUMBER", "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "US_PASSPORT_NUMBER", "US_SOCIAL_SECURITY_NUMBER",
	"VEHICLE_IDENTIFICATION_NUMBER",
}

// categories are the filters of Bedrock by the reasons of the control of content.
var categories = map[string]string{
	"hate": "HATE", "insult": "INSULTS", "sexual": "SEXUAL", "violence": "VIOLENCE", "misconduct": "MISCONDUCT",
}

// Shapes of an assessment.
type (
	assessment struct {
		Topics    *topics    `json:"topicPolicy,omitempty"`
		Content   *filters   `json:"contentPolicy,omitempty"`
		Words     *words     `json:"wordPolicy,omitempty"`
		Sensitive *sensitive `json:"sensitiveInformationPolicy,omitempty"`
		Grounding *filters   `json:"contextualGroundingPolicy,omitempty"`
	}
	topics struct {
		Topics []entry `json:"topics"`
	}
	filters struct {
		Filters []entry `json:"filters"`
	}
	words struct {
		Custom  []entry `json:"customWords"`
		Managed []entry `json:"managedWordLists"`
	}
	sensitive struct {
		Entities []entry `json:"piiEntities"`
		Regexes  []entry `json:"regexes"`
	}
	entry struct {
		Name       string   `json:"name,omitempty"`
		Match      *string  `json:"match,omitempty"` // always empty: findings hold no texts
		Type       string   `json:"type,omitempty"`
		Confidence string   `json:"confidence,omitempty"`
		Threshold  *float64 `json:"threshold,omitempty"`
		Score      *float64 `json:"score,omitempty"`
		Action     string   `json:"action"`
		Detected   bool     `json:"detected"`
	}
)

// trace returns what a client that asked for it is told of what policy did, as
// Bedrock has it in trace.guardrail; nil when nothing is told. What withheld
// something has blocked, whatever it found.
func trace(g guardrail, d gateway.Declined, withheld bool) []byte {
	return traceOf(g, d, withheld, false)
}

// traceInvoked is trace for InvokeModel, which has other words for the same. Clients
// that look for those of Converse find them, too.
func traceInvoked(g guardrail, d gateway.Declined, withheld bool) []byte {
	return traceOf(g, d, withheld, true)
}

func traceOf(g guardrail, d gateway.Declined, withheld, invoked bool) []byte {
	if !g.traced() {
		return nil
	}
	out := struct {
		Reason  string                   `json:"actionReason"`
		Input   map[string]*assessment   `json:"inputAssessment,omitempty"`
		Output  map[string][]*assessment `json:"outputAssessments,omitempty"`
		Invoked map[string]*assessment   `json:"input,omitempty"`
		Answers []map[string]*assessment `json:"outputs,omitempty"`
	}{Reason: "No action."}
	if masked(d, 0) {
		out.Reason = "Guardrail masked."
	}
	if withheld {
		out.Reason = "Guardrail blocked."
	}
	full := g.trace == "enabled_full"
	out.Input = assess(d, 0, d.Inputs, full)
	answers := assess(d, d.Inputs, len(d.Findings), full)
	for id, a := range answers {
		if out.Output == nil {
			out.Output = map[string][]*assessment{}
		}
		out.Output[id] = []*assessment{a}
	}
	if invoked {
		out.Invoked = out.Input
		if len(answers) > 0 {
			out.Answers = []map[string]*assessment{answers}
		}
	}
	b, _ := json.Marshal(out) // of strings and numbers
	return b
}

// action is what came of the i-th finding. Who does not say what came of them has
// blocked them.
func action(d *gateway.Declined, i int) ringwall.Action {
	if i < len(d.Actions) {
		return d.Actions[i]
	}
	return ringwall.Block
}

// masked reports whether anything was masked by a finding from one on.
func masked(d gateway.Declined, from int) bool {
	for i := from; i < len(d.Findings); i++ {
		if action(&d, i) == ringwall.Mask {
			return true
		}
	}
	return false
}

// assess tells of the findings from one to another, by the guardrail that noticed
// them: of those by which something came, or of all.
func assess(d gateway.Declined, from, to int, full bool) map[string]*assessment {
	var out map[string]*assessment
	for i := from; i < to && i < len(d.Findings); i++ {
		action := action(&d, i)
		if action > ringwall.Mask && !full {
			continue
		}
		id, _, _ := strings.Cut(cmp.Or(d.Findings[i].Guardrail, d.Guardrail), "@")
		if out == nil {
			out = map[string]*assessment{}
		}
		if out[id] == nil {
			out[id] = &assessment{}
		}
		out[id].add(d.Findings[i], action)
	}
	return out
}

func (a *assessment) add(f ringwall.Finding, action ringwall.Action) {
	e := entry{Action: "NONE", Detected: true}
	if action <= ringwall.Hold {
		e.Action = "BLOCKED"
	}
	switch f.Control {
	case "inference/topic":
		if a.Topics == nil {
			a.Topics = &topics{}
		}
		e.Name, e.Type = f.Reason, "DENY"
		a.Topics.Topics = once(a.Topics.Topics, e)
	case "inference/content", "inference/prompt-attack":
		if e.Type = categories[f.Reason]; f.Control == "inference/prompt-attack" {
			e.Type = "PROMPT_ATTACK"
		} else if e.Type == "" {
			a.pattern(f, e, action)
			return
		}
		if a.Content == nil {
			a.Content = &filters{}
		}
		e.Confidence = confidence(f.Score)
		a.Content.Filters = once(a.Content.Filters, e)
	case "inference/word":
		if a.Words == nil {
			a.Words = &words{Custom: []entry{}, Managed: []entry{}}
		}
		if e.Match = new(string); strings.Contains(f.Reason, "profanity") {
			e.Type = "PROFANITY"
			a.Words.Managed = append(a.Words.Managed, e)
		} else {
			a.Words.Custom = append(a.Words.Custom, e)
		}
	case "inference/grounding":
		if a.Grounding == nil {
			a.Grounding = &filters{}
		}
		if e.Type = "GROUNDING"; f.Reason == "relevance" {
			e.Type = "RELEVANCE"
		}
		score, threshold := 1-f.Score, 0.5
		e.Score, e.Threshold = &score, &threshold
		a.Grounding.Filters = append(a.Grounding.Filters, e)
	default:
		a.pattern(f, e, action)
	}
}

// once adds what a filter or a topic found, however many findings say so: that of
// which most came, then the most confident.
func once(all []entry, e entry) []entry {
	rank := func(e entry) int {
		n := slices.Index(confidences, e.Confidence)
		if e.Action == "BLOCKED" {
			n += len(confidences)
		}
		return n
	}
	i := slices.IndexFunc(all, func(o entry) bool { return o.Type == e.Type && o.Name == e.Name })
	switch {
	case i < 0:
		return append(all, e)
	case rank(e) > rank(all[i]):
		all[i] = e
	}
	return all
}

// confidences are Bedrock's, rising; topics have none.
var confidences = []string{"", "NONE", "LOW", "MEDIUM", "HIGH"}

// pattern tells of personal data, and of all that Bedrock has no word for, by its
// own name, among the expressions.
func (a *assessment) pattern(f ringwall.Finding, e entry, action ringwall.Action) {
	if a.Sensitive == nil {
		a.Sensitive = &sensitive{Entities: []entry{}, Regexes: []entry{}}
	}
	if action == ringwall.Mask {
		e.Action = "ANONYMIZED"
	}
	e.Match = new(string)
	if name := strings.ToUpper(strings.ReplaceAll(f.Reason, "-", "_")); slices.Contains(entities, name) {
		e.Type = name
		a.Sensitive.Entities = append(a.Sensitive.Entities, e)
		return
	}
	e.Name = f.Reason
	a.Sensitive.Regexes = append(a.Sensitive.Regexes, e)
}

func confidence(score float64) string {
	switch {
	case score >= 0.8:
		return "HIGH"
	case score >= 0.5:
		return "MEDIUM"
	case score > 0:
		return "LOW"
	}
	return "NONE"
}
