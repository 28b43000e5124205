package synth

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

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
