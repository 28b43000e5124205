package toolcall

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
)

// target is where a URL leads, as the most generous reader would take it.
type target struct {
	is     bool   // a URL
	scheme string // "" where none is written
	user   bool   // a name stands before the host
	host   string // in small letters, without brackets and the last dot
	port   string
	odd    bool // readers differ about it
}

var schemed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// linkOf reads a URL. Where it is known to be one it needs no scheme.
func linkOf(s string, known bool) (t target) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '\'' || r == '<' || r == '>' })
	if !isASCII(s) {
		t.odd = strings.ContainsAny(s, "\u3002\uff0e\uff61\uff0f\uff1a") // dots and strokes to some
	}
	s = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' { // browsers leave them away
			return -1
		}
		return r
	}, s)
	raw := s
	s = strings.ReplaceAll(s, `\`, "/")
	if m := schemed.FindString(s); m != "" && !portBehind(s, m) {
		t.scheme = strings.ToLower(strings.TrimSuffix(m, ":"))
		s = s[len(m):]
		switch {
		case strings.HasPrefix(s, "//"):
		case slices.Contains(weblike, t.scheme) && strings.HasPrefix(s, "/"): // http:/host
			t.odd = true
		default:
			t.is = true // javascript:…, data:…, file:…
			return t
		}
	} else if !known && !strings.HasPrefix(s, "//") {
		return t
	}
	if !known && strings.ContainsAny(s, " ") {
		return t // words with a URL in front
	}
	t.is = true
	s = strings.TrimLeft(s, "/")
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		t.user, s = true, s[i+1:]
	}
	t.authority(s)
	if t.scheme != "" {
		if u, err := url.Parse(raw); err != nil || strings.ContainsAny(t.host, " ,;|!$&'()*+=\"<>^`{}~") || !strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), t.host) && isASCII(raw) {
			t.odd = true
		}
	}
	return t
}

// portBehind reports whether what looks like a scheme is a host before its port.
func portBehind(s, m string) bool {
	rest := s[len(m):]
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	return digits > 0 && digits <= 5 && (digits == len(rest) || strings.ContainsRune("/?#", rune(rest[digits])))
}

