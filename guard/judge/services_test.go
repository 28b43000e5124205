package judge_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/judge"
)

// OpenAI's moderation, in the shape that its API documents: scores are taken as
// they are, what is flagged counts at least half.
func TestModeration(t *testing.T) {
	const answer = `{"id":"modr-1","model":"omni-moderation-latest","results":[{
		"flagged":true,
		"categories":{"harassment":true,"harassment/threatening":false,"hate":false,"illicit":null,"self-harm":false,"sexual":false,"violence":true,"violence/graphic":false},
		"category_scores":{"harassment":0.31,"harassment/threatening":0.2,"hate":0.12,"illicit":null,"self-harm":0.0004,"sexual":0.00001,"violence":0.97,"violence/graphic":0.4},
		"category_applied_input_types":{"violence":["text"]}}]}`
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/moderations" || r.Header.Get("Authorization") != "Bearer k" {
			t.Errorf("asked %s with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	j := made(t, judge.Config{Kind: judge.Moderation, Controls: []string{content}, URL: s.URL + "/v1", Key: func() (string, error) { return "k", nil }})
	got, err := look(t, j, ringwall.Input, "I will <hurt> you")
	want := []said{{content + " insult", 0.5}, {content + " hate", 0.12}, {content + " violence", 0.97}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("said %v, %v; want %v", got, err, want)
	}
	if !reflect.DeepEqual(body, map[string]any{"model": "omni-moderation-latest", "input": "I will <hurt> you"}) {
		t.Errorf("sent %v", body)
	}
	for name, answer := range map[string]string{
		"flagged, and no category":    `{"results":[{"flagged":true,"categories":{},"category_scores":{}}]}`,
		"a category that nobody knew": `{"results":[{"flagged":true,"categories":{"gambling":true},"category_scores":{}}]}`,
	} {
		j := made(t, judge.Config{Kind: judge.Moderation, Controls: []string{content}, URL: says(t, 200, answer)})
		if got, err := look(t, j, ringwall.Input, "x"); err != nil || !reflect.DeepEqual(got, []said{{content + " judged", 0.5}}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, answer := range map[string]string{
		"no categories":     `{"results":[{"flagged":false,"category_scores":{}}]}`,
		"two results":       `{"results":[{"flagged":false,"categories":{},"category_scores":{}},{"flagged":false,"categories":{},"category_scores":{}}]}`,
		"a score above one": `{"results":[{"flagged":false,"categories":{},"category_scores":{"hate":1.5}}]}`,
	} {
		j := made(t, judge.Config{Kind: judge.Moderation, Controls: []string{content}, URL: says(t, 200, answer)})
		if _, err := look(t, j, ringwall.Input, "x"); judge.Of(err) != judge.Unreadable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Bedrock's ApplyGuardrail by AWS's own client, against a server that speaks the
// documented JSON.
func TestBedrock(t *testing.T) {
	const text = "Ann's card is 4111 1111 1111 1111, buy ACME, damn. 4111 1111 1111 1111!"
	const answer = `{"action":"GUARDRAIL_INTERVENED","actionReason":"Guardrail blocked.","outputs":[{"text":"Sorry."}],
		"usage":{"topicPolicyUnits":1,"contentPolicyUnits":1,"wordPolicyUnits":1,"sensitiveInformationPolicyUnits":1,"sensitiveInformationPolicyFreeUnits":1,"contextualGroundingPolicyUnits":0},
		"assessments":[{
			"topicPolicy":{"topics":[{"name":"Investment advice","type":"DENY","action":"BLOCKED","detected":true},{"name":"Weather","type":"DENY","action":"NONE","detected":false}]},
			"contentPolicy":{"filters":[
				{"type":"HATE","confidence":"NONE","filterStrength":"HIGH","action":"NONE","detected":false},
				{"type":"INSULTS","confidence":"LOW","filterStrength":"MEDIUM","action":"NONE","detected":false},
				{"type":"VIOLENCE","confidence":"LOW","filterStrength":"HIGH","action":"BLOCKED","detected":true},
				{"type":"MISCONDUCT","confidence":"MEDIUM","filterStrength":"HIGH","action":"BLOCKED","detected":true},
				{"type":"PROMPT_ATTACK","confidence":"HIGH","filterStrength":"HIGH","action":"BLOCKED","detected":true}]},
			"wordPolicy":{"customWords":[{"match":"ACME","action":"BLOCKED","detected":true}],"managedWordLists":[{"match":"damn","type":"PROFANITY","action":"NONE","detected":true}]},
			"sensitiveInformationPolicy":{
				"piiEntities":[{"match":"4111 1111 1111 1111","type":"CREDIT_DEBIT_CARD_NUMBER","action":"ANONYMIZED","detected":true},{"match":"Ann","type":"NAME","action":"NONE","detected":true}],
				"regexes":[{"name":"Order No","regex":"ORD-[0-9]+","match":"ORD-1","action":"BLOCKED","detected":true}]},
			"invocationMetrics":{"guardrailProcessingLatency":165}}]}`
	var path, auth string
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, auth = r.URL.EscapedPath(), r.Header.Get("Authorization")
		body = nil
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	cfg := awsTest(judge.Config{
		Kind: judge.Bedrock, Controls: []string{content, attack, personal, topic, word}, URL: s.URL,
		Guardrail: "arn:aws:bedrock:eu-central-1:1:guardrail/abc", GuardrailVersion: "3",
	}, t)
	j := made(t, cfg)
	fs, err := j.Judge(t.Context(), ringwall.Output, input(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, f := range fs {
		got[f.Control+" "+f.Reason] = append(got[f.Control+" "+f.Reason], strconv.FormatFloat(f.Score, 'g', 2, 64)+" "+text[f.Where.Start:f.Where.End])
	}
	if want := map[string][]string{
		topic + " investment-advice":           {"0.9 "},
		content + " insult":                    {"0.35 "},
		content + " violence":                  {"0.5 "}, // blocked there
		content + " misconduct":                {"0.6 "},
		attack + " judged":                     {"0.9 "},
		word + " word":                         {"1 ACME"},
		word + " profanity":                    {"1 damn"},
		personal + " credit-debit-card-number": {"0.9 4111 1111 1111 1111", "0.9 4111 1111 1111 1111"},
		personal + " name":                     {"0.9 Ann"},
		personal + " order-no":                 {"0.9 "}, // its match stands nowhere
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("found\n%v, want\n%v", got, want)
	}
	if path != "/guardrail/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Aguardrail%2Fabc/version/3/apply" || !strings.Contains(auth, "/eu-central-1/bedrock/aws4_request") {
		t.Errorf("asked %s with %s", path, auth)
	}
	if want := map[string]any{"source": "OUTPUT", "outputScope": "FULL", "content": []any{map[string]any{"text": map[string]any{"text": text}}}}; !reflect.DeepEqual(body, want) {
		t.Errorf("sent %v", body)
	}

	for name, tt := range map[string]struct {
		answer string
		want   []said
	}{
		"nothing":                          {`{"action":"NONE","outputs":[],"assessments":[{}]}`, nil},
		"stepped in, and nothing says why": {`{"action":"GUARDRAIL_INTERVENED","outputs":[{"text":"no"}],"assessments":[]}`, []said{{content + " judged", 0.9}}},
	} {
		cfg.URL = says(t, 200, tt.answer)
		if got, err := look(t, made(t, cfg), ringwall.Input, "x"); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, answer := range map[string]string{
		"a confidence that there is not": `{"action":"NONE","outputs":[],"assessments":[{"contentPolicy":{"filters":[{"type":"HATE","confidence":"VERY_HIGH","action":"NONE"}]}}]}`,
		"a filter without a confidence":  `{"action":"NONE","outputs":[],"assessments":[{"contentPolicy":{"filters":[{"type":"HATE","action":"NONE"}]}}]}`,
		"an action that there is not":    `{"action":"SHRUGGED","outputs":[],"assessments":[]}`,
	} {
		cfg.URL = says(t, 200, answer)
		if _, err := look(t, made(t, cfg), ringwall.Input, "x"); judge.Of(err) != judge.Unreadable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Errors of AWS's kind are refusals, and their messages stay there.
func TestBedrockErrors(t *testing.T) {
	for _, status := range []int{400, 403, 404, 429, 500, 503} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Errortype", "ValidationException")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"message":"the text was: secret words"}`)
		}))
		j := made(t, awsTest(judge.Config{Kind: judge.Bedrock, Controls: []string{content}, URL: s.URL, Guardrail: "g"}, t))
		_, err := look(t, j, ringwall.Input, "secret words")
		if judge.Of(err) != judge.Refused || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), strconv.Itoa(status)) {
			t.Errorf("%d: %v", status, err)
		}
		s.Close()
	}
}

// Presidio counts in characters; findings are in bytes, in any script.
func TestPresidio(t *testing.T) {
	const text = "Grüße 👩‍💻 an Jürgen Müller, Tel. 030 1234567, 東京"
	runes := []rune(text)
	at := func(part string) (start, end int) {
		i := len([]rune(text[:strings.Index(text, part)]))
		return i, i + len([]rune(part))
	}
	type entity struct {
		Type        string  `json:"entity_type"`
		Start       int     `json:"start"`
		End         int     `json:"end"`
		Score       float64 `json:"score"`
		Explanation any     `json:"analysis_explanation"`
	}
	var list []entity
	for part, kind := range map[string]string{"Jürgen Müller": "PERSON", "030 1234567": "PHONE_NUMBER", "東京": "LOCATION", "Tel.": "DATE_TIME", "👩‍💻": "ZA_MYSTERY"} {
		start, end := at(part)
		list = append(list, entity{kind, start, end, 0.85, nil})
	}
	answer, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/analyze" {
			t.Error(r.URL.Path, err)
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(s.Close)
	j := made(t, judge.Config{Kind: judge.Presidio, Controls: []string{personal}, URL: s.URL, Language: "de"})
	fs, err := j.Judge(t.Context(), ringwall.Input, input(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range fs {
		got[f.Reason] = text[f.Where.Start:f.Where.End]
	}
	if want := map[string]string{"name": "Jürgen Müller", "phone": "030 1234567", "address": "東京", "za-mystery": "👩‍💻"}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if !reflect.DeepEqual(body, map[string]any{"text": text, "language": "de"}) {
		t.Errorf("sent %v", body)
	}
	for name, e := range map[string]string{
		"behind the end":  `{"entity_type":"PERSON","start":0,"end":` + strconv.Itoa(len(runes)+1) + `,"score":1}`,
		"before the text": `{"entity_type":"PERSON","start":-1,"end":2,"score":1}`,
		"of no length":    `{"entity_type":"PERSON","start":2,"end":2,"score":1}`,
		"no place":        `{"entity_type":"PERSON","score":1}`,
		"no score":        `{"entity_type":"PERSON","start":0,"end":1}`,
		"no type":         `{"start":0,"end":1,"score":1}`,
	} {
		j := made(t, judge.Config{Kind: judge.Presidio, Controls: []string{personal}, URL: says(t, 200, "["+e+"]")})
		if _, err := look(t, j, ringwall.Input, text); judge.Of(err) != judge.Unreadable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A webhook is sent what its documentation says, signed, and may say where in
// the text something is.
func TestWebhook(t *testing.T) {
	const key = "shared"
	var body map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		stamp := r.Header.Get("X-Ringwall-Timestamp")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
			t.Errorf("timestamp %q", stamp)
		}
		if r.Header.Get("X-Ringwall-Signature") != judge.Sign(key, stamp, sent) || r.Header.Get("Authorization") != "" || r.URL.Path != "/judge/me" {
			t.Errorf("asked %s with %v", r.URL.Path, r.Header)
		}
		if err := json.Unmarshal(sent, &body); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"took":"1ms","findings":[{"control":"content","reason":"hate","score":0.75},{"control":"pii","reason":"badge","score":0.6,"start":6,"end":10}]}`)
	}))
	t.Cleanup(s.Close)
	cfg := judge.Config{Name: "own", Kind: judge.Webhook, Controls: []string{content, personal}, URL: s.URL + "/judge/me", Key: func() (string, error) { return key, nil }}
	fs, err := made(t, cfg).Judge(t.Context(), ringwall.Output, ringwall.Text{Origin: ringwall.Assistant, Value: "badge B-17"})
	want := []ringwall.Finding{
		{Control: content, Reason: "hate", Severity: ringwall.Medium, Score: 0.75},
		{Control: personal, Reason: "badge", Severity: ringwall.Medium, Score: 0.6, Where: ringwall.Span{Start: 6, End: 10}},
	}
	if err != nil || !reflect.DeepEqual(fs, want) {
		t.Errorf("found %v, %v", fs, err)
	}
	if want := map[string]any{"version": 1.0, "judge": "own", "direction": "output", "origin": "assistant", "controls": []any{"content", "pii"}, "text": "badge B-17"}; !reflect.DeepEqual(body, want) {
		t.Errorf("sent %v", body)
	}
	for name, f := range map[string]string{
		"no list":                       `{}`,
		"a control that is not served":  `{"findings":[{"control":"topic","reason":"x","score":1}]}`,
		"a reason with a text in it":    `{"findings":[{"control":"pii","reason":"Ann's badge","score":1}]}`,
		"no reason":                     `{"findings":[{"control":"pii","score":1}]}`,
		"no score":                      `{"findings":[{"control":"pii","reason":"x"}]}`,
		"outside the text":              `{"findings":[{"control":"pii","reason":"x","score":1,"start":0,"end":99}]}`,
		"half a place":                  `{"findings":[{"control":"pii","reason":"x","score":1,"start":0}]}`,
		"the middle of a character":     `{"findings":[{"control":"pii","reason":"x","score":1,"start":1,"end":2}]}`,
		"an end before the beginning":   `{"findings":[{"control":"pii","reason":"x","score":1,"start":2,"end":1}]}`,
		"findings that are no findings": `{"findings":["none"]}`,
	} {
		cfg.URL = says(t, 200, f)
		if fs, err := made(t, cfg).Judge(t.Context(), ringwall.Input, input("ü is a letter")); judge.Of(err) != judge.Unreadable {
			t.Errorf("%s: %v, %v", name, fs, err)
		}
	}
	cfg.URL = says(t, 200, `{"findings":[]}`)
	if fs, err := made(t, cfg).Judge(t.Context(), ringwall.Input, input("x")); err != nil || len(fs) > 0 {
		t.Errorf("nothing to say: %v, %v", fs, err)
	}
}

// The signature is the one that the documentation describes, whatever computes
// it: openssl printed this one.
func TestSign(t *testing.T) {
	const want = "v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
	if got := judge.Sign("key", "1700000000", []byte(`{"a":1}`)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
