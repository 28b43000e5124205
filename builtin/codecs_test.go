package builtin_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
)

// ofClaude is a body of InvokeModel.
const ofClaude = `{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b"],"max_tokens":5,"system":"s","messages":[{"role":"user","content":"hi"}]}`

// The same question in the words of those who count, and their answers.
var counted = []struct{ api, body, answer string }{
	{
		"anthropic-count-tokens", `{"model":"m","system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`,
		`{"input_tokens":11}`,
	}, {
		"bedrock-count-tokens", `{"input":{"converse":{"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}}}}`,
		`{"inputTokens":11}`,
	}, {
		"gemini-count-tokens", `{"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]}],"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object"}}]}]}}`,
		`{"totalTokens":11}`,
	},
}

func TestTokensAreCountedByOthers(t *testing.T) {
	for _, from := range counted {
		for _, to := range counted {
			t.Run(from.api+" before "+to.api, func(t *testing.T) {
				p := &dialecttest.Recorded{API: to.api, Answer: to.answer}
				out, err := builtin.Translate(from.api, p).Complete(t.Context(), ringwall.Call{API: from.api, Model: "m", Body: []byte(from.body)})
				if err != nil || p.Call.API != to.api {
					t.Fatalf("asked in %s: %v", p.Call.API, err)
				}
				dialecttest.Same(t, string(p.Call.Body), to.body)
				dialecttest.Same(t, string(out), from.answer)
			})
		}
	}
	invoke := `{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(ofClaude)) + `"}}}`
	p := &dialecttest.Recorded{API: "gemini-count-tokens", Answer: `{}`}
	if _, err := builtin.Translate("bedrock-count-tokens", p).Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(invoke)}); err == nil {
		t.Error("an answer without a number is taken")
	}
	dialecttest.Same(t, string(p.Call.Body), `{"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]}]}}`)
	p = &dialecttest.Recorded{API: "gemini-count-tokens", Answer: `{"totalTokens":11}`}
	if _, err := builtin.Translate("anthropic-count-tokens", p).Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(`{"messages":[{"role":"user","content":"hi"}]}`)}); err != nil {
		t.Error(err)
	}
	dialecttest.Same(t, string(p.Call.Body), `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`)
	for _, api := range []string{"anthropic", "openai"} {
		if _, ok := builtin.Translate("anthropic-count-tokens", &dialecttest.Recorded{API: api}).(*dialect.Estimated); !ok || builtin.Translate(api, &dialecttest.Recorded{API: "gemini-count-tokens"}) != nil {
			t.Errorf("what counts tokens asks %s, or the other way", api)
		}
	}
}

func TestInvokeModelOfClaudeBeforeOthers(t *testing.T) {
	const answer = `{"id":"r","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}`
	p := &dialecttest.Recorded{API: "openai", Answer: answer, Stream: []string{
		`{"id":"r","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}]}`,
		`{"id":"r","model":"m","choices":[{"index":0,"delta":{"content":"lo."},"finish_reason":"stop"}]}`,
		`{"id":"r","model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}`,
	}}
	tr := builtin.Translate("bedrock-invoke", p)
	call := ringwall.Call{API: "bedrock-invoke", Model: "m", Body: []byte(ofClaude)}
	out, err := tr.Complete(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, string(p.Call.Body), `{"model":"m","max_completion_tokens":5,"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]}`)
	if !strings.Contains(string(out), `"content":[{"text":"Hello.","type":"text"}]`) || !strings.Contains(string(out), `"stop_reason":"end_turn"`) {
		t.Errorf("the answer is %s", out)
	}
	call.Stream = true
	var kinds []string
	said := ""
	for ev, err := range tr.Events(t.Context(), call) {
		if err != nil {
			t.Fatal(err)
		}
		var chunk struct{ Chunk struct{ Bytes []byte } }
		var event struct {
			Type  string
			Delta struct{ Text string }
		}
		if err := errors.Join(json.Unmarshal(ev.Data, &chunk), json.Unmarshal(chunk.Chunk.Bytes, &event)); err != nil {
			t.Fatalf("%s: %v", ev.Data, err)
		}
		kinds, said = append(kinds, event.Type), said+event.Delta.Text
	}
	if said != "Hello." || kinds[0] != "message_start" || kinds[len(kinds)-1] != "message_stop" {
		t.Errorf("the events are %q, which say %q", kinds, said)
	}
	for _, body := range []string{`{"inputText":"hi"}`, `{"prompt":"hi","max_gen_len":3}`} {
		call := ringwall.Call{Body: []byte(body)}
		if _, err := tr.Complete(t.Context(), call); !errors.Is(err, ringwall.ErrUncarried) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Most APIs know instructions behind the first turn; the others refuse them, for they
// would be a user's words there.
func TestInstructionsBehindTheFirstTurn(t *testing.T) {
	const chat = `"messages":[{"role":"user","content":"x"},{"role":"system","content":"y"},{"role":"user","content":"z"}]`
	from := map[string]string{
		"openai": `{` + chat + `}`, "anthropic": `{"max_tokens":5,` + chat + `}`, "ollama": `{"stream":false,` + chat + `}`,
		"openai-responses": `{"input":[{"role":"user","content":"x"},{"role":"developer","content":"y"},{"role":"user","content":"z"}]}`,
	}
	for to, want := range map[string]string{
		"openai": `{"role":"system","content":"y"}`, "anthropic": `{"role":"system","content":[{"text":"y","type":"text"}]}`, "ollama": `{"role":"system","content":"y"}`,
		"openai-responses": `{"content":[{"text":"y","type":"input_text"}],"role":"system","type":"message"}`, "bedrock-converse": "", "gemini": "",
	} {
		for api, body := range from {
			p := &dialecttest.Recorded{API: to}
			_, err := builtin.Translate(api, p).Complete(t.Context(), ringwall.Call{API: api, Model: "m", Body: []byte(body)}) // which has no answer
			switch {
			case want == "" && (!errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), "instructions behind the first turn")):
				t.Errorf("%s before %s: %v", api, to, err)
			case want != "" && !bytes.Contains(p.Call.Body, []byte(want)):
				t.Errorf("%s before %s asks %s, want %s", api, to, p.Call.Body, want)
			}
		}
	}
}

// What one codec reads, the others can write and read again.
func FuzzCounters(f *testing.F) {
	for _, c := range counted {
		f.Add(c.api, []byte(c.body))
	}
	f.Add("bedrock-count-tokens", []byte(`{"input":{"invokeModel":{"body":"`+base64.StdEncoding.EncodeToString([]byte(ofClaude))+`"}}}`))
	f.Add("bedrock-invoke", []byte(ofClaude))
	f.Fuzz(func(t *testing.T, api string, body []byte) {
		var codec dialect.Front
		if c, ok := builtin.Counters[api]; ok {
			codec = c
		} else if codec, ok = builtin.Fronts[api]; !ok {
			return
		}
		was := bytes.Clone(body)
		c, err := codec.ReadRequest(ringwall.Call{Model: "m", Body: body})
		if !bytes.Equal(was, body) {
			t.Fatal("reading changes the body")
		}
		if err != nil {
			return
		}
		c.Model = "m"
		for name, to := range builtin.Counters {
			out, err := to.WriteRequest(c)
			if err != nil {
				continue
			}
			if _, err := to.ReadRequest(out); err != nil {
				t.Fatalf("%s cannot read what it wrote: %v\n%s", name, err, out.Body)
			}
		}
	})
}
