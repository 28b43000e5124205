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
	maxFlag     = 24  // the name of a flag
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
			if k-i < 4 || placeholder(w.Folded[i+1:k]) || string(w.Folded[i+1:k]) == "pass" {
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

// hump reports whether a part of a name in camel case begins at t[k].
func hump(t []byte, k int) bool {
	return !isLower(t[k]) && (isLower(t[k-1]) || isDigit(t[k-1]) && !isDigit(t[k]) && k+1 < len(t) && isLower(t[k+1]))
}

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
// XML, a header and a pair of arguments among them, when it looks like no word
// and like no placeholder; t[i] is what assigns it.
func (c *cursor) readAssigned(w stream.Window, i int) (m stream.Match, rest swallower, look stream.Look) {
	return c.readValue(w, i, nameBefore(w, i))
}

// readFlag reads the value in `--token …`; t[i] is the hyphen before the name.
func (c *cursor) readFlag(w stream.Window, i int) (m stream.Match, rest swallower, look stream.Look) {
	t, k := w.Clean, i+1
	for k < len(t) && k-i <= maxFlag && (stream.AlphaNum[t[k]] || t[k] == '-' || t[k] == '_') {
		k++
	}
	switch {
	case k == len(t):
		return m, nil, unless(w.Final)
	case k == i+1 || t[k] != ' ':
		return m, nil, stream.No
	}
	return c.readValue(w, k, nameIn(w, i+1, k))
}

// readArgument reads the value in `WithToken("…")`; t[i] is the parenthesis.
func (c *cursor) readArgument(w stream.Window, i int) (m stream.Match, rest swallower, look stream.Look) {
	switch t := w.Clean; {
	case i == 0 || !stream.AlphaNum[t[i-1]]:
		return m, nil, stream.No
	case i+1 == len(t):
		return m, nil, unless(w.Final)
	case t[i+1] != '"' && t[i+1] != '\'':
		return m, nil, stream.No
	}
	return c.readAssigned(w, i)
}

// readValue reads the value that is assigned to name at t[i].
func (c *cursor) readValue(w stream.Window, i int, name name) (m stream.Match, rest swallower, look stream.Look) {
	if name.strength == 0 {
		return m, nil, stream.No
	}
	t, j := w.Clean, i+1
	for ; ; j++ {
		if j == len(t) {
			return m, nil, unless(w.Final)
		}
		if j-i > maxGap || !inGap(t[j]) && (t[i] != '>' || t[j] != '\n' && t[j] != '\r' && t[j] != '\t') {
			break
		}
	}
	j, more := scheme(w, j)
	if more {
		return m, nil, stream.More
	}
	if j < len(t) {
		for _, s := range library.first[t[j]] {
			switch m, _, look := c.known(w, s, j); look {
			case stream.Yes: // which says more, and is come upon in a moment
				return m, nil, stream.No
			case stream.More:
				return m, nil, look
			}
		}
	}
	k := j
	for k < len(t) && k-j <= maxValue && inValue[t[k]] {
		k++
	}
	if k == len(t) && !w.Final && k-j <= maxValue {
		return m, nil, stream.More
	}
	if k-j > maxValue { // a long one: its beginning tells
		if placeholder(w.Folded[j:k]) || !scattered(w.Folded[j:k], t[j:k]) {
			return m, nil, stream.No
		}
		return stream.Match{Start: j, End: k, Reason: "assigned-secret", Severity: ringwall.High, Score: 0.8}, (*class)(&inValue).swallow, stream.Yes
	}
	if k > j && t[k-1] == '.' && (k == len(t) || t[k] <= ' ') { // the end of a sentence
		k--
	}
	if at := bytes.IndexByte(t[j:k], '&'); t[i] == '=' && at >= 0 && bytes.IndexByte(t[j+at:k], '=') > 0 { // the next of a query
		k = j + at
	}
	v := t[j:k]
	after := byte('\n')
	if k < len(t) {
		after = t[k]
	}
	if program(t[j-1], v, after) {
		return m, nil, stream.No
	}
	m = stream.Match{Start: j, End: k, Reason: "assigned-secret", Severity: ringwall.High, Score: 0.8}
	folded := w.Folded[j:k]
	if len(v) < 4 || placeholder(folded) || bytes.Contains(v, []byte("://")) || v[0] == '0' && v[1] == 'x' && len(v) <= 18 || v[len(v)-1] == '.' && v[len(v)-2] == '.' {
		return stream.Match{}, nil, stream.No
	}
	switch {
	case len(v) >= 8 && userAndPassword(v):
		m.Reason, m.Score = "basic-auth", 0.95
	case len(v) >= 8 && name.service != nil && name.service.fits(v):
		m.Reason, m.Score = name.service.reason, 0.9
	case len(v) >= 8 && name.strength == strong && (random(v) || number(v)), scattered(folded, v):
	case name.strength == strong && !said(folded) && connected(w, i, k):
	case named(w, i) && !said(folded) && quoted(t[j-1]) == quoted(after) && (shouted(t, i) || quoted(after) && len(v) >= 6 && mixed(v)):
		m.Score = 0.6
	default:
		return stream.Match{}, nil, stream.No
	}
	return m, nil, stream.Yes
}

func quoted(b byte) bool { return b == '"' || b == '\'' }

// named reports whether the name that ends before t[i] ends with that of a
// password.
func named(w stream.Window, i int) bool {
	name := bytes.TrimRight(w.Folded[max(0, i-maxName):i], " \"'")
	for _, s := range [...]string{"password", "passwd", "_pass", "_pwd"} {
		if bytes.HasSuffix(name, []byte(s)) {
			return true
		}
	}
	return false
}

// shouted reports whether the name that ends before t[i] is one of the
// environment: in capitals, with an underscore, right before the sign.
func shouted(t []byte, i int) bool {
	k, parts := i, 0
	for k > 0 && i-k < maxName && (t[k-1] == '_' || 'A' <= t[k-1] && t[k-1] <= 'Z') {
		if k--; t[k] == '_' {
			parts++
		}
	}
	return parts > 0 && i-k > 6 && (k == 0 || !stream.AlphaNum[t[k-1]])
}

// mixed reports whether v has both letters and digits.
func mixed(v []byte) bool {
	digit, letter := false, false
	for _, b := range v {
		digit = digit || isDigit(b)
		letter = letter || isLower(b|0x20)
	}
	return digit && letter
}

// said reports whether v, in lower case, says of a password what it is, and is
// none.
func said(v []byte) bool {
	switch string(v) {
	case "true", "false", "yes", "required", "optional", "string", "text", "hidden", "empty", "unset", "prompt", "ask", "test", "undefined", "field", "value", "input", "here", "char", "varchar", "type", "set", "enabled", "disabled", "file", "stdin", "auto", "random", "generate":
		return true
	}
	return v[0] == '/' || v[0] == '.' || v[0] == '@' || v[0] == '[' || v[0] == '!' || v[0] == '|' || v[0] == '-' || bytes.IndexByte(v, '(') >= 0 || bytes.IndexByte(v, '$') >= 0 || bytes.IndexByte(v, '/') >= 0
}

// scheme returns where the value of a header begins behind its scheme, and
// whether that is still to come.
func scheme(w stream.Window, j int) (at int, more bool) {
	got := w.Folded[j:]
	for _, s := range [...]string{"bearer ", "basic ", "token "} {
		if n := min(len(got), len(s)); string(got[:n]) == s[:n] {
			if n < len(s) {
				return j, !w.Final
			}
			return j + n, false
		}
	}
	return j, false
}

// readUser reads the password in `curl -u user:password`; t[i] is the colon.
func readUser(w stream.Window, i int) (m stream.Match, look stream.Look) {
	t, j := w.Clean, i
	for j > 0 && i-j < maxName && t[j-1] > ' ' {
		j--
	}
	for j > 0 && i-j < maxName && t[j-1] == ' ' {
		j--
	}
	if j < 2 || t[j] != ' ' || string(t[j-2:j]) != "-u" && (j < 6 || string(t[j-6:j]) != "--user") {
		return m, stream.No
	}
	start := i + 1
	if start < len(t) && (t[start] == '\'' || t[start] == '"' && t[i-1] != '"') {
		start++
	}
	k := start
	for k < len(t) && k-i <= maxPassword && t[k] > ' ' && t[k] != '"' && t[k] != '\'' {
		k++
	}
	if k == len(t) && !w.Final && k-i <= maxPassword {
		return m, stream.More
	}
	v := t[start:k]
	if len(v) < 6 || len(v) > maxPassword || placeholder(w.Folded[start:k]) || !random(v) && !scattered(w.Folded[start:k], v) {
		return m, stream.No
	}
	return stream.Match{Start: start, End: k, Reason: "command-password", Severity: ringwall.High, Score: 0.9}, stream.Yes
}

// program reports whether v, between two characters, is a piece of a program: an
// identifier, a reference, or what is put between two strings.
func program(before byte, v []byte, after byte) bool {
	quoted := before == '"' || before == '\'' || before == '`' || before == '\\'
	switch {
	case len(v) < 2:
		return false
	case v[0] == '+' && v[len(v)-1] == '+':
		return true
	case quoted:
		return false
	case v[0] == '&':
		return true
	}
	return (after == ',' || after == ')' || after == ';' || after == '}') && wordy(v)
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
	return standsFor(v) || len(v) > 1 && (v[0] == '$' || v[0] == '%' || v[0] == '{' || v[0] == '(')
}

// standsFor reports whether v, in lower case, holds what people write in the place
// of a secret.
func standsFor(v []byte) bool {
	for _, s := range placeholders {
		if bytes.Contains(v, s) {
			return true
		}
	}
	return false
}

var placeholders = bytes.Fields([]byte("your example dummy sample abcdefghijkl changeme placeholder xxxx **** .... password secret ${ {{ env. getenv process. os.environ redacted null none"))
