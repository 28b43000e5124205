package guardrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// bedrockDoc is a guardrail as Amazon Bedrock's control plane writes it, by the
// member names of GetGuardrail. Those of CreateGuardrail and of CloudFormation
// are brought to these ([plain]).
type bedrockDoc struct {
	Name           string `json:"name,omitempty"`
	Description    string `json:"description,omitempty"`
	BlockedInput   string `json:"blockedInputMessaging,omitempty"`
	BlockedOutputs string `json:"blockedOutputsMessaging,omitempty"`
	Topic          *struct {
		Topics []bedrockTopic `json:"topics"`
	} `json:"topicPolicy,omitempty"`
	Content *struct {
		Filters []bedrockFilter `json:"filters"`
	} `json:"contentPolicy,omitempty"`
	Word *struct {
		Words   []bedrockWord    `json:"words"`
		Managed []bedrockManaged `json:"managedWordLists"`
	} `json:"wordPolicy,omitempty"`
	Sensitive *struct {
		PII     []bedrockPII   `json:"piiEntities"`
		Regexes []bedrockRegex `json:"regexes"`
	} `json:"sensitiveInformationPolicy,omitempty"`
	Grounding *struct {
		Filters []bedrockGrounding `json:"filters"`
	} `json:"contextualGroundingPolicy,omitempty"`
}

// ways says what is done on each way; a member that is not there means the
// usual.
type bedrockWays struct {
	InputAction   string `json:"inputAction,omitempty"`
	OutputAction  string `json:"outputAction,omitempty"`
	InputEnabled  *bool  `json:"inputEnabled,omitempty"`
	OutputEnabled *bool  `json:"outputEnabled,omitempty"`
}

type bedrockTopic struct {
	Name       string   `json:"name"`
	Definition string   `json:"definition"`
	Examples   []string `json:"examples,omitempty"`
	Type       string   `json:"type"`
	bedrockWays
}

type bedrockFilter struct {
	Type           string `json:"type"`
	InputStrength  string `json:"inputStrength"`
	OutputStrength string `json:"outputStrength"`
	bedrockWays
}

type bedrockWord struct {
	Text string `json:"text"`
	bedrockWays
}

type bedrockManaged struct {
	Type string `json:"type"`
	bedrockWays
}

type bedrockPII struct {
	Type   string `json:"type"`
	Action string `json:"action"`
	bedrockWays
}

type bedrockRegex struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Pattern     string `json:"pattern"`
	Action      string `json:"action"`
	bedrockWays
}

type bedrockGrounding struct {
	Type      string  `json:"type"`
	Threshold float64 `json:"threshold"`
	Action    string  `json:"action,omitempty"`
	Enabled   *bool   `json:"enabled,omitempty"`
}

// BedrockReason is where Ringwall finds a type of Bedrock's sensitive
// information.
type BedrockReason struct{ Control, Reason string }

// BedrockTypes maps the 31 types of Bedrock's sensitive information filter to
// what finds them here. Most reasons are the type itself in kebab-case.
var BedrockTypes = func() map[string][]BedrockReason {
	types := map[string][]BedrockReason{
		"AWS_ACCESS_KEY": {{"secret", "aws-access-key"}},
		"AWS_SECRET_KEY": {{"secret", "aws-secret-key"}},
	}
	for name := range strings.FieldsSeq(`ADDRESS AGE CA_HEALTH_NUMBER CA_SOCIAL_INSURANCE_NUMBER CREDIT_DEBIT_CARD_CVV CREDIT_DEBIT_CARD_EXPIRY
		CREDIT_DEBIT_CARD_NUMBER DRIVER_ID EMAIL INTERNATIONAL_BANK_ACCOUNT_NUMBER IP_ADDRESS LICENSE_PLATE MAC_ADDRESS NAME PASSWORD PHONE PIN
		SWIFT_CODE UK_NATIONAL_HEALTH_SERVICE_NUMBER UK_NATIONAL_INSURANCE_NUMBER UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER URL USERNAME
		US_BANK_ACCOUNT_NUMBER US_BANK_ROUTING_NUMBER US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER US_PASSPORT_NUMBER US_SOCIAL_SECURITY_NUMBER
		VEHICLE_IDENTIFICATION_NUMBER`) {
		types[name] = []BedrockReason{{"pii", strings.ReplaceAll(strings.ToLower(name), "_", "-")}}
	}
	return types
}()

