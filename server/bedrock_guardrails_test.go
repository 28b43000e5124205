package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/sigv4"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// namedHouse stands before a Bedrock, with guardrails beside the one in force, and
// returns a client that signs.
func namedHouse(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body string)) (*house, *bedrockruntime.Client) {
	t.Helper()
	t.Setenv("BEDROCK_KEY_OF_A_TEST", "k")
	h := stand(t, newUpstream(t, answer), func(c *config.Config) {
		var p config.Provider
		strictyaml.Defaults(&p)
		p.Type, p.Region, p.BaseURL = "bedrock", "eu-central-1", strings.TrimSuffix(c.Providers["u"].BaseURL, "/v1")
		p.Key, _ = strictyaml.NewSecret("env:BEDROCK_KEY_OF_A_TEST")
		c.Providers = map[string]config.Provider{"u": p}
		grounded := guardrail.Default()
		grounded.Grounding.Grounding, grounded.Grounding.Output = 0.6, guardrail.Act{Action: ringwall.Block}
		c.Guardrails = map[string]guardrail.Spec{"shop": shop(), "grounded": grounded}
	})
	_, key, err := h.Keys().Create(t.Context(), auth.Spec{Name: "batch", Trust: ringwall.Operator})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := h.Keys().Secret(key.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	return h, h.sdk(key.Prefix, secret)
}

func naming(id, version string) *types.GuardrailConfiguration {
	return &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(id), GuardrailVersion: aws.String(version), Trace: types.GuardrailTraceEnabled}
}

func saidBy(out *bedrockruntime.ConverseOutput) string {
	m, _ := out.Output.(*types.ConverseOutputMemberMessage)
	text, _ := m.Value.Content[0].(*types.ContentBlockMemberText)
	return text.Value
}

// A guardrail that a request names looks beside the one in force, and what it did is
// told as Bedrock tells it.
func TestConverseWithAnotherGuardrail(t *testing.T) {
	h, c := namedHouse(t, conversing("mail a.b@example.org about ORD-12345678", 3))
	ask := func(text string, g *types.GuardrailConfiguration) *bedrockruntime.ConverseOutput {
		t.Helper()
		out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: user(text), GuardrailConfig: g})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := ask("hello", naming("arn:aws:bedrock:eu-central-1:1:guardrail/shop", "DRAFT"))
	if got := saidBy(out); got != "mail {EMAIL} about {ORDER}" || out.StopReason != types.StopReasonGuardrailIntervened {
		t.Errorf("the client has %q %s", got, out.StopReason)
	}
	g := out.Trace.Guardrail
	if *g.ActionReason != "Guardrail masked." || len(g.OutputAssessments["default"]) != 1 || len(g.OutputAssessments["shop"]) != 1 || *g.OutputAssessments["shop"][0].SensitiveInformationPolicy.Regexes[0].Name != "order" {
		t.Errorf("the trace says %q %+v", *g.ActionReason, g.OutputAssessments)
	}
	out = ask("a bluebird", naming("shop", "DRAFT"))
	if got := saidBy(out); got != "Not here." || out.StopReason != types.StopReasonGuardrailIntervened || out.Trace.Guardrail.InputAssessment["shop"].WordPolicy == nil {
		t.Errorf("the client has %q %s %+v", got, out.StopReason, out.Trace)
	}
	if out = ask("a bluebird", nil); out.StopReason != types.StopReasonEndTurn || out.Trace != nil {
		t.Errorf("without one: %s %+v", out.StopReason, out.Trace)
	}

	stream, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("m"), Messages: user("hello"), GuardrailConfig: &types.GuardrailStreamConfiguration{
			GuardrailIdentifier: aws.String("shop"), GuardrailVersion: aws.String("DRAFT"), Trace: types.GuardrailTraceEnabled, StreamProcessingMode: types.GuardrailStreamProcessingModeSync,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, stop, reason := "", types.StopReason(""), ""
	for e := range stream.GetStream().Events() {
		switch v := e.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			d, _ := v.Value.Delta.(*types.ContentBlockDeltaMemberText)
			text += d.Value
		case *types.ConverseStreamOutputMemberMessageStop:
			stop = v.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			reason = *v.Value.Trace.Guardrail.ActionReason
		}
	}
	if err := stream.GetStream().Err(); err != nil || text != "mail {EMAIL} about {ORDER}" || stop != types.StopReasonGuardrailIntervened || reason != "Guardrail masked." {
		t.Errorf("the stream says %q %s %q, %v", text, stop, reason, err)
	}
	resp, body := h.post("/model/m/converse-stream", asking("hello", `,"guardrailConfig":{"streamProcessingMode":"later"}`))
	if resp.StatusCode != 400 || !strings.Contains(body, "want sync or async") {
		t.Errorf("another mode: %d %s", resp.StatusCode, body)
	}
}

