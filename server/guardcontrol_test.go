package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// policies is what a guardrail of Bedrock may say, by the names of
// CreateGuardrail.
const policies = `"topicPolicyConfig":{"topicsConfig":[{"name":"Investment advice","definition":"Recommendations of what to buy or sell to make money.","examples":["Which shares should I buy?"],"type":"DENY","inputAction":"BLOCK","outputAction":"NONE","inputEnabled":true,"outputEnabled":true}],"tierConfig":{"tierName":"CLASSIC"}},
"contentPolicyConfig":{"filtersConfig":[{"type":"HATE","inputStrength":"HIGH","outputStrength":"LOW","inputModalities":["TEXT","IMAGE"],"outputModalities":["TEXT"]},{"type":"PROMPT_ATTACK","inputStrength":"HIGH","outputStrength":"NONE"}],"tierConfig":{"tierName":"STANDARD"}},
"wordPolicyConfig":{"wordsConfig":[{"text":"bluebird"},{"text":"red wing","inputAction":"NONE","inputEnabled":true}],"managedWordListsConfig":[{"type":"PROFANITY","inputAction":"BLOCK"}]},
"sensitiveInformationPolicyConfig":{"piiEntitiesConfig":[{"type":"EMAIL","action":"ANONYMIZE","inputAction":"BLOCK"},{"type":"PHONE","action":"BLOCK"}],"regexesConfig":[{"name":"booking ref","description":"numbers of bookings","pattern":"BK-[0-9]{6}","action":"ANONYMIZE"}]},
"contextualGroundingPolicyConfig":{"filtersConfig":[{"type":"GROUNDING","threshold":0.75,"action":"BLOCK","enabled":true},{"type":"RELEVANCE","threshold":0.5}]}`

const messages = `"blockedInputMessaging":"No.","blockedOutputsMessaging":"Never."`

// withoutConfig are policies as GetGuardrail gives them.
func withoutConfig(request string) string {
	return strings.NewReplacer("PolicyConfig", "Policy", "topicsConfig", "topics", "filtersConfig", "filters", "wordsConfig", "words", "managedWordListsConfig", "managedWordLists",
		"piiEntitiesConfig", "piiEntities", "regexesConfig", "regexes", "tierConfig", "tier").Replace(request)
}

// operator returns the house with a call that shows the key of an operator.
func operator(t *testing.T, change func(*config.Config)) (*house, func(method, path, body string) (int, map[string]any)) {
	h := shopHouse(t, change)
	key := h.caller("root", "", ringwall.Operator)
	return h, func(method, path, body string) (int, map[string]any) {
		t.Helper()
		resp, text := h.ask(method, path, body, key...)
		var out map[string]any
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
		}
		return resp.StatusCode, out
	}
}

