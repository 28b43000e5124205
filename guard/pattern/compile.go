package pattern

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

// compile reads a regular expression and makes the program that looks for it in
// the clean view. Loosely it counts repeats up to loose only and then takes any
// number: that program sees all that the other one sees, and more, with far fewer
// states.
func compile(expr string, loosely bool) (*syntax.Prog, error) {
	re, err := parse(expr)
	if err != nil {
		return nil, err
	}
	if re, err = view(re); err != nil {
		return nil, wrong(expr, 0, err.Error())
	}
	if loosely {
		loosen(re)
	}
	p, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, wrong(expr, 0, err.Error())
	}
	if len(p.Inst) > MaxInstructions {
		return nil, wrong(expr, 0, fmt.Sprintf("its program has %d instructions, at most %d are allowed: repeat less often, or fewer kinds of characters", len(p.Inst), MaxInstructions))
	}
	for _, in := range p.Inst {
		switch in.Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			return p, nil
		default:
		}
	}
	return nil, wrong(expr, 0, "it matches no text but the empty one: add the characters that it is about")
}

const loose = 5

// loosen lets repeats that count further than loose go on for ever.
func loosen(re *syntax.Regexp) {
	for _, sub := range re.Sub {
		loosen(sub)
	}
	if re.Op == syntax.OpRepeat && (re.Max < 0 || re.Max > loose) {
		re.Min, re.Max = min(re.Min, loose), -1
	}
}

