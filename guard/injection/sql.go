package injection

import (
	"bytes"

	"github.com/ringwall/ringwall/guard/stream"
)

// statements are what a stacked query begins with.
var statements = oneOf("drop delete insert update alter create exec execute shutdown truncate declare grant waitfor merge")

// probes are functions by which a blind injection asks.
var probes = oneOf("sleep pg_sleep benchmark exists ascii substring substr updatexml extractvalue select if case length char_length ord mid")

// quote is a quotation mark that ends a value, and what breaks out behind it.
func quote(x *lex, i int) hit {
	p := x.skip(i + 1)
	for n := 0; n < 3 && x.at(p) == ')'; n++ {
		p = x.skip(p + 1)
	}
	switch b := x.at(p); b {
	case 'o', 'a', 'x', '|', '&':
		word := x.word(p)
		switch {
		case b == '|' && x.at(p+1) == '|', b == '&' && x.at(p+1) == '&', word == "or":
			p += 2
		case word == "and", word == "xor":
			p += 3
		default:
			return none
		}
		if end := tautology(x, p, true); end > 0 {
			return hit{end, ReasonSQL, 0.95}
		}
	case 'u':
		if end := unionSelect(x, p); end > 0 {
			return hit{end, ReasonSQL, 0.95}
		}
	case ';':
		p = x.skip(p + 1)
		word := x.word(p)
		if !statements[word] || x.at(p+len(word)) != ' ' {
			return none
		}
		end := p + len(word)
		if opening(x.t, i) || bytes.Contains(x.line(end, 160), []byte("--")) {
			return hit{end, ReasonSQL, 0.9}
		}
	case '-', '#':
		width := 1
		if b == '-' {
			if width = 2; x.at(p+1) != '-' {
				return none
			}
		}
		after := x.at(p + width)
		near := p == i+1 && (after == ' ' || after == '+') && b == '-'
		rest := x.spaces(p + width)
		last := x.at(rest)
		ended := last == 0 || last == '\n' || last == '\r' || last == '\'' || last == '"' || last == '`'
		if (near || ended) && (isWord(x.before(i)) || x.before(i) == ')') && opening(x.t, i) {
			return hit{p + width, ReasonSQL, 0.85}
		}
	}
	return none
}

// opening reports whether the quotation mark at i has none before it in its line
// that it could close.
func opening(t []byte, i int) bool {
	n := 0
	for j := i - 1; j >= max(0, i-stream.Context) && t[j] != '\n'; j-- {
		if t[j] == t[i] {
			n++
		}
	}
	return n%2 == 0
}

// tautology reads a condition of constants: it tells nothing, so nobody writes
// it but to change what is asked. It returns its end, or 0.
func tautology(x *lex, p int, quoted bool) int {
	if p = x.skip(p); x.is(p, "not ") {
		p = x.skip(p + 4)
	}
	open := 0
	for ; open < 3 && x.at(p) == '('; open++ {
		p = x.skip(p + 1)
	}
	word := x.word(p)
	if quoted && word == "true" {
		return p + 4
	}
	if probes[word] && quoted {
		if q := x.skip(p + len(word)); x.at(q) == '(' || word == "select" && open > 0 {
			return q
		}
	}
	left, end := operand(x, p, quoted)
	if end == 0 {
		return 0
	}
	q := x.skip(end)
	op := x.at(q)
	switch {
	case op == '=' && (x.at(q+1) != '=' || quoted):
		if q++; x.at(q) == '=' {
			q++
		}
	case quoted && (op == '<' || op == '>' || op == '!'):
		if q++; x.at(q) == '=' || x.at(q) == '>' {
			q++
		}
	case x.is(q, "like "), x.is(q, "in ("):
		q += 4
	case quoted && isDigit(x.at(p)) && (op == '-' && x.at(q+1) == '-' || op == '#' || op == '/' && x.at(q+1) == '*'): // "or 1 --"
		return q + 1
	default:
		return 0
	}
	q = x.skip(q)
	right, end := operand(x, q, quoted)
	switch {
	case end == 0:
		return 0
	case !quoted && !bytes.Equal(left, right), !quoted && !isDigit(left[0]) && left[0] != '\'' && left[0] != '"':
		return 0
	case isWord(left[0]) && !isDigit(left[0]) && !bytes.Equal(left, right): // two columns
		return 0
	}
	return end
}

