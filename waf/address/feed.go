package address

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Bounds of a feed.
const (
	MaxFeed    = 64 << 20  // bytes
	maxEntries = 2_000_000 // networks
)

var (
	errAll  = errors.New("a feed with all addresses in it is a mistake")
	errNone = errors.New("there is no network in it")
	errMany = fmt.Errorf("it has more than %d networks", maxEntries)
)

// ParseFeed reads the networks of a feed. Its form is told by how it begins:
//
//   - text, one network a line: behind # or ; is a comment, behind white space or a
//     comma too. So are Spamhaus' DROP lists, FireHOL's netsets and most others.
//   - JSON lines with a field "cidr", as Spamhaus has DROP now; a line without one
//     tells of the list.
//   - JSON of AWS's ip-ranges.json, or a list of texts or of objects with "cidr".
//
// An entry that is no network is an error with its line: a list that is read in part
// protects in part. A feed without networks wraps no error here: see [Feed].
func ParseFeed(src []byte) ([]netip.Prefix, error) {
	src = bytes.TrimPrefix(src, []byte("\xEF\xBB\xBF"))
	switch trimmed := bytes.TrimLeft(src, " \t\r\n"); {
	case len(src) > MaxFeed:
		return nil, fmt.Errorf("it has more than %d bytes", MaxFeed)
	case !utf8.Valid(src):
		return nil, errors.New("it is no text")
	case len(trimmed) > 0 && trimmed[0] == '[':
		return parseList(trimmed)
	case len(trimmed) > 0 && trimmed[0] == '{':
		return parseObjects(trimmed)
	}
	var c collector
	n := 0
	for line := range bytes.Lines(src) {
		n++
		line, _, _ := strings.Cut(string(line), "#")
		line, _, _ = strings.Cut(line, ";")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if i := strings.IndexAny(line, ", \t"); i >= 0 {
			line = line[:i]
		}
		if err := c.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return c.all, nil
}

// collector gathers the networks of a feed.
type collector struct{ all []netip.Prefix }

func (c *collector) add(text string) error {
	p, err := parsePrefix(text)
	if err != nil {
		if from, to, ok := strings.Cut(text, "-"); ok {
			return c.addRange(from, to)
		}
		return err
	}
	if p.Bits() == 0 {
		return errAll
	}
	if len(c.all) >= maxEntries {
		return errMany
	}
	c.all = append(c.all, p.Masked())
	return nil
}

// addRange adds the networks from one address to another.
func (c *collector) addRange(from, to string) error {
	a, err := netip.ParseAddr(from)
	b, err2 := netip.ParseAddr(to)
	if err != nil || err2 != nil || a.Zone()+b.Zone() != "" {
		return fmt.Errorf("%.60q is neither an address, a network nor a range", from+"-"+to)
	}
	a, b = a.Unmap(), b.Unmap()
	if a.BitLen() != b.BitLen() || b.Less(a) {
		return fmt.Errorf("%s-%s is no range: it ends before it begins", a, b)
	}
	for {
		p := netip.PrefixFrom(a, a.BitLen())
		for p.Bits() > 0 { // as large as fits
			wider := netip.PrefixFrom(a, p.Bits()-1)
			if wider.Masked().Addr() != a || b.Less(lastOf(wider)) {
				break
			}
			p = wider
		}
		if err := c.add(p.String()); err != nil {
			return err
		}
		end := lastOf(p)
		if !end.Less(b) {
			return nil
		}
		a = end.Next()
	}
}

// lastOf is the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// parseList reads a JSON list.
func parseList(src []byte) ([]netip.Prefix, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal(src, &entries); err != nil {
		return nil, fmt.Errorf("reading its JSON: %w", err)
	}
	var c collector
	for i, e := range entries {
		var text string
		if json.Unmarshal(e, &text) != nil {
			var o cidr
			if err := json.Unmarshal(e, &o); err != nil || o.CIDR == "" {
				return nil, fmt.Errorf(`entry %d: want a text or an object with "cidr"`, i)
			}
			text = o.CIDR
		}
		if err := c.add(text); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return c.all, nil
}

type cidr struct {
	CIDR string `json:"cidr"`
	Type string `json:"type"` // "metadata": a line about the list
}

// ranges is AWS's ip-ranges.json.
type ranges struct {
	Prefixes []struct {
		Prefix string `json:"ip_prefix"`
	} `json:"prefixes"`
	V6 []struct {
		Prefix string `json:"ipv6_prefix"`
	} `json:"ipv6_prefixes"`
}

// parseObjects reads JSON lines, or the one object that AWS publishes.
func parseObjects(src []byte) ([]netip.Prefix, error) {
	var c collector
	var aws ranges
	if json.Unmarshal(src, &aws) == nil && len(aws.Prefixes)+len(aws.V6) > 0 {
		for i, p := range aws.Prefixes {
			if err := c.add(p.Prefix); err != nil {
				return nil, fmt.Errorf("prefixes[%d]: %w", i, err)
			}
		}
		for i, p := range aws.V6 {
			if err := c.add(p.Prefix); err != nil {
				return nil, fmt.Errorf("ipv6_prefixes[%d]: %w", i, err)
			}
		}
		return c.all, nil
	}
	n := 0
	for line := range bytes.Lines(src) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var o cidr
		if err := json.Unmarshal(line, &o); err != nil {
			return nil, fmt.Errorf("line %d: reading its JSON: %w", n, err)
		}
		if o.CIDR == "" && o.Type == "metadata" {
			continue
		}
		if err := c.add(o.CIDR); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return c.all, nil
}
