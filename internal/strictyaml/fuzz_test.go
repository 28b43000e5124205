package strictyaml_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

// plainConfig is config without what cannot be written back: a secret.
type plainConfig struct {
	Limits limits            `yaml:"limits"`
	Rules  []rule            `yaml:"rules"`
	Labels map[string]level  `yaml:"labels"`
	Demo   *limits           `yaml:"demo"`
	Text   string            `yaml:"text"`
	Yes    bool              `yaml:"yes"`
	Small  uint8             `yaml:"small"`
	Ratio  float32           `yaml:"ratio"`
	Maps   []map[string]*int `yaml:"maps"`
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("limits: {body: 10MB, timeout: 1m}\nrules:\n- name: a\n  levels: [low]\n  nested: [[1]]\n"))
	f.Add([]byte("labels: {a: b}\ndemo: {}\ntext: |\n  x\n   y\nyes: true\nsmall: 3\nratio: 1e3\nmaps: [{a: 1, b: null}]\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n"))
	f.Add([]byte("---\n? [x]\n: !!str y\n...\n---\n"))
	f.Add([]byte("limits:\n\tbody: '\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		var c plainConfig
		pos, err := strictyaml.Decode("f", src, &c)
		pos.At("limits.body")
		pos.Keys("labels")
		if err != nil {
			var problems strictyaml.Problems
			if !errors.As(err, &problems) || len(problems) == 0 || len(problems) > strictyaml.MaxProblems+1 {
				t.Fatalf("%d problems in a %T", len(problems), err)
			}
			if !reflect.ValueOf(c).IsZero() {
				t.Fatalf("an error left %+v", c)
			}
			return
		}
		once, err := yaml.Dump(c)
		if err != nil {
			t.Fatal(err)
		}
		var again plainConfig
		if _, err := strictyaml.Decode("again", once, &again); err != nil {
			t.Fatalf("decoded, but not again: %v\n%s", err, once)
		}
		twice, err := yaml.Dump(again)
		if err != nil {
			t.Fatal(err)
		}
		// nil and empty lists are the same in a file
		if !bytes.Equal(once, twice) {
			t.Fatalf("once\n%s\ntwice\n%s", once, twice)
		}
		for _, all := range []bool{false, true} {
			out := strictyaml.Encode(c, all)
			var back plainConfig
			if _, err := strictyaml.Decode("back", out, &back); err != nil {
				t.Fatalf("encoded, but not decoded: %v\n%s", err, out)
			}
			if got := strictyaml.Encode(back, all); !bytes.Equal(got, out) {
				t.Fatalf("encoded\n%s\nand again\n%s", out, got)
			}
		}
	})
}

func FuzzPaths(f *testing.F) {
	f.Add([]byte("a: {b.c: [1, {d: 2}]}"), "a.b.c[1].d")
	f.Add([]byte("'': {'': {'': x}}"), `""."".""`)
	f.Fuzz(func(t *testing.T, src []byte, path string) {
		var c plainConfig
		pos, _ := strictyaml.Decode("f", src, &c)
		line, column := pos.At(path)
		if (line == 0) != (column == 0) || line > bytes.Count(src, []byte("\n"))+bytes.Count(src, []byte("\r"))+len(src)+1 {
			t.Errorf("%q is at %d:%d", path, line, column)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	src := strictyaml.Example(config{})
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		var c config
		if _, err := strictyaml.Decode("f", src, &c); err != nil {
			b.Fatal(err)
		}
	}
}
