package address

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Header is the header by which trusted proxies say whom they stand for. There is
// one: a proxy that writes one of them passes the other on as a client sent it.
type Header string

// Headers.
const (
	XForwardedFor Header = "X-Forwarded-For"
	Forwarded     Header = "Forwarded" // RFC 7239
)

// hop is one station that a request came from, as the next one says: an address,
// or that it does not tell (unknown, an obfuscated id).
type hop struct {
	addr netip.Addr // zero: it is not told
}

var (
	errEmpty     = errors.New("an element is empty")
	errQuote     = errors.New("a quoted text does not end")
	errSeparator = errors.New("an element does not end where it should")
	errTwice     = errors.New("an element says twice for whom it is")
)

// hopsOf reads one line of the header h, the client first. The answer goes into dst.
func hopsOf(dst []hop, h Header, line string) ([]hop, error) {
	if h == Forwarded {
		return forwarded(dst, line)
	}
	for {
		element, rest, more := strings.Cut(line, ",")
		node, err := parseNode(trim(element))
		if err != nil {
			return nil, err
		}
		dst = append(dst, node)
		if !more {
			return dst, nil
		}
		line = rest
	}
}

// forwarded reads a line of the header Forwarded (RFC 7239 §4): elements with
// commas between them, each of pairs with semicolons between them. All of it is
// read from its beginning, for a quoted text may hold a comma.
func forwarded(dst []hop, line string) ([]hop, error) {
	for {
		var told bool
		var node hop
		for {
			line = strings.TrimLeft(line, " \t")
			if line == "" || line[0] == ',' || line[0] == ';' {
				return nil, errEmpty
			}
			n := tokenLen(line)
			if n == 0 || n == len(line) || line[n] != '=' {
				return nil, fmt.Errorf("%.40q is no pair of a name and a value", line)
			}
			name := line[:n]
			value, rest, err := pairValue(line[n+1:])
			if err != nil {
				return nil, err
			}
			if strings.EqualFold(name, "for") {
				if told {
					return nil, errTwice
				}
				told = true
				if node, err = parseNode(value); err != nil {
					return nil, err
				}
			}
			line = strings.TrimLeft(rest, " \t")
			if line == "" || line[0] == ',' {
				break
			}
			if line[0] != ';' {
				return nil, errSeparator
			}
			line = line[1:]
		}
		dst = append(dst, node) // one that does not say for whom it is does not tell
		if line == "" {
			return dst, nil
		}
		line = line[1:]
	}
}

// pairValue returns the value that s begins with, a token or a quoted text, and
// what is behind it.
func pairValue(s string) (value, rest string, err error) {
	if s == "" || s[0] != '"' {
		n := tokenLen(s)
		if n == 0 {
			return "", "", errEmpty
		}
		return s[:n], s[n:], nil
	}
	var b []byte
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return string(b), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			b = append(b, s[i])
		case c == '\\', c < ' ' && c != '\t', c == 0x7F:
			return "", "", errQuote
		default:
			b = append(b, c)
		}
	}
	return "", "", errQuote
}

// tokenLen is how many bytes of s are a token (RFC 9110 §5.6.2).
func tokenLen(s string) int {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || !isToken(c) {
			return i
		}
	}
	return len(s)
}

func isToken(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// parseNode reads a node (RFC 7239 §6), as both headers have it: an address, of
// IPv6 in brackets where there is a port, a number or an obfuscated one; "unknown";
// an obfuscated id. Proxies that write X-Forwarded-For leave brackets away.
func parseNode(s string) (hop, error) {
	switch {
	case s == "":
		return hop{}, errEmpty
	case len(s) > 128:
		return hop{}, fmt.Errorf("%.40q… is too long for an address", s)
	case s[0] == '[':
		inner, port, ok := strings.Cut(s[1:], "]")
		a, err := netip.ParseAddr(inner)
		if !ok || err != nil || !a.Is6() || port != "" && !isPort(port) {
			return hop{}, noNode(s)
		}
		return hop{plain(a)}, nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return hop{plain(a)}, nil
	}
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	if port != "" && !isPort(port) {
		return hop{}, noNode(s)
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Is4() {
		return hop{a}, nil
	}
	if strings.EqualFold(host, "unknown") || isObfuscated(host) {
		return hop{}, nil
	}
	return hop{}, noNode(s)
}

func noNode(s string) error { return fmt.Errorf("%.60q is no address", s) }

// isPort reports whether s is a colon and a port, or an obfuscated one.
func isPort(s string) bool {
	s, ok := strings.CutPrefix(s, ":")
	if !ok {
		return false
	}
	if isObfuscated(s) {
		return true
	}
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil && len(s) <= 5
}

// isObfuscated reports whether s is an identifier that hides an address or a port.
func isObfuscated(s string) bool {
	if len(s) < 2 || s[0] != '_' {
		return false
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// trim cuts optional white space (RFC 9110 §5.6.3).
func trim(s string) string { return strings.Trim(s, " \t") }
