package bedrock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/eventstream"
)

// streamRuled relays events with rulings.
func streamRuled(t testing.TB, w *wire, events []string, open gateway.Open, rule func([]ringwall.ToolCall) []gateway.Ruling) (out []byte, calls []ringwall.ToolCall, err error) {
	relay := w.d.Relay(w.req(t), open)
	relay.(gateway.Judging).Judge(func(_ context.Context, some []ringwall.ToolCall) []gateway.Ruling {
		calls = append(calls, some...)
		return rule(some)
	})
	for _, e := range events {
		if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
			return out, calls, err
		}
	}
	return relay.End(t.Context(), out), calls, nil
}

func TestRule(t *testing.T) {
	eve := item{id: "a", name: "pay", args: `{"to": "mallory"}`}
	bob := item{id: "b", name: "pay", args: `{"to":"bob"}`}
	text, no := item{text: "I will pay."}, item{text: "No \"way\"."}
	server := item{id: "s", name: "server", args: `{"q":1}`}
	for _, tt := range []struct {
		name  string
		items []item
		rules map[string]gateway.Ruling
		want  []item
		stop  string
	}{
		{"one call refused", []item{eve}, map[string]gateway.Ruling{"a": {Note: no.text}}, []item{no}, "end_turn"},
		{"one call refused without a word", []item{eve}, nil, nil, "end_turn"},
		{"one of two refused", []item{text, eve, bob}, map[string]gateway.Ruling{"a": {Note: no.text}, "b": {Runs: true}}, []item{text, no, bob}, "tool_use"},
		{"one of two refused without a word", []item{text, eve, bob, text}, map[string]gateway.Ruling{"b": {Runs: true}}, []item{text, bob, text}, "tool_use"},
		{"all refused", []item{text, eve, bob}, map[string]gateway.Ruling{"b": {Note: no.text}}, []item{text, no}, "end_turn"},
		{"arguments changed", []item{text, eve}, map[string]gateway.Ruling{"a": {Runs: true, Arguments: `{"to":"{NAME}"}`}}, []item{text, {id: "a", name: "pay", args: `{"to":"{NAME}"}`}}, "tool_use"},
		{"arguments that are none", []item{eve}, map[string]gateway.Ruling{"a": {Runs: true, Arguments: `[]`}}, nil, "end_turn"},
		{"tools of the service stay", []item{server, eve}, nil, []item{server}, "end_turn"},
	} {
		rule := func(calls []ringwall.ToolCall) (rs []gateway.Ruling) {
			for _, c := range calls {
				rs = append(rs, tt.rules[c.ID])
			}
			return rs
		}
		for _, w := range wires {
			t.Run(w.name+"/"+tt.name, func(t *testing.T) {
				a, err := w.d.Answer(w.req(t), []byte(w.whole(tt.items)))
				if err != nil {
					t.Fatal(err)
				}
				c := a.(gateway.Calling)
				c.Rule(rule(c.Calls()))
				if got, stop := w.heard(t, c.Edit(nil)); !slices.Equal(got, tt.want) || stop != tt.stop {
					t.Errorf("%s", c.Edit(nil))
				}
				for seed := range uint64(20) {
					rng := rand.New(rand.NewPCG(seed, 7))
					frames, _, err := streamRuled(t, &w, w.said(tt.items, rng), dialecttest.Open, rule)
					if err != nil {
						t.Fatal(err)
					}
					if got, stop := w.read(t, frames); !slices.Equal(got, tt.want) || stop != tt.stop {
						t.Fatalf("streamed %q %s, want %q", got, stop, tt.want)
					}
					if bytes.Contains(frames, []byte("mallory")) {
						t.Fatalf("it leaks: %q", frames)
					}
				}
			})
		}
	}
}

func randomItems(rng *rand.Rand) (items []item) {
	text := func() (s string) {
		for range 1 + rng.IntN(4) {
			s += pieces[rng.IntN(len(pieces))]
		}
		return s
	}
	for i := range 1 + rng.IntN(6) {
		switch rng.IntN(5) {
		case 0:
			items = append(items, item{text: text()})
		case 1:
			items = append(items, item{reasoning: text()})
		case 2:
			items = append(items, item{id: fmt.Sprint("s", i), name: "server", args: `{"q":"` + fmt.Sprint(i) + `"}`})
		default:
			items = append(items, item{id: fmt.Sprint("t", i), name: "pay", args: `{"to": ` + quote(text()) + `, "l": ["x", "a.b@example.org"]}`})
		}
	}
	return items
}

