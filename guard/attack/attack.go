// Package attack notices texts that try to take a model over, by rules over the
// words of the folded view.
//
// A rule ([rule]) is a short row of word classes that must follow each other with
// at most a few words between: "ignore … previous … instructions". Each word of
// the text is looked up once; what classes it has moves the rules on. The cost
// is linear in the text times the number of rules, which are few.
//
// Rules catch what is written plainly, in any disguise that the normaliser
// undoes. They are the first, cheapest judge; what a text means is for
// classifiers.
package attack

import (
	"bytes"

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
	c := &cursor{untrusted: sc.Origin.Untrusted()}
	c.markers.Try = tryMarker
	return c, ""
}

type cursor struct {
	untrusted bool
	words     stream.Words
	n         int // words so far
	rows      [len(rules)][maxSlots]row
	markers   stream.Starts
}

// row is how far a rule has come: its slots up to this one were last filled by
// the at-th word, the first of them at offset start.
type row struct {
	at, start int
	live      bool
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	safe := c.markers.Scan(w, found)
	for {
		word, ok := c.words.Next(w)
		if !ok {
			break
		}
		c.n++
		if !maybe(word.Text) {
			continue
		}
		classes := lexicon[string(word.Text)]
		if classes == 0 {
			continue
		}
		for i := range rules {
			c.step(i, word, classes, found)
		}
	}
	if w.Final {
		return w.End()
	}
	safe = min(safe, c.words.Pending())
	for i := range rules {
		for k := range rules[i].slots {
			if r := c.rows[i][k]; r.live && c.n-r.at <= rules[i].gap {
				safe = min(safe, r.start)
			}
		}
	}
	return safe
}

// step moves rule i on by a word, the last slot first, so that one word fills
// one slot of a row.
func (c *cursor) step(i int, word stream.Word, classes classSet, found func(stream.Match)) {
	r := &rules[i]
	if r.inData && !c.untrusted {
		return
	}
	rows := &c.rows[i]
	for k := len(r.slots) - 1; k >= 0; k-- {
		if classes&r.slots[k] == 0 {
			continue
		}
		start := word.Start
		if k > 0 {
			before := rows[k-1]
			if !before.live || c.n-before.at > r.gap+1 {
				continue
			}
			start = before.start
		}
		if k < len(r.slots)-1 {
			rows[k] = row{c.n, start, true}
			continue
		}
		*rows = [maxSlots]row{}
		found(stream.Match{Start: start, End: word.End, Reason: r.reason, Severity: ringwall.High, Score: r.score})
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
