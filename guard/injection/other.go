package injection

import "bytes"

// targets are what somebody wants who leaves the directory.
var targets = []string{"etc/passwd", "etc/shadow", "etc/hosts", "etc/ssh", "windows/", "windows\\", "winnt", "boot.ini", "win.ini", "proc/self", "proc/1", "root/", ".ssh/", ".aws/", ".env", "var/log/", "web-inf", "id_rsa"}

// maxSteps bounds the steps of a path that are read at once; those that follow
// begin a path too.
const maxSteps = 12

// dots is a path that leaves its directory more than once.
func dots(x *lex, i int) hit {
	if x.at(i+1) != '.' || x.before(i) == '.' {
		return none
	}
	p, steps, hidden := i, 0, false
	for steps < maxSteps {
		n := step(x, p)
		if n == 0 {
			break
		}
		hidden = hidden || n != 3
		p += n
		steps++
	}
	return leaves(x, p, steps, hidden)
}

// step returns the length of one step upwards at p, however it is written.
func step(x *lex, p int) int {
	for _, s := range []string{"../", "..\\", "..%2f", "..%5c", "..%252f", "..%c0%af", "....//", "....\\\\", "%2e%2e%2f", "%2e%2e/", "%2e%2e%5c", "%252e%252e%252f", "%c0%ae%c0%ae/", "..;/"} {
		if x.at(p) == s[0] && x.is(p, s) {
			return len(s)
		}
	}
	return 0
}

// leaves judges a path that goes up some steps and then on from p.
func leaves(x *lex, p, steps int, hidden bool) hit {
	if steps == 0 {
		return none
	}
	for _, t := range targets {
		if x.is(p, t) && (hidden || steps > 1 && t != ".env") { // programs read their own settings so
			return hit{p + len(t), ReasonPath, 0.9}
		}
	}
	if hidden && steps > 1 {
		return hit{p, ReasonPath, 0.8}
	}
	return none
}

// percent is the same in escapes, or a line that an escape begins.
func percent(x *lex, i int) hit {
	p, steps := i, 0
	for steps < maxSteps {
		n := step(x, p)
		if n == 0 {
			break
		}
		p += n
		steps++
	}
	if steps > 0 {
		return leaves(x, p, steps, true)
	}
	if !x.is(i, "%0d%0a") && !x.is(i, "%0a") {
		return none
	}
	p = i + 3
	if x.is(p, "%0a") {
		p += 3
	}
	for _, h := range []string{"set-cookie", "location", "content-type", "content-length", "x-", "bcc", "cc", "to", "http/1.1", "%0d%0a"} {
		if x.is(p, h) {
			if q := p + len(h); x.at(q) == ':' || x.is(q, "%3a") || h == "x-" || h == "http/1.1" || h == "%0d%0a" && x.at(q) == '<' {
				return hit{q, ReasonHeader, 0.85}
			}
		}
	}
	return none
}

// fileURI is a file of the machine itself.
func fileURI(x *lex, i int) hit {
	if x.is(i, "file:///") && holds(x.line(i+7, 64), secrets) {
		return hit{i + 8, ReasonPath, 0.75}
	}
	return none
}

// escape is a sequence that a terminal obeys (ECMA-48): colours do little, the
// others move, erase, rename, and fill the clipboard.
func escape(x *lex, i int) hit {
	switch b := x.at(i + 1); b {
	case '[':
		p := i + 2
		for p-i < 32 && x.at(p) >= ' ' && x.at(p) < '@' {
			p++
		}
		if x.at(p) == 'm' {
			return hit{p + 1, ReasonTerminal, InCode}
		}
		return hit{min(p+1, len(x.t)), ReasonTerminal, 0.9}
	case ']', 'p', 'x', '^', '_':
		return hit{i + 2, ReasonTerminal, 0.95}
	case 'c', '7', '8', '=', '>', '(', ')', '#':
		return hit{i + 2, ReasonTerminal, 0.8}
	}
	return none
}

// controlC1 are the same sequences begun by one character of C1.
func controlC1(x *lex, i int) hit {
	if b := x.at(i + 1); b == 0x9b || b == 0x9d || b == 0x90 {
		return hit{i + 2, ReasonTerminal, 0.8}
	}
	return none
}

// backspaces overwrite what was shown.
func backspaces(x *lex, i int) hit {
	if x.at(i+1) == 8 && x.at(i+2) == 8 {
		return hit{i + 3, ReasonTerminal, 0.7}
	}
	return none
}

// functions are those of spreadsheets that reach out.
var functions = oneOf("hyperlink webservice importxml importdata importhtml importfeed importrange dde call exec rtd shell")

