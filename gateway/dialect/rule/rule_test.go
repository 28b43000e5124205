package rule_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/rule"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Where requests of each API go in tests.
const (
	chat      = "/v1/chat/completions"
	responses = "/v1/responses"
	messages  = "/v1/messages"
	converse  = "/model/amazon.nova-lite-v1:0/converse"
	claude    = "/model/anthropic.claude-3/invoke"
	titan     = "/model/amazon.titan-text-express-v1/invoke"
	llama     = "/model/meta.llama3-8b-instruct-v1:0/invoke"
	stranger  = "/model/acme.thing/invoke"
	gem       = "/v1beta/models/gemini-2.5-pro:generateContent"
	ollamas   = "/api/chat"
	generate  = "/api/generate"
	prompts   = "/v1/completions"
	vectors   = "/v1/embeddings"
)

// routes are the paths of all dialects.
func routes() (all []string) {
	for pattern := range builtin.Dialects(jsonedit.Limits{}) {
		_, path, _ := strings.Cut(pattern, " ")
		all = append(all, path)
	}
	return all
}

// read reads a request as the gateway does.
func read(t testing.TB, target, body string) gateway.Input {
	t.Helper()
	in, err := parse(target, body)
	if err != nil {
		t.Fatalf("reading %s: %v", body, err)
	}
	return in
}

func parse(target, body string) (in gateway.Input, err error) {
	mux := http.NewServeMux()
	for pattern, d := range builtin.Dialects(jsonedit.Limits{}) {
		_, route, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
			if s, ok := d.(gateway.Splitter); ok {
				d = s.Split(r)
			}
			var req gateway.Request
			if req, err = d.Read(r, []byte(body)); err == nil {
				in = gateway.Input{API: d.Name(), Route: route, Model: req.Model(), Stream: req.Stream(), Texts: req.Texts(), Body: []byte(body)}
				in.Document = req.(gateway.Parsed).Document()
			}
		})
	}
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	if _, pattern := mux.Handler(r); pattern == "" {
		panic("bug: no route for " + target)
	}
	mux.ServeHTTP(httptest.NewRecorder(), r)
	return in, err
}

