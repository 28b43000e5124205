package injection

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall/guard/stream"
)

// lex reads ahead in the folded view. Whatever it is asked for behind the end of
// the window is 0, and short says that it was.
type lex struct {
	t     []byte
	final bool
	short bool
}

// at returns the byte at p.
func (x *lex) at(p int) byte {
	if p < len(x.t) {
		return x.t[p]
	}
	x.short = true
	return 0
}

// before returns the byte before p, or a line break where the text begins.
func (x *lex) before(p int) byte {
	if p == 0 {
		return '\n'
	}
	return x.t[p-1]
}

// is reports whether s stands at p.
func (x *lex) is(p int, s string) bool {
	for i := range len(s) {
		if x.at(p+i) != s[i] {
			return false
		}
	}
	return true
}

// maxGap bounds spaces that are skipped.
const maxGap = 32

// skip returns where the spaces at p end; comments of SQL count as spaces.
func (x *lex) skip(p int) int {
	for from := p; p-from < maxGap; {
		switch b := x.at(p); {
		case b == ' ' || b == '\t' || b == '+' && x.at(p+1) != ' ':
			p++
		case b == '/' && x.at(p+1) == '*':
			end := p + 2
			for ; end-p < maxGap && !(x.at(end) == '*' && x.at(end+1) == '/'); end++ {
			}
			if end-p >= maxGap {
				return p
			}
			p = end + 2
		default:
			return p
		}
	}
	return p
}

// spaces returns where the spaces at p end.
func (x *lex) spaces(p int) int {
	for from := p; p-from < maxGap && (x.at(p) == ' ' || x.at(p) == '\t'); p++ {
	}
	return p
}

// word returns the word at p: letters, digits and underscores, at most 24 of
// them.
func (x *lex) word(p int) string {
	end := p
	for end-p < 24 && isWord(x.at(end)) {
		end++
	}
	p, end = min(p, len(x.t)), min(end, len(x.t))
	return string(x.t[p:end])
}

func isWord(b byte) bool { return stream.AlphaNum[b] || b == '_' }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// ahead returns at most n bytes from p on.
func (x *lex) ahead(p, n int) []byte {
	p = min(p, len(x.t))
	if p+n > len(x.t) {
		return x.t[p:]
	}
	return x.t[p : p+n]
}

// line returns the rest of the line at p, at most n bytes of it.
func (x *lex) line(p, n int) []byte {
	b := x.ahead(p, n)
	if before, _, ok := bytes.Cut(b, []byte{'\n'}); ok {
		return before
	}
	x.short = x.short || len(b) < n
	return b
}

// until returns what stands from p to the mark, which begins at most n bytes
// further on, and whether it is there.
func (x *lex) until(p int, mark string, n int) ([]byte, bool) {
	b := x.ahead(p, n+len(mark)-1)
	if before, _, ok := bytes.Cut(b, []byte(mark)); ok {
		return before, true
	}
	x.short = x.short || len(b) < n+len(mark)-1
	return nil, false
}

// holds reports whether b holds one of the words.
func holds(b []byte, words []string) bool {
	for _, w := range words {
		if bytes.Contains(b, []byte(w)) {
			return true
		}
	}
	return false
}

// oneOf makes a set of words.
func oneOf(list string) map[string]bool {
	m := map[string]bool{}
	for s := range strings.FieldsSeq(list) {
		m[s] = true
	}
	return m
}
