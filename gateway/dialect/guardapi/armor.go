package guardapi

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Armor is Google's Model Armor: sanitizeUserPrompt and sanitizeModelResponse of
// a template, which is a guardrail.
type Armor struct{ parser }

// Name implements gateway.Inquirer.
func (Armor) Name() string { return "model-armor" }

// Credential implements gateway.Inquirer.
func (Armor) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "X-Goog-Api-Key") }

// AppendError implements gateway.Inquirer.
func (Armor) AppendError(dst []byte, _ http.Header, r *ringwall.Refusal, id string) []byte {
	status := "INVALID_ARGUMENT"
	switch {
	case r.Status == http.StatusUnauthorized:
		status = "UNAUTHENTICATED"
	case r.Status == http.StatusForbidden:
		status = "PERMISSION_DENIED"
	case r.Status == http.StatusNotFound:
		status = "NOT_FOUND"
	case r.Status == http.StatusTooManyRequests:
		status = "RESOURCE_EXHAUSTED"
	case r.Status == http.StatusServiceUnavailable:
		status = "UNAVAILABLE"
	case r.Status >= 500:
		status = "INTERNAL"
	}
	return errorBody(dst, map[string]any{"error": map[string]any{"code": r.Status, "message": r.Public + " (reference " + id + ")", "status": status}})
}

// sanitized is a request to look at a prompt or a response.
type sanitized struct {
	question gateway.Question
	way      ringwall.Direction
}

// Read implements gateway.Inquirer.
func (a Armor) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	template, call, _ := strings.Cut(r.PathValue("call"), ":")
	q := &sanitized{question: gateway.Question{Guardrail: gateway.ParseRef(template)}}
	key := "userPromptData"
	switch call {
	case "sanitizeUserPrompt":
	case "sanitizeModelResponse":
		q.way, key = ringwall.Output, "modelResponseData"
	default:
		return nil, &ringwall.Refusal{Status: http.StatusNotFound, Code: "not_found", Public: "There is no such method: see :sanitizeUserPrompt and :sanitizeModelResponse."}
	}
	root, err := a.object(body)
	if err != nil {
		return nil, err
	}
	item, err := armorItem(body, root.Get(key), key)
	if err != nil {
		return nil, err
	}
	if q.way == ringwall.Input {
		q.question.Prompt = []ringwall.Text{{Path: "/" + key, Origin: ringwall.User, Value: item}}
		return q, nil
	}
	if q.question.Query, _, err = text(body, root.Get("userPrompt"), "userPrompt"); err != nil {
		return nil, err
	}
	q.question.Answer = []ringwall.Text{{Path: "/" + key, Origin: ringwall.Assistant, Value: item}}
	return q, nil
}

// armorItem returns the text of an item of data.
func armorItem(body []byte, v jsonedit.Value, path string) (string, error) {
	item := v.Get("byteItem")
	if !item.Exists() {
		return required(body, v.Get("text"), path+".text")
	}
	kind := item.Get("byteDataType")
	switch kind.Text() {
	case "PLAINTEXT_UTF8", "TXT", "CSV":
	default:
		return "", dialect.Invalid(body, kind, path+".byteItem.byteDataType", "only PLAINTEXT_UTF8, TXT and CSV are looked at")
	}
	data, err := base64.StdEncoding.DecodeString(item.Get("byteData").Text())
	if err != nil || !utf8.Valid(data) {
		return "", dialect.Invalid(body, item.Get("byteData"), path+".byteItem.byteData", "want text in UTF-8, in base64")
	}
	return string(data), nil
}

// Question implements gateway.Inquiry.
func (q *sanitized) Question() gateway.Question { return q.question }

const (
	armorFound = "MATCH_FOUND"
	armorNone  = "NO_MATCH_FOUND"
)

// state returns how a filter was executed, and what came of it.
func (q *sanitized) state(j *gateway.Judgement, found bool, controls ...string) map[string]any {
	out := map[string]any{"executionState": "EXECUTION_SKIPPED", "matchState": armorNone}
	for _, c := range controls {
		if j.Ran(q.way, c) {
			out["executionState"] = "EXECUTION_SUCCESS"
		}
	}
	if found {
		out["matchState"] = armorFound
	}
	return out
}

// armorHarms are the filters of responsible AI and the categories of content that
// are each.
var armorHarms = []struct {
	name       string
	categories []string
}{
	{"sexually_explicit", []string{"sexual"}},
	{"hate_speech", []string{"hate"}},
	{"harassment", []string{"insult"}},
	{"dangerous", []string{"violence", "misconduct", "self-harm"}},
}

// armorConfidence names how sure a score is.
func armorConfidence(score float64) string {
	switch confidence(score) {
	case "HIGH":
		return "HIGH"
	case "MEDIUM":
		return "MEDIUM_AND_ABOVE"
	}
	return "LOW_AND_ABOVE"
}