// Guardrails that were made over the API, and their versions, can be named.
func TestConverseWithAMadeGuardrail(t *testing.T) {
	h, c := namedHouse(t, conversing("a redwing and a bluebird", 3))
	key := h.caller("root", "", ringwall.Operator)
	call := func(method, path, body string) map[string]any {
		t.Helper()
		resp, text := h.ask(method, path, body, key...)
		var out map[string]any
		if err := json.Unmarshal([]byte(text), &out); err != nil || resp.StatusCode >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
		}
		return out
	}
	id, _ := call("POST", "/guardrails", `{"name":"made",`+messages+`,"wordPolicyConfig":{"wordsConfig":[{"text":"bluebird"}]}}`)["guardrailId"].(string)
	call("POST", "/guardrails/"+id, `{}`)
	call("PUT", "/guardrails/"+id, `{"name":"made",`+messages+`,"wordPolicyConfig":{"wordsConfig":[{"text":"magpie"}]}}`)
	for _, tt := range []struct{ version, want string }{{"1", "Never."}, {"DRAFT", "a redwing and a bluebird"}} {
		out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: user("hello"), GuardrailConfig: naming(id, tt.version)})
		if err != nil {
			t.Fatal(err)
		}
		if got := saidBy(out); got != tt.want {
			t.Errorf("version %s: %q", tt.version, got)
		}
	}
	if _, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m"), Messages: user("hello"), GuardrailConfig: naming(id, "2")}); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("a version that there is not: %v", err)
	}
}

// What the client marks is what an answer is judged by.
func TestConverseIsJudgedByWhatIsMarked(t *testing.T) {
	_, c := namedHouse(t, conversing("The warranty of the Falcon kettle lasts ten years and covers rust.", 3))
	ask := func(source string) types.StopReason {
		t.Helper()
		out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{
			ModelId: aws.String("m"), GuardrailConfig: naming("grounded", "DRAFT"),
			System: []types.SystemContentBlock{&types.SystemContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{
				Text: aws.String(source), Qualifiers: []types.GuardrailConverseContentQualifier{types.GuardrailConverseContentQualifierGroundingSource},
			}}}},
			Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
				&types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{
					Text: aws.String("How long is the warranty of the Falcon kettle?"), Qualifiers: []types.GuardrailConverseContentQualifier{types.GuardrailConverseContentQualifierQuery},
				}}},
				&types.ContentBlockMemberText{Value: "Answer in one sentence."},
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.StopReason
	}
	if got := ask("Our office has a new coffee machine and the garden is open on Sundays."); got != types.StopReasonGuardrailIntervened {
		t.Errorf("an answer that does not follow: %s", got)
	}
	if got := ask("The warranty of the Falcon kettle lasts ten years and covers rust."); got != types.StopReasonEndTurn {
		t.Errorf("an answer that follows: %s", got)
	}
}

