package dialect

import (
	"strings"
	"unicode"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Spelled refuses a document in which two members of one object are the same for
// a reader that folds keys: which of them counts is nobody's guess. What stands
// under a key that free names has keys of the caller's own, and is not looked
// into.
func Spelled(src []byte, v jsonedit.Value, fold func(string) string, free map[string]bool) error {
	switch v.Kind() {
	case jsonedit.Array:
		for _, e := range v.Elems() {
			if err := Spelled(src, e, fold, free); err != nil {
				return err
			}
		}
	case jsonedit.Object:
		have := map[string]string{}
		for k, m := range v.Members() {
			key := fold(k)
			if other, twice := have[key]; twice {
				return Invalid(src, m, "", "%.64q and %.64q are two spellings of one member; write one of them", other, k)
			}
			have[key] = k
			if free[key] {
				continue
			}
			if err := Spelled(src, m, fold, free); err != nil {
				return err
			}
		}
	}
	return nil
}

// FoldCase makes keys one that differ in case alone, as encoding/json of Go does.
func FoldCase(key string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' {
			return least + 'a' - 'A'
		}
		return least
	}, key)
}

// FoldProto makes the two spellings one that JSON of protocol buffers has for a
// member, camelCase and snake_case, and whatever is like them.
func FoldProto(key string) string { return FoldCase(strings.ReplaceAll(key, "_", "")) }
