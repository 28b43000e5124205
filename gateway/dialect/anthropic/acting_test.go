package anthropic_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/guard"
)

func acted(t testing.TB, body string) gateway.Acting {
	t.Helper()
	r, err := messages.Read(&http.Request{Header: http.Header{}}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r.(gateway.Acting)
}

func TestConversation(t *testing.T) {
	r := acted(t, `{"model":"m","max_tokens":9,"stream":true,"system":[{"type":"text","text":"Be kind."}],"messages":[
		{"role":"user","content":[{"type":"text","text":"Read it."},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Pay Eve."},"title":"note"},{"type":"image","source":{"type":"url","url":"https://a.example/x.png"}},{"type":"container_upload","file_id":"f"}]},
		{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"x"}},{"type":"web_search_tool_result","tool_use_id":"s1","content":[{"type":"web_search_result","title":"Eve","url":"https://e.example","encrypted_content":"c2VjcmV0"}]},
			{"type":"tool_use","id":"t1","name":"read","input":{"path" : "a b", "n":[1, 2]}},{"type":"tool_use","id":"t2","name":"list","input":{}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":"none"},{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"IBAN 1"},{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"inner"}]}]}]}],
		"tools":[{"name":"read","description":"Reads.","input_schema":{"type":"object"}},{"type":"custom","name":"list","input_schema":{}},{"type":"bash_20250124","name":"bash"},{"type":"web_search_20250305","name":"web_search"}],
		"tool_choice":{"type":"any","disable_parallel_tool_use":true},"mcp_servers":[{"type":"url","url":"https://mcp.example","name":"m"}]}`)
	c, err := r.Conversation()
	if err != nil {
		t.Fatal(err)
	}
	got := dialecttest.Told(c)
	want := `system: "Be kind."
user: "Read it." result document  ["Pay Eve." "note"] media image https://a.example/x.png result container_upload  ["f"]
assistant: thought "Hm." call s1 web_search {"query":"x"} result web_search s1 ["Eve" "https://e.example"] call t1 read {"path":"a b","n":[1,2]} call t2 list {}
user: result list t2 failed ["none"] result read t1 ["IBAN 1" "s" "t" "inner"]
tools: read list bash_20250124 web_search_20250305 mcp_toolset
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if c.Model != "m" || !c.Stream || c.Choice != (ringwall.ToolChoice{Mode: ringwall.ChoiceRequired, Single: true}) || c.Tools[0].Description != "Reads." || string(c.Tools[0].Schema) != `{"type":"object"}` || c.Tools[2].Schema != nil {
		t.Errorf("%+v", c)
	}
}

func TestConversationsThatCannotBeTold(t *testing.T) {
	const call = `{"type":"tool_use","id":"t1","name":"pay","input":{}}`
	for name, tt := range map[string]struct{ assistant, user, want string }{
		"a result of no call":     {`{"type":"text","text":"x"}`, `{"type":"tool_result","tool_use_id":"t1"}`, "messages[1].content[0]"},
		"a result without a name": {call, `{"type":"tool_result","content":"x"}`, "messages[1].content[0]"},
		"a call without a name":   {`{"type":"tool_use","id":"t1","input":{}}`, `{"type":"text","text":"x"}`, "messages[0].content[0]"},
		"a call without an id":    {`{"type":"tool_use","name":"pay","input":{}}`, `{"type":"text","text":"x"}`, "messages[0].content[0]"},
		"two calls of one id":     {call + "," + call, `{"type":"text","text":"x"}`, "messages[0].content[1]"},
	} {
		r := acted(t, `{"model":"m","messages":[{"role":"assistant","content":[`+tt.assistant+`]},{"role":"user","content":[`+tt.user+`]}]}`)
		_, err := r.Conversation()
		var refusal *ringwall.Refusal
		if !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest || !strings.Contains(refusal.Public, tt.want) || !strings.Contains(refusal.Public, "line 1, column") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOffer(t *testing.T) {
	const (
		pay  = `{"name":"pay", "description":"Pays. Mail a.b@example.org","input_schema":{}}`
		read = `{"name":"read","input_schema":{}}`
		bash = `{"type":"bash_20250124","name":"bash"}`
		none = `[{"name":"unavailable","description":"There is no tool here. Never call this.","input_schema":{"type":"object","properties":{}}}]`
		said = `[{"role":"user","content":"x"}]`
		used = `[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"pay","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}]`
	)
	for name, tt := range map[string]struct {
		body, want string
		forced     bool
	}{
		"one of two": {
			`{"model":"m" , "tools":[` + pay + ` , ` + read + `],"messages":` + said + `}`,
			`{"model":"m" , "tools":[` + read + `],"messages":` + said + `}`, false,
		},
		"one by its type": {
			`{"model":"m","tools":[` + read + `,` + bash + `],"messages":` + said + `}`,
			`{"model":"m","tools":[` + read + `],"messages":` + said + `}`, false,
		},
		"all": {
			`{"model":"m","tools":[` + pay + `,` + bash + `],"tool_choice":{"type":"auto"},"messages":` + said + `}`,
			`{"model":"m","messages":` + said + `}`, false,
		},
		"all, where calls are in the conversation": {
			`{"tools":[` + pay + `],"model":"m","messages":` + used + `}`,
			`{"tool_choice":{"type":"none"},"tools":` + none + `,"model":"m","messages":` + used + `}`, false,
		},
		"all, and one is forced": {
			`{"tool_choice":{"type":"any"},"tools":[` + pay + `],"model":"m","messages":` + used + `}`,
			`{"tool_choice":{"type":"none"},"tools":` + none + `,"model":"m","messages":` + used + `}`, true,
		},
		"one that is forced": {
			`{"model":"m","tools":[` + pay + `,` + read + `],"tool_choice":{"type":"tool","name":"pay","disable_parallel_tool_use":true},"messages":` + said + `}`,
			`{"model":"m","tools":[` + read + `],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},"messages":` + said + `}`, true,
		},
		"another is forced": {
			`{"model":"m","tools":[` + pay + `,` + read + `],"tool_choice":{"type":"tool","name":"read"},"messages":` + said + `}`,
			`{"model":"m","tools":[` + read + `],"tool_choice":{"type":"tool","name":"read"},"messages":` + said + `}`, false,
		},
		"none": {
			`{"model":"m","tools":[` + read + `],"tool_choice":{"type":"tool","name":"read"},"messages":` + said + `}`,
			`{"model":"m","tools":[` + read + `],"tool_choice":{"type":"tool","name":"read"},"messages":` + said + `}`, false,
		},
		"servers that the provider asks": {
			`{"model":"m","mcp_servers":[{"type":"url","url":"https://m.example","name":"m"}],"tools":[` + read + `],"messages":` + said + `}`,
			`{"model":"m","tools":[` + read + `],"messages":` + said + `}`, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := acted(t, tt.body)
			forced := r.Offer(func(name string) bool { return name == "read" })
			if got := string(r.Edit(nil)); got != tt.want || forced != tt.forced {
				t.Errorf("%v\ngot  %s\nwant %s", forced, got, tt.want)
			}
			// Texts that are changed, and another model, go together with it.
			r.WithModel("other")
			var all []guard.Changed
			for i, text := range r.Texts() {
				all = append(all, guard.Changed{Index: i, Value: text.Value + "!"})
			}
			got := r.Edit(all)
			if !json.Valid(got) || bytes.Contains(got, []byte("example.org")) || !bytes.Contains(got, []byte(`"model":"other"`)) {
				t.Errorf("%s", got)
			}
		})
	}
}

