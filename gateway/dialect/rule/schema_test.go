package rule_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/rule"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

// A request that no dialect parsed is parsed when a rule has a schema.
func TestSchemaOfAnythingElse(t *testing.T) {
	s, err := schema.Compile([]byte(`{"required":["text"]}`))
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rule.New([]rule.Rule{{Name: "r", Schema: "s", MaxTokens: 5}}, map[string]*schema.Schema{"s": s}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = rs.Check(gateway.Input{API: "presidio", Route: "/analyze", Body: []byte(`{"texts":"a"}`)})
	refuses(t, err, `(line 1, column 1): the schema requires "text"`)
	if _, _, err = rs.Check(gateway.Input{API: "presidio", Route: "/analyze", Body: []byte(`{"text":"a"}`)}); err != nil {
		t.Errorf("Check() = %v: an API without models has no tokens to say", err)
	}
}

// all demands everything that can be demanded, with and without clamp.
func all(clamp bool) rule.Rule {
	one := rule.Range{Max: 1, Set: true}
	return rule.Rule{
		Name: "all", Roles: "strict", Fields: "allowed", Clamp: clamp, MaxTokens: 100, Choices: 1, Temperature: one, TopP: one, Stops: 4, Messages: 40,
		Prompt: 1 << 20, Media: []string{"image"}, MostTools: 3, ToolNames: []string{"*"}, SchemaDepth: 5, Efforts: []string{"low"}, Thinking: 10,
		Formats: []string{"text", "json"}, Metadata: []string{"a"},
	}
}

// Whatever a request is, looking at it does not break, and what is lowered leaves JSON
// that the dialect reads and that says the same but for the lowered numbers.
func FuzzCheck(f *testing.F) {
	targets := []string{chat, responses, messages, converse, claude, titan, llama, stranger, gem, ollamas, generate, prompts, vectors, "/v1/messages/count_tokens", "/model/m/count-tokens"}
	for _, body := range []string{
		`{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":1e9,"n":7,"tools":[{"function":{"name":"a","parameters":{"a":{}}}}]}`,
		`{"model":"m","input":[{"type":"function_call_output","call_id":"1","output":[{"type":"input_image"}]}],"prompt":{"variables":{"a":{"type":"input_file"}}}}`,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"image"}]}]}],"thinking":{"budget_tokens":-1}}`,
		`{"messages":[{"role":"user","content":[{"guardContent":{"image":{}}},{"toolResult":{"content":[{"video":{}}]}}]}],"inferenceConfig":null}`,
		`{"contents":{"parts":{"functionResponse":{"name":"a","parts":[{"inline_data":{"mime_type":"x"}}]}}},"generation_config":{"candidate_count":3}}`,
		`{"model":"m","messages":[{"role":"tool","Tool_name":"a","images":[""]}],"OPTIONS":{"NUM_PREDICT":-2},"format":"json","think":"high"}`,
		`{"model":"m","prompt":["a","b"],"best_of":99999999999999999999,"max_tokens":null}`,
		`{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}}`,
		`{"inputText":"a","textGenerationConfig":{"maxTokenCount":-1}}`,
	} {
		for i := range targets {
			f.Add(i, body)
		}
	}
	s, err := schema.Compile([]byte(`{"properties":{"model":{"maxLength":40},"messages":{"items":{"required":["role"]},"uniqueItems":true}}}`))
	if err != nil {
		f.Fatal(err)
	}
	made := func(r rule.Rule, named string) *rule.Rules {
		r.Schema = named
		rs, err := rule.New([]rule.Rule{r}, map[string]*schema.Schema{"s": s}, nil)
		if err != nil {
			f.Fatal(err)
		}
		return rs
	}
	strict, clamp := made(all(false), "s"), made(rule.Rule{Name: "clamp", Clamp: true, MaxTokens: 100, Choices: 2}, "")
	f.Fuzz(func(t *testing.T, n int, body string) {
		target := targets[uint(n)%uint(len(targets))]
		in, err := parse(target, body)
		if err != nil {
			return
		}
		if edits, _, _ := strict.Check(in); len(edits) > 0 {
			t.Fatalf("edits without clamp: %v", edits)
		}
		edits, lowered, err := clamp.Check(in)
		if err != nil || len(edits) == 0 {
			return
		}
		out := string(jsonedit.Splice(nil, in.Document.Source(), edits))
		again, err := parse(target, out)
		if err != nil {
			t.Fatalf("%s became\n%s, which is refused: %v", body, out, err)
		}
		if more, _, err := clamp.Check(again); err != nil || len(more) > 0 {
			t.Fatalf("%s became\n%s, which is still too much: %v, %v", body, out, more, err)
		}
		if was, is := without(t, body, lowered), without(t, out, lowered); !reflect.DeepEqual(was, is) {
			t.Fatalf("%s became\n%s, which says something else", body, out)
		}
	})
}

// without decodes a document without what pointers lead to, nor the objects that this
// leaves empty.
func without(t *testing.T, doc string, pointers []string) any {
	var v map[string]any
	dec := json.NewDecoder(strings.NewReader(doc))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	for _, p := range pointers {
		keys := strings.Split(p, "/")[1:]
		at := []map[string]any{v}
		for _, k := range keys[:len(keys)-1] {
			m, _ := at[len(at)-1][k].(map[string]any)
			at = append(at, m)
		}
		delete(at[len(at)-1], keys[len(keys)-1])
		for i := len(at) - 1; i > 0 && len(at[i]) == 0; i-- {
			delete(at[i-1], keys[i-1])
		}
	}
	return v
}

// body is a request of two kilobytes.
func body(t testing.TB) gateway.Input {
	var turns []string
	for i := range 6 {
		role := []string{"user", "assistant"}[i%2]
		turns = append(turns, fmt.Sprintf(`{"role":%q,"content":[{"type":"text","text":%q}]}`, role, strings.Repeat("some words of a talk ", 10)))
	}
	return read(t, chat, `{"model":"gpt-5-mini","messages":[`+strings.Join(turns[:5], ",")+`],"max_completion_tokens":90,"temperature":0.2,"tools":[{"type":"function","function":{"name":"get_weather","description":"tells the weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"metadata":{"a":"b"},"stream":true}`)
}

func BenchmarkCheck(b *testing.B) {
	s, err := schema.Compile([]byte(`{"type":"object","required":["model","messages"],"properties":{"model":{"type":"string","maxLength":64},"temperature":{"type":"number","maximum":1},
		"messages":{"type":"array","maxItems":100,"items":{"type":"object","required":["role"],"properties":{"role":{"enum":["system","user","assistant","tool"]}}}},"tools":{"type":"array","maxItems":8}}}`))
	if err != nil {
		b.Fatal(err)
	}
	in := body(b)
	for _, bb := range []struct {
		name string
		rule rule.Rule
	}{{"everything", all(false)}, {"clamp", rule.Rule{Name: "c", Clamp: true, MaxTokens: 10}}, {"schema", rule.Rule{Name: "s", Schema: "s"}}, {"another model", rule.Rule{Name: "s", Models: []string{"claude-*"}, MaxTokens: 1}}} {
		rs, err := rule.New([]rule.Rule{bb.rule}, map[string]*schema.Schema{"s": s}, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in.Body)))
			for b.Loop() {
				if _, _, err := rs.Check(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
