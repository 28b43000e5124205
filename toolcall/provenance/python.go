package provenance

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// python reads what Python's repr prints of dictionaries, lists and tuples of
// strings, numbers, True, False and None. Anything else, such as an object, is not read.
func (r *reader) python(s string) error {
	if len(s) > maxJSON {
		return errNoFields
	}
	p := python{s: s, r: r}
	if err := p.value(); err != nil {
		return err
	}
	if p.space(); p.i != len(s) {
		return errNoFields
	}
	return nil
}

type python struct {
	s string
	i int
	r *reader
}

func (p *python) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\n') {
		p.i++
	}
}

// at says whether c comes next, and takes it.
func (p *python) at(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *python) value() error {
	p.space()
	if p.i >= len(p.s) {
		return errNoFields
	}
	switch c := p.s[p.i]; c {
	case '{':
		p.i++
		return p.dict()
	case '[':
		p.i++
		return p.list(']')
	case '(':
		p.i++
		return p.list(')')
	case '\'', '"':
		v, err := p.string()
		if err != nil {
			return err
		}
		return p.r.add(v)
	}
	start := p.i
	for p.i < len(p.s) && (word(rune(p.s[p.i])) || strings.IndexByte("+-.", p.s[p.i]) >= 0) {
		p.i++
	}
	switch v := p.s[start:p.i]; v {
	case "None", "True", "False":
		return nil
	default:
		if _, ok := literal(v); !ok {
			return errNoFields
		}
		return p.r.add(v)
	}
}

func (p *python) dict() error {
	seen := map[string]bool{}
	for !p.at('}') {
		if len(seen) > 0 && !p.at(',') {
			return errNoFields
		}
		p.space()
		k, err := p.string()
		if err != nil || seen[k] || !p.at(':') {
			return errNoFields
		}
		seen[k] = true
		if err := p.r.member(token(k), p.value); err != nil {
			return err
		}
	}
	return nil
}

func (p *python) list(end byte) error {
	for n := 0; !p.at(end); n++ {
		if n > 0 {
			if !p.at(',') {
				return errNoFields
			}
			if n == 1 && p.at(end) {
				return nil // a tuple of one
			}
		}
		if err := p.r.member(strconv.Itoa(n), p.value); err != nil {
			return err
		}
	}
	return nil
}

// string reads a string as repr quotes it.
func (p *python) string() (string, error) {
	if p.i >= len(p.s) || p.s[p.i] != '\'' && p.s[p.i] != '"' {
		return "", errNoFields
	}
	quote := p.s[p.i]
	var b strings.Builder
	for p.i++; p.i < len(p.s); {
		switch c := p.s[p.i]; {
		case c == quote:
			p.i++
			return b.String(), nil
		case c == '\n':
			return "", errNoFields
		case c == '\\':
			r, n, ok := pythonEscape(p.s[p.i:])
			if !ok {
				return "", errNoFields
			}
			b.WriteRune(r)
			p.i += n
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return "", errNoFields
}

// pythonEscape reads the escape that s begins with.
func pythonEscape(s string) (r rune, n int, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	width := 0
	switch s[1] {
	case '\\', '\'', '"':
		return rune(s[1]), 2, true
	case 'n':
		return '\n', 2, true
	case 'r':
		return '\r', 2, true
	case 't':
		return '\t', 2, true
	case 'x':
		width = 2
	case 'u':
		width = 4
	case 'U':
		width = 8
	default:
		return 0, 0, false
	}
	if len(s) < 2+width {
		return 0, 0, false
	}
	v, err := strconv.ParseUint(s[2:2+width], 16, 32)
	if err != nil || v > utf8.MaxRune {
		return 0, 0, false
	}
	return rune(v), 2 + width, true
}
