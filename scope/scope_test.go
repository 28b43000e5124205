package scope_test

import (
	"path"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/scope"
)

func TestAllows(t *testing.T) {
	const chat, guard = "/v1/chat/completions", "/guardrail/x/version/1/apply"
	ask := func(deed, model, route string) scope.Ask { return scope.Ask{Deed: deed, Model: model, Route: route} }
	for _, tt := range []struct {
		name   string
		scopes string // "-" stands for nil
		ask    scope.Ask
		want   bool
	}{
		{"no list narrows nothing", "-", ask("manage-guardrails", "", "/guardrails"), true},
		{"an empty list is good for nothing", "", ask("ask-model", "gpt-5", chat), false},
		{"a deed that is named", "ask-model", ask("ask-model", "gpt-5", chat), true},
		{"a deed that is not named", "ask-model", ask("ask-guard", "", guard), false},
		{"deeds add up", "ask-model ask-guard", ask("ask-guard", "", guard), true},
		{"a word that nobody knows", "openid", ask("ask-model", "gpt-5", chat), false},
		{"a kind that nobody knows", "tenant:acme", ask("ask-model", "gpt-5", chat), false},
		{"a word that nobody knows takes nothing away", "openid ask-model", ask("ask-model", "gpt-5", chat), true},
		{"a model that fits", "model:gpt-*", ask("ask-model", "gpt-5", chat), true},
		{"a model that does not", "model:gpt-*", ask("ask-model", "o3", chat), false},
		{"models are narrowed although the deed is named", "ask-model model:gpt-*", ask("ask-model", "o3", chat), false},
		{"models add up", "model:gpt-* model:o3", ask("ask-model", "o3", chat), true},
		{"models in capitals are others", "model:gpt-*", ask("ask-model", "GPT-5", chat), false},
		{"models alone may be listed", "model:gpt-*", ask("list-models", "", "/v1/models"), true},
		{"models alone are no leave to ask the guard", "model:gpt-*", ask("ask-guard", "", guard), false},
		{"nor to manage it", "model:*", ask("manage-guardrails", "", "/guardrails"), false},
		{"models do not narrow what is about none", "model:gpt-* ask-guard", ask("ask-guard", "", guard), true},
		{"a model without a name fits none", "model:*", ask("ask-model", "", chat), false},
		{"what nobody reads may ask any model", "model:gpt-* pass-unguarded", ask("pass-unguarded", "", "/v1/audio/x"), false},
		{"and goes where no model is named", "pass-unguarded", ask("pass-unguarded", "", "/v1/audio/x"), true},
		{"a route that fits", "route:/v1/*", ask("ask-model", "o3", chat), true},
		{"a route that does not", "route:/v1/messages", ask("ask-model", "o3", chat), false},
		{"routes alone narrow no deed", "route:/guardrail/*", ask("ask-guard", "", guard), true},
		{"all kinds together", "ask-model model:gpt-* route:*/completions", ask("ask-model", "gpt-5", chat), true},
		{"all kinds but one", "ask-model model:gpt-* route:/api/*", ask("ask-model", "gpt-5", chat), false},
		{"a path is not a prefix", "route:/v1/chat", ask("ask-model", "gpt-5", chat), false},
		{"many stars", "model:*a*b*c*", ask("ask-model", "xxaxxbxxcxx", chat), true},
		{"many stars that fit nothing", "model:*a*b*c*", ask("ask-model", "xxcxxbxxaxx", chat), false},
		{"a name that is much too long", "model:*", ask("ask-model", strings.Repeat("a", 2000), chat), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list []string
			if tt.scopes != "-" {
				list = append([]string{}, strings.Fields(tt.scopes)...)
			}
			if got := scope.Allows(list, tt.ask); got != tt.want {
				t.Errorf("%v for %q, want %v", got, list, tt.want)
			}
		})
	}
}

func TestShows(t *testing.T) {
	for scopes, want := range map[string]bool{"ask-model": true, "model:gpt-*": true, "model:o3": false, "": true} {
		if got := scope.Shows(strings.Fields(scopes), "gpt-5"); got != want {
			t.Errorf("%q: %v", scopes, got)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, good := range []string{"ask-model", "model:*", "model:anthropic.claude-*:0 route:/model/*", "observe administer"} {
		if err := scope.Check(strings.Fields(good)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	if err := scope.Check(nil); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		name, want string
		scopes     []string
	}{
		{"no words", "0 scopes", []string{}},
		{"too many", "33 scopes", make([]string, 33)},
		{"an unknown deed", `"ask-modle" is unknown: there are ask-model,`, []string{"ask-modle"}},
		{"an empty word", "is unknown", []string{""}},
		{"a word twice", "twice", []string{"ask-model", "ask-model"}},
		{"no model", "which models?", []string{"model:"}},
		{"a route without a slash", "begins with a slash", []string{"route:v1"}},
		{"a space", "without spaces", []string{"model:a b"}},
		{"a comma", "without spaces, commas", []string{"ask-model,ask-guard"}},
		{"a line break", "without spaces", []string{"model:a\n"}},
		{"a long word", "at most 128", []string{"model:" + strings.Repeat("a", 128)}},
		{"unread requests of some models", "goes with no model", []string{"model:a", "pass-unguarded"}},
	} {
		if err := scope.Check(tt.scopes); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// What path.Match says of stars holds where there are no slashes, and adding words of
// a kind that the list has never takes anything away.
func FuzzAllows(f *testing.F) {
	f.Add("gpt-*", "gpt-5", "o3")
	f.Add("*a*b", "xaxbxb", "*")
	f.Add("**", "", "a")
	f.Fuzz(func(t *testing.T, glob, name, other string) {
		ask := scope.Ask{Deed: "ask-model", Model: name, Route: "/v1"}
		got := scope.Allows([]string{"model:" + glob}, ask)
		if got && !scope.Allows([]string{"model:" + glob, "model:" + other}, ask) {
			t.Errorf("%q takes away what %q gave", other, glob)
		}
		if got && !scope.Shows([]string{"model:" + glob}, name) {
			t.Errorf("%q may be asked and not be seen", name)
		}
		if name == "" || len(name) > 1024 || strings.ContainsAny(glob, `?[\`) || strings.Contains(name, "/") {
			return
		}
		if want, err := path.Match(glob, name); err == nil && want != got && validUTF8(glob) && validUTF8(name) {
			t.Errorf("%q fits %q: %v, path.Match says %v", name, glob, got, want)
		}
	})
}

func validUTF8(s string) bool { return strings.ToValidUTF8(s, "") == s }

func BenchmarkAllows(b *testing.B) {
	list := strings.Fields("ask-model ask-guard model:gpt-* model:claude-* route:/v1/*")
	ask := scope.Ask{Deed: "ask-model", Model: "claude-opus-4-1", Route: "/v1/messages"}
	b.ReportAllocs()
	for b.Loop() {
		if !scope.Allows(list, ask) {
			b.Fatal("refused")
		}
	}
}
