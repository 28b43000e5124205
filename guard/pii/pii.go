// Package pii notices personal data that has a structure: what can be told by
// its form and, where there is one, its check digit.
//
// Every such value holds a byte that is rare in prose, a digit, a colon or an at
// sign, or follows a word that names it. One pass over the clean view stops at
// those, at the signs between the cells of tables, and at spaces behind what may
// be such a word; there the cursor looks back the few bytes to where a value may
// begin, and asks the small hand-written readers that fit: each answers no, yes,
// or that it must see more. Looking back and reading ahead are bounded, by the
// longest value and by [stream.Context], and what was found out about a run of
// characters is remembered to its end, so the cost is linear in the text.
//
// What a country or a trade numbers people by is a row of a table: how it is
// written, its check digit, the words that name it, and whether it needs one
// of them; see national.go, general.go and, for how rows are tried, identity.go.
// Words before a value name it, the key or the column that it belongs to, and
// those behind it that say what it is: see context.go, words.go and table.go. What
// a word alone tells, as the name of a user, is read from the word on: label.go.
//
// The score is how sure it is. What it is made of:
//
//	0.99  named, and its check digits are right; or check digits that hardly
//	      anything else has: of account numbers, cards, wallets
//	0.9   a form or check digits that few other things have, or both
//	0.85  named, and of its form
//	0.6   of its form with a check digit that one in ten other numbers has
//	0.4   of its form alone
//	0.3   the address of a page
//
// What is below 0.5 is for those who would rather hide too much.
//
// Of values that overlap the one that begins first counts, and an e-mail address
// goes before a number that it holds. Reasons are Bedrock's names of the types in
// kebab-case; [Types] lists them. Names and postal addresses have no structure:
// they are left to detectors that know language.
package pii

import (
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/pii"

// Reasons.
const (
	Email      = "email"
	Phone      = "phone"
	CreditCard = "credit-debit-card-number"
	IBAN       = "international-bank-account-number"
	USSSN      = "us-social-security-number"
	IPAddress  = "ip-address"
)

// Scores: see the package comment.
const (
	certain  = 0.99
	kindred  = 0.98 // certain, named by a word of all its kind,
	distant  = 0.95 // in another language than its country's
	parcel   = 0.92 // own, with the signs between its groups
	own      = 0.9
	named    = 0.85
	likely   = 0.6
	faint    = 0.4
	faintURL = 0.3
)

// Scanner notices personal data. The zero Scanner is ready to use.
type Scanner struct{}

var cursors = sync.Pool{New: func() any { return new(cursor) }}

// Views implements stream.Viewer: numbers and codes do not survive that letters
// are put right.
func (Scanner) Views() stream.Views { return stream.Decoded }

// Begin implements stream.Scanner.
func (Scanner) Begin(stream.Scope) (stream.Cursor, string) { return cursors.Get().(*cursor), "" }

// cursor looks through one text. Its fields are offsets of the text.
type cursor struct {
	pos     int           // bytes before it were dealt with
	last    int           // end of the last match: no other begins before it
	run     int           // the characters of local parts go on up to here, from the last digit on that was looked at
	account int           // end of the last account number
	dated   int           // end of the last day of birth
	value   [maxWord]byte // room for the characters of one
	noAt    int           // behind the last at sign that belongs to no address
	linked  int           // end of the last address of a page
	told    int           // one behind where the words were read last, and what they said
	far     topics
	near    topics
	asked   int // the same of the things that numbers are of
	thing   bool
	table   table
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	*c = cursor{}
	cursors.Put(c)
}

// pattern reads a value that begins at t[i]. It returns the index behind it.
type pattern struct {
	reason   string
	severity ringwall.Severity
	score    float64
	read     func(t []byte, i int, final bool) (end int, look stream.Look)
}

var (
	email         = pattern{Email, medium, certain, nil}
	iban          = pattern{IBAN, high, certain, readIBAN}
	hardware      = pattern{MACAddress, low, own, nil}
	ipv6          = pattern{IPAddress, low, own, readIPv6}
	international = pattern{Phone, medium, own, readInternational}
	northAmerican = pattern{Phone, medium, named, readNorthAmerican}
	area          = pattern{Phone, medium, likely, readArea}
	local         = pattern{Phone, medium, named, nil}

	// What begins with a digit, in the order in which it is tried.
	numbers = []pattern{
		{IPAddress, low, own, readIPv4},
		{USSSN, high, own, readSSN},
		{CreditCard, high, certain, readCard},
		northAmerican, // from here on an identifier goes before it
		{Phone, medium, named, readTrunk},
	}
)

// sure is how many of numbers go before an identifier that nothing names.
const sure = 3

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	t, i := w.Clean, c.pos-w.Base
	for {
		for i < len(t) && signs[t[i]] == nothing {
			i++
		}
		if i == len(t) {
			break
		}
		kind := signs[t[i]]
		if kind == gap && !mayBeLabel(w.Folded, i) {
			i++
			continue
		}
		var start, end int
		var p pattern
		var look stream.Look
		if kind >= shape {
			start, end, p, look = c.shape(w, i)
		} else {
			start, end, p, look = c.read(w, i)
		}
		switch look {
		case stream.More:
			c.pos = w.Base + i
			return w.Base + c.hold(w, min(start, i))
		case stream.Yes:
			found(stream.Match{Start: w.Base + start, End: w.Base + end, Reason: p.reason, Severity: p.severity, Score: p.score})
			if p.reason == URL || p.reason == URLLogin { // what it holds may be more
				c.linked = w.Base + end
				end = i + 1
				break
			}
			c.last = w.Base + end
			if p.reason == IBAN {
				c.account = c.last
			}
			if start > i { // the signs before it are not yet seen
				end = i + 1
			}
		}
		i = max(end, i+1)
	}
	c.pos = w.Base + i
	switch {
	case w.Final:
		return c.pos
	case i > 0 && t[i-1] == '(':
		i-- // of a phone number
	}
	return w.Base + c.hold(w, i)
}

