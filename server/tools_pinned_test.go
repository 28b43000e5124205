package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/toolcall"
)

// A tool that is not as it was pinned, one that looks like another, and one that is not
// declared where that hides it, are not shown to the model, and their calls do not run.
func TestToolsThatAreNotWhatTheyWere(t *testing.T) {
	u := newUpstream(t, wishes("One moment.", wish{"c1", "get_weather", `{"city":"Riga"}`}, wish{"c2", "get_time", `{"city":"Riga"}`}, wish{"c3", "get_weath3r", `{}`}, wish{"c4", "stranger", `{}`}))
	same := toolcall.Definition{Name: "get_weather", Description: "the tool get_weather", Input: []byte(`{"properties":{"to":{"type":"string"},"body":{"type":"string"},"city":{"type":"string"}},"type":"object"}`)}
	other := same
	other.Name, other.Description = "get_time", "what it said when somebody looked"
	r, err := toolcall.NewRegistry(
		toolcall.Tool{Name: "get_weather", Effect: toolcall.Read, Annotated: true, Pin: same.Pin()},
		toolcall.Tool{Name: "get_time", Effect: toolcall.Read, Annotated: true, Pin: other.Pin()},
	)
	if err != nil {
		t.Fatal(err)
	}
	h := stand(t, u, func(c *config.Config) { c.Tools.Declared, c.Tools.Unknown = r, "hide" })
	for _, more := range []string{"", streaming} {
		resp, body := h.chat(agent(more, asksWeather, "get_weather", "get_time", "Get-Weather", "stranger"))
		if _, calls, _ := spokenCalls(t, body); resp.StatusCode != 200 || len(calls) != 1 || calls[0].name != "get_weather" {
			t.Fatalf("the client read %d %s", resp.StatusCode, body)
		}
		if asked := u.last(); !strings.Contains(asked, `"get_weather"`) || strings.Contains(asked, `"get_time"`) || strings.Contains(asked, "Get-Weather") || strings.Contains(asked, "stranger") {
			t.Errorf("the model was offered %s", asked)
		}
		ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
		if got := outcomes(ev); !slices.Equal(got, []string{"get_weather allow", "get_time deny definition-changed", "get_weath3r strip not-offered", "stranger strip tool-unknown"}) {
			t.Errorf("the record has %q", got)
		}
	}
}
