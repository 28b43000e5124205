package guardrail_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/guardrail"
)

func TestBudgetsAreReadAndWritten(t *testing.T) {
	for _, src := range []string{
		"prompt_attack: {fpr: 0.5%}",
		"prompt_attack: {fpr: '0.005', turns: {half_life: 5, join: 0}}",
		"prompt_attack: {fpr: 1/300, strength: medium, threshold: 0.5}",
		"prompt_attack: {threshold: 0.9}",
		"content: {input: block, fpr: 1%, fprs: {hate: 0.1%, self-harm: 1/500}}",
		"content: {fprs: {hate: 0.1%}, input_strengths: {insult: high}, thresholds: {sexual: 0.9}}",
	} {
		s, err := guardrail.Parse("g.yaml", []byte(src))
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		for _, all := range []bool{false, true} {
			back, err := guardrail.Parse("back.yaml", s.YAML(all))
			if err != nil || !back.Equal(&s) {
				t.Errorf("%s (all: %v): %v\n%s", src, all, err, s.YAML(all))
			}
		}
	}
}

func TestBudgetsBesideOtherThresholds(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"no share", "prompt_attack: {fpr: '5'}", "g.yaml:1:22: prompt_attack.fpr: \"5\" is no budget of false positives: want a share above 0 and below 1, such as 0.5%"},
		{"a strength", "prompt_attack: {fpr: 1%, strength: high}", "g.yaml:1:22: prompt_attack.fpr: strength says already how much is taken for an attack: write one of them"},
		{"a threshold", "prompt_attack: {fpr: 1%, threshold: 0.8}", "prompt_attack.fpr: threshold says already how sure a finding must be"},
		{"a strength beside a threshold", "prompt_attack: {strength: low, threshold: 0.9}", "prompt_attack.threshold: strength says already"},
		{"a threshold of content", "content: {fpr: 1%, threshold: 0.8}", "content.fpr: threshold says already"},
		{"a threshold of the category", "content: {fprs: {hate: 1%}, thresholds: {hate: 0.8}}", "content.fprs.hate: there is a threshold for hate already"},
		{"a strength of a category", "content: {fpr: 1%, output_strengths: {hate: low}}", "content.fpr: there is a strength for hate already"},
		{"a category that there is not", "content: {fprs: {rage: 1%}}", `content.fprs.rage: there is no category "rage"`},
		{"no budget for a category", "content: {fprs: {hate: none}}", "content.fprs.hate: want a share above 0"},
		{"turns below none", "prompt_attack: {turns: {half_life: -1}}", "prompt_attack.turns.half_life: want a number of turns"},
		{"too many turns", "prompt_attack: {turns: {join: 9}}", "prompt_attack.turns.join: want a number of turns from 0 to 8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := guardrail.Parse("g.yaml", []byte(tt.src))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestDiffOfBudgets(t *testing.T) {
	parse := func(src string) *guardrail.Spec {
		s, err := guardrail.Parse("g.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		return &s
	}
	var got []string
	for _, c := range guardrail.Diff(parse("prompt_attack: {fpr: 1%}\ncontent: {fprs: {hate: 0.1%}}"), parse("prompt_attack: {fpr: 0.5%}\ncontent: {fpr: 1%, fprs: {hate: 1%}}")) {
		got = append(got, c.String())
	}
	want := []string{"~ prompt_attack.fpr: 1% → 0.5% (weaker)", "~ content.fpr: none → 1%", "~ content.fprs.hate: 0.1% → 1% (stricter)"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
