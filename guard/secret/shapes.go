package secret

import (
	"bytes"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds on what is waited for.
const (
	maxHeader = 80  // of -----BEGIN … PRIVATE KEY-----
	maxScheme = 20  // of a URL
	maxLogin  = 160 // user and password in a URL
	maxValue  = 128 // of an assigned secret
)

// readPEM reads the header of a private key (RFC 7468); the key is swallowed.
func readPEM(t []byte, i int, final bool) (m stream.Match, rest swallower, look stream.Look) {
	begin := []byte("-----BEGIN ")
	got := t[i:]
	if n := min(len(got), len(begin)); !bytes.Equal(got[:n], begin[:n]) {
		return m, nil, stream.No
	} else if n < len(begin) {
		return m, nil, unless(final)
	}
	label := got[len(begin):]
	j := 0
	for j < len(label) && j < maxHeader && (label[j] == ' ' || 'A' <= label[j] && label[j] <= 'Z' || '0' <= label[j] && label[j] <= '9') {
		j++
	}
	tail := label[j:min(len(label), j+5)]
	switch {
	case j == maxHeader:
		return m, nil, stream.No
	case len(tail) < 5 && bytes.HasPrefix([]byte("-----"), tail):
		return m, nil, unless(final)
	case string(tail) != "-----" || !bytes.Contains(label[:j], []byte("PRIVATE KEY")):
		return m, nil, stream.No
	}
	m = stream.Match{Start: i, End: i + len(begin) + j + 5, Reason: "private-key", Severity: ringwall.Critical, Score: 0.99}
	return m, swallowPEM, stream.Yes
}

// unless says that more is needed, unless there is no more.
func unless(final bool) stream.Look {
	if final {
		return stream.No
	}
	return stream.More
}

var base64Body = classOf("A-Za-z0-9+/=")

// swallowPEM goes on through words of base64, written in lines, in one line, or
// with escaped line ends, up to and with the -----END line. A word of prose ends
// it.
func swallowPEM(t []byte, i int, final bool) (end int, more bool) {
	for i < len(t) {
		j := i
		for j < len(t) && (t[j] == '\n' || t[j] == '\r' || t[j] == ' ' || t[j] == '\t' || t[j] == '\\') {
			j++
			if t[j-1] == '\\' && j < len(t) && (t[j] == 'n' || t[j] == 'r') {
				j++
			}
		}
		if j == len(t) {
			return i, true
		}
		if t[j] == '-' {
			footer, look := readFooter(t, j, final)
			if look == stream.More {
				return i, true
			}
			if look == stream.Yes {
				return footer, false
			}
			return i, false
		}
		k := j
		fresh := j > i || i == 0 || !base64Body[t[i-1]] // not the rest of a word that went on
		plain := fresh                                  // might be a word of prose
		for k < len(t) && base64Body[t[k]] {
			c := t[k]
			plain = plain && (k-j >= 16 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' && k == j)
			k++
		}
		switch {
		case k == j:
			return i, false
		case fresh && k == len(t) && !final && k-j < 16:
			return i, true
		case plain && k-j < 16:
			return i, false
		}
		i = k
	}
	return i, true
}

// readFooter reads -----END … -----.
func readFooter(t []byte, i int, final bool) (end int, look stream.Look) {
	const mark = "-----END "
	got := t[i:]
	n := min(len(got), len(mark))
	if string(got[:n]) != mark[:n] {
		return i, stream.No
	}
	for j := n; j < len(got) && j < maxHeader; j++ {
		if got[j] == '\n' {
			return i + j, stream.Yes
		}
		if j >= len(mark)+5 && string(got[j-5:j]) == "-----" {
			return i + j, stream.Yes
		}
	}
	if len(got) < maxHeader && !final {
		return i, stream.More
	}
	return i + min(len(got), maxHeader), stream.Yes
}

// readURL reads the password in scheme://user:password@host (RFC 3986 §3.2.1).
func readURL(t []byte, i int, final bool) (m stream.Match, look stream.Look) {
	j := i
	for j < len(t) && j-i <= maxScheme && (stream.AlphaNum[t[j]] || t[j] == '+') {
		j++
	}
	if j-i > maxScheme {
		return m, stream.No
	}
	const sep = "://"
	got := t[j:min(len(t), j+len(sep))]
	if string(got) != sep[:len(got)] {
		return m, stream.No
	}
	if len(got) < len(sep) {
		return m, unless(final)
	}
	from, colon := j+len(sep), 0
	for k := from; k-from <= maxLogin; k++ {
		if k == len(t) {
			return m, unless(final)
		}
		switch c := t[k]; {
		case c == '@':
			if colon == 0 || k-colon < 4 || holder(t[colon+1:k]) {
				return m, stream.No
			}
			return stream.Match{Start: colon + 1, End: k, Reason: "url-password", Score: 0.95}, stream.Yes
		case c == ':' && colon == 0:
			colon = k
		case c <= ' ' || c == '/' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' || c == '?' || c == '#' && colon == 0:
			return m, stream.No
		}
	}
	return m, stream.No
}

// names are words that a secret is assigned to, by their first letter.
var names = func() (t [256][]string) {
	for _, n := range []string{
		"password", "passwd", "passphrase", "pwd", "secret", "api_key", "apikey", "api-key", "api key", "access_key", "accesskey",
		"access_token", "auth_token", "client_secret", "secret_key", "private_key", "token",
	} {
		t[n[0]] = append(t[n[0]], n)
	}
	return t
}()

// readAssigned reads the value in `password = "…"` and its like, when it looks
// like no word and like no placeholder.
func readAssigned(t, folded []byte, i int, final bool) (m stream.Match, look stream.Look) {
	rest := folded[i:]
	at := -1
	for _, name := range names[rest[0]] {
		n := min(len(rest), len(name))
		if n > 1 && rest[1] != name[1] || string(rest[:n]) != name[:n] {
			continue
		}
		if n < len(name) {
			if !final {
				return m, stream.More
			}
			continue
		}
		at = max(at, i+n)
	}
	if at < 0 {
		return m, stream.No
	}
	// Between name and value: the rest of a compound name, a quote, a colon or
	// an equals sign.
	j, assigned := at, false
	for ; ; j++ {
		if j == len(t) {
			return m, unless(final)
		}
		if c := t[j]; c == ':' || c == '=' || c == '>' && assigned {
			assigned = true
			continue
		} else if !assigned && (stream.AlphaNum[c] || c == '_' || c == '-') && j-at < 24 {
			continue
		} else if (c == ' ' || c == '"' || c == '\'' || c == '`' || c == '\\') && j-at < 32 {
			continue
		}
		break
	}
	if !assigned {
		return m, stream.No
	}
	k := j
	for k < len(t) && k-j <= maxValue && t[k] > ' ' && !bytes.ContainsRune([]byte("\"'`<>,;\\)}]"), rune(t[k])) {
		k++
	}
	if k == len(t) && !final && k-j <= maxValue {
		return m, stream.More
	}
	for k > j && (t[k-1] == '.' || t[k-1] == '!' || t[k-1] == '?') && k < len(t) && t[k] <= ' ' {
		k--
	}
	if value := t[j:k]; k-j < 8 || k-j > maxValue || holder(value) || !random(value) {
		return m, stream.No
	}
	return stream.Match{Start: j, End: k, Reason: "assigned-secret", Score: 0.8}, stream.Yes
}

// holder reports whether v stands in the place of a secret.
func holder(v []byte) bool {
	low := bytes.ToLower(v)
	for _, s := range []string{"your", "example", "changeme", "placeholder", "xxxx", "****", "....", "password", "secret", "${", "{{", "env.", "getenv", "process.", "os.environ", "redacted", "null", "none"} {
		if bytes.Contains(low, []byte(s)) {
			return true
		}
	}
	return len(v) > 1 && (v[0] == '$' || v[0] == '%' || v[0] == '{' || v[0] == '(')
}

// random reports whether v mixes kinds of characters as passwords and keys do,
// and words and calls do not.
func random(v []byte) bool {
	var seen [256]bool
	var digit, lower, upper, other, distinct int
	for _, c := range v {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		switch {
		case '0' <= c && c <= '9':
			digit = 1
		case 'a' <= c && c <= 'z':
			lower = 1
		case 'A' <= c && c <= 'Z':
			upper = 1
		case c == '(' || c == '[':
			return false
		default:
			other = 1
		}
	}
	return digit == 1 && lower+upper+other >= 1 && distinct >= 6 && (lower+upper+other >= 2 || len(v) >= 16)
}
