package bedrock_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	claudes "github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
)

// A conversation, an answer and its stream in the two dialects.
const (
	inConverse = `{
	 "system":[{"text":"Be kind."}],
	 "messages":[
	  {"role":"user","content":[{"text":"What is this?"},{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}]},
	  {"role":"assistant","content":[{"text":"I look."},{"toolUse":{"toolUseId":"c1","name":"look","input":{"at":1}}}]},
	  {"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"a lamp"}]}},{"text":"And now?"}]}],
	 "inferenceConfig":{"maxTokens":7,"temperature":0.5,"topP":0.25,"stopSequences":["x"]},
	 "toolConfig":{"tools":[{"toolSpec":{"name":"look","description":"looks","inputSchema":{"json":{"type":"object"}},"strict":true}}],"toolChoice":{"tool":{"name":"look"}}},
	 "outputConfig":{"effort":"low","textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"n","schema":"{\"type\":\"object\"}"}}}}}`
	inOpenAI = `{"model":"m","messages":[
	  {"role":"system","content":"Be kind."},
	  {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
	  {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]},
	  {"role":"tool","tool_call_id":"c1","content":"a lamp"},
	  {"role":"user","content":"And now?"}],
	 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object"},"strict":true}}],
	 "tool_choice":{"type":"function","function":{"name":"look"}},
	 "max_completion_tokens":7,"temperature":0.5,"top_p":0.25,"stop":["x"],"reasoning_effort":"low",
	 "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}}`
	answerConverse = `{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Hm."}}},{"text":"A lamp."},{"toolUse":{"toolUseId":"c2","name":"look","input":{"at":2}}}]}},"stopReason":"tool_use","usage":{"inputTokens":2,"outputTokens":2,"totalTokens":7,"cacheReadInputTokens":3},"metrics":{"latencyMs":0}}`
	answerOpenAI   = `{"id":"made","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp.","reasoning_content":"Hm.","tool_calls":[{"id":"c2","type":"function","function":{"name":"look","arguments":"{\"at\":2}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":3}}}`
)

var (
	streamConverse = []string{
		`{"messageStart":{"role":"assistant"}}`,
		`{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}}}`,
		`{"contentBlockStop":{"contentBlockIndex":0}}`,
		`{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"text":"A "}}}`,
		`{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"text":"lamp."}}}`,
		`{"contentBlockStop":{"contentBlockIndex":1}}`,
		`{"contentBlockStart":{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"c2","name":"look"}}}}`,
		`{"contentBlockDelta":{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"at\":2}"}}}}`,
		`{"contentBlockStop":{"contentBlockIndex":2}}`,
		`{"messageStop":{"stopReason":"tool_use"}}`,
		`{"metadata":{"usage":{"inputTokens":5,"outputTokens":2,"totalTokens":7},"metrics":{"latencyMs":0}}}`,
	}
	streamOpenAI = []string{
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"Hm."},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"content":"A "},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"content":"lamp."},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c2","type":"function","function":{"name":"look","arguments":""}}]},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"at\":2}"}}]},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}`,
		`{"id":"made","object":"chat.completion.chunk","created":0,"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`,
	}
)

