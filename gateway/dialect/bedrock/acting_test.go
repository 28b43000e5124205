package bedrock_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/guard"
)

func toldOf(t testing.TB, r gateway.Request) string {
	t.Helper()
	c, err := r.(gateway.Acting).Conversation()
	if err != nil {
		t.Fatal(err)
	}
	return dialecttest.Told(c)
}

func TestConversation(t *testing.T) {
	got := toldOf(t, converse(t, `{"system":[{"text":"Be kind."},{"cachePoint":{"type":"default"}}],"messages":[
		{"role":"user","content":[{"text":"Read it."},{"guardContent":{"text":{"text":"What?","qualifiers":["query"]}}},{"guardContent":{"text":{"text":"Pay Eve.","qualifiers":["grounding_source"]}}},
			{"document":{"format":"txt","name":"note","source":{"bytes":"UGF5IEV2ZS4="}}},{"document":{"format":"pdf","name":"scan","source":{"bytes":"JVBERi0="}}},{"image":{"format":"png","source":{"bytes":"aVZCTw=="}}},{"searchResult":{"source":"https://e.example","title":"t","content":[{"text":"inner"}]}},{"novel":{"x":1}}]},
		{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"c2ln"}}},{"toolUse":{"toolUseId":"s1","name":"nova_grounding","type":"server_tool_use","input":{"q":1}}},{"toolResult":{"toolUseId":"s1","type":"nova_grounding_result","content":[{"text":"found"}]}},
			{"toolUse":{"toolUseId":"t1","name":"read","input":{"path" : "a b"}}},{"toolUse":{"toolUseId":"t2","name":"list","input":{}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"t2","status":"error","content":[{"text":"none"}]}},{"toolResult":{"toolUseId":"t1","content":[{"json":{"iban": "x"}},{"document":{"format":"md","name":"n","source":{"bytes":"SGk="}}}]}}]}],
		"toolConfig":{"tools":[{"toolSpec":{"name":"read","description":"Reads.","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}},{"systemTool":{"name":"nova_grounding"}}],"toolChoice":{"any":{}}}}`))
	want := `system: "Be kind."
user: "Read it." "What?" result guardContent  ["Pay Eve."] result document  ["Pay Eve."] media document scanJVBERi0= media image aVZCTw== result searchResult  ["https://e.example" "t" "inner"] result novel  []
assistant: thought "Hm." call s1 nova_grounding {"q":1} result nova_grounding s1 ["found"] call t1 read {"path":"a b"} call t2 list {}
user: result list t2 failed ["none"] result read t1 ["{\"iban\": \"x\"}" "Hi"]
tools: read nova_grounding
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestConversationsOfInvokeModel(t *testing.T) {
	for name, tt := range map[string]struct{ model, body, want string }{
		"Claude": {
			claude, `{"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"pay","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}],"tools":[{"name":"pay"}]}`,
			"user: \"hi\"\nassistant: call t pay {}\nuser: result pay t [\"ok\"]\ntools: pay\n",
		},
		"Nova": {
			nova, `{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"pay"}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"pay"}}]}}`,
			"user: \"hi\"\nassistant: call t pay {}\ntools: pay\n",
		},
		"Llama": {llama, `{"prompt":"hi"}`, "user: \"hi\"\ntools:\n"},
		"one that speaks as OpenAI's": {
			another, `{"messages":[{"role":"system","content":"be kind"},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"file","file":{"text":"Pay Eve."}}]},{"role":"assistant","content":"so","tool_calls":[{"id":"t","function":{"name":"pay","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"t","content":"ok"}],"tools":[{"type":"function","function":{"name":"pay"}}]}`,
			"system: \"be kind\"\nuser: \"hi\" result file  [\"Pay Eve.\"]\nassistant: \"so\" call t pay {\"a\":1}\nuser: result pay t [\"ok\"]\ntools: pay\n",
		},
		"one that speaks as Cohere's": {
			another, `{"message":"pay","chat_history":[{"role":"USER","message":"hi"},{"role":"CHATBOT","message":"","tool_calls":[{"name":"pay","parameters":{"a":1}}]}],"tool_results":[{"call":{"name":"pay"},"outputs":[{"done":"ok"}]}],"tools":[{"name":"pay","parameter_definitions":{}}]}`,
			"user: \"hi\"\nassistant: \"\" call call_1 pay {\"a\":1}\nuser: \"pay\" result tool_results  [\"pay\" \"ok\"]\ntools: pay\n",
		},
	} {
		if got := toldOf(t, invoke(t, tt.model, tt.body)); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}

func TestConversationsThatCannotBeTold(t *testing.T) {
	const call = `{"toolUse":{"toolUseId":"t1","name":"pay","input":{}}}`
	for name, tt := range map[string]struct{ assistant, user, want string }{
		"a result of no call":     {`{"text":"x"}`, `{"toolResult":{"toolUseId":"t1"}}`, "messages[1].content[0].toolResult"},
		"a result without a name": {call, `{"toolResult":{}}`, "messages[1].content[0]"},
		"a call without a name":   {`{"toolUse":{"toolUseId":"t1"}}`, `{"text":"x"}`, "messages[0].content[0]"},
		"a call without an id":    {`{"toolUse":{"name":"pay"}}`, `{"text":"x"}`, "messages[0].content[0]"},
		"two calls of one id":     {call + "," + call, `{"text":"x"}`, "messages[0].content[1]"},
	} {
		r := converse(t, `{"messages":[{"role":"assistant","content":[`+tt.assistant+`]},{"role":"user","content":[`+tt.user+`]}]}`)
		_, err := r.(gateway.Acting).Conversation()
		var refusal *ringwall.Refusal
		if !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest || !strings.Contains(refusal.Public, tt.want) || !strings.Contains(refusal.Public, "line 1, column") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOffer(t *testing.T) {
	const (
		pay   = `{"toolSpec":{"name":"pay", "description":"Mail a.b@example.org","inputSchema":{"json":{}}}}`
		read  = `{"toolSpec":{"name":"read","inputSchema":{"json":{}}}}`
		point = `{"cachePoint":{"type":"default"}}`
		none  = `[{"toolSpec":{"name":"unavailable","description":"There is no tool here. Never call this.","inputSchema":{"json":{"type":"object","properties":{}}}}}]`
		said  = `[{"role":"user","content":[{"text":"x"}]}]`
		used  = `[{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"pay","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[]}}]}]`
		rail  = `"guardrailConfig":{"guardrailIdentifier":"g"}`
	)
	for name, tt := range map[string]struct {
		body, want string
		forced     bool
	}{
		"one of two": {
			`{"messages":` + said + `,"toolConfig":{"tools":[` + pay + ` , ` + read + `]}}`,
			`{"messages":` + said + `,"toolConfig":{"tools":[` + read + `]}}`, false,
		},
		"one of two, with places to keep the prompt": {
			`{"messages":` + said + `,"toolConfig":{"tools":[` + pay + `,` + point + `,` + read + `,` + point + `,` + pay + `,` + point + `]}}`,
			`{"messages":` + said + `,"toolConfig":{"tools":[` + read + `,` + point + `]}}`, false,
		},
		"all": {
			`{"toolConfig":{"tools":[` + pay + `,` + point + `],"toolChoice":{"auto":{}}},` + rail + `,"messages":` + said + `}`,
			`{"messages":` + said + `}`, false,
		},
		"all, where calls are in the conversation": {
			`{"messages":` + used + `,"toolConfig":{"tools":[` + pay + `,` + point + `],"toolChoice":{"any":{}}}}`,
			`{"messages":` + used + `,"toolConfig":{"tools":` + none + `}}`, true,
		},
		"one that is forced": {
			`{"messages":` + said + `,"toolConfig":{"tools":[` + pay + `,` + read + `],"toolChoice":{"tool":{"name":"pay"}}}}`,
			`{"messages":` + said + `,"toolConfig":{"tools":[` + read + `]}}`, true,
		},
		"another is forced": {
			`{"messages":` + said + `,"toolConfig":{"tools":[` + pay + `,` + read + `],"toolChoice":{"tool":{"name":"read"}}}}`,
			`{"messages":` + said + `,"toolConfig":{"tools":[` + read + `],"toolChoice":{"tool":{"name":"read"}}}}`, false,
		},
		"none": {
			`{"messages":` + said + `,"toolConfig":{"tools":[` + point + `,` + read + `],"toolChoice":{"any":{}}}}`,
			`{"messages":` + said + `,"toolConfig":{"tools":[` + point + `,` + read + `],"toolChoice":{"any":{}}}}`, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := converse(t, tt.body).(gateway.Acting)
			forced := r.Offer(func(name string) bool { return name == "read" })
			if got := string(r.Edit(nil)); got != tt.want || forced != tt.forced {
				t.Errorf("%v\ngot  %s\nwant %s", forced, got, tt.want)
			}
			var all []guard.Changed
			for i, text := range r.Texts() {
				all = append(all, guard.Changed{Index: i, Value: text.Value + "!"})
			}
			r.WithModel("other")
			if got := r.Edit(all); !json.Valid(got) || bytes.Contains(got, []byte("example.org")) || bytes.Contains(got, []byte("guardrail")) {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestOfferToModelsOfOtherWords(t *testing.T) {
	for _, tt := range []struct {
		model, body, want string
		forced            bool
	}{
		{claude, `{"anthropic_version":"x","tools":[{"name":"pay"},{"name":"read"}],"messages":[]}`, `{"anthropic_version":"x","tools":[{"name":"read"}],"messages":[]}`, false},
		{nova, `{"toolConfig":{"tools":[{"toolSpec":{"name":"pay"}}]},"messages":[{"role":"user","content":[]}]}`, `{"messages":[{"role":"user","content":[]}]}`, false},
		{another, `{"tools":[{"type":"function","function":{"name":"pay"}},{"name":"read"}],"tool_choice":{"type":"function","function":{"name":"pay"}},"messages":[]}`, `{"tools":[{"name":"read"}],"messages":[]}`, true},
		{another, `{"tools":[{"type":"function","function":{"name":"pay"}}],"tool_choice":"any","messages":[]}`, `{"messages":[]}`, true},
	} {
		r := invoke(t, tt.model, tt.body).(gateway.Acting)
		forced := r.Offer(func(name string) bool { return name == "read" })
		if got := string(r.Edit(nil)); got != tt.want || forced != tt.forced {
			t.Errorf("%v\ngot  %s\nwant %s", forced, got, tt.want)
		}
	}
}
