package link

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
)

// use is what becomes of an address.
type use uint8

const (
	follows use = iota // a person must follow it
	fetched            // the page fetches it, and shows it
	loaded             // the page fetches it, and runs or embeds it
)

// dataIn is the fault of an address that carries data.
func dataIn(by use) fault {
	if by == follows {
		return fault{ReasonData, ringwall.Medium, 0.7}
	}
	return fault{Reason, ringwall.High, 0.9}
}

// judge says what is wrong with an address that is used in the given way, reading
// it as browsers do (the URL standard of the WHATWG).
func (s Scanner) judge(address string, by use) fault {
	address = plain(address)
	lower := strings.ToLower(address)
	switch scheme, rest, ok := strings.Cut(lower, ":"); {
	case !ok && strings.Contains(lower, "%3a") && strings.HasPrefix(lower, "javascript"):
		return fault{ReasonScript, ringwall.High, 0.6}
	case !ok:
	case scheme == "javascript", scheme == "vbscript", scheme == "livescript":
		if harmlessScript(lower) {
			return fault{}
		}
		return fault{ReasonScript, ringwall.High, 0.9}
	case scheme == "data":
		return dataURI(rest, by)
	}
	authority, rest, ok := split(address)
	if !ok {
		return fault{} // of the page itself, or no page
	}
	user, host := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, host = authority[:i], authority[i+1:]
	}
	host = hostOf(host)
	switch {
	case host == "" && by == follows:
		return fault{}
	case matches(s.Deny, host):
		return fault{ReasonDenied, ringwall.High, 1}
	case matches(s.Hosts, host), local(host) && user == "":
		return fault{}
	case user != "":
		if by != follows {
			return dataIn(by)
		}
		if strings.Contains(user, ".") || strings.Contains(user, "%") {
			return fault{ReasonCredentials, ringwall.High, 0.9}
		}
	}
	var f fault
	if !reserved[host] && !public[host] {
		f = carries(host, rest, by)
	}
	f = worse(f, s.host(host, by))
	if f.reason == "" && s.Only {
		f = fault{ReasonHost, ringwall.Low, 1}
		if by != follows {
			f.reason = ReasonRemoteImage
		}
	}
	return f
}

