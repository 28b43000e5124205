package guardrail_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardrail"
)

func TestZeroValuesAreStrict(t *testing.T) {
	var a guardrail.Act
	var m guardrail.Mode
	var s guardrail.Strength
	if a.Off || a.Action != ringwall.Block || m != guardrail.Enforce || s != guardrail.High {
		t.Errorf("zero values %v %v %v", a, m, s)
	}
}

// Whatever can be read is written so that it is read back as the same.
func TestYAML(t *testing.T) {
	for _, src := range []string{
		"{}",
		"mode: shadow\npii: {input: off, reasons: {email: block, name: off}, thresholds: {name: 0.9}, origins: {tool: flag}}",
		"pii:\n  recognizers:\n    - {name: order, patterns: [{regex: 'ORD-\\d{8}'}, {regex: x, score: 1}], input: block, mask: '{Order No}'}",
		"word: {words: [a, 'b: c'], lists: [{name: l, words: [x], output: flag}], managed: [profanity]}",
		"judges: [{name: j, kind: bedrock, guardrail: g, region: eu-west-1, controls: [pii, word], grey: {from: 0.3, to: 0.8}, cache_ttl: 0s, key: env:K, labels: {NAME: pii/name, URL: ignore}, ways: [input]}]",
		"exceptions: [{name: a, texts: ['0800 1'], until: 2030-01-01}, {name: b, controls: [pii], until: '2030-01-01T12:00:00Z'}]",
		"prompt_leak: {canaries: ['env:CANARY']}\ntopic: {topics: [{name: t, definition: d}]}\ncontent: {input: block, input_strengths: {hate: none}}",
	} {
		s, err := guardrail.Parse("g.yaml", []byte(src))
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		for _, all := range []bool{false, true} {
			back, err := guardrail.Parse("back.yaml", s.YAML(all))
			if err != nil || !back.Equal(&s) {
				t.Errorf("%s (all: %v): %v\n%s", src, all, err, s.YAML(all))
			}
		}
		if d := guardrail.Diff(&s, &s); len(d) > 0 {
			t.Errorf("%s differs from itself: %v", src, d)
		}
	}
	d := guardrail.Default()
	if got := string(d.YAML(false)); got != "{}\n" {
		t.Errorf("the default is written as\n%s", got)
	}
}