// What Bedrock can say of a guardrail is given back, and in force at once and
// after a restart.
func TestMakesGuardrails(t *testing.T) {
	data := t.TempDir()
	h, call := operator(t, func(c *config.Config) { c.Data = data })
	status, made := call("POST", "/guardrails", `{"name":"made","description":"of the shop",`+messages+`,`+policies+`,"tags":[{"key":"a","value":"b"}],"clientRequestToken":"token-1"}`)
	id, _ := made["guardrailId"].(string)
	if status != http.StatusAccepted || len(id) != 12 || made["version"] != "DRAFT" || made["createdAt"] == nil || !strings.HasSuffix(fmt.Sprint(made["guardrailArn"]), ":guardrail/"+id) {
		t.Fatalf("%d %v", status, made)
	}
	if status, again := call("POST", "/guardrails", `{"name":"made",`+messages+`,`+policies+`,"clientRequestToken":"token-1"}`); status != 202 || again["guardrailId"] != id {
		t.Errorf("the same token again: %d %v", status, again)
	}

	status, got := call("GET", "/guardrails/"+id, "")
	var want map[string]any
	if err := json.Unmarshal([]byte(`{"name":"made","description":"of the shop",`+messages+`,`+withoutConfig(policies)+`}`), &want); err != nil {
		t.Fatal(err)
	}
	for key := range want {
		if !reflect.DeepEqual(got[key], want[key]) {
			t.Errorf("%s is given back as %v, want %v", key, got[key], want[key])
		}
	}
	if status != 200 || got["status"] != "READY" || got["version"] != "DRAFT" || got["guardrailArn"] != made["guardrailArn"] || !strings.Contains(fmt.Sprint(got["statusReasons"]), "Images are not looked at") {
		t.Errorf("%d %v", status, got)
	}

	apply := func(h *house, version, text string) string {
		t.Helper()
		_, body := h.ask("POST", "/guardrail/"+id+"/version/"+version+"/apply", `{"source":"INPUT","content":[{"text":{"text":"`+text+`"}}]}`, h.caller("c"+version+text, "", ringwall.Customer)...)
		var out struct {
			Outputs []struct{ Text string }
			Message string
		}
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Outputs) == 0 {
			return out.Message
		}
		return out.Outputs[0].Text
	}
	if got := apply(h, "DRAFT", "about BK-123456"); got != "about {booking ref}" {
		t.Errorf("the draft answers %q", got)
	}
	if got := apply(h, "DRAFT", "bluebird"); got != "No." {
		t.Errorf("the draft answers %q", got)
	}

	status, v := call("POST", "/guardrails/"+id, `{"description":"the first","clientRequestToken":"v1"}`)
	if status != 202 || v["version"] != "1" || v["guardrailId"] != id {
		t.Fatalf("%d %v", status, v)
	}
	if _, v := call("POST", "/guardrails/"+id, `{"clientRequestToken":"v1"}`); v["version"] != "1" {
		t.Errorf("the same token again: %v", v)
	}
	status, updated := call("PUT", "/guardrails/"+id, `{"name":"made-2",`+messages+`,"wordPolicyConfig":{"wordsConfig":[{"text":"redwing"}]}}`)
	if status != 202 || updated["updatedAt"] == nil || updated["version"] != "DRAFT" {
		t.Errorf("%d %v", status, updated)
	}
	if got := apply(h, "DRAFT", "about bluebird and redwing"); got != "No." {
		t.Errorf("the new draft answers %q", got)
	}
	if got := apply(h, "DRAFT", "a bluebird"); got != "" {
		t.Errorf("the new draft answers %q", got)
	}
	if got := apply(h, "1", "a bluebird again"); got != "No." {
		t.Errorf("version 1 answers %q", got)
	}
	if _, got := call("GET", "/guardrails/"+id+"?guardrailVersion=1", ""); got["description"] != "the first" || got["topicPolicy"] == nil || got["name"] != "made" || got["version"] != "1" {
		t.Errorf("version 1: %v", got)
	}
	if _, list := call("GET", "/guardrails?guardrailIdentifier="+id, ""); len(list["guardrails"].([]any)) != 2 {
		t.Errorf("what there is of it: %v", list)
	}
	if list, err := h.Records().Query(t.Context(), audit.Filter{Kind: ringwall.ExchangeEnd}); err != nil || len(list) == 0 {
		t.Error(err)
	} else {
		acts := 0
		for _, e := range list {
			ev := e.Event
			if ev.Dialect == "bedrock-control" && ev.Principal.Trust == ringwall.Operator && strings.Contains(ev.Detail, "/guardrails") {
				acts++
			}
		}
		if acts < 6 {
			t.Errorf("%d acts of the operator are in the records", acts)
		}
	}

	h.stop()
	again := standOn(t, h.u, server.Options{Config: h.config})
	if got := apply(again, "1", "the bluebird after a restart"); got != "No." {
		t.Errorf("after a restart version 1 answers %q", got)
	}
	if got := apply(again, "DRAFT", "the redwing after a restart"); got != "No." {
		t.Errorf("after a restart the draft answers %q", got)
	}
	key := again.caller("root-2", "", ringwall.Operator)
	for _, x := range []struct {
		path   string
		status int
	}{{"?guardrailVersion=1", 202}, {"?guardrailVersion=1", 404}, {"", 202}, {"", 404}} {
		if resp, body := again.ask("DELETE", "/guardrails/"+id+x.path, "", key...); resp.StatusCode != x.status {
			t.Errorf("DELETE %s: %d %s", x.path, resp.StatusCode, body)
		}
	}
	if got := apply(again, "DRAFT", "redwing"); !strings.Contains(got, "does not exist") {
		t.Errorf("after its end it answers %q", got)
	}
}

