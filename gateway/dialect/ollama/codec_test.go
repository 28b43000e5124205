package ollama_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
)

const (
	completions = `{"model":"m","messages":[
 {"role":"system","content":"Be kind."},
 {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
 {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]},
 {"role":"tool","tool_call_id":"c1","content":"a lamp"},
 {"role":"user","content":"And now?"}],
 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object"}}}],
 "max_completion_tokens":7,"temperature":0.5,"top_p":0.25,"seed":3,"stop":["x"],"reasoning_effort":"low",
 "response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":false}}}`
	chat = `{"model":"m","stream":false,"messages":[
 {"role":"system","content":"Be kind."},
 {"role":"user","content":"What is this?","images":["iVBORw0KGgo="]},
 {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","function":{"name":"look","arguments":{"at":1}}}]},
 {"role":"tool","content":"a lamp","tool_name":"look","tool_call_id":"c1"},
 {"role":"user","content":"And now?"}],
 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object"}}}],
 "options":{"num_predict":7,"temperature":0.5,"top_p":0.25,"seed":3,"stop":["x"]},"think":"low","format":{"type":"object"}}`
)

func TestCompletionsBeforeOllama(t *testing.T) {
	p := &dialecttest.Recorded{Answer: `{"model":"g","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"A lamp.","thinking":"hm","tool_calls":[{"id":"c2","function":{"name":"look","arguments":{"at":2}}}]},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":2}`}
	tr := &dialect.Translated{API: openai.API, From: openai.Codec{}, To: ollama.Codec{}, Provider: p}
	out, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(completions)})
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, string(p.Call.Body), chat)
	var reply map[string]any
	if err := json.Unmarshal(out, &reply); err != nil || !strings.HasPrefix(reply["id"].(string), "ollama-") {
		t.Fatalf("%v: %s", err, out)
	}
	delete(reply, "id")
	out, _ = json.Marshal(reply)
	dialecttest.Same(t, string(out), `{"object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp.","reasoning_content":"hm","tool_calls":[{"id":"c2","type":"function","function":{"name":"look","arguments":"{\"at\":2}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`)
}

func TestOllamaBeforeCompletions(t *testing.T) {
	p := &dialecttest.Recorded{Answer: `{"id":"r","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp.","reasoning_content":"hm"},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}`}
	tr := &dialect.Translated{API: ollama.API, From: ollama.Codec{}, To: openai.Codec{}, Provider: p}
	anonymous := strings.NewReplacer(`"id":"c1",`, ``, `,"tool_call_id":"c1"`, ``)
	for _, body := range []string{chat, anonymous.Replace(chat)} {
		out, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		dialecttest.Same(t, strings.ReplaceAll(string(p.Call.Body), `"call_1"`, `"c1"`), completions)
		dialecttest.Same(t, string(out), `{"model":"m","created_at":"1970-01-01T00:00:00Z","message":{"role":"assistant","content":"A lamp.","thinking":"hm"},"done":true,"done_reason":"length","prompt_eval_count":5,"eval_count":2}`)
	}
	tr = &dialect.Translated{API: ollama.GenerateAPI, From: ollama.Codec{Generate: true}, To: openai.Codec{}, Provider: p}
	out, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(`{"model":"m","system":"Be kind.","prompt":"Hi.","images":["iVBORw0KGgo="],"think":false,"keep_alive":"5m","options":{"num_ctx":9},"context":[]}`)})
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, string(p.Call.Body), `{"model":"m","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":[{"type":"text","text":"Hi."},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}],"reasoning_effort":"none"}`)
	dialecttest.Same(t, string(out), `{"model":"m","created_at":"1970-01-01T00:00:00Z","response":"A lamp.","thinking":"hm","done":true,"done_reason":"length","prompt_eval_count":5,"eval_count":2}`)
}

func TestStreams(t *testing.T) {
	p := &dialecttest.Recorded{Stream: []string{
		`{"model":"g","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"h"},"done":false}`,
		`{"model":"g","created_at":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":"A la"},"done":false}`,
		`{"model":"g","created_at":"2026-01-01T00:00:02Z","message":{"role":"assistant","content":"mp.","tool_calls":[{"function":{"name":"look","arguments":{"at":2}}}]},"done":false}`,
		`{"model":"g","created_at":"2026-01-01T00:00:03Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":2}`,
	}}
	for _, tt := range []struct {
		from dialect.Codec
		body string
		want []string
	}{
		{openai.Codec{}, completions, []string{`"reasoning_content":"h"`, `"content":"A la"`, `"content":"mp."`, `"id":"call_`, `"arguments":"{\"at\":2}"`, `"finish_reason":"tool_calls"`, `"prompt_tokens":5`}},
		{ollama.Codec{}, chat, []string{`"content":"","thinking":"h"`, `"content":"A la"`, `"content":"mp."`, `"arguments":{"at":2}`, `"done":true,"done_reason":"stop"`, `"prompt_eval_count":5`}},
	} {
		tr := &dialect.Translated{From: tt.from, To: ollama.Codec{}, Provider: p}
		var all string
		for ev, err := range tr.Events(t.Context(), ringwall.Call{Model: "m", Stream: true, Body: []byte(tt.body)}) {
			if err != nil {
				t.Fatal(err)
			}
			all += string(ev.Data) + "\n"
		}
		for _, want := range tt.want {
			if !strings.Contains(all, want) {
				t.Errorf("no %s in %s", want, all)
			}
		}
		if !strings.Contains(string(p.Call.Body), `"stream":true`) {
			t.Errorf("asked %s", p.Call.Body)
		}
	}
	p.Stream = p.Stream[:2]
	var last error
	tr := &dialect.Translated{From: openai.Codec{}, To: ollama.Codec{}, Provider: p}
	for _, err := range tr.Events(t.Context(), ringwall.Call{Stream: true, Body: []byte(completions)}) {
		last = err
	}
	if last == nil {
		t.Error("a stream that breaks off is no error")
	}
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	const ok = `"model":"m","messages":[{"role":"user","content":"x"}]`
	for body, what := range map[string]string{
		`{` + ok + `,"options":{"mirostat":2}}`:        "options.mirostat",
		`{` + ok + `,"logprobs":true}`:                 "logprobs",
		`{` + ok + `,"template":"t"}`:                  "template",
		`{` + ok + `,"format":"yaml"}`:                 "format",
		`{"messages":[{"role":"tool","content":"x"}]}`: "no call before it",
	} {
		if _, err := (ollama.Codec{}).ReadRequest(ringwall.Call{Body: []byte(body)}); !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s to be named", body, err, what)
		}
	}
	user := []ringwall.Turn{{Parts: []ringwall.Part{{Text: "x"}}}}
	for what, c := range map[string]*ringwall.Conversation{
		"must be used": {Turns: user, Choice: ringwall.ToolChoice{Mode: ringwall.ChoiceRequired}},
		"at a time":    {Turns: user, Tools: []ringwall.ToolSpec{{Name: "f"}}, Choice: ringwall.ToolChoice{Single: true}},
		"effort":       {Turns: user, Effort: "extreme"},
		"image part":   {Turns: []ringwall.Turn{{Parts: []ringwall.Part{{Kind: ringwall.PartMedia, Media: &ringwall.Media{URL: "https://x.example/a.png"}}}}}},
	} {
		if _, err := (ollama.Codec{}).WriteRequest(c); !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %s to be named", err, what)
		}
	}
}
