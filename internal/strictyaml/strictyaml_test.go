package strictyaml_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

type level string

type limits struct {
	Body    strictyaml.Size `yaml:"body" doc:"largest request" default:"10MB"`
	Timeout time.Duration   `yaml:"timeout" doc:"how long a model may take" default:"30s"`
}

type provider struct {
	Kind    string            `yaml:"kind" doc:"dialect that it speaks" enum:"openai|anthropic|bedrock" default:"openai"`
	BaseURL string            `yaml:"base_url" doc:"where it is" example:"https://api.example.com/v1"`
	Key     strictyaml.Secret `yaml:"key" doc:"the key sent to it" example:"env:OPENAI_API_KEY"`
	Weight  uint8             `yaml:"weight" doc:"share of requests" default:"1"`
	Headers map[string]string `yaml:"headers" doc:"sent with each request" example:"{x-team: shop}"`
}

type rule struct {
	Name   string   `yaml:"name" doc:"as the record shows it" example:"no-keys"`
	Levels []level  `yaml:"levels" doc:"when it counts" enum:"low|high" default:"[low, high]"`
	Score  float64  `yaml:"score" doc:"from which score" default:"0.5"`
	Nested [][]int8 `yaml:"nested" doc:"a list of lists"`
}

// Common is inline, and so must be exported.
type Common struct {
	Labels map[string]level `yaml:"labels" doc:"shown on the console"`
}

type config struct {
	Listen    string              `yaml:"listen" doc:"address and port to listen on, which must not be one that another program on this machine uses" default:"127.0.0.1:8080"`
	Version   string              `yaml:"version" doc:"of this file" example:"1.0"`
	Limits    limits              `yaml:"limits" doc:"what is too much"`
	Providers map[string]provider `yaml:"providers" doc:"where models are" example:"openai"`
	Rules     []rule              `yaml:"rules" doc:"in their order"`
	Demo      *limits             `yaml:"demo" doc:"limits of the demo"`
	Strict    *bool               `yaml:"strict" doc:"whether to be strict" default:"true"`
	Net       netip.Prefix        `yaml:"net" doc:"who may call" example:"10.0.0.0/8"`
	Addr      *netip.Addr         `yaml:"addr" doc:"where from"`
	Count     int64               `yaml:"count" doc:"of things"`
	Common    `yaml:",inline"`
	Ignored   func()
}

func decode(src string) (config, *strictyaml.Positions, error) {
	var c config
	pos, err := strictyaml.Decode("ringwall.yaml", []byte(src), &c)
	return c, pos, err
}