// A version number is not given twice, even where the last was deleted.
func TestVersionsAreNotReused(t *testing.T) {
	_, call := operator(t, nil)
	_, made := call("POST", "/guardrails", `{"name":"g",`+messages+`,"wordPolicyConfig":{"wordsConfig":[{"text":"a"}]}}`)
	path := "/guardrails/" + made["guardrailId"].(string)
	call("POST", path, "")
	call("DELETE", path+"?guardrailVersion=1", "")
	if _, v := call("POST", path, `{}`); v["version"] != "2" {
		t.Errorf("%v", v)
	}
}

// Guardrails of the configuration are listed and given as Bedrock writes them, and
// changed only where they are written.
func TestConfiguredGuardrailsAreShown(t *testing.T) {
	_, call := operator(t, nil)
	_, list := call("GET", "/guardrails", "")
	if got := fmt.Sprint(list); !strings.Contains(got, "name:shop") || !strings.Contains(got, "name:default") {
		t.Errorf("%v", list)
	}
	_, first := call("GET", "/guardrails?maxResults=1", "")
	_, second := call("GET", "/guardrails?maxResults=1&nextToken="+fmt.Sprint(first["nextToken"]), "")
	if reflect.DeepEqual(first["guardrails"], second["guardrails"]) || len(second["guardrails"].([]any)) != 1 {
		t.Errorf("%v, then %v", first, second)
	}
	if _, got := call("GET", "/guardrails/shop", ""); got["status"] != "READY" || !strings.Contains(fmt.Sprint(got["topicPolicy"]), "Investment advice") {
		t.Errorf("%v", got)
	}
	for _, method := range []string{"PUT", "POST", "DELETE"} {
		if status, got := call(method, "/guardrails/shop", `{}`); status != 400 || got["__type"] != "ConflictException" {
			t.Errorf("%s: %d %v", method, status, got)
		}
	}
	if status, got := call("POST", "/guardrails", `{"name":"shop",`+messages+`,"wordPolicyConfig":{"wordsConfig":[{"text":"a"}]}}`); status != 400 || got["__type"] != "ConflictException" {
		t.Errorf("a name that is taken: %d %v", status, got)
	}
}

// Only operators change guardrails, and only staff reads them.
func TestOnlyOperatorsMakeGuardrails(t *testing.T) {
	h, _ := operator(t, nil)
	body := `{"name":"mine",` + messages + `,"wordPolicyConfig":{"wordsConfig":[{"text":"a"}]}}`
	for _, tt := range []struct {
		method string
		trust  ringwall.Trust
		status int
	}{
		{"POST", ringwall.Anonymous, 403},
		{"POST", ringwall.Customer, 403},
		{"POST", ringwall.Staff, 403},
		{"POST", ringwall.Operator, 202},
		{"GET", ringwall.Anonymous, 403},
		{"GET", ringwall.Customer, 403},
		{"GET", ringwall.Staff, 200},
	} {
		var header []string
		if tt.trust != ringwall.Anonymous {
			header = h.caller(tt.method+tt.trust.String(), "", tt.trust)
		}
		body := body
		if tt.method == "GET" {
			body = ""
		}
		resp, got := h.ask(tt.method, "/guardrails", body, header...)
		if resp.StatusCode != tt.status || tt.status == 403 && resp.Header.Get("X-Amzn-ErrorType") != "AccessDeniedException" {
			t.Errorf("%s by %s: %d %s", tt.method, tt.trust, resp.StatusCode, got)
		}
		if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); tt.status == 403 && ev.Outcome != ringwall.Refused {
			t.Errorf("record %+v", ev)
		}
	}
}