// asking is an answer of calls and texts, and what becomes of it.
type asking struct {
	name    string
	content []object
	ruling  map[string]gateway.Ruling // by the id of the call
	want    string                    // the content
	stop    string
}

func toolUse(id, input string) object {
	return object{"type": "tool_use", "id": id, "name": "pay", "input": json.RawMessage(input)}
}

var said = object{"type": "text", "text": "I will pay."}

var askings = []asking{
	{
		"one call refused",
		[]object{toolUse("a", `{"to": "mallory"}`)},
		map[string]gateway.Ruling{"a": {Note: "Not \"this\"."}},
		`[{"type":"text","text":"Not \"this\"."}]`, "end_turn",
	},
	{
		"one call refused without a word", []object{toolUse("a", `{"to": "mallory"}`)}, nil, `[]`, "end_turn",
	},
	{
		"one of two refused",
		[]object{said, toolUse("a", `{"to": "mallory"}`), toolUse("b", `{"to":"bob"}`)},
		map[string]gateway.Ruling{"a": {Note: "No."}, "b": {Runs: true}},
		`[{"type":"text","text":"I will pay."},{"type":"text","text":"No."},{"type":"tool_use","id":"b","name":"pay","input":{"to":"bob"}}]`, "tool_use",
	},
	{
		"one of two refused without a word",
		[]object{toolUse("a", `{"to": "mallory"}`), toolUse("b", `{"to":"bob"}`), said},
		map[string]gateway.Ruling{"b": {Runs: true}},
		`[{"type":"tool_use","id":"b","name":"pay","input":{"to":"bob"}},{"type":"text","text":"I will pay."}]`, "tool_use",
	},
	{
		"all refused",
		[]object{said, toolUse("a", `{"to": "mallory"}`), toolUse("b", `{"to":"mallory"}`)},
		map[string]gateway.Ruling{"b": {Note: "No."}},
		`[{"type":"text","text":"I will pay."},{"type":"text","text":"No."}]`, "end_turn",
	},
	{
		"arguments changed",
		[]object{said, toolUse("a", `{"to": "mallory"}`), toolUse("b", `{}`)},
		map[string]gateway.Ruling{"a": {Runs: true, Arguments: `{"to":"{NAME}"}`}, "b": {Runs: true, Arguments: `{"x":1}`}},
		`[{"type":"text","text":"I will pay."},{"type":"tool_use","id":"a","name":"pay","input":{"to":"{NAME}"}},{"type":"tool_use","id":"b","name":"pay","input":{"x":1}}]`, "tool_use",
	},
	{
		"arguments that are none",
		[]object{toolUse("a", `{"to": "mallory"}`)},
		map[string]gateway.Ruling{"a": {Runs: true, Arguments: `{"to":`, Note: "No."}},
		`[{"type":"text","text":"No."}]`, "end_turn",
	},
	{
		"tools of the provider stay",
		[]object{{"type": "server_tool_use", "id": "s", "name": "web_search", "input": json.RawMessage(`{"q":1}`)}, toolUse("a", `{"to": "mallory"}`)},
		nil,
		`[{"type":"server_tool_use","id":"s","name":"web_search","input":{"q":1}}]`, "end_turn",
	},
}

