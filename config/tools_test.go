package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/toolcall"
)

const before = "providers:\n  o: {base_url: 'https://api.openai.com/v1'}\ndefault_provider: o\n"

func TestTools(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tools.yaml": "definitions: [tools.json]\ntools:\n  - {name: send, effect: external, sensitive: [to], payload: [body], trust: verified, roles: [a], arguments: {to: {max_length: 40}}}\n  - {name: find, effect: read, trusted_fields: [id, 'items.*.id']}\n",
		"tools.json": `{"tools":[{"name":"send","description":"Sends.","inputSchema":{"type":"object","properties":{"to":{"type":"string"},"body":{"type":"string"}}}}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "ringwall.yaml")
	c, err := config.Parse(file, []byte(before+"tools:\n  registry: [tools.yaml]\n  unknown: hold\n  secrets: deny\n  known: [{name: here, output: trusted, sensitive: []}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Tools.Open()
	send, find, here := r.Find("send"), r.Find("find"), r.Find("here")
	if !send.Known || !send.Annotated || send.Description != "Sends." || send.Least != ringwall.Verified || len(send.Input) == 0 || !slices.Equal(send.Payload, []string{"body"}) {
		t.Errorf("send is %+v", send)
	}
	if find.Effect != toolcall.Read || !find.Annotated || !slices.Equal(find.Trusted, []string{"/id", "/items/*/id"}) {
		t.Errorf("find is %+v", find)
	}
	if !here.Annotated || here.Sensitive == nil || !slices.Equal(here.Trusted, []string{""}) {
		t.Errorf("here is %+v", here)
	}
	if u, s := c.Tools.Treatment(); u != toolcall.UnknownHeld || s != toolcall.SecretsDenied {
		t.Errorf("Treatment() = %v, %v", u, s)
	}
	for _, name := range []string{"tools.yaml", "tools.json"} {
		if !slices.Contains(c.Read, filepath.Join(dir, name)) {
			t.Errorf("%s was read and is not watched: %v", name, c.Read)
		}
	}
	if none := config.Default(); none.Tools.Open() != nil {
		t.Error("tools are declared where none are")
	}
}

func TestToolsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bad.json":  `{"tools":[{"nme":"x"}]}`,
		"bad.yaml":  "definitions: [bad.json]\ntools:\n  - {name: x, efect: read}\n",
		"also.yaml": "definitions: [bad.json, none.json]\ntools:\n  - {name: x, pin: abc}\n",
		"two.yaml":  "tools:\n  - {name: x}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ tools, want string }{
		{"registry: [none.yaml]", "tools.registry[0]: reading the registry of tools"},
		{"registry: [bad.yaml]", `efect`},
		{"registry: [also.yaml]", `also.yaml:1`},
		{"registry: [also.yaml]", `/tools/0: a tool needs a name`},
		{"registry: [also.yaml]", `tools[0].pin: want sha256:`},
		{"registry: [two.yaml, two.yaml]", `tools: the tool "x" is declared twice`},
		{"known: [{name: ''}]", "tools.known[0].name: a tool has a name"},
		{"known: [{name: a}, {name: a}]", "tools.known[1].name: the tool \"a\" is declared twice"},
		{"known: [{name: a, sensitive: [/to]}]", "is a JSON pointer"},
		{`known: [{name: a, sensitive: [too], schema: '{"properties":{"to":{}}}'}]`, "the schema of a has no argument too"},
		{`known: [{name: a, payload: ['x.*.b'], schema: '{"properties":{"x":{"items":{"properties":{"c":{}}}}}}'}]`, "has no argument x.*.b"},
		{`known: [{name: a, schema: '{"$ref":"http://x"}'}]`, "tools.known[0].schema: reading the schema"},
		{"known: [{name: a, arguments: {n: {min: 3, max: 2}}}]", "more than max"},
		{"known: [{name: a, arguments: {n: {excused: [x]}}}]", `there is no rule "x"`},
		{"known: [{name: a, trust: boss}]", "trust"},
		{"unknown: maybe", "tools.unknown"},
	} {
		_, err := config.Parse(filepath.Join(dir, "ringwall.yaml"), []byte(before+"tools:\n  "+tt.tools+"\n"))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.tools, err, tt.want)
		}
	}
}
