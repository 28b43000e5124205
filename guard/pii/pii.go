// Package pii notices personal data that has a structure: what can be told by
// its form and, where there is one, its check digit.
//
// Every such value holds a byte that is rare in prose: a digit, a colon or an at
// sign. One pass over the clean view stops at those alone; there the cursor looks
// back the few bytes to where a value may begin, and asks the small hand-written
// readers that fit: each answers no, yes, or that it must see more. Looking back
// and reading ahead are bounded by the longest value, and what was found out
// about a run of characters is remembered to its end, so the cost is linear in
// the text.
//
// What a country or a trade numbers people by is a row of a table: how it is
// written, its check digit, the words that name it, and whether it needs one
// of them; see national.go, general.go and, for how rows are tried, identity.go.
// A number that its words name goes before one that only fits. The score tells
// how it was known: 0.99 by its words and its check digit, 0.9 and more by the
// check digit alone, 0.8 by the words alone.
//
// Of values that overlap the one that begins first counts, and an e-mail address
// goes before a number that it holds. Reasons are Bedrock's names of the types in
// kebab-case. Names and postal addresses have no structure: they are left to
// detectors that know language.
package pii

import (
	"slices"
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

// Reasons lists all reasons.
var Reasons = func() []string {
	rs := []string{Email, Phone, CreditCard, IBAN, USSSN, IPAddress, Age, BitcoinAddress, EthereumAddress}
	for _, id := range identifiers {
		if !slices.Contains(rs, id.reason) {
			rs = append(rs, id.reason)
		}
	}
	return rs
}()

// Scanner notices personal data. The zero Scanner is ready to use.
type Scanner struct{}

var cursors = sync.Pool{New: func() any { return new(cursor) }}

// Begin implements stream.Scanner.
func (Scanner) Begin(stream.Scope) (stream.Cursor, string) { return cursors.Get().(*cursor), "" }

// cursor looks through one text. Its fields are offsets of the text.
type cursor struct {
	pos     int           // bytes before it were dealt with
	last    int           // end of the last match: no other begins before it
	run     int           // the characters of local parts go on up to here, from the last digit on that was looked at
	account int           // end of the last account number
	value   [maxWord]byte // room for the characters of one
	noAt    int           // behind the last at sign that belongs to no address
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
	email         = pattern{Email, ringwall.Medium, 0.98, nil}
	iban          = pattern{IBAN, ringwall.High, 0.99, readIBAN}
	hardware      = pattern{MACAddress, ringwall.Low, 0.9, nil}
	ipv6          = pattern{IPAddress, ringwall.Low, 0.95, readIPv6}
	international = pattern{Phone, ringwall.Medium, 0.95, readInternational}
	northAmerican = pattern{Phone, ringwall.Medium, 0.85, readNorthAmerican}

	// What begins with a digit, in the order in which it is tried.
	numbers = []pattern{
		{IPAddress, ringwall.Low, 0.9, readIPv4},
		{USSSN, ringwall.High, 0.9, readSSN},
		{USSSN, ringwall.High, 0.8, readPlainSSN},
		{CreditCard, ringwall.High, 0.99, readCard},
		northAmerican, // from here on an identifier goes before it
		{Phone, ringwall.Medium, 0.8, readTrunk},
		{Phone, ringwall.Medium, 0.7, readNamed},
	}
)

// sure is how many of numbers go before an identifier that nothing names.
const sure = 4

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	t, i := w.Clean, c.pos-w.Base
	for {
		for i < len(t) && !trigger[t[i]] {
			i++
		}
		if i == len(t) {
			break
		}
		start, end, p, look := c.read(w, i)
		switch look {
		case stream.More:
			c.pos = w.Base + i
			return w.Base + c.hold(w, min(start, i))
		case stream.Yes:
			found(stream.Match{Start: w.Base + start, End: w.Base + end, Reason: p.reason, Severity: p.severity, Score: p.score})
			c.last = w.Base + end
			if p.reason == IBAN {
				c.account = c.last
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

// trigger are the bytes of which every value holds one.
var trigger = func() (t [256]bool) {
	for _, c := range []byte("0123456789:@") {
		t[c] = true
	}
	return t
}()

// hold returns the index before i where the longest value begins that may still
// come: with the local part of an e-mail address, which may also be the letters
// of an account number or of an address, or the plus of a phone number.
func (c *cursor) hold(w stream.Window, i int) int {
	first := max(c.last-w.Base, i-maxLocal, 0)
	for i > first && localPart[w.Clean[i-1]] {
		i--
	}
	// The letters of a plate stand apart from its digits.
	first = max(first, i-maxLetters-1)
	if j := i - 1; j > first && w.Clean[j] == ' ' {
		for j > first && capital(w.Clean[j-1]) {
			j--
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
	case '@':
		start, end, look = c.email(w, i)
		return start, end, email, look
	case ':':
		if start, end, look = namedBank(t, i, w.Final); look != stream.No {
			return start, end, bank, look
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
	}
	idStart, idEnd, id, look := identify(w, i, first, c.value[:0])
	if look == stream.More || look == stream.Yes && id.score > 0.9 {
		return idStart, idEnd, id, look
	}
	for k, p := range numbers {
		if k == sure && id.score > 0 {
			return idStart, idEnd, id, stream.Yes
		}
		if try(p, i) {
			return start, end, p, look
		}
	}
	return i, wordEnd(t, i), p, stream.No
}

// code tries what begins with letters before the digit t[i].
func (c *cursor) code(w stream.Window, i, first int) (start, end int, p pattern, look stream.Look) {
	start, end, p, look = identify(w, i, first, c.value[:0])
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
