package dialect_test

import (
	"strings"
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

// What is silent, All finds no text in, and where All finds none in a single value,
// it is silent.
func TestSilentValuesHaveNoText(t *testing.T) {
	g := dialect.Grammar{Names: dialect.NameSet("name")}
	long := `"` + strings.Repeat("x", dialect.LongestName) + `"`
	for src, silent := range map[string]bool{
		`{"name":"a"}`: true, `{"name":` + long + `}`: false, `{"other":"a"}`: false, `{"other":""}`: false,
		`{"other":1}`: true, `{"other":true}`: true, `{"other":null}`: true, `{"name":["a"]}`: false, `{"name":{"name":"a"}}`: false,
	} {
		var doc jsonedit.Doc
		if err := doc.Parse([]byte(src), jsonedit.Limits{}); err != nil {
			t.Fatal(err)
		}
		for key, v := range doc.Root().Members() {
			l := dialect.Locator{Grammar: g}
			l.All(v, "/"+key, key, ringwall.Assistant)
			if got := g.Silent(key, v); got != silent || got && len(l.Texts()) > 0 {
				t.Errorf("%.40s: silent %t, %d texts", src, got, len(l.Texts()))
			}
		}
	}
}

func TestAgainFollowsWhatChanges(t *testing.T) {
	var doc jsonedit.Doc
	if err := doc.Parse([]byte(`["a","a","\u0061","b",1,"b"]`), jsonedit.Limits{}); err != nil {
		t.Fatal(err)
	}
	var got, before string
	for _, v := range doc.Root().Elems() {
		got += dialect.Again(v, &before) + "."
	}
	if got != "a.a.a.b..b." {
		t.Errorf("read %q", got)
	}
}
