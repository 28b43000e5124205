package pii

import (
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// identifier is one kind of number or code that somebody is known by: a row of
// the tables in national.go and general.go.
type identifier struct {
	reason string
	// How it is written, forms parted by "|": d is a digit, A a letter, N either,
	// h a hexadecimal digit, a hyphen a space or hyphen, which is the same
	// throughout, an underscore one that may be left out everywhere; any other
	// sign is itself.
	forms string
	check func(v []byte) bool // of its characters alone, in capitals; nil: there is none
	alone alone
	// words call it by its name, in lower case and without accents.
	words string
	// kin are the words of all its kind that are enough where there is a check.
	kin      topic
	loose    bool // named, it counts although the check digit is wrong: it has not always been kept
	near     bool // it counts only close behind its name, as if nothing were checked
	severity ringwall.Severity
	topic    int // the bit of its words
}

// alone says which forms need no word before them.
type alone uint8

const (
	never  alone = iota // too many other numbers look like it
	parted              // with the signs between its groups
	whole               // in all forms
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
}

// fits reports whether the word t[s:e] and what follows it may be in the form.
func (f *form) fits(t []byte, s, e int) bool {
	if f.before > 0 && (s == 0 || stream.AlphaNum[t[s-1]] || s > 1 && (!stream.AlphaNum[t[s-2]] || t[s-1] == ' ' && !capital(t[s-2]))) {
		return false
	}
	if f.next == 0 {
		return true
	}
	if e == len(t) || t[e] != f.next && (f.next != '-' || t[e] != ' ') {
		return false
	}
	return e+1 == len(t) || f.then == 'N' || f.then == 'h' || (t[e+1] < 'A') == (f.then != 'A')
}

const maxWord = 64

// forms are all ways by the length of the first word that may hold a digit:
// those in which a digit may come first, and those in which a letter may.
var forms = func() (t [2][maxWord + 1][]form) {
	add := func(id *identifier, layout string) {
		f := form{id: id, layout: layout, signs: strings.ContainsAny(layout, "-./() :+")}
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
				}
				if layout[at] != 'A' {
					t[0][end-at] = append(t[0][end-at], f)
				}
				if !isDigit(layout[at]) && layout[at] != 'd' {
					t[1][end-at] = append(t[1][end-at], f)
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

// identify looks for an identifier whose first word with a digit has its first
// digit at t[i]; buf is room for its characters. A named one goes before any other.
func identify(w stream.Window, i, first int, buf []byte) (start, end int, p pattern, look stream.Look) {
	t := w.Clean
	s := i
	for s > first && i-s < maxWord && stream.AlphaNum[t[s-1]] {
		s--
	}
	if s > 0 && stream.AlphaNum[t[s-1]] {
		return i, i, p, stream.No
	}
	e := i
	for e < len(t) && e-s <= maxWord && stream.AlphaNum[t[e]] {
		e++
	}
	switch {
	case e-s > maxWord:
		return i, i, p, stream.No
	case e == len(t) && !w.Final:
		return s, i, p, stream.More
	}
	if e-s <= 2 && counts(t, s, e) {
		return i, i, p, stream.No
	}
	switch at, to, p, look := besides(t, s, e, first, buf, w.Final); look {
	case stream.More:
		return at, i, p, look
	case stream.Yes:
		return at, to, p, look
	}
	if at, to, p, look := address(t, s, e); look == stream.Yes {
		return at, to, p, look
	}
	var far, near topics
	read := -1 // where the words were read before
	those := forms[0][e-s]
	if t[s] >= 'A' {
		those = forms[1][e-s]
	}
	for k := range those {
		f := &those[k]
		if !f.fits(t, s, e) {
			continue
		}
		at := s - f.before
		if at < first || at > 0 && joined(t, at) || !apart(t[at:s]) {
			continue
		}
		to, v, plain, look := match(t, at, f.layout, buf, w.Final)
		switch look {
		case stream.No:
			continue
		case stream.More:
			return at, i, p, look
		}
		right := f.id.check == nil || f.id.check(v)
		if !right && !f.id.loose {
			continue
		}
		if read != at {
			far, near = topicsBefore(w.Folded, at)
			read = at
		}
		score := 0.0
		switch {
		case f.id.check == nil || !right || f.id.near:
			if near.has(f.id.topic) {
				score = 0.8
			}
		case far.has(f.id.topic) || f.id.kin != 0 && far.any(f.id.kin):
			score = 0.99
		}
		if score == 0 && right && plain && (f.id.alone == whole || f.id.alone == parted && f.signs) && !priced(t, at) && !ofGoods(t, at) {
			score = 0.9
			if f.signs {
				score = 0.92
			}
		}
		if score > p.score {
			start, end = at, to
			p = pattern{reason: f.id.reason, severity: f.id.severity, score: score}
		}
	}
	if p.score == 0 {
		return i, i, p, stream.No
	}
	return start, end, p, stream.Yes
}

// counts reports whether the one or two signs t[s:e] stand between words as any
// number in prose does: no form goes on so.
func counts(t []byte, s, e int) bool {
	return s > 1 && t[s-1] == ' ' && isLetter(t[s-2]) && t[s-2] >= 'a' && !contains("ed", t[s-2]) &&
		e+1 < len(t) && t[e] == ' ' && isLetter(t[e+1]) && t[e+1] >= 'a' && t[e+1] != 'y' && t[e+1] != 'j'
}

// joined reports whether the word at t[i] goes on one before it.
func joined(t []byte, i int) bool {
	return stream.AlphaNum[t[i-1]] || i > 1 && contains("-./+_@", t[i-1]) && stream.AlphaNum[t[i-2]]
}

// apart reports whether head, what stands before the first word with a digit, is
// nothing, or in one piece with it, or in capitals: only that was held back.
func apart(head []byte) bool {
	n := len(head)
	if n == 0 || head[n-1] != ' ' {
		return true
	}
	for _, c := range head[:n-1] {
		if !capital(c) {
			return false
		}
	}
	return n <= maxLetters+1
}

// priced reports whether a sign of money or of an order stands before t[i].
func priced(t []byte, i int) bool {
	for k := i - 1; k >= 0 && k >= i-2; k-- {
		switch t[k] {
		case ' ':
			continue
		case '$', '#', '%':
			return true
		case 0xAC, 0xA3, 0xA5: // the last bytes of the euro, the pound and the yen
			return true
		}
		break
	}
	return false
}

// match reads what layout says from t[i] on into v, in capitals and without
// signs. It is plain if none of its letters is small.
func match(t []byte, i int, layout string, v []byte, final bool) (end int, value []byte, plain bool, look stream.Look) {
	sep, plain := byte(0), true
	for k := range len(layout) {
		if i+k == len(t) {
			return i, v, plain, unless(final)
		}
		c := t[i+k]
		ok := false
		switch l := layout[k]; l {
		case 'd':
			ok = isDigit(c)
		case 'A':
			ok = isLetter(c)
		case 'N':
			ok = stream.AlphaNum[c]
		case 'h':
			ok = isHex(c)
		case '-':
			ok = (c == '-' || c == ' ') && (sep == 0 || sep == c)
			sep = c
		default:
			ok = c == l
		}
		if !ok {
			return i, v, plain, stream.No
		}
		if !stream.AlphaNum[c] {
			continue
		}
		if isLetter(c) && c >= 'a' {
			plain = plain && (layout[k] == 'h' || c == 'x' && k == len(layout)-1)
			c -= 'a' - 'A'
		}
		v = append(v, c)
	}
	end = i + len(layout)
	if look = ends(t, end, final); look != stream.Yes {
		return i, v, plain, look
	}
	if end < len(t) && contains("-/.:", t[end]) || end < len(t) && t[end] == ' ' && sep == ' ' {
		switch {
		case end+1 == len(t):
			if !final {
				return i, v, plain, stream.More
			}
		case isDigit(t[end+1]) && (t[end] != ':'):
			return i, v, plain, stream.No // it goes on
		}
	}
	return end, v, plain, stream.Yes
}
