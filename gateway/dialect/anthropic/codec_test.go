package anthropic_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/sse"
)

var (
	toAnthropic = dialect.Translated{API: openai.API, From: openai.Codec{}, To: anthropic.Codec{}}
	toOpenAI    = dialect.Translated{API: anthropic.API, From: anthropic.Codec{}, To: openai.Codec{}}
	toItself    = dialect.Translated{API: anthropic.API, From: anthropic.Codec{}, To: anthropic.Codec{}}
)

func same(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !sameJSON(got, []byte(want)) {
		t.Errorf("%s:\n%s\nwant\n%s", what, got, want)
	}
}

// wholly asks p for a whole answer by way of d.
func wholly(t *testing.T, d dialect.Translated, p *dialecttest.Recorded, body string) []byte {
	t.Helper()
	d.Provider = p
	out, err := d.Complete(t.Context(), ringwall.Call{API: d.API, Model: "m", Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// frames asks p for a stream by way of d.
func frames(t *testing.T, d dialect.Translated, p *dialecttest.Recorded, body string) (out []string) {
	t.Helper()
	d.Provider = p
	for ev, err := range d.Events(t.Context(), ringwall.Call{API: d.API, Model: "m", Stream: true, Body: []byte(body)}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(ev.Data))
	}
	return out
}

func TestOpenAIRequestsBeforeAnthropic(t *testing.T) {
	p := &dialecttest.Recorded{Answer: `{"id":"msg_1","content":[]}`}
	wholly(t, toAnthropic, p, `{"model":"m","messages":[
	 {"role":"system","content":"Be kind."},
	 {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"image_url","image_url":{"url":"https://a.example/b.png"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}},{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,aGk="}}]},
	 {"role":"assistant","content":"","tool_calls":[{"id":"functions.look:0","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}},{"id":"c2","type":"function","function":{"name":"look","arguments":""}}]},
	 {"role":"tool","tool_call_id":"functions.look:0","content":"a lamp"},
	 {"role":"tool","tool_call_id":"c2","content":"a table"},
	 {"role":"user","content":"And now?"}],
	 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object"},"strict":true}},{"type":"function","function":{"name":"stop"}}],
	 "tool_choice":"required","parallel_tool_calls":false,
	 "max_completion_tokens":7,"temperature":0.5,"top_p":0.25,"stop":"x","reasoning_effort":"minimal","user":"u",
	 "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}}`)
	same(t, "asked", p.Call.Body, `{"model":"m","max_tokens":7,"system":[{"type":"text","text":"Be kind."}],"messages":[
	 {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}},{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}},{"type":"document","title":"a.txt","source":{"type":"text","media_type":"text/plain","data":"hi"}}]},
	 {"role":"assistant","content":[{"type":"tool_use","id":"functions_look_0","name":"look","input":{"at":1}},{"type":"tool_use","id":"c2","name":"look","input":{}}]},
	 {"role":"user","content":[{"type":"tool_result","tool_use_id":"functions_look_0","content":[{"type":"text","text":"a lamp"}]},{"type":"tool_result","tool_use_id":"c2","content":[{"type":"text","text":"a table"}]},{"type":"text","text":"And now?"}]}],
	 "tools":[{"name":"look","description":"looks","input_schema":{"type":"object"},"strict":true},{"name":"stop","input_schema":{"type":"object"}}],
	 "tool_choice":{"type":"any","disable_parallel_tool_use":true},
	 "temperature":0.5,"top_p":0.25,"stop_sequences":["x"],"metadata":{"user_id":"u"},
	 "output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}}}`)
	if p.Call.API != anthropic.API {
		t.Errorf("asked in the words of %q", p.Call.API)
	}
}

func TestAnswersAreAsLongAsTheyMayBe(t *testing.T) {
	for _, tt := range []struct{ more, want string }{
		{"", `"max_tokens":8192`},
		{`,"max_tokens":5000`, `"max_tokens":5000`},
		{`,"thinking":{"type":"enabled","budget_tokens":2000}`, `"max_tokens":10192`},
		{`,"max_tokens":5000,"thinking":{"type":"enabled","budget_tokens":2000}`, `"thinking":{"budget_tokens":2000,"type":"enabled"}`},
		{`,"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}`, `"output_config":{"effort":"high"}`},
	} {
		p := &dialecttest.Recorded{Answer: `{"id":"msg_1","content":[]}`}
		wholly(t, toItself, p, `{"model":"m","messages":[{"role":"user","content":"x"}]`+tt.more+`}`)
		if !bytes.Contains(p.Call.Body, []byte(tt.want)) {
			t.Errorf("%s became %s, want %s", tt.more, p.Call.Body, tt.want)
		}
	}
}

func TestAnthropicRequestsBeforeOpenAI(t *testing.T) {
	p := &dialecttest.Recorded{Answer: `{"id":"c","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}`}
	wholly(t, toOpenAI, p, `{"model":"m","max_tokens":7,"temperature":0.5,"top_p":0.25,"top_k":3,"stop_sequences":["x"],"metadata":{"user_id":"u"},"thinking":{"type":"disabled"},"service_tier":"auto",
	 "system":[{"type":"text","text":"Be kind.","cache_control":{"type":"ephemeral"}}],
	 "messages":[
	 {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},
	 {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"c2ln"},{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"look","input":{"at":1}},{"type":"tool_use","id":"t2","name":"look","input":{}}]},
	 {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"a lamp"},{"type":"tool_result","tool_use_id":"t2","is_error":true},{"type":"text","text":"And now?"}]},
	 {"role":"assistant","content":"Wait."},
	 {"role":"user","content":[{"type":"document","title":"T","source":{"type":"text","media_type":"text/plain","data":"plain"}},{"type":"search_result","source":"S","title":"U","content":[{"type":"text","text":"found"}]}]},
	 {"role":"user","content":[{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]}],
	 "tools":[{"name":"look","description":"looks","input_schema":{"type":"object"},"eager_input_streaming":true}],"tool_choice":{"type":"tool","name":"look","disable_parallel_tool_use":true},
	 "output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object"}}}}`)
	same(t, "asked", p.Call.Body, `{"model":"m","messages":[
	 {"role":"system","content":"Be kind."},
	 {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
	 {"role":"assistant","content":"I look.","tool_calls":[{"id":"t1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}},{"id":"t2","type":"function","function":{"name":"look","arguments":"{}"}}]},
	 {"role":"tool","tool_call_id":"t1","content":"a lamp"},{"role":"tool","tool_call_id":"t2","content":"error"},{"role":"user","content":"And now?"},
	 {"role":"assistant","content":"Wait."},
	 {"role":"user","content":[{"type":"text","text":"<document>\n<title>T</title>\nplain\n</document>"},{"type":"text","text":"<search_result>\n<source>S</source>\n<title>U</title>\nfound\n</search_result>"},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}],
	 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object"}}}],
	 "tool_choice":{"type":"function","function":{"name":"look"}},"parallel_tool_calls":false,
	 "max_completion_tokens":7,"temperature":0.5,"top_p":0.25,"top_k":3,"stop":["x"],"reasoning_effort":"high","user":"u",
	 "response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}}}`)
}

// From the dialect into itself nothing may be lost.
func TestNothingIsLostOnTheWay(t *testing.T) {
	const ask = `{"model":"m","max_tokens":4000,"temperature":1,"top_p":0.25,"top_k":3,"stop_sequences":["x"],"metadata":{"user_id":"u"},"thinking":{"type":"enabled","budget_tokens":1024},
	 "system":[{"type":"text","text":"Be kind.","cache_control":{"type":"ephemeral"}}],
	 "messages":[
	 {"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a.example"}},{"type":"text","text":"What is this?"}]},
	 {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"c2ln"},{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"look","input":{"at":1}}]},
	 {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"a lamp"}],"cache_control":{"type":"ephemeral"}},{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]}],
	 "tools":[{"name":"look","description":"looks","input_schema":{"type":"object"},"strict":true,"cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"auto"},
	 "output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}}}`
	const answer = `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"c2ln"},{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"look","input":{"at":1}}],
	 "stop_reason":"stop_sequence","stop_sequence":"x","usage":{"input_tokens":5,"output_tokens":7,"cache_read_input_tokens":2,"cache_creation_input_tokens":1,"output_tokens_details":{"thinking_tokens":3}}}`
	p := &dialecttest.Recorded{Answer: answer}
	out := wholly(t, toItself, p, ask)
	same(t, "asked", p.Call.Body, ask)
	same(t, "answered", out, answer)
}

func TestAnswersAreTranslated(t *testing.T) {
	const ask = `{"model":"m","messages":[{"role":"user","content":"x"}]}`
	for _, tt := range []struct{ name, anthropic, openai string }{
		{
			"a text",
			`"content":[{"type":"text","text":"A lamp."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":7,"cache_read_input_tokens":2,"cache_creation_input_tokens":0}`,
			`"message":{"role":"assistant","content":"A lamp."},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":7,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":2}}`,
		},
		{
			"a thought and two tools",
			`"content":[{"type":"thinking","thinking":"hm","signature":"ringwall-unsigned"},{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"look","input":{"at":1}},{"type":"tool_use","id":"t2","name":"look","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":7,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens_details":{"thinking_tokens":3}}`,
			`"message":{"role":"assistant","content":"I look.","reasoning_content":"hm","tool_calls":[{"id":"t1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}},{"id":"t2","type":"function","function":{"name":"look","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"completion_tokens_details":{"reasoning_tokens":3}}`,
		},
		{
			"one that is too long",
			`"content":[{"type":"text","text":"A"}],"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0,"cache_read_input_tokens":0,"cache_creation_input_tokens":0}`,
			`"message":{"role":"assistant","content":"A"},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`,
		},
		{
			"one that a filter stopped",
			`"content":[],"stop_reason":"refusal","stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0,"cache_read_input_tokens":0,"cache_creation_input_tokens":0}`,
			`"message":{"role":"assistant"},"logprobs":null,"finish_reason":"content_filter"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			theirs := `{"id":"r","type":"message","role":"assistant","model":"m",` + tt.anthropic + `}`
			ours := `{"id":"r","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,` + tt.openai + `}`
			same(t, "an OpenAI client reads", wholly(t, toAnthropic, &dialecttest.Recorded{Answer: theirs}, ask), ours)
			same(t, "an Anthropic client reads", wholly(t, toOpenAI, &dialecttest.Recorded{Answer: ours}, ask), theirs)
		})
	}
	refused := `{"id":"r","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"No."},"finish_reason":"stop"}]}`
	if out := wholly(t, toOpenAI, &dialecttest.Recorded{Answer: refused}, ask); !bytes.Contains(out, []byte(`"stop_reason":"refusal"`)) || !bytes.Contains(out, []byte(`"text":"No."`)) {
		t.Errorf("a refusal became %s", out)
	}
}

// What a stream says is what the whole answer says, behind either API.
func TestStreamsAreTranslated(t *testing.T) {
	const ask = `{"model":"m","messages":[{"role":"user","content":"x"}]}`
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 9))
		content := []object{}
		for _, b := range random(rng) {
			if k := b["type"]; k == "text" || k == "thinking" || k == "tool_use" || k == "redacted_thinking" {
				delete(b, "citations")
				content = append(content, b)
			}
		}
		events := streamed(content, rng)
		want := message(content)
		if got := collected(t, frames(t, toItself, &dialecttest.Recorded{Stream: events}, ask)); !sameMessage(got, want) {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got, want)
		}
		// There and back: a client of Anthropic's before OpenAI before Anthropic.
		chat := frames(t, toAnthropic, &dialecttest.Recorded{Stream: events}, ask)
		back := wholly(t, toOpenAI, &dialecttest.Recorded{Answer: string(wholly(t, toAnthropic, &dialecttest.Recorded{Answer: string(want)}, ask))}, ask)
		got := collected(t, frames(t, toOpenAI, &dialecttest.Recorded{Stream: chat}, ask))
		if joined(t, got) != joined(t, back) {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got, back)
		}
	}
}