// Answer implements gateway.Inquiry.
func (q *sanitized) Answer(j *gateway.Judgement) ([]byte, error) {
	fs := all(j)
	most := func(control string, reasons ...string) (score float64, found bool) {
		for _, f := range fs {
			if f.Control == control && (len(reasons) == 0 || strings.Contains(" "+strings.Join(reasons, " ")+" ", " "+f.Reason+" ")) {
				score, found = max(score, f.Score), true
			}
		}
		return score, found
	}
	harms, harmful := map[string]any{}, false
	for _, h := range armorHarms {
		score, found := most(content, h.categories...)
		one := map[string]any{"matchState": armorNone}
		if found {
			harmful = true
			one = map[string]any{"matchState": armorFound, "confidenceLevel": armorConfidence(score)}
		}
		harms[h.name] = one
	}
	rai := q.state(j, harmful, content)
	rai["raiFilterTypeResults"] = harms

	score, attacked := most(attack)
	injection := q.state(j, attacked, attack)
	if attacked {
		injection["confidenceLevel"] = armorConfidence(score)
	}
	uris := []map[string]any{}
	for _, f := range fs {
		if f.Control == links {
			uris = append(uris, map[string]any{"uri": f.Match, "locations": []any{armorRange(f.Start, f.End)}})
		}
	}
	malicious := q.state(j, len(uris) > 0, links)
	if len(uris) > 0 {
		malicious["maliciousUriMatchedItems"] = uris
	}
	csam := q.state(j, false)
	csam["messageItems"] = []map[string]string{{"messageType": "INFO", "message": "There is no such filter here."}}

	results := map[string]any{
		"rai":              map[string]any{"raiFilterResult": rai},
		"pi_and_jailbreak": map[string]any{"piAndJailbreakFilterResult": injection},
		"malicious_uris":   map[string]any{"maliciousUriFilterResult": malicious},
		"csam":             map[string]any{"csamFilterFilterResult": csam},
		"sdp":              map[string]any{"sdpFilterResult": q.sdp(j, fs)},
	}
	match := armorNone
	if acted(j) || harmful || attacked {
		match = armorFound
	}
	result := map[string]any{"filterMatchState": match, "invocationResult": "SUCCESS", "filterResults": results}
	if j.Verdict().Action < ringwall.Mask {
		result["sanitizationMetadata"] = map[string]any{"errorCode": "400", "errorMessage": j.Guardrail.Message(q.way)}
	}
	return encode(map[string]any{"sanitizationResult": result})
}

// armorInfo are kinds of data by the reason of a finding, where they are not that
// reason in capitals.
var armorInfo = map[string]string{
	"name": "PERSON_NAME", "address": "STREET_ADDRESS", "email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "credit-debit-card-number": "CREDIT_CARD_NUMBER",
	"international-bank-account-number": "IBAN_CODE", "us-passport-number": "US_PASSPORT", "us-bank-routing-number": "US_BANK_ROUTING_MICR",
	"driver-id": "US_DRIVERS_LICENSE_NUMBER", "vehicle-identification-number": "VEHICLE_IDENTIFICATION_NUMBER",
}

// sdp is what is said of sensitive data: the text without it where the guardrail
// masks, else what there is. What Model Armor has no filter for is told here, too,
// by its reason.
func (q *sanitized) sdp(j *gateway.Judgement, fs []noticed) map[string]any {
	var findings []map[string]any
	for _, f := range fs {
		switch f.Control {
		case attack, content, links:
			continue
		}
		at := f.Where
		if at.Empty() {
			at.End = len(j.Text(f.Way, f.Path).Value)
		}
		likelihood := "POSSIBLE"
		switch {
		case f.Score >= 0.8:
			likelihood = "VERY_LIKELY"
		case f.Score >= 0.5:
			likelihood = "LIKELY"
		}
		findings = append(findings, map[string]any{
			"infoType": cmp.Or(armorInfo[f.Reason], strings.ToUpper(strings.ReplaceAll(f.Reason, "-", "_"))), "likelihood": likelihood,
			"location": map[string]any{"byteRange": armorRange(at.Start, at.End), "codepointRange": armorRange(f.Start, f.End)},
		})
	}
	state := q.state(j, len(findings) > 0, personal, secret)
	if len(findings) > 0 {
		state["findings"] = findings
	}
	if j.Verdict().Action != ringwall.Mask {
		return map[string]any{"inspectResult": state}
	}
	kinds := []string{}
	for _, f := range findings {
		kinds = append(kinds, f["infoType"].(string))
	}
	delete(state, "findings")
	state["data"] = map[string]string{"text": changed(j, q.way, 0)}
	state["infoTypes"] = kinds
	return map[string]any{"deidentifyResult": state}
}

// armorRange writes a range as protobuf's JSON does: 64-bit numbers are strings.
func armorRange(start, end int) map[string]string {
	return map[string]string{"start": strconv.Itoa(start), "end": strconv.Itoa(end)}
}