// parse reads a regular expression.
func parse(expr string) (*syntax.Regexp, error) {
	if len(expr) > MaxLength {
		return nil, wrong(expr, 0, fmt.Sprintf("it has %d bytes, at most %d are allowed: make it several patterns", len(expr), MaxLength))
	}
	if !utf8.ValidString(expr) {
		return nil, wrong(expr, 0, "it is not valid UTF-8: write bytes as \\x{…}")
	}
	if at, what := foreign(expr); what != "" {
		return nil, wrong(expr, at, what)
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	var fault *syntax.Error
	switch {
	case errors.As(err, &fault):
		why := fault.Code.String()
		switch fault.Code {
		case syntax.ErrInvalidRepeatSize:
			why += ": a part may be repeated 1000 times at most, also where repeats are nested"
		case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
			why += ": a parenthesis that stands for itself is written \\( or \\)"
		case syntax.ErrMissingBracket:
			why += ": a bracket that stands for itself is written \\["
		case syntax.ErrMissingRepeatArgument:
			why += ": a sign that stands for itself is written with a \\ before it"
		default:
		}
		return nil, wrong(expr, max(0, strings.LastIndex(expr, fault.Expr)), fmt.Sprintf("%s: %s", fault.Expr, why))
	case err != nil:
		return nil, wrong(expr, 0, err.Error())
	}
	return re, nil
}

// wrong says what is wrong with a regular expression at a byte of it.
func wrong(expr string, at int, what string) error {
	shown := expr
	if len(shown) > 60 {
		shown = strings.ToValidUTF8(shown[:60], "") + "…"
	}
	return fmt.Errorf("regular expression %q, character %d: %s", shown, 1+utf8.RuneCountInString(expr[:at]), what)
}

// foreigners are constructs of other engines, by how they begin behind a
// parenthesis.
var foreigners = []struct{ begin, what string }{
	{"?=", "lookahead (?=…) is not supported, because text is looked at as it comes: match what follows too, or list it under context"},
	{"?!", "negative lookahead (?!…) is not supported, because text is looked at as it comes: list what must not match under allow, or write the character class that may follow"},
	{"?<=", "lookbehind (?<=…) is not supported, because text is looked at as it comes: match what stands before too, or list it under context"},
	{"?<!", "negative lookbehind (?<!…) is not supported, because text is looked at as it comes: use \\b, or list what must not match under allow"},
	{"?>", "atomic groups (?>…) are not supported, and not needed: nothing is tried twice. Write (?:…)"},
	{"?|", "branch reset groups (?|…) are not supported, and not needed: groups are not told apart. Write (?:…)"},
	{"?#", "comments (?#…) are not supported: leave them out"},
	{"?(", "conditional groups (?(…)…) are not supported: write the cases as separate patterns"},
	{"?R", "recursion (?R) is not supported: write out as many levels as are needed"},
	{"?&", "subroutine calls (?&…) are not supported: write the part again"},
	{"?P>", "subroutine calls (?P>…) are not supported: write the part again"},
	{"?P=", "backreferences (?P=…) are not supported: no engine can keep them in linear time. Write the part again, or list the cases"},
	{"?'", "quoted group names (?'…') are not supported: write (?P<name>…) or (?:…)"},
	{"*", "verbs (*…) are not supported: leave them out, or write a star that stands for itself as \\*"},
}

// escapes are escapes of other engines.
var escapes = map[byte]string{
	'k': "backreferences \\k are not supported: no engine can keep them in linear time. Write the part again, or list the cases",
	'g': "backreferences and subroutine calls \\g are not supported: write the part again",
	'K': "\\K is not supported: match the part that is meant, and list what stands before it under context",
	'G': "\\G is not supported: leave it out",
	'Z': "\\Z is not supported: write \\z, or $",
	'R': "\\R is not supported: write (?:\\r\\n|\\n|\\r)",
	'h': "\\h is not supported: write [ \\t]",
	'H': "\\H is not supported: write [^ \\t]",
	'V': "\\V is not supported: write [^\\n\\v\\f\\r]",
	'N': "\\N is not supported: write [^\\n]",
	'X': "\\X is not supported: write .",
	'e': "\\e is not supported: write \\x1b",
	'c': "control characters \\c are not supported: write \\x and two hexadecimal digits",
	'u': "\\u is not supported: write \\x{…} with the hexadecimal number of the character",
	'U': "\\U is not supported: write \\x{…} with the hexadecimal number of the character",
	'y': "\\y is not supported: write \\b",
	'm': "\\m is not supported: write \\b",
}

// foreign finds the first construct of another engine: where it stands, and what
// to do instead. Also those that Go reads as something else in silence.
func foreign(expr string) (at int, what string) {
	class := false
	for i := 0; i < len(expr); i++ {
		rest := expr[i+1:]
		switch c := expr[i]; {
		case c == '\\' && rest != "":
			if rest[0] == 'Q' && !class {
				n := strings.Index(rest, `\E`)
				if n < 0 {
					return 0, ""
				}
				i += n + 2
				continue
			}
			if what := escapes[rest[0]]; what != "" {
				return i, what
			}
			if '1' <= rest[0] && rest[0] <= '9' {
				return i, "backreferences \\" + rest[:1] + " are not supported: no engine can keep them in linear time. Write the part again, or list the cases; a character by its number is written \\x{…}"
			}
			i++
			if n := strings.IndexByte(rest, '}'); n > 0 && rest[1] == '{' && strings.IndexByte("xpP", rest[0]) >= 0 {
				i += n
			}
		case class:
			switch {
			case c == ']':
				class = false
			case c == '[' && strings.HasPrefix(rest, ":"):
				if n := strings.Index(rest, ":]"); n > 0 {
					i += n + 2
				}
			case c == '&' && strings.HasPrefix(rest, "&["):
				return i, "intersections of classes [a&&[b]] are not supported: write the characters of both"
			}
		case c == '[':
			class = true
			rest = strings.TrimPrefix(rest, "^")
			i = len(expr) - len(rest) - 1
			if strings.HasPrefix(rest, "]") {
				i++
			}
		case c == '(':
			for _, f := range foreigners {
				if strings.HasPrefix(rest, f.begin) {
					return i, f.what
				}
			}
			if flags := strings.TrimLeft(strings.TrimPrefix(rest, "?"), "imsU-"); len(rest) > 1 && rest[0] == '?' && flags != "" {
				switch f := flags[0]; {
				case '0' <= f && f <= '9':
					return i, "recursion (?" + flags[:1] + ") is not supported: write out as many levels as are needed"
				case f != 'P' && ('a' <= f && f <= 'z' || 'A' <= f && f <= 'Z'):
					return i, "the flag " + flags[:1] + " is not supported: the flags are i, m, s and U"
				}
			}
		case c == '*' || c == '+' || c == '?' && (i == 0 || expr[i-1] != '('):
			if strings.HasPrefix(rest, "+") {
				return i, "possessive repeats such as a" + string(c) + "+ are not supported, and not needed: nothing is tried twice. Leave out the second sign"
			}
		case c == '{':
			n := strings.IndexByte(rest, '}')
			if n < 0 || strings.Trim(rest[:n], "0123456789,") != "" || rest[:n] == "" {
				continue
			}
			if rest[0] == ',' {
				return i, "the repeat {" + rest[:n] + "} has no lower bound: write {0" + rest[:n] + "}"
			}
			if strings.HasPrefix(rest[n+1:], "+") {
				return i, "possessive repeats such as a{2}+ are not supported, and not needed: nothing is tried twice. Leave out the plus sign"
			}
		}
	}
	return 0, ""
}

// Classes with more characters beyond ASCII than these are taken as they are:
// what is listed by name is meant, what is excluded or a property of many is not.
const (
	fewRunes  = 32
	someRunes = 512
	mostRunes = 1 << 19
)

// The Hangul syllables, and the letters that the views take them apart to (The
// Unicode Standard, §3.12).
const (
	firstSyllable, lastSyllable = 0xAC00, 0xD7A3
	initials, finals            = 0x1100, 0x11A8
)

// view brings what a pattern says literally into the form of the clean view.
func view(re *syntax.Regexp) (*syntax.Regexp, error) {
	for i, sub := range re.Sub {
		s, err := view(sub)
		if err != nil {
			return nil, err
		}
		re.Sub[i] = s
	}
	switch re.Op {
	case syntax.OpLiteral:
		var out []rune
		for _, r := range re.Rune {
			if r < utf8.RuneSelf {
				out = append(out, r)
				continue
			}
			if normalize.Ignorable(r) {
				return nil, fmt.Errorf("%U is invisible, and patterns look at what shows: leave it out", r)
			}
			form := clean(string(r))
			if re.Flags&syntax.FoldCase != 0 { // the parser may have put a mark for a letter that has it in its case
				for f := unicode.SimpleFold(r); form == "" && f != r; f = unicode.SimpleFold(f) {
					form = clean(string(f))
				}
			}
			out = append(out, []rune(form)...)
		}
		if re.Rune = out; len(out) == 0 {
			re.Op = syntax.OpEmptyMatch
		}
	case syntax.OpCharClass:
		return viewClass(re), nil
	default:
	}
	return re, nil
}

// viewClass adds to a class what the view shows instead of its characters.
func viewClass(re *syntax.Regexp) *syntax.Regexp {
	all, beyond := 0, 0
	for i := 0; i < len(re.Rune); i += 2 {
		lo, hi := re.Rune[i], re.Rune[i+1]
		all += int(hi - lo + 1)
		if hi >= utf8.RuneSelf {
			beyond += int(hi - max(lo, utf8.RuneSelf) + 1)
		}
	}
	if beyond == 0 || all > mostRunes {
		return re
	}
	subs := []*syntax.Regexp{re}
	var single []rune
	syllables := 0
	for i := 0; i < len(re.Rune); i += 2 {
		lo, hi := re.Rune[i], re.Rune[i+1]
		syllables += max(0, int(min(hi, lastSyllable)-max(lo, firstSyllable)+1))
		if beyond > someRunes {
			continue
		}
		for r := max(lo, utf8.RuneSelf); r <= hi; r++ {
			form := []rune(clean(string(r)))
			switch {
			case len(form) == 1 && form[0] != r && (beyond <= fewRunes || unicode.IsLetter(r) || unicode.IsDigit(r)):
				single = append(single, form[0])
			case len(form) > 1 && (beyond <= fewRunes || r >= firstSyllable && r <= lastSyllable):
				subs = append(subs, &syntax.Regexp{Op: syntax.OpLiteral, Flags: re.Flags, Rune: form})
			}
		}
	}
	if beyond > someRunes && syllables > 0 {
		class := func(lo, hi rune) *syntax.Regexp {
			return &syntax.Regexp{Op: syntax.OpCharClass, Flags: re.Flags, Rune: []rune{lo, hi}}
		}
		final := &syntax.Regexp{Op: syntax.OpQuest, Flags: re.Flags, Sub: []*syntax.Regexp{class(finals, finals+26)}}
		subs = append(subs, &syntax.Regexp{Op: syntax.OpConcat, Flags: re.Flags, Sub: []*syntax.Regexp{class(initials, initials+18), class(0x1161, 0x1175), final}})
	}
	if len(single) > 0 {
		var list []rune
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				list = append(list, r)
			}
		}
		if re.Flags&syntax.FoldCase != 0 {
			for _, r := range single {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					list = append(list, f)
				}
			}
		}
		re.Rune = pairs(append(list, single...))
	}
	if len(subs) == 1 {
		return re
	}
	return &syntax.Regexp{Op: syntax.OpAlternate, Flags: re.Flags, Sub: subs}
}