// collected puts the data of events together.
func collected(t *testing.T, events []string) []byte {
	var out []byte
	for _, e := range events {
		var kind struct{ Type string }
		if err := json.Unmarshal([]byte(e), &kind); err != nil {
			t.Fatal(err)
		}
		out = append(out, "event: "+kind.Type+"\n"...)
		out = sse.Append(out, []byte(e))
	}
	return collect(t, out).message(t)
}

// sameMessage compares answers but for what they cost.
func sameMessage(a, b []byte) bool {
	var x, y object
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	delete(x, "usage")
	delete(y, "usage")
	xs, _ := json.Marshal(x)
	ys, _ := json.Marshal(y)
	return bytes.Equal(xs, ys)
}

// joined is what an answer says, kind by kind: one API says all thoughts before
// all texts before all calls, the other as they come.
func joined(t *testing.T, message []byte) string {
	var m struct {
		Content []struct {
			Type, Text, Thinking, ID string
			Input                    any
		}
		Stop string `json:"stop_reason"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, b := range m.Content {
		said[b.Type] += b.Text + b.Thinking + b.ID
		if in, _ := json.Marshal(b.Input); b.Input != nil {
			said[b.Type] += string(in)
		}
	}
	out, _ := json.Marshal(said)
	return string(out) + m.Stop
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	const head = `{"model":"m","messages":[{"role":"user","content":`
	for body, what := range map[string]string{
		head + `[{"type":"document","source":{"type":"file","file_id":"f"}}]}]}`:                           "file",
		head + `[{"type":"document","source":{"type":"text","data":"x"},"citations":{"enabled":true}}]}]}`: "citations",
		head + `[{"type":"search_result","citations":{"enabled":true}}]}]}`:                                "citations",
		head + `[{"type":"container_upload","file_id":"f"}]}]}`:                                            "container_upload",
		head + `"x"}],"tools":[{"type":"web_search_20250305","name":"web_search"}]}`:                       "web_search_20250305",
		head + `"x"}],"tools":[{"name":"f","input_examples":[{}]}]}`:                                       "input_examples",
		head + `"x"}],"mcp_servers":[{"url":"https://x.example"}]}`:                                        "mcp_servers",
		head + `"x"}],"zzz":1}`: "zzz",
	} {
		toOpenAI.Provider = &dialecttest.Recorded{}
		_, err := toOpenAI.Complete(t.Context(), ringwall.Call{Body: []byte(body)})
		if !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s to be named", body, err, what)
		}
	}
	for more, what := range map[string]string{
		`"seed":1`:                                 "seed",
		`"presence_penalty":1`:                     "presence_penalty",
		`"frequency_penalty":1`:                    "frequency_penalty",
		`"temperature":1.5`:                        "temperature",
		`"response_format":{"type":"json_object"}`: "any JSON object",
	} {
		toAnthropic.Provider = &dialecttest.Recorded{}
		_, err := toAnthropic.Complete(t.Context(), ringwall.Call{Body: []byte(head + `"x"}],` + more + `}`)})
		if !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s to be named", more, err, what)
		}
	}
}

func TestStreamsThatBreakOffAreErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	all := streamed([]object{{"type": "text", "text": "A lamp."}}, rng)
	for name, events := range map[string][]string{
		"without an end":    all[:len(all)-1],
		"without a reason":  append(append([]string(nil), all[:len(all)-2]...), `{"type":"message_stop"}`),
		"with an error":     append(append([]string(nil), all[:4]...), `{"type":"error","error":{"type":"overloaded_error"}}`),
		"with other blocks": {all[0], `{"type":"content_block_start","index":0,"content_block":{"type":"mcp_tool_use"}}`},
	} {
		toAnthropic.Provider = &dialecttest.Recorded{Stream: events}
		var last error
		for _, err := range toAnthropic.Events(t.Context(), ringwall.Call{Stream: true, Body: []byte(`{"messages":[]}`)}) {
			last = err
		}
		if last == nil {
			t.Errorf("a stream %s is whole", name)
		}
	}
}

func FuzzCodec(f *testing.F) {
	f.Add(filled(0))
	f.Add([]byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":""},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c"}]}]}`))
	f.Add([]byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"u"}}]}}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := messages.Read(nil, body); err != nil {
			return
		}
		c, err := anthropic.Codec{}.ReadRequest(ringwall.Call{Body: body})
		if err != nil {
			return
		}
		call, err := anthropic.Codec{}.WriteRequest(c)
		if err != nil {
			return
		}
		again, err := anthropic.Codec{}.ReadRequest(call)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, call.Body)
		}
		twice, err := anthropic.Codec{}.WriteRequest(again)
		if err != nil || !bytes.Equal(twice.Body, call.Body) {
			t.Fatalf("%v\n%s\n%s", err, call.Body, twice.Body)
		}
	})
}

func FuzzReadStream(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		f.Add([]byte(strings.Join(streamed(random(rng), rng), "\n")))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := anthropic.Codec{}.ReadStream()
		open, begun := false, false
		check := func(d ringwall.Delta) {
			switch d.Kind {
			case ringwall.DeltaOpen:
				if open {
					t.Fatal("a part begins in another")
				}
				open = true
			case ringwall.DeltaClose:
				if !open {
					t.Fatal("a part ends that has not begun")
				}
				open = false
			case ringwall.DeltaText, ringwall.DeltaSignature:
				if !open {
					t.Fatal("words outside of a part")
				}
			case ringwall.DeltaBegin:
				if begun {
					t.Fatal("it begins twice")
				}
				begun = true
			case ringwall.DeltaStop:
				if open {
					t.Fatal("it stops in a part")
				}
			case ringwall.DeltaUsage:
			}
		}
		for e := range bytes.SplitSeq(in, []byte{'\n'}) {
			if r.Event(e, check) != nil {
				return
			}
		}
		_ = r.End(check) // may be an error, as long as the order holds
	})
}
