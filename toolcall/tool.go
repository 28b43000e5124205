package toolcall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
)

// Effect is what a tool does to the world. The zero value is External, the effect of a
// tool of which nobody said anything.
type Effect uint8

// Effects.
const (
	External    Effect = iota // carries something to others: mail, a payment, a request to any host
	Destructive               // takes away what cannot be had back
	Write                     // changes something of the principal's own
	Read                      // changes nothing
)

var effectNames = []string{"external", "destructive", "write", "read"}

// Effects returns their names.
func Effects() []string { return slices.Clone(effectNames) }

func (e Effect) String() string {
	if int(e) < len(effectNames) {
		return effectNames[e]
	}
	return fmt.Sprintf("unknown(%d)", uint8(e))
}

// MarshalText encodes e as its lower-case name.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText accepts the names of the effects.
func (e *Effect) UnmarshalText(b []byte) error {
	i := slices.Index(effectNames, string(b))
	if i < 0 {
		return fmt.Errorf("unknown effect %q: want one of %v", b, effectNames)
	}
	*e = Effect(i)
	return nil
}

// Tool is what the operator declares of a tool. The zero Tool, but for its name, is one
// of which nobody said anything: external, and its output untrusted.
//
// Arguments are named by paths: names with dots between them, in which * is any member
// or element: recipients, to.address, items.*.id. A path stands for all that is below
// it, too.
type Tool struct {
	Name   string
	Server string // that offers it; "" where clients bring it along
	Known  bool   // the registry has it
	Effect Effect
	// Sensitive are the arguments that name who or what is acted on; their values need
	// a source that is trusted. Nil where Annotated is false: then every value counts
	// that can name somebody or something.
	Sensitive []string
	Payload   []string // arguments that can carry data out
	Annotated bool     // the operator said which arguments are sensitive
	// Trusted are the fields of the output that systems of the operator's make and
	// nobody else can write: JSON pointers, in which * is any member or element. "" is
	// all of it.
	Trusted []string

	Least ringwall.Trust // that a caller needs
	Roles []string       // one of which a caller needs; nil: none

	Title       string
	Description string
	Input       []byte             // the registry's own copy of the schema of the arguments; nil: there is none
	Output      []byte             // of the result; nil: there is none
	Hints       []byte             // what its server says of it, which is not believed
	Open        bool               // arguments may have members that the schema does not declare
	Pin         Pin                // of the definition, when somebody looked at it
	Arguments   map[string]Meaning // what values must be, by path

	schema   *schema.Schema
	meanings []meaning
}

// IsSensitive reports whether the operator said that a value names who or what is acted
// on. Where is its JSON pointer in the arguments.
func (t *Tool) IsSensitive(where string) bool { return covered(t.Sensitive, where) }

// IsPayload reports whether the operator said that a value can carry data out. Where is
// its JSON pointer in the arguments.
func (t *Tool) IsPayload(where string) bool { return covered(t.Payload, where) }

// covered reports whether one of paths leads to a value, or to what it stands in.
func covered(paths []string, where string) bool {
	for _, p := range paths {
		if leads(p, where) {
			return true
		}
	}
	return false
}

// leads reports whether a path leads to where, a JSON pointer, or above it.
func leads(path, where string) bool {
	for {
		name, rest, more := strings.Cut(path, ".")
		key, below := cutKey(where)
		if name != "*" && name != key || where == "" {
			return false
		}
		if !more {
			return true
		}
		path, where = rest, below
	}
}

// cutKey cuts the first key off a JSON pointer. A key with a dot in it counts as two.
func cutKey(pointer string) (key, below string) {
	if pointer == "" {
		return "", ""
	}
	end := strings.IndexAny(pointer[1:], "/.")
	if end < 0 {
		return unescapeKey(pointer[1:]), ""
	}
	return unescapeKey(pointer[1 : 1+end]), pointer[1+end:]
}

func unescapeKey(key string) string {
	if strings.IndexByte(key, '~') < 0 {
		return key
	}
	return strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
}