func TestDecode(t *testing.T) {
	t.Setenv("TEST_KEY", "s3cret-value")
	c, _, err := decode(`
listen: ":9000"
limits: {body: 64KiB, timeout: 1m30s}
providers:
  b.example: {kind: anthropic, key: env:TEST_KEY, weight: 200}
  a:
    base_url: http://localhost:8000/v1
rules:
  - name: first
    score: 1
    nested: [[1, -2], []]
  - levels: [high]
demo: {}
strict: false
net: 10.0.0.0/8
addr: null
labels: {team: low}
`)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	key, err := strictyaml.NewSecret("env:TEST_KEY")
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		Listen: ":9000",
		Limits: limits{64 << 10, 90 * time.Second},
		Providers: map[string]provider{
			"b.example": {Kind: "anthropic", Key: key, Weight: 200},
			"a":         {Kind: "openai", BaseURL: "http://localhost:8000/v1", Weight: 1},
		},
		Rules: []rule{
			{Name: "first", Levels: []level{"low", "high"}, Score: 1, Nested: [][]int8{{1, -2}, {}}},
			{Levels: []level{"high"}, Score: 0.5},
		},
		Demo:   &limits{10e6, 30 * time.Second},
		Strict: &no,
		Net:    netip.MustParsePrefix("10.0.0.0/8"),
		Common: Common{Labels: map[string]level{"team": "low"}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if got, err := c.Providers["b.example"].Key.Reveal(); got != "s3cret-value" || err != nil {
		t.Errorf("Reveal: %q, %v", got, err)
	}
}

func TestDecodeKeepsWhatTheFileDoesNotName(t *testing.T) {
	c := config{Listen: ":1", Limits: limits{Body: 5}, Demo: &limits{Body: 7}}
	demo := c.Demo
	if _, err := strictyaml.Decode("f", []byte("limits: {timeout: 2s}\ndemo: {timeout: 3s}"), &c); err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":1" || c.Limits != (limits{5, 2 * time.Second}) || *c.Demo != (limits{7, 3 * time.Second}) {
		t.Errorf("got %+v, demo %+v", c, *c.Demo)
	}
	if demo.Timeout != 0 {
		t.Error("the pointer that was there before was written through")
	}
	before := c
	if _, err := strictyaml.Decode("f", []byte("listen: ':2'\ncount: x"), &c); err == nil {
		t.Error("no error for text in place of a number")
	}
	if !reflect.DeepEqual(c.Listen, before.Listen) {
		t.Error("an error changed the value")
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name, src string
		want      []string // beginnings of lines, without the file name
	}{
		{"an unknown field, with the one that was meant", "lisen: x", []string{
			`1:1: lisen: unknown field, did you mean "listen"? (known: listen, version, limits,`,
		}},
		{"an unknown field deep down", "providers:\n  openai:\n    bse_url: x\n", []string{
			`3:5: providers.openai.bse_url: unknown field, did you mean "base_url"? (known: kind, base_url, key, weight, headers)`,
		}},
		{"an unknown field that is like no other", "limits: {zzz: 1}", []string{
			`1:10: limits.zzz: unknown field (known: body, timeout)`,
		}},
		{"a field written twice", "count: 1\ncount: 2", []string{"2:1: count: written twice, first in line 1"}},
		{"a key of a map written twice", "labels:\n  a: low\n  \"a\": high", []string{"3:3: labels.a: written twice, first in line 2"}},
		{"a key written twice where no field is known", "zzz: {a: 1, a: 2}", []string{"1:1: zzz: unknown field", "1:13: zzz.a: written twice"}},
		{"text for a number", "count: many", []string{"1:8: count: want a whole number, found text"}},
		{"a number for text", "version: 1.20", []string{"1:10: version: want text, found a number: quote it"}},
		{"a truth value for text", "version: true", []string{"1:10: version: want text, found true or false: quote it"}},
		{"a map for text", "version: {a: b}", []string{"1:10: version: want text, found a map"}},
		{"a list for a map", "limits: [1]", []string{"1:9: limits: want a map, found a list"}},
		{"text for a list", "rules: x", []string{"1:8: rules: want a list, found text"}},
		{"a word for a truth value", "strict: yes", []string{"1:9: strict: want true or false, found text"}},
		{"a truth value in capitals", "strict: TRUE", []string{"1:9: strict: want true or false in lower case"}},
		{"a fraction for a whole number", "count: 1.5", []string{"1:8: count: want a whole number, found a number"}},
		{"an integer that does not fit 64 bits", "count: 18446744073709551615", []string{"1:8: count: 18446744073709551615 is out of range: want -9223372036854775808 to 9223372036854775807"}},
		{"an integer that does not fit 8 bits", "providers: {a: {weight: 256}}", []string{"1:25: providers.a.weight: 256 is out of range: want 0 to 255"}},
		{"a negative number for an unsigned one", "providers: {a: {weight: -1}}", []string{"1:25: providers.a.weight: -1 is out of range"}},
		{"an element of a list inside a list", "rules: [{nested: [[1], [2, 300]]}]", []string{"1:28: rules[0].nested[1][1]: 300 is out of range: want -128 to 127"}},
		{"an octal number", "count: 0777", []string{"1:8: count: want a decimal number"}},
		{"a hexadecimal number", "count: 0x1F", []string{"1:8: count: want a decimal number"}},
		{"a number with underscores", "count: 1_000", []string{"1:8: count: want a decimal number"}},
		{"an infinite number", "rules: [{score: .inf}]", []string{"1:17: rules[0].score: want a finite number"}},
		{"a duration without a unit", "limits: {timeout: 30}", []string{"1:19: limits.timeout: want a duration such as 30s, found a number"}},
		{"a duration with an unknown unit", "limits: {timeout: 30d}", []string{`1:19: limits.timeout: want a duration such as 30s or 1h30m, found "30d"`}},
		{"a size with an unknown unit", "limits: {body: 3kb}", []string{`1:16: limits.body: want a size such as 512B, 10MB or 64KiB, found "3kb"`}},
		{"a size beyond counting", "limits: {body: 9999999999TiB}", []string{"1:16: limits.body: size 9999999999TiB is out of range"}},
		{"a value outside an enumeration", "providers: {a: {kind: opnai}}", []string{`1:23: providers.a.kind: "opnai" is an unknown value, did you mean "openai"? (known: openai, anthropic, bedrock)`}},
		{"an element outside an enumeration", "rules: [{levels: [low, mid]}]", []string{`1:24: rules[0].levels[1]: "mid" is an unknown value (known: low, high)`}},
		{"a text that its type refuses", "net: nowhere", []string{"1:6: net: netip.ParsePrefix"}},
		{"null for text", "listen:\ncount: 1", []string{"1:1: listen: want text, found nothing"}},
		{"null for a map", "providers:", []string{"1:1: providers: want a map, found nothing: write {} for none"}},
		{"null for a list", "rules: ~", []string{"1:8: rules: want a list, found nothing: write [] for none"}},
		{"null for a struct", "limits: null", []string{"1:9: limits: want a map, found nothing"}},
		{"an alias", "version: &v a\nlisten: *v", []string{"1:10: version: has an anchor", "2:9: listen: is an alias"}},
		{"a merge key", "limits:\n  <<: {body: 1B}", []string{"2:3: limits: has a merge key"}},
		{"a laughing billion", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]", []string{
			"1:1: a: unknown field", "1:4: a: has an anchor", "2:1: b: unknown field", "2:4: b: has an anchor",
			"2:8: b[0]: is an alias", "2:11: b[1]: is an alias", "3:1: c: unknown field", "3:4: c: has an anchor",
			"3:8: c[0]: is an alias", "3:11: c[1]: is an alias",
		}},
		{"an alias for a key", "version: &v a\nlabels: {*v : low}", []string{"1:10: version: has an anchor", "2:10: labels: has an alias for a key"}},
		{"a tag", "count: !!str 5", []string{"1:8: count: has a tag"}},
		{"a tag of a key", "!!str count: 5", []string{"1:1: has a tag"}},
		{"a number for a key", "labels: {7: low}", []string{`1:10: labels: has a number for a key: quote it, "7"`}},
		{"a list for a key", "labels: {[a]: low}", []string{"1:10: labels: has a list for a key"}},
		{"an empty key", "labels: {'': low}", []string{"1:10: labels: has an empty key"}},
		{"a second document", "count: 1\n---\ncount: 2", []string{"2:1: a second document begins"}},
		{"a tab as indentation", "limits:\n\tbody: 1B\n", []string{"2:1: a tab indents this line"}},
		{"nothing at all", "", []string{" is empty: write {}"}},
		{"comments alone", "# listen: x\n", []string{" is empty: write {}"}},
		{"a list for the whole", "- a", []string{"1:1: want a map, found a list"}},
		{"broken YAML", "listen: [a", []string{"2:1: while parsing a flow sequence"}},
		{"bytes that are not UTF-8", "listen: \xff", []string{" is not UTF-8"}},
		{"a control character", "listen: \"a\x00\"", []string{" control characters are not allowed"}},
		{"brackets too deep", strings.Repeat("[", 1000), []string{"1:"}},
		{"lists too deep", strings.Repeat("- ", 1000), []string{"1:"}},
		{"a key that is hard to read", "labels: {\"a b\\n\": 1, \"c.d\": {}}", []string{
			`1:19: labels."a b\n": want text`, `1:29: labels.c.d: want text`,
		}},
		{"all that is wrong, in the order of the file", "count: x\nlimits: {body: y, zzz: 1}\nlisten: *l\n", []string{
			"3:9: unknown anchor",
		}},
		{"several problems at once", "count: x\nlimits: {zzz: 1, body: y}\nlisten: 5\ncount: 2\n", []string{
			"1:8: count: want a whole number", "2:10: limits.zzz: unknown field", "2:24: limits.body: want a size",
			"3:9: listen: want text", "4:1: count: written twice",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := decode(test.src)
			if err == nil {
				t.Fatal("no error")
			}
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("a %T, want Problems", err)
			}
			got := strings.Split(err.Error(), "\n")
			for i := range max(len(got), len(test.want)) {
				if i >= len(got) || i >= len(test.want) || !strings.HasPrefix(got[i], "ringwall.yaml:"+test.want[i]) {
					t.Fatalf("got\n%s\nwant\n%s", err, strings.Join(test.want, "\n"))
				}
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	_, _, err := decode("rules:\n" + strings.Repeat("  - 5\n", 5000))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != strictyaml.MaxProblems+1 || lines[strictyaml.MaxProblems] != "ringwall.yaml: and 4900 more problems" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
	if _, _, err := decode(strings.Repeat("#", strictyaml.MaxSize+1)); err == nil || !strings.Contains(err.Error(), "at most 1048576") {
		t.Errorf("too large: %v", err)
	}
}

// The worst files that fit: none may take long or much.
func TestHostileFilesEndSoon(t *testing.T) {
	for name, unit := range map[string]string{
		"list items":    "- \n",
		"flow items":    "[],",
		"question keys": "? \n",
		"anchors":       "- &a x\n",
		"quotes":        "'",
		"comments":      "#\n",
		"long lines":    "a ",
		"colons":        "a:",
		"brackets":      "[",
		"tabs":          "\t-\n",
		"documents":     "---\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, _, err := decode(strings.Repeat(unit, strictyaml.MaxSize/len(unit)))
			if err == nil {
				t.Error("no error")
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Logf("took %v", took)
			}
		})
	}
}

