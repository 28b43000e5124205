package quota_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/quota"
)

// conversation is what an agent sends that looked n times, and found nothing.
func conversation(n int) []ringwall.Text {
	texts := []ringwall.Text{{Origin: ringwall.System, Value: "be kind"}, {Origin: ringwall.User, Value: "find it"}}
	for range n {
		texts = append(texts, ringwall.Text{Origin: ringwall.Assistant, Value: `{"at":"shelf"}`}, ringwall.Text{Origin: ringwall.Tool, Value: "nothing"})
	}
	return texts
}

func TestLoops(t *testing.T) {
	c := noon()
	l := quota.NewLoops(quota.LoopConfig{Window: time.Minute, Repeats: 3, Depth: 6, FanOut: 20, Now: c.Now})
	for i := 1; i <= 3; i++ {
		if got := l.Look("ann", conversation(i)); got != "" {
			t.Errorf("round %d: %s", i, got)
		}
	}
	if got := l.Look("ann", conversation(4)); got != quota.LoopRepeats {
		t.Errorf("the fourth time: %q", got)
	}
	if got := l.Look("bob", conversation(4)); got != "" {
		t.Errorf("somebody else: %q", got)
	}
	if got := l.Look("cid", conversation(7)); got != quota.LoopDepth {
		t.Errorf("seven rounds: %q", got)
	}
	c.move(3 * time.Minute)
	if got := l.Look("ann", conversation(4)); got != "" {
		t.Errorf("long after: %q", got)
	}
	for i := range 21 {
		texts := append(conversation(0), ringwall.Text{Origin: ringwall.Assistant, Value: "and?"}, ringwall.Text{Origin: ringwall.User, Value: fmt.Sprint("step ", i)})
		want := ""
		if i == 20 {
			want = quota.LoopFanOut
		}
		if got := l.Look("eve", texts); got != want {
			t.Errorf("request %d: %q", i+1, got)
		}
	}
	if quota.NewLoops(quota.LoopConfig{}) != nil {
		t.Error("nothing bounded, and loops are looked for")
	}
	var none *quota.Loops
	if none.Look("a", conversation(9)) != "" {
		t.Error("nobody looks, and finds something")
	}
}