func rules(t testing.TB, rs ...rule.Rule) *rule.Rules {
	t.Helper()
	for i := range rs {
		if rs[i].Name == "" {
			rs[i].Name = "r"
		}
	}
	made, err := rule.New(rs, nil, routes())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestEveryDialectHasWords(t *testing.T) {
	for _, pattern := range slices.Sorted(maps.Keys(builtin.Dialects(jsonedit.Limits{}))) {
		d := builtin.Dialects(jsonedit.Limits{})[pattern]
		if !rule.Knows(d.Name()) {
			t.Errorf("%s: the dialect %s has no words in package rule: add them to its vocabularies", pattern, d.Name())
		}
	}
	for _, count := range []string{"gemini-count-tokens", "anthropic-count-tokens", "bedrock-count-tokens"} {
		if !rule.Knows(count) {
			t.Errorf("%s has no words", count)
		}
	}
}

func TestRefusals(t *testing.T) {
	zero, one := rule.Range{Max: 1, Set: true}, int64(1)
	for _, tt := range []struct {
		name, target, body string
		rule               rule.Rule
		want               string // of what the client reads; "": it is taken
	}{
		{"nothing is demanded", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"x":1}`, rule.Rule{}, ""},
		{"too many tokens", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":4097}`, rule.Rule{MaxTokens: 4096}, "/max_tokens (line 1, column 71): at most 4096 tokens may be asked for here."},
		{"as many as there may be", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":4096}`, rule.Rule{MaxTokens: 4096}, ""},
		{"either name counts", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":1,"max_completion_tokens":9}`, rule.Rule{MaxTokens: 4}, "/max_completion_tokens"},
		{"tokens unsaid", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":null}`, rule.Rule{MaxTokens: 4096}, "/max_completion_tokens: say how many tokens the answer may have: at most 4096."},
		{"tokens in words", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":"5"}`, rule.Rule{MaxTokens: 4096}, "a whole number should stand here"},
		{"a part of a token", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":5.5}`, rule.Rule{MaxTokens: 4096}, "a whole number should stand here"},
		{"tokens without end", ollamas, `{"model":"m","messages":[{"role":"user","content":"hi"}],"options":{"num_predict":-1}}`, rule.Rule{MaxTokens: 4}, "/options/num_predict"},
		{"tokens beyond floats", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":1e999}`, rule.Rule{MaxTokens: 4}, "at most 4"},
		{"tokens of messages", messages, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9}`, rule.Rule{MaxTokens: 4}, "/max_tokens"},
		{"tokens of items", responses, `{"model":"m","input":"hi","max_output_tokens":9}`, rule.Rule{MaxTokens: 4}, "/max_output_tokens"},
		{"tokens of Converse", converse, `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":9}}`, rule.Rule{MaxTokens: 4}, "/inferenceConfig/maxTokens"},
		{"tokens in the model's own words", converse, `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":1},"additionalModelRequestFields":{"max_tokens":9}}`, rule.Rule{MaxTokens: 4}, "/additionalModelRequestFields/max_tokens"},
		{"tokens of Titan", titan, `{"inputText":"hi","textGenerationConfig":{"maxTokenCount":9}}`, rule.Rule{MaxTokens: 4}, "maxTokenCount"},
		{"tokens of Llama", llama, `{"prompt":"hi","max_gen_len":9}`, rule.Rule{MaxTokens: 4}, "max_gen_len"},
		{"tokens of Claude behind InvokeModel", claude, `{"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":"hi"}],"max_tokens":9}`, rule.Rule{MaxTokens: 4}, "/max_tokens"},
		{"a model of unknown words", stranger, `{"anything":"hi"}`, rule.Rule{MaxTokens: 4}, "nobody here knows the words of this model"},
		{"a model of unknown words before a rule that needs none", stranger, `{"anything":"hi"}`, rule.Rule{Prompt: 2}, ""},
		{"tokens of Gemini in snake case", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"generation_config":{"max_output_tokens":9}}`, rule.Rule{MaxTokens: 4}, "/generation_config/max_output_tokens"},
		{"a count has no tokens to say", "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, rule.Rule{MaxTokens: 4}, ""},
		{"too many answers", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"n":2}`, rule.Rule{Choices: one}, "/n (line 1, column 62): at most 1 answers"},
		{"too many candidates", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"candidateCount":3}}`, rule.Rule{Choices: 2}, "candidateCount"},
		{"the best of many", prompts, `{"model":"m","prompt":"hi","best_of":20}`, rule.Rule{Choices: 2}, "/best_of"},
		{"too hot", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":1.01}`, rule.Rule{Temperature: zero}, "want a number in the range 0..1"},
		{"hot as may be", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":1}`, rule.Rule{Temperature: zero}, ""},
		{"a temperature in words", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":"0"}`, rule.Rule{Temperature: zero}, "a number should stand here"},
		{"top_p", messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}],"top_p":2}`, rule.Rule{TopP: zero}, "/top_p"},
		{"too many stops", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"stop":["a","b"]}`, rule.Rule{Stops: 1}, "/stop"},
		{"one stop", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"stop":"a"}`, rule.Rule{Stops: 1}, ""},
		{"too many messages", chat, `{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hi"}]}`, rule.Rule{Messages: 1}, "/messages (line 1, column 25): 2 stand here, and at most 1 are taken"},
		{"too many prompts", vectors, `{"model":"m","input":["a","b"]}`, rule.Rule{Messages: 1}, "/input"},
		{"the tokens of one prompt", prompts, `{"model":"m","prompt":"a"}`, rule.Rule{Messages: 1}, ""},
		{"too long a prompt", chat, `{"model":"m","messages":[{"role":"user","content":"hello"}]}`, rule.Rule{Prompt: 4}, "its texts are 5 bytes, and at most 4 are taken here"},
		{"another model", chat, `{"model":"gpt-9","messages":[{"role":"user","content":"hello"}]}`, rule.Rule{Only: []string{"gpt-5*"}}, `the model "gpt-9" is not among those`},
		{"a model that may be asked", chat, `{"model":"gpt-5-mini","messages":[{"role":"user","content":"hello"}]}`, rule.Rule{Only: []string{"gpt-5*"}}, ""},
		{"a rule about another model", chat, `{"model":"a","messages":[{"role":"user","content":"hello"}]}`, rule.Rule{Models: []string{"b*"}, Prompt: 1}, ""},
		{"a rule is not escaped by capitals", chat, `{"model":"GPT-5","messages":[{"role":"user","content":"hello"}]}`, rule.Rule{Models: []string{"gpt*"}, Prompt: 1}, "texts"},
		{"a rule about another route", messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}`, rule.Rule{Routes: []string{chat}, Prompt: 1}, ""},
		{"a rule about many routes", messages, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}`, rule.Rule{Routes: []string{"/v1/*"}, Prompt: 1}, "texts"},
		{"no stream is asked for", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, rule.Rule{Stream: "required"}, "answers are streamed here"},
		{"nothing to stream", vectors, `{"model":"m","input":"hi"}`, rule.Rule{Stream: "required"}, ""},
		{"a stream is asked for", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`, rule.Rule{Stream: "refused"}, "answers are not streamed here"},
		{"an unknown member", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"extra_body":{}}`, rule.Rule{Fields: "refused"}, "/extra_body (line 1, column 71): this API documents no such member"},
		{"known members in another spelling", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"generation_config":{},"SafetySettings":[]}`, rule.Rule{Fields: "refused"}, ""},
		{"an unknown member of Gemini", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"foo/bar":{}}`, rule.Rule{Fields: "refused"}, "/foo~1bar"},
		{"metadata", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"metadata":{"team":"a","x":"b"}}`, rule.Rule{Metadata: []string{"team"}}, "/metadata/x"},
		{"an effort", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"high"}`, rule.Rule{Efforts: []string{"low"}}, `want one of "low"`},
		{"thinking that is no effort", ollamas, `{"model":"m","messages":[{"role":"user","content":"hi"}],"think":true}`, rule.Rule{Efforts: []string{"low"}}, "/think"},
		{"no thinking", ollamas, `{"model":"m","messages":[{"role":"user","content":"hi"}],"think":false}`, rule.Rule{Efforts: []string{"low"}}, ""},
		{"a budget of thinking", messages, `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"thinking":{"type":"enabled","budget_tokens":2048}}`, rule.Rule{Thinking: 1024}, "/thinking/budget_tokens"},
		{"thinking without end", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}}`, rule.Rule{Thinking: 1024}, "thinkingBudget"},
		{"a form of answers", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}`, rule.Rule{Formats: []string{"text", "json"}}, "/response_format"},
		{"a form that is allowed", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_object"}}`, rule.Rule{Formats: []string{"json"}}, ""},
		{"free text is a form", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, rule.Rule{Formats: []string{"json"}}, "/response_format"},
		{"a form of Gemini's", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"responseMimeType":"application/json"}}`, rule.Rule{Formats: []string{"text"}}, "responseMimeType"},
		{"a form of Ollama's", ollamas, `{"model":"m","messages":[{"role":"user","content":"hi"}],"format":{"type":"object"}}`, rule.Rule{Formats: []string{"json"}}, "/format"},
		{"a deep schema of an answer", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"schema":{"a":{"b":{}}}}}}`, rule.Rule{SchemaDepth: 2}, "nested too deeply"},
		{"a deep schema of a tool", messages, `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"tools":[{"name":"a","input_schema":{"a":{"b":{}}}}]}`, rule.Rule{SchemaDepth: 2}, "/tools/0"},
		{"tools", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"a"}}]}`, rule.Rule{Tools: "refused"}, "/tools/0"},
		{"calls of tools", chat, `{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"a","arguments":"{}"}}]}]}`, rule.Rule{Tools: "refused"}, "/messages/1"},
		{"too many tools", converse, `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"a"}},{"toolSpec":{"name":"b"}}]}}`, rule.Rule{MostTools: 1}, "/toolConfig/tools/1"},
		{"another tool", responses, `{"model":"m","input":"hi","tools":[{"type":"function","name":"get"},{"type":"web_search"}]}`, rule.Rule{ToolNames: []string{"get*"}}, `the tool "web_search" is not among`},
		{"another tool of Gemini's", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"tools":[{"google_search":{}}]}`, rule.Rule{ToolNames: []string{"get*"}}, `the tool "google_search"`},
		{"a tool that may be named", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"tools":[{"functionDeclarations":[{"name":"get_x"}]}]}`, rule.Rule{ToolNames: []string{"get*"}}, ""},
		{"an image", chat, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://h/i.png"}}]}]}`, rule.Rule{Media: []string{"none"}}, "/messages/0/content/1"},
		{"an image that may be shown", chat, `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/i.png"}}]}]}`, rule.Rule{Media: []string{"image"}}, ""},
		{"a part that nobody knows", chat, `{"model":"m","messages":[{"role":"user","content":[{"type":"hologram","x":"y"}]}]}`, rule.Rule{Media: []string{"image"}}, "a kind that nobody knows"},
		{"a document in a result", messages, `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"document","source":{"type":"url","url":"https://h"}}]}]}]}`, rule.Rule{Media: []string{"image"}}, "/messages/0/content/0/content/0"},
		{"a document of Converse", converse, `{"messages":[{"role":"user","content":[{"document":{"name":"a","format":"txt","source":{"bytes":"YQ=="}}}]}]}`, rule.Rule{Media: []string{"image"}}, "no document is taken here"},
		{"an image in a result of Converse", converse, `{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"image":{"format":"png","source":{"bytes":"YQ=="}}}]}}]}]}`, rule.Rule{Media: []string{"none"}}, "no image"},
		{"an image of Gemini", gem, `{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"YQ=="}}]}]}`, rule.Rule{Media: []string{"none"}}, "no image"},
		{"an image of Ollama", ollamas, `{"model":"m","messages":[{"role":"user","content":"hi","Images":["YQ=="]}]}`, rule.Rule{Media: []string{"none"}}, "no image"},
		{"an image of Ollama's generate", generate, `{"model":"m","prompt":"a","images":["YQ=="]}`, rule.Rule{Media: []string{"none"}}, "no image"},
		{"an image among items", responses, `{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"https://h"}]}]}`, rule.Rule{Media: []string{"none"}}, "/input/0/content/0"},
		{"an image that a tool returned", responses, `{"model":"m","input":[{"type":"function_call_output","call_id":"1","output":[{"type":"input_image","image_url":"https://h"}]}]}`, rule.Rule{Media: []string{"none"}}, "/input/0/output/0"},
		{"a sound", chat, `{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"YQ==","format":"wav"}}]}]}`, rule.Rule{Media: []string{"image"}}, "no audio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edits, _, err := rules(t, tt.rule).Check(read(t, tt.target, tt.body))
			refuses(t, err, tt.want)
			if len(edits) > 0 {
				t.Errorf("it is changed: %v", edits)
			}
		})
	}
}

