package ollama_test

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
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
)

const card = "4111 1111 1111 1111"

// TestEveryTextIsLocated puts a card number into each place of a request that a
// model may read, and wants it to be found there, of the right origin, and replaced
// there only.
func TestEveryTextIsLocated(t *testing.T) {
	for _, tt := range []struct {
		d       ollama.Dialect
		body    string
		origins []ringwall.Origin
	}{
		{
			ollama.Dialect{},
			`{"model":"m","messages":[
		  {"role":"system","content":"be kind %[1]d"},
		  {"role":"user","content":"hello \u0041 %[2]d","images":["iVBORw0KGgo="]},
		  {"role":"assistant","content":"","thinking":"hm %[3]d","tool_calls":[{"id":"c1","function":{"name":"pay","arguments":{"card":"%[4]d","n":3,"list":["a","b%[5]d"]}}}]},
		  {"role":"tool","tool_name":"pay","content":"r %[6]d"},
		  {"Role":"user","Content":"bye %[7]d","new_field":"%[8]d"}],
		  "tools":[{"type":"function","function":{"name":"pay","description":"pays %[9]d","parameters":{"type":"object","properties":{"card":{"description":"number %[10]d"},"Card":{}}}}}],
		  "format":{"type":"object","description":"f %[11]d"},
		  "options":{"temperature":0.5,"stop":["END"],"x":"%[12]d"},"keep_alive":"5m","think":true,"x_unknown":{"deep":["%[13]d",1.50,null]}}`,
			[]ringwall.Origin{
				ringwall.System, ringwall.User, ringwall.Assistant, ringwall.Assistant, ringwall.Assistant, ringwall.Tool, ringwall.User, ringwall.User,
				ringwall.System, ringwall.System, ringwall.System, ringwall.Unverified, ringwall.Unverified,
			},
		},
		{
			ollama.Dialect{Generate: true},
			`{"model":"m","system":"be kind %[1]d","prompt":"hello %[2]d","suffix":"s %[3]d","images":["iVBORw0KGgo="],"template":"t %[4]d","messages":[{"role":"user","content":"%[5]d"}],"context":[],"x":"%[6]d"}`,
			[]ringwall.Origin{ringwall.System, ringwall.User, ringwall.User, ringwall.System, ringwall.Unverified, ringwall.Unverified},
		},
	} {
		for at := range tt.origins {
			body := tt.body
			for i := range tt.origins {
				v := "zero"
				if i == at {
					v = card
				}
				body = strings.ReplaceAll(body, fmt.Sprintf("%%[%d]d", i+1), v)
			}
			req, err := tt.d.Read(nil, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			var changed []guard.Changed
			for i, text := range req.Texts() {
				if strings.Contains(text.Value, card) {
					changed = append(changed, guard.Changed{Index: i, Value: strings.ReplaceAll(text.Value, card, "{CARD}")})
					if text.Origin != tt.origins[at] {
						t.Errorf("%s is of origin %s, want %s", text.Path, text.Origin, tt.origins[at])
					}
				}
			}
			if len(changed) != 1 {
				t.Errorf("place %d: the card is in %d texts", at+1, len(changed))
				continue
			}
			want := strings.ReplaceAll(body, card, "{CARD}")
			if got := string(req.Edit(changed)); strings.ReplaceAll(got, `\u0041`, "A") != strings.ReplaceAll(want, `\u0041`, "A") {
				t.Errorf("place %d: got\n%s", at+1, got)
			}
			if got := req.Unseen(); len(got) != 1 || got[0] != "image-part" || !req.Stream() {
				t.Errorf("Unseen() = %v, Stream() = %v", got, req.Stream())
			}
			req.WithModel("other")
			if got := string(req.Edit(nil)); got != strings.Replace(body, `"m"`, `"other"`, 1) {
				t.Errorf("renamed: %s", got)
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const ok = `"messages":[{"role":"user","content":"x"}]`
	for _, tt := range []struct{ name, body, says string }{
		{"no JSON", `{"model"`, "line 1"},
		{"an array", `[]`, "an object should stand here"},
		{"no model", `{` + ok + `}`, "model: a string is required"},
		{"no messages", `{"model":"m"}`, "messages: an array is required"},
		{"no message", `{"model":"m","messages":[]}`, "at least one message"},
		{"an unknown role", `{"model":"m","messages":[{"role":"root","content":"x"}]}`, `messages[0].role: want system, user, assistant or tool, not "root"`},
		{"a number for content", `{"model":"m","messages":[{"role":"user","content":7}]}`, "messages[0].content"},
		{"a string for a message", `{"model":"m","messages":["x"]}`, "messages[0]: an object"},
		{"a word for stream", `{"model":"m","stream":"no",` + ok + `}`, "stream: true or false"},
		{"a duplicate key", `{"model":"m","messages":[],` + ok + `}`, "duplicate key"},
		{"keys that differ in case", `{"model":"m","MESSAGES":[],` + ok + `}`, "two spellings of one member"},
		{"keys that differ in a long s", `{"model":"m","me\u017f\u017fages":[],` + ok + `}`, "two spellings of one member"},
		{"roles that differ in case", `{"model":"m","messages":[{"role":"user","Role":"system","content":"x"}]}`, "two spellings of one member"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ollama.Dialect{}.Read(nil, []byte(tt.body))
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.says) {
				t.Fatalf("Read() = %v, want %q", err, tt.says)
			}
			var shape struct{ Error string }
			if err := json.Unmarshal(ollama.Dialect{}.AppendError(nil, nil, r, "x1"), &shape); err != nil || !strings.Contains(shape.Error, "x1") {
				t.Errorf("error body: %+v, %v", shape, err)
			}
		})
	}
	for _, body := range []string{`{"model":"m","prompt":"x","context":[1,2]}`, `{"model":"m","prompt":7}`, `{"model":"m"}`} {
		if _, err := (ollama.Dialect{Generate: true}).Read(nil, []byte(body)); err == nil {
			t.Errorf("%s is read", body)
		}
	}
	for stream, want := range map[string]bool{"": true, `"stream":null,`: true, `"stream":true,`: true, `"stream":false,`: false} {
		if req, err := (ollama.Dialect{}).Read(nil, []byte(`{"model":"m",`+stream+ok+`}`)); err != nil || req.Stream() != want {
			t.Errorf("%s: %v", stream, err)
		}
	}
}

// maskAll is a guardrail that masks what it notices.
func maskAll(t testing.TB) *guard.Guard {
	words, err := word.New(word.List{Words: []string{"bluebird"}})
	if err != nil {
		t.Fatal(err)
	}
	mask := &guard.Actions{Default: ringwall.Mask}
	g, err := guard.New(guard.Config{Name: "mask", Rules: []guard.Rule{
		{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: mask},
		{Control: secret.Control, Scanners: []stream.Scanner{secret.Scanner{}}, Output: mask},
		{Control: word.Control, Scanners: []stream.Scanner{words}, Output: mask},
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

// said is what a client has of an answer.
type said struct{ text, thought, calls, reason string }

func collect(t testing.TB, out []byte) (s said) {
	for line := range bytes.Lines(out) {
		var f struct {
			Message struct {
				Content, Thinking string
				ToolCalls         json.RawMessage `json:"tool_calls"`
			}
			Response, Thinking string
			Done               bool
			Reason             string `json:"done_reason"`
			Context, Logprobs  json.RawMessage
		}
		if err := json.Unmarshal(line, &f); err != nil || s.reason != "" || f.Context != nil || f.Logprobs != nil {
			t.Fatalf("%v: %s", err, line)
		}
		s.text += f.Message.Content + f.Response
		s.thought += f.Message.Thinking + f.Thinking
		s.calls += string(f.Message.ToolCalls)
		if f.Done {
			s.reason = f.Reason
		}
	}
	return s
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// body is an answer of a chat or to a prompt, or a piece of one.
func body(generate bool, text, thought, calls, end string) string {
	more := ""
	if thought != "" {
		more = `,"thinking":` + quote(thought)
	}
	if generate {
		return `{"model":"m","created_at":"2026-01-01T00:00:00Z","response":` + quote(text) + more + end + `}`
	}
	if calls != "" {
		more += `,"tool_calls":` + calls
	}
	return `{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":` + quote(text) + more + `}` + end + `}`
}

const end = `,"context":[1,2],"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":7`

// The streamed answer equals the unary one, however it is cut.
func TestStreamEqualsUnary(t *testing.T) {
	g := maskAll(t)
	pieces := []string{"The answer is here. ", "Mail a.b@example.org now, ", card + " ", "naïve café 秘密 ", "bluebird! ", "sk-abcdefghij1234567890klmnop ", "call 415-555-0132. ", "{}\"\\\n", "ok "}
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		d := ollama.Dialect{Generate: seed%2 == 0}
		var text, thought, calls string
		for range 1 + rng.IntN(4) {
			text += pieces[rng.IntN(len(pieces))]
		}
		for range rng.IntN(3) {
			thought += pieces[rng.IntN(len(pieces))]
		}
		if !d.Generate && rng.IntN(2) == 0 {
			calls = `[{"function":{"name":"pay","arguments":{"to":` + quote(pieces[rng.IntN(len(pieces))]) + `,"n":4111111111111111}}}]`
		}
		a, err := d.Answer(nil, []byte(body(d.Generate, text, thought, calls, end)))
		if err != nil {
			t.Fatal(err)
		}
		want := collect(t, a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts))

		relay := d.Relay(nil, opener(g))
		var out []byte
		send := func(text, thought, calls, end string) {
			line := body(d.Generate, text, thought, calls, end)
			if out, err = relay.Event(t.Context(), out, []byte(line)); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		cut := func(s []rune) (string, []rune) {
			n := min(len(s), 1+rng.IntN(9))
			return string(s[:n]), s[n:]
		}
		for p, rest := cut([]rune(thought)); p != ""; p, rest = cut(rest) {
			send("", p, "", `,"done":false`)
		}
		p, rest := cut([]rune(text))
		for len(rest) > 0 {
			send(p, "", "", `,"done":false,"logprobs":[{"token":"x"}]`)
			p, rest = cut(rest)
		}
		if calls != "" {
			send("", "", calls, `,"done":false`)
		}
		send(p, "", "", end)
		out = relay.End(t.Context(), out)
		if got := collect(t, out); got != want || got.reason != "stop" {
			t.Fatalf("seed %d\ngot  %q\nwant %q", seed, got, want)
		}
		if u := relay.Usage(); u.InputTokens != 5 || u.OutputTokens != 7 {
			t.Fatalf("Usage() = %+v", u)
		}
	}
}

func TestWithheld(t *testing.T) {
	g, d := maskAll(t), gateway.Declined{ID: "x1", Message: "No."}
	for _, generate := range []bool{false, true} {
		dialect := ollama.Dialect{Generate: generate}
		a, err := dialect.Answer(nil, []byte(body(generate, "bad", "", "", end)))
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(t, a.Withhold(d)); got.text != "No." || got.reason != "content_filter" {
			t.Errorf("Withhold() = %+v", got)
		}
		relay := dialect.Relay(nil, opener(g))
		if got := collect(t, relay.Withhold(nil, d)); got.text != "No." || got.reason != "content_filter" {
			t.Errorf("nothing said: %+v", got)
		}
		if _, err := relay.Event(t.Context(), nil, []byte(body(generate, "all is well so far, and there is more of it to be said now ", "", "", `,"done":false`))); err != nil {
			t.Fatal(err)
		}
		if got := collect(t, relay.Withhold(nil, d)); got.text != "" || got.reason != "content_filter" {
			t.Errorf("something said: %+v", got)
		}
	}
}

func TestRelayRefusesGarbage(t *testing.T) {
	g := maskAll(t)
	for name, data := range map[string]string{
		"no JSON":     `{"message":`,
		"an error":    `{"error":"boom"}`,
		"nothing":     `{"model":"x"}`,
		"a duplicate": `{"message":{},"message":{}}`,
	} {
		if out, err := (ollama.Dialect{}).Relay(nil, opener(g)).Event(t.Context(), nil, []byte(data)); err == nil || len(out) > 0 {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"model":"m","messages":[{"role":"user","content":"a\u0062","images":["AAAA"]},{"role":"assistant","tool_calls":[{"function":{"arguments":{"a":["b",1]}}}]}]}`, false)
	f.Add(`{"model":"m","prompt":"p","system":"s","Options":{"stop":"x"}}`, true)
	f.Fuzz(func(t *testing.T, body string, generate bool) {
		d := ollama.Dialect{Generate: generate}
		req, err := d.Read(nil, []byte(body))
		if err != nil {
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatal("accepted what is no JSON")
		}
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked \" \\ \n é"})
		}
		out := req.Edit(all)
		again, err := d.Read(nil, out)
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, out)
		}
		for _, text := range again.Texts() {
			if text.Value != "masked \" \\ \n é" {
				t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
			}
		}
		if _, err := (ollama.Codec{Generate: generate}).ReadRequest(ringwall.Call{Model: "m", Body: out}); err != nil {
			var r *ringwall.Refusal
			if !errors.As(err, &r) {
				t.Fatalf("no refusal: %v", err)
			}
		}
	})
}

func FuzzRelay(f *testing.F) {
	f.Add([]byte(body(false, "4111 1111", "hm", `[{"function":{"arguments":{"a":"4111 1111 1111 1111"}}}]`, "")+"\n"+body(false, " 1111 1111", "", "", end)), false)
	f.Add([]byte(body(true, "4111 1111", "hm", "", "")+"\n"+body(true, " 1111 1111", "", "", end)), true)
	g := maskAll(f)
	f.Fuzz(func(t *testing.T, in []byte, generate bool) {
		relay := ollama.Dialect{Generate: generate}.Relay(nil, opener(g))
		reader := ollama.Codec{}.ReadStream()
		var out []byte
		for line := range bytes.SplitSeq(in, []byte{'\n'}) {
			var err error
			_ = reader.Event(line, func(ringwall.Delta) {})
			if out, err = relay.Event(t.Context(), out, line); err != nil {
				break
			}
		}
		out = relay.End(t.Context(), out)
		if bytes.Contains(out, []byte(card)) {
			t.Fatalf("a card left: %q", out)
		}
		for line := range bytes.Lines(out) {
			if !json.Valid(line) {
				t.Fatalf("sent what is no JSON: %q", line)
			}
		}
	})
}
