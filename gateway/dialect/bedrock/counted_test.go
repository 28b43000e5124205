package bedrock_test

import (
	"testing"

	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
)

// All that an answer says beside its number can be replaced, and the number stays.
func FuzzCounted(f *testing.F) {
	f.Add(`{"inputTokens":42}`)
	f.Add(`{"note":"x","inputTokens":3,"more":[{"a":"b"}]}`)
	f.Fuzz(func(t *testing.T, body string) { dialecttest.Counted(t, bedrock.Count{}, body) })
}