// programs are those that dynamic data exchange starts.
var programs = oneOf("cmd msexcel rundll32 powershell mshta regsvr32 certutil wscript cscript")

// formula is a cell of a table that a spreadsheet would run.
func formula(x *lex, i int) hit {
	switch x.before(i) {
	case '\n', ',', ';', '\t', '"', '\'':
	case ' ':
		if i < 2 || x.t[i-2] != '|' && x.t[i-2] != ',' {
			return none
		}
	default:
		return none
	}
	p := i + 1
	for p-i < 4 && (x.at(p) == '=' || x.at(p) == '+' || x.at(p) == '-' || x.at(p) == '@') {
		p++
	}
	word := x.word(p)
	if word == "" {
		return none
	}
	q := p + len(word)
	switch b := x.at(q); {
	case b == '(' && functions[word]:
		if y := x.at(q + 1); x.t[i] != '=' && word != "hyperlink" && word != "webservice" && y != '"' && y != '\'' {
			return none
		}
		if (word == "call" || word == "exec" || word == "shell") && x.at(q+1) != '"' {
			return none
		}
		return hit{q + 1, ReasonFormula, 0.8}
	case b == '|' && programs[word] && (x.at(q+1) == '\'' || x.at(q+1) == ' '):
		return hit{q + 2, ReasonFormula, 0.95}
	case b == '(' && (word == "sum" || word == "if" || word == "concatenate"), isDigit(word[0]):
		if rest := x.line(q, 64); holds(rest, []string{"cmd|", "|'/c", "|' /c"}) {
			return hit{q, ReasonFormula, 0.95}
		}
	}
	return none
}

// star closes a filter of a directory and begins another (RFC 4515).
func star(x *lex, i int) hit {
	if !x.is(i, "*)(") && !x.is(i, "*))") || x.before(i) == '=' || x.before(i) == '.' || x.before(i) == '[' || x.before(i) == ']' || x.before(i) == ')' || isWord(x.before(i)) || x.before(i) == '\\' || x.before(i) == ' ' || x.before(i) == '*' {
		return none
	}
	p := i + 2
	for n := 0; n < 3 && x.at(p) == ')'; n++ {
		p++
	}
	if x.at(p) != '(' {
		return none
	}
	p++
	if b := x.at(p); b == '|' || b == '&' || b == '!' {
		return hit{p + 1, ReasonLDAP, 0.8}
	}
	word := x.word(p)
	if q := p + len(word); len(word) > 1 && x.at(q) == '=' {
		return hit{q + 1, ReasonLDAP, 0.8}
	}
	return none
}

// operators are those of document databases that make a condition true.
var operators = oneOf("ne gt gte lt lte regex where exists nin in or not")

// bracket is an operator in the name of a form's field: password[$ne]=1.
func bracket(x *lex, i int) hit {
	if x.at(i+1) != '$' || !isWord(x.before(i)) {
		return none
	}
	word := x.word(i + 2)
	p := i + 2 + len(word)
	if operators[word] && x.is(p, "]=") {
		return hit{p + 2, ReasonNoSQL, 0.85}
	}
	return none
}

// operator is an operator where a value was to stand, compared with nothing:
// {"$ne": null}.
func operator(x *lex, i int) hit {
	p := x.spaces(i + 1)
	mark := x.at(p)
	if mark == '"' || mark == '\'' {
		p++
	}
	if x.at(p) != '$' {
		return none
	}
	word := x.word(p + 1)
	if !operators[word] {
		return none
	}
	p += 1 + len(word)
	if mark == '"' || mark == '\'' {
		if x.at(p) != mark {
			return none
		}
		p++
	}
	if p = x.spaces(p); x.at(p) != ':' {
		return none
	}
	p = x.spaces(p + 1)
	switch word {
	case "where":
		if rest := x.line(p, 80); holds(rest, []string{"sleep(", "this.", "return true", "function"}) {
			return hit{p, ReasonNoSQL, 0.7}
		}
		return none
	case "regex":
		if x.is(p, "\".*\"") || x.is(p, "'.*'") || x.is(p, "\"\"") || x.is(p, "\"^\"") {
			return hit{p + 3, ReasonNoSQL, 0.75}
		}
		return none
	case "ne", "gt", "gte":
	default:
		return none
	}
	if x.is(p, "\"\"") || x.is(p, "''") || word != "ne" && x.is(p, "null") || word == "ne" && x.is(p, "null") && !bytes.Contains(x.t[max(0, i-24):i], []byte("match")) {
		score := 0.8
		if word == "ne" && x.is(p, "null") { // also how one asks for what is set
			score = 0.6
		}
		return hit{p + 2, ReasonNoSQL, score}
	}
	return none
}
