package pii

import "github.com/ringwall/ringwall/guard/stream"

// Bounds of an e-mail address (RFC 5321 §4.5.3.1).
const (
	maxLocal  = 64
	maxDomain = 120 // longer ones are not seen
)

var localPart = func() (t [256]bool) {
	t = stream.AlphaNum
	for _, c := range []byte("._%+-'") {
		t[c] = true
	}
	return t
}()

// email reads the address around the at sign t[at]: a local part that begins
// with a letter or digit, and a domain of two labels or more of which the last
// can be one.
func (c *cursor) email(w stream.Window, at int) (start, end int, look stream.Look) {
	if w.Base+at < c.noAt {
		return at, at + 1, stream.No
	}
	t := w.Clean
	first := max(c.last-w.Base, at-maxLocal, 0)
	start = at
	for start > first && localPart[t[start-1]] {
		start--
	}
	if start > 0 && stream.AlphaNum[t[start-1]] { // longer than an address may be
		start = wordEnd(t, start)
	}
	for start < at && !stream.AlphaNum[t[start]] {
		start++
	}
	if start < at && t[at-1] != '.' {
		if end, look = readDomain(t, at+1, w.Final); look != stream.No {
			return start, end, look
		}
	}
	c.noAt = w.Base + at + 1
	return at, at + 1, stream.No
}

// around looks for an address whose local part holds t[i].
func (c *cursor) around(w stream.Window, i int) (start, end int, look stream.Look) {
	t, j := w.Clean, max(c.run-w.Base, i)
	for j < len(t) && j <= i+maxLocal && localPart[t[j]] {
		j++
	}
	c.run = w.Base + j
	switch {
	case j > i+maxLocal:
		return i, i, stream.No
	case j == len(t):
		if w.Final {
			return i, i, stream.No
		}
		return i, i, stream.More
	case t[j] != '@':
		return i, i, stream.No
	}
	start, end, look = c.email(w, j)
	if start > i && look != stream.No {
		return i, i, stream.No // it begins later
	}
	return start, end, look
}

// readDomain reads the longest domain name that begins at t[i] and ends in a
// label of letters, or of punycode.
func readDomain(t []byte, i int, final bool) (end int, look stream.Look) {
	j, labels := i, 0
	for {
		from, letters := j, 0
		for j < len(t) && j-i <= maxDomain && (stream.AlphaNum[t[j]] || t[j] == '-' && j > from) {
			if isLetter(t[j]) {
				letters++
			}
			j++
		}
		if j-i > maxDomain {
			return i, stream.No
		}
		if j == len(t) && !final {
			return i, stream.More
		}
		to := j
		for to > from && t[to-1] == '-' { // a dash behind the address
			to--
		}
		if labels++; labels > 1 && to-from > 1 && (letters == to-from || to-from > 4 && t[from]|0x20 == 'x' && t[from+2] == '-' && t[from+3] == '-') {
			end = to
		}
		if j == from || to < j || j == len(t) || t[j] != '.' {
			break
		}
		if j+1 == len(t) && !final {
			return i, stream.More
		}
		j++
	}
	if end == 0 {
		return i, stream.No
	}
	return end, stream.Yes
}
