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

// fits reports whether the word t[s:e] and what follows it may be in the form.
func (f *form) fits(t []byte, s, e int) bool {
	if f.before > 0 && (s == 0 || stream.AlphaNum[t[s-1]] || s > 1 && (!stream.AlphaNum[t[s-2]] || t[s-1] == ' ' && !capital(t[s-2]) && !lowerHead(t, s))) {
		return false
	}
	return f.next == 0 || e < len(t) && (t[e] == f.next || f.next == '-' && t[e] == ' ')
}

const maxWord = 64

// forms are all ways by the length of the first word that may hold a digit:
// those in which a digit may come first, and those in which a letter may.
var forms = func() (t [2][maxWord + 1][signClasses][thenKinds][2][]form) {
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
	var far, near, after topics
	var column *topics
	thing := false         // the words before it say that it is of a thing
	read, readTo := -1, -1 // where the words were read before
	class := otherSign
	if e < len(t) {
		class = classOf(t[e])
	}
	begins := 0
	if t[s] >= 'A' {
		begins = 1
	}
	lists := forms[begins][e-s][class][kindOf(t, e+1)][:]
	if s < 2 || !contains(" -./(:+", t[s-1]) || !stream.AlphaNum[t[s-2]] {
		lists = lists[:1] // nothing stands before it
	}
	for _, list := range lists {
		for k := range list {
			f := &list[k]
			if !f.fits(t, s, e) {
				continue
			}
			at := s - f.before
			if at < first || at > 0 && joined(t, at) || !apart(t[at:s]) && !headed(w.Folded, at, s) {
				continue
			}
			to, v, plain, look := match(t, at, f.layout, buf, w.Final)
			switch look {
			case stream.No:
				continue
			case stream.More:
				return at, i, p, look
			}
			id := f.id
			if id.reason == MACAddress && t[at+2] == ' ' { // or bytes of anything
				if _, near := c.before(w, at); !near.has(id.topic) {
					continue
				}
			}
			right := id.check == nil || id.check(v)
			if !right && !id.loose {
				continue
			}
			if read != at {
				if thing = ofGoods(w.Folded, at); !thing {
					far, near = c.before(w, at)
				}
				column = c.table.at(w.Folded, at, w.Base)
				read = at
			}
			score := id.named(&far, &near, column, right)
			if score == 0 && len(v) > 2 && !id.near && !thing {
				if readTo != to {
					var more bool
					if after, more = topicsAfter(w.Folded, to, w.Final); more {
						return at, i, p, stream.More
					}
					readTo = to
				}
				if !after.none() {
					score = id.named(&after, &after, nil, right)
				}
			}
			if score == 0 && right && plain && id.alone != never && (id.alone == whole || f.signs) && !priced(t, at) && !thing && (f.signs || !listed(t, at)) {
				switch {
				case id.alone == faintly:
					score = faint
				case id.weak:
					score = likely
				case f.signs:
					score = parcel
				default:
					score = own
				}
			}
			if score > p.score {
				start, end = at, to
				p = pattern{reason: id.reason, severity: id.severity, score: score}
			}
		}
	}
	// Of what hyphens join, the part with the first digit stands for all.
	if p.score < likely && (e-s >= 4 && (s == 0 || t[s-1] != '-') || s > 1 && t[s-1] == '-' && isLetter(t[s-2])) {
		if read != s {
			far, near = c.before(w, s)
			column = c.table.at(w.Folded, s, w.Base)
		}
		if at, to, q, look := coded(w, s, e, first, &far, &near, column); look != stream.No {
			return at, to, q, look
		}
	}
	if p.score == 0 {
		return i, i, p, stream.No
	}
	return start, end, p, stream.Yes
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

// codes are what the words about them alone tell, however they are written.
var codes = [...]struct {
	number, of topic // words for it, and for whom it is of
	head       string
	reason     string
}{{patient, ward, "mrn", MedicalRecord}, {staff, crew, "emp", EmployeeID}, {patient, ward, "pat", MedicalRecord}}

// coded reads the word t[s:e], with what hyphens join to it, as a code that a
// word right before it names, or its column, or that says what it is itself. Of
// one that letters are in it is enough to know whose it may be.
func coded(w stream.Window, s, e, first int, far, near, column *topics) (start, end int, p pattern, look stream.Look) {
	t := w.Clean
	start, end = s, e
	for start-1 > first && contains("-/._", t[start-1]) && stream.AlphaNum[t[start-2]] && s-start < 12 {
		start--
		for start > first && stream.AlphaNum[t[start-1]] && s-start < 12 {
			start--
		}
	}
	if start > 0 && stream.AlphaNum[t[start-1]] {
		return s, e, p, stream.No
	}
	for _, k := range codes {
		word := near.any(k.number) || column != nil && column.any(k.number)
		head := s-start == 4 && t[s-1] == '-' && string(w.Folded[start:start+3]) == k.head
		mixed := !isDigit(t[start])
		if !word && !head && !far.any(k.of) && !mixed {
			continue
		}
		for end+1 < len(t) && contains("-/.", t[end]) && stream.AlphaNum[t[end+1]] && end-s < 24 {
			end++
			for end < len(t) && stream.AlphaNum[t[end]] && end-s < 24 {
				end++
			}
		}
		if end == len(t) && !w.Final || end+1 == len(t) && !w.Final && contains("-/.", t[end]) {
			return start, s, p, stream.More
		}
		digits, letters := 0, 0
		for _, c := range t[start:end] {
			switch {
			case isDigit(c):
				digits++
			case isLetter(c):
				letters++
			case c == '.' || c == '/':
				letters -= 9
			}
		}
		switch n := end - start; {
		case n < 4 || n > 20 || letters < 0 || digits < 3 || start > 0 && t[start-1] == '$':
		case !word && !head && !far.any(k.of):
			after, more := topicsAfter(w.Folded, end, w.Final)
			if more {
				return start, s, p, stream.More
			}
			if after.any(k.number) {
				return start, end, pattern{reason: k.reason, severity: medium, score: named}, stream.Yes
			}
		case word && (digits >= 5 || letters > 0), head, letters > 0 && letters < 5 && digits >= 4 && mixed:
			return start, end, pattern{reason: k.reason, severity: medium, score: named}, stream.Yes
		}
	}
	return s, e, p, stream.No
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
