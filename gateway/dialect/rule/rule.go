// Package rule says which requests are taken, beside what their dialects demand: how
// many tokens, messages, tools and images they may ask for, in which order roles may
// speak, and which JSON Schema a body must meet.
//
// A [Rule] is written in the configuration in words of no API. What these are in each
// API is in one table ([vocabularies]): where a number stands, what a tool is called,
// whose turn it is. A request is looked at as it was parsed; nothing is parsed twice.
// All rules that are about a request must be met, and one whose API has no word for
// what a rule limits meets that limit.
//
// Where a rule says clamp, a number that is too high is lowered in its place, and no
// other byte changes. Start reading at [New], then [Rules.Check].
package rule

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Rule is what some requests must meet. The zero Rule is about all of them and demands
// nothing.
type Rule struct {
	Name   string   `yaml:"name" doc:"in the records of requests that it refuses" example:"small"`
	Routes []string `yaml:"routes" doc:"paths of APIs that it is about, as the table of routes writes them (ringwall openapi lists them); * stands for anything; none: all" example:"[/v1/chat/completions]"`
	Models []string `yaml:"models" doc:"models that it is about, as clients name them, in any case; * stands for anything; none: all" example:"[\"gpt-*\"]"`

	Only   []string `yaml:"only_models" doc:"the models that may be asked; * stands for anything; none: all" example:"[gpt-5-mini]"`
	Schema string   `yaml:"schema" doc:"file with the JSON Schema (2020-12) that bodies meet, relative to this one" example:""`
	Roles  string   `yaml:"roles" doc:"any: roles may speak in any order that the API takes; strict: instructions first, then the user and the assistant in turns, and the result of each tool call right behind it" enum:"any|strict" default:"any"`
	Fields string   `yaml:"unknown_fields" doc:"members of a body that its API does not document" enum:"allowed|refused" default:"allowed"`

	Clamp       bool  `yaml:"clamp" doc:"lower what is more than max_tokens or choices instead of refusing it, and put max_tokens where a request says none" default:"false"`
	MaxTokens   int64 `yaml:"max_tokens" doc:"most tokens that an answer may be asked for; a request has to say how many; 0: any" default:"0"`
	Choices     int64 `yaml:"choices" doc:"most answers to one request (n, candidateCount); 0: any" default:"0"`
	Temperature Range `yaml:"temperature" doc:"range of the temperature, as 0..1; empty: any" example:"0..1"`
	TopP        Range `yaml:"top_p" doc:"range of top_p, as 0.1..1; empty: any" example:""`
	Stops       int   `yaml:"stops" doc:"most sequences at which an answer stops; 0: any" default:"0"`

	Messages int             `yaml:"messages" doc:"most messages, items or prompts of a request; 0: any" default:"0"`
	Prompt   strictyaml.Size `yaml:"prompt" doc:"most bytes of the texts of a request; 0: any" default:"0"`
	Media    []string        `yaml:"media" doc:"what a request may show beside text; none alone: nothing; empty: anything" enum:"image|document|audio|video|none" example:"[image]"`

	Tools       string   `yaml:"tools" doc:"whether a request may name tools, or hold calls of them" enum:"allowed|refused" default:"allowed"`
	MostTools   int      `yaml:"most_tools" doc:"most tools that a request names; 0: any" default:"0"`
	ToolNames   []string `yaml:"tool_names" doc:"the tools that may be named, those that a provider runs by their type; * stands for anything; none: all" example:"[\"search_*\"]"`
	SchemaDepth int      `yaml:"schema_depth" doc:"deepest nesting of the JSON Schemas of tools and answers; 0: any" default:"0"`

	Efforts  []string `yaml:"efforts" doc:"the efforts of reasoning that may be asked for, in the words of the API; none: all" example:"[low, medium]"`
	Thinking int64    `yaml:"thinking" doc:"most tokens that reasoning may be given; 0: any" default:"0"`
	Stream   string   `yaml:"stream" doc:"whether answers are streamed" enum:"any|required|refused" default:"any"`
	Formats  []string `yaml:"formats" doc:"the forms of answers that may be asked for; none: all" enum:"text|json|schema" example:"[text, json]"`
	Metadata []string `yaml:"metadata" doc:"the keys that metadata may have; none: all" example:"[team]"`
}

// Range is a range of numbers, ends included. The zero Range is all of them.
type Range struct {
	Min, Max float64
	Set      bool
}

