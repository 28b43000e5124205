package synth

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The format of a grammar file, line by line:
//
//	# a comment; so is an empty line
//	@ attack override user_prompt 3   begins a root: label, family, kind, weight
//	:order                            begins a rule that others may name
//	{please}ignore [all|any] {rules}  an alternative of the root or rule above
//
// In an alternative {rule} is filled by the rule of this file, of words.txt of
// the same language, or of words.txt beside the languages, in this order.
// {Rule} begins with a capital letter, {RULE} has only capitals. {rule#1} is
// filled once per text: where it comes again with the same tag, the same words
// come again. {rot13:rule} says a rule in a code, see codes. [a|b|] is one of
// its parts, which may be empty and may hold slots and brackets. \n is a new
// line, and a backslash before any other mark takes its meaning away.
const (
	maxNesting = 8       // brackets in brackets
	maxDepth   = 24      // rules in rules: more is a rule that names itself
	maxLine    = 1 << 14 // bytes of an alternative
	maxText    = 1 << 14 // bytes of an expansion: more is not written
)

// errGrammar is what is wrong with a grammar file, whatever it is.
var errGrammar = errors.New("synth: not a grammar")

// A root is where an expansion begins.
type root struct {
	attack  bool
	family  string
	kind    string
	lang    string
	weight  int
	options []sequence
	file    *file
}

// A sequence is the parts of an alternative.
type sequence []part

// A part is a text, a slot or a choice: the first that is set.
type part struct {
	text    string
	rule    string
	tag     string
	code    string
	form    form
	choices []sequence
}

// form is how a slot's words are spelled.
type form int

const (
	asWritten form = iota
	capital
	capitals
)

// A file is a grammar, and where to look for the rules that it lacks.
type file struct {
	rules map[string][]sequence
	roots []root
	above *file
}

// rule finds the alternatives of a rule; nil when there is none.
func (f *file) rule(name string) []sequence {
	for ; f != nil; f = f.above {
		if r := f.rules[name]; r != nil {
			return r
		}
	}
	return nil
}

// read reads a grammar. It does not look whether slots can be filled, because
// the rules may stand in a file above: that is [file.check].
func read(text, lang string, above *file) (*file, error) {
	f := &file{rules: map[string][]sequence{}, above: above}
	name, in := "", -1
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" || line[0] == '#' {
			continue
		}
		if len(line) > maxLine {
			return nil, fmt.Errorf("%w: line %d is longer than %d bytes", errGrammar, i+1, maxLine)
		}
		switch {
		case line[0] == '@':
			r, err := readRoot(line[1:])
			if err != nil {
				return nil, fmt.Errorf("%w: line %d: %v", errGrammar, i+1, err)
			}
			r.lang, r.file = lang, f
			f.roots = append(f.roots, r)
			name, in = "", len(f.roots)-1
		case line[0] == ':':
			name, in = line[1:], -1
			if !plain(name) {
				return nil, fmt.Errorf("%w: line %d: %q is not the name of a rule", errGrammar, i+1, name)
			}
			if f.rules[name] != nil {
				return nil, fmt.Errorf("%w: line %d: rule %q is there twice", errGrammar, i+1, name)
			}
		default:
			p := reader{rest: line}
			s, err := p.sequence(0)
			if err == nil && p.rest != "" {
				err = fmt.Errorf("%q closes nothing", p.rest[:1])
			}
			if err != nil {
				return nil, fmt.Errorf("%w: line %d: %v", errGrammar, i+1, err)
			}
			switch {
			case in >= 0:
				f.roots[in].options = append(f.roots[in].options, s)
			case name != "":
				f.rules[name] = append(f.rules[name], s)
			default:
				return nil, fmt.Errorf("%w: line %d belongs to no rule", errGrammar, i+1)
			}
		}
	}
	return f, nil
}

// kinds are the kinds of a root. The last two are not kinds of rows: they say
// where what is written will stand.
var kinds = []string{UserPrompt, ToolOutput, Document, Email, Code, payload, aside}

// readRoot reads what stands behind the @ of a root.
func readRoot(line string) (root, error) {
	w := strings.Fields(line)
	if len(w) < 3 || len(w) > 4 {
		return root{}, errors.New("a root has a label, a family, a kind and perhaps a weight")
	}
	r := root{family: w[1], kind: w[2], weight: 1}
	switch w[0] {
	case "attack":
		r.attack = true
	case "benign":
	default:
		return root{}, fmt.Errorf("%q is not a label", w[0])
	}
	if !slices.Contains(kinds, r.kind) {
		return root{}, fmt.Errorf("%q is not a kind", r.kind)
	}
	if len(w) == 4 {
		n, err := strconv.Atoi(w[3])
		if err != nil || n < 1 || n > 1000 {
			return root{}, fmt.Errorf("%q is not a weight of 1 to 1000", w[3])
		}
		r.weight = n
	}
	return r, nil
}

// plain says whether a name is of small letters, digits and underscores.
func plain(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return name != ""
}

// A reader reads one alternative.
type reader struct{ rest string }

