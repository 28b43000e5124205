package bedrock_test

import (
	"bytes"
	"encoding/base64"
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

// Models of the families.
const (
	claude  = "eu.anthropic.claude-sonnet-4-v1%3A0"
	nova    = "amazon.nova-lite-v1%3A0"
	titan   = "amazon.titan-text-express-v1"
	llama   = "meta.llama3-70b-instruct-v1%3A0"
	another = "example.model-v1"
)

func invoke(t testing.TB, model, body string) gateway.Request {
	t.Helper()
	req, err := bedrock.Invoke{}.Read(post("/model/"+model+"/invoke"), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestEveryTextOfABodyIsLocated(t *testing.T) {
	for model, doc := range map[string]string{
		claude: `{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "stop_sequences": ["x"], "system": [{"type": "text", "text": "s %[1]d"}],
		  "messages": [
		    {"role": "user", "content": "u %[2]d"},
		    {"role": "user", "content": [{"type": "text", "text": "t %[3]d"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
		      {"type": "document", "title": "ti %[4]d", "context": "c %[5]d", "source": {"type": "text", "media_type": "text/plain", "data": "d %[6]d"}},
		      {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "dc %[7]d"}]}},
		      {"type": "search_result", "source": "x", "title": "y", "content": [{"type": "text", "text": "sr %[8]d"}]}]},
		    {"role": "assistant", "content": [{"type": "thinking", "thinking": "th %[9]d"}, {"type": "tool_use", "id": "t1", "name": "pay", "input": {"type": "in %[10]d"}}]},
		    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "r %[11]d"}]}, {"type": "tool_result", "tool_use_id": "t2", "content": "rs %[12]d"}]}],
		  "tools": [{"name": "pay", "description": "td %[13]d", "input_schema": {"type": "object", "description": "sd %[14]d"}}],
		  "new": {"x": "%[15]d"}}`,
		nova:    `{"schemaVersion": "messages-v1", "system": [{"text": "s %[1]d"}], "messages": [{"role": "user", "content": [{"text": "u %[2]d"}]}], "inferenceConfig": {"maxTokens": 5}, "new": "%[3]d"}`,
		titan:   `{"inputText": "u %[1]d", "textGenerationConfig": {"maxTokenCount": 5, "stopSequences": ["User:"]}, "new": ["%[2]d"]}`,
		llama:   `{"prompt": "<s>[INST] u %[1]d [/INST]", "max_gen_len": 5, "temperature": 0.5, "new": "%[2]d"}`,
		another: `{"prompt": "u %[1]d", "messages": [{"role": "system", "content": "s %[2]d"}], "a": {"b": ["%[3]d", 1.50]}}`,
	} {
		t.Run(model, func(t *testing.T) {
			everyPlace(t, doc, func(body []byte) ([]ringwall.Text, func([]guard.Changed) []byte) {
				req := invoke(t, model, string(body))
				return req.Texts(), req.Edit
			})
		})
	}
}

func TestEveryTextOfAnInvokedAnswerIsLocated(t *testing.T) {
	for model, doc := range map[string]string{
		claude: `{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [{"type": "text", "text": "%[1]d", "citations": [{"cited_text": "%[2]d"}]},
		  {"type": "thinking", "thinking": "%[3]d"}, {"type": "tool_use", "id": "t1", "name": "pay", "input": {"id": "%[4]d"}}], "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 4}, "new": "%[5]d"}`,
		nova:    `{"output": {"message": {"role": "assistant", "content": [{"text": "%[1]d"}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 3, "outputTokens": 4}}`,
		titan:   `{"inputTextTokenCount": 3, "results": [{"tokenCount": 4, "outputText": "%[1]d", "completionReason": "FINISH"}]}`,
		llama:   `{"generation": "%[1]d", "prompt_token_count": 3, "generation_token_count": 4, "stop_reason": "stop"}`,
		another: `{"outputs": [{"text": "%[1]d"}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}, "deep": {"new": ["%[2]d"]}}`,
	} {
		t.Run(model, func(t *testing.T) {
			req := invoke(t, model, `{"messages":[{"role":"user","content":[]}]}`)
			everyPlace(t, doc, func(body []byte) ([]ringwall.Text, func([]guard.Changed) []byte) {
				a, err := bedrock.Invoke{}.Answer(req, body)
				if err != nil {
					t.Fatal(err)
				}
				if u := a.Usage(); u.InputTokens != 3 || u.OutputTokens != 4 {
					t.Errorf("Usage() = %+v", u)
				}
				return a.Texts(), a.Edit
			})
		})
	}
}

func TestInvokeReadsGuardrailsFromHeaders(t *testing.T) {
	h := post("/model/" + titan + "/invoke")
	h.Header.Set("X-Amzn-Bedrock-GuardrailIdentifier", "shop")
	h.Header.Set("X-Amzn-Bedrock-GuardrailVersion", "3")
	h.Header.Set("X-Amzn-Bedrock-PerformanceConfig-Latency", "optimized")
	req, err := bedrock.Invoke{}.Read(h, []byte(`{"inputText":"x","amazon-bedrock-guardrailConfig":{"tagSuffix":"a"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := req.(gateway.Named); !ok || n.Guardrail() != "shop@3" {
		t.Error("the guardrail is not read")
	}
	if got := string(req.Edit(nil)); got != `{"inputText":"x"}` {
		t.Errorf("what is for us leaves: %s", got)
	}
	if got := fmt.Sprint(req.Header()); got != "map[X-Amzn-Bedrock-Performanceconfig-Latency:optimized]" {
		t.Errorf("Header() = %s", got)
	}
}

func TestChangedThinkingLosesItsProof(t *testing.T) {
	a, err := bedrock.Invoke{}.Answer(invoke(t, claude, `{"messages":[]}`), []byte(`{"content":[{"type":"thinking","thinking":"x","signature":"S1"},{"type":"thinking","thinking":"y","signature":"S2"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(a.Edit([]guard.Changed{{Index: 0, Value: "z"}})); got != `{"content":[{"type":"thinking","thinking":"z"},{"type":"thinking","thinking":"y","signature":"S2"}]}` {
		t.Errorf("the answer became %s", got)
	}
}

func TestTheTraceOfInvokeModelHasItsOwnWords(t *testing.T) {
	r := post("/model/" + claude + "/invoke")
	r.Header.Set("X-Amzn-Bedrock-Trace", "ENABLED")
	req, err := bedrock.Invoke{}.Read(r, []byte(`{"messages":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	found := []ringwall.Finding{{Control: "inference/word", Reason: "bluebird"}}
	for inputs, want := range map[int]string{1: `"input":{"shop":{"wordPolicy":`, 0: `"outputs":[{"shop":{"wordPolicy":`} {
		out := bedrock.Invoke{}.Declined(req, gateway.Declined{Guardrail: "shop@2", Findings: found, Inputs: inputs})
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("%s, want %s", out, want)
		}
	}
}

func TestInvokeDeclines(t *testing.T) {
	d := gateway.Declined{ID: "x1", Guardrail: "shop@2", Message: "Not so."}
	for model, want := range map[string]string{
		claude:  `"text":"Not so."`,
		nova:    `"stopReason":"guardrail_intervened"`,
		titan:   `"outputText":"Not so."`,
		llama:   `"generation":"Not so."`,
		another: `"message":"Not so."`,
	} {
		req := invoke(t, model, `{"messages":[{"role":"user","content":[]}]}`)
		if got := string(bedrock.Invoke{}.Declined(req, d)); !strings.Contains(got, want) || model != nova && !strings.Contains(got, `"amazon-bedrock-guardrailAction":"INTERVENED"`) {
			t.Errorf("%s: %s", model, got)
		}
		req, err := bedrock.Invoke{}.Read(post("/model/"+model+"/invoke-with-response-stream"), []byte(`{"messages":[{"role":"user","content":[]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(bytes.Join(inner(t, bedrock.Invoke{}.Declined(req, d)), nil)); !strings.Contains(got, "Not so.") {
			t.Errorf("%s streams %s", model, got)
		}
	}
}

func chunk(event string) []byte {
	return []byte(`{"chunk":{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(event)) + `"}}`)
}

// inner returns the events of a model inside frames.
func inner(t testing.TB, frames []byte) (out [][]byte) {
	t.Helper()
	for m, err := range eventstream.Messages(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ Bytes []byte }
		if err := json.Unmarshal(m.Payload, &f); err != nil || m.Text(":event-type") != "chunk" || !json.Valid(f.Bytes) {
			t.Fatalf("frame %s: %v", m.Payload, err)
		}
		out = append(out, f.Bytes)
	}
	return out
}

// shapes are how families stream a text, and how they say it whole.
var shapes = []struct{ model, before, piece, last, behind, whole, in string }{
	{
		claude,
		`{"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}` + "\n" + `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}`,
		`{"type":"content_block_stop","index":0}` + "\n" + `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}` + "\n" + `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3}}`,
		`{"content":[{"type":"text","text":%s}]}`, "",
	},
	{
		claude, // arguments of a tool call, which come whole
		`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":3}}}` + "\n" + `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"pay","input":{}}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":%s}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":%s}}`,
		`{"type":"content_block_stop","index":0}` + "\n" + `{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":4}}`,
		`{"content":[{"type":"tool_use","id":"t","name":"pay","input":%s}]}`, "input",
	},
	{
		nova, `{"messageStart":{"role":"assistant"}}`, `{"contentBlockDelta":{"delta":{"text":%s},"contentBlockIndex":0}}`, `{"contentBlockDelta":{"delta":{"text":%s},"contentBlockIndex":0}}`,
		`{"contentBlockStop":{"contentBlockIndex":0}}` + "\n" + `{"messageStop":{"stopReason":"end_turn"}}` + "\n" + `{"metadata":{"usage":{"inputTokens":3,"outputTokens":4}},"amazon-bedrock-invocationMetrics":{"inputTokenCount":3}}`,
		`{"output":{"message":{"content":[{"text":%s}]}}}`, "",
	},
	{titan, "", `{"outputText":%s,"index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":3}`, `{"outputText":%s,"index":0,"totalOutputTextTokenCount":4,"completionReason":"FINISH","inputTextTokenCount":3}`, "", `{"outputText":%s}`, ""},
	{llama, "", `{"generation":%s,"prompt_token_count":3,"generation_token_count":1,"stop_reason":null}`, `{"generation":%s,"prompt_token_count":3,"generation_token_count":4,"stop_reason":"stop"}`, "", `{"generation":%s}`, ""},
	{another, "", `{"id":"same","outputs":[{"text":%s,"n":1}]}`, `{"id":"same","outputs":[{"text":%s,"n":1}]}`, `{"usage":{"prompt_tokens":3,"completion_tokens":4}}`, `{"outputs":[{"text":%s}]}`, ""},
}

// spoken returns what the events of a model say, whatever its family.
func spoken(events [][]byte) string {
	var text string
	var walk func(v any, key string)
	walk = func(v any, key string) {
		switch v := v.(type) {
		case map[string]any:
			for k, m := range v {
				walk(m, k)
			}
		case []any:
			for _, m := range v {
				walk(m, key)
			}
		case string:
			switch key {
			case "text", "outputText", "generation", "partial_json":
				text += v
			}
		}
	}
	for _, e := range events {
		var v any
		json.Unmarshal(e, &v)
		walk(v, "")
	}
	return text
}

// The streamed answer of every family equals its whole one, however it is cut.
func TestInvokedStreamsEqualWholes(t *testing.T) {
	g := maskAll(t)
	for n, s := range shapes {
		req := invoke(t, s.model, `{"messages":[{"role":"user","content":[]}]}`)
		for seed := range uint64(400) {
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			var text string
			for range 1 + rng.IntN(4) {
				text += pieces[rng.IntN(len(pieces))]
			}
			said := quote(text)
			if s.in != "" {
				text = `{"a": ` + said + `, "n": 4111111111111111}`
				said = text
			}
			a, err := bedrock.Invoke{}.Answer(req, fmt.Appendf(nil, s.whole, said))
			if err != nil {
				t.Fatal(err)
			}
			want := spoken([][]byte{a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts)})
			if s.in != "" {
				var v struct {
					Content []struct{ Input json.RawMessage }
				}
				json.Unmarshal(a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts), &v)
				want = string(v.Content[0].Input)
			}

			relay := bedrock.Invoke{}.Relay(req, opener(g))
			var out []byte
			send := func(events string) {
				for e := range strings.SplitSeq(events, "\n") {
					if e == "" {
						continue
					}
					if out, err = relay.Event(t.Context(), out, chunk(e)); err != nil {
						t.Fatalf("%s: %v", e, err)
					}
				}
			}
			send(s.before)
			for rest := []rune(text); len(rest) > 0; {
				k := min(len(rest), 1+rng.IntN(9))
				shape := s.piece
				if k == len(rest) {
					shape = s.last
				}
				send(fmt.Sprintf(shape, quote(string(rest[:k]))))
				rest = rest[k:]
			}
			send(s.behind)
			out = relay.End(t.Context(), out)
			if got := spoken(inner(t, out)); got != want {
				t.Fatalf("%s, seed %d\ngot  %q\nwant %q", s.model, seed, got, want)
			}
			if u := relay.Usage(); u.InputTokens != 3 || u.OutputTokens != 4 {
				t.Fatalf("%s: Usage() = %+v", s.model, u)
			}
		}
	}
}

func TestPolicyEndsInvokedStreams(t *testing.T) {
	g := blockAll(t)
	for _, s := range shapes {
		if s.in != "" {
			continue
		}
		req := invoke(t, s.model, `{"messages":[{"role":"user","content":[]}]}`)
		relay := bedrock.Invoke{}.Relay(req, opener(g))
		var out []byte
		for e := range strings.SplitSeq(strings.TrimSpace(s.before+"\n"+fmt.Sprintf(s.last, `"bluebird"`)+"\n"+s.behind), "\n") {
			var err error
			if out, err = relay.Event(t.Context(), out, chunk(e)); err != nil {
				t.Fatal(err)
			}
			if relay.Blocked() {
				break
			}
		}
		out = relay.End(t.Context(), out)
		out = relay.Withhold(out, gateway.Declined{ID: "x1", Guardrail: "block@draft", Message: "Withheld."})
		if got := string(bytes.Join(inner(t, out), nil)); !relay.Blocked() || strings.Contains(got, "bluebird") || !strings.Contains(got, "Withheld.") {
			t.Errorf("%s: %s", s.model, got)
		}
	}
}

func FuzzInvokeRead(f *testing.F) {
	models := []string{claude, nova, titan, llama, another}
	for i, body := range []string{`{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":"a"}},{"type":"thinking","thinking":"t","signature":"s"}]}]}`, `{"messages":[]}`, `{"inputText":"x"}`, `{"prompt":"x","images":["AAAA"]}`, `["x"]`} {
		f.Add(uint8(i), body)
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		path := "/model/" + models[int(which)%len(models)] + "/invoke"
		req, err := bedrock.Invoke{}.Read(post(path), []byte(body))
		if err != nil {
			return
		}
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked"})
		}
		again, err := bedrock.Invoke{}.Read(post(path), req.Edit(all))
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, req.Edit(all))
		}
		for _, text := range again.Texts() {
			if text.Value != "masked" {
				t.Fatalf("%s was not replaced: %q", text.Path, text.Value)
			}
		}
	})
}

func FuzzInvokeRelay(f *testing.F) {
	models := []string{claude, nova, titan, llama, another}
	for i, s := range shapes {
		f.Add(uint8(i), []byte(s.before+"\n"+fmt.Sprintf(s.piece, quote("a "+card))+"\n"+s.behind))
	}
	g := maskAll(f)
	f.Fuzz(func(t *testing.T, which uint8, in []byte) {
		req := invoke(t, models[int(which)%len(models)], `{"messages":[{"role":"user","content":[]}]}`)
		relay := bedrock.Invoke{}.Relay(req, opener(g))
		var out []byte
		for event := range bytes.SplitSeq(in, []byte{'\n'}) {
			var err error
			if out, err = relay.Event(t.Context(), out, chunk(string(event))); err != nil {
				break
			}
		}
		for _, e := range inner(t, relay.End(t.Context(), out)) {
			if bytes.Contains(e, []byte(card)) {
				t.Fatalf("a card left: %q", e)
			}
		}
	})
}