// UnmarshalText reads "0..1", or nothing.
func (r *Range) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*r = Range{}
		return nil
	}
	from, to, ok := strings.Cut(string(b), "..")
	least, err1 := strconv.ParseFloat(from, 64)
	most, err2 := strconv.ParseFloat(to, 64)
	if !ok || err1 != nil || err2 != nil || !(least <= most) {
		return fmt.Errorf("%q is no range: want one such as 0..1", b)
	}
	*r = Range{least, most, true}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (r Range) MarshalText() ([]byte, error) {
	if !r.Set {
		return nil, nil
	}
	return []byte(r.String()), nil
}

func (r Range) String() string {
	return strconv.FormatFloat(r.Min, 'g', -1, 64) + ".." + strconv.FormatFloat(r.Max, 'g', -1, 64)
}

// Check finds what is wrong with r, which is written at path.
func (r *Rule) Check(path string, fail func(path, format string, args ...any)) {
	if r.Name == "" {
		fail(path+".name", "each rule needs a name, which records tell")
	}
	for _, n := range []struct {
		field string
		value int64
	}{
		{"max_tokens", r.MaxTokens},
		{"choices", r.Choices},
		{"stops", int64(r.Stops)},
		{"messages", int64(r.Messages)},
		{"prompt", int64(r.Prompt)},
		{"most_tools", int64(r.MostTools)},
		{"schema_depth", int64(r.SchemaDepth)},
		{"thinking", r.Thinking},
	} {
		if n.value < 0 {
			fail(path+"."+n.field, "limits are not negative")
		}
	}
	if slices.Contains(r.Media, none) && len(r.Media) > 1 {
		fail(path+".media", "none stands alone")
	}
	if r.Clamp && r.MaxTokens == 0 && r.Choices == 0 {
		fail(path+".clamp", "there is nothing to lower: say max_tokens or choices")
	}
	if r.Tools == refused && (r.MostTools != 0 || len(r.ToolNames) > 0) {
		fail(path+".tools", "most_tools and tool_names are for rules that allow tools")
	}
	for _, list := range [][]string{r.Routes, r.Models, r.Only, r.ToolNames, r.Efforts, r.Metadata} {
		if slices.Contains(list, "") {
			fail(path, "an empty name in a list is none: leave it away")
		}
	}
}

// Words of the configuration.
const (
	none     = "none"
	refused  = "refused"
	required = "required"
	strict   = "strict"
)

// Rules are rules that are ready to be met. They do not change, and are safe for
// concurrent use.
type Rules struct {
	rules []ready
	words bool // a rule needs to know what the API's words are
}

// ready is a Rule with what can be made of it beforehand.
type ready struct {
	Rule
	schema *schema.Schema
	worded bool
}

// New makes Rules of rules and their schemas, by the name of the file. Routes are the
// paths that there are; a rule that is about none of them is an error.
func New(rules []Rule, schemas map[string]*schema.Schema, routes []string) (*Rules, error) {
	out := &Rules{}
	for i, r := range rules {
		var errs []error
		r.Check(fmt.Sprintf("rule %d", i), func(path, format string, args ...any) { errs = append(errs, fmt.Errorf(path+": "+format, args...)) })
		for _, pattern := range r.Routes {
			if !slices.ContainsFunc(routes, func(route string) bool { return matches(pattern, route) }) {
				errs = append(errs, fmt.Errorf("rule %s: there is no route %q", r.Name, pattern))
			}
		}
		made := ready{Rule: r}
		if r.Schema != "" {
			if made.schema = schemas[r.Schema]; made.schema == nil {
				errs = append(errs, fmt.Errorf("rule %s: the schema %q was not read", r.Name, r.Schema))
			}
		}
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		made.worded = r.Roles == strict || r.Fields == refused || r.MaxTokens+r.Choices+r.Thinking > 0 || r.Temperature.Set || r.TopP.Set ||
			r.Stops+r.Messages+r.MostTools+r.SchemaDepth > 0 || len(r.Media)+len(r.ToolNames)+len(r.Efforts)+len(r.Formats)+len(r.Metadata) > 0 || r.Tools == refused
		out.words = out.words || made.worded
		out.rules = append(out.rules, made)
	}
	return out, nil
}

// about reports whether r is about requests for a model on a route.
func (r *Rule) about(route, model string) bool {
	if len(r.Routes) > 0 && !slices.ContainsFunc(r.Routes, func(p string) bool { return matches(p, route) }) {
		return false
	}
	return len(r.Models) == 0 || slices.ContainsFunc(r.Models, func(p string) bool { return matches(lower(p), lower(model)) })
}

