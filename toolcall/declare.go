package toolcall

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Declaration is a Tool as an operator writes it in YAML.
type Declaration struct {
	Name        string             `yaml:"name" doc:"of the tool, as models call it" example:"send_email"`
	Server      string             `yaml:"server" doc:"that offers it; empty: clients bring it along" example:"mail"`
	Title       string             `yaml:"title" doc:"for people" example:""`
	Description string             `yaml:"description" doc:"what its definition says of it" example:""`
	Effect      Effect             `yaml:"effect" doc:"what it does: carries something to others, takes away what cannot be had back, changes something of the caller's own, or nothing" enum:"external|destructive|write|read" default:"external"`
	Sensitive   []string           `yaml:"sensitive" doc:"arguments that say who or what is acted on, whose values need a source that is trusted: names with dots between them, in which * is any member or element. []: there are none. Not written: any that can name somebody or something" example:"[recipients, items.*.id]"`
	Payload     []string           `yaml:"payload" doc:"arguments that can carry something out, in the same form" example:"[subject, body]"`
	Output      string             `yaml:"output" doc:"trusted where nobody but systems of yours can have written what it returns" enum:"untrusted|trusted" default:"untrusted"`
	Fields      []string           `yaml:"trusted_fields" doc:"fields of what it returns that nobody but systems of yours can have written" example:"[id, items.*.id]"`
	Trust       ringwall.Trust     `yaml:"trust" doc:"that callers need" enum:"anonymous|verified|customer|staff|operator" default:"anonymous"`
	Roles       []string           `yaml:"roles" doc:"one of which callers need; default: none" example:"[support]"`
	Schema      string             `yaml:"schema" doc:"JSON Schema of the arguments, as a text; default: that of its definition, else that of each request" example:""`
	Open        bool               `yaml:"open" doc:"take arguments that the schema does not name" default:"false"`
	Pin         string             `yaml:"pin" doc:"of what a model reads of its definition, as ringwall tools pin writes it; without one it may change" example:""`
	PinWhole    string             `yaml:"pin_whole" doc:"the same, of all that a server says of it" example:""`
	Arguments   map[string]Meaning `yaml:"arguments" doc:"what values must be, by argument" example:"amount"`
}

// File is a file in which tools are declared.
type File struct {
	Definitions []string      `yaml:"definitions" doc:"JSON files with definitions of the tools, relative to this one: a list as requests of a model have it, or as an MCP server gives it" example:"tools.json"`
	Tools       []Declaration `yaml:"tools" doc:"the tools"`
}

// ReadFile reads a file in which tools are declared, with what it names; read are the
// names of all. The error is [strictyaml.Problems] where the YAML is wrong.
func ReadFile(file string) (tools []Tool, read []string, err error) {
	read = []string{file}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, read, fmt.Errorf("reading the registry of tools: %w", err)
	}
	var f File
	pos, err := strictyaml.Decode(file, src, &f)
	if err != nil {
		return nil, read, err
	}
	var errs []error
	fail := func(path, format string, args ...any) { errs = append(errs, pos.Errorf(path, format, args...)) }
	defs := map[string]Definition{}
	for i, name := range f.Definitions {
		path := strictyaml.Index("definitions", i)
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(file), name)
		}
		read = append(read, name)
		src, err := os.ReadFile(name)
		if err != nil {
			fail(path, "%w", err)
			continue
		}
		all, err := ReadDefinitions(src)
		if err != nil {
			fail(path, "%s: %w", name, err)
		}
		for _, d := range all {
			if old, twice := defs[d.Name]; twice && old.Pin() != d.Pin() {
				fail(path, "the tool %q is defined in two ways: a call names no server, so that names must differ", d.Name)
			}
			defs[d.Name] = d
		}
	}
	tools = Declared(f.Tools, defs, "tools", fail)
	return tools, read, strictyaml.Join(errs...)
}

// Declared returns the tools that are declared at a path of a file, with what their
// definitions say where they do not, and reports what is wrong with them.
func Declared(all []Declaration, defs map[string]Definition, path string, fail func(path, format string, args ...any)) []Tool {
	out := make([]Tool, 0, len(all))
	seen := map[string]bool{}
	for i := range all {
		at := strictyaml.Index(path, i)
		t := all[i].tool(defs, at, fail)
		if seen[t.Name] && t.Name != "" {
			fail(at+".name", "the tool %q is declared twice: a call names no server, so that names must differ over all of them", t.Name)
		}
		seen[t.Name] = true
		out = append(out, t)
	}
	return out
}

