// Package secret notices credentials.
//
// A credential of a known service is a prefix and a stretch of characters of one
// class ([rule]); the prefix gives it away, so it is reported as soon as the
// shortest one is complete, and what follows of the class is swallowed, however
// long it is. Private keys, tokens in three parts, passwords in URLs and commands
// and tokens that their middle gives away ([shape]) have readers of their own.
//
// What has no prefix is told by what stands beside it: by the name that it is
// assigned to, in whatever way names are given to values; by the command that it
// is an option of; by the manifest, the connection string or the header that it is
// a part of; and in prose by the words that announce it ("the password is …",
// [prose]). A name that says secret ([strong]) takes most values, the name of a
// service beside it ([service]) those of its shape, and a name such as key only
// values whose characters follow each other by chance. Tokens with a prefix that
// nobody told us are known by their shape ([readBare]). Fingerprints, identifiers
// and words are left alone. Known secrets of an operator are package known's
// business.
//
// The score is 1 where a checksum holds, 0.99 for the shape of a known kind, 0.5
// where the checksum is wrong or the credential calls itself an example, and
// between for what its surroundings tell.
//
// One pass over the clean view stops only at bytes that are rare in prose and
// that each of these holds: the underscore of "ghp_", the capital of "AKIA", the
// equals sign of an assignment. There the cursor looks back the few bytes to the
// beginning and asks the few readers that fit. The cost is linear in the text.
package secret

import (
	"sync"

	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/needle"
)

// Control is the id of the control that this package keeps.
const Control = "inference/secret"

// Scanner notices credentials. The zero Scanner is ready to use.
type Scanner struct{}

var cursors = sync.Pool{New: func() any { return new(cursor) }}

// Begin implements stream.Scanner.
func (Scanner) Begin(stream.Scope) (stream.Cursor, string) { return cursors.Get().(*cursor), "" }

// cursor looks through one text. Its numbers are offsets of the text.
type cursor struct {
	pos      int          // bytes before it were dealt with
	last     int          // end of the last match: no other begins before it
	run      int          // the characters of a token in parts go on up to here
	swallow  swallower    // reads the rest of what was reported; nil: nothing goes on
	part     stream.Match // that
	prose    prose
	manifest manifest
	queue    needle.Queue
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	q := c.queue
	q.Reset()
	*c = cursor{queue: q}
	cursors.Put(c)
}

// swallower returns the index up to which what was reported goes on, and whether
// it may go on further.
type swallower func(t []byte, i int, final bool) (end int, more bool)

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	safe := c.scan(w)
	safe = min(safe, c.prose.scan(c, w))
	c.queue.Flush(safe, w.Final, found)
	return safe
}

// scan looks at what stands at triggers.
func (c *cursor) scan(w stream.Window) int {
	t, i := w.Clean, c.pos-w.Base
	for {
		if c.swallow != nil {
			end, more := c.swallow(t, i, w.Final)
			if end > i {
				c.part.Start, c.part.End = w.Base+i, w.Base+end
				c.queue.Add(c.part)
				i = end
			}
			c.last = w.Base + i
			if more && !w.Final {
				c.pos = c.last
				return c.pos
			}
			c.swallow = nil
		}
		for i < len(t) && !library.trigger[t[i]] {
			i++
		}
		if i >= len(t) {
			break
		}
		if idle(t, i) {
			i++
			continue
		}
		m, rest, look := c.read(w, i)
		switch look {
		case stream.No:
			i++
		case stream.More:
			c.pos = w.Base + i
			return w.Base + min(i, m.Start)
		case stream.Yes:
			i, c.swallow = m.End, rest
			m.Start += w.Base
			m.End += w.Base
			c.queue.Add(m)
			c.last, c.part = m.End, m
		}
	}
	c.pos = w.End()
	if w.Final {
		return c.pos
	}
	return c.pos - c.tail(w)
}

