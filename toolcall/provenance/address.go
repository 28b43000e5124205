package provenance

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An address is found whole: what is ahead of the value or behind it in a text would
// make it another address. Its host is compared without case, its path with.

// link is a URL (RFC 3986), or the name of a host with what is behind it.
type link struct {
	scheme string // in lower case; "" unsaid
	port   string // "" unsaid, or that of the scheme
	rest   string // path, query and fragment, canonical
	host   anchor // without www., which is the owner's of what is behind it
}

// linkOf reads a value as a link. One with a user in it, or with what readers of URLs
// understand in different ways, is none.
func linkOf(v string) (l link, ok bool) {
	if scheme, after, has := strings.Cut(v, "://"); has {
		if !schemeName(scheme) {
			return l, false
		}
		l.scheme, v = strings.ToLower(scheme), after
	}
	for i := range len(v) {
		if v[i] <= ' ' || v[i] == 0x7F || strings.IndexByte(`"'<>\^{|}`+"`", v[i]) >= 0 {
			return l, false
		}
	}
	host := v
	if i := strings.IndexAny(v, "/?#"); i >= 0 {
		host, l.rest = v[:i], canonicalRest(v[i:])
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host, l.port = host[:i], host[i+1:]
		if l.port == "" || len(l.port) > 5 || strings.Trim(l.port, "0123456789") != "" {
			return l, false
		}
		if l.port == defaultPort(l.scheme) {
			l.port = ""
		}
	}
	host = strings.TrimSuffix(lowerASCII(host), ".")
	if !hostName(host, l.scheme != "") {
		return l, false
	}
	if bare := strings.TrimPrefix(host, "www."); strings.Contains(bare, ".") {
		host = bare
	}
	l.host = anchorAt(host, 0)
	return l, true
}

func schemeName(s string) bool {
	return s != "" && len(s) <= 16 && strings.Trim(lowerASCII(s), "abcdefghijklmnopqrstuvwxyz0123456789+.-") == ""
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "", "https":
		return "443"
	}
	return ""
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// hostName says whether s names a host: in a URL anything that can, elsewhere what has a
// dot and a last label of letters, or an IPv4 address.
func hostName(s string, url bool) bool {
	labels, numeric, last := 0, true, ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, r := range label {
			if r != '-' && r != '_' && !word(r) || !foldable(string(r)) {
				return false
			}
		}
		numeric = numeric && strings.Trim(label, "0123456789") == ""
		labels, last = labels+1, label
	}
	if url || numeric && labels == 4 {
		return true
	}
	return labels > 1 && len(last) > 1 && strings.IndexFunc(last, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// canonicalRest returns a path, query and fragment as they are compared: with what needs
// no escape unescaped, and no slash at the end of a path.
func canonicalRest(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		unit, end := nextEscaped(s, i)
		b.WriteString(unit)
		i = end
	}
	if s = b.String(); !strings.ContainsAny(s, "?#") {
		s = strings.TrimSuffix(s, "/")
	}
	return s
}

