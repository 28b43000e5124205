package attack

import (
	"math/bits"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
)

// lexicon gives the classes of each word that has any, as the folded view writes
// it. Words in disguise are package guard's business.
var lexicon = func() map[string]classSet {
	m := map[string]classSet{}
	for class, words := range lists {
		for w := range strings.FieldsSeq(normalize.Fold(words)) {
			m[w] |= class
		}
	}
	return m
}()

// dictionary is the lexicon for looking up every word of a text: most are told
// by their first two bytes and their length to be none of its words.
type dictionary struct {
	lengths [1 << 10]uint32 // of the words with these first two bytes
	slots   [1 << 12]entry  // found by hash, and on from there
}

type entry struct {
	word    string
	classes classSet
}

var known = func() *dictionary {
	d := new(dictionary)
	for w, classes := range lexicon {
		d.lengths[head([]byte(w))] |= 1 << min(len(w), 31)
		i := hash([]byte(w))
		for d.slots[i].word != "" {
			i = (i + 1) % len(d.slots)
		}
		d.slots[i] = entry{w, classes}
	}
	return d
}()

func head(w []byte) int { return int(w[0]&31)<<5 | int(w[1]&31) }

// hash mixes the first two bytes, the last two, the middle and the length of a
// word of two bytes or more.
func hash(w []byte) int {
	n := len(w)
	h := uint32(w[0]) | uint32(w[1])<<8 | uint32(w[n/2])<<16 | uint32(w[n-1])<<24
	h = (h ^ uint32(w[n-2])<<4 ^ uint32(n)<<13) * 0x9E3779B1
	return int(h >> 20)
}

// lookup returns the classes of a word.
func (d *dictionary) lookup(w []byte) classSet {
	if len(w) < 2 || d.lengths[head(w)]>>min(len(w), 31)&1 == 0 {
		return 0
	}
	for i := hash(w); d.slots[i].word != ""; i = (i + 1) % len(d.slots) {
		if d.slots[i].word == string(w) {
			return d.slots[i].classes
		}
	}
	return 0
}

// ruleSet is a set of indices into rules.
type ruleSet uint64

// forAll are the rules for every text, forData those for text that must hold no
// instructions.
var forAll, forData = func() (all, data ruleSet) {
	for i, r := range rules {
		data |= 1 << i
		if !r.inData {
			all |= 1 << i
		}
	}
	return all, data
}()

// users are the rules that a class of words moves on, by the bit of the class.
var users = func() (t [64]ruleSet) {
	for i, r := range rules {
		for _, slot := range r.slots {
			for ; slot != 0; slot &= slot - 1 {
				t[bits.TrailingZeros64(uint64(slot))] |= 1 << i
			}
		}
	}
	return t
}()

// rules returns the rules that words of these classes move on.
func (cs classSet) rules() (rs ruleSet) {
	for ; cs != 0; cs &= cs - 1 {
		rs |= users[bits.TrailingZeros64(uint64(cs))]
	}
	return rs
}
