package openai_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
)

// open lets everything pass, so that only the dialect is measured.
type openChannel struct{ n int }

func (c *openChannel) Write(p []byte) []byte        { c.n += len(p); return p }
func (c *openChannel) Close(context.Context) []byte { return nil }
func (c *openChannel) Blocked() bool                { return false }
func (c *openChannel) Masked() bool                 { return false }
func (c *openChannel) Settled() int                 { return c.n }

// BenchmarkRelayEvent is what a frame of a streamed answer costs, the detectors
// aside.
func BenchmarkRelayEvent(b *testing.B) {
	frame := []byte(`{"id":"chatcmpl-bench0000000000000000","object":"chat.completion.chunk","created":1760000000,"model":"bench","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":{"content":"a word "},"logprobs":null,"finish_reason":null}]}`)
	r := openai.Chat{}.Relay(nil, func(string) gateway.Channel { return &openChannel{} })
	var buf []byte
	var err error
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = r.Event(b.Context(), buf[:0], frame); err != nil || len(buf) == 0 {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead is what reading a request costs.
func BenchmarkRead(b *testing.B) {
	body := []byte(`{"model":"bench","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"` + string(make1k()) + `"}],"temperature":0.7,"stream":false}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (openai.Chat{}).Read(nil, body); err != nil {
			b.Fatal(err)
		}
	}
}

func make1k() []byte {
	b := make([]byte, 1024)
	for i := range b {
		b[i] = "a word "[i%7]
	}
	return b
}

// BenchmarkConversation is what telling a conversation of 50 turns and 100 KB costs,
// once the request is read.
func BenchmarkConversation(b *testing.B) {
	body := []byte(`{"model":"bench","tools":[{"type":"function","function":{"name":"get","parameters":{"type":"object"}}}],"messages":[{"role":"user","content":"go"}`)
	for i := range 25 {
		body = fmt.Appendf(body, `,{"role":"assistant","content":null,"tool_calls":[{"id":"c%d","type":"function","function":{"name":"get","arguments":"{\"q\":\"%[1]d\"}"}}]},{"role":"tool","tool_call_id":"c%[1]d","content":"%s"}`, i, bytes.Repeat(make1k(), 4))
	}
	req, err := (openai.Chat{}).Read(nil, append(body, `]}`...))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := req.(gateway.Acting).Conversation(); err != nil {
			b.Fatal(err)
		}
	}
}
