package main

import (
	"regexp"
	"slices"
	"testing"
)

// A report repeats the call that printed it, so no flag may be forgotten there but
// those that say how it is printed.
func TestEvalReportsEveryFlag(t *testing.T) {
	c := evalCommand()
	var flags []string
	for _, m := range regexp.MustCompile(`(?m)^ +--([a-z-]+)`).FindAllStringSubmatch(c.Flags().FlagUsages(), -1) {
		flags = append(flags, m[1])
	}
	want := slices.Sorted(slices.Values(append([]string{"format", "title", "level", "note"}, evalFlags...)))
	slices.Sort(flags)
	if !slices.Equal(flags, want) {
		t.Errorf("the flags are %q, those that a report repeats %q: add what is new to evalFlags", flags, want)
	}
}

func TestQuoted(t *testing.T) {
	tests := []struct{ name, word, want string }{
		{"plain", "a-b_c.jsonl", "a-b_c.jsonl"},
		{"nothing", "", "''"},
		{"spaces", "a b", "'a b'"},
		{"a quote", "it's", `'it'\''s'`},
		{"what a shell would run", "$(x)", "'$(x)'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := quoted(test.word); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
