package openai_test

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
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/internal/sse"
)

const card = "4111 1111 1111 1111"

// TestEveryTextIsLocated puts a card number into each place of a request that a
// model may read, and wants it to be found there and replaced there only.
func TestEveryTextIsLocated(t *testing.T) {
	const doc = `{
	  "model": "gpt", "stream": false, "temperature": 0.2, "user": "u-%[1]d", "x_unknown": {"deep": ["%[2]d", 1.50, null]},
	  "messages": [
	    {"role": "system", "content": "be kind %[3]d"},
	    {"role": "developer", "content": [{"type": "text", "text": "be brief %[4]d"}]},
	    {"role": "user", "name": "n%[5]d", "content": [{"type": "text", "text": "hello %[6]d"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}]},
	    {"role": "assistant", "content": null, "refusal": "no %[7]d", "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "pay", "arguments": "{\"card\": \"%[8]d\", \"n\": 3, \"list\": [\"a\", \"b%[9]d\"]}"}}]},
	    {"role": "tool", "tool_call_id": "call_1", "content": "{\"ok\": \"%[10]d\"}"},
	    {"role": "function", "name": "old", "content": "r %[11]d"},
	    {"role": "user", "content": "bye \u0025[12]d %[12]d", "new_field": "%[13]d"}
	  ],
	  "tools": [{"type": "function", "function": {"name": "pay", "description": "pays %[14]d", "parameters": {"type": "object", "properties": {"card": {"type": "string", "description": "number %[15]d", "enum": ["e%[16]d"]}}}}}],
	  "response_format": {"type": "json_schema", "json_schema": {"name": "r", "description": "d %[17]d", "schema": {}}},
	  "prediction": {"type": "content", "content": "p %[18]d"},
	  "metadata": {"k": "%[19]d"}
	}`
	const places = 19
	fill := func(at int) []byte {
		out := doc
		for i := 1; i <= places; i++ {
			v := "zero"
			if i == at {
				v = card
			}
			out = strings.ReplaceAll(out, fmt.Sprintf("%%[%d]d", i), v)
		}
		return []byte(out)
	}
	for at := 1; at <= places; at++ {
		body := fill(at)
		req, err := openai.Chat{}.Read(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		var changed []guard.Changed
		for i, text := range req.Texts() {
			if strings.Contains(text.Value, card) {
				changed = append(changed, guard.Changed{Index: i, Value: strings.ReplaceAll(text.Value, card, "{CARD}")})
			}
		}
		if len(changed) != 1 {
			t.Errorf("place %d: the card is in %d texts", at, len(changed))
			continue
		}
		got := req.Edit(changed)
		want := bytes.ReplaceAll(body, []byte(card), []byte("{CARD}"))
		if !sameButSpace(got, want) {
			t.Errorf("place %d: got\n%s\nwant\n%s", at, got, want)
		}
		if got := req.Unseen(); len(got) != 1 || got[0] != "image-part" {
			t.Errorf("Unseen() = %v", got)
		}
	}
}

// sameButSpace compares documents and the JSON inside their strings by bytes,
// where only escapes of the replaced string may differ.
func sameButSpace(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	xs, _ := json.Marshal(x)
	ys, _ := json.Marshal(y)
	return bytes.Equal(xs, ys)
}

func TestUnknownFieldsSurviveByteForByte(t *testing.T) {
	body := []byte("{ \"zeta\":1.0e2 ,\"model\":\"m\",\"messages\" : [ {\"content\":\"my \\u0063ard\" , \"role\":\"user\",\"x\":{\"b\":1,\"a\":2}} ] ,\"n\":1}")
	req, err := openai.Chat{}.Read(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	if got := req.Edit(nil); !bytes.Equal(got, body) {
		t.Errorf("an unchanged request became %s", got)
	}
	got := req.Edit([]guard.Changed{{Index: 0, Value: "x\"y"}})
	want := bytes.Replace(body, []byte(`"my \u0063ard"`), []byte(`"x\"y"`), 1)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	req.WithModel("other")
	if got := req.Edit(nil); !bytes.Equal(got, bytes.Replace(body, []byte(`"m"`), []byte(`"other"`), 1)) {
		t.Errorf("renamed: %s", got)
	}
}

func TestOrigins(t *testing.T) {
	req, err := openai.Chat{}.Read(nil, []byte(`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"tool","tool_call_id":"c","content":"t"}],"tools":[{"type":"function","function":{"name":"f","description":"d"}}],"zzz":"?"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]ringwall.Origin{"s": ringwall.System, "u": ringwall.User, "a": ringwall.Assistant, "t": ringwall.Tool, "d": ringwall.System, "f": ringwall.System, "?": ringwall.Unverified}
	for _, text := range req.Texts() {
		if o, ok := want[text.Value]; !ok || o != text.Origin {
			t.Errorf("%s %q is of origin %s, want %s", text.Path, text.Value, text.Origin, o)
		}
		delete(want, text.Value)
	}
	for text := range want {
		t.Errorf("%q was not located", text)
	}
}

func TestReadRefuses(t *testing.T) {
	ok := `{"role":"user","content":"x"}`
	for _, tt := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"no JSON", `{"model"`, 400, "line 1, column 9"},
		{"an array", `[]`, 400, "an object should stand here"},
		{"no model", `{"messages":[` + ok + `]}`, 400, "model: a string is required"},
		{"a number for a model", `{"model":7,"messages":[` + ok + `]}`, 400, "model"},
		{"no messages", `{"model":"m"}`, 400, "messages: an array is required"},
		{"no message", `{"model":"m","messages":[]}`, 400, "at least one message"},
		{"an unknown role", `{"model":"m","messages":[{"role":"root","content":"x"}]}`, 400, `messages[0].role: want system, developer, user, assistant, tool or function, not "root" at line 1, column 34`},
		{"a message without a role", `{"model":"m","messages":[{"content":"x"}]}`, 400, "messages[0].role"},
		{"a string for a message", `{"model":"m","messages":["x"]}`, 400, "messages[0]: an object should stand here, not string"},
		{"a number for content", `{"model":"m","messages":[{"role":"user","content":7}]}`, 400, "messages[0].content"},
		{"a string among parts", `{"model":"m","messages":[{"role":"user","content":["x"]}]}`, 400, "messages[0].content[0]"},
		{"a word for stream", `{"model":"m","stream":"yes","messages":[` + ok + `]}`, 400, "stream: true or false"},
		{"a duplicate key", `{"model":"m","messages":[],"messages":[` + ok + `]}`, 400, "duplicate key"},
		{"a lone surrogate", `{"model":"m","messages":[{"role":"user","content":"\ud800"}]}`, 400, "lone surrogate"},
		{"invalid UTF-8", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}", 400, "invalid UTF-8"},
		{"a NUL", `{"model":"m","messages":[{"role":"user","content":"\u0000"}]}`, 400, "NUL"},
		{"10,000 arrays", `{"model":"m","messages":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`, 400, "nested too deeply"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := openai.Chat{}.Read(nil, []byte(tt.body))
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != tt.status || !strings.Contains(r.Public, tt.says) {
				t.Fatalf("Read() = %v, want %d with %q", err, tt.status, tt.says)
			}
			var shape struct {
				Error struct{ Message, Type, Code string }
			}
			if err := json.Unmarshal(openai.Chat{}.AppendError(nil, nil, r, "x1"), &shape); err != nil || shape.Error.Message == "" || shape.Error.Type != "invalid_request_error" || !strings.Contains(shape.Error.Message, "x1") {
				t.Errorf("error body: %+v, %v", shape, err)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a\u0062"}]},{"role":"assistant","tool_calls":[{"function":{"arguments":"{\"a\":[\"b\",1]}"}}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := openai.Chat{}.Read(nil, []byte(body))
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
		again, err := openai.Chat{}.Read(nil, out)
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, out)
		}
		for _, text := range again.Texts() {
			if text.Value != "masked \" \\ \n é" {
				t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
			}
		}
	})
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
type said struct {
	text, reason, args, finish map[int]string
	probs                      map[int]string
}

func collect(t testing.TB, frames []byte) said {
	s := said{map[int]string{}, map[int]string{}, map[int]string{}, map[int]string{}, map[int]string{}}
	ended := false
	for ev, err := range sse.Events(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		if string(ev.Data) == "[DONE]" {
			ended = true
			continue
		}
		if ended {
			t.Fatal("a frame behind [DONE]")
		}
		var f struct {
			Choices []struct {
				Index int
				Delta struct {
					Content   string
					Reasoning string `json:"reasoning_content"`
					ToolCalls []struct {
						Index    int
						Function struct{ Name, Arguments string }
					} `json:"tool_calls"`
				}
				Logprobs     *struct{ Content []struct{ Token string } }
				FinishReason *string `json:"finish_reason"`
			}
		}
		if err := json.Unmarshal(ev.Data, &f); err != nil {
			t.Fatalf("frame %s: %v", ev.Data, err)
		}
		for _, c := range f.Choices {
			if s.finish[c.Index] != "" {
				t.Fatalf("choice %d goes on behind its end: %s", c.Index, ev.Data)
			}
			s.text[c.Index] += c.Delta.Content
			s.reason[c.Index] += c.Delta.Reasoning
			for _, tc := range c.Delta.ToolCalls {
				s.args[c.Index] += tc.Function.Name + tc.Function.Arguments
			}
			if c.Logprobs != nil {
				for _, tok := range c.Logprobs.Content {
					s.probs[c.Index] += tok.Token
				}
			}
			if c.FinishReason != nil {
				s.finish[c.Index] = *c.FinishReason
			}
		}
	}
	return s
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// relayed streams an answer in pieces through the relay.
func relayed(t testing.TB, g *guard.Guard, texts, reasons []string, args string, rng *rand.Rand) said {
	relay := openai.Chat{}.Relay(nil, opener(g))
	var out []byte
	send := func(frame string) {
		var err error
		if out, err = relay.Event(t.Context(), out, []byte(frame)); err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
	}
	frame := func(choice int, delta, probs, finish string) string {
		return fmt.Sprintf(`{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":%d,"delta":%s,"logprobs":%s,"finish_reason":%s}]}`, choice, delta, probs, finish)
	}
	cut := func(s string) string { // a prefix of whole runes
		r := []rune(s)
		return string(r[:min(len(r), 1+rng.IntN(9))])
	}
	for i := range texts {
		send(frame(i, `{"role":"assistant","content":""}`, "null", "null"))
	}
	rest := append([]string(nil), texts...)
	why := append([]string(nil), reasons...)
	for {
		open := false
		for i := range rest {
			if why[i] != "" {
				p := cut(why[i])
				why[i] = why[i][len(p):]
				send(frame(i, `{"reasoning_content":`+quote(p)+`}`, "null", "null"))
				open = true
			}
			if rest[i] == "" {
				continue
			}
			p := cut(rest[i])
			rest[i] = rest[i][len(p):]
			finish := "null"
			if rest[i] == "" && why[i] == "" && args == "" && rng.IntN(2) == 0 {
				finish = `"stop"` // the last piece and the end in one frame
			}
			send(frame(i, `{"content":`+quote(p)+`}`, `{"content":[{"token":`+quote(p)+`,"logprob":-0.5}],"refusal":null}`, finish))
			if finish != "null" {
				rest[i], why[i] = "", "done"
				why[i] = ""
			}
			open = open || rest[i] != ""
		}
		if !open {
			break
		}
	}
	if args != "" {
		send(frame(0, `{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"pay","arguments":""}}]}`, "null", "null"))
		for a := args; a != ""; {
			p := cut(a)
			a = a[len(p):]
			send(frame(0, `{"tool_calls":[{"index":0,"function":{"arguments":`+quote(p)+`}}]}`, "null", "null"))
		}
	}
	done := collect(t, append(append([]byte(nil), out...), "data: [DONE]\n\n"...))
	for i := range texts {
		if done.finish[i] == "" {
			send(frame(i, `{}`, "null", `"stop"`))
		}
	}
	send(`{"id":"c1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}`)
	out = relay.End(t.Context(), out)
	if u := relay.Usage(); u.InputTokens != 5 || u.OutputTokens != 7 {
		t.Fatalf("Usage() = %+v", u)
	}
	return collect(t, out)
}

// whole passes the same answer in one piece.
func whole(t testing.TB, g *guard.Guard, texts, reasons []string, args string) said {
	var b strings.Builder
	b.WriteString(`{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[`)
	for i := range texts {
		if i > 0 {
			b.WriteByte(',')
		}
		tools := ""
		if i == 0 && args != "" {
			tools = `,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"pay","arguments":` + quote(args) + `}}]`
		}
		fmt.Fprintf(&b, `{"index":%d,"message":{"role":"assistant","content":%s,"reasoning_content":%s%s},"logprobs":{"content":[{"token":%s,"logprob":-1}]},"finish_reason":"stop"}`, i, quote(texts[i]), quote(reasons[i]), tools, quote(texts[i]))
	}
	b.WriteString(`]}`)
	a, err := openai.Chat{}.Answer(nil, []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	res := g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts())
	out := bytes.ReplaceAll(a.Edit(res.Texts), []byte(`"message":`), []byte(`"delta":`))
	return collect(t, sse.Append(nil, bytes.ReplaceAll(out, []byte(`"id":"call_1"`), []byte(`"index":0,"id":"call_1"`))))
}

// The streamed answer equals the unary one, in every channel and every choice,
// and the tokens of a masked text are in neither.
func TestStreamEqualsUnary(t *testing.T) {
	g := maskAll(t)
	pieces := []string{"The answer is here. ", "Mail a.b@example.org now, ", card + " ", "naïve café 秘密 ", "bluebird! ", "sk-abcdefghij1234567890klmnop ", "call 415-555-0132. ", "{}\"\\\n", "ok "}
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var texts, reasons []string
		for range 1 + rng.IntN(2) {
			var text, reason string
			for range 1 + rng.IntN(4) {
				text += pieces[rng.IntN(len(pieces))]
			}
			for range rng.IntN(3) {
				reason += pieces[rng.IntN(len(pieces))]
			}
			texts, reasons = append(texts, text), append(reasons, reason)
		}
		args := ""
		if rng.IntN(2) == 0 {
			args = `{"to": ` + quote(pieces[rng.IntN(len(pieces))]) + `, "n": 4111111111111111, "l": ["x", "a.b@example.org"]}`
		}
		want := whole(t, g, texts, reasons, args)
		got := relayed(t, g, texts, reasons, args, rng)
		for i := range texts {
			if got.text[i] != want.text[i] || got.reason[i] != want.reason[i] || got.args[i] != want.args[i] || got.finish[i] != want.finish[i] {
				t.Fatalf("seed %d choice %d\ngot  %q %q %q %q\nwant %q %q %q %q", seed, i, got.text[i], got.reason[i], got.args[i], got.finish[i], want.text[i], want.reason[i], want.args[i], want.finish[i])
			}
			if !strings.HasPrefix(want.text[i], got.probs[i]) {
				t.Fatalf("seed %d: the tokens say %q, the text %q", seed, got.probs[i], want.text[i])
			}
			if want.text[i] == texts[i] && got.probs[i] != texts[i] {
				t.Fatalf("seed %d: nothing was masked, but of the tokens only %q came", seed, got.probs[i])
			}
		}
	}
}

func TestRelayRefusesGarbage(t *testing.T) {
	g := maskAll(t)
	for name, data := range map[string]string{
		"no JSON":     `{"choices":`,
		"an error":    `{"error":{"message":"boom"}}`,
		"no choices":  `{"id":"x"}`,
		"a duplicate": `{"choices":[],"choices":[]}`,
	} {
		if out, err := (openai.Chat{}).Relay(nil, opener(g)).Event(t.Context(), nil, []byte(data)); err == nil || len(out) > 0 {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func FuzzRelay(f *testing.F) {
	f.Add([]byte(`{"choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n" + `{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]},"finish_reason":"stop"}]}`))
	f.Add([]byte(`{"choices":[{"delta":{"tool_calls":[{}],"function_call":{"arguments":"x"},"content":null}}],"citations":["4111 1111 1111 1111"]}`))
	g := maskAll(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		relay := openai.Chat{}.Relay(nil, opener(g))
		var out []byte
		for frame := range bytes.SplitSeq(in, []byte{'\n'}) {
			var err error
			if out, err = relay.Event(t.Context(), out, frame); err != nil {
				break
			}
		}
		out = relay.End(t.Context(), out)
		for ev, err := range sse.Events(bytes.NewReader(out)) {
			if err != nil {
				t.Fatal(err)
			}
			if string(ev.Data) != "[DONE]" && !json.Valid(ev.Data) {
				t.Fatalf("sent what is no JSON: %q", ev.Data)
			}
			if bytes.Contains(ev.Data, []byte(card)) {
				t.Fatalf("a card left: %q", ev.Data)
			}
		}
	})
}