// The streamed answer equals the whole one, whatever becomes of its calls.
func TestRuledStreamEqualsWhole(t *testing.T) {
	g := maskAll(t)
	for _, w := range wires {
		ruled := 0
		for seed := range uint64(600) {
			rng := rand.New(rand.NewPCG(seed, 17))
			items := randomItems(rng)
			rule := dialecttest.Ruler(seed)
			a, err := w.d.Answer(w.req(t), []byte(w.whole(items)))
			if err != nil {
				t.Fatal(err)
			}
			changed := g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts
			b, err := w.d.Answer(w.req(t), a.Edit(changed))
			if err != nil {
				t.Fatal(err)
			}
			c := b.(gateway.Calling)
			calls := c.Calls()
			c.Rule(rule(calls))
			want, stop := w.heard(t, c.Edit(nil))
			a.(gateway.Calling).Rule(rule(calls)) // at once it is the same
			if got, s := w.heard(t, a.Edit(changed)); !slices.Equal(got, want) || s != stop {
				t.Fatalf("%s, seed %d\ngot  %q %s\nwant %q %s", w.name, seed, got, s, want, stop)
			}
			out, heard, err := streamRuled(t, &w, w.said(items, rng), opener(g), rule)
			if err != nil {
				t.Fatal(err)
			}
			if got, s := w.read(t, out); !slices.Equal(got, want) || s != stop {
				t.Fatalf("%s, seed %d\ngot  %q %s\nwant %q %s", w.name, seed, got, s, want, stop)
			}
			if fmt.Sprint(heard) != fmt.Sprint(calls) {
				t.Fatalf("%s, seed %d: asked about %v, want %v", w.name, seed, heard, calls)
			}
			ruled += len(calls)
		}
		if ruled < 300 {
			t.Errorf("%s: %d calls", w.name, ruled)
		}
	}
}

func TestRuleAnswersOfOtherWords(t *testing.T) {
	const refused = "No."
	for name, tt := range map[string]struct{ body, want string }{
		"all of OpenAI's": {
			`{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"evil","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`,
			`{"choices":[{"message":{"role":"assistant","content":"No."},"finish_reason":"stop"}]}`,
		},
		"one of OpenAI's, and arguments": {
			`{"choices":[{"message":{"content":"So","tool_calls":[{"id":"a","function":{"name":"evil","arguments":"{}"}},{"id":"b","function":{"name":"mask","arguments":"{ }"}}]},"finish_reason":"tool_calls"}]}`,
			`{"choices":[{"message":{"content":"So\n\nNo.","tool_calls":[{"id":"b","function":{"name":"mask","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"}]}`,
		},
		"a message of calls alone": {
			`{"message":{"tool_calls":[{"id":"a","function":{"name":"evil","arguments":{}}}]},"finish_reason":"TOOL_CALL"}`,
			`{"message":{"content":"No."},"finish_reason":"COMPLETE"}`,
		},
		"Cohere's": {
			`{"text":"So","tool_calls":[{"name":"evil","parameters":{"a":1}},{"name":"mask","parameters":{"a":1}}],"finish_reason":"COMPLETE"}`,
			`{"text":"So\n\nNo.","tool_calls":[{"name":"mask","parameters":{"x":1}}],"finish_reason":"COMPLETE"}`,
		},
	} {
		a, err := bedrock.Invoke{}.Answer(invoke(t, another, `{}`), []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		c := a.(gateway.Calling)
		var rs []gateway.Ruling
		for _, call := range c.Calls() {
			switch call.Name {
			case "evil":
				rs = append(rs, gateway.Ruling{Note: refused})
			case "mask":
				rs = append(rs, gateway.Ruling{Runs: true, Arguments: `{"x":1}`})
			}
		}
		c.Rule(rs)
		if got := string(c.Edit(nil)); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tt.want)
		}
	}
}

// In a stream of words that nobody here knows a call cannot be judged.
func TestCallsThatCannotBeJudgedEndTheStream(t *testing.T) {
	w := wire{req: func(t testing.TB) gateway.Request { return invoke(t, another, `{}`) }, d: bedrock.Invoke{}}
	out, _, err := streamRuled(t, &w, []string{
		string(chunk(`{"choices":[{"delta":{"content":"So"}}]}`)),
		string(chunk(`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"pay","arguments":""}}]}}]}`)),
	}, dialecttest.Open, dialecttest.Ruler(1))
	if err == nil || bytes.Contains(out, []byte("pay")) {
		t.Errorf("%v %q", err, out)
	}
}

