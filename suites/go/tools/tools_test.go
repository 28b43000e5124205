package tools

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	weather = call{"call_w", "get_weather", `{"city":"Riga"}`}
	message = call{"call_m", "send_message", `{"text":"sunny PAYLOAD","to":"harbour"}`}
	unknown = call{"call_x", "drop_tables", `{"to":"PAYLOAD-X"}`}
)

// clients are the official clients, each of which asks as a principal of its own.
var clients = []struct {
	name  string
	make  func(t *testing.T, g *gateway) func(t *testing.T, prompt string, stream bool) answers
	stops [2]string // why answers end: with calls, and without
}{
	{"openai", openaiClient, [2]string{"tool_calls", "stop"}},
	{"anthropic", anthropicClient, [2]string{"tool_use", "end_turn"}},
	{"bedrock", bedrockClient, [2]string{"tool_use", "end_turn"}},
}

// A held call is answered in the dialect, approved by the command line, asked for again,
// and runs once; what is good beside it runs at once.
func TestHeldApprovedRunOnce(t *testing.T) {
	g, m := stand(t)
	for _, c := range clients {
		ask := c.make(t, g)
		for _, stream := range []bool{false, true} {
			name := c.name
			if stream {
				name += "-streamed"
			}
			t.Run(name, func(t *testing.T) {
				prompt := "What is the weather in Riga? Send a message to harbour with it. " + name
				m.wants(weather, message)
				a := ask(t, prompt, stream)
				runs(t, a, c.stops[0], weather)
				id := regexp.MustCompile(`ap_[A-Z0-9]+`).FindString(a.text)
				if id == "" || !strings.Contains(a.text, "send_message did not run") || strings.Contains(a.raw, "PAYLOAD") {
					t.Fatalf("the client reads %q of %s", a.text, a.raw)
				}
				if !stream && a.held != id {
					t.Errorf("the header says %q, the text %q", a.held, id)
				}
				if out := g.run("approvals", "approve", id, "--confirm", "send_message"); !strings.Contains(out, "is approved") {
					t.Fatalf("approvals approve: %s", out)
				}
				a = ask(t, prompt, stream)
				runs(t, a, c.stops[0], weather, message)
				a = ask(t, prompt, stream)
				runs(t, a, c.stops[0], weather)
				if next := regexp.MustCompile(`ap_[A-Z0-9]+`).FindString(a.text); next == "" || next == id {
					t.Errorf("asked again, it waits for %q", next)
				}
			})
		}
	}
}

// Of parallel calls those that are bad are taken out; where none is left the answer ends
// as one that asked for none. Not a byte of what does not run is on the wire.
func TestParallelCallsWithBadOnes(t *testing.T) {
	g, m := stand(t)
	for _, c := range clients {
		ask := c.make(t, g)
		for _, stream := range []bool{false, true} {
			bad := []call{unknown, weather}
			if c.name == "openai" { // other APIs have no word for such arguments
				bad = append(bad, call{"call_b", "get_weather", `{"city": PAYLOAD`})
			}
			m.wants(bad...)
			a := ask(t, "What is the weather in Riga?", stream)
			runs(t, a, c.stops[0], weather)
			if strings.Contains(a.raw, "PAYLOAD") || strings.Contains(a.raw, "call_x") || !strings.Contains(a.text, "drop_tables did not run") {
				t.Errorf("%s %t: %s", c.name, stream, a.raw)
			}
			m.wants(unknown)
			a = ask(t, "What is the weather in Riga?", stream)
			runs(t, a, c.stops[1])
			if strings.Contains(a.raw, "PAYLOAD") || strings.Contains(a.raw, "call_x") {
				t.Errorf("%s %t: %s", c.name, stream, a.raw)
			}
		}
	}
}

// runs holds what a client is to run against what it should.
func runs(t *testing.T, a answers, stop string, want ...call) {
	t.Helper()
	got := slices.Clone(a.calls)
	for i := range got {
		got[i].ID = ""
	}
	for i := range want {
		want[i].ID = "" // APIs may have ids of their own
	}
	if !slices.Equal(got, want) || a.stop != stop {
		t.Fatalf("the client runs %+v and ends by %q, want %+v and %q: %s", got, a.stop, want, stop, a.raw)
	}
}
