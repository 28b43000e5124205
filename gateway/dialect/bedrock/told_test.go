package bedrock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/eventstream"
)

// named is a request that names a guardrail and asks for a trace.
func named(t testing.TB, model, operation string) gateway.Request {
	t.Helper()
	const body = `{"messages":[{"role":"user","content":[]}]%s}`
	if model == "" {
		r := fmt.Sprintf(`{"messages":[{"role":"user","content":[{"text":"x"}]}]%s}`, `,"guardrailConfig":{"guardrailIdentifier":"shop","guardrailVersion":"2","trace":"enabled"}`)
		req, err := bedrock.Converse{}.Read(post("/model/m/"+operation), []byte(r))
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
	h := post("/model/" + model + "/" + operation)
	h.Header.Set("X-Amzn-Bedrock-GuardrailIdentifier", "shop")
	h.Header.Set("X-Amzn-Bedrock-GuardrailVersion", "2")
	h.Header.Set("X-Amzn-Bedrock-Trace", "ENABLED")
	req, err := bedrock.Invoke{}.Read(h, fmt.Appendf(nil, body, ""))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// did says that something of the answer was masked, by two guardrails.
func did() gateway.Declined {
	return gateway.Declined{
		Guardrail: "default@draft",
		Findings:  []ringwall.Finding{{Control: "inference/pii", Reason: "email"}, {Control: "inference/pii", Reason: "order", Guardrail: "shop@2"}},
		Actions:   []ringwall.Action{ringwall.Mask, ringwall.Mask},
	}
}

const told = `{"actionReason":"Guardrail masked.","outputAssessments":{"default":[{"sensitiveInformationPolicy":{"piiEntities":[{"match":"","type":"EMAIL","action":"ANONYMIZED","detected":true}],"regexes":[]}}],"shop":[{"sensitiveInformationPolicy":{"piiEntities":[],"regexes":[{"name":"order","match":"","action":"ANONYMIZED","detected":true}]}}]}}`

// What was masked is said in Bedrock's words, in whole answers and in streams, and an
// answer that calls a tool stays one.
func TestMaskedAnswersSaySo(t *testing.T) {
	for _, tt := range []struct{ stop, want string }{{"end_turn", "guardrail_intervened"}, {"tool_use", "tool_use"}} {
		req := named(t, "", "converse")
		a, err := bedrock.Converse{}.Answer(req, []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"`+tt.stop+`","usage":{},"trace":{"theirs":"4111"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if texts := a.Texts(); len(texts) != 1 {
			t.Errorf("texts %+v", texts)
		}
		a.(gateway.Telling).Tell(did)
		same(t, a.Edit([]guard.Changed{{Index: 0, Value: "ho"}}), []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"ho"}]}},"stopReason":"`+tt.want+`","usage":{},"trace":{"guardrail":`+told+`}}`))

		relay := bedrock.Converse{}.Relay(named(t, "", "converse-stream"), opener(maskAll(t)))
		relay.(gateway.Telling).Tell(did)
		var out []byte
		for _, e := range []string{`{"messageStart":{"role":"assistant"}}`, `{"messageStop":{"stopReason":"` + tt.stop + `"}}`, `{"metadata":{"usage":{},"trace":{"theirs":"4111"}}}`} {
			if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
				t.Fatal(err)
			}
		}
		got := collect(t, relay.End(t.Context(), out))
		if got.stop != tt.want {
			t.Errorf("the stream stops with %s", got.stop)
		}
		same(t, []byte(got.trace), []byte(`{"guardrail":`+told+`}`))
	}
	for _, model := range []string{claude, titan, llama, nova, another} {
		body := map[string]string{claude: `{"content":[],"stop_reason":"end_turn"}`, nova: `{"output":{"message":{"content":[]}},"stopReason":"end_turn"}`}[model]
		if body == "" {
			body = `{"generation":"x","amazon-bedrock-trace":{"theirs":1}}`
		}
		a, err := bedrock.Invoke{}.Answer(named(t, model, "invoke"), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		a.(gateway.Telling).Tell(did)
		if got := string(a.Edit(nil)); !strings.Contains(got, `"amazon-bedrock-guardrailAction":"INTERVENED"`) || !strings.Contains(got, `"amazon-bedrock-trace":{"guardrail":`+strings.TrimSuffix(told, "}")+`,"outputs":[{`) || strings.Contains(got, "theirs") || strings.Contains(got, "guardrail_intervened") {
			t.Errorf("%s: %s", model, got)
		}
	}
}

// Whatever a model says, what is told about it stands in JSON.
func FuzzTold(f *testing.F) {
	models := []string{"", claude, nova, titan, llama, another}
	f.Add(uint8(0), []byte(strings.Join(events([]part{{text: "a " + card}}, rand.New(rand.NewPCG(1, 1))), "\n")))
	f.Add(uint8(0), []byte(`{"metadata":{}}`+"\n"+`{"metadata":{"trace":{"a":["4111 1111 1111 1111"]},"x":"4111 1111 1111 1111"}}`))
	f.Add(uint8(1), []byte(`{"type":"message_stop","amazon-bedrock-trace":{"a":"4111 1111 1111 1111"},"b":"4111 1111 1111 1111"}`))
	f.Add(uint8(4), []byte(`{"generation":"4111 1111 1111 1111","amazon-bedrock-trace":{"a":"b"},"stop_reason":"stop"}`))
	g := maskAll(f)
	f.Fuzz(func(t *testing.T, which uint8, in []byte) {
		model := models[int(which)%len(models)]
		var relay gateway.Relay
		if model == "" {
			relay = bedrock.Converse{}.Relay(named(t, "", "converse-stream"), opener(g))
		} else {
			relay = bedrock.Invoke{}.Relay(named(t, model, "invoke-with-response-stream"), opener(g))
		}
		relay.(gateway.Telling).Tell(did)
		var out []byte
		for event := range bytes.SplitSeq(in, []byte{'\n'}) {
			var err error
			if model != "" {
				event = chunk(string(event))
			}
			if out, err = relay.Event(t.Context(), out, event); err != nil {
				break
			}
		}
		out = relay.End(t.Context(), out)
		var payloads [][]byte
		if model != "" {
			payloads = inner(t, out)
		} else {
			for m, err := range eventstream.Messages(bytes.NewReader(out)) {
				if err != nil {
					t.Fatal(err)
				}
				payloads = append(payloads, bytes.Clone(m.Payload)) // which is valid until the next
			}
		}
		for _, p := range payloads {
			if !json.Valid(p) {
				t.Fatalf("sent %q", p)
			}
		}
		var a gateway.Answer
		var err error
		if model == "" {
			a, err = bedrock.Converse{}.Answer(named(t, "", "converse"), in)
		} else {
			a, err = bedrock.Invoke{}.Answer(named(t, model, "invoke"), in)
		}
		if err != nil {
			return
		}
		a.(gateway.Telling).Tell(did)
		var all []guard.Changed
		for i := range a.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked"})
		}
		if got := a.Edit(all); !json.Valid(got) {
			t.Fatalf("answered %q", got)
		}
	})
}