// authority reads a host and its port.
func (t *target) authority(s string) {
	if dec := unescaped(s); dec != s {
		s, t.odd = dec, true
	}
	if !isASCII(s) {
		s = strings.NewReplacer("\u3002", ".", "\uff61", ".").Replace(s)
		s = normalize.Fold(s)
	}
	s = strings.ToLower(s)
	if strings.HasPrefix(s, "[") {
		if host, port, ok := strings.Cut(s[1:], "]"); ok {
			t.host, t.port = host, strings.TrimPrefix(port, ":")
			return
		}
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Count(s, ":") == 1 {
		s, t.port = s[:i], s[i+1:]
	}
	t.host = strings.TrimSuffix(s, ".")
}

// weblike are the schemes of URLs that lead to a host which is asked by HTTP.
var weblike = []string{"http", "https", "ws", "wss"}

// dangerous are schemes by which a URL reads files, speaks to other services, or is run.
var dangerous = []string{
	"file", "gopher", "dict", "ldap", "ldaps", "tftp", "jar", "netdoc", "php", "phar", "expect", "glob", "zip", "javascript", "vbscript", "smb", "unix", "sftp", "view-source", "about", "blob",
}

// link looks at a value that may be a URL, or several, of an argument that is for
// something else.
func link(s string) string {
	for _, part := range several(s) {
		if rule := linked(part); rule != "" {
			return rule
		}
	}
	return ""
}

var behind = regexp.MustCompile(`[\s,;|]+[A-Za-z][A-Za-z0-9+.-]*:/`)

// several cuts a value before each URL that stands in it behind another.
func several(s string) []string {
	if strings.Count(s, ":/") < 2 {
		return []string{s}
	}
	var out []string
	at := 0
	for _, m := range behind.FindAllStringIndex(s, -1) {
		out = append(out, strings.TrimRight(s[at:m[0]], " ,;|"))
		at = m[0] + strings.IndexFunc(s[m[0]:], func(r rune) bool { return !strings.ContainsRune(" \t\r\n\f\v,;|", r) })
	}
	return append(out, s[at:])
}

func linked(s string) string {
	head := s[:min(len(s), 40)]
	if !strings.Contains(head, ":") && !strings.HasPrefix(strings.TrimSpace(head), "//") {
		return ""
	}
	t := linkOf(s, false)
	switch {
	case !t.is:
		return ""
	case slices.Contains(dangerous, t.scheme):
		return RuleScheme
	case slices.Contains(weblike, t.scheme):
		return t.against()
	}
	return ""
}

// url looks at a URL, or several.
func (f *finder) url(s string) string {
	for _, part := range several(s) {
		if rule := f.one(part); rule != "" {
			return rule
		}
	}
	return ""
}

func (f *finder) one(s string) string {
	t := linkOf(s, true)
	if t.scheme != "" && !slices.Contains(weblike, t.scheme) {
		return RuleScheme
	}
	for _, m := range f.under {
		if m.Schemes != nil && t.scheme != "" && !slices.Contains(m.Schemes, t.scheme) {
			return RuleScheme
		}
	}
	if t.scheme == "" && t.user {
		return "" // a mail address, or that of a repository
	}
	return t.against()
}

// against says what is against going to t.
func (t *target) against() string {
	if t.user || t.odd || t.host == "" || internal(t.host, t.scheme != "") {
		return RuleInternal
	}
	return ""
}

// allows reports whether t is one of the hosts that m names.
func (m *meaning) allows(t target) bool {
	if t.user || t.odd {
		return false
	}
	for _, h := range m.Hosts {
		name, port := h, ""
		if i := strings.LastIndexByte(h, ':'); i >= 0 && strings.Count(h, ":") == 1 {
			name, port = h[:i], h[i+1:]
		}
		if port != "" && port != t.port {
			continue
		}
		if below, ok := strings.CutPrefix(name, "*."); ok && strings.HasSuffix(t.host, "."+below) || name == t.host {
			return true
		}
	}
	return false
}

// inner are the ends of names that lead into one's own network, or to whatever address
// stands in front of them.
var inner = []string{
	"localhost", "local", "localdomain", "internal", "intranet", "corp", "home", "lan", "private", "arpa", "svc", "cluster",
	"nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me", "lacolhost.com", "rbndr.us", "1u.ms",
}

// internal reports whether a host is, or may well be, one of one's own network. Written
// says that it stands in a URL with a scheme, where a name without a dot is one.
func internal(host string, written bool) bool {
	if addr, ok := address(host); ok {
		number, err := strconv.ParseUint(host, 10, 64)
		return !public(addr) && (written || err != nil || number >= 1<<24) // or else it counts something
	}
	if !strings.Contains(host, ".") {
		return written || host == "localhost"
	}
	for _, end := range inner {
		if host == end || strings.HasSuffix(host, "."+end) {
			return true
		}
	}
	return false
}

// address reads an address of the Internet in any form that readers take: also as one
// number, in octal or hexadecimal digits, with less than four parts (inet_aton), and
// those of IPv6 that stand for one of IPv4.
func address(host string) (netip.Addr, bool) {
	host, _, _ = strings.Cut(host, "%") // the zone
	if a, err := netip.ParseAddr(host); err == nil {
		return unwrapped(a), true
	}
	parts := strings.Split(host, ".")
	if len(parts) > 4 || host == "" {
		return netip.Addr{}, false
	}
	var v uint64
	for i, p := range parts {
		base := 10
		switch {
		case strings.HasPrefix(p, "0x"):
			p, base = p[2:], 16
			if p == "" {
				p = "0"
			}
		case len(p) > 1 && p[0] == '0':
			p, base = p[1:], 8
		}
		n, err := strconv.ParseUint(p, base, 64)
		last := i == len(parts)-1
		if err != nil || !last && n > 255 {
			return netip.Addr{}, false
		}
		if last {
			v = v<<(8*(5-len(parts))) | n&0xffffffff
			break
		}
		v = v<<8 | n
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), true
}

// unwrapped returns the address of IPv4 for which one of IPv6 stands.
func unwrapped(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	b := a.As16()
	four := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case b[0] == 0x20 && b[1] == 0x02: // 6to4, RFC 3056
		return four(2)
	case [12]byte(b[:12]) == [12]byte{0x00, 0x64, 0xff, 0x9b}: // NAT64, RFC 6052
		return four(12)
	case [12]byte(b[:12]) == [12]byte{} && (b[12] != 0 || b[13] != 0): // IPv4-compatible
		return four(12)
	}
	return a
}

// closed are the networks that are nobody's on the Internet (RFC 6890 and its kin).
var closed = func() (out []netip.Prefix) {
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
		"::/127", "fc00::/7", "fe80::/9", "ff00::/8", "64:ff9b:1::/48", "2001::/32", "100::/64",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}()

// public reports whether an address is one of the Internet. That of the metadata of some
// clouds, 168.63.129.16 and 100.100.100.200, is none.
func public(a netip.Addr) bool {
	if a == netip.AddrFrom4([4]byte{168, 63, 129, 16}) {
		return false
	}
	return !slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(a) })
}
