package openai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/sse"
)

// ruled puts rulings on a whole answer in force.
func ruled(t testing.TB, body string, judge func([]ringwall.ToolCall) []gateway.Ruling) string {
	t.Helper()
	a, err := openai.Chat{}.Answer(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	c := a.(gateway.Calling)
	c.Rule(judge(c.Calls()))
	return string(a.Edit(nil))
}

// judged relays the frames of a stream.
func judged(t testing.TB, frames []string, open gateway.Open, judge func([]ringwall.ToolCall) []gateway.Ruling) []byte {
	t.Helper()
	r := openai.Chat{}.Relay(nil, open)
	r.(gateway.Judging).Judge(func(_ context.Context, calls []ringwall.ToolCall) []gateway.Ruling { return judge(calls) })
	var out []byte
	var err error
	for _, f := range frames {
		if out, err = r.Event(t.Context(), out, []byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	return r.End(t.Context(), out)
}

func straight(string) gateway.Channel { return &dialecttest.Lagging{} }

// assembled puts the frames of a stream together, as clients do.
func assembled(t testing.TB, stream []byte) string {
	t.Helper()
	choices := map[int]map[string]any{}
	for ev, err := range sse.Events(bytes.NewReader(stream)) {
		if err != nil {
			t.Fatal(err)
		}
		if string(ev.Data) == "[DONE]" {
			break
		}
		var f struct {
			Choices []struct {
				Index  int
				Delta  map[string]any
				Finish any `json:"finish_reason"`
			}
		}
		if err := json.Unmarshal(ev.Data, &f); err != nil {
			t.Fatalf("%v: %s", err, ev.Data)
		}
		for _, c := range f.Choices {
			m := choices[c.Index]
			if m == nil {
				m = map[string]any{"index": c.Index, "message": map[string]any{"role": "assistant", "content": nil}}
				choices[c.Index] = m
			}
			m["finish_reason"] = c.Finish
			msg := m["message"].(map[string]any)
			if s, ok := c.Delta["content"].(string); ok {
				before, _ := msg["content"].(string)
				msg["content"] = before + s
			}
			if f, ok := c.Delta["function_call"]; ok {
				msg["function_call"] = f
			}
			calls, _ := c.Delta["tool_calls"].([]any)
			for _, call := range calls {
				have, _ := msg["tool_calls"].([]any)
				if at := call.(map[string]any)["index"]; at != float64(len(have)) {
					t.Fatalf("call %v is the one at %d: %s", at, len(have), ev.Data)
				}
				delete(call.(map[string]any), "index")
				msg["tool_calls"] = append(have, call)
			}
		}
	}
	out := []any{}
	for i := range len(choices) {
		out = append(out, choices[i])
	}
	b, err := json.Marshal(map[string]any{"choices": out})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// spoken is a choice of an answer.
type spoken struct {
	content string // JSON
	calls   []string
	legacy  string
	finish  string
}

func (s spoken) whole(i int) string {
	out := fmt.Sprintf(`{"index":%d,"message":{"role":"assistant","content":%s`, i, s.content)
	if len(s.calls) > 0 {
		out += `,"tool_calls":[` + strings.Join(s.calls, ", ") + `]`
	}
	if s.legacy != "" { // where a stream has it
		out += `,"function_call":` + s.legacy
	}
	return out + fmt.Sprintf(`},"finish_reason":%q}`, s.finish)
}

// frames streams a choice in random pieces.
func (s spoken) frames(t testing.TB, r *rand.Rand, i int) (out []string) {
	frame := func(delta, finish string) {
		out = append(out, fmt.Sprintf(`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":%d,"delta":{%s},"finish_reason":%s}]}`, i, delta, finish))
	}
	frame(`"role":"assistant"`, "null")
	var text *string
	if err := json.Unmarshal([]byte(s.content), &text); err != nil {
		t.Fatal(err)
	}
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	if text != nil {
		for _, p := range dialecttest.Pieces(r, *text) {
			frame(`"content":`+quote(p), "null")
		}
	}
	call := func(raw string, send func(string)) {
		var c map[string]any
		if err := json.Unmarshal([]byte(raw), &c); err != nil {
			t.Fatal(err)
		}
		f, key := c, "arguments"
		if in, ok := c["function"]; ok {
			f = in.(map[string]any)
		} else if in, ok := c["custom"]; ok {
			f, key = in.(map[string]any), "input"
		}
		for j, p := range dialecttest.Pieces(r, f[key].(string)) {
			if j == 0 {
				f[key] = p
				b, _ := json.Marshal(c)
				send(string(b))
				continue
			}
			switch piece := fmt.Sprintf(`{%q:%s}`, key, quote(p)); {
			case c["function"] != nil:
				send(`{"function":` + piece + `}`)
			case c["custom"] != nil:
				send(`{"custom":` + piece + `}`)
			default:
				send(piece)
			}
		}
	}
	if s.legacy != "" {
		call(s.legacy, func(c string) { frame(`"function_call":`+c, "null") })
	}
	for n, c := range s.calls {
		call(c, func(c string) { frame(fmt.Sprintf(`"tool_calls":[{"index":%d,%s]`, n, c[1:]), "null") })
	}
	frame("", fmt.Sprintf("%q", s.finish))
	return out
}

const (
	callA = `{"id":"a","type":"function","function":{"name":"get","arguments":"{\"q\": \"\u00fc\\\"x\"}"}}`
	callB = `{"id":"b","type":"function","function":{"name":"put","arguments":"{}"}}`
	callC = `{"id":"c","type":"custom","custom":{"name":"run","input":"ls \"-l\""}}`
	oldF  = `{"name":"old","arguments":"{\"n\":1}"}`
)

var (
	runs    = gateway.Ruling{Runs: true}
	refused = gateway.Ruling{Note: "Not allowed."}
)

func TestRule(t *testing.T) {
	for name, tt := range map[string]struct {
		in      []spoken
		rulings []gateway.Ruling
		want    []spoken
	}{
		"all run":                  {[]spoken{{`null`, []string{callA, callB}, "", "tool_calls"}}, []gateway.Ruling{runs, runs}, []spoken{{`null`, []string{callA, callB}, "", "tool_calls"}}},
		"one is refused":           {[]spoken{{`null`, []string{callA}, "", "tool_calls"}}, []gateway.Ruling{refused}, []spoken{{`"Not allowed."`, nil, "", "stop"}}},
		"the first of two":         {[]spoken{{`null`, []string{callA, callB}, "", "tool_calls"}}, []gateway.Ruling{refused, runs}, []spoken{{`"Not allowed."`, []string{callB}, "", "tool_calls"}}},
		"the last of three":        {[]spoken{{`null`, []string{callA, callB, callC}, "", "tool_calls"}}, []gateway.Ruling{runs, runs, refused}, []spoken{{`"Not allowed."`, []string{callA, callB}, "", "tool_calls"}}},
		"all, behind words":        {[]spoken{{`"Let me see."`, []string{callA, callB}, "", "tool_calls"}}, []gateway.Ruling{refused, {Note: "Nor \"that\"."}}, []spoken{{`"Let me see.\n\nNot allowed.\n\nNor \"that\"."`, nil, "", "stop"}}},
		"without a word":           {[]spoken{{`""`, []string{callA}, "", "tool_calls"}}, nil, []spoken{{`""`, nil, "", "stop"}}},
		"cut off":                  {[]spoken{{`null`, []string{callA}, "", "length"}}, []gateway.Ruling{refused}, []spoken{{`"Not allowed."`, nil, "", "length"}}},
		"other arguments":          {[]spoken{{`null`, []string{callA, callC}, "", "tool_calls"}}, []gateway.Ruling{{Runs: true, Arguments: `{"q":"*"}`}, {Runs: true, Arguments: `{"input":"ls"}`}}, []spoken{{`null`, []string{`{"id":"a","type":"function","function":{"name":"get","arguments":"{\"q\":\"*\"}"}}`, `{"id":"c","type":"custom","custom":{"name":"run","input":"ls"}}`}, "", "tool_calls"}}},
		"a function of old":        {[]spoken{{`null`, nil, oldF, "function_call"}}, []gateway.Ruling{refused}, []spoken{{`"Not allowed."`, nil, "", "stop"}}},
		"a function of old runs":   {[]spoken{{`"so"`, nil, oldF, "function_call"}}, []gateway.Ruling{{Runs: true, Arguments: "{}"}}, []spoken{{`"so"`, nil, `{"name":"old","arguments":"{}"}`, "function_call"}}},
		"several choices":          {[]spoken{{`null`, []string{callA}, "", "tool_calls"}, {`"x"`, nil, "", "stop"}, {`"y"`, []string{callA, callB}, "", "tool_calls"}}, []gateway.Ruling{runs, refused, runs}, []spoken{{`null`, []string{callA}, "", "tool_calls"}, {`"x"`, nil, "", "stop"}, {"\"y\\n\\nNot allowed.\"", []string{callB}, "", "tool_calls"}}},
		"fewer rulings than calls": {[]spoken{{`null`, []string{callA, callB}, "", "tool_calls"}}, []gateway.Ruling{runs}, []spoken{{`null`, []string{callA}, "", "tool_calls"}}},
	} {
		t.Run(name, func(t *testing.T) {
			join := func(cs []spoken) string {
				var out []string
				for i, c := range cs {
					out = append(out, c.whole(i))
				}
				return `{"choices":[` + strings.Join(out, ",") + `]}`
			}
			got := ruled(t, join(tt.in), func([]ringwall.ToolCall) []gateway.Ruling { return tt.rulings })
			dialecttest.Same(t, got, join(tt.want))

			rulings := tt.rulings
			var frames []string
			for i, c := range tt.in {
				frames = append(frames, c.frames(t, rand.New(rand.NewPCG(1, uint64(i))), i)...)
			}
			stream := judged(t, frames, straight, func(calls []ringwall.ToolCall) []gateway.Ruling {
				own := rulings[:min(len(calls), len(rulings))]
				rulings = rulings[len(own):]
				return own
			})
			if s := assembled(t, stream); !equal(norm(s), norm(join(tt.want))) {
				t.Errorf("streamed\n%s\nwant\n%s", s, join(tt.want))
			}
		})
	}
}

func equal(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// TestRuleOnOddShapes rules on what providers send that speak the API in their way.
func TestRuleOnOddShapes(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"a message of calls alone": {`{"message":{"tool_calls":[` + callA + `]}}`, `{"message":{"content":"no"}}`},
		"with an old one":          {`{"message":{"tool_calls":[` + callA + `],"function_call":` + oldF + `}}`, `{"message":{"content":"no\n\nno"}}`},
		"content in parts":         {`{"message":{"content":[{"type":"text","text":"so"}],"tool_calls":[` + callA + `]}}`, `{"message":{"content":[{"type":"text","text":"so"},{"type":"text","text":"no"}]}}`},
		"content without parts":    {`{"message":{"content":[],"tool_calls":[` + callA + `]}}`, `{"message":{"content":[{"type":"text","text":"no"}]}}`},
		"calls that are no list":   {`{"message":{"content":null,"tool_calls":{"0":` + callA + `}}}`, `{"message":{"content":"no"}}`},
		"a call that is no object": {`{"message":{"content":null,"tool_calls":["get"]}}`, `{"message":{"content":"no"}}`},
		"a call of a new kind":     {`{"message":{"content":null,"tool_calls":[{"type":"novel","novel":{}}]}}`, `{"message":{"content":"no"}}`},
		"no calls":                 {`{"message":{"content":null,"tool_calls":null,"function_call":null},"finish_reason":"tool_calls"}`, `{"message":{"content":null,"tool_calls":null,"function_call":null},"finish_reason":"tool_calls"}`},
		"arguments as an object":   {`{"message":{"content":null,"tool_calls":[{"function":{"name":"get","arguments":{ }}}]}}`, `{"message":{"content":"no"}}`},
		"a delta in a whole":       {`{"delta":{"tool_calls":[` + callA + `]}}`, `{"delta":{"content":"no"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ruled(t, `{"choices":[`+tt.in+`]}`, func(calls []ringwall.ToolCall) (out []gateway.Ruling) {
				for range calls {
					out = append(out, gateway.Ruling{Note: "no"})
				}
				return out
			})
			dialecttest.Same(t, got, `{"choices":[`+tt.want+`]}`)
		})
	}
}

// TestStreamIsTheWholeAnswer streams random answers in random pieces and wants of each
// what the whole answer is after the same rulings.
func TestStreamIsTheWholeAnswer(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		var choices []spoken
		for range 1 + r.IntN(3) {
			c := spoken{content: []string{`null`, `""`, `"Let me \u00fc\"see\"."`}[r.IntN(3)], finish: "stop"}
			for range r.IntN(4) {
				c.calls = append(c.calls, strings.Replace([]string{callA, callB, callC}[r.IntN(3)], `"id":"`, fmt.Sprintf(`"id":"%d`, len(c.calls)), 1))
			}
			if r.IntN(4) == 0 {
				c.legacy = oldF
			}
			if len(c.calls) > 0 {
				c.finish = "tool_calls"
			} else if c.legacy != "" {
				c.finish = "function_call"
			}
			choices = append(choices, c)
		}
		var wholes []string
		streams := make([][]string, len(choices))
		for i, c := range choices {
			wholes = append(wholes, c.whole(i))
			streams[i] = c.frames(t, r, i)
		}
		var frames []string
		for len(streams) > 0 { // of the choices in turns
			i := r.IntN(len(streams))
			frames, streams[i] = append(frames, streams[i][0]), streams[i][1:]
			if len(streams[i]) == 0 {
				streams = append(streams[:i], streams[i+1:]...)
			}
		}
		judge := func(calls []ringwall.ToolCall) []gateway.Ruling { return dialecttest.Rulings(seed, calls) }
		lag := r.IntN(20)
		want := ruled(t, `{"choices":[`+strings.Join(wholes, ",")+`]}`, judge)
		stream := judged(t, frames, func(string) gateway.Channel { return &dialecttest.Lagging{Lag: lag} }, judge)
		if got := assembled(t, stream); !equal(norm(got), norm(want)) {
			t.Fatalf("seed %d: streamed\n%s\nwhole\n%s\n%s", seed, got, want, strings.Join(frames, "\n"))
		}
	}
}

// norm makes an empty content none: a stream has no difference between them.
func norm(s string) string { return strings.ReplaceAll(s, `"content":""`, `"content":null`) }

// TestJudgeSeesWhatTheClientReads masks arguments before they are judged.
func TestJudgeSeesWhatTheClientReads(t *testing.T) {
	a := spoken{`null`, []string{`{"id":"a","type":"function","function":{"name":"pay","arguments":"{\"card\":\"` + card + `\"}"}}`}, "", "tool_calls"}
	body := `{"choices":[` + a.whole(0) + `]}`
	ans, err := openai.Chat{}.Answer(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	var changed []guard.Changed
	for i, text := range ans.Texts() {
		if text.Value == card {
			changed = append(changed, guard.Changed{Index: i, Value: "{CARD}"})
		}
	}
	ans.(gateway.Calling).Rule([]gateway.Ruling{refused})
	if out := string(ans.Edit(changed)); strings.Contains(out, "CARD") || !strings.Contains(out, "Not allowed.") || !json.Valid([]byte(out)) {
		t.Errorf("%s", out)
	}
	var saw []ringwall.ToolCall
	out := judged(t, a.frames(t, rand.New(rand.NewPCG(1, 1)), 0), func(path string) gateway.Channel {
		if strings.Contains(path, "arguments#") {
			return &masking{}
		}
		return straight(path)
	}, func(calls []ringwall.ToolCall) []gateway.Ruling { saw = calls; return []gateway.Ruling{runs} })
	if len(saw) != 1 || saw[0] != (ringwall.ToolCall{ID: "a", Name: "pay", Arguments: `{"card":"masked"}`}) || !strings.Contains(string(out), "masked") {
		t.Errorf("%+v\n%s", saw, out)
	}
}

// masking is a Channel that masks all of its text.
type masking struct{ dialecttest.Lagging }

func (*masking) Write([]byte) []byte          { return nil }
func (*masking) Close(context.Context) []byte { return []byte("masked") }
func (*masking) Masked() bool                 { return true }

// TestNothingButCallsChanges streams calls that all run and wants the bytes that an
// unjudged stream has.
func TestNothingButCallsChanges(t *testing.T) {
	a := spoken{`"so"`, []string{callA, callB, callC}, oldF, "tool_calls"}
	frames := append(a.frames(t, rand.New(rand.NewPCG(3, 1)), 0), `{"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`)
	r := openai.Chat{}.Relay(nil, straight)
	var want []byte
	for _, f := range frames {
		want, _ = r.Event(t.Context(), want, []byte(f))
	}
	want = r.End(t.Context(), want)
	got := judged(t, frames, straight, func(calls []ringwall.ToolCall) []gateway.Ruling {
		return []gateway.Ruling{runs, runs, runs, runs}
	})
	if !bytes.Equal(got, want) {
		t.Errorf("judged\n%s\nunjudged\n%s", got, want)
	}
	got = judged(t, frames, straight, func([]ringwall.ToolCall) []gateway.Ruling { return nil })
	for _, trace := range []string{"tool_calls", "function_call", "get", "run"} {
		if strings.Contains(string(got), trace) {
			t.Errorf("%q is in\n%s", trace, got)
		}
	}
	if !strings.Contains(string(got), `"usage":{"prompt_tokens":1,"completion_tokens":2}`) {
		t.Errorf("the usage is not in\n%s", got)
	}
}

// TestTokensStay: those of what the model said, and none of the note.
func TestTokensStay(t *testing.T) {
	const probs = `{"content":[{"token":"so","logprob":-1,"bytes":[115,111],"top_logprobs":[]}],"refusal":null}`
	got := ruled(t, `{"choices":[{"index":0,"message":{"content":"so","tool_calls":[`+callA+`]},"logprobs":`+probs+`,"finish_reason":"tool_calls"}]}`, func([]ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{refused} })
	dialecttest.Same(t, got, `{"choices":[{"index":0,"message":{"content":"so\n\nNot allowed."},"logprobs":`+probs+`,"finish_reason":"stop"}]}`)
	out := judged(t, []string{
		`{"id":"c","choices":[{"index":0,"delta":{"content":"so"},"logprobs":` + probs + `,"finish_reason":null}]}`,
		`{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,` + callA[1:] + `]},"logprobs":null,"finish_reason":"tool_calls"}]}`,
	}, straight, func([]ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{refused} })
	if n := strings.Count(string(out), `"token"`); n != 1 || !strings.Contains(string(out), `"content":"\n\nNot allowed."},"logprobs":null`) || !strings.Contains(string(out), `"finish_reason":"stop"`) {
		t.Errorf("%d tokens in\n%s", n, out)
	}
}

// TestAWholeMessageInAStreamHasNoCalls: it is no delta, and nobody judged it.
func TestAWholeMessageInAStreamHasNoCalls(t *testing.T) {
	out := judged(t, []string{`{"id":"c","choices":[{"index":0,"delta":{"content":"x"},"message":{"tool_calls":[` + callA + `]},"finish_reason":null}]}`}, straight, nil)
	if strings.Contains(string(out), "get") || !strings.Contains(string(out), `"content":"x"`) {
		t.Errorf("%s", out)
	}
}
