package responses_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/internal/sse"
)

const card = "4111 1111 1111 1111"

// Each place of a request that a model may read, with the origin of what stands
// there.
var places = []struct {
	text   string
	origin ringwall.Origin
}{
	{"instructions", ringwall.System},
	{"easy", ringwall.User},
	{"part", ringwall.User},
	{"developer", ringwall.System},
	{"assistant", ringwall.Assistant},
	{"refusal", ringwall.Assistant},
	{"argument", ringwall.Assistant},
	{"result", ringwall.Tool},
	{"result part", ringwall.Tool},
	{"custom input", ringwall.Assistant},
	{"custom result", ringwall.Tool},
	{"summary", ringwall.Assistant},
	{"found", ringwall.Retrieved},
	{"mcp argument", ringwall.Assistant},
	{"mcp result", ringwall.Tool},
	{"mcp tool", ringwall.Tool},
	{"printed", ringwall.Tool},
	{"unknown item", ringwall.Unverified},
	{"description", ringwall.System},
	{"parameter", ringwall.System},
	{"format", ringwall.System},
	{"variable", ringwall.User},
	{"metadata", ringwall.Unverified},
	{"unknown", ringwall.Unverified},
	{"user", ringwall.Unverified},
}

const request = `{"model":"m","stream":true,"store":true,"include":["reasoning.encrypted_content"],"previous_response_id":null,
 "instructions":"<instructions>",
 "input":[
  {"role":"user","content":"<easy>"},
  {"type":"message","role":"user","content":[{"type":"input_text","text":"<part>"},{"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"},{"type":"input_file","file_id":"file-1"}]},
  {"role":"developer","content":"<developer>"},
  {"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"<assistant>","annotations":[]},{"type":"refusal","refusal":"<refusal>"}]},
  {"type":"function_call","id":"fc_1","call_id":"c1","name":"pay","arguments":"{\"to\":\"<argument>\",\"n\":3}"},
  {"type":"function_call_output","call_id":"c1","output":"<result>"},
  {"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"<result part>"}]},
  {"type":"custom_tool_call","call_id":"c2","name":"sh","input":"<custom input>"},
  {"type":"custom_tool_call_output","call_id":"c2","output":"<custom result>"},
  {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"<summary>"}],"encrypted_content":"gAAAA"},
  {"type":"file_search_call","id":"fs_1","status":"completed","queries":[],"results":[{"file_id":"file-1","text":"<found>","score":0.5}]},
  {"type":"mcp_call","id":"mcp_1","name":"look","server_label":"s","arguments":"{\"q\":\"<mcp argument>\"}","output":"<mcp result>"},
  {"type":"mcp_list_tools","id":"mcpl_1","server_label":"s","tools":[{"name":"look","description":"<mcp tool>","input_schema":{}}]},
  {"type":"code_interpreter_call","id":"ci_1","code":"1","outputs":[{"type":"logs","logs":"<printed>"}]},
  {"type":"item_reference","id":"msg_0"},
  {"type":"new_thing","what":"<unknown item>"}
 ],
 "tools":[{"type":"function","name":"pay","description":"<description>","parameters":{"type":"object","properties":{"to":{"type":"string","description":"<parameter>"}}},"strict":true}],
 "text":{"format":{"type":"json_schema","name":"n","description":"<format>","schema":{"type":"object"}}},
 "prompt":{"id":"pmpt_1","variables":{"x":"<variable>"}},
 "metadata":{"k":"<metadata>"},"x_new":{"deep":["<unknown>",1.50]},"user":"<user>"}`

