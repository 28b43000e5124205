package pii

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// topics are what the words around a value speak of: a bit for each kind of topic
// and, behind those, one for each identifier.
type topics [4]uint64

func (s *topics) has(bit int) bool { return s[bit>>6]&(1<<(bit&63)) != 0 }
func (s *topics) any(k topic) bool { return s[0]&uint64(k) != 0 }
func (s *topics) none() bool       { return *s == topics{} }
func (s *topics) add(o *topics) {
	for i, v := range o {
		s[i] |= v
	}
}

// names reports whether one thing is named, more than what all countries have.
func (s *topics) names() bool { return s[0]>>commonTopics|s[1]|s[2]|s[3] != 0 }

// topic is what the words of many languages have in common.
type topic uint64

const (
	national topic = 1 << iota // the number of a person, in English
	tax
	health
	nationalAbroad // the same in other languages
	taxAbroad
	healthAbroad
	kinship // somebody near
	ward    // a patient
	crew    // somebody at work or at school
	birth
	place
	login
	password
	network // where people have handles
	patient
	staff
	years // an age
	wallet
	phoned
	paying // a card
)

const (
	commonTopics = 9  // of them, those that name no single thing
	ownTopics    = 20 // the first bit of an identifier
)

// How far before a value a word may stand that names it, with a check digit and
// without, and how far behind it.
const (
	farWords   = 56
	nearWords  = 28
	afterWords = 60
)

const maxTerm = 40

// vocabulary is what words name. In lower case, without accents, several words
// parted by single spaces; those that end in a star begin longer words. Terms of
// scripts that put no spaces between words are looked for everywhere.
type vocabulary struct {
	whole    map[string]*topics
	stems    map[string][]term // by their first bytes
	unspaced map[[3]byte][]term
	long     map[string]bool // words with which a term of two begins
	heads    [1 << 9]uint64  // the first bytes of all words, a bit for each
}

// headHash is the bit for the first four bytes of a word.
func headHash(w []byte) uint32 {
	v := uint32(len(w)) << 24
	if len(w) >= 4 {
		v = uint32(w[3]) << 24
	}
	return (v | uint32(w[0])<<16 | uint32(w[1])<<8) * 0x9E3779B1 >> 17
}

// may reports whether a term may begin with the word.
func (v *vocabulary) may(w []byte) bool {
	if len(w) < 2 {
		return true
	}
	h := headHash(w)
	return v.heads[h>>6]&(1<<(h&63)) != 0
}

func (v *vocabulary) head(w string) {
	if head, _, _ := strings.Cut(w, " "); len(head) > 1 {
		h := headHash([]byte(head))
		v.heads[h>>6] |= 1 << (h & 63)
	}
}

type term struct {
	word []byte
	own  topics
}

const stemLen = 5

var vocab = func() *vocabulary {
	v := &vocabulary{whole: map[string]*topics{}, stems: map[string][]term{}, unspaced: map[[3]byte][]term{}, long: map[string]bool{}}
	for _, k := range kindWords {
		bit := 0
		for topic(1)<<bit != k.topic {
			bit++
		}
		v.put(k.words, bit)
	}
	for i := range identifiers {
		v.put(identifiers[i].words, ownTopics+i)
	}
	return v
}()

func (v *vocabulary) put(words string, bit int) {
	var own topics
	own[bit>>6] |= 1 << (bit & 63)
	for w := range strings.SplitSeq(words, "|") {
		w, stem := strings.CutSuffix(normalize.Fold(strings.TrimSpace(w)), "*")
		switch {
		case w == "":
		case w[0] >= 0xE0:
			key := [3]byte([]byte(w))
			v.unspaced[key] = append(v.unspaced[key], term{[]byte(w), own})
		case stem && len(w) >= stemLen:
			v.head(w)
			v.stems[w[:stemLen]] = append(v.stems[w[:stemLen]], term{[]byte(w), own})
		default:
			joined := strings.ReplaceAll(w, " ", "")
			if len(joined) < stemLen {
				joined = w
			}
			for _, w := range []string{w, joined} {
				if v.whole[w] == nil {
					v.whole[w] = new(topics)
				}
				v.head(w)
				v.whole[w].add(&own)
				if head, _, ok := strings.Cut(w, " "); ok {
					v.long[head] = true
				}
			}
		}
	}
}

