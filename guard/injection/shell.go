package injection

import "bytes"

// secrets are files that somebody looks for who got into a machine.
var secrets = []string{"/etc/passwd", "/etc/shadow", "/etc/sudoers", ".ssh/", "id_rsa", ".aws/credentials", "/proc/self", "/root/", ".bash_history", "\\sam", "win.ini", ".git-credentials", ".kube/config", ".netrc"}

// readers are commands that show files.
var readers = oneOf("cat less more head tail tac nl xxd strings type grep base64 cp")

// shells run what they are given.
var shells = oneOf("sh bash zsh dash ksh ash python python3 perl ruby node php")

// separator is a command where an argument was to end.
func separator(x *lex, i int) hit {
	p := i + 1
	for p-i < 3 && (x.at(p) == '|' || x.at(p) == '&' || x.at(p) == ';') {
		p++
	}
	from := p
	p = x.spaces(p)
	if b := x.at(p); b < 'b' || b > 'w' {
		return none
	}
	word := x.word(p)
	end := p + len(word)
	next := x.at(end)
	done := next == 0 || next == '\n' || next == ';' || next == '|' || next == '&' || next == '\'' || next == '"' || next == '`' || next == '#' || next == ')'
	score := 0.0
	switch word {
	case "rm":
		if x.at(end) == ' ' && x.at(end+1) == '-' && bytes.ContainsAny(x.line(end+2, 3), "rf") {
			score = 0.8
		}
	case "whoami", "ifconfig":
		if done && p-from <= 1 && x.t[i] != '|' || done && p == from {
			score = 0.75
		}
	case "id":
		if done && p == from && next != ')' && next != '\'' && next != '"' && !isWord(x.before(i)) == (x.t[i] == '&') {
			score = 0.7
		}
	case "uname":
		if x.is(end, " -a") {
			score = 0.7
		}
	case "nc", "ncat", "netcat":
		rest, _, _ := bytes.Cut(x.line(end, 64), []byte("|"))
		if next == ' ' && (bytes.Contains(rest, []byte(" -")) || bytes.Count(rest, []byte(".")) > 0 && bytes.ContainsAny(rest, "0123456789")) {
			score = 0.85
		}
	case "curl", "wget":
		if rest := x.line(end, 96); next == ' ' && holds(rest, []string{"http", "ftp:", "$(", "`"}) && x.t[i] != '&' {
			score = 0.6
		}
	case "ping", "nslookup":
		if x.is(end, " -c ") || x.is(end, " -n ") || bytes.Contains(x.line(end, 40), []byte("$(")) || bytes.Contains(x.line(end, 40), []byte("`")) {
			score = 0.75
		}
	case "shutdown", "reboot", "mkfs", "dd":
		if done && p == from || holds(x.line(end, 24), []string{" -h", " -r", " /s", "if=/dev", ".ext"}) {
			score = 0.8
		}
	default:
		if readers[word] && next == ' ' && holds(x.line(end, 64), secrets) {
			score = 0.85
		}
	}
	if score == 0 {
		return none
	}
	return hit{end, ReasonShell, score}
}

// runs are commands that nobody puts into the middle of another but to reach out
// or to look around.
var runs = oneOf("curl wget whoami nc ncat bash python python3 perl nslookup dig ping rm uname printenv")

// dollar is a substitution in a command line, or an expression of a template.
func dollar(x *lex, i int) hit {
	switch x.at(i + 1) {
	case '{':
		return expression(x, i, "}")
	case '(':
		p := x.spaces(i + 2)
		word := x.word(p)
		end := p + len(word)
		switch {
		case word == "id" && x.at(end) == ')', word == "whoami" && x.at(end) == ')':
			return hit{end + 1, ReasonShell, 0.8}
		case runs[word] && x.at(end) == ' ', readers[word] && holds(x.line(end, 64), secrets):
			return hit{end, ReasonShell, 0.8}
		}
	}
	return none
}

