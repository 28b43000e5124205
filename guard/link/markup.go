package link

import (
	"bytes"
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/stream"
)

// text is what can be seen of a text.
type text struct {
	clean, folded []byte
	base          int // offset of clean[0]
	final         bool
}

// unless is the answer where the window ends before something is decided.
func (t text) unless() stream.Look {
	if t.final {
		return stream.No
	}
	return stream.More
}

// begins reports whether the folded view at i is s, as far as it can be seen.
func (t text) begins(i int, s string) stream.Look {
	rest := t.folded[i:]
	switch {
	case len(rest) >= len(s):
		if string(rest[:len(s)]) == s {
			return stream.Yes
		}
	case string(rest) == s[:len(rest)]:
		return t.unless()
	}
	return stream.No
}

// stops are bytes that cannot stand in an address.
var stops = func() (t [256]bool) {
	for c := range t {
		t[c] = c <= ' ' || strings.IndexByte(")\"'<>`", byte(c)) >= 0
	}
	return t
}()

// triggers are bytes that an address, or what it is written in, begins with.
var triggers = func() (t [256]bool) {
	for _, c := range []byte("!<[]hfwdjvuHFWDJVU") {
		t[c] = true
	}
	return t
}()

// element reads what begins at i.
func (c *cursor) element(t text, i int) (e element, look stream.Look) {
	switch b := t.folded[i]; b {
	case '<':
		return c.tag(t, i)
	case '!':
		return c.image(t, i)
	case ']':
		return c.target(t, i)
	case '[':
		return c.definition(t, i)
	default:
		if i > 0 && (stream.AlphaNum[t.clean[i-1]] || t.clean[i-1] == '_') {
			return e, stream.No
		}
		return c.bare(t, i, b)
	}
}

// schemes are what bare addresses begin with, by their first byte.
var schemes = [256][]string{
	'h': {"https:", "http:"}, 'f': {"ftp:", "ftps:"}, 'w': {"www.", "wss:", "ws:"},
	'd': {"data:"}, 'j': {"javascript:"}, 'v': {"vbscript:"}, 'u': {"url("},
}

// bare reads an address that stands in the text as it is.
func (c *cursor) bare(t text, i int, b byte) (e element, look stream.Look) {
	scheme := ""
	for _, s := range schemes[b] {
		switch t.begins(i, s) {
		case stream.Yes:
			scheme = s
		case stream.More:
			look = stream.More
		case stream.No:
		}
	}
	switch scheme {
	case "":
		return e, look
	case "url(":
		return c.style(t, i)
	}
	most := maxURL
	if scheme == "javascript:" || scheme == "vbscript:" {
		most = maxScript
	}
	end, ok := addressEnd(t, i, most)
	if ok == stream.More {
		return e, stream.More
	}
	cut, whole := end-i >= most, string(t.clean[i:end])
	for !cut && end > i && strings.IndexByte(".,;:!?*_~])}", t.clean[end-1]) >= 0 {
		end--
	}
	s := string(t.clean[i:end])
	switch scheme {
	case "javascript:", "vbscript:": // nobody can follow it; somebody may be told to paste it
		if !strings.ContainsAny(s, "(=") || harmlessScript(whole) {
			return e, stream.No
		}
	case "www.":
		s = "https://" + s
	}
	e = element{from: i, to: end, next: end, cut: cut, fault: c.s.judge(s, follows)}
	if cut && e.fault.reason == "" && scheme != "data:" {
		e.fault = dataIn(follows)
	}
	if f := &e.fault; f.reason == ReasonScript {
		f.score = 0.5
	}
	return e, stream.Yes
}

// addressEnd returns the end of an address in prose that begins at i, or where it
// is too long to wait for.
func addressEnd(t text, i, most int) (end int, look stream.Look) {
	depth := 0
	for end = i; end < len(t.clean) && end-i < most; {
		b := t.clean[end]
		switch {
		case b == '(':
			depth++
		case b == ')':
			depth--
		case b == '\\' && end+1 == len(t.clean) && !t.final:
			return i, stream.More
		case b == '\\' && end+1 < len(t.clean) && strings.IndexByte("nrtu\"'\\", t.clean[end+1]) >= 0, b == '|':
			return end, stream.Yes
		case b >= utf8.RuneSelf:
			r, width := utf8.DecodeRune(t.clean[end:])
			if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) {
				return end, stream.Yes
			}
			end += width
			continue
		}
		if b != ')' && stops[b] || depth < 0 {
			return end, stream.Yes
		}
		end++
	}
	if end == len(t.clean) && end-i < most && !t.final {
		return i, stream.More
	}
	return end, stream.Yes
}

// style reads url(...) as style sheets write it.
func (c *cursor) style(t text, i int) (e element, look stream.Look) {
	before := bytes.TrimRight(t.clean[max(0, i-stream.Context):i], " ")
	if len(before) == 0 || strings.IndexByte(":,t", before[len(before)-1]) < 0 { // "background:", "@import"
		return e, stream.No
	}
	return c.address(t, i+len("url("), fetched)
}

