package anthropic_test

import (
	"testing"

	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
)

// All that an answer says beside its number can be replaced, and the number stays.
func FuzzCounted(f *testing.F) {
	f.Add(`{"input_tokens":42}`)
	f.Add(`{"note":"x","input_tokens":3,"more":[{"a":"b"}]}`)
	f.Fuzz(func(t *testing.T, body string) { dialecttest.Counted(t, anthropic.Counting{}, body) })
}