// tool returns d as a Tool.
func (d *Declaration) tool(defs map[string]Definition, at string, fail func(path, format string, args ...any)) Tool {
	t := Tool{
		Name: d.Name, Server: d.Server, Title: d.Title, Description: d.Description, Effect: d.Effect, Sensitive: d.Sensitive, Payload: d.Payload,
		Annotated: d.Sensitive != nil || d.Effect == Read, Least: d.Trust, Roles: d.Roles, Open: d.Open, Arguments: d.Arguments, Input: []byte(d.Schema),
	}
	if def, ok := defs[d.Name]; ok {
		if d.Description == "" {
			t.Description = def.Description
		}
		if d.Title == "" {
			t.Title = def.Title
		}
		if d.Server == "" {
			t.Server = def.Server
		}
		if d.Schema == "" {
			t.Input = def.Input
		}
		t.Output, t.Hints = def.Output, def.Hints
	}
	if d.Name == "" || len(d.Name) > maxName {
		fail(at+".name", "a tool has a name of 1 to %d bytes", maxName)
	}
	t.Pin.Model = pinOf(d.Pin, at+".pin", fail)
	t.Pin.Whole = pinOf(d.PinWhole, at+".pin_whole", fail)
	for _, f := range d.Fields {
		if err := checkPath(f); err != nil {
			fail(at+".trusted_fields", "%w", err)
		}
		t.Trusted = append(t.Trusted, "/"+strings.ReplaceAll(f, ".", "/"))
	}
	if d.Output == "trusted" {
		t.Trusted = []string{""}
	}
	t.checkNames(at, fail)
	if _, err := meaningsOf(t.Arguments); err != nil {
		fail(at, "%w", err)
	}
	return t
}

// checkNames reports arguments that are said something of and that there are not: a
// misspelt one would lose its protection.
func (t *Tool) checkNames(at string, fail func(path, format string, args ...any)) {
	var made *schema.Schema
	if len(t.Input) > 0 {
		var err error
		if made, err = schema.Arguments(t.Input, schema.Options{Open: t.Open, Lenient: true}); err != nil {
			fail(at+".schema", "%w", err)
		}
	}
	check := func(field, p string) {
		if err := checkPath(p); err != nil {
			fail(field, "%w", err)
		} else if made != nil && !made.Declares(strings.Split(p, ".")) {
			fail(field, "the schema of %s has no argument %s", t.Name, p)
		}
	}
	for _, p := range t.Sensitive {
		check(at+".sensitive", p)
	}
	for _, p := range t.Payload {
		check(at+".payload", p)
	}
	for p := range t.Arguments {
		check(strictyaml.Key(at+".arguments", p), p)
	}
}

// pinPrefix says by what a pin is made.
const pinPrefix = "sha256:"

func pinOf(text, at string, fail func(path, format string, args ...any)) string {
	if text == "" {
		return ""
	}
	digits, ok := strings.CutPrefix(text, pinPrefix)
	if !ok || len(digits) != 64 || strings.Trim(digits, "0123456789abcdef") != "" {
		fail(at, "want %s and 64 hexadecimal digits, as ringwall tools pin writes them", pinPrefix)
	}
	return digits
}

// Definition returns what the registry has of the definition of t.
func (t *Tool) Definition() Definition {
	return Definition{Server: t.Server, Name: t.Name, Title: t.Title, Description: t.Description, Input: t.Input, Output: t.Output, Hints: t.Hints}
}

// Pinned returns the declarations of definitions with their pins: what was declared of
// them stays. Their schemas and descriptions stand in it, so that what changes later can
// be shown.
func Pinned(defs []Definition, known []Declaration) []Declaration {
	out := slices.Clone(known)
	for _, d := range defs {
		i := slices.IndexFunc(out, func(k Declaration) bool { return k.Name == d.Name })
		if i < 0 {
			i = len(out)
			out = append(out, Declaration{Name: d.Name, Server: d.Server, Output: "untrusted"})
		}
		if out[i].Server != "" {
			d.Server = out[i].Server
		}
		p := d.Pin()
		out[i].Title, out[i].Description, out[i].Schema = d.Title, d.Description, string(canonical(d.Input))
		if len(d.Input) == 0 {
			out[i].Schema = ""
		}
		out[i].Pin, out[i].PinWhole = pinPrefix+p.Model, pinPrefix+p.Whole
	}
	return out
}