// address reads an address that a bracket or a quotation mark ends.
func (c *cursor) address(t text, i int, by use) (e element, look stream.Look) {
	for ; i < len(t.clean) && strings.IndexByte(" <\"'", t.clean[i]) >= 0; i++ {
	}
	depth, end := 0, i
	most := maxURL
	if by != follows {
		most = maxFetched
	}
	for ; end < len(t.clean) && end-i < most; end++ {
		b := t.clean[end]
		switch b {
		case '(':
			depth++
		case ')':
			depth--
		}
		if b != ')' && stops[b] || depth < 0 {
			break
		}
	}
	if end == len(t.clean) && end-i < most && !t.final {
		return e, stream.More
	}
	e = element{from: i, to: end, next: end, cut: end-i >= most, fault: c.s.judge(string(t.clean[i:end]), by)}
	if e.cut && e.fault.reason == "" && !strings.HasPrefix(string(t.folded[i:end]), "data:") {
		e.fault = dataIn(by)
	}
	return e, stream.Yes
}

// target reads where a Markdown link leads, from the bracket that closes its
// text.
func (c *cursor) target(t text, i int) (e element, look stream.Look) {
	switch t.begins(i, "](") {
	case stream.More:
		return e, stream.More
	case stream.No:
		return e, stream.No
	case stream.Yes:
	}
	by := follows
	if c.open {
		by = fetched
	}
	e, look = c.address(t, i+2, by)
	if look == stream.Yes {
		c.open = false
	}
	return e, look
}

// image reads a Markdown image.
func (c *cursor) image(t text, i int) (e element, look stream.Look) {
	switch t.begins(i, "![") {
	case stream.More:
		return e, stream.More
	case stream.No:
		return e, stream.No
	case stream.Yes:
	}
	j, depth := i+2, 0
	for ; j-i < maxAlt; j++ {
		if j >= len(t.clean) || j+1 == len(t.clean) && !t.final {
			return e, t.unless()
		}
		b := t.clean[j]
		if b == '\n' && j+1 < len(t.clean) && t.clean[j+1] == '\n' {
			return e, stream.No
		}
		if b == '[' {
			depth++
		}
		if b == ']' {
			if depth == 0 {
				break
			}
			depth--
		}
	}
	var after byte
	if j+1 < len(t.clean) {
		after = t.clean[j+1]
	}
	switch {
	case j-i >= maxAlt:
		c.open = true
		return e, stream.No
	case after == '(':
		e, look = c.address(t, j+2, fetched)
		if look != stream.Yes {
			return e, look
		}
		e.from = i
		return c.closing(t, e)
	}
	name, end := t.folded[i+2:j], j+1
	if after == '[' {
		shut := bytes.IndexByte(t.folded[j+2:min(len(t.folded), j+2+maxID)], ']')
		switch {
		case shut < 0 && len(t.folded)-j-2 < maxID && !t.final:
			return e, stream.More
		case shut < 0:
			return e, stream.No
		case shut > 0:
			name = t.folded[j+2 : j+2+shut]
		}
		end = j + 3 + shut
	}
	n := nameOf(name)
	for _, d := range c.defs {
		if d.name == n {
			return element{from: i, to: end, next: end, fault: d.f}, stream.Yes
		}
	}
	if len(c.images) < maxRefs {
		c.images = append(c.images, n)
	}
	return element{next: end}, stream.Yes
}

// closing takes the bracket that closes an image along, and the title before it.
func (c *cursor) closing(t text, e element) (element, stream.Look) {
	if e.cut {
		return e, stream.Yes
	}
	for j := e.to; j-e.to < maxAlt; j++ {
		if j == len(t.clean) {
			if !t.final {
				return element{}, stream.More
			}
			break
		}
		if t.clean[j] == ')' {
			e.to, e.next = j+1, j+1
			break
		}
		if t.clean[j] == '\n' {
			break
		}
	}
	return e, stream.Yes
}

var seed = maphash.MakeSeed()

func nameOf(name []byte) uint64 { return maphash.Bytes(seed, bytes.TrimSpace(name)) }

// definition reads the address of a reference: [name]: address.
func (c *cursor) definition(t text, i int) (e element, look stream.Look) {
	line := bytes.TrimRight(t.clean[max(0, i-4):i], " ")
	if len(line) > 0 && line[len(line)-1] != '\n' {
		return e, stream.No
	}
	end := bytes.IndexAny(t.clean[i:min(len(t.clean), i+maxID)], "]\n")
	switch {
	case end < 0 && len(t.clean)-i < maxID:
		return e, t.unless()
	case end < 0 || t.clean[i+end] != ']':
		return e, stream.No
	case i+end+1 == len(t.clean):
		return e, t.unless()
	case t.clean[i+end+1] != ':' || t.clean[i+1] == '^':
		return e, stream.No
	}
	j := i + end + 2
	for ; j < len(t.clean) && j-i < maxID*2 && (t.clean[j] == ' ' || t.clean[j] == '\n'); j++ {
	}
	n, by := nameOf(t.folded[i+1:i+end]), follows
	for _, used := range c.images {
		if used == n {
			by = fetched
		}
	}
	e, look = c.address(t, j, by)
	if look != stream.Yes {
		return e, look
	}
	if f := c.s.judge(string(t.clean[e.from:e.to]), fetched); f.reason != "" && len(c.defs) < maxRefs {
		c.defs = append(c.defs, def{n, f})
	}
	return e, stream.Yes
}
