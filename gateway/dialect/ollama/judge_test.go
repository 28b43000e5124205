package ollama_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/guard"
)

func acting(t testing.TB, body string) gateway.Acting {
	t.Helper()
	req, err := ollama.Dialect{}.Read(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return req.(gateway.Acting)
}

func TestConversation(t *testing.T) {
	c, err := acting(t, `{"model":"m","messages":[
	  {"role":"system","content":"be kind"},
	  {"role":"user","content":"look","images":["iVBORw0KGgo="]},
	  {"role":"assistant","content":"so","tool_calls":[{"id":"c1","function":{"name":"get","arguments":{"a": [1, 2]}}},{"function":{"name":"put"}},{"Function":{"Name":"put","Arguments":"{}"}}]},
	  {"role":"tool","tool_name":"put","content":"1"},
	  {"role":"tool","tool_call_id":"c1","content":"2"},
	  {"role":"tool","content":"3"},
	  {"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"name":"get","arguments":{}}}]},
	  {"role":"tool","tool_call_id":"c1","content":"4"},
	  {"role":"system","content":"stop"}],
	 "Tools":[{"type":"function","function":{"name":"get","description":"gets","parameters":{"type":"object"}}},{"type":"web_search"},7]}`).Conversation()
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, turn := range c.Turns {
		for _, p := range turn.Parts {
			s := fmt.Sprint(turn.Role, " ", p.Kind, " ", p.Text)
			switch {
			case p.Call != nil:
				s += fmt.Sprint(*p.Call)
			case p.Result != nil:
				s += fmt.Sprint(p.Result.ID, " ", p.Result.Name, " ", p.Result.Parts[0].Text)
			}
			told = append(told, s)
		}
	}
	want := []string{
		"0 0 look", "0 1 ", "1 0 so", `1 2 {c1 get {"a":[1,2]}}`, `1 2 {tool_call_2 put {}}`, `1 2 {tool_call_3 put {}}`,
		"0 3 tool_call_2 put 1", "0 3 c1 get 2", "0 3 tool_call_3 put 3", `1 2 {c1 get {}}`, "0 3 c1 get 4", "2 0 stop",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if len(c.Tools) != 3 || c.Tools[0].Name != "get" || string(c.Tools[0].Schema) != `{"type":"object"}` || c.Tools[1].Name != "web_search" || len(c.System) != 1 || !c.Stream {
		t.Errorf("%+v", c)
	}
	req, err := ollama.Dialect{Generate: true}.Read(nil, []byte(`{"model":"m","system":"s","prompt":"p","tools":[{"function":{"name":"get"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := req.(gateway.Acting).Conversation(); err != nil || len(c.Tools) != 0 || c.Turns[0].Parts[0].Text != "p" {
		t.Errorf("%v %+v", err, c)
	}
}

func TestConversationRefuses(t *testing.T) {
	call := `{"role":"assistant","tool_calls":[{"id":"c1","function":{"name":"get","arguments":{}}}]}`
	for name, tt := range map[string]struct{ messages, want string }{
		"a result without a call":     {`{"role":"tool","content":"x"}`, "messages[0]: the result of a tool that no call before it asks for at line 1, column 26"},
		"a result for another call":   {call + `,{"role":"tool","tool_call_id":"c2","content":"x"}`, "messages[1]: the result of a tool"},
		"two results for one call":    {call + `,{"role":"tool","content":"x"},{"role":"tool","content":"x"}`, "messages[2]: the result of a tool"},
		"a call without a name":       {`{"role":"assistant","tool_calls":[{"function":{"arguments":{}}}]}`, "messages[0].tool_calls[0]: a call without the name of its tool"},
		"two calls of one id":         {call + "," + call, `messages[1].tool_calls[0]: two calls of one turn have the id "c1"`},
		"calls that are not a list":   {`{"role":"assistant","tool_calls":{"function":{}}}`, "messages[0].tool_calls[0]: a call without the name"},
		"a call that is not a object": {`{"role":"assistant","tool_calls":["get"]}`, "messages[0].tool_calls[0]: a call without the name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := acting(t, `{"model":"m","messages":[`+tt.messages+`]}`).Conversation()
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestOffer(t *testing.T) {
	const a, b = `{"type":"function","function":{"name":"a","description":"secret"}}`, `{"type":"function","function":{"name":"b"}}`
	for name, tt := range map[string]struct{ in, want, keep string }{
		"all stay": {`"tools":[` + a + `,` + b + `],`, `"tools":[` + a + `,` + b + `],`, "a b"},
		"one goes": {`"Tools":[` + a + ` , ` + b + `],`, `"Tools":[` + b + `],`, "b"},
		"all go":   {`"x":1,"Tools":[` + a + `,` + b + `],`, `"x":1,`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := acting(t, `{`+tt.in+`"model":"m","messages":[{"role":"user","content":"hi"}]}`)
			if req.Offer(func(name string) bool { return strings.Contains(tt.keep, name) }) {
				t.Error("a call is forced")
			}
			dialecttest.Same(t, string(req.Edit(nil)), `{`+tt.want+`"model":"m","messages":[{"role":"user","content":"hi"}]}`)
			req.WithModel("n")
			var changed []guard.Changed
			for i, text := range req.Texts() {
				if text.Value == "secret" {
					changed = append(changed, guard.Changed{Index: i, Value: "masked"})
				}
			}
			dialecttest.Same(t, string(req.Edit(changed)), `{`+strings.ReplaceAll(tt.want, "secret", "masked")+`"model":"n","messages":[{"role":"user","content":"hi"}]}`)
		})
	}
}

func ruled(t testing.TB, body string, judge func([]ringwall.ToolCall) []gateway.Ruling) string {
	t.Helper()
	a, err := ollama.Dialect{}.Answer(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	c := a.(gateway.Calling)
	c.Rule(judge(c.Calls()))
	return string(a.Edit(nil))
}

func judged(t testing.TB, d ollama.Dialect, lines []string, open gateway.Open, judge func([]ringwall.ToolCall) []gateway.Ruling) []byte {
	t.Helper()
	r := d.Relay(nil, open)
	if judge != nil {
		r.(gateway.Judging).Judge(func(_ context.Context, calls []ringwall.ToolCall) []gateway.Ruling { return judge(calls) })
	}
	var out []byte
	var err error
	for _, l := range lines {
		if out, err = r.Event(t.Context(), out, []byte(l)); err != nil {
			t.Fatal(err)
		}
	}
	return r.End(t.Context(), out)
}

func straight(string) gateway.Channel { return &dialecttest.Lagging{} }

// calledIn is what a client has of the lines of an answer.
type calledIn struct {
	Text   string
	Calls  []any
	Reason string
}

func called(t testing.TB, out []byte) (c calledIn) {
	t.Helper()
	for line := range bytes.Lines(out) {
		var l struct {
			Message struct {
				Content string
				Calls   []any `json:"tool_calls"`
			}
			Reason string `json:"done_reason"`
		}
		if err := json.Unmarshal(line, &l); err != nil || c.Reason != "" {
			t.Fatalf("%v: %s", err, line)
		}
		c.Text += l.Message.Content
		c.Calls = append(c.Calls, l.Message.Calls...)
		c.Reason = l.Reason
	}
	return c
}

const (
	callA = `{"id":"a","function":{"index":0,"name":"get","arguments":{"q": "\u00fc\"x"}}}`
	callB = `{"function":{"name":"put","arguments":{}}}`
	callC = `{"function":{"name":"run","arguments":"{}"}}`
)

var (
	runs    = gateway.Ruling{Runs: true}
	refused = gateway.Ruling{Note: "Not allowed."}
)

func finished(reason string) string { return `,"done":true,"done_reason":"` + reason + `"` }

func TestRule(t *testing.T) {
	for name, tt := range map[string]struct {
		text, calls, reason string
		rulings             []gateway.Ruling
		want                string
	}{
		"all run":          {"so", callA + "," + callB, "stop", []gateway.Ruling{runs, runs}, body(false, "so", "", "["+callA+","+callB+"]", finished("stop"))},
		"one is refused":   {"", callA, "stop", []gateway.Ruling{refused}, body(false, "Not allowed.", "", "", finished("stop"))},
		"the first of two": {"so", callA + "," + callB, "tool_calls", []gateway.Ruling{refused, runs}, body(false, "so\n\nNot allowed.", "", "["+callB+"]", finished("tool_calls"))},
		"the last of two":  {"", callA + "," + callB, "stop", []gateway.Ruling{runs}, body(false, "", "", "["+callA+"]", finished("stop"))},
		"all":              {"so", callA + "," + callB, "tool_calls", []gateway.Ruling{refused, {Note: `Nor "that".`}}, body(false, "so\n\nNot allowed.\n\nNor \"that\".", "", "", finished("stop"))},
		"other arguments": {
			"", callA + "," + callC, "stop",
			[]gateway.Ruling{{Runs: true, Arguments: `{"q":"*"}`}, {Runs: true, Arguments: `{"x":1}`}},
			body(false, "", "", `[{"id":"a","function":{"index":0,"name":"get","arguments":{"q":"*"}}},{"function":{"name":"run","arguments":"{\"x\":1}"}}]`, finished("stop")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge := func([]ringwall.ToolCall) []gateway.Ruling { return tt.rulings }
			whole := body(false, tt.text, "", "["+tt.calls+"]", finished(tt.reason))
			dialecttest.Same(t, ruled(t, whole, judge), tt.want)
			got := called(t, judged(t, ollama.Dialect{}, []string{
				body(false, tt.text, "", "", `,"done":false`), body(false, "", "", "["+tt.calls+"]", `,"done":false`), body(false, "", "", "", finished(tt.reason)),
			}, straight, judge))
			if want := called(t, []byte(tt.want)); !reflect.DeepEqual(got, want) {
				t.Errorf("streamed %q\nwant %q", got, want)
			}
		})
	}
}

func TestRuleOnOddShapes(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"a message of calls alone": {`{"tool_calls":[` + callA + `]}`, `{"content":"no"}`},
		"calls that are no list":   {`{"content":"","tool_calls":{"0":1}}`, `{"content":"no"}`},
		"no content":               {`{"content":null,"tool_calls":[7]}`, `{"content":"no"}`},
		"no calls":                 {`{"content":"x","tool_calls":null}`, `{"content":"x","tool_calls":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ruled(t, `{"message":`+tt.in+`,"done":true}`, func(calls []ringwall.ToolCall) (out []gateway.Ruling) {
				for range calls {
					out = append(out, gateway.Ruling{Note: "no"})
				}
				return out
			})
			dialecttest.Same(t, got, `{"message":`+tt.want+`,"done":true}`)
		})
	}
}

// TestJudgedStreamIsTheWholeAnswer streams random answers in random pieces and wants of
// each what the whole answer is after the same rulings.
func TestJudgedStreamIsTheWholeAnswer(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		text := []string{"", "so", "Let me \u00fcse \"it\". Now."}[r.IntN(3)]
		var calls []string
		for range r.IntN(4) {
			calls = append(calls, strings.Replace([]string{callA, callB, callC}[r.IntN(3)], `{"function"`, fmt.Sprintf(`{"id":"%d","function"`, len(calls)), 1))
		}
		all := ""
		if len(calls) > 0 {
			all = "[" + strings.Join(calls, ",") + "]"
		}
		reason := []string{"stop", "tool_calls"}[r.IntN(2)]
		var lines []string
		for _, p := range dialecttest.Pieces(r, text) {
			lines = append(lines, body(false, p, "", "", `,"done":false`))
		}
		last := ""
		for len(calls) > 0 { // some a line, some with the end
			n := 1 + r.IntN(len(calls))
			if last = "[" + strings.Join(calls[:n], ",") + "]"; n < len(calls) || r.IntN(2) == 0 {
				lines, last = append(lines, body(false, "", "", last, `,"done":false`)), ""
			}
			calls = calls[n:]
		}
		lines = append(lines, body(false, "", "", last, finished(reason)))
		judge := func(calls []ringwall.ToolCall) []gateway.Ruling { return dialecttest.Rulings(seed, calls) }
		lag := r.IntN(20)
		want := called(t, []byte(ruled(t, body(false, text, "", all, finished(reason)), judge)))
		got := called(t, judged(t, ollama.Dialect{}, lines, func(string) gateway.Channel { return &dialecttest.Lagging{Lag: lag} }, judge))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: streamed %q\nwant %q\n%s", seed, got, want, strings.Join(lines, "\n"))
		}
	}
}