func refuses(t *testing.T, err error, want string) {
	t.Helper()
	var r *ringwall.Refusal
	switch {
	case want == "" && err != nil:
		t.Errorf("Check() = %v, want it to be taken", err)
	case want != "" && !errors.As(err, &r):
		t.Errorf("Check() = %v, want a refusal", err)
	case want != "" && (r.Status != http.StatusBadRequest || !strings.Contains(r.Public, want)):
		t.Errorf("it reads %d %q, want %q", r.Status, r.Public, want)
	}
}

func TestRoles(t *testing.T) {
	call := `{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"a","arguments":"{}"}},{"id":"2","type":"function","function":{"name":"b","arguments":"{}"}}]}`
	one, two, ask := `{"role":"tool","tool_call_id":"1","content":"x"}`, `{"role":"tool","tool_call_id":"2","content":"x"}`, `{"role":"user","content":"hi"}`
	say, told := `{"role":"assistant","content":"yes"}`, `{"role":"system","content":"be kind"}`
	use := `{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"a","input":{}}]}`
	used := `{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"x"}]}`
	chats := func(turns ...string) string {
		return `{"model":"m","max_tokens":9,"messages":[` + strings.Join(turns, ",") + `]}`
	}
	items := func(turns ...string) string { return `{"model":"m","input":[` + strings.Join(turns, ",") + `]}` }
	contents := func(turns ...string) string { return `{"contents":[` + strings.Join(turns, ",") + `]}` }
	fcall, fout := `{"type":"function_call","call_id":"1","name":"a","arguments":"{}"}`, `{"type":"function_call_output","call_id":"1","output":"x"}`
	gask, gcall, gout := `{"role":"user","parts":[{"text":"hi"}]}`, `{"role":"model","parts":[{"functionCall":{"name":"a","args":{}}}]}`, `{"role":"user","parts":[{"functionResponse":{"name":"a","response":{}}}]}`
	bask := `{"role":"user","content":[{"text":"hi"}]}`
	bcall, bout := `{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"a","input":{}}}]}`, `{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"x"}]}}]}`
	for _, tt := range []struct{ name, target, body, want string }{
		{"a conversation", chat, chats(told, ask, say, ask), ""},
		{"instructions behind a turn", chat, chats(ask, told), "/messages/1 (line 1, column"},
		{"the user twice", chat, chats(ask, ask), "the user speaks twice"},
		{"the assistant twice", chat, chats(ask, say, say), "the assistant speaks twice"},
		{"the assistant first", chat, chats(say, ask), "the user has the first turn"},
		{"calls and results", chat, chats(ask, call, two, one, say), ""},
		{"a result without a call", chat, chats(ask, one), "the result of a call that the turn before does not make"},
		{"a result twice", chat, chats(ask, call, one, two, one), "the result of a call"},
		{"a call without its result", chat, chats(ask, call, one, ask), "whose results do not stand here"},
		{"a call at the end", chat, chats(ask, call), "whose results do not follow"},
		{"a result too late", chat, chats(ask, call, one, say, two), "whose results do not stand here"},
		{"blocks", messages, chats(ask, use, used), ""},
		{"a result without a call in blocks", messages, chats(ask, say, used), "/messages/2"},
		{"a call without its result in blocks", messages, chats(ask, use, ask), "/messages/2"},
		{"Converse", converse, `{"messages":[` + bask + "," + bcall + "," + bout + `]}`, ""},
		{"Converse without a call", converse, `{"messages":[` + bask + `,{"role":"assistant","content":[{"text":"a"}]},` + bout + `]}`, "/messages/2"},
		{"items", responses, items(ask, fcall, fout), ""},
		{"items with thoughts", responses, items(ask, `{"type":"reasoning","id":"r","summary":[]}`, fcall, fout, say, ask), ""},
		{"an output without a call", responses, items(ask, fout), "/input/1"},
		{"an output whose call is kept", responses, `{"model":"m","previous_response_id":"resp_1","input":[` + fout + `]}`, ""},
		{"an output whose call is kept, too late", responses, `{"model":"m","previous_response_id":"resp_1","input":[` + ask + "," + fout + `]}`, "/input/1"},
		{"one text", responses, `{"model":"m","input":"hi"}`, ""},
		{"Gemini", gem, contents(gask, gcall, gout), ""},
		{"Gemini without a call", gem, contents(gask, gout), "/contents/1"},
		{"Gemini with the result of another", gem, contents(gask, gcall, strings.ReplaceAll(gout, `"a"`, `"b"`)), "/contents/2"},
		{"Ollama", ollamas, chats(ask, `{"role":"assistant","content":"","tool_calls":[{"function":{"name":"a","arguments":{}}}]}`, `{"role":"tool","tool_name":"a","content":"x"}`), ""},
		{"Ollama without a call", ollamas, chats(ask, `{"role":"tool","tool_name":"a","content":"x"}`), "/messages/1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := read(t, tt.target, tt.body)
			_, _, err := rules(t, rule.Rule{Roles: "strict"}).Check(in)
			refuses(t, err, tt.want)
			if _, _, err := rules(t, rule.Rule{Roles: "any"}).Check(in); err != nil {
				t.Errorf("with roles: any: %v", err)
			}
		})
	}
}

