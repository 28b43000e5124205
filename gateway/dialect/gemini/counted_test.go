package gemini_test

import (
	"testing"

	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
)

// All that an answer says beside its number can be replaced, and the number stays.
func FuzzCounted(f *testing.F) {
	counting := gemini.Dialect{}.Split(asked("m:countTokens", ""))
	f.Add(`{"totalTokens":42}`)
	f.Add(`{"note":"x","totalTokens":3,"more":[{"a":"b"}]}`)
	f.Fuzz(func(t *testing.T, body string) { dialecttest.Counted(t, counting, body) })
}
