package toolcall

import (
	"regexp"
	"strings"
)

var (
	substitution = regexp.MustCompile("\\$\\([^)]|`[^`]+`|\\$\\{?IFS|[<>]\\(")
	redirected   = regexp.MustCompile(`\s>{1,2}\s*/|\s<\s*/(?:etc|dev|proc)|(?:&&|\|\|)\s*\S`)
)

// commands are what a shell would be asked for behind a first command; true where that is
// a word of English, too, or as short as one.
var commands = func() map[string]bool {
	m := map[string]bool{}
	for _, c := range strings.Fields(`rm curl wget ncat netcat bash zsh whoami uname chmod chown python python2 python3 perl php powershell pwsh cmd.exe printenv mkfs
		base64 nslookup useradd crontab certutil`) {
		m[c] = false
	}
	for _, c := range strings.Fields(`id cat ls sh nc env echo sleep ping kill touch cp mv dd tee tar eval exec ssh scp telnet dig reboot shutdown node ruby cmd type net del`) {
		m[c] = true
	}
	return m
}()

// shell looks for what a shell would run.
func shell(s string) string {
	if strings.ContainsAny(s, "`$<>") && substitution.MatchString(s) || strings.ContainsAny(s, "<>&|") && redirected.MatchString(s) || chained(s) || strings.Contains(s, "%") && chained(unescaped(s)) {
		return RuleShell
	}
	return ""
}

// chained reports whether a command stands behind what ends one.
func chained(s string) bool {
	for {
		i := strings.IndexAny(s, ";|&\n")
		if i < 0 {
			return false
		}
		end := s[i]
		if s = s[i+1:]; command(s, end) {
			return true
		}
	}
}

// command reports whether s begins with a command, behind what ended another.
func command(s string, end byte) bool {
	s = s[:min(len(s), 80)]
	rest := strings.TrimLeft(s, " \t\r")
	spaced := len(rest) < len(s)
	rest, sudo := strings.CutPrefix(rest, "sudo ")
	word := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-"))]
	rest = rest[len(word):]
	if i := strings.LastIndexByte(word, '/'); i >= 0 && strings.HasSuffix(word[:i], "bin") {
		word = word[i+1:]
	}
	english, ok := commands[strings.ToLower(word)]
	if !ok || rest != "" && !strings.ContainsRune(" \t;|&<>\"'$\n", rune(rest[0])) {
		return false
	}
	if !english || sudo || !spaced || end == '|' || end == '\n' {
		return true
	}
	arg := strings.TrimLeft(rest, " \t")
	return end == ';' && arg != "" && arg != rest && strings.ContainsRune("-/.$~0123456789", rune(arg[0]))
}