// FuzzJudging wants frames of whatever stream, and nothing of a call that does not run.
func FuzzJudging(f *testing.F) {
	for i, w := range wires {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 4 {
			events := w.said(randomItems(rng), rng)
			if i > 0 {
				for n, e := range events {
					events[n] = string(unchunk(f, e))
				}
			}
			f.Add(uint8(i), []byte(strings.Join(events, "\n")), uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, in []byte, seed uint64) {
		w := wires[int(which)%len(wires)]
		rule := dialecttest.Ruler(seed)
		var refused, kept []string
		events := strings.Split(string(in), "\n")
		if w.name != "converse" {
			for i, e := range events {
				events[i] = string(chunk(e))
			}
		}
		out, _, _ := streamRuled(t, &w, events, dialecttest.Open, func(calls []ringwall.ToolCall) []gateway.Ruling {
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
		var all []byte
		for m, err := range eventstream.Messages(bytes.NewReader(out)) {
			if err != nil || !json.Valid(m.Payload) {
				t.Fatalf("%v: sent what is no frame: %q", err, m.Payload)
			}
			all = append(all, m.Payload...)
		}
		if w.name != "converse" {
			all = bytes.Join(inner(t, out), nil)
		}
		dialecttest.Gone(t, in, all, refused, kept)
	})
}

// unchunk is what an event of InvokeModel holds.
func unchunk(t testing.TB, e string) []byte {
	var f struct{ Chunk struct{ Bytes []byte } }
	if err := json.Unmarshal([]byte(e), &f); err != nil {
		t.Fatal(err)
	}
	return f.Chunk.Bytes
}

// FuzzRule wants JSON of whatever answer, with the calls that run and no other.
func FuzzRule(f *testing.F) {
	items := []item{{text: "x"}, {id: "a", name: "pay", args: `{"to": "mallory"}`}, {id: "b", name: "pay", args: `{"l":[1]}`}}
	f.Add(uint8(0), []byte(converseWhole(items)), uint64(1))
	f.Add(uint8(1), []byte(claudeWhole(items)), uint64(1))
	f.Add(uint8(2), []byte(`{"choices":[{"message":{"content":"So","tool_calls":[{"id":"a","function":{"name":"evil","arguments":"{}"}},{"id":"b","function":{"name":"mask","arguments":"{ }"}}],"function_call":{"name":"x"}},"finish_reason":"tool_calls"}],"tool_calls":[{"name":"evil","parameters":{"a":1}}],"text":"x"}`), uint64(1))
	f.Fuzz(func(t *testing.T, which uint8, in []byte, seed uint64) {
		switch which % 3 {
		case 0:
			dialecttest.Rules(t, bedrock.Converse{}, nil, in, seed)
		case 1:
			dialecttest.Rules(t, bedrock.Invoke{}, invoke(t, claude, `{"messages":[]}`), in, seed)
		default:
			dialecttest.Rules(t, bedrock.Invoke{}, invoke(t, another, `{}`), in, seed)
		}
	})
}

// FuzzOffer wants of whatever request JSON in which no tool is that is hidden.
func FuzzOffer(f *testing.F) {
	f.Add(uint8(0), []byte(`{"toolConfig":{"tools":[{"toolSpec":{"name":"pay"}},{"cachePoint":{}},{"systemTool":{"name":"x"}},{"y":1}],"toolChoice":{"tool":{"name":"pay"}}},"guardrailConfig":{},"messages":[{"role":"user","content":[{"toolUse":{"toolUseId":"t","name":"pay"}}]}]}`), uint64(3))
	f.Add(uint8(1), []byte(`{"tools":[{"name":"pay"},{"type":"bash_1","name":"bash"}],"tool_choice":{"type":"tool","name":"pay"},"messages":[]}`), uint64(3))
	f.Add(uint8(2), []byte(`{"tools":[{"name":"pay"},{"type":"function","function":{"name":"x"}},{"y":1}],"tool_choice":"any","messages":[{"role":"tool","content":"x"}]}`), uint64(3))
	f.Fuzz(func(t *testing.T, which uint8, in []byte, seed uint64) {
		dialecttest.Offers(t, seed, in, func(body []byte) (gateway.Request, error) {
			switch which % 3 {
			case 0:
				return bedrock.Converse{}.Read(post("/model/"+claude+"/converse"), body)
			case 1:
				return bedrock.Invoke{}.Read(post("/model/"+claude+"/invoke"), body)
			}
			return bedrock.Invoke{}.Read(post("/model/"+another+"/invoke"), body)
		})
	})
}