func TestTranslates(t *testing.T) {
	for _, tt := range []struct {
		name                string
		from, to            dialect.Codec
		asks, asked         string
		answers, answered   string
		streams, isStreamed []string
	}{
		{"OpenAI to Converse", openai.Codec{}, bedrock.Codec{}, inOpenAI, inConverse, answerConverse, answerOpenAI, streamConverse, streamOpenAI},
		{"Converse to OpenAI", bedrock.Codec{}, openai.Codec{}, inConverse, inOpenAI, answerOpenAI, answerConverse, streamOpenAI, streamConverse},
		{"Converse to Converse", bedrock.Codec{}, bedrock.Codec{}, inConverse, inConverse, answerConverse, answerConverse, streamConverse, streamConverse},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &dialecttest.Recorded{Answer: tt.answers, Stream: tt.streams}
			tr := &dialect.Translated{From: tt.from, To: tt.to, Provider: p, NewID: func() string { return "made" }}
			out, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(tt.asks)})
			if err != nil {
				t.Fatal(err)
			}
			dialecttest.Same(t, p.Call.Body, []byte(tt.asked))
			dialecttest.Same(t, out, []byte(tt.answered))
			n := 0
			for ev, err := range tr.Events(t.Context(), ringwall.Call{Model: "m", Stream: true, Body: []byte(tt.asks)}) {
				if err != nil {
					t.Fatal(err)
				}
				if n < len(tt.isStreamed) {
					dialecttest.Same(t, ev.Data, []byte(tt.isStreamed[n]))
				}
				n++
			}
			if n != len(tt.isStreamed) {
				t.Errorf("%d events, want %d", n, len(tt.isStreamed))
			}
		})
	}
}

// Efforts of reasoning and tokens for it become each other, for no API knows both.
func TestReasoningIsAskedForInTheWordsOfTheOther(t *testing.T) {
	for more, want := range map[string]string{
		`"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`:                   `"reasoning_effort":"low"`,
		`"additionalModelRequestFields":{"reasoning_config":{"type":"enabled","budget_tokens":4096}}`:           `"reasoning_effort":"medium"`,
		`"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":16000}}`:                  `"reasoning_effort":"high"`,
		`"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}`:     `"reasoning_effort":"high"`,
		`"additionalModelRequestFields":{"reasoning_effort":"low"}`:                                             `"reasoning_effort":"low"`,
		`"additionalModelRequestFields":{"thinking":{"type":"adaptive"},"output_config":{"effort":"medium"}}`:   `"reasoning_effort":"medium"`,
		`"additionalModelRequestFields":{"thinking":{"type":"adaptive"}},"outputConfig":{"effort":"low"}`:       `"reasoning_effort":"low"`,
		`"additionalModelRequestFields":{"thinking":{"type":"disabled"},"reasoningConfig":{"type":"disabled"}}`: `"messages":[`,
	} {
		p := &dialecttest.Recorded{Answer: `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`}
		tr := &dialect.Translated{From: bedrock.Codec{}, To: openai.Codec{}, Provider: p}
		_, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(`{"messages":[{"role":"user","content":[{"text":"x"}]}],` + more + `}`)})
		if err != nil || !strings.Contains(string(p.Call.Body), want) || strings.Contains(want, "messages") && strings.Contains(string(p.Call.Body), "reasoning") {
			t.Errorf("%s became %s, %v", more, p.Call.Body, err)
		}
	}
}

// From Converse into itself nothing may be lost that another API has no word for.
func TestNothingIsLostOnTheWay(t *testing.T) {
	for _, body := range []string{
		`{"messages":[{"role":"user","content":[{"text":"x"},{"cachePoint":{"type":"default"}}]}],"system":[{"text":"s"},{"cachePoint":{"type":"default"}}]}`,
		`{"messages":[{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"S"}}},{"reasoningContent":{"redactedContent":"AAAA"}}]}],"additionalModelRequestFields":{"top_k":3,"thinking":{"type":"enabled","budget_tokens":1024}}}`,
		`{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"c","status":"error","content":[{"text":"no"},{"image":{"format":"jpeg","source":{"bytes":"AAAA"}}}]}},{"document":{"format":"pdf","name":"a b","source":{"bytes":"AAAA"}}},{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://b/k"}}}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}}],"toolChoice":{"any":{}}}}`,
	} {
		p := &dialecttest.Recorded{Answer: `{"output":{"message":{"role":"assistant","content":[]}}}`}
		tr := &dialect.Translated{From: bedrock.Codec{}, To: bedrock.Codec{}, Provider: p}
		if _, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
		dialecttest.Same(t, p.Call.Body, []byte(body))
	}
}

