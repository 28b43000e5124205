package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/toolcall"
)

// quiet is a recorder that keeps nothing.
type quiet struct{}

func (quiet) Begin(context.Context, ringwall.Event) (uint64, error) { return 0, nil }
func (quiet) End(context.Context, ringwall.Event) error             { return nil }
func (quiet) Digest(path string, way ringwall.Direction, origin ringwall.Origin, text string) ringwall.Digest {
	return ringwall.Digest{Path: path, Way: way, Origin: origin, Length: len(text)}
}

// transcript is a conversation of turns turns and about size bytes, of an agent where
// tools says so.
func transcript(turns, size int, tools bool) string {
	text, _ := json.Marshal(strings.Repeat("the order of the harbour is ready and waits. ", max(1, size/turns/45)))
	var b strings.Builder
	fmt.Fprintf(&b, `{"model":"m","messages":[{"role":"user","content":"Mail bob@example.org the order 4711."}`)
	for i := 0; i < turns; i += 2 {
		if tools {
			fmt.Fprintf(&b, `,{"role":"assistant","content":null,"tool_calls":[{"id":"c%d","type":"function","function":{"name":"read_mail","arguments":"{\"page\":%d}"}}]},{"role":"tool","tool_call_id":"c%d","content":%s}`, i, i, i, text)
		} else {
			fmt.Fprintf(&b, `,{"role":"assistant","content":%s},{"role":"user","content":%s}`, text, text)
		}
	}
	b.WriteString("]")
	if tools {
		b.WriteString(`,"tools":[{"type":"function","function":{"name":"read_mail","parameters":{"type":"object","properties":{"page":{"type":"integer"}}}}},{"type":"function","function":{"name":"send_email","parameters":{"type":"object","properties":{"to":{"type":"string"},"order":{"type":"integer"}}}}}]`)
	}
	return b.String() + "}"
}

// What it costs that somebody decides about calls, through all of the gateway but a guard:
// nothing where a request is about no tools, and beside a transcript of 50 turns and
// 100 KB about the reading of it.
func BenchmarkCallsOfTools(b *testing.B) {
	const sends = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"s1","type":"function","function":{"name":"send_email","arguments":"{\"to\":\"bob@example.org\",\"order\":4711}"}}]},"finish_reason":"tool_calls"}]}`
	g, err := guard.New(guard.Config{Name: "none", Rules: []guard.Rule{{Control: "inference/word", Detector: guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) { return nil, nil }), Input: &guard.Actions{Default: ringwall.Flag}}}})
	if err != nil {
		b.Fatal(err)
	}
	for _, tt := range []struct {
		name, body, answer string
	}{
		{"no tools", transcript(50, 100_000, false), fine},
		{"tools, no call", transcript(50, 100_000, true), fine},
		{"a call", transcript(50, 100_000, true), sends},
		{"a call, 1 MB", transcript(50, 1_000_000, true), sends},
	} {
		for _, judge := range []*toolcall.Judge{nil, toolcall.New(toolcall.Config{})} {
			name := tt.name + map[bool]string{true: "/judged", false: "/not"}[judge != nil]
			b.Run(name, func(b *testing.B) {
				w := world(g, model{tt.answer, func() {}})
				w.Tools = judge
				gw, err := gateway.New(gateway.Config{Records: quiet{}, World: w, Auth: nobody{}})
				if err != nil {
					b.Fatal(err)
				}
				mux := http.NewServeMux()
				gw.Handle(mux, "POST /v1/chat/completions", openai.Chat{})
				took := make([]time.Duration, 0, 1<<16)
				b.ReportAllocs()
				for b.Loop() {
					r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(tt.body))
					r.Header.Set("Content-Type", "application/json")
					rec := httptest.NewRecorder()
					start := time.Now()
					mux.ServeHTTP(rec, r)
					if took = append(took, time.Since(start)); len(took) == cap(took) {
						took = took[:0]
					}
					if rec.Code != http.StatusOK {
						b.Fatal(rec.Code, rec.Body)
					}
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
			})
		}
	}
}
