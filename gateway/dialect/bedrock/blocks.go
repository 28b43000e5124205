package bedrock

import (
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// names are the members of Converse whose strings are names of the format.
var names = dialect.NameSet(
	"role", "toolUseId", "status", "type", "format", "ttl", "latency", "stopReason", "qualifiers", "p", "effort", "schemaVersion",
)

// locator finds the texts of Converse.
type locator struct {
	dialect.Locator
	inside  string // kind of the medium in whose block it is
	queries []int  // texts that the client marks as the question
}

func located() *locator { return locatedBut(names) }

// locatedBut returns a locator of a format with those names.
func locatedBut(names map[string]bool) *locator {
	l := &locator{}
	l.Grammar = dialect.Grammar{Names: names, Medium: l.medium}
	return l
}

// signed is the kind of what is in the block of reasoning and is no text: proofs,
// and what only the provider can read.
const signed = "signed-reasoning"

// media are the blocks that hold what is no text, and what that is called.
var media = map[string]string{
	"image": "image-part", "document": "document-part", "video": "video-part", "audio": "audio-part",
}

func (l *locator) medium(key string, _ jsonedit.Value) string {
	switch {
	case l.inside == signed && (key == "signature" || key == "redactedContent" || key == "data"),
		l.inside != "" && l.inside != signed && (key == "bytes" || key == "uri" || key == "data"):
		return l.inside
	}
	return ""
}

// within adds every text under v, which is in a block of a kind of medium.
func (l *locator) within(kind string, v jsonedit.Value, path, key string, o ringwall.Origin) {
	l.inside = kind
	l.All(v, path, key, o)
	l.inside = ""
}

// content adds the texts of a list of blocks.
func (l *locator) content(list jsonedit.Value, path string, o ringwall.Origin) {
	for i, b := range list.Elems() {
		l.block(b, path+"/"+strconv.Itoa(i), o)
	}
}

// block adds the texts of a content block, in whose place o speaks.
func (l *locator) block(b jsonedit.Value, path string, o ringwall.Origin) {
	if b.Kind() != jsonedit.Object {
		l.All(b, path, "", o)
		return
	}
	for key, v := range b.Members() {
		p := path + "/" + dialect.Pointer(key)
		switch key {
		case "image", "video", "audio":
			l.within(media[key], v, p, key, o)
		case "document":
			l.document(v, p, o)
		case "toolUse":
			l.toolUse(v, p)
		case "toolResult":
			l.toolResult(v, p)
		case "guardContent":
			l.guardContent(v, p, o)
		case "reasoningContent":
			l.within(signed, v, p, key, o)
		case "citationsContent":
			l.citations(v, p, o)
		case "searchResult":
			l.All(v, p, key, ringwall.Retrieved)
		default:
			l.All(v, p, key, o)
		}
	}
}

// document adds the texts of a document, which is retrieved but for what says how
// to read it.
func (l *locator) document(v jsonedit.Value, path string, o ringwall.Origin) {
	if v.Kind() != jsonedit.Object {
		l.All(v, path, "", ringwall.Retrieved)
		return
	}
	for key, m := range v.Members() {
		switch p := path + "/" + dialect.Pointer(key); {
		case key == "context":
			l.All(m, p, key, o)
		case key == "source" && m.Kind() == jsonedit.Object && written[v.Get("format").Text()]:
			for k, part := range m.Members() {
				if at := p + "/" + dialect.Pointer(k); k != "bytes" || !l.Base64(part, at, ringwall.Retrieved) {
					l.within(media["document"], part, at, k, ringwall.Retrieved)
				}
			}
		default:
			l.within(media["document"], m, p, key, ringwall.Retrieved)
		}
	}
}

// written are the formats of documents whose bytes are a text.
var written = dialect.NameSet("txt", "md", "csv", "html")

func (l *locator) toolUse(v jsonedit.Value, path string) {
	if v.Kind() != jsonedit.Object {
		l.All(v, path, "", ringwall.Assistant)
		return
	}
	for key, m := range v.Members() {
		if p := path + "/" + dialect.Pointer(key); key == "input" {
			l.Every(m, p, ringwall.Assistant)
		} else {
			l.All(m, p, key, ringwall.Assistant)
		}
	}
}

func (l *locator) toolResult(v jsonedit.Value, path string) {
	if v.Kind() != jsonedit.Object {
		l.All(v, path, "", ringwall.Tool)
		return
	}
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		if key != "content" || m.Kind() != jsonedit.Array {
			l.All(m, p, key, ringwall.Tool)
			continue
		}
		for i, b := range m.Elems() {
			at := p + "/" + strconv.Itoa(i)
			if json := b.Get("json"); json.Exists() {
				l.Every(b, at, ringwall.Tool)
			} else {
				l.block(b, at, ringwall.Tool)
			}
		}
	}
}

// guardContent adds the texts of a block that says what it is to the guard. All
// blocks are looked at, marked or not: marking one takes nothing away.
func (l *locator) guardContent(v jsonedit.Value, path string, o ringwall.Origin) {
	asks, source := false, false
	for _, q := range v.Get("text").Get("qualifiers").Elems() {
		asks = asks || q.Is("query")
		source = source || q.Is("grounding_source")
	}
	if source && (o == ringwall.User || o == ringwall.System) {
		o = ringwall.Retrieved // also of the operator's: an answer is to repeat it
	}
	first := len(l.Texts())
	l.within(media["image"], v, path, "", o)
	for i := first; asks && i < len(l.Texts()); i++ {
		l.queries = append(l.queries, i)
	}
}

func (l *locator) citations(v jsonedit.Value, path string, o ringwall.Origin) {
	if v.Kind() != jsonedit.Object {
		l.All(v, path, "", o)
		return
	}
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		if key != "citations" || m.Kind() != jsonedit.Array {
			l.All(m, p, key, o)
			continue
		}
		for i, c := range m.Elems() {
			at := p + "/" + strconv.Itoa(i)
			if c.Kind() != jsonedit.Object {
				l.All(c, at, "", o)
			}
			for k, part := range c.Members() {
				origin := o
				if k == "sourceContent" && o != ringwall.Assistant {
					origin = ringwall.Retrieved
				}
				l.All(part, at+"/"+dialect.Pointer(k), k, origin)
			}
		}
	}
}