func TestEveryTextIsLocated(t *testing.T) {
	for _, p := range places {
		t.Run(p.text, func(t *testing.T) {
			body := []byte(strings.Replace(request, "<"+p.text+">", card, 1))
			req, err := responses.Dialect{}.Read(nil, body)
			if err != nil {
				t.Fatal(err)
			}
			var changed []guard.Changed
			for i, text := range req.Texts() {
				if strings.Contains(text.Value, card) {
					changed = append(changed, guard.Changed{Index: i, Value: strings.ReplaceAll(text.Value, card, "{CARD}")})
					if text.Origin != p.origin {
						t.Errorf("%s is of origin %s, want %s", text.Path, text.Origin, p.origin)
					}
				}
			}
			if len(changed) != 1 {
				t.Fatalf("it stands in %d texts", len(changed))
			}
			if got, want := req.Edit(changed), bytes.Replace(body, []byte(card), []byte("{CARD}"), 1); !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if got := fmt.Sprint(req.Unseen()); got != "[encrypted-reasoning file-part image-part prompt-template]" {
				t.Errorf("Unseen() = %s", got)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, body, says string }{
		{"no JSON", `{"model"`, "line 1, column 9"},
		{"an array", `[]`, "an object should stand here"},
		{"no model", `{"input":"x"}`, "model: a string is required"},
		{"no input", `{"model":"m"}`, "input: a string or an array of items is required"},
		{"a number for input", `{"model":"m","input":7}`, "input: a string or an array"},
		{"a string among items", `{"model":"m","input":["x"]}`, "input[0]: an object should stand here, not string"},
		{"an unknown role", `{"model":"m","input":[{"role":"root","content":"x"}]}`, `input[0].role: want system, developer, user or assistant, not "root"`},
		{"a role of a tool call", `{"model":"m","input":[{"type":"function_call","role":"user"}]}`, `input[0].role: an item of type "function_call" has none`},
		{"neither role nor type", `{"model":"m","input":[{"content":"x"}]}`, `input[0].role`},
		{"a number for content", `{"model":"m","input":[{"role":"user","content":7}]}`, "input[0].content"},
		{"a number for a type", `{"model":"m","input":[{"type":7}]}`, "input[0].type"},
		{"a word for stream", `{"model":"m","input":"x","stream":"yes"}`, "stream: true or false"},
		{"an answer that is fetched later", `{"model":"m","input":"x","background":true}`, "background: answers that are fetched later are not guarded here"},
		{"a number for an id", `{"model":"m","input":"x","previous_response_id":7}`, "previous_response_id"},
		{"a duplicate key", `{"model":"m","input":"x","input":"y"}`, "duplicate key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := responses.Dialect{}.Read(nil, []byte(tt.body))
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.says) {
				t.Fatalf("Read() = %v, want %q", err, tt.says)
			}
		})
	}
}

func TestContinues(t *testing.T) {
	read := func(body string) gateway.Continuing {
		req, err := responses.Dialect{}.Read(nil, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return req.(gateway.Continuing)
	}
	first := read(`{"model":"m","input":"hello"}`)
	answer := []byte(`{"id":"resp_1","output":[{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"hi"}]}]}`)
	id, said := first.Said(first.Edit(nil), answer)
	if id != "resp_1" || !first.Keeps() || read(`{"model":"m","input":"x","store":false}`).Keeps() {
		t.Errorf("id %q, keeps %v", id, first.Keeps())
	}
	for _, tt := range []struct{ name, input, own string }{
		{"a string", `,"input":"and now?"`, `,{"type":"message","role":"user","content":"and now?"}`},
		{"items", `,"input":[{"role":"user","content":"and now?"}]`, `,{"role":"user","content":"and now?"}`},
		{"no items", `,"input":[]`, ``},
		{"nothing", ``, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			second := read(`{"previous_response_id":"resp_1","model":"m"` + tt.input + `,"x":1.50}`)
			if second.Previous() != "resp_1" || fmt.Sprint(second.Unseen()) != "[kept-conversation]" {
				t.Errorf("Previous() = %q, Unseen() = %v", second.Previous(), second.Unseen())
			}
			if err := second.Continue(said); err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(second.Edit(nil), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(`{"model":"m","x":1.50,"input":[{"type":"message","role":"user","content":"hello"},{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"hi"}]}`+tt.own+`]}`), &want); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) || second.Previous() != "" || len(second.Unseen()) != 0 {
				t.Errorf("%s", second.Edit(nil))
			}
			if texts := second.Texts(); texts[0].Value != "hello" || texts[1].Origin != ringwall.Assistant {
				t.Errorf("texts %v", texts)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(request, `{"role":"user","content":"x"}`)
	f.Add(`{"model":"m","input":"a\u0062","previous_response_id":"r"}`, ``)
	f.Fuzz(func(t *testing.T, body, said string) {
		req, err := responses.Dialect{}.Read(nil, []byte(body))
		if err != nil {
			return
		}
		const mark = "masked \" \\ \n é"
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: mark})
		}
		out := req.Edit(all)
		again, err := responses.Dialect{}.Read(nil, out)
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, out)
		}
		for _, text := range again.Texts() {
			if text.Value != mark {
				t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
			}
		}
		if c := req.(gateway.Continuing); c.Previous() != "" && c.Continue([]byte(said)) == nil && !json.Valid(req.Edit(nil)) {
			t.Fatalf("continued into what is no JSON: %s", req.Edit(nil))
		}
	})
}