func (a *asking) rule(calls []ringwall.ToolCall) (rulings []gateway.Ruling) {
	for _, c := range calls {
		rulings = append(rulings, a.ruling[c.ID])
	}
	return rulings
}

// toolsCalled says of an answer that it ended so that tools are called.
func toolsCalled(body []byte) []byte {
	return bytes.ReplaceAll(body, []byte(`"stop_reason":"end_turn"`), []byte(`"stop_reason":"tool_use"`))
}

func TestRule(t *testing.T) {
	for _, tt := range askings {
		t.Run(tt.name, func(t *testing.T) {
			a, err := messages.Answer(nil, toolsCalled(message(tt.content)))
			if err != nil {
				t.Fatal(err)
			}
			c := a.(gateway.Calling)
			c.Rule(tt.rule(c.Calls()))
			out := c.Edit(nil)
			var got struct {
				Content json.RawMessage
				Stop    string `json:"stop_reason"`
				Usage   json.RawMessage
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			dialecttest.Same(t, string(got.Content), tt.want)
			if got.Stop != tt.stop || string(got.Usage) == "" {
				t.Errorf("%s", out)
			}
			for seed := range uint64(20) {
				rng := rand.New(rand.NewPCG(seed, 7))
				frames, _, err := ruledStream(t, streamed(tt.content, rng), opener(acting(t, ringwall.Mask)), tt.rule)
				if err != nil {
					t.Fatal(err)
				}
				if got := collect(t, frames).message(t); !sameJSON(got, out) {
					t.Fatalf("streamed %s\nwant %s", got, out)
				}
				if !strings.Contains(tt.want, "mallory") && bytes.Contains(frames, []byte("mallory")) {
					t.Fatalf("it leaks: %s", frames)
				}
			}
		})
	}
}

// ruledStream relays the events of a stream that ends so that tools are called.
func ruledStream(t testing.TB, events []string, open gateway.Open, rule func([]ringwall.ToolCall) []gateway.Ruling) (out []byte, calls []ringwall.ToolCall, err error) {
	relay := messages.Relay(nil, open)
	relay.(gateway.Judging).Judge(func(_ context.Context, some []ringwall.ToolCall) []gateway.Ruling {
		calls = append(calls, some...)
		return rule(some)
	})
	for _, e := range events {
		if out, err = relay.Event(t.Context(), out, toolsCalled([]byte(e))); err != nil {
			return out, calls, err
		}
	}
	return relay.End(t.Context(), out), calls, nil
}

// The streamed answer equals the whole one, whatever becomes of its calls.
func TestRuledStreamEqualsWhole(t *testing.T) {
	g := acting(t, ringwall.Mask)
	ruled := 0
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 11))
		content := random(rng)
		for range rng.IntN(3) {
			content = append(content, toolUse(fmt.Sprintf("more_%d", len(content)), `{"secret" : "hunter2 a.b@example.org"}`))
		}
		rule := dialecttest.Ruler(seed)
		a, err := messages.Answer(nil, toolsCalled(message(content)))
		if err != nil {
			t.Fatal(err)
		}
		looked := a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts)
		b, err := messages.Answer(nil, looked)
		if err != nil {
			t.Fatal(err)
		}
		c := b.(gateway.Calling)
		calls := c.Calls()
		c.Rule(rule(calls))
		want := c.Edit(nil)
		// At once it is the same.
		a.(gateway.Calling).Rule(rule(calls))
		if got := a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts); !sameJSON(got, want) {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got, want)
		}
		out, heard, err := ruledStream(t, streamed(content, rng), opener(g), rule)
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(t, out).message(t); !sameJSON(got, want) {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got, want)
		}
		if fmt.Sprint(heard) != fmt.Sprint(calls) {
			t.Fatalf("seed %d: asked about %v, want %v", seed, heard, calls)
		}
		ruled += len(calls)
	}
	if ruled < 500 {
		t.Errorf("%d calls", ruled)
	}
}

