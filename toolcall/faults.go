package toolcall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

// Fault is something that is wrong with a tool, or missing.
type Fault struct {
	Tool string `json:"tool"`
	What string `json:"what"` // kebab-case
	Why  string `json:"why"`
}

// Faults says what is wrong with tools or missing, in their order.
func Faults(tools []Tool) []Fault {
	var out []Fault
	for i := range tools {
		t := &tools[i]
		say := func(what, format string, args ...any) {
			out = append(out, Fault{Visible(t.Name), what, fmt.Sprintf(format, args...)})
		}
		if !t.Annotated {
			say("not-annotated", "nobody said which of its arguments are sensitive: every value counts that can name somebody or something")
		}
		if len(t.Input) == 0 {
			say("no-schema", "its arguments are held against whatever schema a request offers")
		} else if _, err := schema.Arguments(t.Input, schema.Options{Open: t.Open}); err != nil {
			say("schema-unreadable", "%v", err)
		}
		if t.Pin.Model == "" {
			say("not-pinned", "its definition may change without anybody looking at it")
		} else if d := t.Definition(); t.Description+string(t.Input) != "" && d.Pin().Model != t.Pin.Model {
			say("pin-differs", "the pin is of another definition than the one that stands here")
		}
		for _, text := range [][2]string{{"name", t.Name}, {"title", t.Title}, {"description", t.Description}, {"schema", string(t.Input)}} {
			if v := Visible(text[1]); v != text[1] && hidden(text[1]) {
				say("hidden-characters", "its %s has characters that show nothing: %.200s", text[0], strings.TrimSpace(around(v)))
			}
		}
		for j := range tools[:i] {
			if o := &tools[j]; o.Name != t.Name && (shape(o.Name) == shape(t.Name) || near(o.Name, t.Name)) {
				say("look-alike", "it is called almost like %s%s", Visible(o.Name), of(o.Server))
			} else if o.Name == t.Name {
				say("twice", "there is another of that name%s: a call names no server", of(o.Server))
			}
		}
	}
	return out
}

func of(server string) string {
	if server == "" {
		return ""
	}
	return " of " + server
}

// around returns what stands around the first token of a text that was made visible.
func around(v string) string {
	i := strings.Index(v, "⟨")
	if i < 0 {
		return v
	}
	start := max(0, i-40)
	for start > 0 && v[start]&0xC0 == 0x80 {
		start--
	}
	return v[start:]
}

// near reports whether two names differ in one letter: one more, one less, another, or
// two that changed places. Short names, and those that differ in a digit or an s at the
// end, are honest neighbours.
func near(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) < len(y) {
		x, y = y, x
	}
	if len(y) < 6 || len(x)-len(y) > 1 {
		return false
	}
	i := 0
	for i < len(y) && x[i] == y[i] {
		i++
	}
	if len(x) > len(y) {
		last := i == len(y)
		return slices.Equal(x[i+1:], y[i:]) && !(last && strings.ContainsRune("s0123456789", x[i]))
	}
	if i == len(x) {
		return false
	}
	digits := strings.ContainsRune("0123456789", x[i]) && strings.ContainsRune("0123456789", y[i])
	if slices.Equal(x[i+1:], y[i+1:]) {
		return !digits
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}
