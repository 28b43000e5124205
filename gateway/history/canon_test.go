package history_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/history"
)

func image(data string) ringwall.Part {
	return ringwall.Part{Kind: ringwall.PartMedia, Media: &ringwall.Media{MIME: "image/png", Data: data}}
}

// What clients do to a conversation between two turns of it changes nothing; what
// changes what is said does.
func TestCanonicalForms(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b []ringwall.Turn
		same bool
	}{
		{"white space at the ends", []ringwall.Turn{model(text("hi there"))}, []ringwall.Turn{model(text(" \nhi there\n\n"))}, true},
		{"white space between", []ringwall.Turn{model(text("the rapist"))}, []ringwall.Turn{model(text("therapist"))}, false},
		{"line ends", []ringwall.Turn{model(text("a\nb"))}, []ringwall.Turn{model(text("a\r\nb"))}, true},
		{"parts", []ringwall.Turn{model(text("a b"))}, []ringwall.Turn{model(text("a"), text(" b"))}, true},
		{"turns", []ringwall.Turn{model(text("a"), call("1", "f", "{}"))}, []ringwall.Turn{model(text("a")), model(call("1", "f", "{}"))}, true},
		{"empty parts", []ringwall.Turn{model(call("1", "f", "{}"))}, []ringwall.Turn{model(text(""), call("1", "f", "{}"))}, true},
		{"empty turns", []ringwall.Turn{user(text("a")), model(text("b"))}, []ringwall.Turn{user(text("a")), model(), model(text("b")), user(text(" "))}, true},
		{"reasoning", []ringwall.Turn{model(text("a"))}, []ringwall.Turn{model(thought("hm"), text("a"))}, true},
		{"redacted reasoning", []ringwall.Turn{model(text("a"))}, []ringwall.Turn{model(ringwall.Part{Kind: ringwall.PartRedacted, Text: "x"}, text("a"))}, true},
		{"a refusal as text", []ringwall.Turn{model(text("no"))}, []ringwall.Turn{model(ringwall.Part{Kind: ringwall.PartRefusal, Text: "no"})}, true},
		{"cache marks", []ringwall.Turn{user(text("a"))}, []ringwall.Turn{user(ringwall.Part{Text: "a", Cache: ringwall.CacheLong})}, true},
		{"text and calls the other way round", []ringwall.Turn{model(text("a"), call("1", "f", "{}"))}, []ringwall.Turn{model(call("1", "f", "{}"), text("a"))}, true},
		{"the operator between", []ringwall.Turn{user(text("a")), model(text("b"))}, []ringwall.Turn{user(text("a")), {Role: ringwall.RoleSystem, Parts: []ringwall.Part{text("x")}}, model(text("b"))}, true},
		{"members of arguments", []ringwall.Turn{model(call("1", "f", `{"a":1,"b":[1,2]}`))}, []ringwall.Turn{model(call("1", "f", ` { "b" : [ 1, 2 ], "a": 1.0 }`))}, true},
		{"escapes in arguments", []ringwall.Turn{model(call("1", "f", `{"a":"é</b>/"}`))}, []ringwall.Turn{model(call("1", "f", `{"a":"\u00e9\u003c\/b\u003e\/"}`))}, true},
		{"no arguments", []ringwall.Turn{model(call("1", "f", ``))}, []ringwall.Turn{model(call("1", "f", `{}`))}, true},
		{"elements of arguments", []ringwall.Turn{model(call("1", "f", `{"b":[1,2]}`))}, []ringwall.Turn{model(call("1", "f", `{"b":[2,1]}`))}, false},
		{"a number and its text", []ringwall.Turn{model(call("1", "f", `{"b":1}`))}, []ringwall.Turn{model(call("1", "f", `{"b":"1"}`))}, false},
		{"large numbers", []ringwall.Turn{model(call("1", "f", `{"b":12345678901234567890}`))}, []ringwall.Turn{model(call("1", "f", `{"b":12345678901234567891}`))}, false},
		{"what is no JSON", []ringwall.Turn{model(call("1", "f", `{"b":`))}, []ringwall.Turn{model(call("1", "f", `{"b": `))}, true},
		{"JSON and what is none", []ringwall.Turn{model(call("1", "f", `{"a":1,"a":2}`))}, []ringwall.Turn{model(call("1", "f", `{"a":2}`))}, false},
		{"another tool", []ringwall.Turn{model(call("1", "f", `{}`))}, []ringwall.Turn{model(call("1", "g", `{}`))}, false},
		{"a call more", []ringwall.Turn{model(call("1", "f", `{}`))}, []ringwall.Turn{model(call("1", "f", `{}`), call("2", "f", `{}`))}, false},
		{"text and a call that says it", []ringwall.Turn{model(text("f{}"))}, []ringwall.Turn{model(call("1", "f", `{}`))}, false},
		{"where a name ends", []ringwall.Turn{model(call("1", "f", `{"a":1}`))}, []ringwall.Turn{model(call("1", `f{"a"`, `:1}`))}, false},
		{"who speaks", []ringwall.Turn{model(text("a"))}, []ringwall.Turn{user(text("a"))}, false},
		{"an image", []ringwall.Turn{user(text("a"), image("AAAA"))}, []ringwall.Turn{user(text("a"), image("AAAB"))}, false},
		{"an image and its text", []ringwall.Turn{user(text("AAAA"))}, []ringwall.Turn{user(image("AAAA"))}, false},
		{
			"other ids",
			[]ringwall.Turn{model(call("1", "f", "{}"), call("2", "g", "{}")), user(result("1", "x"), result("2", "y"))},
			[]ringwall.Turn{model(call("a", "f", "{}"), call("b", "g", "{}")), user(result("b", "y"), result("a", "x"))},
			true,
		},
		{
			"no ids",
			[]ringwall.Turn{model(call("", "f", "{}"), call("", "f", "{}")), user(result("", "x"), result("", "y"))},
			[]ringwall.Turn{model(call("1", "f", "{}"), call("2", "f", "{}")), user(result("1", "x"), result("2", "y"))},
			true,
		},
		{
			"results exchanged",
			[]ringwall.Turn{model(call("1", "f", "{}"), call("2", "g", "{}")), user(result("1", "x"), result("2", "y"))},
			[]ringwall.Turn{model(call("1", "f", "{}"), call("2", "g", "{}")), user(result("2", "x"), result("1", "y"))},
			false,
		},
		{
			"a result and words",
			[]ringwall.Turn{model(call("1", "f", "{}")), user(result("1", "x"))},
			[]ringwall.Turn{model(call("1", "f", "{}")), user(text("x"))},
			false,
		},
		{
			"a result that failed",
			[]ringwall.Turn{model(call("1", "f", "{}")), user(result("1", "x"))},
			[]ringwall.Turn{model(call("1", "f", "{}")), user(ringwall.Part{Kind: ringwall.PartResult, Result: &ringwall.ToolResult{ID: "1", Failed: true, Parts: []ringwall.Part{text("x")}}})},
			false,
		},
		{
			"results in turns of their own",
			[]ringwall.Turn{model(call("1", "f", "{}"), call("2", "g", "{}")), user(result("1", "x"), result("2", "y"), text("z"))},
			[]ringwall.Turn{model(call("1", "f", "{}"), call("2", "g", "{}")), user(result("1", "x")), user(result("2", "y")), user(text("z"))},
			true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if same := slices.Equal(history.Sums(tt.a), history.Sums(tt.b)); same != tt.same {
				t.Errorf("the same: %v", same)
			}
		})
	}
}

