package pii

import (
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
	abroad   topic // the same in the languages of countries where it is given out
	loose    bool  // named, it counts although the check digit is wrong: it has not always been kept
	near     bool  // it counts only close behind its name, as if nothing were checked
	weak     bool  // its check says little: alone it is likely, no more
	severity ringwall.Severity
	topic    int // the bit of its words
}

// alone says which forms need no word before them.
type alone uint8

const (
	never   alone = iota // too many other numbers look like it
	faintly              // with the signs between its groups, and then it is but a guess
	parted               // with the signs between its groups
	whole                // in all forms
)

// identify looks for an identifier whose first word with a digit has its first
// digit at t[i]. A named one goes before any other.
func (c *cursor) identify(w stream.Window, i, first int) (start, end int, p pattern, look stream.Look) {
	t, buf := w.Clean, c.value[:0]
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
	switch at, to, p, look := c.besides(w, s, e, first); look {
	case stream.More:
		return at, i, p, look
	case stream.Yes:
		return at, to, p, look
	}
	if at, to, p, look := c.address(w, s, e); look == stream.Yes {
		return at, to, p, look
	}
	about, second := context{read: -1, readTo: -1}, secondAt(t, e)
	for _, list := range formsOf(t, s, e) {
		for _, f := range list {
			at := s - f.before
			if !f.fits(t, s, e, second) || at < first || at > 0 && joined(t, at) || !apart(t[at:s]) && !headed(w.Folded, at, s) {
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
			score, more := c.score(w, &about, f, at, to, len(v), right, plain)
			if more {
				return at, i, p, stream.More
			}
			if score > p.score {
				start, end = at, to
				p = pattern{reason: f.id.reason, severity: f.id.severity, score: score}
			}
		}
	}
	if p.score < likely && mayBeCode(t, s, e) {
		c.look(w, &about, s)
		if at, to, q, look := coded(w, s, e, first, &about); look != stream.No {
			return at, to, q, look
		}
	}
	if p.score == 0 {
		return i, i, p, stream.No
	}
	return start, end, p, stream.Yes
}

// context is what is known about a value from what stands around it.
type context struct {
	far, near, after topics
	column           *topics
	thing            bool // the words before it say that it is of a thing
	read, readTo     int  // where the words were read before, and behind
}

// look reads the words before t[at] and the name of its column, once.
func (c *cursor) look(w stream.Window, about *context, at int) {
	if about.read == at {
		return
	}
	about.read = at
	about.column = c.table.at(w.Folded, at, w.Base)
	about.far, about.near = topics{}, topics{}
	if about.thing = c.ofThing(w, at); !about.thing {
		about.far, about.near = c.before(w, at)
	}
}

// score is how sure it is that t[at:to], of n characters, is what the form says;
// more, that what follows the window could change it.
func (c *cursor) score(w stream.Window, about *context, f *form, at, to, n int, right, plain bool) (score float64, more bool) {
	id := f.id
	c.look(w, about, at)
	if id.reason == MACAddress && w.Clean[at+2] == ' ' && !about.near.has(id.topic) {
		return 0, false // bytes of anything
	}
	if score = id.named(&about.far, &about.near, about.column, right); score > 0 || about.thing {
		return score, false
	}
	if n > 2 && !id.near {
		if about.readTo != to {
			if about.after, more = topicsAfter(w.Folded, to, w.Final); more {
				return 0, true
			}
			about.readTo = to
		}
		if score = id.named(&about.after, &about.after, nil, right); score > 0 {
			return score, false
		}
	}
	if id.reason == myNumber && f.signs && w.Clean[at+4] == ' ' && (japanese(w.Clean, at, to) || keyed(w.Folded, at)) {
		return likely, false
	}
	switch {
	case !right, !plain, id.alone == never, id.alone < whole && !f.signs, priced(w.Clean, at), !f.signs && listed(w.Clean, at):
		return 0, false
	case id.alone == faintly:
		return faint, false
	case id.weak:
		return likely, false
	case f.signs:
		return parcel, false
	}
	return own, false
}

const myNumber = "jp-my-number"

// keyed reports whether "id=" or "id:" stands right before t[i], by itself.
func keyed(t []byte, i int) bool {
	if i > 0 && t[i-1] == ' ' {
		i--
	}
	return i >= 3 && (t[i-1] == '=' || t[i-1] == ':') && string(t[i-3:i-1]) == "id" && (i == 3 || !inWord(t[i-4]))
}

// japanese reports whether kana stand right around t[i:j]: who writes so numbers
// people in three groups of four.
func japanese(t []byte, i, j int) bool {
	for k := max(0, i-24); k < i; k++ {
		if kana(t, k) {
			return true
		}
	}
	return kana(t, j)
}

// kana reports whether a letter of hiragana or katakana begins at t[i].
func kana(t []byte, i int) bool {
	return i+2 < len(t) && t[i] == 0xE3 && (t[i+1] == 0x81 || t[i+1] == 0x82 || t[i+1] == 0x83)
}

// named is the score that the words about a value give it.
func (id *identifier) named(far, near, column *topics, right bool) float64 {
	checked := id.check != nil && right && !id.near
	if column != nil && (column.has(id.topic) || checked && column.any(id.kin|id.abroad)) {
		near, far = column, column
	}
	switch {
	case checked && far.has(id.topic):
		return certain
	case checked && (far.any(id.abroad) || far.any(id.kin) && english[id.reason[:2]]):
		return kindred
	case checked && far.any(id.kin):
		return distant
	case !checked && near.has(id.topic):
		return named
	}
	return 0
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

// lowerHead reports whether a few small letters stand before the space before t[s]
// that are hardly a word.
func lowerHead(t []byte, s int) bool {
	j := s - 1
	for j > 0 && s-j < maxLetters && (isLetter(t[j-1]) || t[j-1] == '-') {
		j--
	}
	if j == s-1 || j > 0 && stream.AlphaNum[t[j-1]] {
		return false
	}
	for _, c := range t[j : s-1] {
		switch c {
		case '-':
			return true
		case 'a', 'e', 'i', 'o', 'u', 'y':
			return false
		}
	}
	return true
}

// headed reports whether t[i:s] is a few letters and a space, and words before it
// name something. t is folded.
func headed(t []byte, i, s int) bool {
	if s-i < 2 || s-i > maxLetters || t[s-1] != ' ' || !lowerHead(t, s) {
		return false
	}
	far, _ := topicsBefore(t, i, 0)
	return !far.none()
}

// listed reports whether another number stands before t[i].
func listed(t []byte, i int) bool { return i > 1 && t[i-1] == ' ' && isDigit(t[i-2]) }

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
