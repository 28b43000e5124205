package strictyaml_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v4"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

var update = flag.Bool("update", false, "rewrite testdata")

func TestExample(t *testing.T) {
	got := strictyaml.Example(config{})
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "example.yaml"), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.Join("testdata", "example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	c, _, err := decode(string(got))
	if err != nil {
		t.Fatalf("the example cannot be decoded: %v", err)
	}
	if len(c.Providers) != 1 || c.Providers["openai"].Headers["x-team"] != "shop" || len(c.Rules) != 1 {
		t.Errorf("the example lost entries: %+v", c)
	}
}

func TestExampleShowsEveryField(t *testing.T) {
	type odd struct {
		Words []string                  `yaml:"words" example:"yes"`
		Deep  map[string]map[string]int `yaml:"deep" doc:"maps\nof maps"`
		Empty struct{}                  `yaml:"empty"`
		Text  string                    `yaml:"text" example:"it's: a #trap"`
		Date  string                    `yaml:"date" example:"2024-10-21"`
		Wild  string                    `yaml:"wild" example:"*.example.com"`
		Blank string                    `yaml:"blank" default:""`
		Key   strictyaml.Secret         `yaml:"api-key"`
		Level level                     `yaml:"level" enum:"no|yes"`
		List  []map[string]bool         `yaml:"list"`
		Ratio *float64                  `yaml:"ratio" example:"0.25"`
		Size  strictyaml.Size           `yaml:"size" default:"1GiB"`
		Zero  struct {
			In strictyaml.Size `yaml:"in"`
		} `yaml:"zero"`
	}
	example := string(strictyaml.Example(&odd{}))
	for _, line := range []string{
		`words: ["yes"]`, "deep:\n  name:\n    name: 0", "# maps of maps", "empty: {}", `text: "it's: a #trap"`,
		`date: "2024-10-21"`, `wild: "*.example.com"`, `# (default "")` + "\n" + `blank: ""`, "api-key: env:API_KEY",
		"# (one of no, yes)\n" + `level: "no"`, "list: []", "ratio: 0.25", "size: 1GiB", "zero:\n  in: 0B",
	} {
		if !strings.Contains(example, line+"\n") {
			t.Errorf("no line %q in\n%s", line, example)
		}
	}
}

func TestSchemaAgreesWithDecode(t *testing.T) {
	var schema jsonschema.Schema
	raw := strictyaml.Schema(config{})
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Schema != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("it says it is %q", schema.Schema)
	}
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []string{
		string(strictyaml.Example(config{})),
		"{}",
		"demo: null",
		"limits: {body: 5}",
		"limits: {body: -5}",
		"limits: {body: 5kb}",
		"limits: {timeout: 1h2.5m}",
		"limits: {timeout: .5s}",
		"limits: {timeout: 5}",
		"limits: {timeout: 5 s}",
		"lisen: x",
		"labels: {a: 5}",
		"labels: {'': a}",
		"providers: {a: {kind: other}}",
		"providers: {a: {key: sk-123}}",
		"providers: {a: {key: env:A_1}}",
		"providers: {a: {key: env:1A}}",
		"providers: {a: {key: file:/run/key}}",
		"providers: {a: {key: file:run/key}}",
		"providers: {a: {weight: 255}}",
		"providers: {a: {weight: 256}}",
		"rules: [{levels: [low]}]",
		"rules: [{levels: [mid]}]",
		"rules: {}",
		"count: -9223372036854775808",
		"count: 1.5",
	} {
		var value any
		if err := yaml.Load([]byte(src), &value); err != nil {
			t.Fatal(err)
		}
		_, _, err := decode(src)
		if bySchema := resolved.Validate(value); (err == nil) != (bySchema == nil) {
			t.Errorf("%s:\nDecode: %v\nschema: %v", src, err, bySchema)
		}
	}
}

func TestSchemaDescribesFields(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Description string
			Default     any
		}
	}
	raw := strictyaml.Schema(&config{})
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	if p := s.Properties["listen"]; !strings.HasPrefix(p.Description, "address and port") || p.Default != "127.0.0.1:8080" {
		t.Errorf("listen: %+v", p)
	}
	if string(raw) != string(strictyaml.Schema(config{})) {
		t.Error("two calls, two schemas")
	}
	if strings.Index(string(raw), `"version"`) > strings.Index(string(raw), `"limits"`) {
		t.Error("the fields are not in their order")
	}
}
