package waf

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// climbs reports whether a value is a path that leaves its directory.
func climbs(s string) bool {
	if !strings.Contains(s, "..") {
		return false
	}
	for segment := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '/' || r == '\\' || r == 0 || r == ';' }) {
		if segment == ".." {
			return true
		}
	}
	return false
}

// schemes are those of addresses that a server ought not to open for a caller.
var schemes = []string{"dict", "expect", "file", "ftp", "gopher", "jar", "ldap", "ldaps", "netdoc", "phar", "php", "sftp", "smb", "tftp"}

// names are those of hosts inside, or of the metadata of clouds; those that begin
// with a dot end names.
var names = []string{
	".cluster.local", ".internal", ".local", ".localdomain", ".localhost", ".svc", "instance-data", "kubernetes", "kubernetes.default", "localhost", "metadata",
}

// inner reports whether a value is the address of something inside, or of a file.
func inner(s string) bool {
	s = strings.TrimSpace(s)
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || len(scheme) > 8 {
		if rest, ok = strings.CutPrefix(s, "//"); !ok {
			return false
		}
		scheme = ""
	}
	scheme = strings.ToLower(scheme)
	switch {
	case slices.Contains(schemes, scheme):
		return strings.HasPrefix(rest, "/")
	case scheme != "http" && scheme != "https" && scheme != "":
		return false
	}
	rest = strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/")
	authority, _, _ := strings.Cut(rest, "/")
	authority, _, _ = strings.Cut(authority, "?")
	authority, _, _ = strings.Cut(authority, "#")
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if h, err := url.PathUnescape(authority); err == nil {
		authority = h
	}
	return innerHost(authority)
}

// innerHost reports whether host, with or without a port, is inside.
func innerHost(host string) bool {
	if at, err := netip.ParseAddrPort(host); err == nil {
		return innerAddr(at.Addr())
	}
	if h, port, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
		if _, err := strconv.Atoi(port); err == nil || port == "" {
			host = h
		}
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return innerAddr(addr)
	}
	if addr, ok := oddAddr(host); ok {
		return innerAddr(addr)
	}
	for _, n := range names {
		if host == strings.TrimPrefix(n, ".") && n != ".internal" && n != ".local" && n != ".svc" || n[0] == '.' && strings.HasSuffix(host, n) {
			return true
		}
	}
	// Services that answer for any name with the address that is in it.
	for _, service := range [...]string{".nip.io", ".sslip.io", ".xip.io"} {
		if in, ok := strings.CutSuffix(host, service); ok {
			labels := strings.FieldsFunc(in, func(r rune) bool { return r == '.' || r == '-' })
			if n := len(labels); n >= 4 {
				if addr, err := netip.ParseAddr(strings.Join(labels[n-4:], ".")); err == nil && innerAddr(addr) {
					return true
				}
			}
		}
	}
	return false
}

// carrier is what carriers use inside, and some clouds for their metadata (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// nat64 holds IPv4 addresses for those who speak IPv6 alone (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func innerAddr(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() || carrier.Contains(a) || a.Is4() && a.As4()[0] == 0
}

// oddAddr reads an IPv4 address as inet_aton of C does: of one to four numbers, each
// decimal, octal or hexadecimal, the last of which fills what is left.
func oddAddr(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var v uint64
	for i, p := range parts {
		if p == "" || len(p) > 16 || p[0] < '0' || p[0] > '9' || strings.ContainsRune(p, '_') {
			return netip.Addr{}, false
		}
		n, err := strconv.ParseUint(p, 0, 64)
		if err != nil {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			if n > 255 {
				return netip.Addr{}, false
			}
			v |= n << (24 - 8*i)
			continue
		}
		if n >= 1<<(32-8*i) {
			return netip.Addr{}, false
		}
		v |= n
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), true
}
