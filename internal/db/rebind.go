package db

import (
	"strconv"
	"strings"
)

// Rebind turns each "?" of query into "$1", "$2" and so on, as PostgreSQL wants
// them. A "?" within a string, a quoted name or a comment stays. An unclosed
// string or comment reaches to the end, as it does in SQL.
//
// PostgreSQL's own operators with a "?" cannot be written, nor its
// dollar-quoted strings and E'…' escapes: migrations, which may need them, are
// not rebound.
func Rebind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	for i, n := 0, 0; i < len(query); {
		if query[i] == '?' {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			i++
			continue
		}
		end := i + quoted(query[i:])
		b.WriteString(query[i:end])
		i = end
	}
	return b.String()
}

// quoted returns the length of the string, quoted name or comment at the start
// of s, and 1 when there is none. A doubled quote within a string ends one and
// begins the next, which comes to the same.
func quoted(s string) int {
	var open int // length of what opens it
	var closing string
	switch {
	case s[0] == '\'' || s[0] == '"':
		open, closing = 1, s[:1]
	case strings.HasPrefix(s, "--"):
		open, closing = 2, "\n"
	case strings.HasPrefix(s, "/*"):
		open, closing = 2, "*/"
	default:
		return 1
	}
	if i := strings.Index(s[open:], closing); i >= 0 {
		return open + i + len(closing)
	}
	return len(s)
}
