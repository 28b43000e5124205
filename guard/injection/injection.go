// Package injection notices code that is made to break out of where a program
// puts it: what a model writes goes into queries, command lines, pages, templates,
// paths, terminals and spreadsheets, and so do the arguments of its tools (LLM05).
//
// It reads how such code breaks out rather than which words it uses: a quotation
// mark followed by a condition that is always true, a command behind a separator
// where an argument was to stand, a handler in a tag. A query, script or page that
// somebody asked for is written without that. What stands in a code fence or
// between backticks is shown and not run, so it gets a score of at most [InCode].
//
// The data's way: the cursor stops at the few bytes that such code can begin with
// and asks the rules for them, which read ahead a bounded way: sql.go, shell.go,
// page.go (pages, templates, XML) and other.go. Addresses are left to package
// link, instructions to the model to package attack. Start reading at rules.
package injection

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/output-code"

// Reasons of findings.
const (
	ReasonSQL      = "sql-injection"
	ReasonNoSQL    = "nosql-injection"
	ReasonLDAP     = "ldap-injection"
	ReasonShell    = "shell-injection"
	ReasonScript   = "cross-site-scripting"
	ReasonTemplate = "template-injection"
	ReasonPath     = "path-traversal"
	ReasonHeader   = "header-injection"
	ReasonTerminal = "terminal-escape"
	ReasonFormula  = "formula-injection"
	ReasonXML      = "xml-entity"
)

// InCode is the highest score of what stands in a code fence or between
// backticks.
const InCode = 0.3

// DefaultFloor is the score below which nothing is reported, unless the Scanner
// says otherwise.
const DefaultFloor = 0.5

// Scanner notices code that breaks out. The zero Scanner passes over code that is
// only shown.
type Scanner struct {
	// Floor is the lowest score that is reported; default DefaultFloor. With InCode,
	// code that is only shown is reported too.
	Floor float64
}

// Begin implements stream.Scanner.
func (s Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	if s.Floor == 0 {
		s.Floor = DefaultFloor
	}
	return &cursor{floor: s.Floor}, ""
}

type cursor struct {
	floor  float64
	pos    int
	inside bool // a line has begun, and its fence was looked for
	fence  byte // what the code fence that is open is made of, or 0
	inline bool // between backticks
}

// hit is what a rule found at the start it was asked for.
type hit struct {
	end    int // in the window
	reason string
	score  float64
}

// none is no hit.
var none hit

// rule looks whether its code begins at i.
type rule func(x *lex, i int) hit

// Kinds of bytes.
const (
	dull  = iota
	sign  // rules may begin with it
	alpha // they may if the word does
)

var kinds, pairs = func() (t [256]uint8, pairs map[[2]byte]rule) {
	for c := range t {
		if bySign[c] != nil {
			t[c] = sign
		}
	}
	t['\n'], t['`'] = sign, sign
	pairs = byWord
	for p := range pairs {
		t[p[0]] = alpha
	}
	return t, pairs
}()

// wordPairs are the pairs of byWord, as bits.
var wordPairs = func() (t [1 << 10]uint64) {
	for p := range pairs {
		n := uint(p[0])<<8 | uint(p[1])
		t[n>>6] |= 1 << (n & 63)
	}
	return t
}()

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	t, i := w.Folded, c.pos-w.Base
	x := &lex{t: t, final: w.Final}
	for i < len(t) {
		if !c.inside && !c.line(x, i) {
			break
		}
		k := uint8(dull)
		for ; i < len(t); i++ {
			if k = kinds[t[i]]; k == dull {
				continue
			}
			if k == sign {
				break
			}
			if i > 0 && (stream.AlphaNum[t[i-1]] || t[i-1] == '_') {
				continue
			}
			if i+1 == len(t) {
				break
			}
			if n := uint(t[i])<<8 | uint(t[i+1]); wordPairs[n>>6]>>(n&63)&1 != 0 {
				break
			}
		}
		if i == len(t) {
			break
		}
		h := none
		x.short = false
		switch {
		case k == alpha:
			if second := x.at(i + 1); second != 0 {
				if r := pairs[[2]byte{t[i], second}]; r != nil {
					h = r(x, i)
				}
			}
		case t[i] == '\n':
			c.inside, c.inline = false, false
		default:
			if r := bySign[t[i]]; r != nil {
				h = r(x, i)
			}
		}
		if x.short && !w.Final {
			break
		}
		if h.end = min(h.end, len(t)); h.end > i {
			if c.fence != 0 || c.inline {
				h.score = min(h.score, InCode)
			}
			if h.score >= c.floor {
				found(stream.Match{Start: w.Base + i, End: w.Base + h.end, Reason: h.reason, Severity: ringwall.High, Score: h.score})
			}
			c.pass(t[i:h.end])
			i = h.end
			continue
		}
		if t[i] == '`' && (i == 0 || t[i-1] != '`') { // a run of them counts as one
			c.inline = !c.inline
		}
		i++
	}
	c.pos = w.Base + i
	return c.pos
}

// pass keeps count of lines in what a rule has read.
func (c *cursor) pass(b []byte) {
	for _, x := range b {
		if x == '\n' {
			c.inside, c.inline = b[len(b)-1] != '\n', false
		}
	}
}

// line looks for a code fence where a line begins. It reports false if that
// depends on what follows.
func (c *cursor) line(x *lex, i int) bool {
	x.short = false
	p := i
	for p-i < 12 && (x.at(p) == ' ' || x.at(p) == '\t' || x.at(p) == '>') {
		p++
	}
	mark := x.at(p)
	fence := (mark == '`' || mark == '~') && x.at(p+1) == mark && x.at(p+2) == mark
	if x.short && !x.final {
		return false
	}
	c.inside = true
	if fence {
		switch c.fence {
		case 0:
			c.fence = mark
		case mark:
			c.fence = 0
		}
	}
	return true
}

// bySign are the rules that begin with a sign, byWord those that begin with a
// word, by its first two letters.
var (
	bySign = [256]rule{
		'\'': quote, '"': quote, ';': separator, '|': separator, '&': separator, '$': dollar, '`': backtick, ':': forkBomb, '/': slash,
		'<': angle, '{': brace, '#': hash, '.': dots, '%': percent, 0x1b: escape, 0xc2: controlC1, 0x08: backspaces,
		'=': formula, '+': formula, '@': formula, '-': formula, '*': star, '[': bracket,
	}
	byWord = map[[2]byte]rule{
		{'o', 'r'}: condition, {'a', 'n'}: condition, {'u', 'n'}: union, {'w', 'a'}: waitFor, {'b', 'e'}: benchmark, {'x', 'p'}: commandShell, {'i', 'n'}: outfile,
		{'c', 'u'}: download, {'w', 'g'}: download, {'r', 'm'}: remove, {'b', 'a'}: bash, {'s', 'h'}: bash, {'n', 'c'}: netcat, {'n', 'e'}: netcat, {'m', 'k'}: fifo,
		{'p', 'y'}: interpreter, {'p', 'e'}: interpreter, {'p', 'h'}: interpreter, {'r', 'u'}: interpreter, {'p', 'o'}: powershell, {'p', 'w'}: powershell, {'i', 'e'}: powershell,
		{'c', 'e'}: windows, {'m', 's'}: windows, {'b', 'i'}: windows, {'r', 'e'}: windows, {'j', 'a'}: scriptURI, {'v', 'b'}: scriptURI, {'f', 'i'}: fileURI,
	}
)