func TestInvokeModelWithAnotherGuardrail(t *testing.T) {
	h, c := namedHouse(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.Contains(r.URL.Path, "claude") {
			_, _ = w.Write([]byte(`{"type":"message","role":"assistant","content":[{"type":"text","text":"about ORD-12345678"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`))
			return
		}
		_, _ = w.Write([]byte(`{"generation":"about ORD-12345678","prompt_token_count":3,"generation_token_count":4,"stop_reason":"stop"}`))
	})
	ask := func(model, body, guardrail string) string {
		t.Helper()
		in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), ContentType: aws.String("application/json"), Body: []byte(body), Trace: types.TraceEnabled}
		if guardrail != "" {
			in.GuardrailIdentifier, in.GuardrailVersion = aws.String(guardrail), aws.String("DRAFT")
		}
		out, err := c.InvokeModel(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return string(out.Body)
	}
	const llama, claude = "meta.llama3-8b-instruct-v1:0", "anthropic.claude-x-v1:0"
	for model, body := range map[string]string{llama: `{"prompt":%s}`, claude: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":%s}]}`} {
		hello, bird := strings.Replace(body, "%s", `"hello"`, 1), strings.Replace(body, "%s", `"a bluebird"`, 1)
		if got := ask(model, hello, "shop"); !strings.Contains(got, "about {ORDER}") || !strings.Contains(got, `"amazon-bedrock-guardrailAction":"INTERVENED"`) || !strings.Contains(got, `"actionReason":"Guardrail masked."`) || !json.Valid([]byte(got)) {
			t.Errorf("masked: %s", got)
		}
		if got := ask(model, bird, "shop"); !strings.Contains(got, "Not here.") || !strings.Contains(got, `"amazon-bedrock-guardrailAction":"INTERVENED"`) {
			t.Errorf("blocked: %s", got)
		}
		if got := ask(model, hello, "default"); !strings.Contains(got, "ORD-12345678") || !strings.Contains(got, `"amazon-bedrock-guardrailAction":"NONE"`) {
			t.Errorf("nothing was done: %s", got)
		}
		if got := ask(model, hello, ""); strings.Contains(got, "guardrailAction") {
			t.Errorf("nobody was named: %s", got)
		}
	}
	if resp, body := h.post("/model/"+llama+"/invoke", `{"prompt":"x","amazon-bedrock-guardrailConfig":{"streamProcessingMode":"LATER"}}`); resp.StatusCode != 400 || !strings.Contains(body, "SYNCHRONOUS") {
		t.Errorf("another mode: %d %s", resp.StatusCode, body)
	}
}

// Where a dialect has no place for the name of a guardrail, a header has.
func TestAHeaderNamesAnotherGuardrail(t *testing.T) {
	u := newUpstream(t, says("mail a.b@example.org about ORD-12345678", 3))
	h := stand(t, u, func(c *config.Config) { c.Guardrails = map[string]guardrail.Spec{"shop": shop()} })
	for name, want := range map[string]string{"": "mail {EMAIL} about ORD-12345678", "shop": "mail {EMAIL} about {ORDER}", "shop@DRAFT": "mail {EMAIL} about {ORDER}", "default": "mail {EMAIL} about ORD-12345678"} {
		for _, stream := range []string{"", `,"stream":true`} {
			resp, body := h.chat(question("hello", stream), "X-Ringwall-Guardrail", name)
			if got := said(t, body); resp.StatusCode != 200 || got != want {
				t.Errorf("%q: %d %q, want %q", name, resp.StatusCode, got, want)
			}
		}
	}
	for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1/responses"} {
		if resp, body := h.ask("POST", path, `{"model":"m","max_tokens":5,"input":"a bluebird","messages":[{"role":"user","content":"a bluebird"}]}`, "X-Ringwall-Guardrail", "shop"); !strings.Contains(body, "Not here.") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
		if resp, body := h.ask("POST", path, `{"model":"m","max_tokens":5,"input":"x","messages":[{"role":"user","content":"x"}]}`, "X-Ringwall-Guardrail", "nope"); resp.StatusCode != 404 || !strings.Contains(body, "does not exist") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}