func TestClamp(t *testing.T) {
	low := rule.Rule{Clamp: true, MaxTokens: 100, Choices: 2}
	for _, tt := range []struct{ name, target, body, want, lowered string }{
		{"what is low enough stays", chat, `{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"hi"}]}`, `{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"hi"}]}`, ""},
		{"a number", chat, `{"model":"m", "max_tokens" : 1e5 ,"messages":[{"role":"user","content":"hi"}],"n":9}`, `{"model":"m", "max_tokens" : 100 ,"messages":[{"role":"user","content":"hi"}],"n":2}`, "/max_tokens /n"},
		{"two names", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":101,"max_tokens":1e999}`, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":100,"max_tokens":100}`, "/max_tokens /max_completion_tokens"},
		{"nothing said", chat, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, `{"max_completion_tokens":100,"model":"m","messages":[{"role":"user","content":"hi"}]}`, "/max_completion_tokens"},
		{"null said", messages, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":null}`, `{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":100}`, "/max_tokens"},
		{"nothing said where it is nested", converse, `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, `{"inferenceConfig":{"maxTokens":100},"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, "/inferenceConfig/maxTokens"},
		{"nothing said beside others", gem, `{"contents":[{"parts":[{"text":"hi"}]}],"generation_config":{"topP":1}}`, `{"contents":[{"parts":[{"text":"hi"}]}],"generation_config":{"maxOutputTokens":100,"topP":1}}`, "/generation_config/maxOutputTokens"},
		{"without end", ollamas, `{"model":"m","messages":[{"role":"user","content":"hi"}],"options":{"num_predict":-1}}`, `{"model":"m","messages":[{"role":"user","content":"hi"}],"options":{"num_predict":100}}`, "/options/num_predict"},
		{"where it is null", ollamas, `{"model":"m","messages":[{"role":"user","content":"hi"}],"options":null}`, `{"model":"m","messages":[{"role":"user","content":"hi"}],"options":{"num_predict":100}}`, "/options/num_predict"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edits, lowered, err := rules(t, low, rule.Rule{Name: "higher", Clamp: true, MaxTokens: 1000}).Check(read(t, tt.target, tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(jsonedit.Splice(nil, []byte(tt.body), edits)); got != tt.want {
				t.Errorf("it is\n%s\nwant\n%s", got, tt.want)
			}
			if got := strings.Join(lowered, " "); got != tt.lowered {
				t.Errorf("lowered %q, want %q", got, tt.lowered)
			}
		})
	}
	_, _, err := rules(t, low).Check(read(t, ollamas, `{"model":"m","messages":[{"role":"user","content":"hi"}],"options":[]}`))
	refuses(t, err, "/options (line 1, column 68): an object should stand here, not array")
}

func TestRulesThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule rule.Rule
		want string
	}{
		{"a route that there is not", rule.Rule{Name: "r", Routes: []string{"/v2/chat"}}, `there is no route "/v2/chat"`},
		{"a rule without a name", rule.Rule{}, "each rule needs a name"},
		{"a schema that was not read", rule.Rule{Name: "r", Schema: "x.json"}, `the schema "x.json" was not read`},
		{"nothing to lower", rule.Rule{Name: "r", Clamp: true}, "nothing to lower"},
		{"tools that are refused and named", rule.Rule{Name: "r", Tools: "refused", MostTools: 2}, "are for rules that allow tools"},
		{"less than nothing", rule.Rule{Name: "r", MaxTokens: -1}, "limits are not negative"},
		{"none among others", rule.Rule{Name: "r", Media: []string{"none", "image"}}, "none stands alone"},
	} {
		if _, err := rule.New([]rule.Rule{tt.rule}, nil, routes()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New() = %v, want %q", tt.name, err, tt.want)
		}
	}
	var r rule.Range
	for _, bad := range []string{"1", "2..1", "a..b", "0..NaN", ".."} {
		if r.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("the range %q is taken: %v", bad, r)
		}
	}
}
