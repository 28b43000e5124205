package gemini_test

import (
	"encoding/json"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/guard"
)

// All that an answer says beside its number can be replaced, and the number stays.
func FuzzCounted(f *testing.F) {
	counting := gemini.Dialect{}.Split(asked("m:countTokens", ""))
	f.Add(`{"totalTokens":42}`)
	f.Add(`{"note":"x","totalTokens":3,"more":[{"a":"b"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		a, err := counting.Answer(nil, []byte(body))
		if err != nil {
			return
		}
		a.Usage()
		if out := a.Withhold(gateway.Declined{Message: "no"}); !json.Valid(out) {
			t.Fatalf("withheld %s", out)
		}
		var all []guard.Changed
		for i := range a.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked"})
		}
		out := a.Edit(all)
		again, err := counting.Answer(nil, out)
		if err != nil {
			t.Fatalf("an edited answer cannot be read: %v\n%s", err, out)
		}
		for _, text := range again.Texts() {
			if text.Value != "masked" {
				t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
			}
		}
	})
}
