package dialect_test

import (
	"context"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
)

// BenchmarkRelayJudged is BenchmarkRelay where calls would be judged: of a stream
// without calls it is to cost nothing.
func BenchmarkRelayJudged(b *testing.B) {
	for _, s := range streams {
		b.Run(s.name, func(b *testing.B) {
			wire := s.wire()
			var out []byte
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				r := s.dialect.Relay(nil, func(string) gateway.Channel { return &lagging{} })
				j, ok := r.(gateway.Judging)
				if !ok {
					b.Skip("the dialect has no calls")
				}
				j.Judge(func(context.Context, []ringwall.ToolCall) []gateway.Ruling {
					b.Fatal("there are no calls")
					return nil
				})
				for data := range s.read(wire) {
					var err error
					if out, err = r.Event(b.Context(), out[:0], data); err != nil {
						b.Fatal(err)
					}
				}
				out = r.End(b.Context(), out[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
		})
	}
}
