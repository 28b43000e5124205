package dialect

import (
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Spells reports whether the tokens of list, those of an answer's log probabilities,
// say text and nothing else, or are none. Who reads them could otherwise read what nobody looked
// at. An element is a token, or an object of a token and, where a character is cut
// between two, its bytes.
func Spells(list jsonedit.Value, text string) bool {
	said := false
	for _, e := range list.Elems() {
		said = true
		token := e.Text()
		if e.Kind() == jsonedit.Object {
			token = e.Get("token").Text()
			if raw := e.Get("bytes"); raw.Kind() == jsonedit.Array {
				b := bytesOf(raw)
				if token != b && (utf8.ValidString(b) || len(token) > len(`bytes:\xff`)*len(b)) {
					return false
				}
				token = b
			}
		}
		rest, ok := strings.CutPrefix(text, token)
		if !ok {
			return false
		}
		text = rest
	}
	return !said || text == ""
}

func bytesOf(list jsonedit.Value) string {
	var b strings.Builder
	for _, e := range list.Elems() {
		n, ok := e.Int()
		if !ok || n < 0 || n > 255 {
			return ""
		}
		b.WriteByte(byte(n))
	}
	return b.String()
}
