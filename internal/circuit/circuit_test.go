package circuit_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall/internal/circuit"
)

// The breaker opens after failures in a row, lets one call try after the pause,
// and closes when it was answered.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		b := &circuit.Breaker{Most: 3, Pause: time.Minute, Tell: func(s circuit.State) { told = append(told, s.String()) }}
		call := func(o circuit.Outcome, let bool) {
			t.Helper()
			got := b.Enter()
			if got != let {
				t.Fatalf("Enter() = %v, want %v, while %s", got, let, b.State())
			}
			if got {
				b.Leave(o)
			}
		}
		call(circuit.Failed, true)
		call(circuit.Failed, true)
		call(circuit.Answered, true) // not in a row any more
		for range 2 {
			call(circuit.Failed, true)
		}
		call(circuit.Unasked, true)
		call(circuit.Failed, true)
		call(circuit.Failed, false)
		if w := b.Wait(); w != time.Minute || b.Failures() != 3 {
			t.Errorf("it waits %s behind %d failures", w, b.Failures())
		}
		<-time.After(time.Minute)
		if b.State() != circuit.HalfOpen || b.Wait() != 0 || !b.Enter() {
			t.Fatal("behind the pause nobody may try")
		}
		call(circuit.Answered, false) // one at a time
		b.Leave(circuit.Failed)
		call(circuit.Answered, false)
		<-time.After(time.Minute)
		call(circuit.Unasked, true) // no sign: the next may try
		call(circuit.Answered, true)
		if want := []string{"open", "half-open", "open", "half-open", "closed"}; !slices.Equal(told, want) {
			t.Errorf("it told %v, want %v", told, want)
		}
	})
}

// What the other side asks for is kept, and not shortened by a failure.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &circuit.Breaker{Most: 1, Pause: time.Second}
		late := b.Enter() // a call that began before
		b.Enter()
		b.Rest(time.Hour)
		if late {
			b.Leave(circuit.Failed)
		}
		if w := b.Wait(); w != time.Hour || b.Enter() {
			t.Errorf("it waits %s", w)
		}
		<-time.After(time.Hour)
		if !b.Enter() {
			t.Error("it is still open")
		}
	})
}