// backtick is the older substitution; in prose backticks show code.
func backtick(x *lex, i int) hit {
	switch x.before(i) {
	case '=', ';', '|', '&', '\'', '"', '$', '-', '/':
	default:
		return none
	}
	word := x.word(i + 1)
	p := i + 1 + len(word)
	next := x.at(p)
	if (word == "id" || word == "whoami") && next == '`' || runs[word] && next == ' ' || readers[word] && next == ' ' && holds(x.line(p, 64), secrets) {
		return hit{p, ReasonShell, 0.8}
	}
	return none
}

// piped reports whether b pipes into something that runs it, and where that ends.
func piped(b []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], '|')
		if n < 0 {
			return 0
		}
		at += n + 1
		rest := bytes.TrimLeft(b[at:], " ")
		rest = bytes.TrimPrefix(rest, []byte("sudo "))
		rest = bytes.TrimLeft(rest, " ")
		n = 0
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		if shells[string(rest[:n])] {
			return len(b) - len(rest) + n
		}
	}
}

// download is what is fetched and run at once.
func download(x *lex, i int) hit {
	if word := x.word(i); word != "curl" && word != "wget" || x.at(i+4) != ' ' {
		return none
	}
	if n := piped(x.line(i+4, 400)); n > 0 {
		return hit{i + 4 + n, ReasonShell, 0.8}
	}
	return none
}

// roots are places that nobody removes but to destroy.
var roots = []string{"/ ", "/*", "~", "*", "$home", "/etc", "/var", "/home", "/usr", "/bin", "/boot", "--no-preserve-root", "c:\\"}

// remove is the removal of everything.
func remove(x *lex, i int) hit {
	if !x.is(i, "rm ") {
		return none
	}
	p, recursive := x.spaces(i+2), false
	for n := 0; n < 4 && x.at(p) == '-'; n++ {
		end := p
		for end-p < 24 && x.at(end) > ' ' {
			recursive = recursive || x.t[end] == 'r'
			end++
		}
		p = x.spaces(end)
	}
	if !recursive {
		return none
	}
	if x.at(p) == '/' && (x.at(p+1) == 0 || x.at(p+1) == '\n' || x.at(p+1) == ';' || x.at(p+1) == '\'' || x.at(p+1) == '"' || x.at(p+1) == '`') {
		return hit{p + 1, ReasonShell, 0.85}
	}
	for _, r := range roots {
		if x.is(p, r) && !(r == "*" && x.at(p+1) == '.') && !(r == "~" && x.at(p+1) == '/' && isWord(x.at(p+2))) && !((r == "/var" || r == "/home" || r == "/usr") && isWord(x.at(p+len(r)+1))) {
			return hit{p + len(r), ReasonShell, 0.85}
		}
	}
	return none
}

// bash is a shell that reaches out, or runs what it fetches or decodes.
func bash(x *lex, i int) hit {
	word := x.word(i)
	if word != "bash" && word != "sh" && word != "base64" {
		return none
	}
	p := i + len(word)
	if x.at(p) != ' ' {
		return none
	}
	if word == "base64" {
		if !x.is(p, " -d") && !x.is(p, " --decode") {
			return none
		}
		if n := piped(x.line(p, 160)); n > 0 {
			return hit{p + n, ReasonShell, 0.9}
		}
		return none
	}
	q := x.spaces(p)
	switch {
	case x.is(q, "-i ") && holds(x.line(q, 64), []string{">&", "/dev/tcp", "0<&1"}):
		return hit{q + 2, ReasonShell, 0.95}
	case x.is(q, "<(curl"), x.is(q, "<(wget"):
		return hit{q + 6, ReasonShell, 0.8}
	case x.is(q, "-c ") && holds(x.line(q, 64), []string{"$(curl", "$(wget", "`curl", "`wget", "/dev/tcp"}):
		return hit{q + 2, ReasonShell, 0.8}
	}
	return none
}