// sign is what a byte is to the cursor. Every value holds or follows one that is
// something.
type sign uint8

const (
	nothing sign = iota
	digit
	mark  // a colon, an equals sign, an at sign, the end of a tag
	gap   // a space, before which a label may end
	shape // that of a table
)

var signs = func() (t [256]sign) {
	for _, c := range []byte("0123456789") {
		t[c] = digit
	}
	for _, c := range []byte(":=@>") {
		t[c] = mark
	}
	t[' '] = gap
	for _, c := range []byte(",;\t|\n\"'()<") {
		t[c] = shape
	}
	return t
}()

// shape shows the sign t[i] to the table, and tries what a cell holds or what
// stands in parentheses.
func (c *cursor) shape(w stream.Window, i int) (start, end int, p pattern, look stream.Look) {
	t := w.Folded
	b := &c.table
	if t[i] == '<' && i+maxTag+1 > len(t) && !w.Final {
		return i, i, p, stream.More
	}
	b.show(t, i, w.Base+i)
	if w.Base+i < c.last {
		return i, i + 1, p, stream.No
	}
	if b.ready && (b.cell == w.Base+i+1 || b.kind == html && t[i] == '<') {
		if start, end, p, look = c.inColumn(w, i); look != stream.No {
			return start, end, p, look
		}
	}
	if t[i] == '\t' && mayBeLabel(t, i) {
		if start, end, p, look = c.labelled(w, i); look != stream.No {
			return start, end, p, look
		}
	}
	if t[i] == '(' && c.account > 0 && w.Base+i-c.account < 3 {
		if start, end, look = bankAt(w.Clean, i+1, w.Final); look != stream.No {
			return start, end, bank, look
		}
	}
	return i, i + 1, p, stream.No
}

// hold returns the index before i where the longest value begins that may still
// come: with the local part of an e-mail address, which may also be the letters
// of an account number or of an address, or the plus of a phone number.
func (c *cursor) hold(w stream.Window, i int) int {
	first := max(c.last-w.Base, i-maxLocal, 0)
	for i > first && localPart[w.Clean[i-1]] {
		i--
	}
	// A month stands apart from its day.
	if j := i; j > first && contains(" .-/", w.Clean[j-1]) {
		for j > first && i-j < 2 && contains(" .-/", w.Clean[j-1]) {
			j--
		}
		s := j
		for s > first && j-s < maxMonth && inWord(w.Clean[s-1]) {
			s--
		}
		if s < j && monthOf(w.Folded[s:j]) > 0 {
			return s
		}
	}
	// The letters of a plate stand apart from its digits.
	first = max(first, i-maxLetters-1)
	if j := i - 1; j > first && w.Clean[j] == ' ' {
		for j > first && capital(w.Clean[j-1]) {
			j--
		}
		k := i - 1
		for k > first && i-k < maxLetters && (isLetter(w.Clean[k-1]) || w.Clean[k-1] == '-') {
			k--
		}
		if k < j && headed(w.Folded, k, i) {
			return k
		}
		if j < i-1 {
			return j
		}
	}
	return i
}