// noticing is a guardrail that does the same about all that it notices.
func noticing(t testing.TB, act ringwall.Action) *guard.Guard {
	words, err := word.New(word.List{Words: []string{"bluebird"}})
	if err != nil {
		t.Fatal(err)
	}
	do := &guard.Actions{Default: act}
	g, err := guard.New(guard.Config{Name: "test", Rules: []guard.Rule{
		{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: do},
		{Control: secret.Control, Scanners: []stream.Scanner{secret.Scanner{}}, Output: do},
		{Control: word.Control, Scanners: []stream.Scanner{words}, Output: do},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func opener(g *guard.Guard) gateway.Open {
	looks := g.Looks(ringwall.Output)
	return func(path string) gateway.Channel {
		return g.Channel(guard.Session{Way: ringwall.Output}, ringwall.Text{Path: path, Origin: ringwall.Assistant}, looks)
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// script is an answer of a model.
type script struct{ thought, text, refusal, args, code string }

// items writes the output of an answer.
func (s script) items() []string {
	return []string{
		`{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":` + quote(s.thought) + `}]}`,
		`{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[` + s.part() + `,{"type":"refusal","refusal":` + quote(s.refusal) + `}]}`,
		`{"type":"function_call","id":"fc_1","call_id":"c1","name":"pay","arguments":` + quote(s.args) + `,"status":"completed"}`,
		`{"type":"code_interpreter_call","id":"ci_1","code":` + quote(s.code) + `,"outputs":[{"type":"logs","logs":` + quote(s.text) + `}]}`,
	}
}

func (s script) part() string {
	return `{"type":"output_text","text":` + quote(s.text) + `,"annotations":[],"logprobs":[{"token":` + quote(s.text) + `,"logprob":-1}]}`
}

func (s script) whole() string {
	return `{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"model":"m","instructions":"be kind to bluebird","output":[` + strings.Join(s.items(), ",") + `],"usage":{"input_tokens":5,"output_tokens":7}}`
}

// events are the same answer as a stream, cut by rng.
func (s script) events(rng *rand.Rand) (events []string) {
	number := 0
	send := func(kind, rest string) {
		events = append(events, fmt.Sprintf(`{"type":"response.%s","sequence_number":%d%s}`, kind, number, rest))
		number++
	}
	pieces := func(kind, at, text, name string) {
		for r := []rune(text); len(r) > 0; {
			n := min(len(r), 1+rng.IntN(9))
			more := `,"obfuscation":"x"`
			if kind == "output_text" {
				more = `,"logprobs":[{"token":` + quote(string(r[:n])) + `,"logprob":-1}]`
			}
			send(kind+".delta", at+`,"delta":`+quote(string(r[:n]))+more)
			r = r[n:]
		}
		send(kind+".done", at+`,"`+name+`":`+quote(text))
	}
	items := s.items()
	send("created", `,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","instructions":"be kind to bluebird","output":[]}`)
	send("output_item.added", `,"output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}`)
	send("reasoning_summary_part.added", `,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}`)
	pieces("reasoning_summary_text", `,"item_id":"rs_1","output_index":0,"summary_index":0`, s.thought, "text")
	send("reasoning_summary_part.done", `,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":`+quote(s.thought)+`}`)
	send("output_item.done", `,"output_index":0,"item":`+items[0])
	send("output_item.added", `,"output_index":1,"item":{"type":"message","id":"msg_1","status":"in_progress","role":"assistant","content":[]}`)
	send("content_part.added", `,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}`)
	pieces("output_text", `,"item_id":"msg_1","output_index":1,"content_index":0`, s.text, "text")
	send("content_part.done", `,"item_id":"msg_1","output_index":1,"content_index":0,"part":`+s.part())
	pieces("refusal", `,"item_id":"msg_1","output_index":1,"content_index":1`, s.refusal, "refusal")
	send("output_item.done", `,"output_index":1,"item":`+items[1])
	send("output_item.added", `,"output_index":2,"item":{"type":"function_call","id":"fc_1","call_id":"c1","name":"pay","arguments":"","status":"in_progress"}`)
	pieces("function_call_arguments", `,"item_id":"fc_1","output_index":2`, s.args, "arguments")
	send("output_item.done", `,"output_index":2,"item":`+items[2])
	send("output_item.added", `,"output_index":3,"item":{"type":"code_interpreter_call","id":"ci_1","code":"","outputs":[]}`)
	pieces("code_interpreter_call_code", `,"item_id":"ci_1","output_index":3`, s.code, "code")
	send("output_item.done", `,"output_index":3,"item":`+items[3])
	send("completed", `,"response":`+s.whole())
	return events
}

// heard is what a client has of an answer: what the pieces say, what ends of texts
// say, and the last response.
type heard struct {
	pieces, ends map[string]string
	kinds        []string
	final        string
}

func listen(t testing.TB, frames []byte) heard {
	h := heard{pieces: map[string]string{}, ends: map[string]string{}}
	n := 0
	for ev, err := range sse.Events(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Type                                  string
			Number                                int    `json:"sequence_number"`
			Item                                  string `json:"item_id"`
			Index                                 int    `json:"content_index"`
			Delta, Text, Refusal, Arguments, Code string
			Logprobs                              []any
			Response                              json.RawMessage
		}
		if err := json.Unmarshal(ev.Data, &e); err != nil {
			t.Fatalf("%s: %v", ev.Data, err)
		}
		if e.Number != n || ev.Name != e.Type {
			t.Fatalf("event %d, named %q, is %s", n, ev.Name, ev.Data)
		}
		n++
		h.kinds = append(h.kinds, e.Type)
		kind, last, _ := cutLast(e.Type)
		key := fmt.Sprint(kind, e.Item, e.Index)
		switch last {
		case "delta":
			h.pieces[key] += e.Delta
			if len(e.Logprobs) > 0 {
				t.Fatalf("tokens of a piece: %s", ev.Data)
			}
		case "done":
			h.ends[key] = e.Text + e.Refusal + e.Arguments + e.Code
			if all := h.ends[key]; all != "" && all != h.pieces[key] {
				t.Fatalf("%s: the pieces say %q, the end %q", kind, h.pieces[key], all)
			}
		case "completed", "incomplete":
			h.final = string(e.Response)
		}
	}
	return h
}

func cutLast(kind string) (before, last string, ok bool) {
	i := strings.LastIndexByte(kind, '.')
	if i < 0 {
		return kind, "", false
	}
	return kind[:i], kind[i+1:], true
}

func run(t testing.TB, g *guard.Guard, req gateway.Request, events []string) ([]byte, gateway.Relay) {
	relay := responses.Dialect{}.Relay(req, opener(g))
	var out []byte
	for _, e := range events {
		var err error
		if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if relay.Blocked() {
			return relay.Withhold(out, gateway.Declined{Message: "It was withheld."}), relay
		}
	}
	return relay.End(t.Context(), out), relay
}

// asked is a request whose instructions the answers repeat.
func asked(t testing.TB) gateway.Request {
	req, err := responses.Dialect{}.Read(nil, []byte(`{"model":"m","instructions":"be kind to bluebird","input":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Edit(nil)
	return req
}

var pieces = []string{"The answer is here. ", "Mail a.b@example.org now, ", card + " ", "naïve café 秘密 ", "bluebird! ", "sk-abcdefghij1234567890klmnop ", "call 415-555-0132. ", "{}\"\\\n", "ok "}

// The streamed answer equals the unary one in every text, wherever it stands.
func TestStreamEqualsUnary(t *testing.T) {
	g, req := noticing(t, ringwall.Mask), asked(t)
	for seed := range uint64(800) {
		rng := rand.New(rand.NewPCG(seed, 3))
		say := func(most int) (s string) {
			for range rng.IntN(most + 1) {
				s += pieces[rng.IntN(len(pieces))]
			}
			return s
		}
		s := script{thought: say(3), text: say(4), refusal: say(1), code: say(2), args: `{"to":` + quote(say(1)) + `,"n":4111111111111111,"l":["x","a.b@example.org"]}`}
		a, err := responses.Dialect{}.Answer(req, []byte(s.whole()))
		if err != nil {
			t.Fatal(err)
		}
		res := g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts())
		want := string(a.Edit(res.Texts))
		frames, relay := run(t, g, req, s.events(rng))
		got := listen(t, frames)
		if got.final != want {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got.final, want)
		}
		if final := relay.(gateway.Finished).Final(); string(final) != want {
			t.Fatalf("seed %d: Final() = %s", seed, final)
		}
		for _, bad := range []string{card, "example.org", "bluebird!", "sk-abc", "415-555"} {
			if bytes.Contains(frames, []byte(bad)) && !strings.Contains(want, bad) {
				t.Fatalf("seed %d: %q left", seed, bad)
			}
		}
		if u := relay.Usage(); u.InputTokens != 5 || u.OutputTokens != 7 {
			t.Fatalf("Usage() = %+v", u)
		}
	}
}

func TestPolicyEndsAnAnswer(t *testing.T) {
	g, req := noticing(t, ringwall.Block), asked(t)
	for _, tt := range []struct {
		name string
		s    script
		says string // the text of the last response
	}{
		{"in its first text", script{thought: "hm bluebird", text: "x"}, "It was withheld."},
		{"behind a text", script{thought: "fine", text: "This is said and " + card + " is not"}, "This is said and "},
		{"in an argument", script{text: "I pay.", args: `{"to":"a.b@example.org"}`}, "I pay."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			frames, relay := run(t, g, req, tt.s.events(rand.New(rand.NewPCG(1, 1))))
			got := listen(t, frames)
			for _, bad := range []string{card, "bluebird", "example.org"} {
				if strings.Contains(strings.ReplaceAll(string(frames), "be kind to bluebird", ""), bad) {
					t.Errorf("%q left: %s", bad, frames)
				}
			}
			var r struct {
				ID, Status string
				Why        struct{ Reason string } `json:"incomplete_details"`
				Output     []struct {
					Type    string
					Content []struct{ Text string }
				}
			}
			if err := json.Unmarshal([]byte(got.final), &r); err != nil {
				t.Fatal(err)
			}
			said := ""
			for _, it := range r.Output {
				for _, c := range it.Content {
					said += c.Text
				}
				if it.Type == "function_call" {
					t.Errorf("a tool call is left in %s", got.final)
				}
			}
			if r.ID != "resp_1" || r.Status != "incomplete" || r.Why.Reason != "content_filter" || said != tt.says {
				t.Errorf("%q is said in %s", said, got.final)
			}
			if !relay.Blocked() || got.kinds[len(got.kinds)-1] != "response.incomplete" {
				t.Errorf("it ends with %v", got.kinds)
			}
			a, err := responses.Dialect{}.Answer(req, []byte(tt.s.whole()))
			if err != nil {
				t.Fatal(err)
			}
			if out := a.Withhold(gateway.Declined{Message: "It was withheld."}); !json.Valid(out) || !bytes.Contains(out, []byte("It was withheld.")) || !bytes.Contains(out, []byte(`"reason":"content_filter"`)) || !bytes.Contains(out, []byte(`"input_tokens":5`)) {
				t.Errorf("withheld %s", out)
			}
		})
	}
}

func TestRelayRefusesGarbage(t *testing.T) {
	g := noticing(t, ringwall.Mask)
	for name, data := range map[string]string{
		"no JSON":             `{"type":`,
		"no type":             `{"x":1}`,
		"a type of two lines": `{"type":"a\nb"}`,
		"an error":            `{"type":"error","message":"boom"}`,
		"a failure":           `{"type":"response.failed","response":{}}`,
		"a failed end":        `{"type":"response.completed","response":{"error":{"code":"x"}}}`,
	} {
		if out, err := (responses.Dialect{}).Relay(nil, opener(g)).Event(t.Context(), nil, []byte(data)); err == nil || len(out) > 0 {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	relay := responses.Dialect{}.Relay(nil, opener(g))
	for i, e := range []string{
		`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"4111 1111"}`,
		`{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"4111 1111"}`,
		`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":" 1111 1111"}`,
	} {
		if _, err := relay.Event(t.Context(), nil, []byte(e)); (err != nil) != (i == 2) {
			t.Errorf("%s: %v", e, err)
		}
	}
}

// OpenAI's clients look for an error in "error"; the API is documented without.
func TestABrokenStreamSaysItTwice(t *testing.T) {
	out := responses.Dialect{}.Relay(nil, opener(noticing(t, ringwall.Mask))).Fail(nil, &ringwall.Refusal{Status: 502, Code: "upstream_error", Public: "It broke."}, "x1")
	for ev, err := range sse.Events(bytes.NewReader(out)) {
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"type":"error","code":"upstream_error","message":"It broke. (reference x1)","param":null,"error":{"message":"It broke. (reference x1)","type":"server_error","param":null,"code":"upstream_error"},"sequence_number":0}`
		if string(ev.Data) != want {
			t.Errorf("%s\nwant %s", ev.Data, want)
		}
	}
}

func FuzzRelay(f *testing.F) {
	s := script{thought: "hm", text: "my card is " + card, args: `{"a":"a.b@example.org"}`}
	f.Add([]byte(strings.Join(s.events(rand.New(rand.NewPCG(1, 2))), "\n")))
	f.Add([]byte(`{"type":"response.new.delta","delta":"4111 1111 ","output_index":9}` + "\n" + `{"type":"response.new.delta","delta":"1111 1111","output_index":9}` + "\n" + `{"type":"response.new.done","x":"4111 1111 1111 1111","output_index":9}`))
	mask, block := noticing(f, ringwall.Mask), noticing(f, ringwall.Block)
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, g := range []*guard.Guard{mask, block} {
			relay := responses.Dialect{}.Relay(nil, opener(g))
			var out []byte
			for data := range bytes.SplitSeq(in, []byte{'\n'}) {
				var err error
				if out, err = relay.Event(t.Context(), out, data); err != nil || relay.Blocked() {
					break
				}
			}
			if out = relay.End(t.Context(), out); relay.Blocked() {
				out = relay.Withhold(out, gateway.Declined{Message: "no"})
			}
			for ev, err := range sse.Events(bytes.NewReader(out)) {
				if err != nil {
					t.Fatal(err)
				}
				if !json.Valid(ev.Data) {
					t.Fatalf("sent what is no JSON: %q", ev.Data)
				}
				if bytes.Contains(ev.Data, []byte(card)) {
					t.Fatalf("a card left: %q", ev.Data)
				}
			}
		}
	})
}
