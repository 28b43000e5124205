package responses_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
)

const everything = `{"model":"m","store":false,"instructions":"Be kind.","max_output_tokens":7,"temperature":0.5,"top_p":0.25,"user":"u",
 "reasoning":{"effort":"low"},"parallel_tool_calls":false,"tool_choice":{"type":"function","name":"look"},
 "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}},
 "tools":[{"type":"function","name":"look","description":"looks","parameters":{"type":"object"},"strict":true}],
 "input":[
  {"type":"message","role":"user","content":[{"type":"input_text","text":"What is this?"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}]},
  {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look."}]},
  {"type":"function_call","call_id":"c1","name":"look","arguments":"{\"at\":1}"},
  {"type":"function_call_output","call_id":"c1","output":"a lamp"},
  {"type":"message","role":"user","content":[{"type":"input_text","text":"And now?"}]}
 ]}`

func TestPenaltiesOfNothingAreNone(t *testing.T) {
	zero, one := 0.0, 1.0
	for _, p := range []*float64{&zero, &one} {
		_, err := responses.Codec{}.WriteRequest(&ringwall.Conversation{Sampling: ringwall.Sampling{Presence: p, Frequency: &zero}})
		if errors.Is(err, ringwall.ErrUncarried) != (*p != 0) {
			t.Errorf("a penalty of %v: %v", *p, err)
		}
	}
}

func TestNothingIsLostOnTheWay(t *testing.T) {
	c, err := responses.Codec{}.ReadRequest(ringwall.Call{Model: "m", Body: []byte(everything)})
	if err != nil {
		t.Fatal(err)
	}
	out, err := responses.Codec{}.WriteRequest(c)
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, out.Body, []byte(everything))
	if out.API != responses.API {
		t.Errorf("the call is in the words of %s", out.API)
	}
}

func TestBeforeAProviderOfChatCompletions(t *testing.T) {
	p := &dialecttest.Recorded{
		Answer: `{"id":"r","model":"m","choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"Hm.","content":"A lamp.","tool_calls":[{"id":"c2","type":"function","function":{"name":"look","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}`,
		Stream: []string{
			`{"id":"r","model":"m","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"Hm."},"finish_reason":null}]}`,
			`{"id":"r","model":"m","choices":[{"index":0,"delta":{"content":"A "},"finish_reason":null}]}`,
			`{"id":"r","model":"m","choices":[{"index":0,"delta":{"content":"lamp."},"finish_reason":null}]}`,
			`{"id":"r","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c2","type":"function","function":{"name":"look","arguments":"{}"}}]},"finish_reason":null}]}`,
			`{"id":"r","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}`,
		},
	}
	tr := &dialect.Translated{API: responses.API, From: responses.Codec{}, To: openai.Codec{}, Provider: p}
	whole, err := tr.Complete(t.Context(), ringwall.Call{Model: "m", Body: []byte(everything)})
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, p.Call.Body, []byte(`{"model":"m","max_completion_tokens":7,"temperature":0.5,"top_p":0.25,"user":"u","reasoning_effort":"low","parallel_tool_calls":false,
	 "tool_choice":{"type":"function","function":{"name":"look"}},
	 "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}},
	 "tools":[{"type":"function","function":{"name":"look","description":"looks","parameters":{"type":"object"},"strict":true}}],
	 "messages":[{"role":"system","content":"Be kind."},
	  {"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}}]},
	  {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]},
	  {"role":"tool","tool_call_id":"c1","content":"a lamp"},
	  {"role":"user","content":"And now?"}]}`))
	var last []byte
	for ev, err := range tr.Events(t.Context(), ringwall.Call{Model: "m", Stream: true, Body: []byte(everything)}) {
		if err != nil {
			t.Fatal(err)
		}
		last = append(last[:0], ev.Data...)
	}
	const want = `{"id":"resp_X","object":"response","created_at":0,"status":"completed","error":null,"incomplete_details":null,"model":"m","output":[
	 {"type":"reasoning","id":"rs_X0","summary":[{"type":"summary_text","text":"Hm."}]},
	 {"type":"message","id":"msg_X1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"A lamp.","annotations":[],"logprobs":[]}]},
	 {"type":"function_call","id":"fc_X2","call_id":"c2","name":"look","arguments":"{}","status":"completed"}],
	 "parallel_tool_calls":true,"tool_choice":"auto","tools":[],"metadata":{},
	 "usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":3},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":7}}`
	dialecttest.Same(t, unmarked(t, whole), []byte(want))
	var end struct{ Response json.RawMessage }
	if err := json.Unmarshal(last, &end); err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, unmarked(t, end.Response), []byte(want))
}

// unmarked puts an X into the places of what makes ids unguessable.
func unmarked(t *testing.T, response []byte) []byte {
	t.Helper()
	var r struct{ ID string }
	if err := json.Unmarshal(response, &r); err != nil {
		t.Fatal(err)
	}
	mark := strings.TrimPrefix(r.ID, "resp_")
	if len(mark) != 32 {
		t.Fatalf("the id is %q", r.ID)
	}
	return []byte(strings.ReplaceAll(string(response), mark, "X"))
}

