package dialect_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
)

const everything = `{"model":"m","messages":[
 {"role":"system","content":"Be kind."},
 {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
 {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]},
 {"role":"tool","tool_call_id":"c1","content":"a lamp"},
 {"role":"user","content":"And now?"}],
 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object"},"strict":true}}],
 "tool_choice":{"type":"function","function":{"name":"look"}},"parallel_tool_calls":false,
 "max_completion_tokens":7,"temperature":0.5,"top_p":0.25,"seed":3,"stop":["x"],"reasoning_effort":"low","user":"u",
 "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}}`

func translated(p *dialecttest.Recorded) *dialect.Translated {
	return &dialect.Translated{API: openai.API, From: openai.Codec{}, To: openai.Codec{}, Provider: p}
}

// From a dialect into itself nothing may be lost.
func TestNothingIsLostOnTheWay(t *testing.T) {
	p := &dialecttest.Recorded{Answer: `{"id":"r","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp.","tool_calls":[{"id":"c2","type":"function","function":{"name":"look","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":3}}}`}
	out, err := translated(p).Complete(t.Context(), ringwall.Call{API: openai.API, Model: "m", Body: []byte(everything)})
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, p.Call.Body, []byte(everything))
	dialecttest.Same(t, out, []byte(p.Answer))
}

func TestStreamsAreTranslatedStepByStep(t *testing.T) {
	p := &dialecttest.Recorded{Stream: []string{
		`{"id":"r","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"r","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"content":"A "},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"r","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"content":"lamp."},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"r","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c2","type":"function","function":{"name":"look","arguments":""}}]},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"r","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"r","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}`,
		`{"id":"r","object":"chat.completion.chunk","created":0,"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`,
	}}
	n := 0
	for ev, err := range translated(p).Events(t.Context(), ringwall.Call{API: openai.API, Model: "m", Stream: true, Body: []byte(everything)}) {
		if err != nil {
			t.Fatal(err)
		}
		if n < len(p.Stream) {
			dialecttest.Same(t, ev.Data, []byte(p.Stream[n]))
		}
		n++
	}
	if n != len(p.Stream) || !bytes.Contains(p.Call.Body, []byte(`"stream":true`)) {
		t.Errorf("%d events, want %d; asked %s", n, len(p.Stream), p.Call.Body)
	}
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	for body, what := range map[string]string{
		`{"messages":[{"role":"user","content":"x"}],"logit_bias":{"1":2}}`:                                       "logit_bias",
		`{"messages":[{"role":"user","content":"x"}],"n":2}`:                                                      "several answers",
		`{"messages":[{"role":"user","content":[{"type":"video_url","video_url":{"url":"https://x.example"}}]}]}`: "video_url",
		`{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search"}]}`:                            "web_search",
	} {
		_, err := translated(&dialecttest.Recorded{}).Complete(t.Context(), ringwall.Call{Body: []byte(body)})
		if !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s to be named", body, err, what)
		}
	}
}

// Settings that say what is the case anyway are nothing to carry.
func TestPlainSettingsAreNoObstacle(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"x"}]`
	for body, ok := range map[string]bool{
		`{` + hi + `,"logprobs":false,"top_logprobs":0,"logit_bias":{},"verbosity":"medium","modalities":["text"],"n":1,"prediction":{"type":"content","content":"x"}}`: true,
		`{` + hi + `,"logprobs":true}`:               false,
		`{` + hi + `,"top_logprobs":1}`:              false,
		`{` + hi + `,"logit_bias":{"1":1}}`:          false,
		`{` + hi + `,"verbosity":"low"}`:             false,
		`{` + hi + `,"modalities":["text","audio"]}`: false,
	} {
		p := &dialecttest.Recorded{Answer: `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`}
		if _, err := translated(p).Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(body)}); errors.Is(err, ringwall.ErrUncarried) == ok || ok && err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestStreamsThatBreakOffAreErrors(t *testing.T) {
	p := &dialecttest.Recorded{Stream: []string{`{"id":"r","choices":[{"index":0,"delta":{"content":"A "},"finish_reason":null}]}`}}
	var last error
	said := 0
	for _, err := range translated(p).Events(t.Context(), ringwall.Call{Stream: true, Body: []byte(everything)}) {
		last = err
		said++
	}
	if last == nil || said < 2 {
		t.Errorf("%d events, and %v", said, last)
	}
}

// OpenAI's client for Node.js takes no usage from a frame without an id.
func TestAnswersWithoutAnIDGetOne(t *testing.T) {
	p := &dialecttest.Recorded{
		Answer: `{"choices":[{"index":0,"message":{"role":"assistant","content":"A lamp."},"finish_reason":"stop"}]}`,
		Stream: []string{`{"choices":[{"index":0,"delta":{"content":"A lamp."},"finish_reason":null}]}`, `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`},
	}
	tr := translated(p)
	var ids []string
	add := func(data []byte) {
		var answer struct{ ID string }
		if err := json.Unmarshal(data, &answer); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, answer.ID)
	}
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"What is this?"}]}`)
	out, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	add(out)
	for ev, err := range tr.Events(t.Context(), ringwall.Call{Model: "m", Stream: true, Body: body}) {
		if err != nil {
			t.Fatal(err)
		}
		add(ev.Data)
	}
	if len(ids) != 4 || ids[0] == "" || ids[1] == "" || ids[1] == ids[0] || ids[2] != ids[1] || ids[3] != ids[1] {
		t.Errorf("the ids %q", ids)
	}
}
