package toolcall

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// outline is the output of a tool taken apart: which of its texts are values of fields,
// and which are prose that says anything it likes.
type outline struct {
	leaves []leaf
	plain  bool // no JSON and no YAML: lines stand for fields
}

// leaf is a text of an output.
type leaf struct {
	text   string
	key    string
	record int  // which element of the list it is in; 0: none
	member bool // it is the name of a member
}

// Bounds on outlines.
const (
	maxLeaves  = 1 << 14
	proseWords = 4 // a text of so many words is prose
	maxKey     = 80
)

// newOutline takes an output apart.
func newOutline(text string) *outline {
	o := &outline{leaves: make([]leaf, 0, min(maxLeaves, 2*strings.Count(text, "\n")+8))}
	trimmed := strings.TrimSpace(text)
	if strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		var doc jsonedit.Doc
		if doc.Parse([]byte(trimmed), jsonedit.Limits{Bytes: maxArguments, Depth: maxDepth}) == nil {
			record := 0
			o.json(doc.Root(), "", 0, &record, false)
			return o
		}
	}
	if o.yaml(text) {
		return o
	}
	o.leaves, o.plain = o.leaves[:0], true
	o.lines(text)
	return o
}

func (o *outline) add(l leaf) {
	if l.text == "" {
		return
	}
	if len(o.leaves) < maxLeaves {
		o.leaves = append(o.leaves, l)
	}
}

// prose reports whether a text is long enough to say what is to be done.
func prose(text string) bool {
	if strings.IndexByte(text, '\n') >= 0 || len(text) > 120 {
		return true
	}
	n := 0
	for range strings.FieldsSeq(text) {
		if n++; n >= proseWords {
			return true
		}
	}
	return false
}

// json takes a value apart. In is the record that it stands in; inList says that it
// stands in a list whose elements are records.
func (o *outline) json(v jsonedit.Value, key string, in int, next *int, inList bool) {
	switch v.Kind() {
	case jsonedit.Object:
		for k, m := range v.Members() {
			o.add(leaf{text: k, key: key, record: in, member: true})
			o.json(m, k, in, next, inList)
		}
	case jsonedit.Array:
		for _, e := range v.Elems() {
			at := in
			if !inList {
				*next++
				at = *next
			}
			o.json(e, key, at, next, true)
		}
	case jsonedit.String:
		o.add(leaf{text: v.Text(), key: key, record: in})
	case jsonedit.Number:
		o.add(leaf{text: string(v.Raw()), key: key, record: in})
	case jsonedit.Bool, jsonedit.Null, jsonedit.Missing:
	}
}

// lines takes a text apart that has no fields: each line stands for one, behind its
// label.
func (o *outline) lines(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "-*•"))
		label, value, ok := strings.Cut(line, ": ")
		if ok && len(label) < 40 && !prose(value) {
			o.add(leaf{text: strings.TrimSpace(value), key: label})
			continue
		}
		o.add(leaf{text: line})
	}
}

// yaml takes a text apart that is YAML as libraries write it: mappings, lists and
// scalars in block style. It reports whether it is that.
func (o *outline) yaml(text string) bool {
	r := yamlReader{o: o, list: -1, keys: map[string]bool{}}
	return r.read(text)
}

type yamlReader struct {
	o       *outline
	record  int
	list    int             // indent of the list whose elements are records; -1: none yet
	keys    map[string]bool // of the top
	text    strings.Builder // the scalar that goes on
	leaf    leaf
	open    byte // what ends it: ' " | or 0 for plain; 1: none is open
	indent  int  // of what it belongs to
	started bool
}

const noScalar = 1

func (r *yamlReader) read(text string) bool {
	r.open = noScalar
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		switch {
		case r.open == '\'' || r.open == '"':
			r.more(body)
			continue
		case body == "":
			if r.open != noScalar {
				r.unfold()
				r.text.WriteByte('\n')
			}
			continue
		case r.open == '|' && indent > r.indent, r.open == 0 && indent > r.indent:
			r.unfold()
			r.text.WriteByte('\n')
			r.text.WriteString(body)
			continue
		}
		r.end()
		if !r.line(body, indent) {
			return false
		}
	}
	if r.open == '\'' || r.open == '"' {
		return false
	}
	r.end()
	return r.started
}

// line reads a line that begins something.
func (r *yamlReader) line(body string, indent int) bool {
	if body == "---" || body == "[]" || body == "{}" {
		return true
	}
	item := false
	for strings.HasPrefix(body, "- ") || body == "-" {
		if r.list < 0 || indent <= r.list {
			r.list = indent
			r.record++
		}
		rest := strings.TrimLeft(strings.TrimPrefix(body, "-"), " ")
		indent += len(body) - len(rest)
		body, item = rest, true
		if body == "" {
			r.started = true
			return true
		}
	}
	if r.list >= 0 && indent <= r.list && !item {
		r.list = -1
	}
	in := 0
	if r.list >= 0 {
		in = r.record
	}
	key, value, ok := cutYAMLKey(body)
	if !ok {
		if !item {
			return false
		}
		r.begin(leaf{record: in}, body, indent-2)
		return true
	}
	if indent == 0 && !item {
		if r.keys[key] {
			return false
		}
		r.keys[key] = true
	}
	r.o.add(leaf{text: key, record: in, member: true})
	r.begin(leaf{key: key, record: in}, value, indent)
	return true
}