// TestJudgeSeesWhatTheClientReads masks arguments before they are judged.
func TestJudgeSeesWhatTheClientReads(t *testing.T) {
	calls := `[{"function":{"name":"pay","arguments":{"card":"` + card + `"}}}]`
	var saw []ringwall.ToolCall
	out := judged(t, ollama.Dialect{}, []string{body(false, "", "", calls, finished("stop"))}, opener(maskAll(t)), func(calls []ringwall.ToolCall) []gateway.Ruling {
		saw = calls
		return []gateway.Ruling{runs}
	})
	if len(saw) != 1 || saw[0].Name != "pay" || strings.Contains(saw[0].Arguments, card) || strings.Contains(string(out), card) || !strings.Contains(string(out), `"pay"`) {
		t.Errorf("%+v\n%s", saw, out)
	}
}

// TestTwoListsOfCalls: clients that fold keys read another one than those that do not.
func TestTwoListsOfCalls(t *testing.T) {
	line := `{"model":"m","message":{"tool_calls":null,"Tool_Calls":[` + callA + `]},"done":true}`
	if _, err := (ollama.Dialect{}).Answer(nil, []byte(line)); err == nil || !strings.Contains(err.Error(), "two lists") {
		t.Error(err)
	}
	r := ollama.Dialect{}.Relay(nil, straight)
	r.(gateway.Judging).Judge(func(context.Context, []ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{runs} })
	if out, err := r.Event(t.Context(), nil, []byte(line)); err == nil || len(out) > 0 {
		t.Errorf("%v %s", err, out)
	}
}