// idle reports whether nothing can have its trigger at t[i], by the bytes beside
// it: what prose is full of is passed over without a call.
func idle(t []byte, i int) bool {
	switch b := t[i]; b {
	case '.', '_', '~':
		return i+1 < len(t) && t[i+1] <= ' '
	case ',':
		return i == 0 || t[i-1] != '"' && t[i-1] != '\''
	case '|':
		return i == 0 || !isDigit(t[i-1])
	case ':', '=', '>', '-', '(':
		return false
	default:
		before := byte(0)
		if i > 0 && stream.AlphaNum[t[i-1]] {
			before = t[i-1]
		}
		return len(library.seen[b][before]) == 0
	}
}

// read tries what may have its trigger at t[i]. When more is needed, the start
// of the match says from where on.
func (c *cursor) read(w stream.Window, i int) (m stream.Match, rest swallower, look stream.Look) {
	t := w.Clean
	if seen := library.seen[t[i]]; seen != nil {
		list := seen[0]
		if i > 0 && stream.AlphaNum[t[i-1]] {
			list = seen[t[i-1]]
		}
		for _, s := range list {
			if start := i - s.at; c.begins(w, start) {
				if m, rest, look = c.known(w, s, start); look != stream.No {
					return m, rest, look
				}
			}
		}
	}
	if s := shapes[t[i]]; s != nil {
		if m, rest, look = s.read(t, i, w.Final); look != stream.No {
			m.Start = max(m.Start, i)
			return m, rest, look
		}
	}
	switch t[i] {
	case '-':
		if i == 0 || !stream.AlphaNum[t[i-1]] {
			m, rest, look = readPEM(t, i, w.Final)
		}
		if look == stream.No && i > 0 && t[i-1] == '-' {
			m, rest, look = c.readFlag(w, i)
		}
		if look == stream.No {
			m, look = c.readOption(w, i)
		}
		if look == stream.No {
			m, look = readPuTTY(w, i)
			rest = swallowPEM
		}
		if look == stream.No && i > 0 && stream.AlphaNum[t[i-1]] {
			m, look = readBare(w, i)
			rest = urlSafe.swallow
		}
	case '_':
		if m, look = readBare(w, i); look == stream.Yes {
			rest = under.swallow
		}
	case '(':
		m, rest, look = c.readArgument(w, i)
	case ':':
		if m, look = readURL(w, i); look == stream.No {
			m, look = readUser(w, i)
		}
		if look == stream.No {
			m, look = readNetUse(w, i)
		}
		if look == stream.No {
			m, rest, look = readJWK(w, i)
		}
		if look == stream.No {
			m, rest, look = c.readManifest(w, i)
		}
		if look == stream.No {
			m, rest, look = c.readAssigned(w, i)
		}
	case '=', '>':
		m, rest, look = c.readAssigned(w, i)
	case ',':
		if i > 0 && (t[i-1] == '"' || t[i-1] == '\'') { // of two arguments
			m, rest, look = c.readAssigned(w, i)
		}
	}
	if look == stream.More {
		m.Start = i
	}
	return m, rest, look
}

// known reads a credential of a known kind that begins at t[i].
func (c *cursor) known(w stream.Window, s sighting, i int) (m stream.Match, rest swallower, look stream.Look) {
	if s.class == nil {
		rest = dotted.swallow
		m, look = c.readJWT(w, i)
	} else {
		rest = s.class.swallow
		m, look = s.read(w.Clean, i, w.Final)
	}
	m.Start = i
	return m, rest, look
}

// begins reports whether a credential may begin at t[i]: not within a word, nor
// within what was reported.
func (c *cursor) begins(w stream.Window, i int) bool {
	return i >= max(c.last-w.Base, 0) && (i == 0 || !stream.AlphaNum[w.Clean[i-1]])
}

// tail returns how many bytes at the end of the window may begin a credential
// whose trigger is still to come.
func (c *cursor) tail(w stream.Window) int {
	t, n := w.Clean, 0
	for n < len(t) && n <= longestSight && stream.AlphaNum[t[len(t)-1-n]] {
		n++
	}
	if n == 0 || n > longestSight {
		return 0
	}
	word := t[len(t)-n:]
	for _, s := range library.first[word[0]] {
		if s.at >= n && string(word) == s.prefix[:n] {
			return n
		}
	}
	return 0
}
