package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// unsigned stands where the signature of a thought stood that was changed on its
// way to the client, or that nobody signed.
const unsigned = "ringwall-unsigned"

// locator finds the texts of messages and of answers.
type locator struct {
	dialect.Locator
	answer   bool // all is the model's
	unseen   []string
	thoughts []thought
}

// thought is a block of type thinking.
type thought struct {
	from, to int // its texts
	block    jsonedit.Value
	list     jsonedit.Value // it stands in
}

func located(answer bool) locator {
	return locator{Locator: dialect.Locator{Grammar: grammar}, answer: answer}
}

// Unseen implements gateway.Request.
func (l *locator) Unseen() []string {
	for _, kind := range l.Locator.Unseen() {
		l.see(kind)
	}
	return l.unseen
}

func (l *locator) see(kind string) {
	if !slices.Contains(l.unseen, kind) {
		l.unseen = append(l.unseen, kind)
	}
}

// isCall reports whether a block of that type is a tool call, be it of the
// client's tool or of one that the provider runs.
func isCall(kind string) bool { return strings.HasSuffix(kind, "tool_use") }

// originOf says whose words a block holds that stands in words of o.
func (l *locator) originOf(kind string, o ringwall.Origin) ringwall.Origin {
	switch {
	case l.answer:
		return ringwall.Assistant
	case kind == "document", kind == "search_result", strings.HasPrefix(kind, "web_") && strings.HasSuffix(kind, "_result"):
		return ringwall.Retrieved
	case strings.HasSuffix(kind, "tool_result"):
		return ringwall.Tool
	}
	return o
}

// turn adds the texts of what somebody says, and notes what is thought there.
func (l *locator) turn(v jsonedit.Value, path string, o ringwall.Origin) {
	if v.Kind() != jsonedit.Array {
		l.content(v, path, o)
		return
	}
	for i, b := range v.Elems() {
		from := len(l.Texts())
		l.content(b, path+"/"+strconv.Itoa(i), o)
		if b.Get("type").Is("thinking") {
			l.thoughts = append(l.thoughts, thought{from, len(l.Texts()), b, v})
		}
	}
}

// content adds the texts of a string, of one block or of a list of them.
func (l *locator) content(v jsonedit.Value, path string, o ringwall.Origin) {
	switch v.Kind() {
	case jsonedit.String:
		l.Add(v, path, o)
	case jsonedit.Array:
		for i, b := range v.Elems() {
			l.content(b, path+"/"+strconv.Itoa(i), o)
		}
	case jsonedit.Object:
		l.block(v, path, o)
	default:
		l.All(v, path, "content", o)
	}
}

// block adds the texts of a block.
func (l *locator) block(v jsonedit.Value, path string, o ringwall.Origin) {
	kind := v.Get("type").Text()
	o = l.originOf(kind, o)
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		switch {
		case key == "input" && isCall(kind):
			l.Every(m, p+"#", o)
		case key == "content":
			l.content(m, p, o)
		case key == "source" && m.Kind() == jsonedit.Object:
			l.source(m, p, kind, o)
		case key == "signature" && opaque(m):
		case key == "data" && kind == "redacted_thinking" && opaque(m):
			l.see("redacted-thinking")
		default:
			l.All(m, p, key, o)
		}
	}
}

// source adds the texts of where an image or a document comes from.
func (l *locator) source(v jsonedit.Value, path, kind string, o ringwall.Origin) {
	part := "document-part"
	if kind == "image" {
		part = "image-part"
	}
	text := v.Get("type").Is("text")
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		switch {
		case key == "data" && !text && opaque(m):
			l.see(part)
		case key == "content":
			l.content(m, p, o)
		case key == "url", key == "file_id": // what stands there is not read here
			l.see(part)
			fallthrough
		default:
			l.All(m, p, key, o)
		}
	}
}
