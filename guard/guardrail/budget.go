package guardrail

import (
	"maps"
	"slices"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

// usualLeast is the threshold of a rule that says none.
const usualLeast = 0.5

// checkBudgets reports budgets beside which another threshold is written: which of
// them was meant cannot be told. A threshold that is written as it would be anyway
// says nothing.
func (s *Spec) checkBudgets(in func(string) string, fail func(path, format string, args ...any)) {
	a := &s.Attack
	switch {
	case a.FPR != 0 && a.Strength != Medium:
		fail(in("prompt_attack.fpr"), "strength says already how much is taken for an attack: write one of them")
	case a.FPR != 0 && a.Least != usualLeast:
		fail(in("prompt_attack.fpr"), "threshold says already how sure a finding must be: write one of them")
	case a.Strength != Medium && a.Least != usualLeast:
		fail(in("prompt_attack.threshold"), "strength says already how much is taken for an attack: write one of them")
	}
	c := &s.Content
	if c.FPR != 0 && c.Least != usualLeast {
		fail(in("content.fpr"), "threshold says already how sure a finding must be: write one of them")
	}
	for _, category := range slices.Sorted(maps.Keys(c.FPRs)) {
		at := strictyaml.Key(in("content.fprs"), category)
		if !slices.Contains(Categories, category) {
			fail(at, "there is no category %q: there are %v", category, Categories)
		} else if c.FPRs[category] == 0 {
			fail(at, "want a share above 0 and below 1, such as 0.5%%")
		}
	}
	for _, category := range Categories {
		at := in("content.fpr")
		if _, own := c.FPRs[category]; own {
			at = strictyaml.Key(in("content.fprs"), category)
		} else if c.FPR == 0 {
			continue
		}
		_, in := c.InStrength[category]
		_, out := c.OutStrength[category]
		if in || out {
			fail(at, "there is a strength for %s already: write one of them", category)
		} else if _, least := c.LeastBy[category]; least {
			fail(at, "there is a threshold for %s already: write one of them", category)
		}
	}
}