func TestBugsOfTheProgramPanic(t *testing.T) {
	type self struct {
		Kids []self `yaml:"kids"`
	}
	for name, v := range map[string]any{
		"nil":              nil,
		"not a struct":     new(int),
		"not a pointer":    config{},
		"a type in itself": &self{},
		"an interface": &struct {
			A any `yaml:"a"`
		}{},
		"keys not strings": &struct {
			A map[int]int `yaml:"a"`
		}{},
		"two of one name": &struct {
			A, B int `yaml:"a"`
		}{},
		"a bad default": &struct {
			A int `yaml:"a" default:"x"`
		}{},
		"a default of a field that is not there": &struct {
			A limits `yaml:"a" default:"{bodi: 1MB}"`
		}{},
		"a default of a struct that is a word": &struct {
			A limits `yaml:"a" default:"1MB"`
		}{},
		"an enum of numbers": &struct {
			A int `yaml:"a" enum:"1|2"`
		}{},
		"an unexported field": &struct {
			a int `yaml:"a"`
		}{},
		"an unexported inline struct": &struct {
			limits `yaml:",inline"`
		}{},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r == nil {
					t.Error("no panic")
				} else if text, ok := r.(string); !ok || !strings.HasPrefix(text, "strictyaml: ") {
					t.Errorf("panic does not say what is wrong: %v", r)
				}
			}()
			_, _ = strictyaml.Decode("f", []byte("{}"), v)
		})
	}
}

