// Package secret notices credentials.
//
// A credential of a known service is a prefix and a stretch of characters of one
// class ([rule]); the prefix gives it away, so it is reported as soon as the
// shortest one is complete, and what follows of the class is swallowed, however
// long it is. Private keys, tokens in three parts, passwords in URLs and values
// assigned to a name that says secret have readers of their own.
//
// One pass over the clean view visits each place where a word begins; what a
// word begins with selects the few rules to try. The cost is linear in the text.
package secret

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/secret"

// Scanner notices credentials. The zero Scanner is ready to use.
type Scanner struct{}

// Begin implements stream.Scanner.
func (Scanner) Begin(stream.Scope) (stream.Cursor, string) { return &cursor{}, "" }

type cursor struct {
	pos     int
	swallow swallower // reads the rest of what was reported; nil: nothing goes on

}

// swallower returns the index up to which what was reported goes on, and whether
// it may go on further.
type swallower func(t []byte, i int, final bool) (end int, more bool)

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	t, i := w.Clean, c.pos-w.Base
	for {
		if c.swallow != nil {
			end, more := c.swallow(t, i, w.Final)
			if end > i {
				found(stream.Match{Start: w.Base + i, End: w.Base + end, Rest: true})
				i = end
			}
			if more && !w.Final {
				break
			}
			c.swallow = nil
		}
		for i < len(t) && (!begins[t[i]] || i > 0 && inWord[t[i-1]]) {
			i++
		}
		if i >= len(t) {
			i = len(t)
			break
		}
		m, rest, look := read(t, w.Folded, i, w.Final)
		if look == stream.More {
			break
		}
		if look == stream.No {
			i++
			continue
		}
		m.Start += w.Base
		m.End += w.Base
		if m.Severity == ringwall.Info {
			m.Severity = ringwall.High
		}
		found(m)
		i, c.swallow = m.End-w.Base, rest
	}
	c.pos = w.Base + i
	return c.pos
}

// begins are the bytes that a credential can begin with.
var begins = func() (t [256]bool) {
	t = stream.AlphaNum
	t['-'] = true // -----BEGIN
	return t
}()

// inWord are the bytes that a credential does not begin behind.
var inWord = stream.AlphaNum

// read tries what can begin at t[i]; its matches are in indices of t.
func read(t, folded []byte, i int, final bool) (m stream.Match, rest swallower, look stream.Look) {
	if t[i] == '-' {
		return readPEM(t, i, final)
	}
	for k := range rules[t[i]] {
		m, rest, look = rules[t[i]][k].read(t, i, final)
		if look != stream.No {
			return m, rest, look
		}
	}
	if m, look = readAssigned(t, folded, i, final); look != stream.No {
		return m, nil, look
	}
	m, look = readURL(t, i, final)
	return m, nil, look
}