// cutYAMLKey cuts the name of a member off a line.
func cutYAMLKey(body string) (key, value string, ok bool) {
	if body[0] == '\'' || body[0] == '"' {
		end := strings.IndexByte(body[1:], body[0])
		if end < 0 {
			return "", "", false
		}
		key, value = body[1:1+end], body[2+end:]
		if value == ":" {
			return key, "", true
		}
		value, ok = strings.CutPrefix(value, ": ")
		return key, strings.TrimSpace(value), ok
	}
	if k, ok := strings.CutSuffix(body, ":"); ok && !strings.Contains(k, ": ") && len(k) <= maxKey {
		return k, "", true
	}
	key, value, ok = strings.Cut(body, ": ")
	return key, strings.TrimSpace(value), ok && len(key) <= maxKey && key != ""
}

// begin begins a scalar, which may go on in the next lines.
func (r *yamlReader) begin(l leaf, value string, indent int) {
	r.started = true
	r.leaf, r.indent = l, indent
	r.text.Reset()
	switch {
	case value == "":
		return
	case value[0] == '\'' || value[0] == '"':
		if inner := value[1:]; len(inner) > 0 && inner[len(inner)-1] == value[0] &&
			strings.IndexByte(inner, value[0]) == len(inner)-1 && strings.IndexByte(inner, '\\') < 0 {
			l.text = inner[:len(inner)-1]
			r.o.add(l)
			return
		}
		r.open = value[0]
		r.more(value[1:])
	case value[0] == '|' || value[0] == '>':
		r.open = '|'
	default:
		r.open, r.leaf.text = 0, value
	}
}

// more goes on with a scalar in quotes.
func (r *yamlReader) more(body string) {
	if r.text.Len() > 0 {
		r.text.WriteByte(' ')
	}
	for i := 0; i < len(body); i++ {
		run := i
		for run < len(body) && body[run] != r.open && body[run] != '\\' {
			run++
		}
		if r.text.WriteString(body[i:run]); run == len(body) {
			return
		}
		i = run
		c := body[i]
		switch {
		case c == '\\' && r.open == '"':
			i++
			if i < len(body) {
				i = r.escape(body, i)
			}
		case c == r.open && r.open == '\'' && i+1 < len(body) && body[i+1] == '\'':
			r.text.WriteByte(c)
			i++
		case c == r.open:
			r.end()
			return
		default:
			r.text.WriteByte(c)
		}
	}
}

// escape writes what an escape stands for (YAML 1.2 §5.7) and returns where it ends.
func (r *yamlReader) escape(body string, i int) int {
	digits := 0
	switch body[i] {
	case 'n':
		r.text.WriteByte('\n')
	case 't':
		r.text.WriteByte('\t')
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		r.text.WriteByte(body[i])
	}
	if digits > 0 && i+digits < len(body) {
		if n, err := strconv.ParseUint(body[i+1:i+1+digits], 16, 32); err == nil {
			r.text.WriteRune(rune(n))
			return i + digits
		}
	}
	return i
}

// end ends the scalar that is open.
func (r *yamlReader) end() {
	if r.open == noScalar {
		return
	}
	r.open = noScalar
	if r.leaf.text == "" {
		r.leaf.text = strings.TrimSpace(r.text.String())
	}
	r.o.add(r.leaf)
}

// unfold makes room for a plain scalar to go on.
func (r *yamlReader) unfold() {
	if r.leaf.text != "" {
		r.text.WriteString(r.leaf.text)
		r.leaf.text = ""
	}
}

// mentions reports whether text has value, with no letter or digit beside it, in any
// case of ASCII letters; where says where.
func mentions(text, value string) (where int, ok bool) {
	for from := 0; from+len(value) <= len(text); {
		i := indexFold(text[from:], value)
		if i < 0 {
			return 0, false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(value):])
		if !wordRune(before) && !wordRune(after) {
			return i, true
		}
		from = i + 1
	}
	return 0, false
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// indexFold is strings.Index for ASCII letters in any case.
func indexFold(text, value string) int {
	if value == "" || len(value) > len(text) {
		return -1
	}
	at := rarest(value)
	if at < 0 {
		return strings.Index(text, value)
	}
	low, up := lower(value[at]), upper(value[at])
	last := len(text) - (len(value) - at - 1) // behind where that byte can stand
	lowAt, upAt := -1, -1                     // where it stands next, at or behind from
	for from := at; from < last; from++ {
		if lowAt < from {
			lowAt = next(text, low, from, last)
		}
		if upAt < from {
			upAt = next(text, up, from, last)
		}
		if from = min(lowAt, upAt); from == last {
			return -1
		}
		if start := from - at; equalFold(text[start:start+len(value)], value) {
			return start
		}
	}
	return -1
}

// next returns where c stands in text[from:last], or last.
func next(text string, c byte, from, last int) int {
	if i := strings.IndexByte(text[from:last], c); i >= 0 {
		return from + i
	}
	return last
}

func equalFold(a, b string) bool {
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}

// rarest returns where the letter of value stands that texts have least; -1: there is
// none.
func rarest(value string) int {
	const common = "zqjxkvbpgwyfmculdrhsnioate"
	best, least := -1, len(common)
	for i := range len(value) {
		if rank := strings.IndexByte(common, lower(value[i])); rank >= 0 && rank < least {
			best, least = i, rank
		}
	}
	return best
}
