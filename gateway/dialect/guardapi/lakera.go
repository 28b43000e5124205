package guardapi

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Lakera is Lakera Guard's screening of conversations, POST /v2/guard and, where how
// sure each detector is is told, /v2/guard/results.
type Lakera struct {
	parser
	results bool
}

// Name implements gateway.Inquirer.
func (Lakera) Name() string { return "lakera-guard" }

// Credential implements gateway.Inquirer.
func (Lakera) Credential(r *http.Request) (string, error) { return gateway.Shown(r) }

// AppendError implements gateway.Inquirer.
func (Lakera) AppendError(dst []byte, _ http.Header, r *ringwall.Refusal, id string) []byte {
	return errorBody(dst, map[string]any{"error": map[string]string{"code": r.Code, "message": r.Public + " (reference " + id + ")"}})
}

// screened is a request to screen a conversation.
type screened struct {
	question           gateway.Question
	project            string
	messages           int
	payload, breakdown bool
	dev                bool
	results            bool // how sure each detector is
}

var lakeraRoles = map[string]ringwall.Origin{
	"system": ringwall.System, "developer": ringwall.System, "user": ringwall.User, "assistant": ringwall.Assistant,
	"tool": ringwall.Tool, "function": ringwall.Tool,
}

// lakeraGrammar is that of messages, which are OpenAI's.
var lakeraGrammar = dialect.Grammar{
	Names: dialect.NameSet("id", "type", "role", "tool_call_id", "detail"),
	Medium: func(key string, v jsonedit.Value) string {
		raw := v.Raw()
		switch {
		case key == "url" && strings.HasPrefix(string(raw[1:min(len(raw), 12)]), "data:"):
			return "image-part"
		case key == "data" && len(raw) > dialect.LongestName:
			return "audio-part"
		case key == "file_data":
			return "file-part"
		}
		return ""
	},
}

// Read implements gateway.Inquirer. The last message is looked at as an answer if
// it is the assistant's, all others as what a model may read.
func (l Lakera) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := l.object(body)
	if err != nil {
		return nil, err
	}
	q := &screened{results: l.results, payload: root.Get("payload").True(), breakdown: root.Get("breakdown").True(), dev: root.Get("dev_info").True()}
	if q.project, _, err = text(body, root.Get("project_id"), "project_id"); err != nil {
		return nil, err
	}
	q.question.Guardrail = gateway.ParseRef(q.project)
	if q.project == "" {
		q.question.Guardrail = named(r)
	}
	messages := root.Get("messages")
	if messages.Kind() != jsonedit.Array {
		return nil, dialect.Invalid(body, messages, "messages", "want a list of messages")
	}
	for range messages.Elems() {
		q.messages++
	}
	if q.messages == 0 {
		return nil, dialect.Invalid(body, messages, "messages", "the list is empty")
	}
	prompt, answer := dialect.Locator{Grammar: lakeraGrammar}, dialect.Locator{Grammar: lakeraGrammar}
	for i, m := range messages.Elems() {
		path := "/messages/" + strconv.Itoa(i)
		origin, ok := lakeraRoles[m.Get("role").Text()]
		if !ok {
			return nil, dialect.Invalid(body, m.Get("role"), "messages["+strconv.Itoa(i)+"].role", "want system, developer, user, assistant or tool")
		}
		at := &prompt
		if i == q.messages-1 && origin == ringwall.Assistant {
			at = &answer
		}
		for key, v := range m.Members() {
			switch key {
			case "role":
			case "content":
				at.All(v, path+"/content", key, origin)
			case "tool_calls":
				for k, c := range v.Elems() {
					at.Arguments(c.Get("function").Get("arguments"), path+"/tool_calls/"+strconv.Itoa(k)+"/function/arguments", origin)
				}
			default:
				at.All(v, path+"/"+dialect.Pointer(key), key, ringwall.Unverified)
			}
		}
	}
	q.question.Prompt, q.question.Answer = prompt.Texts(), answer.Texts()
	q.question.Unseen = append(prompt.Unseen(), answer.Unseen()...)
	if len(q.question.Prompt)+len(q.question.Answer) == 0 {
		return nil, dialect.Invalid(body, messages, "messages", "there is no text")
	}
	return q, nil
}

// Question implements gateway.Inquiry.
func (q *screened) Question() gateway.Question { return q.question }

// lakeraNames are detectors by the reason of a finding, where Lakera has one for
// it.
var lakeraNames = map[string]string{
	"phone": "pii/phone_number", "credit-debit-card-number": "pii/credit_card", "international-bank-account-number": "pii/iban_code",
	"hate": "moderated_content/hate", "sexual": "moderated_content/sexual", "violence": "moderated_content/violence", "misconduct": "moderated_content/crime",
	"profanity": "moderated_content/profanity", "mild-profanity": "moderated_content/profanity",
}

// lakeraGroups are what detectors of a control are called.
var lakeraGroups = map[string]string{attack: "prompt_attack", content: "moderated_content", personal: "pii", links: "unknown_links"}

// detector names what notices something of a control.
func detector(control, reason string) string {
	if name, ok := lakeraNames[reason]; ok {
		return name
	}
	snake := strings.ReplaceAll(reason, "-", "_")
	switch control {
	case attack, links:
		return lakeraGroups[control]
	case content, personal:
		return lakeraGroups[control] + "/" + snake
	}
	return "custom/" + snake
}

