package link

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall/guard/stream"
)

// attributes say, by tag, how the addresses in its attributes are used.
var attributes = map[string]map[string]use{
	"img": {"src": fetched, "srcset": fetched, "longdesc": follows}, "image": {"src": fetched, "href": fetched, "xlink:href": fetched},
	"input": {"src": fetched, "formaction": follows}, "video": {"src": fetched, "poster": fetched}, "audio": {"src": fetched},
	"source": {"src": fetched, "srcset": fetched}, "track": {"src": fetched}, "embed": {"src": loaded}, "object": {"data": loaded},
	"iframe": {"src": loaded}, "frame": {"src": loaded}, "portal": {"src": loaded}, "script": {"src": loaded, "href": loaded, "xlink:href": loaded},
	"link": {"href": loaded}, "use": {"href": loaded, "xlink:href": loaded}, "base": {"href": loaded}, "meta": {"content": loaded},
	"a": {"href": follows, "xlink:href": follows, "ping": fetched}, "area": {"href": follows, "ping": fetched},
	"form": {"action": follows}, "button": {"formaction": follows}, "body": {"background": fetched}, "table": {"background": fetched}, "td": {"background": fetched},
}

// longestName bounds the names of tags in attributes.
const longestName = 8

// reading is how far a tag was read that is not closed yet.
type reading struct {
	at, end int // offsets: where it begins, and up to where it was read
	quote   byte
	inner   bool // another tag begins in it
}

// tag reads an HTML tag that may hold addresses.
func (c *cursor) tag(t text, i int) (e element, look stream.Look) {
	j := i + 1
	for ; j < len(t.folded) && j-i <= longestName && 'a' <= t.folded[j] && t.folded[j] <= 'z'; j++ {
	}
	if j == len(t.folded) && j-i <= longestName {
		return e, t.unless()
	}
	uses := attributes[string(t.folded[i+1:j])]
	if uses == nil || !(t.clean[j] <= ' ' || t.clean[j] == '/' || t.clean[j] == '>') {
		return e, stream.No
	}
	most := maxTag
	if c.noClose-(t.base+i) > maxTag/2 {
		most = maxOpen
	}
	r := reading{at: t.base + i, end: j}
	if c.tagged.at == r.at { // go on where the window ended
		r = c.tagged
		r.end -= t.base
	}
	end, quote, closed, inner := r.end, r.quote, false, r.inner
	for ; end < len(t.clean) && end-i < most; end++ {
		switch b := t.clean[end]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
			continue
		case (b == '"' || b == '\'') && opens(t.clean[j:end]):
			quote = b
			continue
		case b == '<':
			inner = true
		case b == '>':
			closed = true
		}
		if closed {
			break
		}
	}
	switch {
	case !closed && end-i < most && !t.final:
		c.tagged = reading{at: r.at, end: t.base + end, quote: quote, inner: inner}
		return e, stream.More
	case closed:
		end++
	}
	e = element{from: i, to: end, next: end, cut: !closed && end-i >= most}
	c.values(t.clean[j:end], uses, &e.fault)
	if e.fault.reason == "" && (!closed || inner) { // Markdown takes it for no tag, so what stands in it counts
		c.noClose = max(c.noClose, t.base+end)
		e.next = j
	}
	return e, stream.Yes
}

// opens reports whether a quotation mark behind b begins a value.
func opens(b []byte) bool {
	b = bytes.TrimRight(b, " \t\r\n")
	return len(b) > 0 && b[len(b)-1] == '='
}

// values judges the addresses in attributes.
func (c *cursor) values(b []byte, uses map[string]use, worst *fault) {
	for len(b) > 0 {
		b = bytes.TrimLeft(b, " \t\r\n/>")
		n := bytes.IndexAny(b, "= \t\r\n/>")
		if n < 0 {
			return
		}
		if n == 0 { // a stray sign
			b = b[1:]
			continue
		}
		name := strings.ToLower(string(b[:n]))
		b = bytes.TrimLeft(b[n:], " \t\r\n")
		if len(b) == 0 || b[0] != '=' {
			continue
		}
		b = bytes.TrimLeft(b[1:], " \t\r\n")
		var value []byte
		if len(b) > 0 && (b[0] == '"' || b[0] == '\'') {
			q := b[0]
			value, b, _ = bytes.Cut(b[1:], []byte{q})
		} else {
			n := bytes.IndexAny(b, " \t\r\n>")
			if n < 0 {
				n = len(b)
			}
			value, b = b[:n], b[n:]
		}
		by, known := uses[name]
		if name == "style" {
			by, known = fetched, true
		}
		if !known {
			continue
		}
		for _, address := range addresses(name, string(value)) {
			*worst = worse(*worst, c.s.judge(address, by))
		}
	}
}

// addresses returns the addresses in the value of an attribute.
func addresses(name, value string) []string {
	switch name {
	case "srcset": // "a.png 1x, b.png 2x"
		var all []string
		for part := range strings.SplitSeq(value, ", ") {
			if fields := strings.Fields(part); len(fields) > 0 {
				all = append(all, fields[0])
			}
		}
		return all
	case "style": // "background: url(a.png)"
		var all []string
		for rest := value; ; {
			i := strings.Index(strings.ToLower(rest), "url(")
			if i < 0 {
				return all
			}
			rest = strings.TrimLeft(rest[i+len("url("):], "'\" ")
			end := strings.IndexAny(rest, "'\") ")
			if end < 0 {
				end = len(rest)
			}
			all = append(all, rest[:end])
		}
	case "content": // "0; url=https://…", of meta refresh
		i := strings.Index(strings.ToLower(value), "url=")
		if i < 0 {
			return nil
		}
		return []string{strings.Trim(value[i+len("url="):], "'\" ")}
	}
	return []string{value}
}