// What Bedrock would refuse is refused, with what is wrong about it.
func TestGuardrailLimits(t *testing.T) {
	_, call := operator(t, nil)
	many := func(n int, entry string) string { return strings.TrimSuffix(strings.Repeat(entry+",", n), ",") }
	word := `"wordPolicyConfig":{"wordsConfig":[{"text":"a"}]}`
	for _, tt := range []struct{ name, body, want string }{
		{"no name", `{` + messages + `,` + word + `}`, "name: it is required"},
		{"a long name", `{"name":"` + strings.Repeat("a", 51) + `",` + messages + `,` + word + `}`, "1 to 50 characters"},
		{"a name of other letters", `{"name":"a b",` + messages + `,` + word + `}`, "only characters of"},
		{"no messages", `{"name":"a",` + word + `}`, "blockedInputMessaging: it is required"},
		{"no policy", `{"name":"a",` + messages + `}`, "at least one policy"},
		{"an unknown member", `{"name":"a",` + messages + `,"properties":{}}`, "properties: there is no such member"},
		{"an unknown member deep down", `{"name":"a",` + messages + `,"wordPolicyConfig":{"wordsConfig":[{"text":"a","color":"red"}]}}`, "color"},
		{"automated reasoning", `{"name":"a",` + messages + `,` + word + `,"automatedReasoningPolicyConfig":{"policies":["arn"]}}`, "there is no automated reasoning here"},
		{"31 topics", `{"name":"a",` + messages + `,"topicPolicyConfig":{"topicsConfig":[` + many(31, `{"name":"t","definition":"d","type":"DENY"}`) + `]}}`, "want 1 to 30 entries"},
		{"6 examples", `{"name":"a",` + messages + `,"topicPolicyConfig":{"topicsConfig":[{"name":"t","definition":"d","type":"DENY","examples":[` + many(6, `"x"`) + `]}]}}`, "want 0 to 5 entries"},
		{"a long definition", `{"name":"a",` + messages + `,"topicPolicyConfig":{"topicsConfig":[{"name":"t","definition":"` + strings.Repeat("d", 201) + `","type":"DENY"}]}}`, "1 to 200 characters"},
		{"an attack on the way out", `{"name":"a",` + messages + `,"contentPolicyConfig":{"filtersConfig":[{"type":"PROMPT_ATTACK","inputStrength":"HIGH","outputStrength":"LOW"}]}}`, "prompts only"},
		{"a filter twice", `{"name":"a",` + messages + `,"contentPolicyConfig":{"filtersConfig":[` + many(2, `{"type":"HATE","inputStrength":"HIGH","outputStrength":"LOW"}`) + `]}}`, "comes twice"},
		{"an unknown type", `{"name":"a",` + messages + `,"sensitiveInformationPolicyConfig":{"piiEntitiesConfig":[{"type":"SHOE_SIZE","action":"BLOCK"}]}}`, "there is no type"},
		{"11 regexes", `{"name":"a",` + messages + `,"sensitiveInformationPolicyConfig":{"regexesConfig":[` + many(11, `{"name":"r","pattern":"x","action":"BLOCK"}`) + `]}}`, "want 0 to 10 entries"},
		{"a regex that is none", `{"name":"a",` + messages + `,"sensitiveInformationPolicyConfig":{"regexesConfig":[{"name":"r","pattern":"(","action":"BLOCK"}]}}`, "the guardrail is refused"},
		{"a threshold of 1", `{"name":"a",` + messages + `,"contextualGroundingPolicyConfig":{"filtersConfig":[{"type":"GROUNDING","threshold":1}]}}`, "0 to 0.99"},
		{"a duplicate key", `{"name":"a","name":"b",` + messages + `,` + word + `}`, "duplicate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got := call("POST", "/guardrails", tt.body)
			if message := fmt.Sprint(got["message"]); status != 400 || got["__type"] != "ValidationException" || !strings.Contains(strings.ToLower(message), strings.ToLower(tt.want)) {
				t.Errorf("%d %v, want %s", status, got, tt.want)
			}
		})
	}
}
