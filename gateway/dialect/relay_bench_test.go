package dialect_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/gateway/dialect/openai/completions"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
	provider "github.com/ringwall/ringwall/provider/ollama"
)

// lagging is a Channel that holds a few bytes back, as the guard's do, and does
// nothing else: only the dialect is measured.
type lagging struct{ held, out []byte }

func (c *lagging) Write(p []byte) []byte {
	c.held = append(c.held, p...)
	n := max(0, len(c.held)-12)
	c.out = append(c.out[:0], c.held[:n]...)
	c.held = append(c.held[:0], c.held[n:]...)
	return c.out
}
func (c *lagging) Close(context.Context) []byte { return c.held }
func (c *lagging) Blocked() bool                { return false }
func (c *lagging) Masked() bool                 { return false }
func (c *lagging) Settled() int                 { return 0 }

// chunks are the pieces of text in a stream that is relayed.
const chunks = 200

// spoken is a stream of a dialect: what stands before the pieces of its text,
// around each, and behind them. The events of Bedrock are written as NAME payload.
type spoken struct {
	name    string
	dialect gateway.Dialect
	before  []string
	piece   string // with %s for the piece
	behind  []string
}

var streams = []spoken{
	{
		name: "openai", dialect: openai.Chat{},
		before: []string{`{"id":"chatcmpl-bench0000000000000000","object":"chat.completion.chunk","created":1760000000,"model":"bench","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}`},
		piece:  `{"id":"chatcmpl-bench0000000000000000","object":"chat.completion.chunk","created":1760000000,"model":"bench","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null}]}`,
		behind: []string{`{"id":"chatcmpl-bench0000000000000000","object":"chat.completion.chunk","created":1760000000,"model":"bench","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}`},
	},
	{
		name: "openai-completions", dialect: completions.Dialect{},
		piece:  `{"id":"cmpl-bench00000000000000000000","object":"text_completion","created":1760000000,"model":"bench","system_fingerprint":"fp_bench","choices":[{"index":0,"text":"%s","logprobs":null,"finish_reason":null}]}`,
		behind: []string{`{"id":"cmpl-bench00000000000000000000","object":"text_completion","created":1760000000,"model":"bench","system_fingerprint":"fp_bench","choices":[{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}]}`},
	},
	{
		name: "openai-responses", dialect: responses.Dialect{},
		before: []string{
			`{"type":"response.created","sequence_number":0,"response":{"id":"resp_bench0000","object":"response","created_at":1760000000,"status":"in_progress","error":null,"model":"bench","output":[]}}`,
			`{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_bench0000","type":"message","status":"in_progress","content":[],"role":"assistant"}}`,
			`{"type":"response.content_part.added","sequence_number":2,"item_id":"msg_bench0000","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}`,
		},
		piece: `{"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_bench0000","output_index":0,"content_index":0,"delta":"%s","logprobs":[],"obfuscation":"Zk3qP0vWb1"}`,
	},
	{
		name: "anthropic", dialect: anthropic.Messages{},
		before: []string{
			`{"type":"message_start","message":{"id":"msg_bench0000","type":"message","role":"assistant","model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":250,"output_tokens":1}}}`,
			`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		},
		piece: `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}`,
		behind: []string{
			`{"type":"content_block_stop","index":0}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":50}}`,
			`{"type":"message_stop"}`,
		},
	},
	{
		name: "bedrock-converse", dialect: bedrock.Converse{},
		before: []string{`messageStart {"p":"abcdefghijkl","role":"assistant"}`},
		piece:  `contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"%s"},"p":"abcdefghijklmnopqrstuvwxyzABCDEF"}`,
		behind: []string{
			`contentBlockStop {"contentBlockIndex":0,"p":"abcdefg"}`,
			`messageStop {"p":"abcdefghijklm","stopReason":"end_turn"}`,
			`metadata {"metrics":{"latencyMs":500},"p":"abcd","usage":{"inputTokens":250,"outputTokens":50,"totalTokens":300}}`,
		},
	},
	{
		name: "gemini", dialect: gemini.Dialect{},
		piece:  `{"candidates":[{"content":{"parts":[{"text":"%s"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":250,"candidatesTokenCount":50,"totalTokenCount":300},"modelVersion":"bench","responseId":"bench0000000000000000"}`,
		behind: []string{`{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":250,"candidatesTokenCount":50,"totalTokenCount":300},"modelVersion":"bench","responseId":"bench0000000000000000"}`},
	},
	{
		name: "ollama", dialect: ollama.Dialect{},
		piece:  `{"model":"bench","created_at":"2026-01-01T00:00:00.123456789Z","message":{"role":"assistant","content":"%s"},"done":false}`,
		behind: []string{`{"model":"bench","created_at":"2026-01-01T00:00:00.123456789Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":500000000,"load_duration":1000000,"prompt_eval_count":250,"prompt_eval_duration":1000000,"eval_count":50,"eval_duration":400000000}`},
	},
}

// someWord is a piece of text, each another.
func someWord(i int) string { return fmt.Sprintf("%d words ", i) }

// wire returns the stream as a provider sends it.
func (s *spoken) wire() (out []byte) {
	event := func(data string) {
		switch s.name {
		case "bedrock-converse":
			name, payload, _ := bytes.Cut([]byte(data), []byte{' '})
			out = eventstream.AppendEvent(out, string(name), payload)
		case "ollama":
			out = append(append(out, data...), '\n')
		default:
			out = sse.Append(out, []byte(data))
		}
	}
	for _, data := range s.before {
		event(data)
	}
	for i := range chunks {
		event(fmt.Sprintf(s.piece, someWord(i)))
	}
	for _, data := range s.behind {
		event(data)
	}
	return out
}

// read yields the data of its events, as its provider does.
func (s *spoken) read(wire []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		switch r := bytes.NewReader(wire); s.name {
		case "bedrock-converse":
			var data []byte
			var name string
			for m, err := range eventstream.Messages(r) {
				if err != nil {
					return
				}
				if v := m.Value(":event-type"); string(v) != name {
					name = string(v)
				}
				data = jsonedit.AppendQuote(append(data[:0], '{'), name)
				data = append(append(append(data, ':'), m.Payload...), '}')
				if !yield(data) {
					return
				}
			}
		case "ollama":
			for ev, err := range provider.Lines(r) {
				if err != nil || !yield(ev.Data) {
					return
				}
			}
		default:
			for ev, err := range sse.Events(r) {
				if err != nil || !yield(ev.Data) {
					return
				}
			}
		}
	}
}

// BenchmarkRelay is what a streamed answer costs on its way from the bytes of a
// provider to those for a client, the guard aside: the time of a chunk is
// ns/chunk, and what is allocated for one is allocs/op over chunks.
func BenchmarkRelay(b *testing.B) {
	for _, s := range streams {
		b.Run(s.name, func(b *testing.B) {
			wire := s.wire()
			var out []byte
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				r := s.dialect.Relay(nil, func(string) gateway.Channel { return &lagging{} })
				n := 0
				for data := range s.read(wire) {
					var err error
					if out, err = r.Event(b.Context(), out[:0], data); err != nil {
						b.Fatal(err)
					}
					n++
				}
				if out = r.End(b.Context(), out[:0]); n < chunks {
					b.Fatalf("%d events were read", n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
		})
	}
}