// FromBedrock reads a guardrail that was exported from Amazon Bedrock: the JSON
// of GetGuardrail, of a CreateGuardrail or UpdateGuardrail request, or of the
// CloudFormation type AWS::Bedrock::Guardrail. It returns its name, and a Spec
// that does what Bedrock documents for it and nothing else; the notes say, in
// sentences, what was left out and what Bedrock does not have.
func FromBedrock(src []byte) (name string, s *Spec, notes []string, err error) {
	if err := new(jsonedit.Doc).Parse(src, jsonedit.Limits{}); err != nil {
		return "", nil, nil, fmt.Errorf("reading the Bedrock guardrail: %w", err)
	}
	var tree any
	if err := json.Unmarshal(src, &tree); err != nil {
		return "", nil, nil, fmt.Errorf("reading the Bedrock guardrail: %w", err)
	}
	members, ok := plain(tree).(map[string]any)
	if !ok {
		return "", nil, nil, errors.New("reading the Bedrock guardrail: want a JSON object")
	}
	if members = unwrapped(members); members["blockedInputMessaging"] == nil && members["name"] == nil {
		return "", nil, nil, errors.New("reading the Bedrock guardrail: it has neither a name nor a blockedInputMessaging: want the JSON of GetGuardrail, CreateGuardrail or AWS::Bedrock::Guardrail")
	}
	notes = leftOut(members)
	flat, err := json.Marshal(members)
	if err != nil {
		return "", nil, nil, fmt.Errorf("reading the Bedrock guardrail: %w", err)
	}
	var doc bedrockDoc
	dec := json.NewDecoder(bytes.NewReader(flat))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return "", nil, nil, fmt.Errorf("reading the Bedrock guardrail: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	in := &importer{s: Default()}
	in.all(&doc)
	if len(in.problems) > 0 {
		return "", nil, nil, fmt.Errorf("reading the Bedrock guardrail: %w", errors.Join(in.problems...))
	}
	notes = append(notes, in.notes...)
	notes = append(notes, "Bedrock looks for no leaks of instructions, links, code or disguises, and for no other credentials: these controls are off; take their lines away to have them.")
	return doc.Name, &in.s, notes, nil
}

// plain writes the member names of v as GetGuardrail does.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, val := range v {
			r, w := utf8.DecodeRuneInString(key)
			key = string(unicode.ToLower(r)) + key[w:]
			if p, ok := getNames[key]; ok {
				key = p
			}
			out[key] = plain(val)
		}
		return out
	}
	return v
}

// getNames are the names in GetGuardrail of what requests call otherwise.
var getNames = map[string]string{
	"topicPolicyConfig": "topicPolicy", "topicsConfig": "topics", "contentPolicyConfig": "contentPolicy", "filtersConfig": "filters",
	"wordPolicyConfig": "wordPolicy", "wordsConfig": "words", "managedWordListsConfig": "managedWordLists",
	"sensitiveInformationPolicyConfig": "sensitiveInformationPolicy", "piiEntitiesConfig": "piiEntities", "regexesConfig": "regexes",
	"contextualGroundingPolicyConfig": "contextualGroundingPolicy", "automatedReasoningPolicyConfig": "automatedReasoningPolicy",
	"contentFiltersTierConfig": "tier", "topicsTierConfig": "tier", "tierConfig": "tier", "crossRegionConfig": "crossRegionDetails",
}

// BedrockMembers returns what CreateGuardrail or UpdateGuardrail was given as
// GetGuardrail gives it back: under the names without "Config".
func BedrockMembers(request []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(request))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("reading the Bedrock guardrail: %w", err)
	}
	members := plain(tree).(map[string]any)
	if key := members["kmsKeyId"]; key != nil {
		members["kmsKeyArn"] = key
	}
	if r, ok := members["crossRegionDetails"].(map[string]any); ok {
		id := r["guardrailProfileIdentifier"]
		members["crossRegionDetails"] = map[string]any{"guardrailProfileId": id, "guardrailProfileArn": id}
	}
	for _, key := range []string{"kmsKeyId", "tags", "clientRequestToken"} {
		delete(members, key)
	}
	return members, nil
}

// unwrapped returns the guardrail in a CloudFormation template or resource.
func unwrapped(m map[string]any) map[string]any {
	if all, ok := m["resources"].(map[string]any); ok {
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if r, ok := all[id].(map[string]any); ok && r["type"] == "AWS::Bedrock::Guardrail" {
				m = r
				break
			}
		}
	}
	if p, ok := m["properties"].(map[string]any); ok {
		return p
	}
	return m
}