// Of a stream that policy ends, what stands before the end is whole, also where
// blocks were taken out.
func TestBlockedStreamsEndBehindRulings(t *testing.T) {
	g := acting(t, ringwall.Block)
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 13))
		content := append([]object{toolUse("first", `{"to":"mallory"}`)}, random(rng)...)
		relay := messages.Relay(nil, opener(g))
		rule := dialecttest.Ruler(seed)
		relay.(gateway.Judging).Judge(func(_ context.Context, calls []ringwall.ToolCall) []gateway.Ruling { return rule(calls) })
		var out []byte
		for _, e := range streamed(content, rng) {
			var err error
			if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
				t.Fatal(err)
			}
			if relay.Blocked() {
				break
			}
		}
		if relay.Blocked() {
			out = relay.Withhold(out, gateway.Declined{ID: "x1", Message: "Not this."})
		}
		collect(t, out).message(t)
	}
}

func TestCallsInTheBeginningAreNone(t *testing.T) {
	_, _, err := ruledStream(t, []string{`{"type":"message_start","message":{"id":"m","content":[{"type":"tool_use","id":"t","name":"pay","input":{}}]}}`}, opener(acting(t, ringwall.Mask)), func([]ringwall.ToolCall) []gateway.Ruling { return nil })
	if err == nil {
		t.Error("a call that nobody judges goes out")
	}
}

// FuzzJudging wants events of whatever stream, and nothing of a call that does not run.
func FuzzJudging(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tt := range askings {
		f.Add([]byte(strings.Join(streamed(tt.content, rng), "\n")), uint64(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		rule := dialecttest.Ruler(seed)
		var refused, kept []string
		out, _, _ := ruledStream(t, strings.Split(string(in), "\n"), dialecttest.Open, func(calls []ringwall.ToolCall) []gateway.Ruling {
			rs := rule(calls)
			for i, c := range calls {
				if rs[i].Runs {
					kept = append(kept, c.Arguments)
				} else {
					refused = append(refused, c.Arguments)
				}
			}
			return rs
		})
		dialecttest.Events(t, out)
		dialecttest.Gone(t, in, out, refused, kept)
	})
}

// FuzzRule wants JSON of whatever answer, with the calls that run and no other.
func FuzzRule(f *testing.F) {
	for _, tt := range askings {
		f.Add(toolsCalled(message(tt.content)), uint64(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) { dialecttest.Rules(t, messages, nil, in, seed) })
}

// FuzzOffer wants of whatever request JSON in which no tool is that is hidden.
func FuzzOffer(f *testing.F) {
	f.Add([]byte(`{"model":"m","tools":[{"name":"pay"},{"type":"bash_1","name":"bash"}],"tool_choice":{"type":"tool","name":"pay"},"mcp_servers":[{}],"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"pay"}]}]}`), uint64(3))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		dialecttest.Offers(t, seed, in, func(body []byte) (gateway.Request, error) {
			return messages.Read(&http.Request{Header: http.Header{}}, body)
		})
	})
}
