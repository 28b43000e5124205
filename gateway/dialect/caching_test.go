package dialect_test

import (
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
)

// Marks of what may be kept go where the other API takes them, and nowhere else.
func TestMarksOfCaches(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to dialect.Codec
		body     string
		want     string
	}{
		{
			"inside a result they stand behind it",
			anthropic.Codec{},
			bedrock.Codec{},
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"b"}]}]}],"tools":[{"name":"look","input_schema":{"type":"object"}}]}`,
			`{"inferenceConfig":{"maxTokens":9},"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"text":"a"},{"text":"b"}]}},{"cachePoint":{"type":"default","ttl":"1h"}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"look","inputSchema":{"json":{"type":"object"}}}}]}}`,
		},
		{
			"behind reasoning there are none",
			bedrock.Codec{},
			anthropic.Codec{},
			`{"inferenceConfig":{"maxTokens":9},"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"cachePoint":{"type":"default"}},{"text":"y"},{"cachePoint":{"type":"default"}}]}]}`,
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"x"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"y","cache_control":{"type":"ephemeral"}}]}]}`,
		},
		{
			"on a tool of chat completions",
			openai.Codec{},
			bedrock.Codec{},
			`{"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}},"cache_control":{"type":"ephemeral","ttl":"1h"}}]}`,
			`{"system":[{"text":"s"},{"cachePoint":{"type":"default"}}],"messages":[{"role":"user","content":[{"text":"x"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"look","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default","ttl":"1h"}}]}}`,
		},
		{
			"chat completions have none",
			anthropic.Codec{},
			openai.Codec{},
			`{"model":"m","max_tokens":9,"cache_control":{"type":"ephemeral"},"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}]}`,
			`{"model":"m","max_completion_tokens":9,"messages":[{"role":"user","content":"x"}]}`,
		},
	} {
		c, err := tt.from.ReadRequest(ringwall.Call{Model: "m", Body: []byte(tt.body)})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		out, err := tt.to.WriteRequest(c)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		dialecttest.Same(t, out.Body, []byte(tt.want))
	}
}
