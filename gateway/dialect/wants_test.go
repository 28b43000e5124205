package dialect_test

import (
	"math"
	"slices"
	"testing"

	"github.com/ringwall/ringwall/gateway/dialect"
)

func TestWants(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		tools      []string
		tokens     int64
	}{
		{"nothing", `{"model":"m"}`, nil, 0},
		{"chat completions", `{"tools":[{"type":"function","function":{"name":"b","parameters":{"properties":{"name":{"type":"string"}}}}},{"type":"custom","custom":{"name":"a"}}],"max_completion_tokens":7}`, []string{"a", "b"}, 7},
		{"functions of old", `{"functions":[{"name":"f"}],"max_tokens":3}`, []string{"f"}, 3},
		{"responses", `{"tools":[{"type":"function","name":"a"},{"type":"web_search"}],"max_output_tokens":9}`, []string{"a", "web_search"}, 9},
		{"anthropic", `{"tools":[{"name":"a","input_schema":{"name":"no"}},{"type":"bash_20250124","name":"bash"}],"max_tokens":5}`, []string{"a", "bash"}, 5},
		{"converse", `{"toolConfig":{"tools":[{"toolSpec":{"name":"a"}}]},"inferenceConfig":{"maxTokens":4}}`, []string{"a"}, 4},
		{"gemini", `{"tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"}]},{"googleSearch":{}}],"generationConfig":{"maxOutputTokens":2}}`, []string{"a", "b", "googleSearch"}, 2},
		{"ollama", `{"tools":[{"type":"function","function":{"name":"a"}}],"options":{"num_predict":8}}`, []string{"a"}, 8},
		{"two limits: the larger one", `{"max_tokens":3,"max_completion_tokens":5}`, nil, 5},
		{"odd kinds", `{"tools":[1,"x",[]],"functions":{},"max_tokens":null,"toolConfig":[]}`, nil, 0},
		{"a number that is not whole", `{"max_tokens":1e9}`, nil, math.MaxInt64},
		{"as many as it likes", `{"options":{"num_predict":-1}}`, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tools, tokens, err := dialect.Wants([]byte(tt.body))
			if err != nil || !slices.Equal(tools, tt.tools) || tokens != tt.tokens {
				t.Errorf("%q, %d, %v", tools, tokens, err)
			}
		})
	}
	if _, _, err := dialect.Wants([]byte(`{"a":`)); err == nil {
		t.Error("half a body can be read")
	}
}

func FuzzWants(f *testing.F) {
	f.Add([]byte(`{"tools":[{"type":"function","function":{"name":"b"}},{"functionDeclarations":[{"name":"a"}]},{"x":{}}],"max_tokens":-1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		tools, tokens, _ := dialect.Wants(body)
		if !slices.IsSorted(tools) || tokens < 0 {
			t.Errorf("%q, %d", tools, tokens)
		}
	})
}
