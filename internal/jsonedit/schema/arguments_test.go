package schema_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

func look(t testing.TB, s *schema.Schema, body string) (where, what string, ok bool) {
	t.Helper()
	var doc jsonedit.Doc
	if err := doc.Parse([]byte(body), jsonedit.Limits{}); err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc.Root())
}

func TestArguments(t *testing.T) {
	const mail = `{"type":"object","title":"Input","required":["to"],"properties":{
		"to":{"type":"array","items":{"type":"string","format":"email"}},
		"cc":{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}],"default":null},
		"files":{"anyOf":[{"type":"array","items":{"type":"object","additionalProperties":true}},{"type":"null"}]},
		"sender":{"$ref":"#/$defs/person"},"count":{"type":"integer","minimum":0},"note":{"type":"string"}},
		"$defs":{"person":{"type":"object","properties":{"name":{"type":"string"},"boss":{"$ref":"#/$defs/person"}}}}}`
	for _, tt := range []struct{ name, schema, body, where, what string }{
		{"all is there", mail, `{"to":["a@b.cc"],"cc":["x"],"files":[{"any":1}],"sender":{"name":"n","boss":{"name":"m"}},"count":5}`, "", ""},
		{"a member that nobody declared", mail, `{"to":[],"bcc":["a@b.cc"]}`, "", `the schema has no "bcc": leave it away`},
		{"one below a reference", mail, `{"to":[],"sender":{"name":"n","x":1}}`, "/sender/x", "leave it away"},
		{"one below a reference to itself", mail, `{"to":[],"sender":{"boss":{"boss":{"x":1}}}}`, "/sender/boss/boss/x", "leave it away"},
		{"a format", mail, `{"to":["nobody"]}`, "/to/0", "the format email"},
		{"null for what may be left away", mail, `{"to":[],"note":null,"count":null,"sender":null}`, "", ""},
		{"null for what is required", mail, `{"to":null}`, "/to", "wants array here, not null"},
		{"null for what nobody declared", mail, `{"to":[],"bcc":null}`, "", `the schema has no "bcc"`},
		{"null, nested", mail, `{"to":[],"sender":{"name":null}}`, "", ""},
		{"an integer in another form", mail, `{"to":[],"count":5.0}`, "", ""},
		{"nothing is declared", `{"type":"object"}`, `{"a":1}`, "", ""},
		{"no arguments", `{"type":"object","properties":{}}`, `{"a":1}`, "", `the schema has no "a"`},
		{"opened by its writer", `{"properties":{"a":{}},"additionalProperties":{"type":"string"}}`, `{"b":"x"}`, "", ""},
		{"parts that are put together", `{"allOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{}}}]}`, `{"a":"x","b":1}`, "", ""},
		{"parts that are put together, and something else", `{"allOf":[{"properties":{"a":{}}},{"$ref":"#/$defs/b"}],"$defs":{"b":{"properties":{"b":{}}}}}`, `{"a":"x","c":1}`, "/c", "leave it away"},
		{"alternatives", `{"properties":{"k":{}},"oneOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{}},"required":["b"]}]}`, `{"k":1,"b":1}`, "", ""},
		{"what is refused is not closed", `{"properties":{"a":{"type":"object","not":{"properties":{"b":{"properties":{"c":{"const":1}}}},"required":["b"]}}}}`, `{"a":{"b":{"c":1,"d":2}}}`, "/a", "not"},
		{"what is counted is not closed", `{"properties":{"a":{"contains":{"properties":{"x":{"const":1}},"required":["x"]},"maxContains":0,"minContains":0}}}`, `{"a":[{"x":1,"y":2}]}`, "/a", "maxContains"},
		{"the seventh draft", `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"p":{"type":"object","properties":{"n":{"type":"string"}},"additionalProperties":false}},"type":"object","properties":{"p":{"$ref":"#/definitions/p"},"t":{"items":[{"type":"string"},{"type":"integer"}],"additionalItems":false}},"dependencies":{"p":["t"]}}`, `{"p":{"n":"x"},"t":["a",1]}`, "", ""},
		{"a tuple of the seventh draft", `{"properties":{"t":{"items":[{"type":"string"}],"additionalItems":false}}}`, `{"t":["a",1]}`, "/t/1", "leave it away"},
		{"dependencies of the seventh draft", `{"properties":{"p":{},"t":{}},"dependencies":{"p":["t"]}}`, `{"p":1}`, "", `beside "p"`},
		{"a limit of the fourth draft", `{"properties":{"n":{"minimum":0,"exclusiveMinimum":true}}}`, `{"n":0}`, "/n", "more than 0"},
		{"types of Gemini", `{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true},"e":{"type":"STRING","enum":["x"],"nullable":true}},"required":["a"]}`, `{"a":null,"e":null}`, "", ""},
		{"types of Gemini are demanded", `{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}`, `{"a":1}`, "/a", "wants string"},
		{"types of another trade", `{"type":"dict","properties":{"a":{"type":"float"},"b":{"type":"any"}}}`, `{"a":1.5,"b":[]}`, "", ""},
		{"a pattern of another language", `{"properties":{"a":{"type":"string","pattern":"^(?!x).*$"}}}`, `{"a":"x"}`, "", ""},
		{"a member called like a keyword", `{"type":"object","properties":{"type":{"type":"string"},"$ref":{"type":"string"},"properties":{"type":"string"}}}`, `{"type":"a","$ref":"b","properties":"c"}`, "", ""},
		{"a date and time without a zone", `{"properties":{"a":{"format":"date-time"}}}`, `{"a":"2026-05-01 10:00:00"}`, "", ""},
		{"no date and time", `{"properties":{"a":{"format":"date-time"}}}`, `{"a":"tomorrow"}`, "/a", "date-time"},
		{"any", `true`, `{"a":1}`, "", ""},
		{"unevaluated", `{"properties":{"a":{}},"unevaluatedProperties":true}`, `{"b":1}`, "", ""},
		{"conditions", `{"properties":{"k":{}},"if":{"properties":{"k":{"const":1}}},"then":{"properties":{"x":{}}},"else":{"properties":{"y":{}}}}`, `{"k":1,"y":1}`, "/y", "leave it away"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := schema.Arguments([]byte(tt.schema), schema.Options{Lenient: true})
			if err != nil {
				t.Fatal(err)
			}
			where, what, ok := look(t, s, tt.body)
			if ok != (tt.what == "") || where != tt.where || !strings.Contains(what, tt.what) {
				t.Errorf("Validate() = %q, %q, %v; want %q, %q", where, what, ok, tt.where, tt.what)
			}
		})
	}
	s, err := schema.Arguments([]byte(mail), schema.Options{Open: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, what, ok := look(t, s, `{"to":[],"bcc":1,"sender":{"x":1}}`); !ok {
		t.Errorf("an open schema refuses: %s", what)
	}
}

func TestArgumentsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name, src, want string
		strict          bool
	}{
		{"no JSON", `{`, "line 1", false},
		{"no schema", `[]`, "want a schema, not array", false},
		{"a list for members", `{"properties":[]}`, "/properties: want schemas by name", false},
		{"a reference out of it", `{"$ref":"https://example.com/x"}`, "nothing is fetched", false},
		{"a reference to a file", `{"properties":{"a":{"$ref":"file:///etc/passwd"}}}`, "/properties/a/$ref: a schema is whole", false},
		{"a reference to nowhere", `{"$ref":"#/$defs/x"}`, "nothing is at #/$defs/x", false},
		{"a reference that moves", `{"$dynamicRef":"#x"}`, "not followed", false},
		{"a circle", `{"$ref":"#"}`, "refers to itself without end", false},
		{"a long circle", `{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}`, "without end", false},
		{"a pattern that repeats too much", `{"properties":{"a":{"pattern":"` + strings.Repeat("(x{1000}){1}", 80) + `"}}}`, "repeat too much", false},
		{"a pattern too long", `{"pattern":"` + strings.Repeat("a", 2000) + `"}`, "at most 1024 bytes", false},
		{"a pattern of another language", `{"pattern":"(?!x)"}`, "/pattern", true},
		{"a type that there is not", `{"type":"dict"}`, "/type: want one of", true},
		{"too many values", `{"enum":[` + strings.Repeat("1,", 20_001) + `1]}`, "more than 20000 values", false},
		{"too many schemas", `{"properties":{"a":{"anyOf":[` + strings.Repeat("{},", 4001) + `{}]}}}`, "more than 4000 schemas", false},
		{"too long", `{"description":"` + strings.Repeat("a", 300<<10) + `"}`, "too large", false},
		{"too deep", strings.Repeat(`{"not":`, 200) + `{}` + strings.Repeat(`}`, 200), "too deeply", false},
		{"a limit that is none", `{"minimum":"many"}`, "reading the schema", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := schema.Arguments([]byte(tt.src), schema.Options{Lenient: !tt.strict}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Arguments() = %v, want %q", err, tt.want)
			}
		})
	}
}

