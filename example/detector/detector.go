// Package detector is an example of a detector: it notices the numbers of a
// company's own incident tickets, such as INC-1234567, which say more to an
// outsider than they should.
//
// It is compiled and tested with the house, and HACKING.md quotes it. Start
// reading at [Scanner].
package detector

import (
	"bytes"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "example/ticket"

// Reason is the reason of all findings.
const Reason = "incident-ticket"

// Scanner notices ticket numbers. It is safe for concurrent use.
type Scanner struct{}

// Begin implements stream.Scanner.
func (Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	return &stream.Starts{Try: try}, ""
}

// shape is a ticket number in the folded view, with 0 for any digit.
const shape = "inc-0000000"

// try looks at the start i. It decides only when it sees what it needs: the
// number, and that no letter or digit stands before or behind it.
func try(w stream.Window, i int, found func(stream.Match)) (next int) {
	first := bytes.IndexByte(w.Folded[i:], shape[0])
	if first < 0 {
		return len(w.Folded) // most texts end here
	}
	i += first
	if i > 0 && stream.AlphaNum[w.Folded[i-1]] {
		return i + 1
	}
	t, n := w.Folded[i:], 0
	for n < len(t) && n < len(shape) && fits(t[n], shape[n]) {
		n++
	}
	switch {
	case n == len(t) && !w.Final:
		return i // undecided: the text is held back from here on
	case n < len(shape), n < len(t) && stream.AlphaNum[t[n]]:
		return i + 1
	}
	found(stream.Match{Start: w.Base + i, End: w.Base + i + n, Reason: Reason, Severity: ringwall.Low, Score: 0.95})
	return i + n
}

func fits(c, want byte) bool {
	if want == '0' {
		return '0' <= c && c <= '9'
	}
	return c == want
}
