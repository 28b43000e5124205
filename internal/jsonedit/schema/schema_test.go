package schema_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

func TestSchema(t *testing.T) {
	for _, tt := range []struct{ name, schema, body, where, what string }{
		{"it is met", `{"type":"object","required":["a"]}`, `{"a":1}`, "", ""},
		{"a type", `{"properties":{"a":{"items":{"type":"integer"}}}}`, `{"a":[1,2.5]}`, "/a/1", "the schema wants integer here, not number"},
		{"an integer in another form", `{"properties":{"a":{"type":"integer"}}}`, `{"a":1.0}`, "", ""},
		{"a member is missing", `{"required":["a"]}`, `{"b":1}`, "", `the schema requires "a"`},
		{"a member too many", `{"properties":{"a":{}},"additionalProperties":false}`, `{"b":1}`, "", `the schema has no "b": leave it away`},
		{"a member too many, nested", `{"properties":{"a/b":{"unevaluatedProperties":false}}}`, `{"a/b":{"c":1}}`, "/a~1b/c", "leave it away"},
		{"a number too high", `{"properties":{"a":{"maximum":5}}}`, `{"a":6}`, "/a", "the schema wants at most 5 here"},
		{"a number beyond floats", `{"properties":{"a":{"maximum":5}}}`, `{"a":1e400}`, "/a", "at most 5"},
		{"a number with a huge exponent", `{"properties":{"a":{"multipleOf":3}}}`, `{"a":1e-999999999}`, "", ""},
		{"one of several", `{"properties":{"a":{"enum":["x","y"]}}}`, `{"a":"secret"}`, "/a", `the schema wants one of "x", "y" here`},
		{"a text", `{"properties":{"a":{"const":"x"}}}`, `{"a":"secret"}`, "/a", `the schema wants "x" here`},
		{"a pattern", `{"properties":{"a":{"pattern":"^x+$"}}}`, `{"a":"secret"}`, "/a", `matches "^x+$"`},
		{"a format", `{"properties":{"a":{"format":"email"}}}`, `{"a":"secret"}`, "/a", "the format email"},
		{"too long", `{"properties":{"a":{"maxLength":2}}}`, `{"a":"secret"}`, "/a", "at most 2 characters"},
		{"twice", `{"properties":{"a":{"uniqueItems":true}}}`, `{"a":["secret","secret"]}`, "/a", "no element twice"},
		{"the deepest of alternatives", `{"anyOf":[{"required":["b"]},{"properties":{"a":{"properties":{"c":{"type":"null"}}}}}]}`, `{"a":{"c":"secret"}}`, "/a/c", "wants null here, not string"},
		{"a reference", `{"$defs":{"s":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/s"}}}`, `{"a":1}`, "/a", "wants string"},
		{"a tree", `{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}`, `{"a":{"a":{"b":1}}}`, "/a/a", `no "b"`},
		{"nothing", `false`, `{}`, "", "the schema allows nothing here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := schema.Compile([]byte(tt.schema))
			if err != nil {
				t.Fatal(err)
			}
			var doc jsonedit.Doc
			if err := doc.Parse([]byte(tt.body), jsonedit.Limits{}); err != nil {
				t.Fatal(err)
			}
			where, what, ok := s.Validate(doc.Root())
			if ok != (tt.what == "") || where != tt.where || !strings.Contains(what, tt.what) {
				t.Errorf("Validate() = %q, %q, %v; want %q, %q", where, what, ok, tt.where, tt.what)
			}
			if strings.Contains(what, "secret") {
				t.Errorf("%q holds what stands in the request", what)
			}
		})
	}
}

func TestSchemasThatCannotBe(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"no JSON", `{"type":}`, "reading the schema: line 1"},
		{"a key twice", `{"type":"object","type":"array"}`, "duplicate key"},
		{"an unknown type", `{"type":"objekt"}`, "type"},
		{"a reference out of the file", `{"$ref":"https://example.com/s.json"}`, "nothing is fetched"},
		{"a file beside it", `{"$ref":"file:///etc/passwd"}`, "nothing is fetched"},
		{"a reference to nowhere", `{"$ref":"#/$defs/a"}`, "/$defs/a"},
		{"a pattern that is none", `{"pattern":"("}`, "regex"},
		{"too large", `{"description":"` + strings.Repeat("a", 1<<20) + `"}`, "too large"},
	} {
		if _, err := schema.Compile([]byte(tt.src)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Compile() = %v, want %q", tt.name, err, tt.want)
		}
	}
}
