package schema

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Options say how the schema of arguments is read.
type Options struct {
	// Open leaves objects open that declare members and do not say whether there may be
	// others. Otherwise they are closed.
	Open bool
	// Lenient reads over what is no JSON Schema but what clients are known to write: types
	// in capital letters or of another trade, patterns in the syntax of another language.
	// It then demands less, as if that were not written.
	Lenient bool
}

// Bounds on the schema of arguments. Within them compiling takes some milliseconds at
// most.
const (
	maxArguments = 256 << 10 // bytes
	maxNodes     = 4000      // schemas in it
	maxSteps     = 400_000   // in looking for what is declared
	maxValues    = 20_000    // of all its enumerations
	maxPattern   = 1 << 10   // bytes
	maxPrograms  = 50_000    // instructions of all its patterns
)

// Arguments compiles the schema of a tool's arguments: JSON Schema 2020-12, or an older
// draft, whose words for the same thing are read as it would. An object that declares
// members and does not say whether there may be others is closed; a member of null where
// the schema has another type and does not require it counts as left away; and a date and
// time may lack its zone. Work is bounded, here and in [Schema.Validate]: a schema whose
// looking would not end, or would grow beyond the document, is refused.
func Arguments(src []byte, o Options) (*Schema, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(src, jsonedit.Limits{Bytes: maxArguments}); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	b := &builder{o: o, doc: doc.Root(), refs: map[place]*node{}, defs: map[string]any{}}
	root, err := b.value(doc.Root(), "", true)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	for _, p := range b.positions { // after all references are there
		if err := b.close(p); err != nil {
			return nil, fmt.Errorf("reading the schema: %w", err)
		}
	}
	for _, n := range b.all {
		if endless(n) {
			return nil, fmt.Errorf("reading the schema: %s: it refers to itself without end", n.where)
		}
	}
	b.defs["root"] = root.said()
	top := map[string]any{"$ref": "#/$defs/root", "$defs": b.defs}
	made, err := compile(top, func(c *jsonschema.Compiler) {
		c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: dateTime})
		c.UseRegexpEngine(b.pattern)
	})
	if err != nil {
		return nil, err
	}
	return &Schema{made: made, root: root, dear: b.dear()}, nil
}

// node is a schema in the schema of arguments.
type node struct {
	name     string         // of its definition, where it is referred to
	where    string         // JSON pointer
	out      map[string]any // what is compiled; nil: always
	always   bool           // what the schema true or false says
	here     []*node        // schemas that look at the same value
	not      []*node        // the same, of which nothing counts as declared
	props    map[string]*node
	patterns []*node // of members whose names match
	others   []*node // of any member
	prefix   []*node // of the first elements
	items    []*node // of any element
	weight   int     // what looking at a value costs beside
	regexps  int
	declares bool // members
	says     bool // whether there may be others
	required []string
	state    uint8
}

// said returns what is compiled of n.
func (n *node) said() any {
	if n.out == nil {
		return n.always
	}
	return n.out
}

// place is where a reference leads, and whether what is there is closed.
type place struct {
	pointer string
	closed  bool
}

type builder struct {
	o         Options
	doc       jsonedit.Value
	refs      map[place]*node
	defs      map[string]any
	positions []*node // whose values are objects of their own
	all       []*node
	steps     int
	values    int
	programs  int
	inplace   int
}

// dear reports whether the cost of looking can grow faster than the document: one where
// every value is looked at some times only is cheap.
func (b *builder) dear() bool {
	return len(b.refs) > 0 || b.inplace > 32 || b.values > 1000 || b.programs > 5000
}

// at reads the schema v. Closed is whether objects in it may be closed: not where more
// that is refused means more that is let through.
func (b *builder) at(v jsonedit.Value, where string, closed bool) (*node, error) {
	n := &node{where: where}
	return n, b.fill(n, v, closed)
}

