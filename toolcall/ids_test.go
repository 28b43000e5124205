package toolcall_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/ringwall/ringwall/toolcall"
)

// A rule that the list does not have would be counted nowhere.
func TestRuleIDsAreAll(t *testing.T) {
	src, err := os.ReadFile("rules.go")
	if err != nil {
		t.Fatal(err)
	}
	ids := toolcall.RuleIDs()
	declared := regexp.MustCompile(`(?m)^\tRule\w+\s*=\s*"([a-z-]+)"`).FindAllSubmatch(src, -1)
	for _, m := range declared {
		if !slices.Contains(ids, string(m[1])) {
			t.Errorf("the rule %s is not listed", m[1])
		}
	}
	if len(ids) != len(declared) || len(ids) != len(slices.Compact(slices.Sorted(slices.Values(ids)))) {
		t.Errorf("%d rules are listed, and %d declared", len(ids), len(declared))
	}
}
