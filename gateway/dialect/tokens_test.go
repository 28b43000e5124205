package dialect_test

import (
	"testing"

	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

func TestTokensSayTheTextOrNothing(t *testing.T) {
	for _, tt := range []struct {
		name, tokens, text string
		want               bool
	}{
		{"no tokens", `[]`, "a b", true},
		{"no list", `null`, "a b", true},
		{"the text", `[{"token":"a"},{"token":" b"}]`, "a b", true},
		{"words alone", `["a"," b"]`, "a b", true},
		{"another text", `[{"token":"4111"}]`, "a b", false},
		{"less than the text", `[{"token":"a"}]`, "a b", false},
		{"more than the text", `[{"token":"a b"},{"token":"4111"}]`, "a b", false},
		{"a character in two", `[{"token":"\\xc3","bytes":[195]},{"token":"\\xa9","bytes":[169]}]`, "é", true},
		{"its bytes are others", `[{"token":"4111","bytes":[97]},{"token":" b"}]`, "a b", false},
		{"a cut character that says more", `[{"token":"4111 1111 1111 1111","bytes":[195]},{"token":"","bytes":[169]}]`, "é", false},
		{"no bytes", `[{"token":"a","bytes":[256]}]`, "a", false},
	} {
		var d jsonedit.Doc
		if err := d.Parse([]byte(tt.tokens), dialect.AnswerLimits); err != nil {
			t.Fatal(err)
		}
		if got := dialect.Spells(d.Root(), tt.text); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
