package dialect_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/eventstream"
)

// told is a streamed answer as it goes out, in which the model says "so {be} it" and
// calls f.
type told struct {
	name, contentType string
	codecs            []dialect.Back
	frames            []string
}

const claude = `{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":1,"output_tokens":1}}}
{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"so {be"}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"} it"}}
{"type":"content_block_stop","index":0}
{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c1","name":"f","input":{}}}
{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}
{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}
{"type":"content_block_stop","index":1}
{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":2}}
{"type":"message_stop"}`

func tellings() []told {
	events := strings.Split(claude, "\n")
	var sse, chunks []string
	for _, e := range events {
		sse = append(sse, "event: x\ndata: "+e+"\n\n")
		chunks = append(chunks, string(eventstream.AppendEvent(nil, "chunk", []byte(`{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(e))+`"}`))))
	}
	var converse []string
	for _, e := range [][2]string{
		{"messageStart", `{"role":"assistant"}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"so {be"}}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"} it"}}`},
		{"contentBlockStop", `{"contentBlockIndex":0}`},
		{"contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"c1","name":"f"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":1}"}}}`},
		{"contentBlockStop", `{"contentBlockIndex":1}`},
		{"messageStop", `{"stopReason":"tool_use"}`},
	} {
		converse = append(converse, string(eventstream.AppendEvent(nil, e[0], []byte(e[1]))))
	}
	chat := []string{": a comment\n\n"}
	for _, d := range []string{
		`{"content":"so {be"},"finish_reason":null`, `{"content":"} it"},"finish_reason":null`,
		`{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":null`, `{},"finish_reason":"tool_calls"`,
	} {
		chat = append(chat, `data: {"id":"x","choices":[{"index":0,"delta":`+d+"}]}\r\n\n")
	}
	google := []string{
		`[{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"so {be"}]}}]}`, ",\r\n" + `{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"} it"}]}}]}`,
		",\r\n" + `{"candidates":[{"index":0,"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},"finishReason":"STOP"}]}`, "]",
	}
	lines := []string{
		`{"model":"m","message":{"role":"assistant","content":"so {be"},"done":false}` + "\n", `{"model":"m","message":{"role":"assistant","content":"} it"},"done":false}` + "\n",
		`{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}` + "\n",
		`{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}` + "\n",
	}
	return []told{
		{"chat completions", "text/event-stream", []dialect.Back{openai.Codec{}}, append(chat, "data: [DONE]\n\n")},
		{"messages", "text/event-stream", []dialect.Back{anthropic.Codec{}}, sse},
		{"Converse", eventstream.ContentType, []dialect.Back{bedrock.Codec{}}, converse},
		{"InvokeModel", eventstream.ContentType, []dialect.Back{bedrock.Codec{}, anthropic.Codec{}}, chunks},
		{"Gemini, an array", "application/json", []dialect.Back{gemini.Codec{}}, google},
		{"Ollama", "application/x-ndjson", []dialect.Back{ollama.Codec{}}, lines},
	}
}

// say tells what parts say, without ids.
func say(parts []ringwall.Part) (out string) {
	for _, p := range parts {
		switch p.Kind {
		case ringwall.PartCall:
			out += "|" + p.Call.Name + p.Call.Arguments
		default:
			out += p.Text
		}
	}
	return out
}

func (s *told) retell(pieces ...string) gateway.Retold {
	r := dialect.Retell(s.contentType, true, s.codecs...)
	for _, p := range pieces {
		r.Write([]byte(p))
	}
	return r
}

// An answer is whole with the frame that says its end, and not before.
func TestRetellStreams(t *testing.T) {
	for _, s := range tellings() {
		t.Run(s.name, func(t *testing.T) {
			r, at := s.retell(), 0
			for i, f := range s.frames {
				r.Write([]byte(f))
				parts, whole := r.Said()
				if !whole {
					continue
				}
				if said := say(parts); at == 0 && said != `so {be} it|f{"a":1}` {
					t.Errorf("it said %q", said)
				}
				if at == 0 {
					at = i + 1
				}
			}
			if at < len(s.frames)-1 {
				t.Errorf("it is whole with frame %d of %d", at, len(s.frames))
			}
		})
	}
}

func TestRetellWhole(t *testing.T) {
	const body = `{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"so"},"finish_reason":"stop"}]}`
	for _, tt := range []struct {
		name, body string
		whole      bool
	}{{"an answer", body, true}, {"what is none", `{"error":{}}`, false}, {"half of one", body[:50], false}, {"nothing", "", false}} {
		r := dialect.Retell("application/json", false, bedrock.Codec{}, openai.Codec{})
		r.Write([]byte(tt.body))
		if parts, whole := r.Said(); whole != tt.whole || whole && say(parts) != "so" {
			t.Errorf("%s: %v, %v", tt.name, parts, whole)
		}
	}
}

// What broke off, is no stream, or is too long was not said.
func TestRetellWhatIsNone(t *testing.T) {
	for _, s := range tellings() {
		for name, pieces := range map[string][]string{
			"broken off": s.frames[:len(s.frames)-2], "nothing": nil, "noise": {"\x00\x00\x00\x11 noise, noise, noise {}\n\n"},
			"too long": append([]string{": " + strings.Repeat("x", 5<<20) + "\n\n"}, s.frames...),
		} {
			if parts, whole := s.retell(pieces...).Said(); whole {
				t.Errorf("%s, %s: %q was said", s.name, name, say(parts))
			}
		}
	}
}

// However a stream is cut into pieces, it says the same; and whatever comes, reading it
// ends.
func FuzzRetell(f *testing.F) {
	for i, s := range tellings() {
		f.Add(i, []byte(strings.Join(s.frames, "")), 7)
		f.Add(i, []byte(strings.Join(s.frames, "")), 1)
	}
	f.Add(0, []byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n\n\ndata:\n\n"), 3)
	f.Fuzz(func(t *testing.T, kind int, body []byte, n int) {
		all := tellings()
		s := all[((kind%len(all))+len(all))%len(all)]
		n = min(max(n, 1), 64)
		if len(body) > 1<<16 {
			return
		}
		pieces := s.retell()
		for piece := range slices.Chunk(body, n) {
			pieces.Write(piece)
		}
		want, wholly := s.retell(string(body)).Said()
		got, whole := pieces.Said()
		if whole != wholly || say(got) != say(want) {
			t.Fatalf("in pieces of %d it says %q, %v, and as one %q, %v", n, say(got), whole, say(want), wholly)
		}
	})
}
