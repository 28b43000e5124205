package history_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/history"
)

// transcript is a conversation of that many turns and bytes, about, in the way of
// agents: every other answer is a call.
func transcript(turns, bytes int) []ringwall.Turn {
	words := strings.Repeat("The quick brown fox jumps over the lazy dog.\n", bytes/turns/45+1)[:bytes/turns]
	var out []ringwall.Turn
	for i := range turns {
		id := fmt.Sprint("call_", i)
		switch i % 4 {
		case 0:
			out = append(out, user(text(words)))
		case 1:
			out = append(out, model(call(id, "search", fmt.Sprintf(`{"query":%q,"limit":%d}`, words[:min(200, len(words))], i))))
		case 2:
			out = append(out, user(result(fmt.Sprint("call_", i-1), words)))
		case 3:
			out = append(out, model(text(words)))
		}
	}
	return out
}

// BenchmarkExchange is all that a request costs: looking its conversation over, and
// signing the answer.
func BenchmarkExchange(b *testing.B) {
	for _, size := range []struct {
		name         string
		turns, bytes int
	}{{"2turns", 3, 1 << 10}, {"50turns100KB", 51, 100 << 10}, {"50turns1MB", 51, 1 << 20}, {"1000turns1MB", 1001, 1 << 20}, {"30000turns1MB", 30001, 1 << 20}} {
		b.Run(size.name, func(b *testing.B) {
			h := open(b, "7", history.NewMemory(history.MemoryConfig{}), nil)
			turns := transcript(size.turns, size.bytes)
			answer := []ringwall.Part{text("That is all.")}
			// The last answer is known.
			past, err := h.Look(b.Context(), "anna", "s", conversation(turns[:len(turns)-2]...), "")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := past.Sign(b.Context(), turns[len(turns)-2].Parts, false); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size.bytes))
			b.ReportAllocs()
			for b.Loop() {
				past, err := h.Look(b.Context(), "anna", "s", conversation(turns...), "")
				if err != nil || !past.Passed()[len(turns)-2] {
					b.Fatal(err, marks(past.Passed()))
				}
				if _, err := past.Sign(b.Context(), answer, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
