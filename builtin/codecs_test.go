package builtin_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/internal/sse"
)

// recorded is a Provider that answers what was recorded, and keeps what it was
// asked.
type recorded struct {
	api    string
	answer string
	events []string
	call   ringwall.Call
}

func (r *recorded) APIs() []string                           { return []string{r.api} }
func (r *recorded) Models(context.Context) ([]string, error) { return nil, nil }

func (r *recorded) Complete(_ context.Context, call ringwall.Call) ([]byte, error) {
	r.call = call
	return []byte(r.answer), nil
}

func (r *recorded) Events(_ context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	r.call = call
	return func(yield func(sse.Event, error) bool) {
		for _, e := range r.events {
			if !yield(sse.Event{Data: []byte(e)}, nil) {
				return
			}
		}
	}
}

func same(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatalf("%v\n%s\nwant %s", err, got, want)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

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
				p := &recorded{api: to.api, answer: to.answer}
				out, err := builtin.Translate(from.api, p).Complete(t.Context(), ringwall.Call{API: from.api, Model: "m", Body: []byte(from.body)})
				if err != nil || p.call.API != to.api {
					t.Fatalf("asked in %s: %v", p.call.API, err)
				}
				same(t, string(p.call.Body), to.body)
				same(t, string(out), from.answer)
			})
		}
	}
	invoke := `{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(ofClaude)) + `"}}}`
	p := &recorded{api: "gemini-count-tokens", answer: `{}`}
	if _, err := builtin.Translate("bedrock-count-tokens", p).Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(invoke)}); err == nil {
		t.Error("an answer without a number is taken")
	}
	same(t, string(p.call.Body), `{"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]}]}}`)
	p = &recorded{api: "gemini-count-tokens", answer: `{"totalTokens":11}`}
	if _, err := builtin.Translate("anthropic-count-tokens", p).Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(`{"messages":[{"role":"user","content":"hi"}]}`)}); err != nil {
		t.Error(err)
	}
	same(t, string(p.call.Body), `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`)
	for _, api := range []string{"anthropic", "openai"} {
		if builtin.Translate("anthropic-count-tokens", &recorded{api: api}) != nil || builtin.Translate(api, &recorded{api: "gemini-count-tokens"}) != nil {
			t.Errorf("what counts tokens asks %s, or the other way", api)
		}
	}
}

func TestInvokeModelOfClaudeBeforeOthers(t *testing.T) {
	const answer = `{"id":"r","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}`
	p := &recorded{api: "openai", answer: answer, events: []string{
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
	same(t, string(p.call.Body), `{"model":"m","max_completion_tokens":5,"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]}`)
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
	for _, body := range []string{`{"inputText":"hi"}`, `{"schemaVersion":"messages-v1","messages":[]}`} {
		call := ringwall.Call{Body: []byte(body)}
		if _, err := tr.Complete(t.Context(), call); !errors.Is(err, ringwall.ErrUncarried) {
			t.Errorf("%s: %v", body, err)
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
		codec, ok := builtin.Counters[api]
		if api == "bedrock-invoke" {
			codec, ok = builtin.Codecs[api], true
		}
		if !ok {
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
