package dialect

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Int returns the number v; nil when it is none.
func Int(v jsonedit.Value) *int64 {
	n, ok := v.Int()
	if !ok {
		return nil
	}
	return &n
}

// Float returns the number v; nil when it is none.
func Float(v jsonedit.Value) *float64 {
	if v.Kind() != jsonedit.Number {
		return nil
	}
	f, err := strconv.ParseFloat(string(v.Raw()), 64)
	if err != nil {
		return nil
	}
	return &f
}

// Strings returns a string, or an array of them.
func Strings(v jsonedit.Value) (out []string) {
	if v.Kind() == jsonedit.String {
		return []string{v.Text()}
	}
	for _, e := range v.Elems() {
		out = append(out, e.Text())
	}
	return out
}

// Raw returns the bytes of v as its own; nil when it is missing or null.
func Raw(v jsonedit.Value) []byte {
	if !v.Exists() || v.Kind() == jsonedit.Null {
		return nil
	}
	return bytes.Clone(v.Raw())
}

// MediaNames are the kinds of media in words.
var MediaNames = map[ringwall.MediaKind]string{
	ringwall.Image: "image", ringwall.Document: "document", ringwall.Audio: "audio", ringwall.Video: "video",
}

// FromURL returns the medium that a URL names or, as a data URL (RFC 2397) in
// base64, is.
func FromURL(kind ringwall.MediaKind, url string) *ringwall.Media {
	m := &ringwall.Media{Kind: kind, URL: url}
	if rest, ok := strings.CutPrefix(url, "data:"); ok {
		if head, data, ok := strings.Cut(rest, ","); ok && strings.HasSuffix(head, ";base64") {
			m.MIME, _, _ = strings.Cut(head, ";")
			m.Data, m.URL = data, ""
		}
	}
	return m
}

// ToURL is the inverse of FromURL.
func ToURL(m *ringwall.Media) string {
	if m.Data == "" {
		return m.URL
	}
	return "data:" + m.MIME + ";base64," + m.Data
}

// AppendTurn appends what somebody says, to the last turn where it is theirs.
func AppendTurn(turns []ringwall.Turn, role ringwall.Role, parts []ringwall.Part) []ringwall.Turn {
	if n := len(turns); n > 0 && turns[n-1].Role == role {
		turns[n-1].Parts = append(turns[n-1].Parts, parts...)
		return turns
	}
	return append(turns, ringwall.Turn{Role: role, Parts: parts})
}
