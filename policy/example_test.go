package policy_test

import (
	"testing"

	"github.com/ringwall/ringwall/policy"
)

func TestTheExampleIsInOrder(t *testing.T) {
	b, err := policy.Parse(policy.Example(), policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Policies()) != 9 || len(b.Tests()) < 15 {
		t.Errorf("%d policies, %d tests", len(b.Policies()), len(b.Tests()))
	}
}
