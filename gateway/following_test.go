package gateway

import (
	"slices"
	"testing"

	"github.com/ringwall/ringwall"
)

// Results whose calls the provider keeps count where the answer that asked for them
// went to this caller.
func TestResultsForAnswersThatTheProviderKeeps(t *testing.T) {
	turns := []ringwall.Turn{{}, {}, {Role: ringwall.RoleAssistant}, {}}
	for _, follows := range []bool{false, true} {
		x := &exchange{turning: turning{follows: follows}}
		got := x.following(turns, []bool{false, true, false, false})
		if want := []bool{follows, true, false, false}; !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", follows, got, want)
		}
	}
}