// operand reads a number, a string or a name at p.
func operand(x *lex, p int, quoted bool) (value []byte, end int) {
	switch b := x.at(p); {
	case b == '\'' || b == '"':
		for end = p + 1; end-p < 32; end++ {
			switch c := x.at(end); {
			case c == b:
				return x.t[p:end], end + 1
			case c == 0 || c == '\n' || c == ' ' || c == '=' || c == '\'' || c == '"':
				if quoted && (end > p+1 || c == 0) { // the program's own quotation mark closes it
					return x.t[p:min(end, len(x.t))], min(end, len(x.t))
				}
				return nil, 0
			}
		}
	case isWord(b):
		word := x.word(p)
		return []byte(word), p + len(word)
	}
	return nil, 0
}

// condition is "or" and "and" behind a number.
func condition(x *lex, i int) hit {
	word := x.word(i)
	if word != "or" && word != "and" {
		return none
	}
	p := i + len(word)
	if b := x.at(p); b != ' ' && b != '+' && b != '/' && b != '(' && b != '\t' {
		return none
	}
	if q := x.skip(p); x.at(q) != '(' && x.at(q) != '\'' && x.at(q) != '"' && !isDigit(x.at(q)) {
		return none
	}
	end := tautology(x, p, false)
	if end == 0 {
		return none
	}
	before := bytes.TrimRight(x.t[max(0, i-8):i], " \t+/*()")
	score := 0.7
	if len(before) > 0 && (isDigit(before[len(before)-1]) || before[len(before)-1] == '\'' || before[len(before)-1] == '"') {
		score = 0.85
	}
	return hit{end, ReasonSQL, score}
}

// unionSelect reads UNION SELECT at p and returns its end, or 0.
func unionSelect(x *lex, p int) int {
	if !x.is(p, "union") {
		return 0
	}
	p = x.skip(p + 5)
	if w := x.word(p); w == "all" || w == "distinct" {
		p = x.skip(p + len(w))
	}
	if x.at(p) == '(' {
		p++
	}
	if !x.is(p, "select") {
		return 0
	}
	return p + 6
}

// schemas are what somebody asks for who does not know the tables yet.
var schemas = []string{"information_schema", "@@version", "load_file(", "group_concat(", "sqlite_master", "pg_catalog", "pg_shadow", "mysql.user", "sysobjects", "all_tables", "user()", "database()", "version()"}

// union is UNION SELECT without a quotation mark before it.
func union(x *lex, i int) hit {
	end := unionSelect(x, i)
	if end == 0 {
		return none
	}
	rest := x.line(end, 160)
	before := bytes.TrimRight(x.t[max(0, i-16):i], " +")
	n := len(before)
	for n > 0 && isDigit(before[n-1]) {
		n--
	}
	switch {
	case constants(rest) >= 2, holds(rest, schemas):
		return hit{end, ReasonSQL, 0.85}
	case bytes.Contains(x.t[i:end], []byte("/*")), n > 0 && n < len(before) && before[n-1] == '-':
		return hit{end, ReasonSQL, 0.9}
	}
	return none
}

// constants counts the numbers and NULLs that a select list consists of.
func constants(b []byte) (n int) {
	for part := range bytes.SplitSeq(b, []byte(",")) {
		part, _, _ = bytes.Cut(bytes.TrimLeft(part, " +"), []byte(" "))
		part = bytes.TrimRight(part, "-#;'\"")
		switch {
		case string(part) == "null":
		case len(part) > 0 && len(bytes.Trim(part, "0123456789")) == 0:
		default:
			return n
		}
		n++
	}
	return n
}

func waitFor(x *lex, i int) hit {
	if !x.is(i, "waitfor") {
		return none
	}
	p := x.skip(i + 7)
	if !x.is(p, "delay") {
		return none
	}
	if p = x.skip(p + 5); x.at(p) != '\'' && x.at(p) != '"' {
		return none
	}
	return hit{p, ReasonSQL, 0.85}
}

func benchmark(x *lex, i int) hit {
	if x.is(i, "benchmark(") {
		p := i + 10
		for p-i < 24 && isDigit(x.at(p)) {
			p++
		}
		if p-i > 14 && x.at(p) == ',' {
			return hit{p, ReasonSQL, 0.8}
		}
	}
	return none
}

func commandShell(x *lex, i int) hit {
	if x.is(i, "xp_cmdshell") {
		if p := x.skip(i + 11); x.at(p) == '\'' || x.at(p) == '"' || x.at(p) == '(' {
			return hit{p, ReasonSQL, 0.85}
		}
	}
	return none
}

func outfile(x *lex, i int) hit {
	if !x.is(i, "into ") {
		return windows(x, i)
	}
	p := x.skip(i + 5)
	if w := x.word(p); w == "outfile" || w == "dumpfile" {
		if p = x.skip(p + len(w)); x.at(p) == '\'' || x.at(p) == '"' {
			return hit{p, ReasonSQL, 0.8}
		}
	}
	return none
}