// TestACutStreamHasNoCalls: nor has an answer to a prompt.
func TestACutStreamHasNoCalls(t *testing.T) {
	r := ollama.Dialect{}.Relay(nil, straight)
	r.(gateway.Judging).Judge(func(context.Context, []ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{runs} })
	out, err := r.Event(t.Context(), nil, []byte(body(false, "", "", "["+callA+"]", `,"done":false`)))
	if err != nil {
		t.Fatal(err)
	}
	out = r.Withhold(out, gateway.Declined{Message: "No."})
	if strings.Contains(string(out), "get") {
		t.Errorf("%s", out)
	}
	out = judged(t, ollama.Dialect{Generate: true}, []string{`{"model":"m","response":"x","message":{"tool_calls":[` + callA + `]},"done":true}`}, straight, func([]ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{runs} })
	if strings.Contains(string(out), "get") || !strings.Contains(string(out), `"response":"x"`) {
		t.Errorf("%s", out)
	}
}

// FuzzRule wants answers without a trace of the calls that do not run.
func FuzzRule(f *testing.F) {
	f.Add(body(false, "so", "", "["+callA+", "+callB+"]", finished("stop")), uint8(1))
	f.Add(`{"message":{"Tool_Calls":[7,`+callC+`],"Content":[]}}`, uint8(2))
	f.Add(`{"message":{"tool_calls":{}}}`, uint8(0))
	f.Fuzz(func(t *testing.T, body string, which uint8) {
		a, err := ollama.Dialect{}.Answer(nil, []byte(body))
		if err != nil {
			return
		}
		c := a.(gateway.Calling)
		calls := c.Calls()
		var rulings []gateway.Ruling
		var left []ringwall.ToolCall
		for i := range calls {
			r := gateway.Ruling{Runs: which>>(i%8)&1 == 1, Note: "no"}
			if rulings = append(rulings, r); r.Runs {
				left = append(left, calls[i])
			}
		}
		c.Rule(rulings)
		out := a.Edit(nil)
		again, err := ollama.Dialect{}.Answer(nil, out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := again.(gateway.Calling).Calls(); !reflect.DeepEqual(got, left) {
			t.Fatalf("calls %v\nwant %v\n%s", got, left, out)
		}
	})
}

// FuzzJudge feeds a judged stream what nobody sends, and wants no call to go out.
func FuzzJudge(f *testing.F) {
	f.Add(body(false, "so", "", "["+callA+", "+callB+"]", `,"done":false`) + "\n" + body(false, "", "", "["+callC+"]", finished("tool_calls")))
	f.Add(`{"message":{"Tool_Calls":{"a":1},"content":[]}}`)
	f.Fuzz(func(t *testing.T, script string) {
		r := ollama.Dialect{}.Relay(nil, straight)
		r.(gateway.Judging).Judge(func(context.Context, []ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{{Note: "no"}} })
		var out []byte
		for line := range strings.SplitSeq(script, "\n") {
			var err error
			if out, err = r.Event(t.Context(), out, []byte(line)); err != nil {
				return
			}
		}
		for line := range bytes.Lines(r.End(t.Context(), out)) {
			var l struct {
				Message json.RawMessage
			}
			if !json.Valid(line) {
				t.Fatalf("%s", line)
			}
			var m map[string]any
			if json.Unmarshal(line, &l) != nil || json.Unmarshal(l.Message, &m) != nil {
				continue
			}
			for key, v := range m {
				calls, list := v.([]any)
				if strings.EqualFold(key, "tool_calls") && v != nil && (!list || len(calls) > 0) {
					t.Fatalf("%s", line)
				}
			}
		}
	})
}
