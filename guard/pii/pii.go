// Package pii notices personal data that has a structure: what can be told by
// its form and, where there is one, its check digit.
//
// One pass over the clean view visits each place where such a value can begin
// and tries the patterns that begin with that character; a pattern is a small
// hand-written reader that answers no, yes, or that it must see more. Reading
// ahead is bounded by the longest value, so the cost is linear in the text.
//
// Reasons are Bedrock's names of the types in kebab-case.
package pii

import (
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
var Reasons = []string{Email, Phone, CreditCard, IBAN, USSSN, IPAddress}

// Scanner notices personal data. The zero Scanner is ready to use.
type Scanner struct{}

// Begin implements stream.Scanner.
func (Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	c := &cursor{}
	c.Try = c.try
	return c, ""
}

type cursor struct {
	stream.Starts
	noAt int // no e-mail address begins before this offset
}

// pattern reads a value that begins at t[i]. It returns the index behind it.
type pattern struct {
	reason   string
	severity ringwall.Severity
	score    float64
	read     func(t []byte, i int, final bool) (end int, look stream.Look)
}

// In the order in which they are tried.
var (
	startsWithDigit = []pattern{
		{IPAddress, ringwall.Low, 0.9, readIPv4},
		{IPAddress, ringwall.Low, 0.95, readIPv6},
		{USSSN, ringwall.High, 0.9, readSSN},
		{CreditCard, ringwall.High, 0.99, readCard},
		{Phone, ringwall.Medium, 0.85, readNorthAmerican},
	}
	startsWithPlus   = []pattern{{Phone, ringwall.Medium, 0.95, readInternational}}
	startsWithParen  = []pattern{{Phone, ringwall.Medium, 0.85, readNorthAmerican}}
	startsWithColon  = []pattern{{IPAddress, ringwall.Low, 0.95, readIPv6}}
	startsWithLetter = []pattern{
		{IBAN, ringwall.High, 0.99, readIBAN},
		{IPAddress, ringwall.Low, 0.95, readIPv6},
	}
)

func (c *cursor) try(w stream.Window, i int, found func(stream.Match)) int {
	t := w.Clean
	// Most bytes begin nothing: pass over them at once.
	for i < len(t) && (!begins[t[i]] || i > 0 && stream.AlphaNum[t[i-1]] && stream.AlphaNum[t[i]]) {
		i++
	}
	if i == len(t) {
		return i
	}
	var ps []pattern
	switch b := t[i]; {
	case isDigit(b):
		ps = startsWithDigit
	case b == '+':
		ps = startsWithPlus
	case b == '(':
		ps = startsWithParen
	case b == ':':
		ps = startsWithColon
	default:
		ps = startsWithLetter
	}
	for _, p := range ps {
		end, look := p.read(t, i, w.Final)
		switch look {
		case stream.More:
			return i
		case stream.Yes:
			found(stream.Match{Start: w.Base + i, End: w.Base + end, Reason: p.reason, Severity: p.severity, Score: p.score})
			return end
		}
	}
	if w.Base+i >= c.noAt {
		end, look := readEmail(t, i, w.Final)
		switch look {
		case stream.More:
			return i
		case stream.Yes:
			found(stream.Match{Start: w.Base + i, End: w.Base + end, Reason: Email, Severity: ringwall.Medium, Score: 0.98})
			return end
		}
		c.noAt = w.Base + end
	}
	i++
	for i < len(t) && stream.AlphaNum[t[i]] {
		i++
	}
	return i
}

// begins are the bytes that a value can begin with.
var begins = func() (t [256]bool) {
	t = stream.AlphaNum
	t['+'], t['('], t[':'] = true, true, true
	return t
}()

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
