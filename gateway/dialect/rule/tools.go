package rule

import (
	"strconv"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Forms of answers.
const (
	plainText  = "text"
	anyObject  = "json"
	withSchema = "schema"
)

// named returns a string that says what a tool is called, else its type.
func named(name, kind jsonedit.Value) string {
	if s := name.Text(); s != "" {
		return s
	}
	return kind.Text()
}

// chatTools are those of OpenAI's APIs and of Ollama: functions, and what the provider
// runs.
func chatTools(w *vocabulary, l *look) (all []tool) {
	for _, list := range []string{"tools", "functions"} {
		v := w.member(l.root, list)
		base := w.pointer(l.root, path{list})
		if k := v.Kind(); k != jsonedit.Array && k != jsonedit.Missing && k != jsonedit.Null {
			all = append(all, tool{def: v, path: base}) // what it is nobody knows
		}
		for i, t := range v.Elems() {
			f := w.member(t, "function")
			if !f.Exists() {
				f = w.member(t, "custom")
			}
			if !f.Exists() {
				f = t
			}
			all = append(all, tool{named(w.member(f, "name"), w.member(t, "type")), t, w.member(f, "parameters"), base + "/" + strconv.Itoa(i)})
		}
	}
	return all
}

func anthropicTools(_ *vocabulary, l *look) (all []tool) {
	v := l.root.Get("tools")
	if k := v.Kind(); k != jsonedit.Array && k != jsonedit.Missing && k != jsonedit.Null {
		all = append(all, tool{def: v, path: "/tools"})
	}
	for i, t := range v.Elems() {
		all = append(all, tool{named(t.Get("name"), t.Get("type")), t, t.Get("input_schema"), "/tools/" + strconv.Itoa(i)})
	}
	for i, t := range l.root.Get("mcp_servers").Elems() {
		all = append(all, tool{t.Get("name").Text(), t, jsonedit.Value{}, "/mcp_servers/" + strconv.Itoa(i)})
	}
	return all
}

func converseTools(_ *vocabulary, l *look) (all []tool) {
	for i, t := range l.root.Get("toolConfig").Get("tools").Elems() {
		at := "/toolConfig/tools/" + strconv.Itoa(i)
		for key, v := range t.Members() {
			if key != "cachePoint" {
				all = append(all, tool{named(v.Get("name"), jsonedit.Value{}), t, v.Get("inputSchema").Get("json"), at})
			}
		}
	}
	for _, key := range []string{"tools", "mcp_servers"} {
		if v := l.root.Get("additionalModelRequestFields").Get(key); v.Exists() {
			all = append(all, tool{key, v, v, "/additionalModelRequestFields/" + key})
		}
	}
	return all
}

func geminiTools(w *vocabulary, l *look) (all []tool) {
	base := w.pointer(l.root, path{"tools"})
	for i, t := range w.elems(w.member(l.root, "tools")) {
		at := base + "/" + strconv.Itoa(i)
		for key, v := range t.Members() {
			if !w.fold(key, "functionDeclarations") {
				all = append(all, tool{key, t, jsonedit.Value{}, at})
				continue
			}
			for _, f := range w.elems(v) {
				schema := w.member(f, "parametersJsonSchema")
				if !schema.Exists() {
					schema = w.member(f, "parameters")
				}
				all = append(all, tool{w.member(f, "name").Text(), f, schema, at})
			}
		}
	}
	return all
}

func chatFormat(_ *vocabulary, l *look) answered {
	v := l.root.Get("response_format")
	return form(v, v.Get("json_schema").Get("schema"), "/response_format")
}

func itemFormat(_ *vocabulary, l *look) answered {
	v := l.root.Get("text").Get("format")
	return form(v, v.Get("schema"), "/text/format")
}

func anthropicFormat(_ *vocabulary, l *look) answered {
	v, at := l.root.Get("output_config").Get("format"), "/output_config/format"
	if !v.Exists() {
		v, at = l.root.Get("output_format"), "/output_format"
	}
	return form(v, v.Get("schema"), at)
}

func converseFormat(_ *vocabulary, l *look) answered {
	v := l.root.Get("outputConfig").Get("textFormat")
	return form(v, jsonedit.Value{}, "/outputConfig/textFormat")
}

// form reads what names its type.
func form(v, schema jsonedit.Value, path string) answered {
	a := answered{kind: v.Get("type").Text(), v: v, schema: schema, path: path}
	switch a.kind {
	case "json_object":
		a.kind = anyObject
	case "json_schema":
		a.kind = withSchema
	case "":
		if !v.Exists() || v.Kind() == jsonedit.Null {
			a.kind = plainText
		}
	}
	return a
}

func geminiFormat(w *vocabulary, l *look) answered {
	config := w.member(l.root, "generationConfig")
	for _, key := range []string{"responseSchema", "responseJsonSchema"} {
		if s := w.member(config, key); s.Exists() && s.Kind() != jsonedit.Null {
			return answered{withSchema, s, s, w.pointer(l.root, path{"generationConfig", key})}
		}
	}
	at := path{"generationConfig", "responseMimeType"}
	a := answered{kind: plainText, v: w.get(l.root, at), path: w.pointer(l.root, at)}
	if k := a.v.Kind(); k != jsonedit.Missing && k != jsonedit.Null && !a.v.Is("text/plain") {
		a.kind = anyObject
	}
	return a
}

func ollamaFormat(w *vocabulary, l *look) answered {
	v := w.member(l.root, "format")
	a := answered{kind: plainText, v: v, path: w.pointer(l.root, path{"format"})}
	switch {
	case v.Kind() == jsonedit.Missing, v.Kind() == jsonedit.Null, v.Is(""):
	case v.Kind() == jsonedit.Object:
		a.kind, a.schema = withSchema, v
	default:
		a.kind = anyObject
	}
	return a
}