// Arguments have one form exactly when they mean the same.
func FuzzArguments(f *testing.F) {
	f.Add(`{"a":1.50,"b":"x"}`, `{"b":"x","a":15e-1}`)
	f.Add(`{"a":"\u0000\ud83d\ude00"}`, `{"a":"\u0000😀"}`)
	f.Add(`{"a":{}}`, `{"a":[]}`)
	f.Add(`[1,"1",null,true]`, `[1.0,"1",null,false]`)
	f.Add(``, `{}`)
	f.Add(`{"a":1e400}`, `{"a":10e399}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		formA, jsonA := history.Arguments(a)
		formB, jsonB := history.Arguments(b)
		if again, ok := history.Arguments(formA); jsonA && (again != formA || !ok) {
			t.Fatalf("%q is %q and then %q", a, formA, again)
		}
		if !jsonA || !jsonB {
			return
		}
		va, okA := meaning(formA, a)
		vb, okB := meaning(formB, b)
		if okA && okB && reflect.DeepEqual(va, vb) != (formA == formB) {
			t.Fatalf("%q and %q have forms %q and %q", a, b, formA, formB)
		}
	})
}

// meaning reads JSON as another reader does; form must mean the same to it. It does
// not read numbers with great exponents.
func meaning(form, text string) (any, bool) {
	if text = strings.Trim(text, " \t\r\n\v\f"); text == "" || text == "null" {
		text = "{}"
	}
	of := func(s string) (v any, ok bool) {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return nil, false
		}
		ok = true
		return exact(v, &ok), ok
	}
	v, ok := of(text)
	w, okForm := of(form)
	if ok && okForm && !reflect.DeepEqual(v, w) {
		panic("the form " + form + " does not mean " + text)
	}
	return v, ok && okForm
}

// exact replaces numbers by their exact values.
func exact(v any, ok *bool) any {
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			v[k] = exact(m, ok)
		}
	case []any:
		for i, m := range v {
			v[i] = exact(m, ok)
		}
	case json.Number:
		at := strings.IndexAny(v.String(), "eE")
		if at >= 0 && len(v)-at > 5 || len(v) > 400 {
			*ok = false
			return nil
		}
		r, _ := new(big.Rat).SetString(v.String())
		return "number " + r.RatString()
	}
	return v
}

// Texts have one form exactly when they are the same but for white space at their ends
// and the characters that end lines, however they are cut into parts.
func FuzzTexts(f *testing.F) {
	f.Add("hello world", "hello world ", 5)
	f.Add("a\r\nb", "a\nb", 2)
	f.Add("\r", "\n", 0)
	f.Add("a\r", "a", 1)
	f.Add("", " ", 0)
	f.Fuzz(func(t *testing.T, a, b string, cut int) {
		plain := func(s string) string {
			return strings.Trim(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), " \t\n\v\f")
		}
		cut = min(max(cut, 0), len(a))
		whole := history.Sums([]ringwall.Turn{model(text(a), call("1", "f", "{}"))})
		parts := history.Sums([]ringwall.Turn{model(text(a[:cut])), model(text(a[cut:]), call("2", "f", ""))})
		other := history.Sums([]ringwall.Turn{model(text(b), call("1", "f", "{}"))})
		if !slices.Equal(whole, parts) {
			t.Fatalf("%q is another text in two parts", a)
		}
		if same := plain(a) == plain(b); same != slices.Equal(whole, other) {
			t.Fatalf("%q and %q: the same: %v", a, b, !same)
		}
	})
}

// No token but those that were given out proves anything.
func FuzzTokens(f *testing.F) {
	c := carrier{t: f, h: open(f, "7", history.NewMemory(history.MemoryConfig{}), nil), owner: "anna", session: "s", carried: true}
	a := agent()
	// At the time of fuzzing the store is empty: the token alone can prove anything.
	past, err := c.h.Look(f.Context(), "anna", "s", conversation(a[:3]...), "")
	if err != nil {
		f.Fatal(err)
	}
	given, err := past.Sign(f.Context(), a[3].Parts, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(given)
	f.Add(given + "A")
	f.Add(given[:len(given)-1])
	f.Add("")
	f.Add("AQ")
	f.Add(strings.Repeat("A", 5000))
	f.Fuzz(func(t *testing.T, token string) {
		past, err := c.h.Look(t.Context(), "anna", "s", conversation(a[:5]...), token)
		if err != nil {
			t.Fatal(err)
		}
		got := marks(past.Passed())
		if token == given && got != "pxxpp" || token != given && got != "pxxxx" {
			t.Fatalf("%q: %s", token, got)
		}
	})
}