// netcat is a shell given away over the network.
func netcat(x *lex, i int) hit {
	word := x.word(i)
	if word != "nc" && word != "ncat" && word != "netcat" || x.at(i+len(word)) != ' ' {
		return none
	}
	rest := x.line(i+len(word), 96)
	if holds(rest, []string{"-e /bin", "-e cmd", "-c /bin", "-e sh", "-e bash", "| /bin/sh", "|/bin/sh", "| /bin/bash"}) {
		return hit{i + len(word) + len(rest), ReasonShell, 0.9}
	}
	return none
}

// fifo is the same by a named pipe.
func fifo(x *lex, i int) hit {
	if x.is(i, "mkfifo ") {
		if rest := x.line(i, 200); holds(rest, []string{"nc ", "openssl s_client", "telnet "}) && holds(rest, []string{"/bin/sh", "/bin/bash", "|sh", "| sh"}) {
			return hit{i + len(rest), ReasonShell, 0.9}
		}
	}
	return none
}

// interpreter is the same by a script in an argument.
func interpreter(x *lex, i int) hit {
	word := x.word(i)
	switch word {
	case "python", "python3", "python2", "perl", "php", "ruby":
	default:
		return none
	}
	p := x.spaces(i + len(word))
	if x.at(p) != '-' || x.at(p+1) != 'c' && x.at(p+1) != 'e' && x.at(p+1) != 'r' && x.at(p+1) != 'm' {
		return none
	}
	if rest := x.line(p, 240); holds(rest, []string{"socket", "fsockopen", "tcpsocket"}) && holds(rest, []string{"connect", "/bin/", "exec", "subprocess", "dup2"}) {
		return hit{p + len(rest), ReasonShell, 0.9}
	}
	return none
}

// powershell is a shell that hides what it runs, or runs what it fetches.
func powershell(x *lex, i int) hit {
	word := x.word(i)
	switch word {
	case "powershell", "pwsh":
		rest := x.line(i+len(word), 200)
		if holds(rest, []string{" -enc", " -e ", " -ec ", "-w hidden", "-windowstyle hidden", "downloadstring", "-nop -"}) {
			return hit{i + len(word) + len(rest), ReasonShell, 0.9}
		}
	case "iex":
		if b := x.at(i + 3); b != ' ' && b != '(' {
			return none
		}
		rest := x.line(i+3, 160)
		if holds(rest, []string{"new-object", "iwr", "invoke-webrequest", "downloadstring", "irm ", "frombase64string"}) {
			return hit{i + 3 + len(rest), ReasonShell, 0.85}
		}
	}
	return none
}

// windows are programs of Windows that fetch and run.
func windows(x *lex, i int) hit {
	for _, c := range []struct{ name, with string }{
		{"certutil", "-urlcache"}, {"bitsadmin", "/transfer"}, {"mshta", "http"}, {"mshta", "script:"}, {"regsvr32", "/i:http"}, {"invoke-expression", "download"}, {"msiexec", "/q"},
	} {
		if x.t[i] == c.name[0] && x.is(i, c.name) {
			if rest := x.line(i+len(c.name), 160); bytes.Contains(rest, []byte(c.with)) {
				return hit{i + len(c.name) + len(rest), ReasonShell, 0.85}
			}
		}
	}
	return none
}

func forkBomb(x *lex, i int) hit {
	if x.is(i, ":(){") || x.is(i, ":() {") {
		if rest, ok := x.until(i, "};:", 40); ok {
			return hit{i + len(rest) + 3, ReasonShell, 0.95}
		}
	}
	return none
}

// slash is a connection that a shell opens as if it were a file.
func slash(x *lex, i int) hit {
	if x.is(i, "/dev/tcp/") || x.is(i, "/dev/udp/") {
		if b := x.at(i + 9); isWord(b) || b == '$' || b == '"' {
			return hit{i + 9, ReasonShell, 0.9}
		}
	}
	return none
}
