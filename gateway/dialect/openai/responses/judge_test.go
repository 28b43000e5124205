package responses_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/sse"
)

const (
	message = `{"type":"message","id":"m%[1]d","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Let me \u00fcse \"it\"."}]}`
	callA   = `{"type":"function_call","id":"f%[1]d","call_id":"a%[1]d","name":"get","arguments":"{\"q\": \"\u00fc\\\"x\"}","status":"completed"}`
	callB   = `{"type":"function_call","id":"f%[1]d","call_id":"b%[1]d","name":"put","arguments":"{}","status":"completed"}`
	callC   = `{"type":"custom_tool_call","id":"c%[1]d","call_id":"c%[1]d","name":"run","input":"ls \"-l\"","status":"completed"}`
	callS   = `{"type":"local_shell_call","id":"s%[1]d","call_id":"s%[1]d","action":{"type":"exec","command":["ls", "-l"],"env":{}},"status":"completed"}`
	search  = `{"type":"web_search_call","id":"w%[1]d","status":"completed","action":{"type":"search","query":"x"}}`
	hosted  = `{"type":"shell_call","id":"h%[1]d","call_id":"h","action":{"commands":["ls"]},"status":"completed"},{"type":"shell_call_output","id":"o%[1]d","call_id":"h","output":[{"stdout":"x","stderr":"","outcome":{"type":"exit","exit_code":0}}]}`
)

// listed numbers the items of an output.
func listed(items ...string) string {
	var out []string
	for i, it := range items {
		out = append(out, fmt.Sprintf(it, i))
	}
	return strings.Join(out, ", ")
}

func response(items string) string {
	return `{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"model":"m","output":[` + items + `],"usage":{"input_tokens":5,"output_tokens":7}}`
}

// streamed is the same response as a stream, cut at random.
func streamed(t testing.TB, r *rand.Rand, items string) (events []string) {
	send := func(kind, rest string) {
		events = append(events, fmt.Sprintf(`{"type":"response.%s","sequence_number":%d%s}`, kind, len(events), rest))
	}
	send("created", `,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","output":[]}`)
	var list []map[string]any
	var raw []json.RawMessage // in the order of its members
	if err := errors.Join(json.Unmarshal([]byte("["+items+"]"), &list), json.Unmarshal([]byte("["+items+"]"), &raw)); err != nil {
		t.Fatal(err)
	}
	for i, it := range list {
		done := raw[i]
		at := fmt.Sprintf(`,"item_id":%q,"output_index":%d`, it["id"], i)
		pieces := func(kind, at, text, name string) {
			for _, p := range dialecttest.Pieces(r, text) {
				send(kind+".delta", at+`,"delta":`+quote(p))
			}
			send(kind+".done", at+`,"`+name+`":`+quote(text))
		}
		begin := func(key string, empty any) {
			it[key], it["status"] = empty, "in_progress"
			added, _ := json.Marshal(it)
			send("output_item.added", fmt.Sprintf(`,"output_index":%d,"item":%s`, i, added))
		}
		switch it["type"] {
		case "message":
			part, _ := json.Marshal(it["content"].([]any)[0])
			text := it["content"].([]any)[0].(map[string]any)["text"].(string)
			begin("content", []any{})
			at := at + `,"content_index":0`
			send("content_part.added", at+`,"part":{"type":"output_text","text":"","annotations":[]}`)
			pieces("output_text", at, text, "text")
			send("content_part.done", at+`,"part":`+string(part))
		case "function_call":
			args := it["arguments"].(string)
			begin("arguments", "")
			pieces("function_call_arguments", at, args, "arguments")
		case "custom_tool_call":
			in := it["input"].(string)
			begin("input", "")
			pieces("custom_tool_call_input", at, in, "input")
		default:
			begin("status", "in_progress")
		}
		send("output_item.done", fmt.Sprintf(`,"output_index":%d,"item":%s`, i, done))
	}
	send("completed", `,"response":`+response(items))
	return events
}

func judged(t testing.TB, events []string, open gateway.Open, judge func([]ringwall.ToolCall) []gateway.Ruling) ([]byte, gateway.Relay) {
	t.Helper()
	r := responses.Dialect{}.Relay(nil, open)
	if judge != nil {
		r.(gateway.Judging).Judge(func(_ context.Context, calls []ringwall.ToolCall) []gateway.Ruling { return judge(calls) })
	}
	var out []byte
	var err error
	for _, e := range events {
		if out, err = r.Event(t.Context(), out, []byte(e)); err != nil {
			t.Fatal(err)
		}
	}
	return r.End(t.Context(), out), r
}

