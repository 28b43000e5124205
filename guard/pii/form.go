package pii

import (
	"strings"

	"github.com/ringwall/ringwall/guard/stream"
)

// form is one way to write an identifier.
type form struct {
	id     *identifier
	layout string
	before int // bytes before the first word with a digit
	signs  bool
	// What follows the first word with a digit, as the layout says it: most forms
	// can be told from that alone.
	next, then byte
	second     int // how many letters and digits follow that sign
}

// signClass is what stands behind the first word with a digit.
type signClass uint8

const (
	otherSign signClass = iota
	spaceSign
	hyphenSign
	dotSign
	colonSign
	slashSign
	signClasses
)

func classOf(c byte) signClass {
	switch c {
	case ' ':
		return spaceSign
	case '-':
		return hyphenSign
	case '.':
		return dotSign
	case ':':
		return colonSign
	case '/':
		return slashSign
	}
	return otherSign
}

// thenKind is what stands behind that sign.
type thenKind uint8

const (
	thenDigit thenKind = iota
	thenLetter
	thenOther
	thenUnknown // the text ends
	thenKinds
)

func kindOf(t []byte, i int) thenKind {
	switch {
	case i >= len(t):
		return thenUnknown
	case isDigit(t[i]):
		return thenDigit
	case isLetter(t[i]):
		return thenLetter
	}
	return thenOther
}

// goesOn reports whether the form may go on with a sign of the class and what
// follows it.
func (f *form) goesOn(class signClass, then thenKind) bool {
	if classOf(f.next) != class && (f.next != '-' || class != spaceSign) {
		return false
	}
	switch {
	case then == thenUnknown, f.then == 'N', f.then == 'h' && then != thenOther:
		return true
	case f.then == 'A':
		return then == thenLetter
	case f.then == 'd' || isDigit(f.then):
		return then == thenDigit
	}
	return true
}

// fits reports whether the word t[s:e] and what follows it may be in the form:
// a sign and so many letters and digits, which is below zero if they may go on.
func (f *form) fits(t []byte, s, e, second int) bool {
	if f.before > 0 && (s == 0 || stream.AlphaNum[t[s-1]] || s > 1 && (!stream.AlphaNum[t[s-2]] || t[s-1] == ' ' && !capital(t[s-2]) && !lowerHead(t, s))) {
		return false
	}
	return f.next == 0 || e < len(t) && (t[e] == f.next || f.next == '-' && t[e] == ' ') && (second < 0 || second == f.second)
}

const maxWord = 64

// forms are all ways by the length of the first word that may hold a digit:
// those in which a digit may come first, and those in which a letter may.
var forms = func() (t [2][maxWord + 1][signClasses][thenKinds][2][]*form) {
	add := func(id *identifier, layout string) {
		f := &form{id: id, layout: layout, signs: strings.ContainsAny(layout, "-./() :+")}
		at := 0
		for {
			end := at
			for end < len(layout) && stream.AlphaNum[layout[end]] {
				end++
			}
			if strings.ContainsAny(layout[at:end], "dNh0123456789") {
				f.before = at
				if end < len(layout) {
					f.next = layout[end]
				}
				if end+1 < len(layout) {
					f.then = layout[end+1]
					for k := end + 1; k < len(layout) && stream.AlphaNum[layout[k]]; k++ {
						f.second++
					}
				}
				headed := 0
				if f.before > 0 {
					headed = 1
				}
				for class := range signClasses {
					for then := range thenKinds {
						// Where nothing must follow, anything may.
						if f.next != 0 && !f.goesOn(class, then) {
							continue
						}
						if layout[at] != 'A' {
							t[0][end-at][class][then][headed] = append(t[0][end-at][class][then][headed], f)
						}
						if !isDigit(layout[at]) && layout[at] != 'd' {
							t[1][end-at][class][then][headed] = append(t[1][end-at][class][then][headed], f)
						}
					}
				}
				return
			}
			at = end + 1
		}
	}
	for i := range identifiers {
		id := &identifiers[i]
		for layout := range strings.SplitSeq(id.forms, "|") {
			add(id, strings.ReplaceAll(layout, "_", ""))
			if strings.Contains(layout, "_") {
				add(id, strings.ReplaceAll(layout, "_", "-"))
			}
		}
	}
	return t
}()

// formsOf returns those in which t[s:e] may be the first word with a digit: alone
// and, if something may stand before it, with that.
func formsOf(t []byte, s, e int) [][]*form {
	class, begins := otherSign, 0
	if e < len(t) {
		class = classOf(t[e])
	}
	if t[s] >= 'A' {
		begins = 1
	}
	lists := forms[begins][e-s][class][kindOf(t, e+1)][:]
	if s < 2 || !contains(" -./(:+", t[s-1]) || !stream.AlphaNum[t[s-2]] {
		lists = lists[:1]
	}
	if s > 0 && joined(t, s) {
		lists = lists[1:]
	}
	return lists
}

// secondAt returns how many letters and digits stand behind the sign t[e], or -1 if
// the text may go on with more.
func secondAt(t []byte, e int) int {
	const longest = 24
	k := e + 1
	for k < len(t) && k-e <= longest && stream.AlphaNum[t[k]] {
		k++
	}
	if k >= len(t) {
		return -1
	}
	return k - e - 1
}
