package toolcall_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/toolcall"
)

func TestReadTools(t *testing.T) {
	got, err := toolcall.ReadTools([]byte(`{"_about":7,"shop":[{"name":"search","description":"finds","parameters":{"type":"object"}},{"name":"now","returns":{}}],"empty":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	shop := got["shop"]
	if len(got) != 2 || len(shop) != 2 || shop[0].Name != "search" || shop[0].Description != "finds" || string(shop[0].Schema) != `{"type":"object"}` || shop[1].Schema != nil {
		t.Errorf("ReadTools() = %+v", got)
	}
}

func TestReadAnnotations(t *testing.T) {
	got, err := toolcall.ReadAnnotations([]byte(`{"_comment":"x","shop":{
		"order":{"effect":"external","sensitive":["to.address","items.*.id"],"payload":["note"],"_why":"it ships"},
		"now":{"effect":"read","output":"trusted"},
		"mystery":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	shop := got["shop"]
	if o := shop["order"]; o.Effect != toolcall.External || !o.Annotated || !slices.Equal(o.Sensitive, []string{"to.address", "items.*.id"}) || !slices.Equal(o.Payload, []string{"note"}) || o.Trusted != nil {
		t.Errorf("order is %+v", o)
	}
	if n := shop["now"]; n.Effect != toolcall.Read || !n.Annotated || !slices.Equal(n.Trusted, []string{""}) {
		t.Errorf("now is %+v", n)
	}
	if m := shop["mystery"]; m.Effect != toolcall.External || m.Annotated || m.Name != "mystery" {
		t.Errorf("a tool of which nothing is said is %+v", m)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ name, tools, annotations, want string }{
		{"no JSON", `{`, ``, "line 1"},
		{"a suite twice", `{"a":[],"a":[]}`, ``, "duplicate key"},
		{"no object", `[]`, ``, "want an object of lists"},
		{"no list", `{"a/b":{}}`, ``, "/a~1b: want a list of tools, not object"},
		{"no name", `{"a":[{}]}`, ``, "/a/0: a tool needs a name"},
		{"a name too long", `{"a":[{"name":"` + strings.Repeat("a", 129) + `"}]}`, ``, "/a/0/name: a name has at most 128 bytes"},
		{"a name that is no text", `{"a":[{"name":1}]}`, ``, "/a/0/name: want a string, not number"},
		{"a schema that is none", `{"a":[{"name":"x","parameters":true}]}`, ``, "/a/0/parameters: want an object, not boolean"},
		{"two schemas", `{"a":[{"name":"x","parameters":{},"inputSchema":{}}]}`, ``, "one schema"},
		{"a schema too long", `{"a":[{"name":"x","parameters":{"a":"` + strings.Repeat("a", 256<<10) + `"}}]}`, ``, "longer than"},
		{"an effect that there is not", ``, `{"a":{"b":{"effect":"none"}}}`, `/a/b/effect: unknown effect "none"`},
		{"an effect that is no text", ``, `{"a":{"b":{"effect":3}}}`, `/a/b/effect: want one of`},
		{"a word that there is not", ``, `{"a":{"b":{"sensitve":[]}}}`, `/a/b/sensitve: there is no such thing`},
		{"a pointer for a path", ``, `{"a":{"b":{"sensitive":["/to"]}}}`, `/a/b/sensitive/0: "/to" is a JSON pointer`},
		{"an empty path", ``, `{"a":{"b":{"payload":["a..b"]}}}`, `has a name that is empty`},
		{"no list of arguments", ``, `{"a":{"b":{"payload":"x"}}}`, `want a list`},
		{"an output of neither kind", ``, `{"a":{"b":{"output":"yes"}}}`, `want trusted or untrusted`},
		{"no tools", ``, `{"a":[]}`, `/a: want an object, not array`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			if tt.tools != "" {
				_, err = toolcall.ReadTools([]byte(tt.tools))
			} else {
				_, err = toolcall.ReadAnnotations([]byte(tt.annotations))
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDefinitionsOfAllKinds(t *testing.T) {
	for _, tt := range []struct{ name, src string }{
		{"OpenAI's chat completions", `[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]`},
		{"a whole request", `{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]}`},
		{"OpenAI's responses", `{"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true}]}`},
		{"Anthropic's", `{"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}]}`},
		{"Bedrock's", `{"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}]}}`},
		{"Gemini's", `{"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"object"}}]}]}`},
		{"MCP's answer", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"f","description":"d","inputSchema":{"type":"object"}}]}}`},
		{"MCP's result", `{"tools":[{"name":"f","description":"d","inputSchema":{"type":"object"}}],"nextCursor":"x"}`},
		{"suites", `{"_c":1,"s":[{"name":"f","description":"d","parameters":{"type":"object"}}]}`},
		{"one alone", `{"name":"f","description":"d","parameters":{"type":"object"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := toolcall.ReadDefinitions([]byte(tt.src))
			if err != nil || len(got) != 1 || got[0].Name != "f" || got[0].Description != "d" || string(got[0].Input) != `{"type":"object"}` {
				t.Errorf("ReadDefinitions() = %+v, %v", got, err)
			}
		})
	}
	if _, err := toolcall.ReadDefinitions([]byte(`"f"`)); err == nil {
		t.Error("a text was read as tools")
	}
}

// A definition has one pin, however it is written, and another when it says anything else.
func TestPin(t *testing.T) {
	a := toolcall.Definition{Name: "f", Description: "d", Input: []byte(`{"type":"object","properties":{"a":{},"b":{"enum":[1,"é"]}}}`)}
	b := a
	b.Input = []byte(`{ "properties": {"b":{"enum":[1,"\u00e9"]}, "a":{}}, "type":"object" }`)
	if a.Pin() != b.Pin() {
		t.Error("spaces and the order of members count")
	}
	for what, change := range map[string]func(d *toolcall.Definition){
		"its name":                func(d *toolcall.Definition) { d.Name = "g" },
		"its description":         func(d *toolcall.Definition) { d.Description += "\u200b" },
		"a default deep in it":    func(d *toolcall.Definition) { d.Input = []byte(strings.Replace(string(a.Input), "1", "2", 1)) },
		"no schema":               func(d *toolcall.Definition) { d.Input = nil },
		"a schema that is broken": func(d *toolcall.Definition) { d.Input = []byte(`{`) },
	} {
		c := a
		if change(&c); c.Pin().Model == a.Pin().Model {
			t.Errorf("a definition with another %s has the same pin", what)
		}
	}
	for what, change := range map[string]func(d *toolcall.Definition){
		"title":       func(d *toolcall.Definition) { d.Title = "T" },
		"output":      func(d *toolcall.Definition) { d.Output = []byte(`{"type":"string"}`) },
		"annotations": func(d *toolcall.Definition) { d.Hints = []byte(`{"readOnlyHint":true}`) },
		"server":      func(d *toolcall.Definition) { d.Server = "s" },
	} {
		c := a
		change(&c)
		if c.Pin().Whole == a.Pin().Whole || c.Pin().Model != a.Pin().Model {
			t.Errorf("%s: what a server says counts in the whole pin alone", what)
		}
	}
}

func TestPathsOfArguments(t *testing.T) {
	for _, tt := range []struct {
		path, where string
		want        bool
	}{
		{"recipients", "/recipients", true},
		{"recipients", "/recipients/3", true},
		{"recipients", "/recipientsx", false},
		{"to.address", "/to/address", true},
		{"to.address", "/to", false},
		{"items.*.id", "/items/0/id", true},
		{"items.*.id", "/items/0/name", false},
		{"items.*.id", "/items/0/id/x", true},
		{"a/b", "/a~1b", true},
		{"a.b", "/a.b", true},
		{"x", "", false},
	} {
		tool := toolcall.Tool{Sensitive: []string{tt.path}}
		if got := tool.IsSensitive(tt.where); got != tt.want {
			t.Errorf("%s is under %s: %v", tt.where, tt.path, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		`{"shop":[{"name":"a","parameters":{}}]}`, `{"shop":{"a":{"effect":"read","sensitive":["x.*"],"payload":[],"output":"trusted"}}}`,
		`{"tools":[{"functionDeclarations":[{"name":"f"}]}]}`, `[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}]`, `{"result":{"tools":[{"name":"f","annotations":{}}]}}`, `[[]]`, `{"_":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if all, err := toolcall.ReadTools(data); err == nil {
			for _, specs := range all {
				for _, s := range specs {
					if s.Name == "" {
						t.Fatalf("a tool without a name: %+v", s)
					}
				}
			}
		}
		if all, err := toolcall.ReadAnnotations(data); err == nil {
			for _, tools := range all {
				for name, tool := range tools {
					if name != tool.Name || tool.Known {
						t.Fatalf("%q is %+v", name, tool)
					}
				}
			}
		}
		defs, err := toolcall.ReadDefinitions(data)
		if err != nil {
			return
		}
		for _, d := range defs {
			if p := d.Pin(); len(p.Model) != 64 || len(p.Whole) != 64 {
				t.Fatalf("the pin of %+v is %+v", d, d.Pin())
			}
		}
	})
}