// word adds what the word t[s:e] names, alone and with the word that follows it
// and ends at next. t is folded.
func (v *vocabulary) word(t []byte, s, e, next int, own *topics) {
	if t[e-1] >= 0x80 || t[s] >= 0x80 {
		v.unspacedIn(t, s, e, own)
	}
	if e-s > maxTerm || !v.may(t[s:e]) {
		return
	}
	if o := v.whole[string(t[s:e])]; o != nil {
		own.add(o)
	}
	if e-s >= stemLen {
		for _, k := range v.stems[string(t[s:s+stemLen])] {
			if bytes.HasPrefix(t[s:e], k.word) {
				own.add(&k.own)
			}
		}
	}
	// Single signs may part the words, and there may be three.
	if next > e && next-s <= maxTerm && v.long[string(t[s:e])] {
		var key [maxTerm]byte
		n, gap := 0, false
		for _, c := range t[s:next] {
			if !inWord(c) {
				if gap {
					continue
				}
				c = ' '
			}
			gap = c == ' '
			key[n] = c
			n++
		}
		for {
			if o := v.whole[string(key[:n])]; o != nil {
				own.add(o)
			}
			if n = bytes.LastIndexByte(key[:n], ' '); n <= e-s {
				break
			}
		}
	}
}

// before is topicsBefore for the beginning of a value, and remembers its answer.
func (c *cursor) before(w stream.Window, i int) (far, near topics) {
	if at := w.Base + i + 1; c.told != at {
		c.told = at
		c.far, c.near = topicsBefore(w.Folded, i, 0)
	}
	return c.far, c.near
}

// topicsBefore returns what the words of the line from low on before t[i] speak
// of, and what the nearest of them that names anything does. Behind a key and a
// colon only the key counts. Of a value that begins its line the line before may
// end in the name. t is folded.
func topicsBefore(t []byte, i, low int) (far, near topics) {
	low = max(low, i-farWords, 0)
	if k := keyBefore(t, i, low); k >= 0 {
		low = k
	}
	found, nearest, line := false, -1, -1 // line: where the line begins, if the value does so too
	var ends [3]int                       // of the words behind, the nearest first
	for end := i; end > low; {
		switch c := t[end-1]; {
		case c == '\n':
			if line >= 0 || ends[0] > 0 || i-end > 3 || len(bytes.Trim(t[end:i], " \"'*-")) > 0 {
				return far, near
			}
			end--
			line = end
			continue
		case !inWord(c):
			end--
			continue
		}
		start := end
		for start > low && inWord(t[start-1]) {
			start--
		}
		var own topics
		next := end // of up to three words with single signs between them
		if start > low || start == 0 || !inWord(t[start-1]) {
			for _, e := range ends {
				if e == 0 || !follows(t, next, e) {
					break
				}
				next = e
			}
			vocab.word(t, start, end, next, &own)
		} else if t[end-1] >= 0x80 {
			vocab.unspacedIn(t, start, end, &own)
		}
		if line >= 0 && own.none() && far.none() && !linking[string(t[start:end])] {
			return far, near // the line ends in something else
		}
		far.add(&own)
		switch {
		case own.none() || i-end > nearWords:
		case !found:
			near, found = own, own.names()
		case nearest >= 0 && next >= nearest:
			near.add(&own) // of a name of several words the last alone may be one
		}
		if nearest < 0 && !own.none() {
			nearest = end
		}
		ends[2], ends[1], ends[0] = ends[1], ends[0], end
		end = start
	}
	return far, near
}

