package provenance

import "strings"

// echoes says whether an output only repeats a value that it was given: one that stands
// in an argument of the call that it answers, or of one before. Such a value is worth
// what the argument was worth, which is found where the argument had it from, if
// anywhere.
func (x *Index) echoes(t *text, q *query) bool {
	r := &x.results[t.result]
	deep := *q
	deep.deep = true
	for i := range x.calls {
		c := &x.calls[i]
		if c.turn >= r.Turn {
			continue
		}
		a := c.said()
		if len(a.raw) > maxArguments && a.hides() || deep.in(a, true) != HowNone {
			return true
		}
		for _, d := range decodings(q.value) {
			p := queryOf(d, false, q.now)
			p.deep = true
			if p.in(a, true) != HowNone {
				return true
			}
		}
		if covers(a, q.value) {
			return true
		}
	}
	return false
}

// maxArguments bounds, in bytes, arguments in disguise; beyond, all is taken for an echo.
const maxArguments = 1 << 18

// said returns the arguments as a text, without JSON's escapes.
func (c *call) said() *sheet {
	if c.sheet.raw == "" {
		c.sheet.raw = unescape(c.arguments)
	}
	return &c.sheet
}

// covers says whether every word of a value stands in a text: the tool may have put it
// together of them.
func covers(t *sheet, value string) bool {
	n := 0
	for w := range strings.FieldsFuncSeq(value, func(r rune) bool { return !word(r) }) {
		if n++; n > maxParts {
			return true
		}
		p := spellOf(w)
		in := false
		if !p.each(t.raw, func(found) bool { in = true; return false }) || t.hides() {
			in = in || strings.Contains(t.fold(0), p.needle)
		}
		if !in {
			return false
		}
	}
	return n > 1
}

// plain returns t without JSON's escapes.
func (t *text) plain() *sheet {
	if t.unescaped == nil {
		t.unescaped = &sheet{raw: unescape(t.raw), strange: t.strange}
	}
	return t.unescaped
}

// unescape undoes the escapes of JSON (RFC 8259 §7) wherever they stand.
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		b.WriteString(s[:i])
		r, n := escaped(s[i:])
		b.WriteRune(r)
		s = s[i+n:]
	}
	b.WriteString(s)
	return b.String()
}

// escaped reads the escape that s begins with.
func escaped(s string) (r rune, n int) {
	if len(s) < 2 {
		return '\\', len(s)
	}
	switch s[1] {
	case 'n', 'r', 't', 'f', 'b':
		return ' ', 2
	case 'u':
		hi, ok := unit16(s)
		if !ok {
			return 'u', 2
		}
		if lo, ok := unit16(s[6:]); ok && hi >= 0xD800 && hi < 0xDC00 && lo >= 0xDC00 && lo < 0xE000 {
			return (hi-0xD800)<<10 + (lo - 0xDC00) + 0x10000, 12
		}
		return hi, 6
	}
	if s[1] < 0x80 {
		return rune(s[1]), 2
	}
	return '\\', 1
}

// unit16 reads \uXXXX.
func unit16(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for i := 2; i < 6; i++ {
		d := hexDigit(s[i])
		if d > 15 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
