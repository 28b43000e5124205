package gemini

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// locator finds the texts of parts.
type locator struct {
	dialect.Locator
	media []string
}

func located() locator { return locator{Locator: dialect.Locator{Grammar: grammar}} }

// Unseen implements gateway.Request.
func (l *locator) Unseen() []string { return append(l.Locator.Unseen(), l.media...) }

func (l *locator) unsee(kind string) {
	if !slices.Contains(l.media, kind) {
		l.media = append(l.media, kind)
	}
}

// each yields the elements of an array and their paths; of an object, which Google
// takes for an array of one, the object.
func each(v jsonedit.Value, path string) iter.Seq2[string, jsonedit.Value] {
	return func(yield func(string, jsonedit.Value) bool) {
		if v.Kind() != jsonedit.Array {
			if v.Exists() {
				yield(path, v)
			}
			return
		}
		for i, e := range v.Elems() {
			if !yield(path+"/"+strconv.Itoa(i), e) {
				return
			}
		}
	}
}

// member returns the member of v whose key folds to key.
func member(v jsonedit.Value, key string) jsonedit.Value {
	for k, m := range v.Members() {
		if dialect.FoldProto(k) == key {
			return m
		}
	}
	return jsonedit.Value{}
}

// part adds the texts of a part.
func (l *locator) part(v jsonedit.Value, path string, o ringwall.Origin) {
	for key, m := range v.Members() {
		l.ofPart(key, m, path, o)
	}
}

// ofPart adds the texts of a member of the part at path.
func (l *locator) ofPart(key string, m jsonedit.Value, path string, o ringwall.Origin) {
	path += "/" + dialect.Pointer(key)
	switch dialect.FoldProto(key) {
	case "inlinedata":
		l.inline(m, path, o)
	case "filedata":
		l.unsee("file-part")
		l.All(m, path, key, o)
	case "functioncall":
		l.free(m, path, "args", ringwall.Assistant)
	case "functionresponse":
		l.free(m, path, "response", ringwall.Tool)
	case "codeexecutionresult", "toolresponse":
		l.All(m, path, key, ringwall.Tool)
	case "executablecode", "toolcall":
		l.All(m, path, key, ringwall.Assistant)
	default:
		l.All(m, path, key, o)
	}
}

// free adds the texts of a call or a result, of which one member is the caller's.
func (l *locator) free(v jsonedit.Value, path, own string, o ringwall.Origin) {
	if v.Kind() != jsonedit.Object {
		l.All(v, path, "", o)
		return
	}
	for key, m := range v.Members() {
		p := path + "/" + dialect.Pointer(key)
		switch dialect.FoldProto(key) {
		case own:
			l.Every(m, p, o)
		case "parts":
			for p, part := range each(m, p) {
				l.part(part, p, o)
			}
		default:
			l.All(m, p, key, o)
		}
	}
}

// inline names a medium, whose data is no text where it is base64.
func (l *locator) inline(v jsonedit.Value, path string, o ringwall.Origin) {
	for key, m := range v.Members() {
		if dialect.FoldProto(key) == "data" && m.Kind() == jsonedit.String && dialect.IsBase64(m) {
			l.unsee(kindWord(member(v, "mimetype").Text()) + "-part")
			continue
		}
		l.All(m, path+"/"+dialect.Pointer(key), key, o)
	}
}

// kindOf is what a media type shows.
func kindOf(mime string) ringwall.MediaKind {
	switch head, _, _ := strings.Cut(mime, "/"); head {
	case "image":
		return ringwall.Image
	case "audio":
		return ringwall.Audio
	case "video":
		return ringwall.Video
	}
	return ringwall.Document
}

func kindWord(mime string) string {
	if k := kindOf(mime); k != ringwall.Document {
		return dialect.MediaNames[k]
	}
	return "file"
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