// What asks for parts of an answer that another API has not is left away.
func TestWhatChangesNothingIsLeftAway(t *testing.T) {
	p := &dialecttest.Recorded{Answer: answerOpenAI}
	tr := &dialect.Translated{From: bedrock.Codec{}, To: openai.Codec{}, Provider: p}
	body := `{"messages":[{"role":"user","content":[{"text":"x"}]}],"additionalModelResponseFieldPaths":["/delta/stop_sequence"],"requestMetadata":{"a":"b"},"performanceConfig":{"latency":"optimized"}}`
	if _, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, p.Call.Body, []byte(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":[{"text":"x"}]}]`
	for _, tt := range []struct {
		from, to   dialect.Codec
		body, what string
	}{
		{bedrock.Codec{}, openai.Codec{}, `{` + hi + `,"promptVariables":{}}`, "promptVariables"},
		{bedrock.Codec{}, openai.Codec{}, `{` + hi + `,"additionalModelRequestFields":{"anthropic_beta":[]}}`, "additionalModelRequestFields.anthropic_beta"},
		{bedrock.Codec{}, openai.Codec{}, `{` + hi + `,"toolConfig":{"tools":[{"systemTool":{"name":"x"}}]}}`, "toolConfig.tools"},
		{bedrock.Codec{}, openai.Codec{}, `{"messages":[{"role":"user","content":[{"searchResult":{}}]}]}`, "messages[0].content[0].searchResult"},
		{openai.Codec{}, bedrock.Codec{}, `{"messages":[],"seed":1}`, "seed"},
		{openai.Codec{}, bedrock.Codec{}, `{"messages":[],"parallel_tool_calls":false}`, "one tool at a time"},
		{openai.Codec{}, bedrock.Codec{}, `{"messages":[],"frequency_penalty":1}`, "penalties"},
		{openai.Codec{}, bedrock.Codec{}, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]}]}`, "image"},
	} {
		_, err := (&dialect.Translated{From: tt.from, To: tt.to, Provider: &dialecttest.Recorded{}}).Complete(t.Context(), ringwall.Call{Body: []byte(tt.body)})
		if !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), tt.what) {
			t.Errorf("%s: %v, want %s to be named", tt.body, err, tt.what)
		}
	}
}

func TestStreamsThatBreakOffAreErrors(t *testing.T) {
	var last error
	for _, err := range (&dialect.Translated{From: openai.Codec{}, To: bedrock.Codec{}, Provider: &dialecttest.Recorded{Stream: streamConverse[:5]}}).Events(t.Context(), ringwall.Call{Stream: true, Body: []byte(inOpenAI)}) {
		last = err
	}
	if last == nil {
		t.Error("a stream without an end is none")
	}
}

// What a codec reads it can write, and what it wrote it reads alike.
func FuzzCodec(f *testing.F) {
	f.Add(inConverse)
	f.Add(`{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":""}]},{"role":"user","content":[{"toolResult":{"toolUseId":"c"}}]}]}`)
	f.Add(`{"messages":[{"role":"user","content":[{"cachePoint":{}},{"toolUse":{}},{"citationsContent":{"content":[{"text":"a"}]}},{"toolResult":{"content":[{"json":{}}]}}]}],"outputConfig":{"textFormat":{"type":"json_schema"}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := bedrock.Codec{}.ReadRequest(ringwall.Call{Body: []byte(body)})
		if err != nil {
			return
		}
		out, err := bedrock.Codec{}.WriteRequest(c)
		if err != nil {
			return
		}
		c, err = bedrock.Codec{}.ReadRequest(out)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, out.Body)
		}
		again, err := bedrock.Codec{}.WriteRequest(c)
		if err != nil {
			t.Fatalf("%v\n%s", err, out.Body)
		}
		dialecttest.Same(t, again.Body, out.Body)
	})
}

// A stream that can be read can be written and read again, and says the same.
func FuzzStream(f *testing.F) {
	f.Add(strings.Join(streamConverse, "\n"))
	f.Add(`{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"AAAA"},"text":"b"}}}`)
	f.Fuzz(func(t *testing.T, in string) {
		read := func(events []string) (said string, ds []ringwall.Delta, ok bool) {
			r := bedrock.Codec{}.ReadStream()
			keep := func(d ringwall.Delta) {
				ds = append(ds, d)
				said += d.Text
			}
			for _, e := range events {
				if r.Event([]byte(e), keep) != nil {
					return "", nil, false
				}
			}
			return said, ds, r.End(keep) == nil
		}
		said, ds, ok := read(strings.Split(in, "\n"))
		if !ok {
			return
		}
		w := bedrock.Codec{}.WriteStream(&ringwall.Conversation{})
		var events []string
		for _, d := range ds {
			if err := w.Delta(d, func(data []byte) { events = append(events, string(data)) }); err != nil {
				t.Fatal(err)
			}
		}
		if again, _, ok := read(events); !ok || again != said {
			t.Fatalf("said %q, then %q\n%v", said, again, events)
		}
	})
}

// In InvokeModel, the words of a family of models are those of an API that has a codec;
// streams are in chunks.
func TestInvokeIsTranslatedByTheWordsOfItsBody(t *testing.T) {
	const claude = `"system":"Be kind.","max_tokens":7,"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}],` +
		`"tools":[{"name":"look","description":"looks","input_schema":{"type":"object"}}]`
	const nova = `"system":[{"text":"Be kind."}],"messages":[{"role":"user","content":[{"text":"What is this?"}]}],"inferenceConfig":{`
	for _, tt := range []struct {
		name       string
		plain      dialect.Front
		body, same string
	}{
		{"Anthropic's", claudes.Codec{}, `{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["x"],` + claude + `}`, `{` + claude + `}`},
		{"Nova's", bedrock.Codec{}, `{` + nova + `"max_new_tokens":7,"top_p":0.5},"schemaVersion":"messages-v1"}`, `{` + nova + `"maxTokens":7,"topP":0.5}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, plainly := &dialecttest.Recorded{Answer: answerOpenAI, Stream: streamOpenAI}, &dialecttest.Recorded{Answer: answerOpenAI, Stream: streamOpenAI}
			invoke := &dialect.Translated{From: bedrock.InvokeCodec{Messages: claudes.Codec{}}, To: openai.Codec{}, Provider: asked, NewID: func() string { return "x" }}
			plain := &dialect.Translated{From: tt.plain, To: openai.Codec{}, Provider: plainly, NewID: func() string { return "x" }}
			got, err := invoke.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			want, err := plain.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(tt.same)})
			if err != nil {
				t.Fatal(err)
			}
			dialecttest.Same(t, got, want)
			dialecttest.Same(t, asked.Call.Body, plainly.Call.Body)

			var events, chunks []string
			for ev, err := range plain.Events(t.Context(), ringwall.Call{Model: "m", Stream: true, Body: []byte(tt.same)}) {
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, `{"chunk":{"bytes":"`+base64.StdEncoding.EncodeToString(ev.Data)+`"}}`)
			}
			for ev, err := range invoke.Events(t.Context(), ringwall.Call{Model: "m", Stream: true, Body: []byte(tt.body)}) {
				if err != nil {
					t.Fatal(err)
				}
				chunks = append(chunks, string(ev.Data))
			}
			if len(events) == 0 || !slices.Equal(chunks, events) {
				t.Errorf("the chunks are %v, want %v", chunks, events)
			}
		})
	}
	p := &dialecttest.Recorded{Answer: answerOpenAI}
	tr := &dialect.Translated{From: bedrock.InvokeCodec{Messages: claudes.Codec{}}, To: openai.Codec{}, Provider: p}
	if _, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(`{"prompt":"hello","max_gen_len":3}`)}); !errors.Is(err, ringwall.ErrUncarried) || p.Call.Body != nil {
		t.Errorf("the words of Llama: %v", err)
	}
}
