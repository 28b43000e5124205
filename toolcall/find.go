package toolcall

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

// finder looks for what values must not carry.
type finder struct {
	inject func(string) (string, bool)
	under  []*meaning
}

// find returns the rule that is against a value of a kind; "" where none is.
func (f *finder) find(s string, k kind, sensitive bool) string {
	if s == "" {
		return ""
	}
	if sensitive || k == idKind || k == pathKind || k == urlKind || k == mailKind {
		if hidden(s) && !excused(f.under, RuleHidden) {
			return RuleHidden
		}
	}
	switch k {
	case proseKind, codeKind:
		return ""
	case subjectKind:
		return f.first(s, headers)
	case mailKind:
		return f.first(s, headers, lines, shell, link)
	case pathKind:
		return f.first(s, traversal, shell, template, link)
	case urlKind:
		return f.first(s, f.url, headers)
	case queryKind:
		return f.first(s, f.injected)
	case idKind:
		return f.first(s, link, traversed, shell, template, f.injected)
	case plainKind:
	}
	return f.first(s, link, traversed, evaluated, f.injected)
}

// first returns what the first of looks finds from which the value is not excused.
func (f *finder) first(s string, looks ...func(string) string) string {
	for _, look := range looks {
		if rule := look(s); rule != "" && !excused(f.under, rule) && !f.let(rule, s) {
			return rule
		}
	}
	return ""
}

// let reports whether the operator named the host, or the scheme, to which a URL leads.
func (f *finder) let(rule, s string) bool {
	if rule != RuleInternal && rule != RuleScheme {
		return false
	}
	for _, m := range f.under {
		if l := linkOf(s, true); rule == RuleInternal && m.Hosts != nil && l.is && m.allows(l) || rule == RuleScheme && l.scheme != "" && contains(m.Schemes, l.scheme) {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// injected asks whether there is code in a value.
func (f *finder) injected(s string) string {
	if f.inject == nil || !strings.ContainsAny(s, "'\"`;<>()=-/*#|") {
		return ""
	}
	if kind, found := f.inject(s); found {
		if kind == RuleSQL {
			return RuleSQL
		}
		return RuleScript
	}
	return ""
}

// hidden reports whether there are characters in s that show nothing or turn what is
// shown: controls, also those of directions, tags, spaces without width. What joins or
// parts letters of scripts that are written so is none, nor is what makes an emoji.
func hidden(s string) bool {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
		} else if s[i] < ' ' && s[i] != '\n' && s[i] != '\t' && s[i] != '\r' || s[i] == 0x7f {
			return true
		}
	}
	if ascii {
		return false
	}
	before := rune(0)
	for _, r := range s {
		switch {
		case r == 0x200C || r == 0x200D: // between letters of Arabic, of Indic scripts; in emoji
			if before < 0x0590 {
				return true
			}
		case r == 0xFE0F || r == 0xFE0E: // how a sign is shown
			if before < 0x2000 && before != '#' && before != '*' && !unicode.IsDigit(before) && before != 0xA9 && before != 0xAE {
				return true
			}
		case r >= 0x80 && r < 0xA0, r == 0x2028, r == 0x2029, normalize.Ignorable(r):
			return true
		}
		before = r
	}
	return false
}

var headerLine = regexp.MustCompile(`(?i)(?:[\r\n\x85\x{2028}\x{2029}]|%0[ad])\s*(?:to|cc|bcc|from|sender|reply-to|subject|content-[a-z-]+|mime-version|x-[a-z0-9-]+|date|return-path|set-cookie|location|host|transfer-encoding)\s*:`)

// headers looks for lines of a header.
func headers(s string) string {
	if !strings.ContainsAny(s, "\r\n%\u0085\u2028\u2029") || !headerLine.MatchString(s) {
		return ""
	}
	return RuleHeader
}

// lines looks for what parts lines, of which an address has none.
func lines(s string) string {
	if strings.ContainsAny(strings.TrimSpace(s), "\r\n\u0085\u2028\u2029") || strings.Contains(strings.ToLower(s), "%0a") || strings.Contains(strings.ToLower(s), "%0d") {
		return RuleHeader
	}
	return ""
}

var (
	templates  = regexp.MustCompile(`\{\{.*?\}\}|\$\{[^}]*\}|<%.*?%>|#\{[^}]*\}|\{%.*?%\}`)
	evaluation = regexp.MustCompile(`\{\{[^}]*[*+/.\[(_|][^}]*\}\}|\$\{[^}]*[(:.*+][^}]*\}|<%=.*?%>|#\{[^}]*[(.*+][^}]*\}|\{%\s*(?:import|include|for|if|set|extends)\b`)
)

// template looks for what an engine of templates would fill in.
func template(s string) string {
	if strings.ContainsAny(s, "{<") && templates.MatchString(s) {
		return RuleTemplate
	}
	return ""
}

// evaluated looks for what one would reckon with.
func evaluated(s string) string {
	if strings.ContainsAny(s, "{<") && evaluation.MatchString(s) {
		return RuleTemplate
	}
	return ""
}

// traversed looks for a way upwards in what has the shape of a path.
func traversed(s string) string {
	if strings.ContainsAny(s, "/\\%") && !strings.ContainsAny(s, " \n") {
		return traversal(s)
	}
	return ""
}

// traversal looks for a way upwards in a path, whatever hides it, for one to another
// machine, and for what ends it early.
func traversal(s string) string {
	if strings.HasPrefix(s, `\\`) || strings.HasPrefix(s, "//") || strings.HasPrefix(s, `/\`) || strings.HasPrefix(s, `\/`) {
		return RuleTraversal
	}
	for range 4 {
		if strings.ContainsRune(s, 0) || upwards(s) {
			return RuleTraversal
		}
		next := unescaped(s)
		if next == s {
			return ""
		}
		s = next
	}
	return RuleTraversal // it is escaped too often to be a name
}

// upwards reports whether a step of a path is the directory above, also one that is left
// when something is taken out of it.
func upwards(s string) bool {
	if !strings.Contains(s, "..") && isASCII(s) {
		return false
	}
	s = strings.NewReplacer(`\`, "/", "\xc0\xae", ".", "\xe0\x80\xae", ".", "\xc0\xaf", "/", "\xc1\x9c", "/").Replace(s)
	if !isASCII(s) {
		s = normalize.Fold(s)
	}
	for step := range strings.SplitSeq(s, "/") {
		step, _, _ = strings.Cut(step, ";")
		step = strings.TrimRight(step, " \t")
		if step == ".." || len(step) > 2 && strings.Trim(step, ".") == "" && strings.Contains(s, step+"/") && len(step)%2 == 0 {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unescaped undoes one layer of percent-encoding; what is not encoded stays.
func unescaped(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexDigit(s[i+1]) < 16 && hexDigit(s[i+2]) < 16 {
			out = append(out, hexDigit(s[i+1])<<4|hexDigit(s[i+2]))
			i += 2
			continue
		}
		if s[i] == '%' && i+5 < len(s) && (s[i+1] == 'u' || s[i+1] == 'U') { // of IIS
			n, ok := rune(0), true
			for _, c := range []byte(s[i+2 : i+6]) {
				ok = ok && hexDigit(c) < 16
				n = n<<4 | rune(hexDigit(c)&15)
			}
			if ok {
				out = utf8.AppendRune(out, n)
				i += 5
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}
