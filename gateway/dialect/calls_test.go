package dialect_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
)

// A result is for the first call that waits and that it names, which is what looking
// through all of them says.
func TestCallsAreAnsweredInTheirOrder(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var calls dialect.Calls
		var wait []*ringwall.ToolCall
		for i := range 40 {
			if rng.IntN(2) == 0 {
				call := &ringwall.ToolCall{Name: fmt.Sprint("n", rng.IntN(3))}
				if rng.IntN(2) == 0 {
					call.ID = fmt.Sprint("i", rng.IntN(4))
				}
				calls.Asked(call)
				wait = append(wait, call)
				continue
			}
			r := ringwall.ToolResult{}
			switch rng.IntN(3) {
			case 0:
				r.ID = fmt.Sprint("i", rng.IntN(4))
			case 1:
				r.Name = fmt.Sprint("n", rng.IntN(3))
			}
			want := -1
			for j, call := range wait {
				if r.ID != "" && r.ID == call.ID || r.ID == "" && (r.Name == call.Name || r.Name == "") {
					want = j
					break
				}
			}
			if got := calls.Answered(&r); got != (want >= 0) || got && (r.ID != wait[want].ID || r.Name != wait[want].Name) {
				t.Fatalf("seed %d, step %d: %v %+v, want call %d of %v", seed, i, got, r, want, wait)
			}
			if want >= 0 {
				wait = append(wait[:want:want], wait[want+1:]...)
			}
		}
	}
}

// BenchmarkCalls answers many calls, each as soon as another one.
func BenchmarkCalls(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var calls dialect.Calls
				for range n {
					calls.Asked(&ringwall.ToolCall{Name: "pay"})
				}
				for range n {
					if !calls.Answered(&ringwall.ToolResult{Name: "pay"}) {
						b.Fatal("a call has no result")
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/call")
		})
	}
}
