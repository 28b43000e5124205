package rule

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// at returns the value to which a JSON pointer (RFC 6901) leads.
func at(v jsonedit.Value, pointer string) jsonedit.Value {
	for _, key := range strings.Split(pointer, "/")[1:] {
		if v.Kind() == jsonedit.Array {
			var found jsonedit.Value
			for i, e := range v.Elems() {
				if strconv.Itoa(i) == key {
					found = e
					break
				}
			}
			v = found
			continue
		}
		v = v.Get(unescape.Replace(key))
	}
	return v
}