// messageOf is the index of the message that a text is of.
func messageOf(path string) int {
	rest, _, _ := strings.Cut(strings.TrimPrefix(path, "/messages/"), "/")
	i, _ := strconv.Atoi(rest)
	return i
}

type lakeraPayload struct {
	Start   int      `json:"start"`
	End     int      `json:"end"`
	Text    string   `json:"text"`
	Type    string   `json:"detector_type"`
	Labels  []string `json:"labels"`
	Message int      `json:"message_id"`
}

type lakeraBreakdown struct {
	Project  string `json:"project_id"`
	Policy   string `json:"policy_id"`
	Detector string `json:"detector_id"`
	Type     string `json:"detector_type"`
	Detected bool   `json:"detected"`
	Message  int    `json:"message_id"`
}

// Answer implements gateway.Inquiry.
func (q *screened) Answer(j *gateway.Judgement) ([]byte, error) {
	if q.results {
		return q.sure(j)
	}
	out := struct {
		Flagged   bool               `json:"flagged"`
		Payload   *[]lakeraPayload   `json:"payload,omitempty"`
		Breakdown *[]lakeraBreakdown `json:"breakdown,omitempty"`
		Metadata  map[string]string  `json:"metadata"`
		Dev       map[string]string  `json:"dev_info,omitempty"`
	}{Flagged: acted(j), Metadata: map[string]string{"request_uuid": uuid(j.ID)}}
	if q.dev {
		out.Dev = map[string]string{"model_version": j.Guardrail.Guard.Name(), "version": "ringwall"}
	}
	if q.payload {
		out.Payload = &[]lakeraPayload{}
	}
	if q.breakdown {
		out.Breakdown = &[]lakeraBreakdown{}
	}
	seen, told := map[lakeraBreakdown]bool{}, map[string]bool{}
	for _, f := range all(j) {
		name, message := detector(f.Control, f.Reason), messageOf(f.Path)
		if q.payload && !f.Where.Empty() {
			*out.Payload = append(*out.Payload, lakeraPayload{f.Start, f.End, f.Match, name, []string{}, message})
		}
		if q.breakdown {
			told[f.Control] = true
			if b := q.part(j, name, message, true); !seen[b] {
				seen[b] = true
				*out.Breakdown = append(*out.Breakdown, b)
			}
		}
	}
	if q.breakdown {
		for _, control := range []string{attack, content, personal, links} {
			if !told[control] && (j.Ran(ringwall.Input, control) || j.Ran(ringwall.Output, control)) {
				*out.Breakdown = append(*out.Breakdown, q.part(j, lakeraGroups[control], q.messages-1, false))
			}
		}
	}
	return encode(out)
}

// lakeraLevel says how sure a score is, by the lines that strengths draw.
func lakeraLevel(score float64) string {
	switch high := guardrail.High.Least(); {
	case score >= guardrail.Low.Least():
		return "l1_confident"
	case score >= guardrail.Medium.Least():
		return "l2_very_likely"
	case score >= high:
		return "l3_likely"
	case score >= high/2:
		return "l4_less_likely"
	}
	return "l5_unlikely"
}

type lakeraResult struct {
	Project  string `json:"project_id"`
	Policy   string `json:"policy_id"`
	Detector string `json:"detector_id"`
	Type     string `json:"detector_type"`
	Result   string `json:"result"`
}

// sure tells how sure each detector that looked is, whatever the guardrail does about
// it: the most that it says of any text.
func (q *screened) sure(j *gateway.Judgement) ([]byte, error) {
	most := map[string]float64{}
	note := func(name string, score float64) { most[name] = max(most[name], score) }
	for _, way := range []ringwall.Direction{ringwall.Input, ringwall.Output} {
		scores := j.In.Scores
		if way == ringwall.Output {
			scores = j.Out.Scores
		}
		if j.Ran(way, attack) {
			score, _ := scores.Of(way, ringwall.ScoreAttack)
			note(lakeraGroups[attack], score)
		}
		for category, name := range contentScores {
			if score, judged := scores.Of(way, name); judged && j.Ran(way, content) {
				note(detector(content, category), score)
			}
		}
		for _, control := range []string{personal, links} {
			if j.Ran(way, control) {
				note(lakeraGroups[control], 0)
			}
		}
	}
	for _, f := range all(j) {
		name := detector(f.Control, f.Reason)
		if group := lakeraGroups[f.Control]; f.Control == personal {
			note(group, f.Score)
		}
		note(name, f.Score)
	}
	out := struct {
		Results  []lakeraResult    `json:"results"`
		Metadata map[string]string `json:"metadata"`
	}{Results: []lakeraResult{}, Metadata: map[string]string{"request_uuid": uuid(j.ID)}}
	for _, name := range slices.Sorted(maps.Keys(most)) {
		b := q.part(j, name, 0, false)
		out.Results = append(out.Results, lakeraResult{b.Project, b.Policy, b.Detector, name, lakeraLevel(most[name])})
	}
	return encode(out)
}

func (q *screened) part(j *gateway.Judgement, name string, message int, detected bool) lakeraBreakdown {
	return lakeraBreakdown{q.project, j.Guardrail.Guard.Name(), "detector-" + strings.NewReplacer("/", "-", "_", "-").Replace(name), name, detected, message}
}

// uuid writes the id of an exchange as clients expect one.
func uuid(id string) string {
	hex := strings.TrimPrefix(id, "x")
	if len(hex) != 32 {
		return id
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
}
