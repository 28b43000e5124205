package anthropic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/internal/sse"
)

// acting is a guardrail that does that with what it notices.
func acting(t testing.TB, do ringwall.Action) *guard.Guard {
	words, err := word.New(word.List{Words: []string{"bluebird"}})
	if err != nil {
		t.Fatal(err)
	}
	a := &guard.Actions{Default: do}
	g, err := guard.New(guard.Config{Name: "mask", Rules: []guard.Rule{
		{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: a},
		{Control: secret.Control, Scanners: []stream.Scanner{secret.Scanner{}}, Output: a},
		{Control: word.Control, Scanners: []stream.Scanner{words}, Output: a},
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

type object = map[string]any

// heard is what a client has of a stream, put together as the official clients
// do.
type heard struct {
	head    object
	content []object
	open    map[int]string // blocks that are being said, and the arguments so far
	ended   bool
}

func collect(t testing.TB, frames []byte) *heard {
	h := &heard{open: map[int]string{}}
	for ev, err := range sse.Events(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Type    string
			Index   int
			Message object
			Block   object `json:"content_block"`
			Delta   object
			Usage   object
		}
		if err := json.Unmarshal(ev.Data, &e); err != nil || e.Type != ev.Name {
			t.Fatalf("event %s: %s: %v", ev.Name, ev.Data, err)
		}
		if h.ended {
			t.Fatalf("an event behind the end: %s", ev.Data)
		}
		h.event(t, e.Type, e.Index, e.Message, e.Block, e.Delta, e.Usage)
	}
	return h
}

func (h *heard) event(t testing.TB, kind string, index int, message, block, delta, usage object) {
	arguments, open := h.open[index]
	if (kind == "content_block_delta" || kind == "content_block_stop") && !open {
		t.Fatalf("%s of block %d, which is not open", kind, index)
	}
	switch kind {
	case "message_start":
		h.head = message
	case "content_block_start":
		if index != len(h.content) {
			t.Fatalf("block %d begins behind %d blocks", index, len(h.content))
		}
		h.content, h.open[index] = append(h.content, block), ""
	case "content_block_delta":
		b := h.content[index]
		for key, v := range delta {
			switch s, _ := v.(string); key {
			case "type":
			case "partial_json":
				h.open[index] = arguments + s
			case "citation":
				list, _ := b["citations"].([]any)
				b["citations"] = append(list, v)
			default:
				old, _ := b[key].(string)
				b[key] = old + s
			}
		}
	case "content_block_stop":
		if arguments != "" {
			var in any
			if json.Unmarshal([]byte(arguments), &in) != nil {
				in = arguments
			}
			h.content[index]["input"] = in
		}
		delete(h.open, index)
	case "message_delta":
		for k, v := range delta {
			h.head[k] = v
		}
		for k, v := range usage {
			h.head["usage"].(object)[k] = v
		}
	case "message_stop":
		if len(h.open) > 0 {
			t.Fatalf("%d blocks are open at the end", len(h.open))
		}
		h.ended = true
	}
}

func (h *heard) message(t testing.TB) []byte {
	if !h.ended {
		t.Fatal("the stream has no end")
	}
	if h.head["content"] = h.content; h.content == nil {
		h.head["content"] = []object{}
	}
	b, err := json.Marshal(h.head)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// cut cuts s into pieces of whole runes.
func cut(s string, rng *rand.Rand) (pieces []string) {
	for r := []rune(s); len(r) > 0; {
		n := min(len(r), 1+rng.IntN(9))
		pieces = append(pieces, string(r[:n]))
		r = r[n:]
	}
	return pieces
}

// streamed are the events that say the blocks in pieces. They begin in their order,
// and now and then go on side by side.
func streamed(content []object, rng *rand.Rand) (events []string) {
	events = append(events, `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":1}}}`)
	var going [][]string
	for next := 0; next < len(content) || len(going) > 0; {
		if next < len(content) && (len(going) == 0 || rng.IntN(40) == 0) {
			going = append(going, blockEvents(next, content[next], rng))
			events, going[len(going)-1] = append(events, going[len(going)-1][0]), going[len(going)-1][1:]
			next++
			continue
		}
		at := rng.IntN(len(going))
		events = append(events, going[at][0])
		if going[at] = going[at][1:]; len(going[at]) == 0 {
			going = append(going[:at], going[at+1:]...)
		}
		if rng.IntN(20) == 0 {
			events = append(events, `{"type": "ping"}`)
		}
	}
	return append(events, `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}}`, `{"type":"message_stop"}`)
}

// blockEvents are the events of one block.
func blockEvents(i int, b object, rng *rand.Rand) (events []string) {
	event := func(format string, args ...any) { events = append(events, fmt.Sprintf(format, args...)) }
	delta := func(kind, key, text string) {
		for _, p := range cut(text, rng) {
			event(`{"type":"content_block_delta","index":%d,"delta":{"type":%s,%s:%s}}`, i, quote(kind), quote(key), quote(p))
		}
	}
	start := func(block string) { event(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, block) }
	switch b["type"] {
	case "text":
		start(`{"type":"text","text":""}`)
		delta("text_delta", "text", b["text"].(string))
		if list, ok := b["citations"].([]object); ok {
			for _, c := range list {
				raw, _ := json.Marshal(c)
				event(`{"type":"content_block_delta","index":%d,"delta":{"type":"citations_delta","citation":%s}}`, i, raw)
			}
		}
	case "thinking":
		start(`{"type":"thinking","thinking":"","signature":""}`)
		delta("thinking_delta", "thinking", b["thinking"].(string))
		delta("signature_delta", "signature", b["signature"].(string))
	case "tool_use", "server_tool_use":
		start(fmt.Sprintf(`{"type":%s,"id":%s,"name":%s,"input":{}}`, quote(b["type"].(string)), quote(b["id"].(string)), quote(b["name"].(string))))
		if raw := string(b["input"].(json.RawMessage)); raw != "{}" {
			event(`{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":""}}`, i)
			delta("input_json_delta", "partial_json", raw)
		}
	default:
		raw, _ := json.Marshal(b)
		start(string(raw))
	}
	event(`{"type":"content_block_stop","index":%d}`, i)
	return events
}

// message is the same answer in one piece.
func message(content []object) []byte {
	b, _ := json.Marshal(object{
		"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content, "stop_reason": "end_turn", "stop_sequence": nil,
		"usage": object{"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 7},
	})
	return b
}

// random makes an answer of pieces.
func random(rng *rand.Rand) (content []object) {
	pieces := []string{"The answer is here. ", "Mail a.b@example.org now, ", card + " ", "naïve café 秘密 ", "bluebird! ", "sk-abcdefghij1234567890klmnop ", "call 415-555-0132. ", "{}\"\\\n", "ok "}
	say := func() (s string) {
		for range 1 + rng.IntN(4) {
			s += pieces[rng.IntN(len(pieces))]
		}
		return s
	}
	for i := range 1 + rng.IntN(4) {
		switch rng.IntN(6) {
		case 0:
			content = append(content, object{"type": "thinking", "thinking": say(), "signature": "c2lnbmF0dXJl+/c2lnbmF0dXJl"})
		case 1:
			raw := json.RawMessage(`{"to": ` + quote(say()) + `, "n": 4111111111111111, "l": ["x", "a.b@example.org"]}`)
			content = append(content, object{"type": "tool_use", "id": "toolu_" + strconv.Itoa(i), "name": "pay", "input": raw})
		case 2:
			content = append(content, object{"type": "server_tool_use", "id": "toolu_" + strconv.Itoa(i), "name": "web_search", "input": json.RawMessage(`{}`)})
		case 3:
			content = append(content, object{"type": "web_search_tool_result", "tool_use_id": "t", "content": []object{{"type": "web_search_result", "title": say(), "encrypted_content": "c2lnbmF0dXJl"}}})
		case 4:
			content = append(content, object{"type": "redacted_thinking", "data": "c2lnbmF0dXJl"})
		default:
			b := object{"type": "text", "text": say()}
			if rng.IntN(3) == 0 {
				b["citations"] = []object{{"type": "char_location", "cited_text": say(), "document_title": say(), "document_index": 0, "encrypted_index": "c2ln"}}
			}
			content = append(content, b)
		}
	}
	return content
}

// The streamed answer equals the whole one, in every block, and a thought that
// was masked has no signature in either.
func TestStreamEqualsWhole(t *testing.T) {
	g := acting(t, ringwall.Mask)
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		content := random(rng)
		a, err := messages.Answer(nil, message(content))
		if err != nil {
			t.Fatal(err)
		}
		want := a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts)
		relay := messages.Relay(nil, opener(g))
		var out []byte
		for _, e := range streamed(content, rng) {
			if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
				t.Fatalf("seed %d: %s: %v", seed, e, err)
			}
		}
		out = relay.End(t.Context(), out)
		if got := collect(t, out).message(t); !sameJSON(got, want) {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, got, want)
		}
		if relay.Usage() != a.Usage() {
			t.Fatalf("seed %d: Usage() = %+v, want %+v", seed, relay.Usage(), a.Usage())
		}
		if bytes.Contains(out, []byte("example.org")) || bytes.Contains(out, []byte("bluebird")) {
			t.Fatalf("seed %d: it leaks: %s", seed, out)
		}
		masked := bytes.Contains(want, []byte(`"ringwall-unsigned"`))
		for _, b := range content {
			if s, _ := b["thinking"].(string); strings.Contains(s, "bluebird") && !masked {
				t.Fatalf("seed %d: a masked thought is signed: %s", seed, want)
			}
		}
	}
}

// Of a stream that policy ends, what stands before the end is whole.
func TestBlockedStreamsEnd(t *testing.T) {
	g := acting(t, ringwall.Block)
	said, refused := 0, 0
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 5))
		relay := messages.Relay(nil, opener(g))
		var out []byte
		for _, e := range streamed(random(rng), rng) {
			var err error
			if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
				t.Fatal(err)
			}
			if relay.Blocked() {
				break
			}
		}
		if !relay.Blocked() {
			continue
		}
		out = relay.Withhold(out, gateway.Declined{ID: "x1", Message: "Not this."})
		h := collect(t, out)
		h.message(t)
		if h.head["stop_reason"] != "refusal" || bytes.Contains(out, []byte("example.org")) || bytes.Contains(out, []byte("bluebird")) || bytes.Contains(out, []byte("4111")) {
			t.Fatalf("seed %d: %s", seed, out)
		}
		said++
		if bytes.Contains(out, []byte("Not this.")) {
			refused++
		}
	}
	if said < 100 || refused == 0 || refused == said {
		t.Errorf("%d streams were ended, %d of them with the message", said, refused)
	}
}

