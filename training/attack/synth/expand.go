package synth

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An expansion is one text in the making.
type expansion struct {
	rng  *rand.Rand
	file *file
	said map[string]string // what tagged slots were filled with
	left *int              // parts that may yet be written
	out  strings.Builder
}

// expand returns a text of a root.
func (r *root) expand(rng *rand.Rand) string {
	left := maxParts
	e := expansion{rng: rng, file: r.file, said: map[string]string{}, left: &left}
	e.write(r.options[rng.IntN(len(r.options))], 0)
	return tidy(e.out.String())
}

// write writes a sequence to the end of the text.
func (e *expansion) write(s sequence, depth int) {
	for _, p := range s {
		*e.left = max(*e.left-1, 0)
		switch {
		case e.out.Len() > maxText || depth > maxDepth || *e.left == 0:
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
		inner := expansion{rng: e.rng, file: e.file, said: e.said, left: e.left}
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
		if s == "" {
			return ""
		}
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