// value reads the schema of a value that is another than that of its parent.
func (b *builder) value(v jsonedit.Value, where string, closed bool) (*node, error) {
	n, err := b.at(v, where, closed)
	if closed && err == nil {
		b.positions = append(b.positions, n)
	}
	return n, err
}

func (b *builder) fill(n *node, v jsonedit.Value, closed bool) error {
	if b.all = append(b.all, n); len(b.all) > maxNodes {
		return fmt.Errorf("%s: it has more than %d schemas in it", n.where, maxNodes)
	}
	switch v.Kind() {
	case jsonedit.Bool:
		n.always = v.True()
		return nil
	case jsonedit.Object:
	default:
		return fmt.Errorf("%s: want a schema, not %s", n.where, v.Kind())
	}
	n.out = map[string]any{}
	for key, m := range v.Members() {
		if err := b.keyword(n, v, key, m, closed); err != nil {
			return err
		}
	}
	if v.Get("nullable").True() { // OpenAPI 3.0, and Gemini
		if t, ok := n.out["type"].([]any); ok && !slices.Contains(t, any("null")) {
			n.out["type"] = append(t, "null")
		}
		if e, ok := n.out["enum"].([]any); ok {
			n.out["enum"] = append(e, nil)
		}
	}
	return nil
}

// ref reads what a reference leads to, once.
func (b *builder) ref(n *node, v jsonedit.Value, closed bool) error {
	pointer, ok := strings.CutPrefix(v.Text(), "#")
	if !ok || pointer != "" && pointer[0] != '/' {
		return fmt.Errorf("%s/$ref: a schema is whole in itself, nothing is fetched: want #/$defs/NAME", n.where)
	}
	pointer, err := url.PathUnescape(pointer)
	if err != nil {
		return fmt.Errorf("%s/$ref: %w", n.where, err)
	}
	to, ok := b.refs[place{pointer, closed}]
	if !ok {
		target := b.doc
		for _, key := range strings.Split(pointer, "/")[1:] {
			target = step(target, unescape.Replace(key))
		}
		if !target.Exists() {
			return fmt.Errorf("%s/$ref: nothing is at %s", n.where, v.Text())
		}
		to = &node{name: "d" + strconv.Itoa(len(b.refs)), where: pointer}
		b.refs[place{pointer, closed}] = to
		if err := b.fill(to, target, closed); err != nil {
			return err
		}
		b.defs[to.name] = to.said()
	}
	n.out["$ref"] = "#/$defs/" + to.name
	n.here = append(n.here, to)
	return nil
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// step returns the member or element of v that is called key.
func step(v jsonedit.Value, key string) jsonedit.Value {
	if v.Kind() != jsonedit.Array {
		return v.Get(key)
	}
	for i, e := range v.Elems() {
		if strconv.Itoa(i) == key {
			return e
		}
	}
	return jsonedit.Value{}
}

// close closes a schema of values that may be objects, unless it says something of
// members that it does not declare.
func (b *builder) close(n *node) error {
	if b.o.Open || n.out == nil || n.says {
		return nil
	}
	if len(n.here) == 0 {
		if n.declares {
			n.out["additionalProperties"] = false
		}
		return nil
	}
	seen, declares := map[*node]bool{}, false
	for todo := []*node{n}; len(todo) > 0; {
		m := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[m] {
			continue
		}
		if b.steps++; b.steps > maxSteps {
			return errors.New("it refers to itself too often")
		}
		seen[m] = true
		declares = declares || m.declares
		todo = append(todo, m.here...)
	}
	if declares { // what one of several alternatives says of other members holds where it is met
		n.out["unevaluatedProperties"] = false
	}
	return nil
}

// endless reports whether looking at one value may go in circles.
func endless(n *node) bool {
	const open, done = 1, 2
	if n.state != 0 {
		return n.state == open
	}
	n.state = open
	for _, list := range [][]*node{n.here, n.not} {
		if slices.ContainsFunc(list, endless) {
			return true
		}
	}
	n.state = done
	return false
}
