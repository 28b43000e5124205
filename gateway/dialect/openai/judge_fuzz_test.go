package openai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/sse"
)

// FuzzRule wants answers without a trace of the calls that do not run.
func FuzzRule(f *testing.F) {
	f.Add(`{"choices":[{"message":{"content":null,"tool_calls":[`+callA+`, `+callB+`]},"finish_reason":"tool_calls"}]}`, uint8(1))
	f.Add(`{"choices":[{"message":{"function_call":`+oldF+`,"tool_calls":[`+callC+`,7]}},{"delta":{"tool_calls":{}}}]}`, uint8(4))
	f.Add(`{"choices":[{"message":{"x":1,"tool_calls":[],"content":[]}}]}`, uint8(0))
	f.Fuzz(func(t *testing.T, body string, which uint8) {
		a, err := openai.Chat{}.Answer(nil, []byte(body))
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
		again, err := openai.Chat{}.Answer(nil, out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := again.(gateway.Calling).Calls(); !reflect.DeepEqual(got, left) {
			t.Fatalf("calls %v\nwant %v\n%s", got, left, out)
		}
	})
}

// FuzzJudge feeds a judged stream what nobody sends, and wants no call to go out of
// which none runs.
func FuzzJudge(f *testing.F) {
	a := spoken{`"so"`, []string{callA, callB, callC}, oldF, "tool_calls"}
	f.Add(strings.Join(a.frames(f, rand.New(rand.NewPCG(1, 1)), 0), "\n"))
	f.Add(`{"choices":[{"delta":{"tool_calls":{}},"message":{"function_call":{}},"finish_reason":"function_call"}]}`)
	f.Fuzz(func(t *testing.T, script string) {
		r := openai.Chat{}.Relay(nil, straight)
		r.(gateway.Judging).Judge(func(context.Context, []ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{{Note: "no"}} })
		var out []byte
		for frame := range strings.SplitSeq(script, "\n") {
			var err error
			if out, err = r.Event(t.Context(), out, []byte(frame)); err != nil {
				return
			}
		}
		for ev, err := range sse.Events(bytes.NewReader(r.End(t.Context(), out))) {
			if err != nil {
				t.Fatal(err)
			}
			if string(ev.Data) == "[DONE]" {
				break
			}
			var e map[string]any
			if !json.Valid(ev.Data) {
				t.Fatalf("%s", ev.Data)
			}
			if json.Unmarshal(ev.Data, &e) != nil {
				continue
			}
			choices, _ := e["choices"].([]any)
			for _, c := range choices {
				c, _ := c.(map[string]any)
				for _, key := range []string{"delta", "message"} {
					m, _ := c[key].(map[string]any)
					if m["function_call"] != nil {
						t.Fatalf("%s", ev.Data)
					}
					if calls, _ := m["tool_calls"].([]any); len(calls) > 0 {
						t.Fatalf("%s", ev.Data)
					}
				}
			}
		}
	})
}
