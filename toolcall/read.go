package toolcall

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Bounds on what is read of tools.
const (
	maxDefinitions = 8 << 20   // bytes of a file of them
	maxDefinition  = 256 << 10 // bytes of a schema
	maxName        = 128       // bytes of the name of a tool
	maxTools       = 4096      // in a file
)

// ReadTools reads tools by the suite that they are of, in JSON:
//
//	{"shop": [{"name": "search", "description": "…", "parameters": {…}}]}
//
// Members of the outer object whose names begin with an underscore are comments. The
// error says where something is wrong, as a JSON pointer (RFC 6901).
func ReadTools(data []byte) (map[string][]ringwall.ToolSpec, error) {
	suites, err := readSuites(data)
	if err != nil {
		return nil, fmt.Errorf("reading tools: %w", err)
	}
	out := make(map[string][]ringwall.ToolSpec, len(suites))
	for suite, defs := range suites {
		specs := make([]ringwall.ToolSpec, len(defs))
		for i := range defs {
			specs[i] = defs[i].Spec()
		}
		out[suite] = specs
	}
	return out, nil
}

func readSuites(data []byte) (map[string][]Definition, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(data, jsonedit.Limits{Bytes: maxDefinitions}); err != nil {
		return nil, err
	}
	if doc.Root().Kind() != jsonedit.Object {
		return nil, fmt.Errorf("want an object of lists of tools, not %s", doc.Root().Kind())
	}
	out := map[string][]Definition{}
	for suite, list := range doc.Root().Members() {
		if strings.HasPrefix(suite, "_") {
			continue
		}
		defs, err := definitionsIn(list, "/"+escapeKey(suite))
		if err != nil {
			return nil, err
		}
		out[suite] = defs
	}
	return out, nil
}

// ReadDefinitions reads definitions of tools as they are handed around: the tools of a
// request in the words of OpenAI, Anthropic, Bedrock or Gemini, alone or in the whole
// request; the result of MCP's tools/list, alone or in its answer; or lists by suite,
// of which all count.
func ReadDefinitions(data []byte) ([]Definition, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(data, jsonedit.Limits{Bytes: maxDefinitions}); err != nil {
		return nil, fmt.Errorf("reading tools: %w", err)
	}
	defs, err := definitionsAt(doc.Root())
	if err != nil {
		return nil, fmt.Errorf("reading tools: %w", err)
	}
	return defs, nil
}

func definitionsAt(root jsonedit.Value) ([]Definition, error) {
	if root.Kind() == jsonedit.Array {
		return definitionsIn(root, "")
	}
	if root.Kind() != jsonedit.Object {
		return nil, fmt.Errorf("want a list of tools, or an object with one, not %s", root.Kind())
	}
	for _, way := range [][]string{{"tools"}, {"result", "tools"}, {"toolConfig", "tools"}} {
		list, at := root, ""
		for _, key := range way {
			list, at = list.Get(key), at+"/"+key
		}
		if list.Kind() == jsonedit.Array {
			return definitionsIn(list, at)
		}
	}
	if root.Get("name").Kind() == jsonedit.String || root.Get("function").Kind() == jsonedit.Object {
		d, err := definitionAt(root, "")
		return []Definition{d}, err
	}
	var out []Definition
	for suite, list := range root.Members() {
		if strings.HasPrefix(suite, "_") {
			continue
		}
		defs, err := definitionsIn(list, "/"+escapeKey(suite))
		if err != nil {
			return nil, err
		}
		out = append(out, defs...)
	}
	return out, nil
}

// definitionsIn reads a list; at is the pointer to it.
func definitionsIn(list jsonedit.Value, at string) ([]Definition, error) {
	if list.Kind() != jsonedit.Array {
		return nil, fmt.Errorf("%s: want a list of tools, not %s", at, list.Kind())
	}
	var out []Definition
	for i, v := range list.Elems() {
		at := fmt.Sprintf("%s/%d", at, i)
		for _, key := range []string{"functionDeclarations", "function_declarations"} { // Gemini: lists in lists
			if inner := v.Get(key); inner.Exists() {
				defs, err := definitionsIn(inner, at+"/"+key)
				if err != nil {
					return nil, err
				}
				out = append(out, defs...)
				v = jsonedit.Value{}
				break
			}
		}
		if !v.Exists() {
			continue
		}
		d, err := definitionAt(v, at)
		if err != nil {
			return nil, err
		}
		if out = append(out, d); len(out) > maxTools {
			return nil, fmt.Errorf("%s: more than %d tools", at, maxTools)
		}
	}
	return out, nil
}

// definitionAt reads a definition, in whose words ever.
func definitionAt(v jsonedit.Value, at string) (d Definition, err error) {
	for _, key := range []string{"function", "toolSpec"} {
		if inner := v.Get(key); inner.Exists() {
			v, at = inner, at+"/"+key
			break
		}
	}
	if v.Kind() != jsonedit.Object {
		return d, fmt.Errorf("%s: want the definition of a tool, an object, not %s", at, v.Kind())
	}
	for key, m := range v.Members() {
		at := at + "/" + escapeKey(key)
		switch key {
		case "name":
			err = text(m, at, &d.Name)
		case "title":
			err = text(m, at, &d.Title)
		case "description":
			err = text(m, at, &d.Description)
		case "server":
			err = text(m, at, &d.Server)
		case "parameters", "inputSchema", "input_schema", "parametersJsonSchema":
			if inner := m.Get("json"); key == "inputSchema" && inner.Kind() == jsonedit.Object && !m.Get("type").Exists() {
				m = inner // Bedrock's
			}
			if d.Input != nil {
				return d, fmt.Errorf("%s: a tool has one schema of its arguments", at)
			}
			err = object(m, at, &d.Input)
		case "outputSchema", "output_schema":
			err = object(m, at, &d.Output)
		case "annotations":
			err = object(m, at, &d.Hints)
		}
		if err != nil {
			return d, err
		}
	}
	if d.Name == "" {
		return d, fmt.Errorf("%s: a tool needs a name", at)
	}
	if len(d.Name) > maxName {
		return d, fmt.Errorf("%s/name: a name has at most %d bytes", at, maxName)
	}
	return d, nil
}

