// Package link notices addresses in a text that would carry data out, run code or
// lead somebody astray.
//
// A chat page fetches an image the moment it is shown, so an image whose address
// is made by the model tells its host whatever the model was made to write into
// it. What a page fetches by itself (images, scripts, style sheets, frames, media)
// is therefore judged strictly: a foreign host, and a query, a fragment, a login
// or a part long enough to hold data. What a person must follow (links, forms,
// bare addresses) is judged by what it visibly carries, and by where it pretends to
// lead: logins before the host, hosts that look like others, numbers for hosts.
//
// The data's way: markup.go finds addresses in Markdown, HTML, style sheets and
// prose, and holds each back until it is complete; address.go takes one apart as a
// browser would and says what is wrong with it; hosts.go knows hosts. An address
// or tag that goes on for too long is decided by what has come and swallowed to
// its end. Handlers and scripts in the page are left to package injection.
package link

import (
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/link"

// Reasons of findings.
const (
	Reason            = "image-carries-data" // a page would send data by fetching it
	ReasonData        = "data-in-link"       // somebody who follows it would send data
	ReasonScript      = "script-uri"         // following it runs code
	ReasonDataURI     = "data-uri"           // a page within the address
	ReasonDenied      = "denied-host"        // Scanner.Deny names its host
	ReasonLookalike   = "lookalike-host"     // its host is made to be taken for another
	ReasonCredentials = "hidden-credentials" // a login before the host, which reads like a host
	ReasonRawIP       = "raw-ip-host"        // its host is a number in disguise
	ReasonShortener   = "shortener"          // where it leads cannot be seen
	ReasonRemoteImage = "remote-image"       // with Scanner.Only: fetched from another host
	ReasonHost        = "link-host"          // with Scanner.Only: a link to another host
)

// Bounds.
const (
	maxAlt     = 256  // bytes between ![ and ]
	maxID      = 128  // bytes of the name of a reference
	maxOpen    = 128  // of one that stands in another which is not closed
	maxScript  = 256  // bytes of a script address in prose
	maxTag     = 4096 // bytes of an HTML tag
	maxURL     = 2048 // longer addresses hold data,
	maxFetched = 512  // and shorter ones if a page fetches them
	maxRefs    = 64   // references that are remembered
	longest    = 40   // a part of an image's address that is longer may hold data
)

// Scanner notices addresses. The zero Scanner trusts no host.
type Scanner struct {
	// Hosts are trusted: exactly, or below "*.example.com". What looks like one of
	// them and is another is noticed.
	Hosts []string
	// Deny are hosts that nothing may lead to, written like Hosts.
	Deny []string
	// Only has links to hosts that Hosts does not name noticed too.
	Only bool
}

// Check reports the first host pattern that cannot match anything.
func (s Scanner) Check() error {
	for _, list := range [][]string{s.Hosts, s.Deny} {
		for i, h := range list {
			name := strings.TrimPrefix(h, "*.")
			if name == "" || strings.ContainsAny(name, "*/:@ ") || name != strings.ToLower(name) {
				return fmt.Errorf("link: host %d, %q: want a host name in lower case, or \"*.\" and one", i, h)
			}
		}
	}
	return nil
}

// Views implements stream.Viewer: numbers and codes do not survive that letters
// are put right.
func (Scanner) Views() stream.Views { return stream.Decoded }

// Begin implements stream.Scanner.
func (s Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	return &cursor{s: s, tagged: reading{at: -1}}, ""
}

type cursor struct {
	s       Scanner
	pos     int
	swallow bool     // an address that was too long goes on
	tagged  reading  // the tag that was read last, if it was not closed
	noClose int      // offset up to which a tag that began was not closed
	open    bool     // an image whose text was too long to wait for
	images  []uint64 // names of references that images use
	defs    []def    // references that an image must not use
}

// def is a reference whose address carries data.
type def struct {
	name uint64
	f    fault
}

// found is an address in its markup: what a finding about it covers, from one
// index to another, and what is wrong with it.
type element struct {
	from, to int  // what a finding covers
	next     int  // where to go on
	cut      bool // it was too long to wait for its end
	fault    fault
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	t, i := w.Clean, c.pos-w.Base
	for i < len(t) {
		if c.swallow {
			end := i
			for end < len(t) && !stops[t[end]] {
				end++
			}
			if end > i {
				found(stream.Match{Start: w.Base + i, End: w.Base + end, Rest: true})
			}
			c.swallow = end == len(t)
			i = end
			continue
		}
		for i < len(t) && !triggers[t[i]] {
			i++
		}
		if i == len(t) {
			break
		}
		e, look := c.element(text{t, w.Folded, w.Base, w.Final}, i)
		if look == stream.More {
			break
		}
		if look == stream.No {
			i++
			continue
		}
		if f := e.fault; f.reason != "" {
			found(stream.Match{Start: w.Base + e.from, End: w.Base + e.to, Reason: f.reason, Severity: f.severity, Score: f.score})
			c.swallow = e.cut
		}
		i = max(e.next, i+1)
	}
	c.pos = w.Base + i
	return c.pos
}

// fault is what is wrong with an address.
type fault struct {
	reason   string
	severity ringwall.Severity
	score    float64
}

// worse returns the one of two faults that matters more.
func worse(a, b fault) fault {
	switch {
	case a.reason == "":
		return b
	case b.reason == "", a.severity > b.severity:
		return a
	case b.severity > a.severity, b.score > a.score:
		return b
	}
	return a
}
