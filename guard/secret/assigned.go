package secret

import (
	"bytes"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds on what is looked at.
const (
	maxLogin    = 56  // between :// and the password of a URL
	maxPassword = 128 // in a URL
	maxName     = 48  // between the beginning of a name and what assigns the value
	maxGap      = 16  // between a name and its value
	maxValue    = 128 // of an assigned secret
)

// readURL reads the password in scheme://user:password@host (RFC 3986 §3.2.1);
// t[i] is the colon before it.
func readURL(w stream.Window, i int) (m stream.Match, look stream.Look) {
	t := w.Clean
	j := i
	for j > 0 && i-j <= maxLogin && !endsLogin[t[j-1]] {
		j--
	}
	if j < 4 || string(t[j-3:j]) != "://" || !stream.AlphaNum[t[j-4]] {
		return m, stream.No
	}
	for k := i + 1; k-i <= maxPassword; k++ {
		if k == len(t) {
			return m, unless(w.Final)
		}
		switch c := t[k]; {
		case c == '@':
			if k-i < 4 || placeholder(w.Folded[i+1:k]) {
				return m, stream.No
			}
			return stream.Match{Start: i + 1, End: k, Reason: "url-password", Severity: ringwall.High, Score: 0.95}, stream.Yes
		case endsLogin[c] && c != ':':
			return m, stream.No
		}
	}
	return m, stream.No
}

// endsLogin are the bytes that neither a user name nor a password in a URL has.
var endsLogin = func() (t [256]bool) {
	for c := range byte(' ' + 1) {
		t[c] = true
	}
	for _, c := range []byte("/:@\"'<>\\?#") {
		t[c] = true
	}
	return t
}()

// names are words that a secret is assigned to, by their first letter.
var names = func() (t [256][]string) {
	for _, n := range []string{
		"password", "passwd", "passphrase", "passcode", "pwd", "secret", "secretkey", "api_key", "apikey", "api-key", "api key",
		"access_key", "accesskey", "access-key", "access key", "private_key", "privatekey", "private-key", "token", "accesstoken", "authtoken", "credential", "credentials",
	} {
		t[n[0]] = append(t[n[0]], n)
	}
	return t
}()

// named reports whether what stands before t[i], which assigns, is the name of a
// secret: as a word, or as a part of one such as dbPassword or client_secret_2.
func named(w stream.Window, i int) bool {
	t, folded := w.Clean, w.Folded
	if i > 0 && (t[i-1] == '?' || t[i-1] == '.' || t[i-1] == '+') { // ?= and its like
		i--
	}
	j := i
	for j > 0 && i-j < maxName && inName[t[j-1]] {
		j--
	}
	for k := j; k < i; k++ {
		list := names[folded[k]]
		if list == nil || k > 0 && stream.AlphaNum[t[k-1]] && !hump(t, k) {
			continue
		}
		for _, name := range list {
			if end := k + len(name); end <= i && string(folded[k:end]) == name && (end == i || !isLower(t[end])) {
				return true
			}
		}
	}
	return false
}

// hump reports whether a part of a name in camel case begins at t[k].
func hump(t []byte, k int) bool { return !isLower(t[k]) && isLower(t[k-1]) }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// inName are the bytes between the beginning of a name and what assigns the value.
var inName = func() (t [256]bool) {
	t = stream.AlphaNum
	for _, c := range []byte("_- \"'`\\") {
		t[c] = true
	}
	return t
}()

// readAssigned reads the value in `password = "…"` and its like, an element of
// XML and a pair of arguments among them, when it looks like no word and like no
// placeholder; t[i] is what assigns it.
func (c *cursor) readAssigned(w stream.Window, i int) (m stream.Match, look stream.Look) {
	if !named(w, i) {
		return m, stream.No
	}
	t, j := w.Clean, i+1
	for ; ; j++ {
		if j == len(t) {
			return m, unless(w.Final)
		}
		if j-i > maxGap || !inGap(t[j]) && (t[i] != '>' || t[j] != '\n' && t[j] != '\r' && t[j] != '\t') {
			break
		}
	}
	for _, s := range library.first[t[j]] {
		switch m, _, look := c.known(w, s, j); look {
		case stream.Yes: // which says more, and is come upon in a moment
			return m, stream.No
		case stream.More:
			return m, look
		}
	}
	k := j
	for k < len(t) && k-j <= maxValue && inValue[t[k]] {
		k++
	}
	if k == len(t) && !w.Final && k-j <= maxValue {
		return m, stream.More
	}
	if k > j && t[k-1] == '.' && (k == len(t) || t[k] <= ' ') { // the end of a sentence
		k--
	}
	if k-j < 8 || k-j > maxValue || placeholder(w.Folded[j:k]) || !random(t[j:k]) {
		return m, stream.No
	}
	return stream.Match{Start: j, End: k, Reason: "assigned-secret", Severity: ringwall.High, Score: 0.8}, stream.Yes
}

// inGap reports whether c may stand between what assigns and the value.
func inGap(c byte) bool {
	switch c {
	case ':', '=', '>', ' ', '"', '\'', '`', '\\':
		return true
	}
	return false
}

// inValue are the bytes of an assigned value.
var inValue = func() (t [256]bool) {
	for c := '!'; c < 0x100; c++ {
		t[c] = true
	}
	for _, c := range []byte("\"'`<>,;\\)}]") {
		t[c] = false
	}
	return t
}()

// placeholder reports whether v, in lower case, stands in the place of a secret.
func placeholder(v []byte) bool {
	for _, s := range placeholders {
		if bytes.Contains(v, s) {
			return true
		}
	}
	return len(v) > 1 && (v[0] == '$' || v[0] == '%' || v[0] == '{' || v[0] == '(')
}

var placeholders = bytes.Fields([]byte("your example changeme placeholder xxxx **** .... password secret ${ {{ env. getenv process. os.environ redacted null none"))

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
