package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/grounding"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

// An answer is held against what tools returned and what the instructions mark as
// context, as the model read them, and against the last question. The record says
// what could not be judged.
func TestAnswersAreHeldAgainstTheirSources(t *testing.T) {
	d, err := grounding.New(grounding.Config{Grounding: 0.6, Relevance: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	mask := &guard.Actions{Default: ringwall.Mask}
	g := guardrail(t,
		guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: mask, Output: mask},
		guard.Rule{Control: grounding.Control, Detector: d, Output: &guard.Actions{}},
	)
	const (
		tool   = `{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"terms","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"The warranty lasts two years. Mail ann@example.com."}`
		system = `{"role":"system","content":"Answer from this.\n<context>The warranty lasts two years.</context>\nThe warranty lasts nine years in jokes."}`
		asks   = `{"role":"user","content":"How long is the warranty?"}`
		asked  = `{"role":"user","content":"Which colours are there?"},{"role":"assistant","content":"Red."},`
	)
	for _, tt := range []struct {
		name, messages, answer string
		passes                 bool
		looks                  string
	}{
		{"what a tool returned", asks + "," + tool, "The warranty lasts two years.", true, "ran"},
		{"what no tool returned", asks + "," + tool, "The warranty lasts nine years.", false, "ran"},
		{"what was masked for the model", asks + "," + tool, "The warranty: mail {EMAIL}.", true, "ran"},
		{"what the context says", system + "," + asks, "The warranty lasts two years.", true, "ran"},
		{"what stands beside the context", system + "," + asks, "The warranty lasts nine years.", false, "ran"},
		{"an answer to an earlier question", asked + asks + "," + tool, "The colours there are red.", false, "ran"},
		{"no sources", asks, "The warranty lasts nine years.", true, "ran, skipped no-sources"},
		{"no question", tool, "The warranty lasts two years.", true, "ran, skipped no-query"},
		{"neither", `{"role":"system","content":"Say something."}`, "The warranty lasts nine years.", true, "skipped no-sources"},
	} {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed: %v", tt.name, streamed), func(t *testing.T) {
				log := records(t)
				said, _ := json.Marshal(tt.answer)
				answer := strings.Replace(fine, `"fine"`, string(said), 1)
				if streamed {
					answer = fmt.Sprintf(`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":%s},"finish_reason":"stop"}]}`, said)
				}
				_, s := serve(t, gateway.Config{Records: log, World: world(g, model{answer, func() {}})})
				resp, text := post(t, s.URL, fmt.Sprintf(`{"model":"m","stream":%v,"messages":[%s]}`, streamed, tt.messages))
				if passed := !strings.Contains(text, "content_filter"); passed != tt.passes {
					t.Errorf("it passed: %v, want %v: %s", passed, tt.passes, text)
				}
				list, err := log.Query(t.Context(), audit.Filter{ID: resp.Header.Get(gateway.Header), Oldest: true})
				if err != nil || len(list) != 2 {
					t.Fatalf("records %+v, %v", list, err)
				}
				var looks []string
				for _, l := range list[1].Event.Looks {
					if l.Control == grounding.Control && l.Way == ringwall.Output {
						looks = append(looks, strings.TrimSpace(string(l.State)+" "+l.Why))
					}
				}
				if got := strings.Join(looks, ", "); got != tt.looks {
					t.Errorf("the record has %q, want %q", got, tt.looks)
				}
			})
		}
	}
}
