package gemini_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
)

const (
	chat = `{"model":"m","messages":[
 {"role":"system","content":"Be kind."},
 {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
 {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]},
 {"role":"tool","tool_call_id":"c1","content":"a lamp"},
 {"role":"user","content":"And now?"}],
 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object","properties":{"at":{"type":"integer"}}}}}],
 "tool_choice":{"type":"function","function":{"name":"look"}},
 "max_completion_tokens":7,"temperature":0.5,"top_p":0.25,"seed":3,"stop":["x"],"reasoning_effort":"low",
 "response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":false}}}`
	generate = `{"systemInstruction":{"parts":[{"text":"Be kind."}]},
 "contents":[
 {"role":"user","parts":[{"text":"What is this?"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]},
 {"role":"model","parts":[{"text":"I look."},{"functionCall":{"id":"c1","name":"look","args":{"at":1}}}]},
 {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"look","response":{"output":"a lamp"}}},{"text":"And now?"}]}],
 "tools":[{"functionDeclarations":[{"name":"look","description":"looks","parametersJsonSchema":{"type":"object","properties":{"at":{"type":"integer"}}}}]}],
 "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["look"]}},
 "generationConfig":{"maxOutputTokens":7,"temperature":0.5,"topP":0.25,"seed":3,"stopSequences":["x"],"responseMimeType":"application/json","responseJsonSchema":{"type":"object"},"thinkingConfig":{"thinkingBudget":1024,"includeThoughts":true}}}`
)

func TestChatBeforeGemini(t *testing.T) {
	p := &dialecttest.Recorded{Answer: `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"A lamp."},{"functionCall":{"id":"c2","name":"look","args":{"at":2}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"thoughtsTokenCount":1,"totalTokenCount":8},"modelVersion":"g","responseId":"r"}`}
	tr := &dialect.Translated{API: openai.API, From: openai.Codec{}, To: gemini.Codec{}, Provider: p}
	out, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(chat)})
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, string(p.Call.Body), generate)
	dialecttest.Same(t, string(out), `{"id":"r","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp.","reasoning_content":"hm","tool_calls":[{"id":"c2","type":"function","function":{"name":"look","arguments":"{\"at\":2}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,"completion_tokens_details":{"reasoning_tokens":1}}}`)
	if p.Call.Model != "m" || p.Call.API != gemini.API {
		t.Errorf("call %+v", p.Call)
	}
}

func TestGeminiBeforeChat(t *testing.T) {
	p := &dialecttest.Recorded{Answer: `{"id":"r","object":"chat.completion","created":0,"model":"g","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp.","reasoning_content":"hm","tool_calls":[{"id":"c2","type":"function","function":{"name":"look","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}`}
	tr := &dialect.Translated{API: gemini.API, From: gemini.Codec{}, To: openai.Codec{}, Provider: p}
	body := strings.Replace(generate, `"thinkingBudget":1024`, `"thinkingLevel":"LOW"`, 1)
	body = strings.Replace(body, `parametersJsonSchema":{"type":"object","properties":{"at":{"type":"integer"}}}`, `parameters":{"type":"OBJECT","properties":{"at":{"type":"INTEGER"}},"propertyOrdering":["at"]}`, 1)
	for _, body := range []string{body, strings.ReplaceAll(body, `"id":"c1",`, ``)} {
		out, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		dialecttest.Same(t, strings.ReplaceAll(string(p.Call.Body), `"call_1"`, `"c1"`), chat)
		dialecttest.Same(t, string(out), `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"A lamp."},{"functionCall":{"id":"c2","name":"look","args":{}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7,"cachedContentTokenCount":3},"modelVersion":"m","responseId":"r"}`)
	}
}