// read tries what may hold the trigger at t[i]. If there is nothing, end is the
// index at which to go on.
func (c *cursor) read(w stream.Window, i int) (start, end int, p pattern, look stream.Look) {
	t, first := w.Clean, max(c.last-w.Base, 0)
	switch t[i] {
	case ' ', '=', '>':
		return c.labelled(w, i)
	case '@':
		if start, end, look = c.email(w, i); look != stream.No {
			return start, end, email, look
		}
		if start, end, p, look = remote(w, i, first); look != stream.No {
			return start, end, p, look
		}
		return c.handle(w, i)
	case ':':
		if start, end, p, look = links(w, i, first); look != stream.No && w.Base+i >= c.linked {
			return start, end, p, look
		}
		if start, end, p, look = c.labelled(w, i); look != stream.No {
			return start, end, p, look
		}
		start, ok := groupBefore(t, i, first)
		if !ok {
			return start, i + 1, p, stream.No
		}
		if i-start == 2 {
			var v []byte
			if end, v, _, look = match(t, start, "hh:hh:hh:hh:hh:hh", c.value[:0], w.Final); look == stream.More || look == stream.Yes && mac(v) {
				return start, end, hardware, look
			}
		}
		end, look = readIPv6(t, start, w.Final)
		if look == stream.No {
			end = i + 1
		}
		return start, end, ipv6, look
	}
	before := byte(' ')
	if i > first {
		before = t[i-1]
	}
	account := false
	if stream.AlphaNum[before] {
		account = i-2 >= first && isLetter(before) && isLetter(t[i-2]) && (i-3 < 0 || !stream.AlphaNum[t[i-3]])
		if !account {
			return c.code(w, i, first)
		}
	}
	switch start, end, look := c.around(w, i); {
	case look == stream.More && before == '(':
		return i - 1, end, email, look // or else a phone number
	case look != stream.No:
		return start, end, email, look
	}
	try := func(p pattern, at int) bool {
		start = at
		end, look = p.read(t, at, w.Final)
		if look == stream.Yes && p.reason == Phone {
			end, look = extended(t, end, w.Final)
		}
		return look != stream.No
	}
	switch {
	case account:
		if try(iban, i-2) {
			return start, end, iban, look
		}
		return c.code(w, i, first)
	case before == '+' && (i-2 < first || !stream.AlphaNum[t[i-2]]):
		if try(international, i-1) {
			return start, end, international, look
		}
	case before == '(':
		if try(northAmerican, i-1) {
			return start, end, northAmerican, look
		}
		if try(area, i-1) {
			return start, end, area, look
		}
	}
	inside := i > 0 && joined(t, i) // of something longer
	if !inside {
		if start, end, p, look = c.birthday(w, i, first); look != stream.No {
			return start, end, p, look
		}
	}
	if e := wordEnd(t, i); e-i <= 2 && counts(t, i, e) {
		if start, end, p, look = c.aged(w, i, e); look != stream.No {
			return start, end, p, look
		}
		return i, e, p, stream.No
	}
	if !inside || before == '-' || before == '+' {
		if start, end, p, look = c.coordinates(w, i, first); look != stream.No {
			return start, end, p, look
		}
	}
	idStart, idEnd, id, look := c.identify(w, i, first)
	if look == stream.More || look == stream.Yes && id.score > own {
		return idStart, idEnd, id, look
	}
	thing := c.ofThing(w, i)
	for k, p := range numbers {
		if k == sure && id.score > faint {
			return idStart, idEnd, id, stream.Yes
		}
		if k > 0 && thing {
			break
		}
		if try(p, i) {
			if p.reason == IPAddress && look == stream.Yes && small(t[start:end]) && !hosted(w.Folded, start) {
				p.score = faint
			}
			if p.reason == CreditCard && look == stream.Yes && end-start == 13 && !c.paid(w, start) {
				p.score = faint
			}
			return start, end, p, look
		}
	}
	if !thing && !inside {
		if end, look = c.readNamed(w, i); look != stream.No {
			return i, end, local, look
		}
	}
	if id.score > 0 {
		return idStart, idEnd, id, stream.Yes
	}
	return i, wordEnd(t, i), p, stream.No
}

// paid reports whether the words before t[i], or its column, speak of a card: of
// the numbers of goods in thirteen digits one in ten looks like an old one.
func (c *cursor) paid(w stream.Window, i int) bool {
	far, _ := c.before(w, i)
	column := c.table.at(w.Folded, i, w.Base)
	return far.any(paying) || column != nil && column.any(paying)
}

// code tries what begins with letters before the digit t[i].
func (c *cursor) code(w stream.Window, i, first int) (start, end int, p pattern, look stream.Look) {
	start, end, p, look = c.identify(w, i, first)
	if look == stream.No && w.Base+i-c.account < 32 {
		if s, e, ok := besideAccount(w.Clean, i, first, c.account-w.Base); ok {
			return s, e, bank, stream.Yes
		}
	}
	if look == stream.No {
		return i, wordEnd(w.Clean, i), p, look
	}
	if look == stream.Yes {
		// Or it is a part of an e-mail address.
		switch s, e, l := c.around(w, i); l {
		case stream.More:
			return min(s, start), e, email, l
		case stream.Yes:
			return s, e, email, l
		}
	}
	return start, end, p, look
}

func wordEnd(t []byte, i int) int {
	for i < len(t) && stream.AlphaNum[t[i]] {
		i++
	}
	return i
}

// ends reports whether a value may end before t[i]: no letter or digit goes on.
func ends(t []byte, i int, final bool) stream.Look {
	switch {
	case i < len(t):
		if stream.AlphaNum[t[i]] {
			return stream.No
		}
	case !final:
		return stream.More
	}
	return stream.Yes
}

// unless says that more is needed, unless there is no more.
func unless(final bool) stream.Look {
	if final {
		return stream.No
	}
	return stream.More
}

// maxLetters bounds the letters before the space before the first digit.
const maxLetters = 6

func capital(b byte) bool  { return 'A' <= b && b <= 'Z' || b == '-' }
func isDigit(b byte) bool  { return '0' <= b && b <= '9' }
func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }
