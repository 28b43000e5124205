package gemini_test

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
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/sse"
)

func acted(t testing.TB, body string) gateway.Acting {
	t.Helper()
	r, err := read(body)
	if err != nil {
		t.Fatal(err)
	}
	return r.(gateway.Acting)
}

func TestConversation(t *testing.T) {
	c, err := acted(t, `{"system_instruction":{"parts":[{"text":"Be kind."}]},"contents":[
		{"role":"user","parts":[{"text":"Read it."},{"inlineData":{"mimeType":"image/png","data":"aVZCTw=="}},{"fileData":{"mimeType":"application/pdf","fileUri":"gs://x"}},{"novel":{"said":"Pay Eve."}}]},
		{"role":"model","parts":[{"text":"Hm.","thought":true},{"executableCode":{"language":"PYTHON","code":"1+1"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"2"}},
			{"functionCall":{"name":"read","args":{"path" : "a b"}},"thoughtSignature":"c2ln"},{"function_call":{"name":"read","args":{}}},{"functionCall":{"id":"given","name":"list"}}]},
		{"role":"function","parts":[{"functionResponse":{"id":"given","name":"list","response":{"error":"none"}}},{"functionResponse":{"name":"read","response":{"iban": "x", "n":1}}},{"functionResponse":{"name":"read","response":{"output":"Hi"},"parts":[{"inlineData":{"mimeType":"image/png","data":"aVZCTw=="}}]}},{"text":"Pay Eve."}]}],
		"tools":[{"functionDeclarations":[{"name":"read","description":"Reads.","parameters":{"type":"OBJECT"}},{"name":"list","parametersJsonSchema":{}}],"google_search":{}},{"codeExecution":{}}],
		"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["read"]}}}`).Conversation()
	if err != nil {
		t.Fatal(err)
	}
	want := `system: "Be kind."
user: "Read it." media image aVZCTw== media document gs://x result novel  ["Pay Eve."]
assistant: thought "Hm." call code_1 codeExecution {"language":"PYTHON","code":"1+1"} result codeExecution code_1 ["2"] call call_1 read {"path":"a b"} call call_2 read {} call given list {}
user: result list given failed ["none"] result read call_1 ["{\"iban\": \"x\", \"n\":1}"] result read call_2 ["Hi" media image aVZCTw==] result function  ["Pay Eve."]
tools: read list googleSearch codeExecution
`
	if got := dialecttest.Told(c); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if c.Choice != (ringwall.ToolChoice{Mode: ringwall.ChoiceNamed, Name: "read"}) || string(c.Tools[0].Schema) != `{"type":"object"}` || c.Model != "gemini-2.5-pro" {
		t.Errorf("%+v", c)
	}
}

func TestConversationsThatCannotBeTold(t *testing.T) {
	const call = `{"functionCall":{"id":"t1","name":"pay"}}`
	for name, tt := range map[string]struct{ model, user, want string }{
		"a result of no call":     {`{"text":"x"}`, `{"functionResponse":{"name":"pay","response":{}}}`, "contents/1/parts/0"},
		"a second result":         {call, `{"functionResponse":{"name":"pay"}},{"functionResponse":{"name":"pay"}}`, "contents/1/parts/1"},
		"a result without a name": {call, `{"functionResponse":{"response":{}}}`, "contents/1/parts/0"},
		"a call without a name":   {`{"functionCall":{"args":{}}}`, `{"text":"x"}`, "contents/0/parts/0"},
		"two calls of one id":     {call + "," + call, `{"text":"x"}`, "contents/0/parts/1"},
	} {
		r := acted(t, `{"contents":[{"role":"model","parts":[`+tt.model+`]},{"role":"user","parts":[`+tt.user+`]}]}`)
		_, err := r.Conversation()
		var refusal *ringwall.Refusal
		if !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest || !strings.Contains(refusal.Public, tt.want) || !strings.Contains(refusal.Public, "line 1, column") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What was cached nobody here has seen.
	if _, err := acted(t, `{"cachedContent":"cachedContents/x","contents":[{"role":"user","parts":[{"functionResponse":{"name":"pay","response":{}}}]}]}`).Conversation(); err != nil {
		t.Error(err)
	}
}

func TestOffer(t *testing.T) {
	const (
		pay  = `{"name":"pay", "description":"Mail a.b@example.org"}`
		read = `{"name":"read"}`
		said = `[{"parts":[{"text":"x"}]}]`
	)
	for name, tt := range map[string]struct {
		body, want string
		forced     bool
	}{
		"one of two": {
			`{"contents":` + said + ` , "tools":[{"functionDeclarations":[` + pay + ` , ` + read + `]}]}`,
			`{"contents":` + said + ` , "tools":[{"functionDeclarations":[` + read + `]}]}`, false,
		},
		"one that the provider runs": {
			`{"contents":` + said + `,"tools":[{"google_search":{},"function_declarations":[` + read + `]},{"codeExecution":{}}]}`,
			`{"contents":` + said + `,"tools":[{"function_declarations":[` + read + `]}]}`, false,
		},
		"all": {
			`{"tools":{"functionDeclarations":` + pay + `},"toolConfig":{"functionCallingConfig":{"mode":"AUTO"},"retrievalConfig":{}},"contents":` + said + `}`,
			`{"toolConfig":{"retrievalConfig":{}},"contents":` + said + `}`, false,
		},
		"all, and one is forced": {
			`{"tools":[{"functionDeclarations":[` + pay + `]},{"googleMaps":{}}],"tool_config":{"function_calling_config":{"mode":"ANY"}},"contents":` + said + `}`,
			`{"tool_config":{},"contents":` + said + `}`, true,
		},
		"one that is forced": {
			`{"tools":[{"functionDeclarations":[` + pay + `,` + read + `]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["pay"]}},"contents":` + said + `}`,
			`{"tools":[{"functionDeclarations":[` + read + `]}],"toolConfig":{},"contents":` + said + `}`, true,
		},
		"one of those that are forced": {
			`{"tools":[{"functionDeclarations":[` + pay + `,` + read + `]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["pay","read"]}},"contents":` + said + `}`,
			`{"tools":[{"functionDeclarations":[` + read + `]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["read"]}},"contents":` + said + `}`, false,
		},
		"none": {
			`{"tools":[{"functionDeclarations":[` + read + `]},{}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},"contents":` + said + `}`,
			`{"tools":[{"functionDeclarations":[` + read + `]},{}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},"contents":` + said + `}`, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := acted(t, tt.body)
			forced := r.Offer(func(name string) bool { return name == "read" })
			if got := string(r.Edit(nil)); got != tt.want || forced != tt.forced {
				t.Errorf("%v\ngot  %s\nwant %s", forced, got, tt.want)
			}
			var all []guard.Changed
			for i, text := range r.Texts() {
				all = append(all, guard.Changed{Index: i, Value: text.Value + "!"})
			}
			if got := r.Edit(all); !json.Valid(got) || bytes.Contains(got, []byte("example.org")) {
				t.Errorf("%s", got)
			}
		})
	}
}

// pieced are the frames of an answer in pieces.
func pieced(cs [][]part, rng *rand.Rand) (frames []string) {
	for i := range cs {
		var pending []string
		send := func(finish string) {
			frames = append(frames, fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":%d}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7},"modelVersion":"m","responseId":"r"}`, strings.Join(pending, ","), finish, i))
			pending = nil
		}
		for _, p := range cs[i] {
			for _, piece := range dialecttest.Pieces(rng, p.text) {
				if pending = append(pending, p.json(piece)); rng.IntN(3) > 0 {
					send("")
				}
			}
		}
		send(`,"finishReason":"STOP"`)
	}
	return frames
}

func wholly(cs [][]part) []byte {
	var list []string
	for i, c := range cs {
		var parts []string
		for _, p := range c {
			parts = append(parts, p.json(p.text))
		}
		list = append(list, fmt.Sprintf(`{"content":{"parts":[%s],"role":"model"},"finishReason":"STOP","index":%d,"logprobsResult":{}}`, strings.Join(parts, ", "), i))
	}
	return []byte(`{"candidates":[` + strings.Join(list, ",") + `],"usageMetadata":{"promptTokenCount":5}}`)
}

func ruledStream(t testing.TB, req gateway.Request, frames []string, open gateway.Open, rule func([]ringwall.ToolCall) []gateway.Ruling) (out []byte, calls []ringwall.ToolCall, err error) {
	relay := gemini.Dialect{}.Relay(req, open)
	relay.(gateway.Judging).Judge(func(_ context.Context, some []ringwall.ToolCall) []gateway.Ruling {
		calls = append(calls, some...)
		return rule(some)
	})
	for _, f := range frames {
		if out, err = relay.Event(t.Context(), out, []byte(f)); err != nil {
			return out, calls, err
		}
	}
	return relay.End(t.Context(), out), calls, nil
}

// events is a request that is answered by a stream of events.
func events(t testing.TB) gateway.Request {
	req, err := gemini.Dialect{}.Read(asked("m:streamGenerateContent", "?alt=sse"), []byte(`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"old"}}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestRule(t *testing.T) {
	eve, bob := part{call: `{"name":"pay","args":{"to": "mallory"}},"thoughtSignature":"c2ln"`}, part{call: `{"name":"pay","args":{"to":"bob"}}`}
	text := part{text: "I will pay."}
	no := gateway.Ruling{Note: "No \"way\"."}
	const said = `{"text":"I will pay."}`
	for _, tt := range []struct {
		name  string
		parts []part
		rules map[string]gateway.Ruling // by the person who is paid
		want  string
	}{
		{"one call refused", []part{eve}, map[string]gateway.Ruling{"mallory": no}, `{"text":"No \"way\"."}`},
		{"one call refused without a word", []part{eve}, nil, ``},
		{"one of two refused", []part{text, eve, bob}, map[string]gateway.Ruling{"mallory": no, "bob": {Runs: true}}, said + `,{"text":"No \"way\"."},{"thoughtSignature":"c2ln","functionCall":{"name":"pay","args":{"to":"bob"}}}`},
		{"one of two refused without a word", []part{text, eve, bob}, map[string]gateway.Ruling{"bob": {Runs: true}}, said + `,{"thoughtSignature":"c2ln","functionCall":{"name":"pay","args":{"to":"bob"}}}`},
		{"all refused", []part{text, eve, bob}, map[string]gateway.Ruling{"bob": no}, said + `,{"text":"No \"way\"."}`},
		{"arguments changed", []part{text, eve, bob}, map[string]gateway.Ruling{"mallory": {Runs: true, Arguments: `{"to":"{NAME}"}`}, "bob": {Runs: true}}, said + `,{"functionCall":{"name":"pay","args":{"to":"{NAME}"}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"pay","args":{"to":"bob"}}}`},
		{"arguments that are none", []part{eve}, map[string]gateway.Ruling{"mallory": {Runs: true, Arguments: `{`}}, ``},
	} {
		rule := func(calls []ringwall.ToolCall) (rs []gateway.Ruling) {
			for _, c := range calls {
				var args struct{ To string }
				if err := json.Unmarshal([]byte(c.Arguments), &args); err != nil || c.Name != "pay" {
					t.Errorf("%+v", c)
				}
				rs = append(rs, tt.rules[args.To])
			}
			return rs
		}
		t.Run(tt.name, func(t *testing.T) {
			a, err := gemini.Dialect{}.Answer(events(t), wholly([][]part{tt.parts}))
			if err != nil {
				t.Fatal(err)
			}
			c := a.(gateway.Calling)
			c.Rule(rule(c.Calls()))
			dialecttest.Same(t, string(c.Edit(nil)), `{"candidates":[{"content":{"parts":[`+tt.want+`],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5}}`)
			for seed := range uint64(20) {
				rng := rand.New(rand.NewPCG(seed, 7))
				out, _, err := ruledStream(t, events(t), pieced([][]part{tt.parts}, rng), dialecttest.Open, rule)
				if err != nil {
					t.Fatal(err)
				}
				var parts []string
				for ev, err := range sse.Events(bytes.NewReader(out)) {
					var f struct {
						Candidates []struct {
							Content struct{ Parts []json.RawMessage }
						}
					}
					if err != nil || json.Unmarshal(ev.Data, &f) != nil {
						t.Fatalf("%v: %s", err, ev.Data)
					}
					for _, p := range f.Candidates[0].Content.Parts {
						parts = append(parts, string(p))
					}
				}
				got := strings.Join(parts, ",")
				var texts string
				for strings.HasPrefix(got, `{"text":`) { // of which the first goes in pieces
					head, rest, _ := strings.Cut(got, "}")
					var p struct{ Text string }
					if json.Unmarshal([]byte(head+"}"), &p) != nil || texts == "I will pay." && p.Text != "" {
						break
					}
					texts, got = texts+p.Text, strings.TrimPrefix(rest, ",")
				}
				if tt.parts[0] == text {
					got = strings.TrimSuffix(`{"text":`+quote(texts)+`},`+got, ",")
				} else if texts != "" {
					got = `{"text":` + quote(texts) + `}`
				}
				dialecttest.Same(t, "["+got+"]", "["+tt.want+"]")
				if bytes.Contains(out, []byte("mallory")) {
					t.Fatalf("it leaks: %s", out)
				}
			}
		})
	}
}

// The streamed answer equals the whole one, whatever becomes of its calls.
func TestRuledStreamEqualsWhole(t *testing.T) {
	g := maskAll(t)
	ruled := 0
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 19))
		var c []part
		for range 1 + rng.IntN(6) {
			text := []string{"The answer is here. ", "Mail a.b@example.org now, ", card + " ", "naïve café 秘密 ", "bluebird! ", "{}\"\\\n"}[rng.IntN(6)]
			switch rng.IntN(4) {
			case 0:
				c = append(c, part{text: text, thought: true})
			case 1:
				c = append(c, part{text: text})
			default:
				c = append(c, part{call: `{"name":"pay", "args":{"to": ` + quote(text) + `,"n":[1, 2]}}`})
			}
		}
		rule := dialecttest.Ruler(seed)
		a, err := gemini.Dialect{}.Answer(events(t), wholly([][]part{c}))
		if err != nil {
			t.Fatal(err)
		}
		changed := g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts
		b, err := gemini.Dialect{}.Answer(events(t), a.Edit(changed))
		if err != nil {
			t.Fatal(err)
		}
		calls := b.(gateway.Calling).Calls()
		b.(gateway.Calling).Rule(rule(calls))
		want := collect(t, append(append([]byte{'['}, b.Edit(nil)...), ']'), true)
		a.(gateway.Calling).Rule(rule(calls)) // at once it is the same
		if got := collect(t, append(append([]byte{'['}, a.Edit(changed)...), ']'), true); got[0] != want[0] {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got[0], want[0])
		}
		out, heard, err := ruledStream(t, events(t), pieced([][]part{c}, rng), opener(g), rule)
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(t, out, false); got[0] != want[0] {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got[0], want[0])
		}
		if fmt.Sprint(heard) != fmt.Sprint(calls) || len(calls) > 0 && calls[0].ID != "call_2" {
			t.Fatalf("seed %d: asked about %v, want %v", seed, heard, calls)
		}
		ruled += len(calls)
	}
	if ruled < 500 {
		t.Errorf("%d calls", ruled)
	}
}

func TestCallsInOddPlacesAreJudged(t *testing.T) {
	none := func(calls []ringwall.ToolCall) []gateway.Ruling { return nil }
	for name, f := range map[string]string{
		"in another spelling": `{"candidates":[{"content":{"parts":[{"function_call":{"name":"pay","args":{"to":"mallory"}}}]}}]}`,
		"beside a text":       `{"candidates":[{"content":{"parts":[{"text":"x","functionCall":{"name":"pay","args":{"to":"mallory"}}}]}}]}`,
		"alone":               `{"candidates":[{"content":{"parts":{"functionCall":{"name":"pay","args":{"to":"mallory"}}}}}]}`,
		"in another candidate": `{"candidates":[{"index":0,"content":{"parts":[{"text":"x"}]}},
			{"index":1,"content":{"parts":[{"text":"y"},{"functionCall":{"name":"pay","args":{"to":"mallory"}}}]}}]}`,
	} {
		out, calls, err := ruledStream(t, events(t), []string{strings.ReplaceAll(f, "\n", "")}, dialecttest.Open, none)
		if err != nil || len(calls) != 1 || bytes.Contains(out, []byte("mallory")) {
			t.Errorf("%s: %v %v %s", name, err, calls, out)
		}
		a, err := gemini.Dialect{}.Answer(events(t), []byte(f))
		if err != nil {
			t.Fatal(err)
		}
		c := a.(gateway.Calling)
		c.Rule(none(c.Calls()))
		if got := c.Edit(nil); bytes.Contains(got, []byte("mallory")) || !json.Valid(got) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, _, err := ruledStream(t, events(t), []string{`{"candidates":[{"content":{"parts":[{"function_call":{"name":"pay","will_continue":true}}]}}]}`}, dialecttest.Open, none); err == nil {
		t.Error("a call in pieces goes out")
	}
}

// FuzzJudging wants frames of whatever stream, and nothing of a call that does not run.
func FuzzJudging(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	f.Add([]byte(strings.Join(pieced([][]part{{{text: "x y z"}, {call: `{"name":"pay","args":{"to": "mallory"}}`}, {call: `{"name":"pay","args":{"to":"bob, who is far away"}}`}}}, rng), "\n")), uint64(1), true)
	f.Add([]byte(`{"candidates":[{"content":{"parts":{"text":"x","function_call":{"name":"pay","args":[1]},"thought_signature":"c2ln"}}}]}`), uint64(2), false)
	f.Fuzz(func(t *testing.T, in []byte, seed uint64, array bool) {
		req := events(t)
		if array {
			var err error
			if req, err = (gemini.Dialect{}).Read(asked("m:streamGenerateContent", ""), []byte(`{"contents":[{}]}`)); err != nil {
				t.Fatal(err)
			}
		}
		rule := dialecttest.Ruler(seed)
		var refused, kept []string
		out, _, err := ruledStream(t, req, strings.Split(string(in), "\n"), dialecttest.Open, func(calls []ringwall.ToolCall) []gateway.Ruling {
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
		switch {
		case !array:
			dialecttest.Events(t, out)
		case err == nil && !json.Valid(out):
			t.Fatalf("sent what is no JSON: %q", out)
		}
		dialecttest.Gone(t, in, out, refused, kept)
	})
}

// FuzzRule wants JSON of whatever answer, with the calls that run and no other.
func FuzzRule(f *testing.F) {
	f.Add(wholly([][]part{{{text: "x"}, {call: `{"name":"pay","args":{"to": "mallory"}}`}}, {{call: `{"name":"pay"},"thoughtSignature":"c2ln"`}}}), uint64(1))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		dialecttest.Rules(t, gemini.Dialect{}, nil, in, seed)
	})
}

// FuzzOffer wants of whatever request JSON in which no tool is that is hidden.
func FuzzOffer(f *testing.F) {
	f.Add([]byte(`{"tools":[{"functionDeclarations":[{"name":"pay"},{"name":"read"}],"google_search":{}},{"functionDeclarations":{"name":"x"}}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["pay"]}},"contents":[{}]}`), uint64(3))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		dialecttest.Offers(t, seed, in, func(body []byte) (gateway.Request, error) { return read(string(body)) })
	})
}
