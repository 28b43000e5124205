package dialect

import (
	"math"
	"slices"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Wants returns the names of the tools that a request offers a model, sorted, and the
// most tokens that its answer may have, 0 where it does not say: of a body of any API
// that we speak, which the dialect has read before. A tool of the provider's own has its
// type for a name. The error says that the body cannot be read again.
func Wants(body []byte) (tools []string, tokens int64, err error) {
	var d jsonedit.Doc
	if err := d.Parse(body, jsonedit.Limits{Bytes: len(body), AllowNUL: true}); err != nil {
		return nil, 0, err
	}
	for key, v := range d.Root().Members() {
		switch key {
		case "tools", "functions":
			tools = offered(tools, v)
		case "toolConfig":
			tools = offered(tools, v.Get("tools"))
		case "max_tokens", "max_completion_tokens", "max_output_tokens", "max_tokens_to_sample":
			tokens = most(tokens, v)
		case "generationConfig", "generation_config":
			tokens = most(most(tokens, v.Get("maxOutputTokens")), v.Get("max_output_tokens"))
		case "inferenceConfig":
			tokens = most(tokens, v.Get("maxTokens"))
		case "options":
			tokens = most(tokens, v.Get("num_predict"))
		}
	}
	slices.Sort(tools)
	return slices.Compact(tools), tokens, nil
}

// most returns the larger of two limits. One that is no whole number may be read as any.
func most(tokens int64, v jsonedit.Value) int64 {
	if !v.Exists() || v.Kind() == jsonedit.Null {
		return tokens
	}
	n, ok := v.Int()
	if !ok {
		return math.MaxInt64
	}
	return max(tokens, n)
}

// offered appends the names of a list of tools.
func offered(tools []string, list jsonedit.Value) []string {
	if !list.Exists() || list.Kind() != jsonedit.Array {
		return tools
	}
	for _, tool := range list.Elems() {
		if tool.Kind() != jsonedit.Object {
			continue
		}
		named := len(tools)
		add := func(v jsonedit.Value) {
			if v.Exists() && v.Kind() == jsonedit.Object {
				if name := v.Get("name"); name.Exists() && name.Kind() == jsonedit.String {
					tools = append(tools, name.Text())
				}
			}
		}
		for _, in := range []jsonedit.Value{tool, tool.Get("function"), tool.Get("toolSpec"), tool.Get("custom")} {
			add(in)
		}
		for _, key := range []string{"functionDeclarations", "function_declarations"} {
			if more := tool.Get(key); more.Exists() && more.Kind() == jsonedit.Array {
				for _, one := range more.Elems() {
					add(one)
				}
			}
		}
		if len(tools) > named {
			continue
		}
		if typ := tool.Get("type"); typ.Exists() && typ.Kind() == jsonedit.String {
			tools = append(tools, typ.Text())
			continue
		}
		for key := range tool.Members() { // {"googleSearch": {}}
			tools = append(tools, key)
		}
	}
	return tools
}
