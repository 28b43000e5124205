package builtin_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// toolless are the ends of routes whose answers hold no calls of tools.
var toolless = []string{"/v1/completions", "{deployment}/completions", "/embeddings", "/api/generate", "/count_tokens", "/count-tokens", "/moderations"}

// routed is a request as the route of pattern has it.
func routed(t *testing.T, pattern, body string) (routed *http.Request) {
	path := strings.NewReplacer("POST ", "", "{call}", "m:generateContent", "{deployment}", "m", "{modelId}", "anthropic.claude-x").Replace(pattern)
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) { routed = r })
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Anthropic-Version", "2023-06-01")
	mux.ServeHTTP(httptest.NewRecorder(), r)
	if routed == nil {
		t.Fatalf("%s does not fit %s", path, pattern)
	}
	return routed
}

// Each dialect in which models can ask for tools has its calls told, offered and judged,
// whole and streamed: one that had them and did not would have its answers withheld.
func TestCallsAreJudgedInEveryDialect(t *testing.T) {
	requests := map[string]struct{ request, answer string }{
		"openai":           {`{"model":"m","messages":[{"role":"user","content":"hi"}]}`, `{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`},
		"openai-responses": {`{"model":"m","input":"hi"}`, `{"id":"r","object":"response","status":"completed","output":[]}`},
		"anthropic":        {`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, `{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":"end_turn"}`},
		"bedrock-converse": {`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, `{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn"}`},
		"bedrock-invoke":   {`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, `{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":"end_turn"}`},
		"gemini":           {`{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`, `{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"finishReason":"STOP","index":0}]}`},
		"ollama":           {`{"model":"m","messages":[{"role":"user","content":"hi"}]}`, `{"model":"m","message":{"role":"assistant","content":"hi"},"done":true}`},
	}
	seen := map[string]bool{}
	for pattern, d := range builtin.Dialects(jsonedit.Limits{}) {
		_, path, _ := strings.Cut(pattern, " ")
		if slices.ContainsFunc(toolless, func(end string) bool { return strings.HasSuffix(path, end) }) {
			continue
		}
		try, ok := requests[d.Name()]
		if !ok {
			t.Errorf("%s: the dialect %s is not known here: say whether models can ask for tools in it", pattern, d.Name())
			continue
		}
		seen[d.Name()] = true
		r := routed(t, pattern, try.request)
		req, err := d.Read(r, []byte(try.request))
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if _, ok := req.(gateway.Acting); !ok {
			t.Errorf("%s: requests are no gateway.Acting", pattern)
		}
		a, err := d.Answer(req, []byte(try.answer))
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if _, ok := a.(gateway.Calling); !ok {
			t.Errorf("%s: answers are no gateway.Calling", pattern)
		}
		relay := d.Relay(req, func(string) gateway.Channel { return nil })
		if _, ok := relay.(gateway.Judging); !ok {
			t.Errorf("%s: streams are no gateway.Judging", pattern)
		}
	}
	for name := range requests {
		if !seen[name] {
			t.Errorf("no route speaks %s", name)
		}
	}
}
