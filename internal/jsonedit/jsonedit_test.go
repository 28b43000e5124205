package jsonedit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

func TestSpliceKeepsWhatItDoesNotKnow(t *testing.T) {
	src := []byte(`{"model":"m", "new_field" : {"a":[1.0,2e3]}, "messages":[{"role":"user","content":"my \u006bey"}]}`)
	var d jsonedit.Doc
	if err := d.Parse(src, jsonedit.Limits{}); err != nil {
		t.Fatal(err)
	}
	var content jsonedit.Value
	for _, m := range d.Root().Get("messages").Elems() {
		content = m.Get("content")
	}
	if got := content.Text(); got != "my key" {
		t.Errorf("Text() = %q, want what the model reads", got)
	}
	got := jsonedit.Splice(nil, src, []jsonedit.Edit{content.Set("{KEY}")})
	want := `{"model":"m", "new_field" : {"a":[1.0,2e3]}, "messages":[{"role":"user","content":"{KEY}"}]}`
	if string(got) != want {
		t.Errorf("Splice() =\n%s\nwant\n%s", got, want)
	}
}

func TestSetMember(t *testing.T) {
	for src, want := range map[string]string{
		`{}`:             `{"a":1}`,
		`{"b":2}`:        `{"a":1,"b":2}`,
		`{"b":2, "a":7}`: `{"b":2, "a":1}`,
	} {
		var d jsonedit.Doc
		if err := d.Parse([]byte(src), jsonedit.Limits{}); err != nil {
			t.Fatal(err)
		}
		got := jsonedit.Splice(nil, []byte(src), []jsonedit.Edit{d.Root().SetMember("a", []byte("1"))})
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
}

func TestRemove(t *testing.T) {
	for src, want := range map[string]string{
		`{"x":1}`:                         `{}`,
		`{"x" : [1,{"a":2}] }`:            `{ }`,
		`{"x":1,"b":2}`:                   `{"b":2}`,
		`{"b":2 , "x":1 , "c":3}`:         `{"b":2 , "c":3}`,
		`{"b":2, "x":1}`:                  `{"b":2}`,
		`{"x":1,"y":2}`:                   `{}`,
		`{"x":1, "y":2, "b":3}`:           `{"b":3}`,
		`{"x":1,"b":3,"y":2}`:             `{"b":3}`,
		`{"b":3,"x":1,"y":2,"c":4}`:       `{"b":3,"c":4}`,
		`{"a":1,"x":1,"b":3,"y":2,"c":4}`: `{"a":1,"b":3,"c":4}`,
	} {
		var d jsonedit.Doc
		if err := d.Parse([]byte(src), jsonedit.Limits{}); err != nil {
			t.Fatal(err)
		}
		got := jsonedit.Splice(nil, []byte(src), d.Root().Remove(func(k string) bool { return k == "x" || k == "y" }))
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	many := make([]string, 0, 100)
	for i := range 99 {
		many = append(many, fmt.Sprintf(`"k%d":0`, i))
	}
	for _, tt := range []struct {
		name string
		src  string
		want error
		at   int
	}{
		{"a duplicate key", `{"content":"fine","content":"attack"}`, jsonedit.ErrDuplicateKey, 18},
		{"a duplicate key in disguise", `{"content":"fine","c\u006fntent":"attack"}`, jsonedit.ErrDuplicateKey, 18},
		{"a duplicate key among many", `{` + strings.Join(append(many, `"k7":0`), ",") + `}`, jsonedit.ErrDuplicateKey, 783},
		{"10,000 arrays", strings.Repeat("[", 10000) + strings.Repeat("]", 10000), jsonedit.ErrTooDeep, 64},
		{"a second document", `{} {}`, jsonedit.ErrSyntax, 3},
		{"nothing", ``, jsonedit.ErrSyntax, 0},
		{"a comma too many", `[1,]`, jsonedit.ErrSyntax, 3},
		{"a string without end", `["abc`, jsonedit.ErrSyntax, 1},
		{"invalid UTF-8", "[\"a\xff\"]", jsonedit.ErrEncoding, 3},
		{"an overlong slash", "[\"\xc0\xaf\"]", jsonedit.ErrEncoding, 2},
		{"a lone high surrogate", `["\ud800x"]`, jsonedit.ErrSurrogate, 2},
		{"two high surrogates", `["\ud800\ud800"]`, jsonedit.ErrSurrogate, 2},
		{"a lone low surrogate", `["\udc00"]`, jsonedit.ErrSurrogate, 2},
		{"a NUL byte", "[\"\x00\"]", jsonedit.ErrNUL, 2},
		{"an escaped NUL", `["\u0000"]`, jsonedit.ErrNUL, 2},
		{"a raw newline", "[\"\n\"]", jsonedit.ErrSyntax, 2},
		{"a leading zero", `[01]`, jsonedit.ErrSyntax, 2},
		{"NaN", `[NaN]`, jsonedit.ErrSyntax, 1},
		{"a comment", `[1 /* x */]`, jsonedit.ErrSyntax, 3},
		{"a byte order mark", "\xef\xbb\xbf{}", jsonedit.ErrSyntax, 0},
		{"too many bytes", `"` + strings.Repeat("a", 1<<17) + `"`, jsonedit.ErrTooLarge, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d jsonedit.Doc
			err := d.Parse([]byte(tt.src), jsonedit.Limits{Bytes: 1 << 17})
			var se *jsonedit.SyntaxError
			if !errors.Is(err, tt.want) || !errors.As(err, &se) || se.Offset != tt.at {
				t.Errorf("Parse() = %v, want %v at byte %d", err, tt.want, tt.at)
			}
			if d.Root().Exists() {
				t.Error("a refused document can be read")
			}
		})
	}
}

func TestPositionIsTheLineAndColumn(t *testing.T) {
	var d jsonedit.Doc
	err := d.Parse([]byte("{\n  \"a\": 1,\n  \"a\": 2\n}"), jsonedit.Limits{})
	if err == nil || !strings.HasPrefix(err.Error(), "line 3, column 3 (byte 14): duplicate key") {
		t.Errorf("Parse() = %v", err)
	}
}

// What is accepted is what encoding/json accepts, means the same, and survives
// replacing each string by itself.
func FuzzParse(f *testing.F) {
	f.Add(`{"a":"b","c":["d",{"e":"\ud83d\ude00"}],"f":null}`)
	f.Add(`"x"`)
	f.Add(`[-0.5e+3,true,false,{},[],"\\\/\b\f\n\r\t"]`)
	f.Fuzz(func(t *testing.T, src string) {
		var d jsonedit.Doc
		if err := d.Parse([]byte(src), jsonedit.Limits{AllowNUL: true}); err != nil {
			return
		}
		var want any
		if err := decode([]byte(src), &want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		var edits []jsonedit.Edit
		if got := rebuild(t, d.Root(), &edits); !reflect.DeepEqual(got, want) {
			t.Errorf("read %#v, want %#v", got, want)
		}
		var got any
		out := jsonedit.Splice(nil, []byte(src), edits)
		if err := decode(out, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("replacing by itself changed the document:\n%s\n%s (%v)", src, out, err)
		}
	})
}

func rebuild(t *testing.T, v jsonedit.Value, edits *[]jsonedit.Edit) any {
	switch v.Kind() {
	case jsonedit.Object:
		m := map[string]any{}
		for k, e := range v.Members() {
			m[k] = rebuild(t, e, edits)
		}
		return m
	case jsonedit.Array:
		a := []any{}
		for _, e := range v.Elems() {
			a = append(a, rebuild(t, e, edits))
		}
		return a
	case jsonedit.String:
		*edits = append(*edits, v.Set(v.Text()))
		return v.Text()
	case jsonedit.Number:
		return json.Number(v.Raw())
	case jsonedit.Bool:
		return v.True()
	case jsonedit.Null:
		return nil
	}
	t.Fatalf("a value of kind %v", v.Kind())
	return nil
}

func decode(doc []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber() // 1e999 is a number too
	return dec.Decode(v)
}

func BenchmarkParse4KB(b *testing.B) {
	src := []byte(`{"model":"gpt","messages":[` + strings.Repeat(`{"role":"user","content":"`+strings.Repeat("The quick brown fox. ", 12)+`"},`, 13) + `{"role":"user","content":"end"}]}`)
	var d jsonedit.Doc
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Parse(src, jsonedit.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
