package pii

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
)

// topics are the things that the words before a value speak of: a bit for each
// identifier, behind those of topic.
type topics [3]uint64

func (s topics) has(bit int) bool { return s[bit>>6]&(1<<(bit&63)) != 0 }
func (s topics) any(k topic) bool { return s[0]&uint64(k) != 0 }
func (s *topics) add(o topics) {
	for i, v := range o {
		s[i] |= v
	}
}

// topic is what the words of all countries have in common.
type topic uint64

const (
	national topic = 1 << iota // the number of a person
	tax
	health
)

const ownTopics = 3 // the first bit of an identifier

// How far before a value a word may stand that names it: with a check digit, and
// without.
const (
	farWords  = 56
	nearWords = 28
)

const maxTerm = 40

var kinWords = map[topic]string{
	national: "national id|documento|id number|identity number|identification number|id no|personal id|citizen id|id card|identifiant national|nationalid|national identifier|national identification|identity card|personal number",
	tax:      "tax id|tax number|tax no|tin|taxpayer|tax identification|taxid|steuernummer|steuer id|numero fiscal|taxpayer id",
	health:   "insurance number|insurance id|insurance no|health number|social security|nhs",
}

// terms are the words that name something, and unspaced those of scripts that
// put no spaces between words.
var terms, unspaced = func() (map[string]topics, []term) {
	m := map[string]topics{}
	var us []term
	put := func(words string, bit int) {
		for w := range strings.SplitSeq(words, "|") {
			if w == "" {
				continue
			}
			var own topics
			own[bit>>6] |= 1 << (bit & 63)
			if w[0] >= 0xE0 {
				us = append(us, term{[]byte(normalize.Fold(w)), own})
				continue
			}
			w = normalize.Fold(w)
			own.add(m[w])
			m[w] = own
		}
	}
	for _, k := range []topic{national, tax, health} {
		bit := 0
		for topic(1)<<bit != k {
			bit++
		}
		put(kinWords[k], bit)
	}
	for i := range identifiers {
		put(identifiers[i].words, ownTopics+i)
	}
	return m, us
}()

type term struct {
	word []byte
	own  topics
}

// topicsBefore returns what the words of the line before t[i] speak of, and what
// the nearest of them that names anything does. t is folded.
func topicsBefore(t []byte, i int) (far, near topics) {
	low := max(0, i-farWords)
	end, prev, found := i, 0, false // prev: the end of the word behind
	var key [maxTerm]byte
	for end > low {
		if t[end-1] == '\n' {
			break
		}
		if !inWord(t[end-1]) {
			end--
			continue
		}
		start := end
		for start > low && inWord(t[start-1]) {
			start--
		}
		cut := start == low && start > 0 && inWord(t[start-1])
		var own topics
		hit := false
		note := func(o topics) {
			own.add(o)
			hit = true
		}
		if !cut && end-start <= maxTerm {
			if o, ok := terms[string(t[start:end])]; ok {
				note(o)
			}
			// With the word behind it, whatever single sign parts them.
			if gap := 1; prev > 0 && end+gap < prev && prev-start <= maxTerm && inWord(t[end+gap]) {
				n := copy(key[:], t[start:prev])
				key[end-start] = ' '
				if o, ok := terms[string(key[:n])]; ok {
					note(o)
				}
			}
		}
		if t[end-1] >= 0x80 || t[start] >= 0x80 {
			for _, u := range unspaced {
				if bytes.Contains(t[start:end], u.word) {
					note(u.own)
				}
			}
		}
		far.add(own)
		if hit && !found && i-end <= nearWords {
			near, found = own, own[0]>>ownTopics != 0 || own[1] != 0 || own[2] != 0
		}
		prev, end = end, start
	}
	return far, near
}

func inWord(c byte) bool { return isLetter(c) || c >= 0x80 }