// A field that is a struct may bring other defaults than the type has.
func TestDefaultsOfAStruct(t *testing.T) {
	type Act struct {
		In  string   `yaml:"in" enum:"mask|block|flag"`
		Out string   `yaml:"out" default:"flag" enum:"mask|block|flag"`
		Not []string `yaml:"not"`
	}
	type file struct {
		A   Act `yaml:"a" default:"{in: mask}"`
		B   Act `yaml:"b" default:"{in: block, out: block}"`
		C   Act `yaml:"c"`
		Act `yaml:",inline" default:"{out: mask}"`
	}
	var f file
	if _, err := strictyaml.Decode("f", []byte("a: {not: [x]}\nb: {out: mask}\n"), &f); err != nil {
		t.Fatal(err)
	}
	want := file{A: Act{"mask", "flag", []string{"x"}}, B: Act{"block", "mask", nil}, C: Act{Out: "flag"}, Act: Act{Out: "mask"}}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	if example := string(strictyaml.Example(f)); !strings.Contains(example, "a:\n  # (one of mask, block, flag; default mask)\n  in: mask\n") {
		t.Errorf("the example has other defaults:\n%s", example)
	}
}

// What Encode writes is read back as it was, whether all of it is written or
// only what differs from the defaults.
func TestEncode(t *testing.T) {
	for _, src := range []string{
		"listen: 127.0.0.1:8080", "version: 'yes: #'", "limits: {body: 64KiB}", "net: 10.0.0.0/8", "addr: 127.0.0.1", "demo: {timeout: 1m}", "strict: false", "strict: null",
		"providers: {a: {base_url: http://x, key: env:KEY, headers: {x-team: 'a\\nb'}}, 'b c': {weight: 0}}",
		"rules: [{name: a, levels: [low], score: 1e-9, nested: [[1, -2], []]}, {}]", "labels: {a: low}", "rules: []", "count: -7",
	} {
		c, _, err := decode(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		for _, all := range []bool{false, true} {
			out := strictyaml.Encode(&c, all)
			back, _, err := decode(string(out))
			c.Ignored, back.Ignored = nil, nil
			if err != nil || !same(c, back) {
				t.Errorf("%s (all: %v): %v\n%s\ngot  %+v\nwant %+v", src, all, err, out, back, c)
			}
		}
	}
	c, _, _ := decode("{}")
	if out := strictyaml.Encode(&c, false); string(out) != "{}\n" {
		t.Errorf("defaults are written: %s", out)
	}
}

// same compares but for nil and empty lists and maps, which a file cannot tell
// apart when all is written.
func same(a, b config) bool {
	return reflect.DeepEqual(a, b) || string(strictyaml.Encode(a, true)) == string(strictyaml.Encode(b, true))
}

func TestDefaults(t *testing.T) {
	c := config{Listen: ":1"}
	strictyaml.Defaults(&c)
	if c.Listen != ":1" || c.Limits != (limits{10e6, 30 * time.Second}) || c.Strict == nil || !*c.Strict {
		t.Errorf("got %+v", c)
	}
}