// From one response to another, whole and streamed, nothing that is said is lost.
func TestAnswersOfProvidersOfResponses(t *testing.T) {
	s := script{thought: "Hm.", text: "A lamp.", refusal: "No.", args: `{"at":1}`}
	items := strings.Join(s.items()[:3], ",")
	answer := `{"id":"resp_1","status":"completed","error":null,"model":"m","output":[` + items + `],"usage":{"input_tokens":5,"output_tokens":7}}`
	var events []string
	for _, e := range s.events(rand.New(rand.NewPCG(1, 1))) {
		if strings.Contains(e, `"output_index":3`) {
			continue
		}
		if strings.Contains(e, `"response.completed"`) {
			e = `{"type":"response.completed","response":` + answer + `}`
		}
		events = append(events, e)
	}
	p := &dialecttest.Recorded{Answer: answer, Stream: events}
	tr := &dialect.Translated{API: openai.API, From: openai.Codec{}, To: responses.Codec{}, Provider: p}
	ask := ringwall.Call{Model: "m", Body: []byte(`{"model":"m","messages":[{"role":"user","content":"x"}]}`)}
	whole, err := tr.Complete(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.Same(t, whole, []byte(`{"id":"resp_1","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"logprobs":null,"finish_reason":"tool_calls","message":{"role":"assistant","content":"A lamp.","refusal":"No.","reasoning_content":"Hm.","tool_calls":[{"id":"c1","type":"function","function":{"name":"pay","arguments":"{\"at\":1}"}}]}}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}`))
	ask.Stream = true
	got := map[string]string{}
	for ev, err := range tr.Events(t.Context(), ask) {
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Choices []struct {
				Delta struct {
					Content, Refusal string
					Thought          string `json:"reasoning_content"`
					Calls            []struct {
						Function struct{ Name, Arguments string }
					} `json:"tool_calls"`
				}
				Finish string `json:"finish_reason"`
			}
		}
		if err := json.Unmarshal(ev.Data, &f); err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Choices {
			got["content"] += c.Delta.Content
			got["refusal"] += c.Delta.Refusal
			got["thought"] += c.Delta.Thought
			got["finish"] += c.Finish
			for _, call := range c.Delta.Calls {
				got["call"] += call.Function.Name + call.Function.Arguments
			}
		}
	}
	want := map[string]string{"content": "A lamp.", "refusal": "No.", "thought": "Hm.", "finish": "tool_calls", "call": `pay{"at":1}`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	for body, what := range map[string]string{
		`{"input":"x","tools":[{"type":"web_search"}]}`:                               "web_search",
		`{"input":"x","prompt":{"id":"p"}}`:                                           "prompt",
		`{"input":"x","previous_response_id":"r"}`:                                    "previous_response_id",
		`{"input":"x","conversation":"c"}`:                                            "conversation",
		`{"input":[{"type":"item_reference","id":"x"}]}`:                              "a reference to an item",
		`{"input":[{"type":"computer_call","id":"x"}]}`:                               "computer_call",
		`{"input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]}`: "a file by its id",
		`{"input":"x","text":{"verbosity":"low"}}`:                                    "text.verbosity",
		`{"input":"x","include":["message.output_text.logprobs"]}`:                    "logprobs",
		`{"input":"x","tool_choice":{"type":"mcp"}}`:                                  "mcp",
		`{"input":"x","max_tool_calls":3}`:                                            "max_tool_calls",
	} {
		_, err := responses.Codec{}.ReadRequest(ringwall.Call{Body: []byte(body)})
		if !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s to be named", body, err, what)
		}
	}
	three := int64(3)
	for what, s := range map[string]ringwall.Sampling{"stop": {Stop: []string{"x"}}, "top_k": {TopK: &three}, "seed": {Seed: &three}} {
		if _, err := (responses.Codec{}).WriteRequest(&ringwall.Conversation{Sampling: s}); !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzCodec(f *testing.F) {
	f.Add(everything, "a\nb")
	f.Add(request, "{\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n{\"type\":\"response.completed\",\"response\":{}}")
	f.Fuzz(func(t *testing.T, body, events string) {
		if c, err := (responses.Codec{}).ReadRequest(ringwall.Call{Body: []byte(body)}); err == nil {
			if out, err := (responses.Codec{}).WriteRequest(c); err == nil && !json.Valid(out.Body) {
				t.Fatalf("wrote %s", out.Body)
			}
		}
		in, out := responses.Codec{}.ReadStream(), responses.Codec{}.WriteStream(&ringwall.Conversation{})
		said, told := "", ""
		pass := func(d ringwall.Delta) {
			said += d.Text
			if err := out.Delta(d, func(data []byte) {
				var e struct{ Type, Delta string }
				if json.Unmarshal(data, &e) != nil {
					t.Fatalf("wrote %s", data)
				}
				if strings.HasSuffix(e.Type, ".delta") {
					told += e.Delta
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		for e := range strings.SplitSeq(events, "\n") {
			if in.Event([]byte(e), pass) != nil {
				break
			}
		}
		if said != told {
			t.Fatalf("%q became %q", said, told)
		}
	})
}
