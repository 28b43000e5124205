package responses_test

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
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/internal/sse"
)

// FuzzRule wants answers without a trace of the calls that do not run.
func FuzzRule(f *testing.F) {
	f.Add(response(listed(message, callA, callB)), uint8(1))
	f.Add(response(listed(callC, hosted, callS, search)), uint8(2))
	f.Add(`{"output":[{"type":"x_call","call_id":"1"},7,{"type":"function_call"}],"output_text":""}`, uint8(0))
	f.Fuzz(func(t *testing.T, body string, which uint8) {
		a, err := responses.Dialect{}.Answer(nil, []byte(body))
		if err != nil {
			return
		}
		c := a.(gateway.Calling)
		calls := c.Calls()
		var rulings []gateway.Ruling
		var left []ringwall.ToolCall
		for i := range calls {
			r := gateway.Ruling{Runs: which>>(i%8)&1 == 1}
			if i%3 > 0 {
				r.Note = "no"
			}
			if rulings = append(rulings, r); r.Runs {
				left = append(left, calls[i])
			}
		}
		c.Rule(rulings)
		out := a.Edit(nil)
		again, err := responses.Dialect{}.Answer(nil, out)
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
	for _, items := range []string{listed(message, callA, callB), listed(callC, hosted, callS)} {
		f.Add(strings.Join(streamed(f, rand.New(rand.NewPCG(1, 1)), items), "\n"))
	}
	f.Add(`{"type":"response.function_call_arguments.delta","delta":"{}"}`)
	f.Fuzz(func(t *testing.T, script string) {
		r := responses.Dialect{}.Relay(nil, straight)
		r.(gateway.Judging).Judge(func(_ context.Context, calls []ringwall.ToolCall) []gateway.Ruling { return nil })
		var out []byte
		for e := range strings.SplitSeq(script, "\n") {
			var err error
			if out, err = r.Event(t.Context(), out, []byte(e)); err != nil {
				return
			}
		}
		out = r.End(t.Context(), out)
		for ev, err := range sse.Events(bytes.NewReader(out)) {
			if err != nil {
				t.Fatal(err)
			}
			var e map[string]any
			if !json.Valid(ev.Data) {
				t.Fatalf("%s", ev.Data)
			}
			if json.Unmarshal(ev.Data, &e) != nil {
				continue
			}
			kind, _ := e["type"].(string)
			it, _ := e["item"].(map[string]any)
			if it["type"] == "function_call" || it["type"] == "custom_tool_call" || strings.HasPrefix(kind, "response.function_call_arguments.") {
				t.Fatalf("%s\nin %s", ev.Data, out)
			}
		}
	})
}
