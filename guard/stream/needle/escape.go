package needle

import (
	"slices"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// A match that holds an escape is looked up by a gram that holds it, so it begins
// in what was held back when the escape came, though a plain match may have ended
// there.

// context is how many plain bytes before and behind an escape are read with it.
const context = 32

// escapes reads the text beside and between escapes: what is plain as it is, and
// the escapes as what they stand for.
type escapes struct {
	lane  lane
	from  int   // offset from which on the text is read next
	on    bool  // there was an escape not long ago
	plain int   // bytes since the last one
	at    []int // indices of the characters that were escaped; of a separator, before which it stood, inverted
}

func (e *escapes) reset() {
	e.close()
	e.from = 0
}

func (e *escapes) close() {
	e.lane.reset()
	e.on, e.plain, e.at = false, 0, e.at[:0]
}

// within reports whether an escape stands among the characters [from, to).
func (e *escapes) within(from, to int) bool {
	k, _ := slices.BinarySearchFunc(e.at, from, func(i, from int) int { return max(i, ^i) - from })
	for ; k < len(e.at) && max(e.at[k], ^e.at[k]) < to; k++ {
		if e.at[k] >= 0 || ^e.at[k] > from {
			return true
		}
	}
	return false
}

// begins are the bytes with which escapes begin.
var begins = [256]bool{'%': true, '\\': true, '&': true, '=': true}

// unescape reads what came. It returns the offset from which on a match may
// still begin.
func (c *Cursor) unescape(w stream.Window) (safe int) {
	e, t := &c.escaped, w.Clean
	i := e.from - w.Base
	for i < len(t) {
		if !e.on {
			for i < len(t) && !begins[t[i]] {
				i++
			}
			if i == len(t) {
				break
			}
		}
		if begins[t[i]] {
			r, n, look := readEscape(t[i:], w.Final)
			switch look {
			case stream.More:
				e.from = w.Base + i
				if !e.on {
					return c.plain.hold(c.set, c.plain.before(e.from), c.plain.base, e.from)
				}
				return min(e.from, c.held(&e.lane, c.search(&e.lane, c.closed(&e.lane, e.from, false)), e.from))
			case stream.Yes:
				if !e.on {
					e.on = true
					from := max(0, i-context)
					e.literal(t[from:i], w.Folded[from:i], w.Base+from)
				}
				e.plain = 0
				e.escape(r, w.Base+i, w.Base+i+n)
				i += n
				continue
			case stream.No:
			}
		}
		if !e.on {
			i++
			continue
		}
		n := 1
		for i+n < len(t) && e.plain+n < context && !begins[t[i+n]] {
			n++
		}
		e.literal(t[i:i+n], w.Folded[i:i+n], w.Base+i)
		i += n
		if e.plain += n; e.plain >= context && utf8.RuneStart(next(t, i)) {
			c.search(&e.lane, true)
			e.close()
		} else if len(e.lane.canon) > block {
			c.search(&e.lane, false)
			e.lane.trim(c.set)
			e.forget()
		}
	}
	e.from = w.End()
	if !e.on {
		return e.from
	}
	undecided := c.search(&e.lane, c.closed(&e.lane, e.from, w.Final))
	e.lane.trim(c.set)
	e.forget()
	return c.held(&e.lane, undecided, e.from)
}

// next returns t[i], or a byte that begins a character.
func next(t []byte, i int) byte {
	if i < len(t) {
		return t[i]
	}
	return ' '
}

// literal adds plain text.
func (e *escapes) literal(clean, folded []byte, off int) {
	for i := 0; i < len(folded); i++ {
		if folded[i] >= utf8.RuneSelf {
			if k := separator(folded[i:]); k > 0 {
				i += k - 1
				continue
			}
		}
		n := len(e.lane.raw)
		e.lane.push(folded[i], off+i, off+i+1)
		if len(e.lane.raw) > n {
			e.lane.raw[n] = clean[i]
		}
	}
}

// escape adds the character r that stands for the bytes [from, to).
func (e *escapes) escape(r rune, from, to int) {
	at := e.lane.end()
	if r < utf8.RuneSelf {
		e.lane.push(byte(r), from, to)
	} else {
		for _, b := range []byte(normalize.Fold(string(r))) {
			e.lane.push(b, from, to)
		}
	}
	if e.lane.end() == at {
		at = ^at
	}
	e.at = append(e.at, at)
}

// forget drops the indices that the lane no longer holds.
func (e *escapes) forget() {
	n := 0
	for _, i := range e.at {
		if max(i, ^i) >= e.lane.base {
			e.at[n] = i
			n++
		}
	}
	e.at = e.at[:n]
}

// before returns the index behind the last character of l that begins before the
// offset off.
func (l *lane) before(off int) int {
	i := l.end()
	for i > l.base && l.from[i-1-l.base] >= off {
		i--
	}
	return i
}

// readEscape reads the escape that t begins with: %41, \x41, \u0041, \101, \n,
// &#65;, &#x41;, &amp; and =41. It returns the character and the length.
func readEscape(t []byte, final bool) (r rune, n int, look stream.Look) {
	switch t[0] {
	case '%', '=':
		return number(t, 1, 2, 2, 16, final)
	case '&':
		return readEntity(t, final)
	}
	if len(t) < 2 {
		return 0, 0, unless(final)
	}
	switch c := t[1]; c {
	case 'n', 'r', 't':
		return '\n', 2, stream.Yes
	case 'x', 'X':
		return number(t, 2, 2, 2, 16, final)
	case 'U':
		return number(t, 2, 8, 8, 16, final)
	case 'u':
		if len(t) == 2 {
			return 0, 0, unless(final)
		}
		if t[2] != '{' {
			return number(t, 2, 4, 4, 16, final)
		}
		return terminated(t, 3, 6, 16, '}', final)
	case '0', '1', '2', '3':
		return number(t, 1, 3, 3, 8, final)
	}
	return 0, 0, stream.No
}

func readEntity(t []byte, final bool) (r rune, n int, look stream.Look) {
	if len(t) > 1 && t[1] == '#' {
		switch {
		case len(t) == 2:
			return 0, 0, unless(final)
		case t[2] == 'x' || t[2] == 'X':
			return terminated(t, 3, 6, 16, ';', final)
		}
		return terminated(t, 2, 7, 10, ';', final)
	}
	for _, e := range [...]string{"&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&nbsp;", "&shy;", "&zwnj;"} {
		k := min(len(e), len(t))
		if string(t[:k]) != e[:k] {
			continue
		}
		if k < len(e) {
			return 0, 0, unless(final)
		}
		return ' ', k, stream.Yes
	}
	return 0, 0, stream.No
}

// terminated reads a number of at most most digits and the byte behind it.
func terminated(t []byte, i, most int, base rune, end byte, final bool) (r rune, n int, look stream.Look) {
	k := i
	for k < len(t) && k-i < most && digit(t[k]) < base {
		k++
	}
	switch {
	case k == len(t):
		return 0, 0, unless(final)
	case k == i || t[k] != end:
		return 0, 0, stream.No
	}
	r, _, look = number(t[:k], i, k-i, k-i, base, true)
	return r, k + 1, look
}

// number reads a number of least to most digits at t[i].
func number(t []byte, i, least, most int, base rune, final bool) (r rune, n int, look stream.Look) {
	k := i
	for ; k < len(t) && k-i < most && digit(t[k]) < base; k++ {
		r = r*base + digit(t[k])
	}
	switch {
	case k-i < least && k == len(t):
		return 0, 0, unless(final)
	case k-i < least || !utf8.ValidRune(r):
		return 0, 0, stream.No
	}
	return r, k, stream.Yes
}

func digit(b byte) rune {
	if v := hexValues[b]; v >= 0 {
		return rune(v)
	}
	return 255
}

// unless says that more is needed, unless there is no more.
func unless(final bool) stream.Look {
	if final {
		return stream.No
	}
	return stream.More
}