// nextEscaped returns the byte at s[i], or what %XX stands for there where it needs no
// escape (RFC 3986 §2.3), and where that ends.
func nextEscaped(s string, i int) (string, int) {
	if s[i] != '%' || i+2 >= len(s) {
		return s[i : i+1], i + 1
	}
	hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
	if hi > 15 || lo > 15 {
		return s[i : i+1], i + 1
	}
	if c := hi<<4 | lo; c < utf8.RuneSelf && (word(rune(c)) || strings.IndexByte("-._~", c) >= 0) {
		return string(rune(c)), i + 3
	}
	return strings.ToUpper(s[i : i+3]), i + 3
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// joinLink holds together what a link is part of.
const joinLink = "-_@./\\~:%+?#&=!$*"

// find says where the link stands in s, unless it takes more work than it may.
func (l *link) find(s string, work int) (found, bool) {
	c := cursor{a: &l.host, s: s, work: work}
	for {
		at := c.next()
		if at < 0 {
			return found{}, false
		}
		if start, scheme, ok := l.left(s, at); ok {
			if end, ok := l.right(s, at+len(l.host.run), scheme); ok {
				return found{start, end}, true
			}
		}
		c.work -= 16
	}
}

// left reads what is ahead of the host: www. or nothing, and the scheme or nothing.
func (l *link) left(s string, at int) (start int, scheme string, ok bool) {
	if at >= 4 && strings.EqualFold(s[at-4:at], "www.") {
		at -= 4
	}
	if !strings.HasSuffix(s[:at], "://") {
		return at, "", (l.scheme == "" || l.scheme == "http" || l.scheme == "https") && !joined('a', side{s[:at], true}, joinLink) &&
			!strings.HasSuffix(s[:at], "/") && !strings.HasSuffix(s[:at], "\\")
	}
	start = at - 3
	for start > 0 && at-start < 20 && (word(rune(s[start-1])) && s[start-1] < utf8.RuneSelf || s[start-1] == '+') {
		start--
	}
	scheme = lowerASCII(s[start : at-3])
	switch l.scheme {
	case "", "https":
		ok = scheme == "https" || scheme == "http"
	default:
		ok = scheme == l.scheme
	}
	return start, scheme, ok && !joined('a', side{s[:start], true}, "-_.+")
}

// right reads what is behind the host.
func (l *link) right(s string, i int, scheme string) (end int, ok bool) {
	port := ""
	if i+1 < len(s) && s[i] == ':' && digit(rune(s[i+1])) {
		end := i + 1
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		if port = s[i+1 : end]; port == defaultPort(scheme) {
			port = ""
		}
		i = end
	}
	if port != l.port {
		return 0, false
	}
	rest := l.rest
	if rest != "" && rest[0] != '/' && i < len(s) && s[i] == '/' {
		i++ // x.com/?q is x.com?q
	}
	for rest != "" {
		if i >= len(s) {
			return 0, false
		}
		unit, end := nextEscaped(s, i)
		if !strings.HasPrefix(rest, unit) {
			return 0, false
		}
		rest, i = rest[len(unit):], end
	}
	if i < len(s) && s[i] == '/' && !strings.ContainsAny(l.rest, "?#") {
		i++
	}
	beside := side{s[i:], false}
	c, _ := beside.step()
	return i, !joined('a', beside, joinLink) && !(unspaced(c) && goesOn(beside))
}

// mail says whether v is the address of a mailbox: one @, and a host with a dot.
func mail(v string) bool {
	local, host, ok := strings.Cut(v, "@")
	return ok && local != "" && len(v) <= 320 && hostName(lowerASCII(host), false) && !strings.ContainsFunc(local, func(r rune) bool {
		return r <= ' ' || unicode.IsSpace(r) || strings.ContainsRune(`@"(),:;<>[\]`, r)
	})
}

// maxLong bounds, in bytes, an IBAN or a telephone with its separators.
const maxLong = 64

// iban returns an International Bank Account Number (ISO 13616) without its spaces.
func iban(v string) (string, bool) {
	if len(v) < 15 || len(v) > maxLong {
		return "", false
	}
	v = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00A0' {
			return -1
		}
		return r
	}, v))
	if len(v) < 15 || len(v) > 34 || strings.Trim(v[:2], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", false
	}
	sum := 0
	for _, c := range v[4:] + v[:4] {
		switch {
		case c >= '0' && c <= '9':
			sum = (sum*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			sum = (sum*100 + int(c-'A') + 10) % 97
		default:
			return "", false
		}
	}
	return v, sum == 1
}

// phone returns the digits of a number that is written with separators, such as that of
// a telephone or a card: + ahead of an international one, whose (0) is left out.
func phone(v string) (string, bool) {
	if len(v) < 7 || len(v) > maxLong {
		return "", false
	}
	var b strings.Builder
	plus := strings.HasPrefix(v, "+") || strings.HasPrefix(v, "00")
	if plus {
		v = strings.Replace(strings.TrimPrefix(strings.TrimPrefix(v, "+"), "00"), "(0)", "", 1)
		b.WriteByte('+')
	}
	for _, r := range v {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case strings.ContainsRune(separators, r):
		default:
			return "", false
		}
	}
	return b.String(), b.Len() >= 7 && b.Len() <= 24
}

// separators stand between the digits of a long number.
const separators = " -./()\u00A0\u202F\u2009"

// findDigits says whether digits, which begin with + or not, stand in s with any
// separators, letters among them in either case.
func findDigits(s, digits string, work int) (found, bool) {
	bare := strings.TrimPrefix(digits, "+")
	head := anchorAt(lowerASCII(bare[:min(len(bare), 1)]), 0)
	if word(rune(bare[0])) && !digit(rune(bare[0])) {
		head = anchorAt(lowerASCII(bare[:4]), 0)
	}
	c := cursor{a: &head, s: s, work: work}
	for c.work > 0 {
		at := c.next()
		if at < 0 {
			break
		}
		c.work -= 2
		start := at
		if len(bare) < len(digits) {
			switch {
			case strings.HasSuffix(s[:at], "+"):
				start--
			case strings.HasSuffix(s[:at], "00"):
				start -= 2
			default:
				continue
			}
		}
		if joined('1', side{s[:start], true}, joinAddress+"/:") {
			continue
		}
		end, ok := alongDigits(s, at, bare, len(bare) < len(digits))
		c.work -= end - at
		if ok && !joined('1', side{s[end:], false}, joinAddress+"/:") {
			return found{start, end}, true
		}
	}
	return found{}, false
}

func alongDigits(s string, i int, digits string, trunk bool) (end int, ok bool) {
	for n := 0; n < len(digits); {
		if i >= len(s) {
			return i, false
		}
		if c := s[i]; upper(lower[c&0x7F]) == digits[n] && c < utf8.RuneSelf {
			i, n = i+1, n+1
			continue
		}
		if trunk && n <= 3 && strings.HasPrefix(s[i:], "(0)") {
			i += 3
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !strings.ContainsRune(separators, r) {
			return i, false
		}
		if i += size; strings.HasPrefix(s[i:], "  ") {
			return i, false // two numbers in a table
		}
	}
	return i, true
}