func text(v jsonedit.Value, at string, to *string) error {
	if v.Kind() == jsonedit.Null {
		return nil
	}
	if v.Kind() != jsonedit.String {
		return fmt.Errorf("%s: want a string, not %s", at, v.Kind())
	}
	*to = v.Text()
	return nil
}

func object(v jsonedit.Value, at string, to *[]byte) error {
	if v.Kind() == jsonedit.Null {
		return nil
	}
	if v.Kind() != jsonedit.Object {
		return fmt.Errorf("%s: want an object, not %s", at, v.Kind())
	}
	if len(v.Raw()) > maxDefinition {
		return fmt.Errorf("%s: longer than %d bytes", at, maxDefinition)
	}
	*to = append([]byte(nil), v.Raw()...)
	return nil
}

// ReadAnnotations reads what an operator says of tools, by suite, in JSON:
//
//	{"shop": {"order": {"effect": "external", "sensitive": ["to.address"],
//	                    "payload": ["note"], "output": "untrusted"}}}
//
// Members whose names begin with an underscore are comments; any other that is not
// known is an error. A tool of which nothing is said of sensitive arguments counts as
// annotated only where it reads.
func ReadAnnotations(data []byte) (map[string]map[string]Tool, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(data, jsonedit.Limits{Bytes: maxDefinitions}); err != nil {
		return nil, fmt.Errorf("reading annotations: %w", err)
	}
	out := map[string]map[string]Tool{}
	err := entries(doc.Root(), "", func(suite string, v jsonedit.Value, at string) error {
		tools := map[string]Tool{}
		out[suite] = tools
		return entries(v, at, func(name string, v jsonedit.Value, at string) error {
			if name == "" || len(name) > maxName {
				return fmt.Errorf("%s: a tool has a name of 1 to %d bytes", at, maxName)
			}
			t := Tool{Name: name}
			err := entries(v, at, t.annotate)
			t.Annotated = t.Annotated || t.Effect == Read
			tools[name] = t
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading annotations: %w", err)
	}
	return out, nil
}

// annotate reads a member of what is said of a tool.
func (t *Tool) annotate(key string, v jsonedit.Value, at string) error {
	var err error
	switch key {
	case "effect":
		if v.Kind() != jsonedit.String {
			return fmt.Errorf("%s: want one of %v", at, effectNames)
		}
		if err = t.Effect.UnmarshalText([]byte(v.Text())); err != nil {
			err = fmt.Errorf("%s: %w", at, err)
		}
	case "sensitive":
		t.Annotated = true
		t.Sensitive, err = paths(v, at)
	case "payload":
		t.Payload, err = paths(v, at)
	case "output":
		switch {
		case v.Is("trusted"):
			t.Trusted = []string{""}
		case v.Is("untrusted"):
		default:
			return fmt.Errorf("%s: want trusted or untrusted", at)
		}
	default:
		return fmt.Errorf("%s: there is no such thing to say of a tool: there are effect, sensitive, payload, output", at)
	}
	return err
}

// entries yields the members of an object that are no comments.
func entries(v jsonedit.Value, at string, each func(key string, v jsonedit.Value, at string) error) error {
	if v.Kind() != jsonedit.Object {
		return fmt.Errorf("%s: want an object, not %s", at, v.Kind())
	}
	for key, m := range v.Members() {
		if strings.HasPrefix(key, "_") {
			continue
		}
		if err := each(key, m, at+"/"+escapeKey(key)); err != nil {
			return err
		}
	}
	return nil
}

// paths reads a list of paths of arguments.
func paths(v jsonedit.Value, at string) ([]string, error) {
	if v.Kind() != jsonedit.Array {
		return nil, fmt.Errorf("%s: want a list of names of arguments, not %s", at, v.Kind())
	}
	out := []string{}
	for i, e := range v.Elems() {
		if e.Kind() != jsonedit.String {
			return nil, fmt.Errorf("%s/%d: want the name of an argument", at, i)
		}
		if err := checkPath(e.Text()); err != nil {
			return nil, fmt.Errorf("%s/%d: %w", at, i, err)
		}
		out = append(out, e.Text())
	}
	return out, nil
}

// checkPath says what is wrong with the path of an argument, as operators write it:
// names with dots between them, in which * is any member or element.
func checkPath(p string) error {
	switch {
	case p == "":
		return errors.New("want the name of an argument")
	case strings.HasPrefix(p, "/"):
		return fmt.Errorf("%q is a JSON pointer: want names with dots between them, as in items.*.id", p)
	case strings.Contains("."+p+".", ".."):
		return fmt.Errorf("%q has a name that is empty", p)
	}
	return nil
}

var keyEscape = strings.NewReplacer("~", "~0", "/", "~1")

// escapeKey returns key as a JSON pointer has it.
func escapeKey(key string) string { return keyEscape.Replace(key) }
