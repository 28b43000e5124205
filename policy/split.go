package policy

import (
	"fmt"
	"strings"
)

// Limits on the text of policies.
const (
	MaxFile     = 256 << 10 // bytes of one file
	MaxPolicies = 10_000    // of one bundle
	maxNesting  = 64        // brackets inside each other, in policies and in entities
)

// statement is the text of one policy, from its first annotation to its semicolon.
type statement struct {
	text string
	line int // from 1
}

// split cuts a file into its policies, without the comments between them. It refuses
// what would be too deep for a parser that calls itself.
func split(src string) ([]statement, error) {
	var out []statement
	begin, line, began, depth, ifs := -1, 1, 0, 0, 0
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == '\n':
			line++
			continue
		case c == ' ' || c == '\t' || c == '\r':
			continue
		case c == '/' && strings.HasPrefix(src[i:], "//"):
			end := strings.IndexByte(src[i:], '\n')
			if end < 0 {
				end = len(src) - i
			}
			i += end - 1
			continue
		}
		if begin < 0 {
			begin, began = i, line
		}
		switch c {
		case '"':
			end := quoted(src[i:])
			if end < 0 {
				return nil, fmt.Errorf("line %d: a text that has no end", line)
			}
			line += strings.Count(src[i:i+end], "\n")
			i += end - 1
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case 'i':
			// if … then … else if … is nested, too.
			if strings.HasPrefix(src[i:], "if") {
				ifs++
			}
		case ';':
			out = append(out, statement{src[begin : i+1], began})
			begin, depth, ifs = -1, 0, 0
		}
		if depth > maxNesting || ifs > 16*maxNesting {
			return nil, fmt.Errorf("line %d: nested more than %d deep", line, maxNesting)
		}
	}
	if begin >= 0 {
		return nil, fmt.Errorf("line %d: a policy that has no end: is a semicolon missing?", began)
	}
	return out, nil
}

// quoted returns the length of the text in quotes that s begins with, -1 when it has
// no end.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
