package pii_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

// What looking through a kilobyte costs, the views included.
func BenchmarkScanner(b *testing.B) {
	for _, bb := range []struct{ name, text string }{
		{"prose", "The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. "},
		{"letters", "The committee met on Tuesday to review open questions about shipping to Zurich and agreed on most of them "},
		{"a log", "2026-11-23T14:30:00.123Z INFO [main] request 550e8400-e29b-41d4-a716-446655440000 took 17ms status=200 bytes=5120\n"},
		{"a table", "17,Ann Graham,078-05-1120,Rome,2026-11-23,ann@example.com\n"},
		{"code", "for i, v := range values { if v.id == 0x7f && len(v.name) > 12 { out = append(out, f(v, i+1)) } } // see issue 4711\n"},
	} {
		text := strings.Repeat(bb.text, 1<<10/len(bb.text)+1)[:1<<10]
		b.Run(bb.name, func(b *testing.B) {
			c, _ := pii.Scanner{}.Begin(stream.Scope{})
			cfg := stream.Config{Watches: []stream.Watch{{Control: pii.Control, Cursor: c}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Flag }}
			r := stream.New(cfg)
			b.SetBytes(1 << 10)
			b.ReportAllocs()
			for b.Loop() {
				c, _ := pii.Scanner{}.Begin(stream.Scope{})
				cfg.Watches[0].Cursor = c
				r.Reset(cfg)
				r.Text(text)
				c.(stream.Freer).Free()
			}
		})
	}
}
