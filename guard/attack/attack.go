// Package attack notices texts that try to take a model over, by rules over the
// words of the folded view.
//
// A rule ([rule]) is a short row of word classes that must follow each other with
// at most a few words between: "ignore … previous … instructions". Each word of
// the text is looked up once; what classes it has moves the rules on. The cost
// is linear in the text times the number of rules, which are few.
//
// Rules catch what is written plainly, in any disguise that the normaliser
// undoes, in letters that only look Latin, in digits for letters and in ROT13.
// They are the first, cheapest judge; what a text means is for classifiers.
// Start reading at the table of rules; the lexicon is made from its lists.
package attack

import (
	"bytes"
	"math/bits"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/prompt-attack"

// Reasons.
const (
	Override  = "instruction-override"  // LLM01, AML.T0051.000
	LeakAsked = "prompt-leak-request"   // LLM07, AML.T0056
	Jailbreak = "jailbreak"             // AML.T0054
	Markers   = "chat-template-markers" // special tokens in data
	Indirect  = "instruction-in-data"   // AML.T0051.001
)

// Reasons lists all reasons.
var Reasons = []string{Override, LeakAsked, Jailbreak, Markers, Indirect}

// Scanner notices attacks. The zero Scanner is ready to use. Text of origin
// system is the operator's own and is not looked at.
type Scanner struct{}

// Begin implements stream.Scanner.
func (Scanner) Begin(sc stream.Scope) (stream.Cursor, string) {
	if sc.Origin == ringwall.System {
		return nil, "operator-text"
	}
	c := cursors.Get().(*cursor)
	c.rules = forAll
	if sc.Origin.Untrusted() {
		c.rules = forData
	}
	return c, ""
}

var cursors = sync.Pool{New: func() any { return &cursor{markers: stream.Starts{Try: tryMarker}} }}

type cursor struct {
	rules   ruleSet // those that apply to the text
	words   stream.Words
	n       int     // words so far
	live    ruleSet // those that have come some way
	rows    [len(rules)][maxSlots]row
	markers stream.Starts
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	*c = cursor{markers: stream.Starts{Try: tryMarker}}
	cursors.Put(c)
}

// row is how far a rule has come: its slots up to this one were last filled by
// the at-th word, the first of them at offset start. The first word is number 1.
type row struct{ at, start int }

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	safe := c.markers.Scan(w, found)
	for {
		start, end := c.words.Cut(w.Folded, w.Base, w.Final)
		if start == end {
			break
		}
		c.n++
		if classes := known.lookup(w.Folded[start-w.Base : end-w.Base]); classes != 0 {
			for rs := classes.rules() & c.rules; rs != 0; rs &= rs - 1 {
				c.step(bits.TrailingZeros64(uint64(rs)), start, end, classes, found)
			}
		}
	}
	if w.Final {
		return w.End()
	}
	safe = min(safe, c.words.Pending())
	for rs := c.live; rs != 0; rs &= rs - 1 {
		i := bits.TrailingZeros64(uint64(rs))
		live := false
		for k := range len(rules[i].slots) - 1 {
			if r := c.rows[i][k]; r.at > 0 && c.n-r.at <= rules[i].gap {
				safe, live = min(safe, r.start), true
			}
		}
		if !live {
			c.live &^= 1 << i
		}
	}
	return safe
}

// step moves rule i on by the word [from, to), the last slot first, so that one word fills
// one slot of a row.
func (c *cursor) step(i, from, to int, classes classSet, found func(stream.Match)) {
	r := &rules[i]
	rows := &c.rows[i]
	for k := len(r.slots) - 1; k >= 0; k-- {
		if classes&r.slots[k] == 0 {
			continue
		}
		start := from
		if k > 0 {
			before := rows[k-1]
			if before.at == 0 || c.n-before.at > r.gap+1 {
				continue
			}
			start = before.start
		}
		if k < len(r.slots)-1 {
			rows[k] = row{c.n, start}
			c.live |= 1 << i
			continue
		}
		*rows = [maxSlots]row{}
		found(stream.Match{Start: start, End: to, Reason: r.reason, Severity: ringwall.High, Score: r.score})
		return
	}
}

// markers are the delimiters of chat templates: in data they pretend to be a
// turn of the conversation.
var markers = [][]byte{
	[]byte("<|im_start|>"), []byte("<|im_end|>"), []byte("<|system|>"), []byte("<|assistant|>"), []byte("<|endoftext|>"),
	[]byte("<|start_header_id|>"), []byte("<|eot_id|>"), []byte("[inst]"), []byte("[/inst]"), []byte("<<sys>>"), []byte("<</sys>>"),
	[]byte("<start_of_turn>"), []byte("<end_of_turn>"),
}

func tryMarker(w stream.Window, i int, found func(stream.Match)) int {
	t := w.Folded
	for i < len(t) && t[i] != '<' && t[i] != '[' {
		i++
	}
	if i == len(t) {
		return i
	}
	for _, m := range markers {
		got := t[i:min(len(t), i+len(m))]
		if !bytes.Equal(got, m[:len(got)]) {
			continue
		}
		if len(got) == len(m) {
			found(stream.Match{Start: w.Base + i, End: w.Base + i + len(m), Reason: Markers, Severity: ringwall.High, Score: 0.8})
			return i + len(m)
		}
		if !w.Final {
			return i
		}
	}
	return i + 1
}