// plain undoes what a page undoes before it reads an address: entities, line
// breaks and tabs anywhere, spaces and control characters around.
func plain(address string) string {
	if strings.IndexByte(address, '&') >= 0 {
		address = html.UnescapeString(address)
	}
	address = strings.TrimFunc(address, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(address, "\t\r\n") {
		address = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(address)
	}
	return address
}

// harmlessScript reports whether a script address does nothing, as those that
// stand for "no address" do.
func harmlessScript(s string) bool {
	_, code, _ := strings.Cut(s, ":")
	switch strings.TrimRight(strings.TrimSpace(code), ";") {
	case "", "void(0)", "void 0", "void", "//", "history.back()", "history.go(-1)", "window.print()", "print()", "window.close()":
		return true
	}
	return false
}

// dataURI judges what stands behind "data:".
func dataURI(rest string, by use) fault {
	kind, _, _ := strings.Cut(rest, ",")
	kind, _, _ = strings.Cut(kind, ";")
	switch kind = strings.TrimSpace(kind); {
	case kind == "text/html", strings.HasSuffix(kind, "xml") && kind != "image/svg+xml", strings.HasSuffix(kind, "script"):
		return fault{ReasonDataURI, ringwall.High, 0.9}
	case kind == "image/svg+xml" && by != fetched: // in an image its scripts do not run
		return fault{ReasonDataURI, ringwall.Medium, 0.7}
	}
	return fault{}
}

// split returns the authority of an address and what follows it, if the address
// has one and leads to another host.
func split(address string) (authority, rest string, ok bool) {
	i := strings.IndexAny(address, ":/\\?#")
	if i > 0 && address[i] == ':' {
		switch strings.ToLower(address[:i]) {
		case "http", "https", "ftp", "ftps", "ws", "wss":
			address = address[i+1:]
		default:
			return "", "", false
		}
		address = strings.TrimLeft(address, "/\\") // however many, and whichever
	} else {
		n := len(address) - len(strings.TrimLeft(address, "/\\"))
		if n < 2 {
			return "", "", false
		}
		address = address[n:]
	}
	if i := strings.IndexAny(address, "/\\?#"); i >= 0 {
		return address[:i], address[i:], true
	}
	return address, "", true
}

// hostOf returns the name in a host with a port, in lower case and without
// escapes.
func hostOf(host string) string {
	if strings.IndexByte(host, '%') >= 0 {
		if plain, err := url.PathUnescape(host); err == nil {
			host = plain
		}
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// host judges the name of a host.
func (s Scanner) host(host string, by use) fault {
	switch number, odd := numeric(host); {
	case odd:
		return fault{ReasonRawIP, ringwall.High, 0.9}
	case number:
		if by != follows {
			return fault{ReasonRawIP, ringwall.Medium, 0.6}
		}
		return fault{}
	case host == "169.254.169.254": // where machines in clouds ask for their credentials
		return fault{ReasonRawIP, ringwall.High, 0.8}
	case s.lookalike(host):
		return fault{ReasonLookalike, ringwall.High, 0.9}
	case shorteners[host]:
		return fault{ReasonShortener, ringwall.Low, 0.6}
	}
	return fault{}
}

// numeric reports whether a host is an IP address that the public network has,
// and whether it is written in a way that nobody writes it.
func numeric(host string) (number, odd bool) {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified(), a.Is4In6()
	}
	parts := 0
	for part := range strings.SplitSeq(host, ".") {
		parts++
		if part == "" || parts > 4 {
			return false, false
		}
		if _, err := strconv.ParseUint(part, 0, 64); err != nil {
			if _, err := strconv.ParseUint(part, 10, 64); err != nil {
				return false, false
			}
		}
	}
	return true, true
}

// carries judges how much of an address can hold data.
func carries(host, rest string, by use) fault {
	if by != follows {
		if strings.ContainsAny(rest, "?#") {
			return dataIn(by)
		}
		for part := range strings.SplitSeq(host, ".") {
			if len(part) > longest {
				return dataIn(by)
			}
		}
		for part := range strings.SplitSeq(rest, "/") {
			if len(part) > longest {
				return dataIn(by)
			}
		}
		return fault{}
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 && len(rest)-i > 512 {
		return dataIn(by)
	}
	for part := range strings.SplitSeq(host, ".") {
		if unbroken(part) > 32 || readable(part) {
			return dataIn(by)
		}
	}
	for part := range strings.FieldsFuncSeq(rest, func(r rune) bool { return strings.ContainsRune("/?&=#;,:\\", r) }) {
		if strings.IndexByte(part, '%') >= 0 {
			if p, err := url.PathUnescape(part); err == nil {
				part = p
			}
		}
		switch {
		case readable(part):
			return fault{ReasonData, ringwall.High, 0.9}
		case unbroken(part) > 100, words(part) > 8:
			return dataIn(by)
		}
	}
	return fault{}
}

// unbroken returns the length of the longest run of letters and digits in s, if
// it holds both.
func unbroken(s string) (longest int) {
	n, letters, digits := 0, false, false
	for i := range len(s) {
		switch b := s[i] | 0x20; {
		case 'a' <= b && b <= 'z':
			letters = true
			n++
		case '0' <= s[i] && s[i] <= '9':
			digits = true
			n++
		default:
			n, letters, digits = 0, false, false
		}
		if letters && digits {
			longest = max(longest, n)
		}
	}
	return longest
}

// words returns how many words of a query's value are put together with spaces
// or plus signs.
func words(s string) int {
	return len(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '+' }))
}

// readable reports whether s is text in base64 or hexadecimal digits: by chance
// what is decoded hardly ever reads as text.
func readable(s string) bool {
	const least, enough = 16, 64
	s = strings.TrimRight(s, "=")
	if len(s) < least {
		return false
	}
	head := s[:min(len(s), enough)&^3]
	if b, err := base64.RawStdEncoding.DecodeString(head); err == nil && isText(b) {
		return true
	}
	if b, err := base64.RawURLEncoding.DecodeString(head); err == nil && isText(b) {
		return true
	}
	b, err := hex.DecodeString(head)
	return err == nil && isText(b)
}

func isText(b []byte) bool {
	letters := 0
	for _, c := range b {
		switch {
		case c < ' ' && c != '\n' && c != '\t', c > '~':
			return false
		case 'a' <= c|0x20 && c|0x20 <= 'z' || c == ' ':
			letters++
		}
	}
	return letters*10 >= len(b)*6
}
