package dialect_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
)

// talks are requests of 50 turns in which a tool returns text of a size.
var talks = []struct {
	name string
	read func(body string) (gateway.Request, error)
	// The body around the turns, a call and its result, with %[1]d for the turn and
	// %[2]s for the text.
	body, turn string
}{
	{
		"anthropic", func(body string) (gateway.Request, error) {
			return anthropic.Messages{}.Read(httptest.NewRequest(http.MethodPost, "/v1/messages", nil), []byte(body))
		},
		`{"model":"m","tools":[{"name":"read","input_schema":{}}],"messages":[%s]}`,
		`{"role":"assistant","content":[{"type":"tool_use","id":"t%[1]d","name":"read","input":{"n":%[1]d}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t%[1]d","content":"%[2]s"}]}`,
	},
	{
		"bedrock-converse", func(body string) (gateway.Request, error) {
			return bedrock.Converse{}.Read(httptest.NewRequest(http.MethodPost, "/model/m/converse", nil), []byte(body))
		},
		`{"toolConfig":{"tools":[{"toolSpec":{"name":"read"}}]},"messages":[%s]}`,
		`{"role":"assistant","content":[{"toolUse":{"toolUseId":"t%[1]d","name":"read","input":{"n":%[1]d}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"t%[1]d","content":[{"text":"%[2]s"}]}}]}`,
	},
	{
		"gemini", func(body string) (gateway.Request, error) {
			r := httptest.NewRequest(http.MethodPost, "/v1beta/models/x", nil)
			r.SetPathValue("call", "m:generateContent")
			return gemini.Dialect{}.Read(r, []byte(body))
		},
		`{"tools":[{"functionDeclarations":[{"name":"read"}]}],"contents":[%s]}`,
		`{"role":"model","parts":[{"functionCall":{"name":"read","args":{"n":%[1]d}}}]},{"role":"user","parts":[{"functionResponse":{"name":"read","response":{"output":"%[2]s"}}}]}`,
	},
}

// BenchmarkConversation tells conversations that were read before.
func BenchmarkConversation(b *testing.B) {
	for _, talk := range talks {
		for _, size := range []int{100 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/%dKB", talk.name, size>>10), func(b *testing.B) {
				var turns []string
				for i := range 50 {
					turns = append(turns, fmt.Sprintf(talk.turn, i, strings.Repeat("a word ", size/50/7)))
				}
				r, err := talk.read(fmt.Sprintf(talk.body, strings.Join(turns, ",")))
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := r.(gateway.Acting).Conversation(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
