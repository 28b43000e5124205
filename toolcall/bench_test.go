package toolcall_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/toolcall"
)

// long returns a conversation of so many turns and bytes, in which a calendar is read
// again and again, and the call that a person asked for.
func long(turns, size int) (*ringwall.Conversation, ringwall.ToolCall) {
	c := &ringwall.Conversation{
		Tools: []ringwall.ToolSpec{
			{Name: "search_calendar", Description: "Search calendar events.", Schema: []byte(`{"properties":{"query":{"type":"string"}}}`)},
			{Name: "move_event", Description: "Moves an event to another time.", Schema: []byte(`{"properties":{"event_id":{"type":"string"},"start":{"type":"string"}}}`)},
			{Name: "send_mail", Description: "Sends a mail.", Schema: []byte(`{"properties":{"to":{"type":"array"},"body":{"type":"string"}}}`)},
		},
		Turns: []ringwall.Turn{{Role: ringwall.RoleUser, Parts: []ringwall.Part{{Text: "Please move the planning meeting with Ines to 2026-10-09 at 10:00."}}}},
	}
	n := max(1, (turns-1)/2)
	for i := range n {
		call := ringwall.ToolCall{ID: fmt.Sprint("c", i), Name: "search_calendar", Arguments: fmt.Sprintf(`{"query":"planning %d"}`, i)}
		var out strings.Builder
		for j := 0; out.Len() < size/n; j++ {
			fmt.Fprintf(&out, "- id: EV-%d%04d\n  title: Planning %d\n  participants:\n  - ines.%d@example.com\n  description: 'We talk about the plan for the\n    coming weeks and who does what.'\n", i, j, j, j)
		}
		c.Turns = append(c.Turns,
			ringwall.Turn{Role: ringwall.RoleAssistant, Parts: []ringwall.Part{{Kind: ringwall.PartCall, Call: &call}}},
			ringwall.Turn{Role: ringwall.RoleUser, Parts: []ringwall.Part{{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{ID: call.ID, Name: call.Name, Parts: []ringwall.Part{{Text: out.String()}}}}}})
	}
	return c, ringwall.ToolCall{ID: "x", Name: "move_event", Arguments: `{"event_id":"EV-30002","start":"2026-10-09 10:00"}`}
}

func BenchmarkDecideInLongConversations(b *testing.B) {
	for _, size := range []struct {
		name         string
		turns, bytes int
	}{{"10KB", 10, 10 << 10}, {"100KB", 50, 100 << 10}, {"1MB", 50, 1 << 20}} {
		b.Run(size.name, func(b *testing.B) {
			c, call := long(size.turns, size.bytes)
			j := toolcall.New(toolcall.Config{})
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if d := j.Begin(toolcall.Case{Conversation: c}).Decide(b.Context(), call); !d.Decision.Runs() {
					b.Fatal(d.Rule)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
		})
	}
}