func TestProblemsAreToldWhereTheyAre(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"an unknown control", "pi: {}", `g.yaml:1:1: pi: unknown field, did you mean "pii"?`},
		{"an unknown origin", "pii: {origins: {robot: mask}}", `g.yaml:1:24: pii.origins.robot: unknown origin "robot"`},
		{"a reason in capitals", "pii: {reasons: {EMAIL: mask}}", "g.yaml:1:24: pii.reasons.EMAIL: reasons are in kebab-case"},
		{"a threshold beyond one", "pii: {threshold: 1.5}", "g.yaml:1:18: pii.threshold: want a number from 0 to 1"},
		{"a word for a mode", "mode: off", "g.yaml:1:7: mode: want enforce or shadow"},
		{"a recognizer of nothing", "pii: {recognizers: [{name: a}]}", "g.yaml:1:21: pii.recognizers[0]: a recognizer needs patterns or words"},
		{"a name twice", "pii: {recognizers: [{name: a, words: [b]}]}\nword: {lists: [{name: a, words: [c]}]}", `g.yaml:2:23: word.lists[0].name: "a" is the name of pii.recognizers[0].name already`},
		{"a list without a name", "word: {lists: [{words: [c]}]}", "word.lists[0].name: want a name in kebab-case"},
		{"a topic without a definition", "topic: {topics: [{name: t}]}", "topic.topics[0].definition: what belongs to the topic?"},
		{"an unknown category", "content: {input_strengths: {rage: low}}", `content.input_strengths.rage: there is no category "rage"`},
		{"a grounding of one", "grounding: {grounding: 1}", "grounding.grounding: want a share from 0 to 0.99"},
		{"an exception for everything", "exceptions: [{name: all}]", "g.yaml:1:14: exceptions[0]: it would excuse everything"},
		{"an exception of an unknown control", "exceptions: [{name: x, controls: [pi]}]", `exceptions[0].controls[0]: there is no control "pi"`},
		{"no date", "exceptions: [{name: x, texts: [a], until: soon}]", "exceptions[0].until: want a day such as 2030-01-31"},
		{"a judge of an unknown kind", "judges: [{name: j, kind: oracle, controls: [pii]}]", `g.yaml:1:26: judges[0].kind: "oracle" is an unknown value`},
		{"a judge without a model", "judges: [{name: j, kind: chat, url: http://h, controls: [word]}]", "judges[0].model: a judge of kind chat needs it"},
		{"a judge with a key in its URL", "judges: [{name: j, kind: presidio, url: 'http://u:pw@h', controls: [pii]}]", "g.yaml:1:41: judges[0].url: want http(s)://host[:port]/path"},
		{"a judge of nothing", "judges: [{name: j, kind: presidio, url: http://h}]", "judges[0].controls: what is it to judge?"},
		{"a judge of what is off", "content: {input: off, output: off}\njudges: [{name: j, kind: presidio, url: http://h, controls: [content]}]", "g.yaml:2:62: judges[0].controls[0]: content looks at no text: set content.input or content.output"},
		{"a judge of what none judges", "judges: [{name: j, kind: presidio, url: http://h, controls: [limit]}]", `judges[0].controls[0]: no judge looks for "limit"`},
		{"two judges of one name", "judges: [{name: j, kind: presidio, url: http://h, controls: [pii]}, {name: j, kind: presidio, url: http://h, controls: [pii]}]", `judges[1].name: there is a judge "j" already`},
		{"a label that is none", "judges: [{name: j, kind: presidio, url: http://h, controls: [pii], labels: {PERSON: name}}]", "g.yaml:1:85: judges[0].labels.PERSON: want a control and a reason"},
		{"a label of another control", "judges: [{name: j, kind: presidio, url: http://h, controls: [pii], labels: {PERSON: word/name}}]", `judges[0].labels.PERSON: the judge does not serve "word"`},
		{"a grey zone upside down", "judges: [{name: j, kind: presidio, url: http://h, controls: [pii], grey: {from: 0.8, to: 0.3}}]", "judges[0].grey.from: the least score is above the highest"},
		{"no calls at all", "judges: [{name: j, kind: presidio, url: http://h, controls: [pii], calls_per_minute: -1}]", "judges[0].calls_per_minute: want a number from 1"},
		{"a question without a policy", "judges: [{name: j, kind: yes-no, url: http://h, model: m, controls: [pii]}]", "judges[0].policy: a judge of kind yes-no needs a policy or a risk"},
		{"a key that is no reference", "judges: [{name: j, kind: presidio, url: http://h, key: sk-1, controls: [pii]}]", "judges[0].key: want a reference"},
		{"an unknown way to wait", "pii: {stream: fast}", `pii.stream: "fast" is an unknown value`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := guardrail.Parse("g.yaml", []byte(tt.src))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	parse := func(src string) *guardrail.Spec {
		s, err := guardrail.Parse("g.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		return &s
	}
	a := parse("pii: {input: block, reasons: {email: flag}}\nword: {words: [a, b]}\nexceptions: [{name: x, texts: [q]}]")
	b := parse("pii: {input: flag, reasons: {email: flag, name: off}}\nword: {words: [b, c]}\nmode: shadow\nsecret: {fail_open: true}\nprompt_attack: {strength: high}")
	var got []string
	for _, c := range guardrail.Diff(a, b) {
		got = append(got, c.String())
	}
	want := []string{
		"~ mode: enforce → shadow (weaker)",
		"~ prompt_attack.strength: medium → high (stricter)",
		"~ secret.fail_open: false → true (weaker)",
		"~ pii.input: block → flag (weaker)",
		"+ pii.reasons.name: off",
		"- word.words: a",
		"+ word.words: c",
		"- exceptions[x]: there (stricter)",
		"- exceptions[x].texts: q",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPublishedVersionsNeverChange(t *testing.T) {
	st := guardrail.Store{Dir: filepath.Join(t.TempDir(), "guardrails")}
	s := guardrail.Default()
	if v, err := st.Versions("shop"); err != nil || len(v) != 0 {
		t.Fatalf("versions of what was never published: %v %v", v, err)
	}
	publish := func(want string) {
		t.Helper()
		if v, err := st.Publish("shop", &s); err != nil || v != want {
			t.Fatalf("published as %q (%v), want %s", v, err, want)
		}
	}
	publish("1")
	publish("1") // nothing is new in it
	s.PII.Input = guardrail.Act{Action: ringwall.Flag}
	publish("2")
	s.PII.Input = guardrail.Act{}
	first, err := st.Version("shop", "1")
	if err != nil || first.PII.Input != guardrail.Default().PII.Input {
		t.Errorf("version 1 is %+v (%v)", first, err)
	}
	second, err := st.Version("shop", "2")
	if err != nil || second.PII.Input.Action != ringwall.Flag {
		t.Errorf("version 2 is %+v (%v)", second, err)
	}
	if _, err := st.Version("shop", "3"); !errors.Is(err, guardrail.ErrNoVersion) || !strings.Contains(err.Error(), "there are 1, 2") {
		t.Errorf("version 3: %v", err)
	}
	for _, name := range []string{"", "../shop", "a/b", ".hidden"} {
		if _, err := st.Publish(name, &s); err == nil {
			t.Errorf("%q was published", name)
		}
		if _, err := st.Version(name, "1"); err == nil {
			t.Errorf("%q has a version", name)
		}
	}
	file := filepath.Join(st.Dir, "shop", "2.yaml")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(file, 0o600)
	if err := os.WriteFile(file, []byte(strings.Replace(string(src), "input: flag", "input: allow", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Version("shop", "2"); err == nil || !strings.Contains(err.Error(), "was changed after it was published") {
		t.Errorf("an edited version: %v", err)
	}
}

func TestDate(t *testing.T) {
	var d guardrail.Date
	for text, want := range map[string]time.Time{
		"2030-01-31":                time.Date(2030, 1, 31, 0, 0, 0, 0, time.UTC),
		"2030-01-31T12:00:00+02:00": time.Date(2030, 1, 31, 10, 0, 0, 0, time.UTC),
	} {
		if err := d.UnmarshalText([]byte(text)); err != nil || !d.Equal(want) {
			t.Errorf("%s is %v (%v)", text, d, err)
		}
	}
}