// lower makes names equal that providers may take for one: a rule must not be escaped
// by capitals.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || 'A' <= c && c <= 'Z' {
			return strings.Map(unicode.ToLower, s)
		}
	}
	return s
}

// matches reports whether s is as pattern says, in which * stands for anything.
func matches(pattern, s string) bool {
	first, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for {
		part, more, starred := strings.Cut(rest, "*")
		if !starred {
			return strings.HasSuffix(s, rest)
		}
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s, rest = s[at+len(part):], more
	}
}

// Check implements gateway.Rules. The edits lower what is too high, in the order of
// the document.
func (rs *Rules) Check(in gateway.Input) (edits []jsonedit.Edit, lowered []string, err error) {
	l := look{Input: in}
	for i := range rs.rules {
		r := &rs.rules[i]
		if !r.about(in.Route, in.Model) {
			continue
		}
		if err := l.meets(r); err != nil {
			return nil, nil, err
		}
	}
	if err := l.lower(); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(l.edits, dialect.ByStart)
	return l.edits, l.lowered, nil
}

// look is a request that is held against rules.
type look struct {
	gateway.Input
	rule                    *ready
	doc                     jsonedit.Doc // where the request is one of those that no dialect parsed
	words                   *vocabulary
	root                    jsonedit.Value // of what the vocabulary is about
	known                   bool           // words and root were looked for
	turns                   []turn
	seen                    bool // turns were looked for
	edits                   []jsonedit.Edit
	mostTokens, mostChoices int64 // to which rules lower; 0: they do not
	lowered                 []string
}

// meets reports why the request does not meet r.
func (l *look) meets(r *ready) error {
	l.rule = r
	if len(r.Only) > 0 && l.Model != "" && !slices.ContainsFunc(r.Only, func(p string) bool { return matches(p, l.Model) }) {
		return l.refuse(jsonedit.Value{}, "", "the model %.80q is not among those that may be asked here: ask another one", l.Model)
	}
	switch {
	case r.Stream == required && !l.Stream && streams(l.API):
		return l.refuse(jsonedit.Value{}, "", "answers are streamed here: ask for a stream")
	case r.Stream == refused && l.Stream:
		return l.refuse(jsonedit.Value{}, "", "answers are not streamed here: ask for a whole one")
	}
	if most := int(r.Prompt); most > 0 {
		n := 0
		for _, t := range l.Texts {
			n += len(t.Value)
		}
		if n > most {
			return l.refuse(jsonedit.Value{}, "", "its texts are %d bytes, and at most %d are taken here: send less", n, most)
		}
	}
	if r.schema != nil {
		if err := l.parse(); err != nil {
			return err
		}
		if where, what, ok := r.schema.Validate(l.Document); !ok {
			return l.refuse(at(l.Document, where), where, "%s", what)
		}
	}
	if !r.worded {
		return nil
	}
	if err := l.learn(); err != nil || l.words == nil {
		return err
	}
	return l.parameters(r)
}

// parse parses a body that no dialect did.
func (l *look) parse() error {
	if l.Document.Exists() {
		return nil
	}
	if err := l.doc.Parse(l.Body, jsonedit.Limits{Bytes: len(l.Body) + 1}); err != nil {
		return dialect.Unparsed(err)
	}
	l.Document = l.doc.Root()
	return nil
}

// learn finds the words of the request's API. It has none when it asks no model.
func (l *look) learn() error {
	if l.known {
		return nil
	}
	l.known, l.root = true, l.Document
	var told bool
	if l.words, l.root, told = wordsOf(l.API, l.Model, l.Document); !told {
		return l.refuse(jsonedit.Value{}, "", "nobody here knows the words of this model, so its requests cannot be held against the rules: ask it by another API, such as Converse")
	}
	return nil
}

// refuse refuses the request for what stands at v, to which path points.
func (l *look) refuse(v jsonedit.Value, path, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	where := ""
	if v.Exists() {
		start, _ := v.Span()
		line, col := 1, start+1
		for i, c := range v.Source()[:start] {
			if c == '\n' {
				line, col = line+1, start-i
			}
		}
		where = fmt.Sprintf(" (line %d, column %d)", line, col)
	}
	if path != "" || where != "" {
		where = strings.TrimSpace(clip(path)+where) + ": "
	}
	return &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "invalid_request",
		Public: "The request is not taken: " + where + what + ".",
		Err:    fmt.Errorf("rule %s: %s%s", l.rule.Name, where, what),
	}
}

// clip bounds a path, whose keys are the caller's.
func clip(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	return strings.ToValidUTF8(path[:most], "") + "…"
}