func TestSchemasBecomeJSONSchema(t *testing.T) {
	conv, err := gemini.Codec{}.ReadRequest(ringwall.Call{Body: []byte(`{"contents":[],"generationConfig":{"response_schema":{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true,"enum":["TYPE"]},"nullable":{"type":"ARRAY","items":{"type":"NUMBER"},"minItems":"2"},"u":{"anyOf":[{"type":"BOOLEAN"}]}},"required":["type"],"propertyOrdering":["type"]}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, string(conv.Format.Schema), `{"type":"object","properties":{"type":{"type":["string","null"],"enum":["TYPE"]},"nullable":{"type":"array","items":{"type":"number"},"minItems":2},"u":{"anyOf":[{"type":"boolean"}]}},"required":["type"]}`)
}

// Through the codec's own steps nothing may be lost, and a call without an id gets
// the same one each time.
func TestStreams(t *testing.T) {
	p := &dialecttest.Recorded{Stream: []string{
		`{"candidates":[{"content":{"parts":[{"text":"h","thought":true}],"role":"model"},"index":0}],"responseId":"r","modelVersion":"g"}`,
		`{"candidates":[{"content":{"parts":[{"text":"A la"}],"role":"model"},"index":0}],"responseId":"r","modelVersion":"g"}`,
		`{"candidates":[{"content":{"parts":[{"text":"mp."},{"functionCall":{"name":"look","args":{"at":2}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2},"responseId":"r","modelVersion":"g"}`,
	}}
	stream := func(from dialect.Codec, body string) string {
		tr := &dialect.Translated{From: from, To: gemini.Codec{}, Provider: p}
		var all []string
		for ev, err := range tr.Events(t.Context(), ringwall.Call{Model: "m", Stream: true, Body: []byte(body)}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(ev.Data))
		}
		return strings.Join(all, "\n")
	}
	id := dialect.CallID("r", 0, "look", `{"at":2}`)
	got := stream(openai.Codec{}, chat)
	for _, want := range []string{`"reasoning_content":"h"`, `"content":"A la"`, `"content":"mp."`, `"id":"` + id + `"`, `"arguments":"{\"at\":2}"`, `"finish_reason":"tool_calls"`, `"prompt_tokens":5`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	got = stream(gemini.Codec{}, generate)
	for _, want := range []string{`{"text":"h","thought":true}`, `{"text":"A la"}`, `{"text":"mp."}`, `{"functionCall":{"id":"` + id + `","name":"look","args":{"at":2}}}`, `"finishReason":"STOP"`, `"promptTokenCount":5`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestStreamsThatBreakOffAreErrors(t *testing.T) {
	p := &dialecttest.Recorded{Stream: []string{`{"candidates":[{"content":{"parts":[{"text":"A"}]}}]}`}}
	tr := &dialect.Translated{From: openai.Codec{}, To: gemini.Codec{}, Provider: p}
	var last error
	for _, err := range tr.Events(t.Context(), ringwall.Call{Stream: true, Body: []byte(chat)}) {
		last = err
	}
	if last == nil {
		t.Error("no error")
	}
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	const ok = `"contents":[{"parts":[{"text":"x"}]}]`
	for body, what := range map[string]string{
		`{` + ok + `,"tools":[{"googleSearch":{}}]}`:                                                           "googleSearch",
		`{` + ok + `,"cachedContent":"c"}`:                                                                     "cachedContent",
		`{` + ok + `,"generationConfig":{"candidateCount":2}}`:                                                 "candidateCount",
		`{` + ok + `,"generationConfig":{"responseModalities":["IMAGE"]}}`:                                     "responseModalities",
		`{` + ok + `,"safetySettings":[{"category":"C","threshold":"BLOCK_LOW_AND_ABOVE"}]}`:                   "BLOCK_LOW_AND_ABOVE",
		`{` + ok + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["a","b"]}}}`:  "allowedFunctionNames",
		`{"contents":[{"role":"model","parts":[{"executableCode":{"code":"1"}}]}]}`:                            "executableCode",
		`{"contents":[{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"x"}}}]}]}`: "no functionCall before it",
	} {
		if _, err := (gemini.Codec{}).ReadRequest(ringwall.Call{Body: []byte(body)}); !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s to be named", body, err, what)
		}
	}
	user := []ringwall.Turn{{Parts: []ringwall.Part{{Text: "x"}}}}
	tools := []ringwall.ToolSpec{{Name: "f"}}
	for what, c := range map[string]*ringwall.Conversation{
		"at a time":        {Turns: user, Tools: tools, Choice: ringwall.ToolChoice{Single: true}},
		"effort":           {Turns: user, Effort: "extreme"},
		"without the call": {Turns: []ringwall.Turn{{Parts: []ringwall.Part{{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{ID: "c"}}}}}},
		"no JSON object":   {Turns: []ringwall.Turn{{Parts: []ringwall.Part{{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{Arguments: "x"}}}}}},
	} {
		if _, err := (gemini.Codec{}).WriteRequest(c); !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %s to be named", err, what)
		}
	}
}

func TestBlocksAndStrangeEnds(t *testing.T) {
	r, err := gemini.Codec{}.ReadReply([]byte(`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}`))
	if err != nil || r.Stop != ringwall.StopFilter || r.Usage.InputTokens != 3 {
		t.Errorf("a blocked prompt: %+v, %v", r, err)
	}
	for _, body := range []string{`{"candidates":[]}`, `{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}`, `{"error":{"code":500}}`, `{"candidates":[{"content":{"parts":[{"executableCode":{}}]},"finishReason":"STOP"}]}`} {
		if r, err := (gemini.Codec{}).ReadReply([]byte(body)); err == nil {
			t.Errorf("%s: %+v", body, r)
		}
	}
}