func TestRelayRefusesGarbage(t *testing.T) {
	g := acting(t, ringwall.Mask)
	const start = `{"type":"message_start","message":{"id":"m","content":[]}}`
	for name, events := range map[string][]string{
		"no JSON":                      {start, `{"type":`},
		"an error":                     {start, `{"type":"error","error":{"type":"overloaded_error","message":"secret"}}`},
		"no type":                      {start, `{"id":"x"}`},
		"a type of two lines":          {start, `{"type":"ping\ndata: x"}`},
		"a duplicate":                  {start, `{"type":"ping","type":"ping"}`},
		"no beginning":                 {`{"type":"message_stop"}`},
		"two beginnings":               {start, start},
		"a delta of no block":          {start, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`},
		"an end of no block":           {start, `{"type":"content_block_stop","index":0}`},
		"a block that begins twice":    {start, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`},
		"a tool call that speaks":      {start, `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","input":{}}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`},
		"something behind its own end": {start, `{"type":"message_stop"}`, `{"type":"ping"}`},
	} {
		relay := messages.Relay(nil, opener(g))
		var err error
		for i, e := range events {
			if err != nil {
				t.Errorf("%s: event %d: %v", name, i, err)
			}
			_, err = relay.Event(t.Context(), nil, []byte(e))
		}
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestFailedStreamsSaySo(t *testing.T) {
	out := messages.Relay(nil, opener(acting(t, ringwall.Mask))).Fail(nil, &ringwall.Refusal{Status: 503, Code: "upstream_overloaded", Public: "Busy."}, "x1")
	if want := "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Busy. (reference x1)\"},\"request_id\":\"x1\"}\n\n"; string(out) != want {
		t.Errorf("%s", out)
	}
}

// A call that the model did not finish is text; nothing of it may leave unseen.
func TestArgumentsThatAreCutOff(t *testing.T) {
	relay := messages.Relay(nil, opener(acting(t, ringwall.Mask)))
	var out []byte
	for _, e := range []string{
		`{"type":"message_start","message":{"id":"m","content":[],"usage":{}}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"pay","input":{}}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"card\": \"4111 1111 "}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"1111 1111"}}`,
		`{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":7}}`,
		`{"type":"message_stop"}`,
	} {
		var err error
		if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
			t.Fatal(err)
		}
	}
	h := collect(t, out)
	if in := h.content[0]["input"]; in != `{"card": "{CREDIT_DEBIT_CARD_NUMBER}` || h.head["stop_reason"] != "max_tokens" {
		t.Errorf("%v %s", in, out)
	}
}

func FuzzRelay(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		f.Add([]byte(strings.Join(streamed(random(rng), rng), "\n")))
	}
	f.Add([]byte(`{"type":"message_start","message":{"content":[{"type":"text","text":"4111 1111 1111 1111"}]}}` + "\n" + `{"type":"content_block_start","index":0,"content_block":{"type":"compaction","content":null}}` + "\n" + `{"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":"x"}}`))
	g := acting(f, ringwall.Mask)
	f.Fuzz(func(t *testing.T, in []byte) {
		relay := messages.Relay(nil, opener(g))
		var out []byte
		for e := range bytes.SplitSeq(in, []byte{'\n'}) {
			var err error
			if out, err = relay.Event(t.Context(), out, e); err != nil {
				break
			}
		}
		out = relay.End(t.Context(), out)
		for ev, err := range sse.Events(bytes.NewReader(out)) {
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(ev.Data) || ev.Name == "" {
				t.Fatalf("sent what is no event: %q %q", ev.Name, ev.Data)
			}
			if bytes.Contains(ev.Data, []byte(card)) {
				t.Fatalf("a card left: %q", ev.Data)
			}
		}
	})
}