// bombs are small schemas, and small arguments, whose looking would take for ever.
func bombs() map[string][2]string {
	var twice strings.Builder
	for i := range 40 {
		fmt.Fprintf(&twice, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	deep := strings.Repeat(`{"a":`, 30) + "1" + strings.Repeat(`}`, 30)
	return map[string][2]string{
		"2^40 parts":          {`{"$ref":"#/$defs/d0","$defs":{` + twice.String() + `"d40":{}}}`, `{}`},
		"twice at each depth": {`{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["b"]},{"properties":{"a":{"$ref":"#"}},"required":["c"]},{"properties":{"a":{"$ref":"#"}}}]}`, deep},
		"many at each value":  {`{"properties":{"a":{"items":{"allOf":[` + strings.TrimSuffix(strings.Repeat(`{"enum":[1,2,3,4,5,6,7,8,9]},`, 1500), ",") + `]}}}}`, `{"a":[` + strings.Repeat("1,", 20000) + `1]}`},
		"a long enumeration":  {`{"properties":{"a":{"items":{"enum":[` + strings.Repeat(`1.5,`, 19_000) + `2]}}}}`, `{"a":[` + strings.Repeat("2,", 20000) + `2]}`},
	}
}

func TestBombs(t *testing.T) {
	for name, bomb := range bombs() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			s, err := schema.Arguments([]byte(bomb[0]), schema.Options{Lenient: true})
			if err == nil {
				if _, what, ok := look(t, s, bomb[1]); ok || !strings.Contains(what, "too long") {
					t.Errorf("it was looked at: %q, %v", what, ok)
				}
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// Whatever is demanded, closing and bounding demand no less, and looking ends.
func FuzzArguments(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"]}`, `{"a":null}`)
	f.Add(`{"$ref":"#/$defs/a","$defs":{"a":{"properties":{"b":{"$ref":"#/$defs/a"}}}}}`, `{"b":{"b":{}}}`)
	f.Add(`{"oneOf":[{"properties":{"a":{}}},{"not":{"required":["a"]}}],"patternProperties":{"^x":{"format":"uri"}}}`, `{"xa":"http://a"}`)
	f.Add(`{"items":[{"pattern":"(?!a)"}],"additionalItems":{"contains":{"enum":[1,"a",null]}},"dependencies":{"a":["b"],"c":{"minProperties":2}}}`, `[1,2]`)
	f.Add(`{"type":"OBJECT","nullable":true,"if":{},"then":{"$ref":"#/properties/a"},"properties":{"a":{"propertyNames":{"maxLength":3}}}}`, `{"a":{"bcde":1}}`)
	for _, bomb := range bombs() {
		f.Add(bomb[0], bomb[1])
	}
	f.Fuzz(func(t *testing.T, src, body string) {
		var doc jsonedit.Doc
		if doc.Parse([]byte(body), jsonedit.Limits{Bytes: 1 << 16, Depth: 32}) != nil {
			return
		}
		closed, err := schema.Arguments([]byte(src), schema.Options{})
		open, errOpen := schema.Arguments([]byte(src), schema.Options{Open: true})
		if (err == nil) != (errOpen == nil) && !strings.Contains(fmt.Sprint(err), "too often") {
			t.Fatalf("closed: %v, open: %v", err, errOpen)
		}
		if err != nil {
			return
		}
		_, _, ok := closed.Validate(doc.Root())
		_, what, okOpen := open.Validate(doc.Root())
		if ok && !okOpen && !strings.Contains(src, "oneOf") {
			t.Fatalf("a closed schema lets through what an open one does not: %s", what)
		}
	})
}

func BenchmarkArguments(b *testing.B) {
	src := []byte(`{"type":"object","required":["recipients","subject","body"],"properties":{"recipients":{"type":"array","items":{"type":"string"}},"subject":{"type":"string"},"body":{"type":"string"},"cc":{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]}}}`)
	s, err := schema.Arguments(src, schema.Options{Lenient: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := schema.Arguments(src, schema.Options{Lenient: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, bb := range []struct{ name, body string }{
		{"call", `{"recipients":["a@b.cc","b@b.cc"],"subject":"hello","body":"a text of some words","cc":null}`},
		{"1MB", `{"recipients":["` + strings.Repeat(`a@b.cc","`, 110_000) + `a"],"subject":"hello","body":"` + strings.Repeat("x", 50_000) + `"}`},
	} {
		var doc jsonedit.Doc
		if err := doc.Parse([]byte(bb.body), jsonedit.Limits{}); err != nil {
			b.Fatal(err)
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.body)))
			for b.Loop() {
				if _, what, ok := s.Validate(doc.Root()); !ok {
					b.Fatal(what)
				}
			}
		})
	}
}
