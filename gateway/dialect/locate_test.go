package dialect_test

import (
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Keys of arguments are texts as well, unless they are plain names of parameters.
func TestKeysOfArgumentsAreTexts(t *testing.T) {
	for _, tt := range []struct {
		doc, want string
		texts     int
	}{
		{`{"a":{"to":"x","anna@example.com":{"n":1}}}`, `{"a":{"to":"#","#":{"n":"#"}}}`, 3},
		{`{"a":"{\"to\":\"x\",\"4111 1111 1111 1111\":true}"}`, `{"a":"{\"to\":\"#\",\"#\":true}"}`, 2},
		{`{"a":{"last_four-digits":[]}}`, `{"a":{"last_four-digits":[]}}`, 0},
	} {
		var doc jsonedit.Doc
		if err := doc.Parse([]byte(tt.doc), dialect.AnswerLimits); err != nil {
			t.Fatal(err)
		}
		var l dialect.Locator
		if v := doc.Root().Get("a"); v.Kind() == jsonedit.String {
			l.Arguments(v, "/a", ringwall.Assistant)
		} else {
			l.Every(v, "/a", ringwall.Assistant)
		}
		var all []guard.Changed
		for i := range l.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "#"})
		}
		if got := string(dialect.Splice([]byte(tt.doc), l.Edits(all))); got != tt.want || len(all) != tt.texts {
			t.Errorf("%s: %d texts, %s, want %s", tt.doc, len(all), got, tt.want)
		}
	}
}
