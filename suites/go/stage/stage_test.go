package stage_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/suites/go/stage"
)

// A provider that takes whatever comes proves nothing: what is missing, and what
// is too much, must be a complaint.
func TestProvidersComplain(t *testing.T) {
	const (
		tools = `"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a town.","parameters":{"type":"object","properties":{"town":{"type":"string"}},"required":["town"]}}}]`
		asks  = `{"role":"user","content":"What is the weather in Bergen?"}`
		calls = `{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"get_weather","arguments":"{\"town\":\"Bergen\"}"}}]}`
	)
	for _, test := range []struct{ name, key, body, complaint string }{
		{"as it should be", stage.Key, `{"model":"tools","max_tokens":256,"messages":[` + asks + `],` + tools + `}`, ""},
		{"a turn later", stage.Key, `{"model":"tools","max_tokens":256,"messages":[` + asks + `,` + calls + `,{"role":"tool","tool_call_id":"c","content":"4 degrees, rain"}],` + tools + `}`, ""},
		{"another key", "sk-other", `{"model":"tools","max_tokens":256,"messages":[` + asks + `],` + tools + `}`, "another key"},
		{"without its tools", stage.Key, `{"model":"tools","max_tokens":256,"messages":[` + asks + `]}`, "the tools is null"},
		{"without its limit", stage.Key, `{"model":"tools","messages":[` + asks + `],` + tools + `}`, "most tokens is 0"},
		{"with a system prompt", stage.Key, `{"model":"tools","max_tokens":256,"messages":[{"role":"system","content":"x"},` + asks + `],` + tools + `}`, "the system prompt"},
		{"with a temperature", stage.Key, `{"model":"tools","max_tokens":256,"temperature":0.5,"messages":[` + asks + `],` + tools + `}`, "the temperature is 0.5"},
		{"with reasoning", stage.Key, `{"model":"tools","max_tokens":256,"reasoning_effort":"low","messages":[` + asks + `],` + tools + `}`, "reasoning is true"},
		{"with other words", stage.Key, `{"model":"tools","max_tokens":256,"messages":[{"role":"user","content":"What is the weather in Oslo?"}],` + tools + `}`, "turn 0"},
		{"a result of another call", stage.Key, `{"model":"tools","max_tokens":256,"messages":[` + asks + `,` + calls + `,{"role":"tool","tool_call_id":"d","content":"4 degrees, rain"}],` + tools + `}`, "turn 2"},
		{"what policy declines", stage.Key, `{"model":"declined","max_tokens":256,"messages":[` + asks + `]}`, "all the same"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stage.New()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/platform/v1/chat/completions", strings.NewReader(test.body))
			r.Header.Set("Authorization", "Bearer "+test.key)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			got := strings.Join(s.Complaints(), "\n")
			if body, _ := io.ReadAll(w.Body); (got == "") != (test.complaint == "") || !strings.Contains(got, test.complaint) || (w.Code == http.StatusOK) != (got == "") {
				t.Errorf("complaints %q, want %q; status %d: %s", got, test.complaint, w.Code, body)
			}
		})
	}
}