func straight(string) gateway.Channel { return &dialecttest.Lagging{} }

func ruled(t testing.TB, body string, judge func([]ringwall.ToolCall) []gateway.Ruling) string {
	t.Helper()
	a, err := responses.Dialect{}.Answer(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	c := a.(gateway.Calling)
	c.Rule(judge(c.Calls()))
	return string(a.Edit(nil))
}

// output puts the items of a stream together, as clients do: in the order in which
// they are added.
func output(t testing.TB, frames []byte) string {
	t.Helper()
	var items []string
	for ev, err := range sse.Events(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Type  string
			Index int `json:"output_index"`
			Item  json.RawMessage
		}
		if err := json.Unmarshal(ev.Data, &e); err != nil {
			t.Fatalf("%v: %s", err, ev.Data)
		}
		switch e.Type {
		case "response.output_item.added":
			if e.Index != len(items) {
				t.Fatalf("item %d is added at %d: %s", len(items), e.Index, frames)
			}
			items = append(items, "")
		case "response.output_item.done":
			items[e.Index] = string(e.Item)
		case "response.created", "response.completed":
		default:
			if e.Index != len(items)-1 {
				t.Fatalf("%s is not of item %d: %s", ev.Data, len(items)-1, frames)
			}
		}
	}
	return "[" + strings.Join(items, ",") + "]"
}

// norm makes the ids of notes one.
func norm(t testing.TB, out string) string {
	t.Helper()
	var items []map[string]any
	if err := json.Unmarshal([]byte(out), &items); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, it := range items {
		if id, _ := it["id"].(string); it["type"] == "message" && len(id) > 20 {
			it["id"] = "NOTE"
		}
	}
	b, _ := json.Marshal(items)
	return string(b)
}

func noted(text string) string {
	return `{"type":"message","id":"NOTE","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":` + quote(text) + `}]}`
}

var (
	runs    = gateway.Ruling{Runs: true}
	refused = gateway.Ruling{Note: "Not allowed."}
)

func TestRule(t *testing.T) {
	for name, tt := range map[string]struct {
		items, rulings any
		want           string
	}{
		"all run":        {listed(message, callA, callB), []gateway.Ruling{runs, runs}, listed(message, callA, callB)},
		"one is refused": {listed(callA), []gateway.Ruling{refused}, noted("Not allowed.")},
		"the first of two": {
			listed(callA, callB),
			[]gateway.Ruling{refused, runs},
			noted("Not allowed.") + "," + listed(callA, callB)[len(listed(callA))+1:],
		},
		"all, behind words":        {listed(message, callA, callC), []gateway.Ruling{refused, {Note: `Nor "that".`}}, listed(message) + "," + noted("Not allowed.") + "," + noted(`Nor "that".`)},
		"without a word":           {listed(callA, callB), []gateway.Ruling{{}, runs}, fmt.Sprintf(callB, 1)},
		"nothing is left":          {listed(callA, callB), nil, ``},
		"fewer rulings than calls": {listed(callA, callB), []gateway.Ruling{runs}, listed(callA)},
		"other arguments": {
			listed(callA, callC, callS),
			[]gateway.Ruling{{Runs: true, Arguments: `{"q":"*"}`}, {Runs: true, Arguments: `{"input":"ls"}`}, {Runs: true, Arguments: `{"action":{"command":["true"]}}`}},
			strings.NewReplacer(quote(`{"q": "ü\"x"}`), quote(`{"q":"*"}`), `"{\"q\": \"\u00fc\\\"x\"}"`, quote(`{"q":"*"}`), quote(`ls "-l"`), `"ls"`, `{"type":"exec","command":["ls", "-l"],"env":{}}`, `{"command":["true"]}`).Replace(listed(callA, callC, callS)),
		},
		"a shell of the client's":   {listed(callS), []gateway.Ruling{refused}, noted("Not allowed.")},
		"what the provider ran":     {listed(search, hosted), nil, listed(search, hosted)},
		"words behind a call":       {listed(callA, message, search, callB), []gateway.Ruling{{}, refused}, fmt.Sprintf(message, 1) + "," + fmt.Sprintf(search, 2) + "," + noted("Not allowed.")},
		"one behind what runs":      {listed(callA, callB, callC), []gateway.Ruling{runs, refused, runs}, listed(callA) + "," + noted("Not allowed.") + "," + fmt.Sprintf(callC, 2)},
		"hosted between the client": {listed(callA, hosted, callB), []gateway.Ruling{{}, refused}, fmt.Sprintf(hosted, 1) + "," + noted("Not allowed.")},
	} {
		t.Run(name, func(t *testing.T) {
			rulings, _ := tt.rulings.([]gateway.Ruling)
			judge := func([]ringwall.ToolCall) []gateway.Ruling { return rulings }
			items := tt.items.(string)
			var whole struct{ Output json.RawMessage }
			got := ruled(t, response(items), judge)
			if err := json.Unmarshal([]byte(got), &whole); err != nil {
				t.Fatalf("%v: %s", err, got)
			}
			dialecttest.Same(t, norm(t, string(whole.Output)), "["+tt.want+"]")

			frames, relay := judged(t, streamed(t, rand.New(rand.NewPCG(1, 1)), items), straight, judge)
			h := listen(t, frames)
			dialecttest.Same(t, h.final, got)
			dialecttest.Same(t, output(t, frames), string(whole.Output))
			if final := string(relay.(gateway.Finished).Final()); final != h.final {
				t.Errorf("it keeps %s, and sends %s", final, h.final)
			}
		})
	}
}