// sequence reads up to the end, or to a mark that ends a part of a bracket.
func (p *reader) sequence(depth int) (sequence, error) {
	var s sequence
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			s = append(s, part{text: text.String()})
			text.Reset()
		}
	}
	for p.rest != "" {
		c := p.rest[0]
		switch c {
		case '\\':
			if len(p.rest) < 2 {
				return nil, errors.New("a backslash at the end")
			}
			switch n := p.rest[1]; n {
			case 'n':
				text.WriteByte('\n')
			case 't':
				text.WriteByte('\t')
			default:
				text.WriteByte(n)
			}
			p.rest = p.rest[2:]
			continue
		case '{':
			end := strings.IndexByte(p.rest, '}')
			if end < 0 {
				return nil, errors.New("a slot without an end")
			}
			slot, err := readSlot(p.rest[1:end])
			if err != nil {
				return nil, err
			}
			flush()
			s = append(s, slot)
			p.rest = p.rest[end+1:]
			continue
		case '[':
			if depth == maxNesting {
				return nil, fmt.Errorf("more than %d brackets in brackets", maxNesting)
			}
			flush()
			p.rest = p.rest[1:]
			var choices []sequence
			for {
				one, err := p.sequence(depth + 1)
				if err != nil {
					return nil, err
				}
				choices = append(choices, one)
				if p.rest == "" {
					return nil, errors.New("a bracket without an end")
				}
				end := p.rest[0]
				p.rest = p.rest[1:]
				if end == ']' {
					break
				}
			}
			s = append(s, part{choices: choices})
			continue
		case '|', ']':
			if depth > 0 {
				flush()
				return s, nil
			}
			if c == ']' {
				return nil, errors.New("a bracket that was not begun")
			}
		case '}':
			return nil, errors.New("a slot that was not begun")
		}
		text.WriteByte(c)
		p.rest = p.rest[1:]
	}
	if depth > 0 {
		return nil, errors.New("a bracket without an end")
	}
	flush()
	return s, nil
}

// readSlot reads what stands between the braces of a slot.
func readSlot(s string) (part, error) {
	var p part
	whole := s
	if code, rest, ok := strings.Cut(s, ":"); ok {
		if codes[code] == nil {
			return part{}, fmt.Errorf("%q is not a code", code)
		}
		p.code, s = code, rest
	}
	p.rule, p.tag, _ = strings.Cut(s, "#")
	switch lower := strings.ToLower(p.rule); {
	case p.rule == lower:
	case len(lower) > 1 && p.rule == strings.ToUpper(lower):
		p.form = capitals
	default:
		p.form = capital
	}
	p.rule = strings.ToLower(p.rule)
	if !plain(p.rule) {
		return part{}, fmt.Errorf("%q is not a slot", whole)
	}
	return p, nil
}

// check says which slot of the file has no rule, and which rule names itself
// without an end.
func (f *file) check() error {
	var walk func(s sequence, path []string) error
	done := map[string]bool{}
	walk = func(s sequence, path []string) error {
		for _, p := range s {
			for _, c := range p.choices {
				if err := walk(c, path); err != nil {
					return err
				}
			}
			if p.rule == "" || done[p.rule] {
				continue
			}
			options := f.rule(p.rule)
			switch {
			case options == nil:
				return fmt.Errorf("%w: no rule %q", errGrammar, p.rule)
			case slices.Contains(path, p.rule) || len(path) == maxDepth:
				return fmt.Errorf("%w: rule %q comes back to itself", errGrammar, p.rule)
			}
			for _, o := range options {
				if err := walk(o, append(path, p.rule)); err != nil {
					return err
				}
			}
			done[p.rule] = true
		}
		return nil
	}
	for name, options := range f.rules {
		for _, o := range options {
			if err := walk(o, []string{name}); err != nil {
				return err
			}
		}
		done[name] = true
	}
	for _, r := range f.roots {
		if len(r.options) == 0 {
			return fmt.Errorf("%w: root %q has no alternatives", errGrammar, r.family)
		}
		for _, o := range r.options {
			if err := walk(o, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// An expansion is one text in the making.
type expansion struct {
	rng  *rand.Rand
	file *file
	said map[string]string // what tagged slots were filled with
	out  strings.Builder
}

// expand returns a text of a root.
func (r *root) expand(rng *rand.Rand) string {
	e := expansion{rng: rng, file: r.file, said: map[string]string{}}
	e.write(r.options[rng.IntN(len(r.options))], 0)
	return tidy(e.out.String())
}

// write writes a sequence to the end of the text.
func (e *expansion) write(s sequence, depth int) {
	for _, p := range s {
		switch {
		case e.out.Len() > maxText || depth > maxDepth:
			return
		case p.choices != nil:
			e.write(p.choices[e.rng.IntN(len(p.choices))], depth)
		case p.rule == "":
			e.out.WriteString(p.text)
		default:
			e.out.WriteString(p.form.of(e.fill(p, depth)))
		}
	}
}

// fill returns the words of a slot.
func (e *expansion) fill(p part, depth int) string {
	key := p.rule + "#" + p.tag
	words, again := e.said[key]
	if p.tag == "" || !again {
		inner := expansion{rng: e.rng, file: e.file, said: e.said}
		options := e.file.rule(p.rule)
		inner.write(options[e.rng.IntN(len(options))], depth+1)
		words = inner.out.String()
		if p.tag != "" {
			e.said[key] = words
		}
	}
	if p.code != "" {
		words = codes[p.code](tidy(words))
	}
	return words
}

// of spells words in a form.
func (f form) of(s string) string {
	switch f {
	case capital:
		c, n := utf8.DecodeRuneInString(s)
		return string(unicode.ToUpper(c)) + s[n:]
	case capitals:
		return strings.ToUpper(s)
	default:
		return s
	}
}

// tidy takes away what empty parts leave behind: a second space between words,
// a space before a comma, and space around the text.
func tidy(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	bol := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ' ' && !bol && i+1 < len(s) && strings.IndexByte(" ,.;\n", s[i+1]) >= 0 &&
			(s[i+1] == ' ' || i+2 == len(s) || s[i+2] == ' ' || s[i+2] == '\n' || s[i+1] == '\n') {
			continue
		}
		bol = c == '\n' || bol && c == ' '
		b.WriteByte(c)
	}
	return strings.TrimSpace(b.String())
}
