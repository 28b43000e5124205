package provenance

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// trace is [Index.Trace].
func (x *Index) trace(value string) Origin {
	if o, ok := x.known[value]; ok {
		return o
	}
	var o Origin
	for i := range x.texts {
		if t := &x.texts[i]; t.source > o.Source && strings.Contains(t.raw, trim(value)) {
			o = Origin{Source: t.source, Turn: t.turn, Tool: t.tool, How: HowVerbatim}
		}
	}
	if x.known == nil {
		x.known = map[string]Origin{}
	}
	x.known[value] = o
	return o
}

func (x *Index) untrusted(value string) (Origin, bool) {
	for i := range x.texts {
		if t := &x.texts[i]; t.source == ringwall.SourceUntrusted && strings.Contains(t.raw, trim(value)) {
			return Origin{Source: t.source, Turn: t.turn, Tool: t.tool, How: HowVerbatim}, true
		}
	}
	return Origin{}, false
}

// leaves yields the texts and numbers of v, until yield wants no more.
func (x *Index) leaves(v jsonedit.Value, path string, yield func(string, Origin) bool) bool {
	switch v.Kind() {
	case jsonedit.Object:
		for key, m := range v.Members() {
			if !x.leaves(m, path+"/"+escape.Replace(key), yield) {
				return false
			}
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			if !x.leaves(e, path+"/"+strconv.Itoa(i), yield) {
				return false
			}
		}
	case jsonedit.String:
		return yield(path, x.trace(v.Text()))
	case jsonedit.Number:
		return yield(path, x.trace(string(v.Raw())))
	}
	return true
}

// escape makes a key a token of a JSON pointer (RFC 6901 §4).
var escape = strings.NewReplacer("~", "~0", "/", "~1")