// leftOut takes out of m what has no meaning here, and says what that was.
func leftOut(m map[string]any) (notes []string) {
	for _, key := range []string{"guardrailId", "guardrailIdentifier", "guardrailArn", "version", "status", "statusReasons", "failureRecommendations", "createdAt", "updatedAt", "clientRequestToken", "responseMetadata"} {
		delete(m, key)
	}
	for _, x := range []struct{ key, note string }{
		{"kmsKeyArn", "The KMS key is left out: guardrails here are files."},
		{"kmsKeyId", "The KMS key is left out: guardrails here are files."},
		{"tags", "Tags are left out."},
		{"crossRegionDetails", "The cross-Region profile is left out: texts are looked at where Ringwall runs."},
		{"automatedReasoningPolicy", "Automated reasoning policies are left out: there is no counterpart yet."},
	} {
		if m[x.key] != nil {
			notes = append(notes, x.note)
		}
		delete(m, x.key)
	}
	for _, key := range []string{"topicPolicy", "contentPolicy"} {
		if p, ok := m[key].(map[string]any); ok {
			delete(p, "tier")
		}
	}
	if p, ok := m["contentPolicy"].(map[string]any); ok {
		filters, _ := p["filters"].([]any)
		for _, f := range filters {
			if f, ok := f.(map[string]any); ok {
				for _, key := range []string{"inputModalities", "outputModalities"} {
					if kinds, _ := f[key].([]any); slices.Contains(kinds, any("IMAGE")) {
						notes = append(notes, fmt.Sprintf("Images are not looked at: the IMAGE modality of %v is left out.", f["type"]))
					}
					delete(f, key)
				}
			}
		}
	}
	return notes
}

// importer turns a Bedrock guardrail into a Spec.
type importer struct {
	s        Spec
	problems []error
	notes    []string
}

func (in *importer) problem(format string, args ...any) {
	in.problems = append(in.problems, fmt.Errorf(format, args...))
}

func (in *importer) all(doc *bedrockDoc) {
	s := &in.s
	for _, n := range s.Rules() {
		n.Rule.Input, n.Rule.Output = Act{Off: true}, Act{Off: true}
	}
	s.Description = doc.Description
	if doc.BlockedInput != "" {
		s.InputMessage = doc.BlockedInput
	}
	if doc.BlockedOutputs != "" {
		s.OutputMessage = doc.BlockedOutputs
	}
	if doc.Topic != nil {
		in.topics(doc.Topic.Topics)
	}
	if doc.Content != nil {
		in.filters(doc.Content.Filters)
	}
	if doc.Word != nil {
		in.words(doc.Word.Words, doc.Word.Managed)
	}
	if doc.Sensitive != nil {
		in.pii(doc.Sensitive.PII)
		in.regexes(doc.Sensitive.Regexes)
	}
	if doc.Grounding != nil {
		in.grounding(doc.Grounding.Filters)
	}
}

// acts returns what is done each way. usual is the action where a way names
// none.
func (in *importer) acts(what, usual string, w bedrockWays) (input, output Act) {
	act := func(way, action string, enabled *bool) Act {
		if action == "" {
			action = usual
		}
		switch {
		case enabled != nil && !*enabled:
			return Act{Off: true}
		case action == "BLOCK":
			return Act{}
		case action == "ANONYMIZE":
			return Act{Action: mask}
		case action == "NONE":
			return Act{Action: flag}
		}
		in.problem("%s: unknown %s action %q: want BLOCK, ANONYMIZE or NONE", what, way, action)
		return Act{}
	}
	return act("input", w.InputAction, w.InputEnabled), act("output", w.OutputAction, w.OutputEnabled)
}

func (in *importer) topics(topics []bedrockTopic) {
	t := &in.s.Topic
	for _, b := range topics {
		input, output := in.acts("topic "+b.Name, "BLOCK", b.bedrockWays)
		t.Topics = append(t.Topics, Denied{
			Name: slug(b.Name), Title: title(b.Name), Definition: b.Definition, Examples: b.Examples,
			Input: &input, Output: &output,
		})
	}
}