func TestCalls(t *testing.T) {
	a, err := responses.Dialect{}.Answer(nil, []byte(response(listed(message, callA, callC, callS, search, `{"type":"computer_call","id":"x%[1]d","call_id":"k","action":{"type":"click", "x":1}}`, hosted))))
	if err != nil {
		t.Fatal(err)
	}
	want := []ringwall.ToolCall{
		{ID: "a1", Name: "get", Arguments: `{"q": "ü\"x"}`},
		{ID: "c2", Name: "run", Arguments: `{"input":"ls \"-l\""}`},
		{ID: "s3", Name: "local_shell", Arguments: `{"action":{"type":"exec","command":["ls","-l"],"env":{}}}`},
		{ID: "k", Name: "computer", Arguments: `{"action":{"type":"click","x":1}}`},
	}
	if got := a.(gateway.Calling).Calls(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestOutputTextSaysTheNote(t *testing.T) {
	got := ruled(t, `{"id":"r","output":[`+listed(message, callA)+`],"output_text":"Let me."}`, func([]ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{refused} })
	if !strings.Contains(got, `"output_text":"Let me.\n\nNot allowed."`) {
		t.Error(got)
	}
}

// TestJudgedStreamIsTheWholeAnswer streams random answers in random pieces and wants of
// each what the whole answer is after the same rulings.
func TestJudgedStreamIsTheWholeAnswer(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		var items []string
		for range r.IntN(6) {
			items = append(items, []string{message, callA, callB, callC, callS, search}[r.IntN(6)])
		}
		judge := func(calls []ringwall.ToolCall) []gateway.Ruling { return dialecttest.Rulings(seed, calls) }
		lag := r.IntN(20)
		want := ruled(t, response(listed(items...)), judge)
		frames, _ := judged(t, streamed(t, r, listed(items...)), func(string) gateway.Channel { return &dialecttest.Lagging{Lag: lag} }, judge)
		h := listen(t, frames)
		var whole struct{ Output json.RawMessage }
		if err := json.Unmarshal([]byte(want), &whole); err != nil {
			t.Fatal(err)
		}
		dialecttest.Same(t, h.final, want)
		dialecttest.Same(t, output(t, frames), string(whole.Output))
		if t.Failed() {
			t.Fatalf("seed %d\n%s", seed, frames)
		}
	}
}

// TestNothingButCallsChanges streams calls that all run and wants the bytes that an
// unjudged stream has, and of words before calls that they do not wait.
func TestNothingButCallsChanges(t *testing.T) {
	events := streamed(t, rand.New(rand.NewPCG(1, 1)), listed(message, callA, message, callC, callS, search))
	want, _ := judged(t, events, straight, nil)
	all := func(calls []ringwall.ToolCall) (out []gateway.Ruling) {
		for range calls {
			out = append(out, runs)
		}
		return out
	}
	got, _ := judged(t, events, straight, all)
	if !bytes.Equal(got, want) {
		t.Errorf("judged\n%s\nunjudged\n%s", got, want)
	}
	r := responses.Dialect{}.Relay(nil, straight)
	r.(gateway.Judging).Judge(func(context.Context, []ringwall.ToolCall) []gateway.Ruling { t.Error("judged early"); return nil })
	var out []byte
	for _, e := range events {
		if strings.Contains(e, `"call_id"`) {
			break
		}
		out, _ = r.Event(t.Context(), out, []byte(e))
	}
	if !strings.Contains(string(out), `"text":"Let me üse \"it\"."`) {
		t.Errorf("words wait: %s", out)
	}
}

// TestACutStreamHasNoCalls: what waited when policy or a quota ended the stream never
// goes out, and the numbers of the events stay dense.
func TestACutStreamHasNoCalls(t *testing.T) {
	events := streamed(t, rand.New(rand.NewPCG(1, 1)), listed(message, callA, callS))
	r := responses.Dialect{}.Relay(nil, straight)
	r.(gateway.Judging).Judge(func(context.Context, []ringwall.ToolCall) []gateway.Ruling { return []gateway.Ruling{runs, runs} })
	var out []byte
	for _, e := range events[:len(events)-1] {
		out, _ = r.Event(t.Context(), out, []byte(e))
	}
	out = r.Withhold(out, gateway.Declined{Message: "It was withheld."})
	h := listen(t, out)
	for _, trace := range []string{"function_call", "local_shell", "get"} {
		if strings.Contains(string(out), trace) {
			t.Errorf("%q is in %s", trace, out)
		}
	}
	if !strings.Contains(h.final, "Let me") {
		t.Errorf("the words before are lost: %s", h.final)
	}
}

// TestAStreamWithoutItsEnd judges calls that are done, and drops those that are not.
func TestAStreamWithoutItsEnd(t *testing.T) {
	events := streamed(t, rand.New(rand.NewPCG(1, 1)), listed(callA, callB))
	var saw []ringwall.ToolCall
	out, _ := judged(t, events[:len(events)-2], straight, func(calls []ringwall.ToolCall) []gateway.Ruling {
		saw = calls
		return []gateway.Ruling{runs, runs}
	})
	if len(saw) != 1 || saw[0].Name != "get" || strings.Contains(string(out), `"name":"put"`) || !strings.Contains(string(out), "get") {
		t.Errorf("%+v\n%s", saw, out)
	}
}

// TestCallsThatAreNotStreamed judges those, too, that only the whole answer has, or has
// otherwise.
func TestCallsThatAreNotStreamed(t *testing.T) {
	events := streamed(t, rand.New(rand.NewPCG(1, 1)), listed(callA))
	events[len(events)-1] = fmt.Sprintf(`{"type":"response.completed","response":%s}`, response(strings.Replace(listed(callA, callB), `"get"`, `"kill"`, 1)))
	for _, from := range []int{0, len(events) - 1} {
		var saw []string
		out, _ := judged(t, append(events[:1:1], events[max(from, 1):]...), straight, func(calls []ringwall.ToolCall) (out []gateway.Ruling) {
			for _, c := range calls {
				saw = append(saw, c.Name)
				out = append(out, gateway.Ruling{Runs: c.Name == "get"})
			}
			return out
		})
		if all := strings.Join(saw, " "); !strings.HasSuffix(all, "kill put") || strings.Contains(string(out), "kill") || strings.Contains(string(out), `"name":"put"`) {
			t.Errorf("%s\n%s", all, out)
		}
	}
}

// TestJudgeSeesWhatTheClientReads masks arguments before they are judged.
func TestJudgeSeesWhatTheClientReads(t *testing.T) {
	items := strings.Replace(listed(callA), `\u00fc`, card, 1)
	var saw []ringwall.ToolCall
	judge := func(calls []ringwall.ToolCall) []gateway.Ruling { saw = calls; return []gateway.Ruling{runs} }
	frames, _ := judged(t, streamed(t, rand.New(rand.NewPCG(1, 1)), items), opener(noticing(t, ringwall.Mask)), judge)
	if len(saw) != 1 || strings.Contains(saw[0].Arguments, card) || strings.Contains(string(frames), card) {
		t.Errorf("%+v\n%s", saw, frames)
	}
	a, err := responses.Dialect{}.Answer(nil, []byte(response(items)))
	if err != nil {
		t.Fatal(err)
	}
	var changed []guard.Changed
	for i, text := range a.Texts() {
		if strings.Contains(text.Value, card) {
			changed = append(changed, guard.Changed{Index: i, Value: "{CARD}"})
		}
	}
	a.(gateway.Calling).Rule([]gateway.Ruling{refused})
	if out := string(a.Edit(changed)); len(changed) != 1 || strings.Contains(out, "CARD") || !json.Valid([]byte(out)) {
		t.Errorf("%s", out)
	}
}