// unspacedIn is word for a piece of one.
func (v *vocabulary) unspacedIn(t []byte, s, e int, own *topics) {
	for i := s; i+3 <= e; i++ {
		if t[i] < 0xE0 {
			continue
		}
		for _, u := range v.unspaced[[3]byte(t[i:])] {
			if bytes.HasPrefix(t[i:e], u.word) {
				own.add(&u.own)
			}
		}
	}
}

// follows reports whether the word that ends at t[e] stands one sign behind t[i].
func follows(t []byte, i, e int) bool {
	gap := i
	for gap < e && !inWord(t[gap]) {
		gap++
	}
	if gap == i+2 && t[i] == '.' && t[i+1] == ' ' {
		gap--
	}
	return gap == i+1 && t[i] != '\n'
}

// keyBefore returns where the key begins that stands before t[i] with a colon or
// an equals sign behind it, or -1 if there is none, or one that says nothing.
func keyBefore(t []byte, i, low int) int {
	j := i
	for j > low && i-j < 6 && contains(" \"'`\t([", t[j-1]) {
		j--
	}
	if j == low || !contains(":=>", t[j-1]) {
		return -1
	}
	for j > low && contains(":=>-", t[j-1]) {
		j--
	}
	for j > low && contains(" \"'`\t)]", t[j-1]) {
		j--
	}
	end := j
	for j > low && !endsKey[t[j-1]] {
		j--
	}
	if end-j < 2 || empty[string(bytes.TrimSpace(t[j:end]))] {
		return -1
	}
	return j
}

// endsKey are the signs before a key.
var endsKey = func() (t [256]bool) {
	for _, c := range []byte(",;{}&|\t\n:=<>\"'`?!") {
		t[c] = true
	}
	return t
}()

// empty are keys that do not say what their value is.
var empty = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq("value val text content data number no nr num id code answer response result input output is wert nummer numero valeur valor valore numer field key type message msg body") {
		m[w] = true
	}
	return m
}()

// topicsAfter returns what the words say that stand behind a value which ends at
// t[i] and speak of it: 078-05-1120 is my social security number. more means that
// what follows the window could change that. t is folded.
func topicsAfter(t []byte, i int, final bool) (own topics, more bool) {
	limit := min(len(t), i+afterWords)
	more = !final && limit == len(t) && limit < i+afterWords
	j := i
	for j < limit && j-i < 2 && contains("\"'`)", t[j]) {
		j++
	}
	if j < limit && t[j] == ' ' {
		j++
	}
	if j == limit {
		return own, more
	}
	until := byte(0)
	switch c := t[j]; {
	case c == '(':
		until = ')'
		j++
	case c >= 0x80:
	case isLetter(c):
		e := j
		for e < limit && inWord(t[e]) {
			e++
		}
		if e == limit {
			return own, more
		}
		if !linking[string(t[j:e])] {
			return own, false
		}
		j = e
	default:
		return own, false
	}
	for j < limit {
		c := t[j]
		if !inWord(c) {
			if c == until || isDigit(c) || c == '.' && until == 0 || contains("\n;?!:=", c) || c == ',' && !own.none() {
				return own, false
			}
			j++
			continue
		}
		e := j
		for e < limit && inWord(t[e]) {
			e++
		}
		next, last := e, e
		for range 2 {
			for last < limit && !inWord(t[last]) {
				last++
			}
			for last < limit && inWord(t[last]) {
				last++
			}
			if last == next || !follows(t, next, last) || last == limit && limit < len(t) {
				break
			}
			next = last
		}
		if more && last == limit {
			return own, true // the words may go on, and mean something else together
		}
		if e == limit && limit < len(t) && inWord(t[limit]) {
			vocab.unspacedIn(t, j, e, &own)
			return own, false
		}
		vocab.word(t, j, e, next, &own)
		j = e
	}
	return own, more
}

// linking are the words between a value and what it is.
var linking = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq("is was ist war lautete est es era e fue sono var ar er jest to je este adalah la being будет это είναι ειναι هو هي הוא זה belongs") {
		m[w] = true
	}
	return m
}()

func inWord(c byte) bool { return isLetter(c) || c >= 0x80 }
