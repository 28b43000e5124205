// Package link notices images in an answer that would carry data out.
//
// A chat page fetches an image the moment it is shown, so an image whose address
// is made by the model tells its host whatever the model was made to write into
// it. An image of a foreign host whose address has a query, a fragment, a login,
// or a part long enough to hold data is such a one. Markdown images, HTML images
// and the like are read; an image is held back until its address is complete, and
// an address that goes on for too long counts as data.
//
// Plain links, which a person must follow, are not looked at.
package link

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/link"

// Reason is the reason of all findings.
const Reason = "image-carries-data"

// Bounds.
const (
	maxAlt  = 256 // bytes between ![ and ](
	maxTag  = 64  // bytes of an HTML tag before its address
	maxURL  = 512 // longer addresses hold data
	longest = 40  // a part of a path that is longer may hold data
)

// Scanner notices images that carry data.
type Scanner struct {
	Hosts []string // whose images may be shown: exactly, or below "*.example.com"
}

// Begin implements stream.Scanner.
func (s Scanner) Begin(sc stream.Scope) (stream.Cursor, string) {
	return &cursor{hosts: s.Hosts}, ""
}

type cursor struct {
	hosts   []string
	pos     int
	swallow bool // an address that was too long goes on
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	t, i := w.Clean, c.pos-w.Base
	for i < len(t) {
		if c.swallow {
			end := i
			for end < len(t) && !ends(t[end]) {
				end++
			}
			if end > i {
				found(stream.Match{Start: w.Base + i, End: w.Base + end, Rest: true})
			}
			c.swallow = end == len(t)
			i = end
			continue
		}
		next := bytes.IndexAny(t[i:], "!<")
		if next < 0 {
			i = len(t)
			break
		}
		i += next
		end, look := c.image(t, w.Folded, i, w.Final)
		if look == stream.More {
			break
		}
		if look == stream.No {
			i++
			continue
		}
		found(stream.Match{Start: w.Base + i, End: w.Base + end, Reason: Reason, Severity: ringwall.High, Score: 0.9})
		c.swallow = end < len(t) && !ends(t[end]) || end == len(t) && !w.Final
		i = end
	}
	c.pos = w.Base + i
	return c.pos
}

// ends reports whether b cannot stand in an address.
func ends(b byte) bool {
	return b <= ' ' || b == ')' || b == '"' || b == '\'' || b == '>' || b == '<' || b == '`'
}

// image reads an image at t[i] that carries data; end is behind its address, and
// behind the bracket that closes a Markdown image.
func (c *cursor) image(t, folded []byte, i int, final bool) (end int, look stream.Look) {
	from, look := address(t, folded, i, final)
	if look != stream.Yes {
		return i, look
	}
	j := from
	for j < len(t) && j-from < maxURL && !ends(t[j]) {
		j++
	}
	switch {
	case j-from == maxURL:
		return j, stream.Yes
	case j == len(t) && !final:
		return i, stream.More
	case !c.carries(string(t[from:j])):
		return i, stream.No
	case t[i] == '!' && j < len(t) && t[j] == ')':
		j++
	}
	return j, stream.Yes
}

// address returns the index where the address of the image at t[i] begins.
func address(t, folded []byte, i int, final bool) (int, stream.Look) {
	unless := stream.More
	if final {
		unless = stream.No
	}
	if t[i] == '!' {
		if i+1 == len(t) {
			return i, unless
		}
		if t[i+1] != '[' {
			return i, stream.No
		}
		for j := i + 2; j-i < maxAlt; j++ {
			switch {
			case j+1 >= len(t):
				return i, unless
			case t[j] == ']' && t[j+1] == '(':
				for j += 2; j < len(t) && (t[j] == ' ' || t[j] == '<') && j-i < maxAlt; j++ {
				}
				return j, stream.Yes
			case t[j] == ']', t[j] == '\n' && t[j+1] == '\n':
				return i, stream.No
			}
		}
		return i, stream.No
	}
	const tag = "<img"
	got := folded[i:min(len(t), i+len(tag))]
	switch {
	case string(got) != tag[:len(got)]:
		return i, stream.No
	case len(got) < len(tag):
		return i, unless
	}
	for j := i + len(tag); j-i < maxTag+maxURL; j++ {
		if j+4 > len(t) {
			return i, unless
		}
		if t[j] == '>' {
			return i, stream.No
		}
		if string(folded[j:j+4]) == "src=" {
			j += 4
			if j == len(t) {
				return i, unless
			}
			if t[j] == '"' || t[j] == '\'' {
				j++
			}
			return j, stream.Yes
		}
	}
	return i, stream.No
}

// carries reports whether the address of an image could tell its host something.
func (c *cursor) carries(address string) bool {
	if strings.HasPrefix(address, "//") {
		address = "https:" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return true // who knows what a page makes of it
	}
	if u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "ftp" {
		return false // of the page itself, or data in the page
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range c.hosts {
		if below, ok := strings.CutPrefix(h, "*"); h == host || ok && strings.HasSuffix(host, below) {
			return false
		}
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return true
	}
	for label := range strings.SplitSeq(host, ".") {
		if len(label) > longest {
			return true
		}
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) > longest {
			return true
		}
	}
	return false
}