// With an empty identifier the guardrail that is applied anyway is asked.
func TestApplyGuardrailWithoutAName(t *testing.T) {
	h := shopHouse(t, nil)
	const body = `{"source":"INPUT","content":[{"text":{"text":"mail ann@example.com"}}]}`
	for _, path := range []string{"/guardrail//version//apply", "/guardrail//version/DRAFT/apply"} {
		resp, text := h.ask("POST", path, body)
		if resp.StatusCode != 200 || !strings.Contains(text, `"outputs":[{"text":"mail {EMAIL}"}]`) || !strings.Contains(text, `"guardrailId":"default"`) || !strings.Contains(text, `"guardrailOrigin":["ACCOUNT_ENFORCED"]`) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
	if resp, text := h.ask("POST", "/guardrail/shop/version//apply", body); resp.StatusCode != 400 || resp.Header.Get("X-Amzn-Errortype") != "ValidationException" {
		t.Errorf("no version: %d %s", resp.StatusCode, text)
	}
}

// Every route of Bedrock's takes a signature, and none a wrong one.
func TestGuardrailsAreAskedAndMadeBySignedRequests(t *testing.T) {
	h, run := namedHouse(t, conversing("fine", 3))
	out, err := run.ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{
		GuardrailIdentifier: aws.String("arn:aws:bedrock:us-east-1:1:guardrail/shop"), GuardrailVersion: aws.String("DRAFT"), Source: types.GuardrailContentSourceInput,
		Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("about ORD-12345678")}}},
	})
	if err != nil || *out.Outputs[0].Text != "about {ORDER}" {
		t.Errorf("%+v, %v", out, err)
	}
	checks, err := run.InvokeGuardrailChecks(t.Context(), &bedrockruntime.InvokeGuardrailChecksInput{
		Messages: []types.GuardrailChecksMessage{{Role: types.GuardrailChecksRoleUser, Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "mail ann@example.com"}}}},
		Checks:   &types.GuardrailChecksConfig{SensitiveInformation: &types.GuardrailChecksSensitiveInformationConfig{Entities: []types.GuardrailChecksSensitiveInformationEntityConfig{{Type: types.GuardrailChecksSensitiveInformationEntityTypeEmail}}}},
	})
	if err != nil || len(checks.Results.SensitiveInformation.Results) != 1 {
		t.Errorf("%+v, %v", checks, err)
	}

	pair := func(name string, trust ringwall.Trust) sigv4.Credentials {
		_, key, err := h.Keys().Create(t.Context(), auth.Spec{Name: name, Trust: trust})
		if err != nil {
			t.Fatal(err)
		}
		secret, err := h.Keys().Secret(key.Prefix)
		if err != nil {
			t.Fatal(err)
		}
		return sigv4.Credentials{KeyID: key.Prefix, Secret: secret}
	}
	root, customer := pair("root", ringwall.Operator), pair("customer", ringwall.Customer)
	signed := func(method, path, body string, by sigv4.Credentials, service string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		sigv4.Sign(r, []byte(body), by, "us-east-1", service, time.Now())
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(b)
	}
	create := func(name string) string {
		return `{"name":"` + name + `",` + messages + `,"wordPolicyConfig":{"wordsConfig":[{"text":"bluebird"}]}}`
	}
	resp, body := signed("POST", "/guardrails", create("made"), root, "bedrock")
	var made struct{ GuardrailID string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	at := "/guardrails/" + made.GuardrailID
	for _, tt := range []struct {
		name, method, path, body string
		by                       sigv4.Credentials
		service                  string
		status                   int
	}{
		{"a list with parameters", "GET", "/guardrails?guardrailIdentifier=" + made.GuardrailID + "&maxResults=5", "", root, "bedrock", 200},
		{"a version", "POST", at, `{}`, root, "bedrock", 202},
		{"one of it", "GET", at + "?guardrailVersion=1", "", root, "bedrock", 200},
		{"an update", "PUT", at, create("made"), root, "bedrock", 202},
		{"by its ARN", "GET", "/guardrails/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aguardrail%2F" + made.GuardrailID, "", root, "bedrock", 200},
		{"a caller who is trusted less", "POST", "/guardrails", create("other"), customer, "bedrock", 403},
		{"a caller who may not read", "GET", at, "", customer, "bedrock", 403},
		{"a wrong secret", "DELETE", at, "", sigv4.Credentials{KeyID: root.KeyID, Secret: root.Secret + "x"}, "bedrock", 401},
		{"the secret of another", "DELETE", at, "", sigv4.Credentials{KeyID: root.KeyID, Secret: customer.Secret}, "bedrock", 401},
		{"nobody's key", "DELETE", at, "", sigv4.Credentials{KeyID: "AKIAIOSFODNN7EXAMPLE", Secret: "s"}, "bedrock", 401},
		{"another service", "DELETE", at, "", root, "s3", 401},
		{"its end", "DELETE", at, "", root, "bedrock", 202},
	} {
		if resp, body := signed(tt.method, tt.path, tt.body, tt.by, tt.service); resp.StatusCode != tt.status || tt.status > 299 && resp.Header.Get("X-Amzn-Errortype") != "AccessDeniedException" {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, body)
		}
	}
	// A signature proves one body only.
	r, err := http.NewRequest("POST", h.url+"/guardrails", strings.NewReader(create("mine")))
	if err != nil {
		t.Fatal(err)
	}
	sigv4.Sign(r, []byte(create("your")), root, "us-east-1", "bedrock", time.Now())
	resp, err = http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("another body: %d", resp.StatusCode)
	}
}
