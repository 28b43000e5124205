package strictyaml_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

const placed = `# a comment
limits:
  body: 5B
providers:
  zeta:
    base_url: http://z
    headers: {x.y: 1, "a b": "2"}
  gpt-4.1:
    kind: openai
rules:
- name: first
- nested:
  - [1, 2]
labels:
  é: ü
`

func TestAt(t *testing.T) {
	_, pos, _ := decode(placed)
	for _, test := range []struct {
		path         string
		line, column int
	}{
		{"limits.body", 3, 9},
		{"limits", 2, 1},
		{"providers.zeta.base_url", 6, 15},
		{"providers.zeta", 5, 3},
		{"providers.zeta.headers.x.y", 7, 20},
		{`providers.zeta.headers."a b"`, 7, 30},
		{"providers.gpt-4.1.kind", 9, 11},
		{"rules[0].name", 11, 9},
		{"rules[1]", 12, 3},
		{"rules[1].nested[0][1]", 13, 9},
		{"labels.é", 15, 6},
		{"", 2, 1},
		// what is not there stands at what is around it
		{"providers.zeta.kind", 5, 3},
		{"providers.none.kind", 4, 1},
		{"rules[7].name", 10, 1},
		{"demo", 2, 1},
	} {
		if line, column := pos.At(test.path); line != test.line || column != test.column {
			t.Errorf("%q is at %d:%d, want %d:%d", test.path, line, column, test.line, test.column)
		}
	}
}

func TestKeysAreInTheOrderOfTheFile(t *testing.T) {
	_, pos, _ := decode(placed)
	for path, want := range map[string][]string{
		"providers":              {"zeta", "gpt-4.1"},
		"providers.zeta.headers": {"x.y", "a b"},
		"":                       {"limits", "providers", "rules", "labels"},
		"rules":                  nil,
		"limits.body":            nil,
		"none":                   nil,
	} {
		if got := pos.Keys(path); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestErrorf(t *testing.T) {
	_, pos, _ := decode(placed)
	path := strictyaml.Key(strictyaml.Key("providers", "zeta"), "base_url")
	err := pos.Errorf(path, "no such host: %w", fs.ErrNotExist)
	if got, want := err.Error(), "ringwall.yaml:6:15: providers.zeta.base_url: no such host: file does not exist"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var p *strictyaml.Problem
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &p) || p.Line != 6 {
		t.Errorf("%#v", err)
	}
	var none *strictyaml.Positions
	if got := none.Errorf("a.b", "bad").Error(); got != "a.b: bad" {
		t.Errorf("without a file: %q", got)
	}
}

func TestJoin(t *testing.T) {
	_, pos, syntax := decode("limits: {body: x}\nrules: []\nlisten: ok\n")
	err := strictyaml.Join(
		errors.New("no data directory"),
		pos.Errorf("listen", "taken"),
		nil,
		errors.Join(pos.Errorf("rules", "none"), syntax),
	)
	want := "ringwall.yaml:1:16: limits.body: want a size such as 512B, 10MB or 64KiB, found \"x\"\n" +
		"ringwall.yaml:2:1: rules: none\nringwall.yaml:3:9: listen: taken\nno data directory"
	if err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if err := strictyaml.Join(nil, nil); err != nil {
		t.Errorf("nothing is an error: %v", err)
	}
}