func (in *importer) filters(filters []bedrockFilter) {
	c := &in.s.Content
	for _, f := range filters {
		input, output := in.acts("content filter "+f.Type, "BLOCK", f.bedrockWays)
		is, os := in.strength(f.Type, f.InputStrength), in.strength(f.Type, f.OutputStrength)
		category, known := bedrockCategories[f.Type]
		switch {
		case f.Type == "PROMPT_ATTACK":
			in.s.Attack.Input, in.s.Attack.Strength = input, is
			if is == None {
				in.s.Attack.Input = Act{Off: true}
			}
			continue
		case !known:
			in.problem("unknown content filter %q: want one of %v or PROMPT_ATTACK", f.Type, slices.Sorted(maps.Keys(bedrockCategories)))
			continue
		}
		c.put(category, input, output)
		put(&c.InStrength, category, is)
		put(&c.OutStrength, category, os)
	}
}

var bedrockCategories = map[string]string{"HATE": "hate", "INSULTS": "insult", "SEXUAL": "sexual", "VIOLENCE": "violence", "MISCONDUCT": "misconduct"}

func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// put sets what is done about a reason each way.
func (r *Rule) put(reason string, input, output Act) {
	if input == output {
		put(&r.Reasons, reason, input)
		return
	}
	put(&r.InReasons, reason, input)
	put(&r.OutReasons, reason, output)
}

func (in *importer) strength(what, name string) Strength {
	var s Strength
	if name == "" {
		return None
	}
	if err := s.UnmarshalText([]byte(strings.ToLower(name))); err != nil {
		in.problem("content filter %s: unknown strength %q: want NONE, LOW, MEDIUM or HIGH", what, name)
	}
	return s
}

// words makes a list of the words for each pair of actions.
func (in *importer) words(words []bedrockWord, managed []bedrockManaged) {
	w := &in.s.Word
	for _, b := range words {
		input, output := in.acts("word "+b.Text, "BLOCK", b.bedrockWays)
		i := slices.IndexFunc(w.Lists, func(l List) bool { return *l.Input == input && *l.Output == output })
		if i < 0 {
			i = len(w.Lists)
			name := "word"
			if i > 0 {
				name = fmt.Sprintf("word-%d", i+1)
			}
			w.Lists = append(w.Lists, List{Name: name, Input: &input, Output: &output})
		}
		w.Lists[i].Words = append(w.Lists[i].Words, b.Text)
	}
	for _, m := range managed {
		if m.Type != "PROFANITY" {
			in.problem("unknown managed word list %q: want PROFANITY", m.Type)
			continue
		}
		input, output := in.acts("managed word list "+m.Type, "BLOCK", m.bedrockWays)
		w.Managed = []string{"profanity"}
		w.put("profanity", input, output)
		w.put("mild-profanity", input, output)
	}
}

func (in *importer) pii(entities []bedrockPII) {
	for _, e := range entities {
		reasons, known := BedrockTypes[e.Type]
		if !known {
			in.problem("unknown type of sensitive information %q: want one of %v", e.Type, slices.Sorted(maps.Keys(BedrockTypes)))
			continue
		}
		input, output := in.acts("type "+e.Type, e.Action, e.bedrockWays)
		for _, r := range reasons {
			rule := &in.s.PII.Rule
			if r.Control == "secret" {
				rule = &in.s.Secret.Rule
			}
			rule.put(r.Reason, input, output)
			if e.Type == "URL" { // every address of a page is one
				put(&rule.LeastBy, r.Reason, 0)
			}
		}
	}
}

func (in *importer) regexes(regexes []bedrockRegex) {
	for _, b := range regexes {
		input, output := in.acts("regex "+b.Name, b.Action, b.bedrockWays)
		in.s.PII.Recognizers = append(in.s.PII.Recognizers, Recognizer{
			Name: slug(b.Name), Title: title(b.Name), Description: b.Description, Patterns: []Pattern{{Regex: b.Pattern, Score: 1}},
			Input: &input, Output: &output, Mask: "{" + b.Name + "}",
		})
	}
}

func (in *importer) grounding(filters []bedrockGrounding) {
	g := &in.s.Grounding
	for _, f := range filters {
		if f.Enabled != nil && !*f.Enabled {
			continue
		}
		_, act := in.acts("grounding filter "+f.Type, "BLOCK", bedrockWays{OutputAction: f.Action})
		switch f.Type {
		case "GROUNDING":
			g.Grounding = f.Threshold
			put(&g.OutReasons, "grounding", act)
		case "RELEVANCE":
			g.Relevance = f.Threshold
			put(&g.OutReasons, "relevance", act)
		default:
			in.problem("unknown grounding filter %q: want GROUNDING or RELEVANCE", f.Type)
		}
	}
}

// slug writes a name in kebab-case.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// title is name where its slug says less.
func title(name string) string {
	if slug(name) == name {
		return ""
	}
	return name
}
